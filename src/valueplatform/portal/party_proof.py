"""An amount of the pages of partners, opened: what it is made of, and the same from raw events by separate code.

What a partner opens says no more than its page does (value rule 19): its own amounts by driver, and of what it shares
with others the total alone; no inputs of others, people or events.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

from valueplatform.accounts.accounts import account_by_key
from valueplatform.accounts.providers import provider_names
from valueplatform.core.authorization import Action, Side
from valueplatform.core.database import Transaction
from valueplatform.core.errors import NotFoundError
from valueplatform.core.periods import ONE_DAY, Period, local_day
from valueplatform.narrative.insight import Insight, Number, Standing, Strength
from valueplatform.narrative.proofs import StoredInsight
from valueplatform.portal.calling import Caller, Place, place_of_account, shared_place
from valueplatform.portal.chart import CLASS_WORDS
from valueplatform.portal.exact import day_text, exact_text, moment_text, short_text
from valueplatform.portal.frame import supplier_name
from valueplatform.portal.partners_view import percent
from valueplatform.portal.party_ref import PartyRef, Whose, party_ref
from valueplatform.portal.proof_formula import period_words
from valueplatform.portal.proof_reading import WAITS, open_number
from valueplatform.portal.proof_view import proof_view
from valueplatform.portal.view import proof as view
from valueplatform.portal.view import words
from valueplatform.value import derivation as d
from valueplatform.value.model import JOINT, SUPPLIER, ValueModel
from valueplatform.value.models import newest_model
from valueplatform.value.proof_numbers import Prover
from valueplatform.value.proof_record import read_source
from valueplatform.value.reading import Question, ValueRead, read_value
from valueplatform.value.split_record import ever_split, read_splits
from valueplatform.value.splits import days_shared
from valueplatform.value.values import ValueRow, is_money

NAMES: Final = ("realized", "counted")
MOST_TERMS: Final = 8
_METHOD: Final = (
    "Each driver's value of each day, by its formula with the values that held on the day. Of a joint driver each "
    "party has the share that all three had agreed on for the day; what nobody agreed on stays joint."
)
_OF_ALL: Final = "The value of all parties of each day. What single other parties brought is not shown."
_OFFERING: Final = "The joint drivers that you share in, whole, on the days on which your share holds."


@dataclass(frozen=True, slots=True)
class Asked:
    """One amount for one reader. `provider`: the partner that reads, None for everybody else."""

    caller: Caller
    place: Place
    ref: PartyRef
    name: str
    provider: str | None
    read: ValueRead
    rows: Sequence[ValueRow]
    shared: Sequence[tuple[str, Period]]
    divided: frozenset[str]
    model: ValueModel
    parties: dict[str, str]

    @property
    def counted(self) -> bool:
        return self.name == "counted"

    def of(self, rows: Sequence[ValueRow]) -> Decimal:
        return sum((row.counted if self.counted else row.realized for row in rows), Decimal(0))

    @property
    def stated(self) -> Decimal:
        """Raises NotFoundError for a total that is not for the reader."""
        whole = self.read.combined if self.ref.whose is Whose.ALL else self.read.offering
        if self.provider is None or self.ref.whose is Whose.PARTY:
            return self.of(self.rows)
        if whole is None:
            raise NotFoundError("There is no such number, or it would tell what one other party brings.")
        return whole.counted if self.counted else whole.realized

    def driver(self, slug: str) -> str:
        found = self.model.driver(slug)
        return found.label if found is not None else slug.replace("_", " ").capitalize()

    @property
    def title(self) -> str:
        who = {Whose.ALL: "All parties", Whose.OFFERING: "What you bring together"}.get(self.ref.whose)
        who = who or self.parties.get(self.ref.party, self.ref.party)
        return who if self.ref.driver is None else f"{who}, {self.driver(self.ref.driver)}"


async def party_place(caller: Caller, key: str) -> Place:
    """The account of an amount, among the reader's own pages. Raises NotFoundError, ForbiddenError."""
    if caller.user.side is Side.PARTNER:
        return await shared_place(caller, key, Action.READ_VALUE)
    account = await account_by_key(caller.tx, key)
    place = await place_of_account(caller, account.account_id, Action.READ_CONSENTS)
    caller.require(Action.READ_VALUE)
    return place


async def open_party(caller: Caller, text: str, name: str | None) -> tuple[Place, view.Proof]:
    """Raises NotFoundError for a number that is not there, or not the reader's."""
    asked = await _asked(caller, party_ref(text), name or NAMES[0])
    stated = asked.stated
    if _is_one_driver_s_own(asked):
        return asked.place, await _whole(asked, stated)
    again = await recomputed(caller.tx, asked.place.account.account_id, _derivation(asked))
    return asked.place, view.Proof(
        ref=f"{text}?number={asked.name}",
        number=short_text(stated, asked.ref.unit),
        sentence=sentence(asked.ref.text, f"{asked.title}, {asked.name}, {_when(asked)}: ", asked.name, stated, asked),
        verdict=await verdict(asked.place, caller, stated, again, asked.ref.unit),
        back=back(asked.place, asked.provider),
        formula=_formula(asked, stated),
        method=_method(asked),
        facts=tuple(_facts(asked)),
    )


async def _asked(caller: Caller, ref: PartyRef, name: str) -> Asked:
    place = await party_place(caller, ref.account)
    provider = caller.user.provider if caller.user.side is Side.PARTNER else None
    if (
        name not in NAMES
        or (provider is not None and not _is_for(ref, provider))
        or (provider is None and ref.whose is Whose.OFFERING)
    ):
        raise NotFoundError("There is no such number.")
    by = ("driver", "provider") if provider is None else ("driver",)
    question = Question(ref.start, ref.end, group_by=by, provider=provider, shows_paid=False)
    read = await read_value(caller.tx, place.account, question, caller.now)
    rows = [row for row in read.rows if _is_in(ref, row, provider)]
    if ref.driver is not None and not rows:
        raise NotFoundError("There is no such number.")
    splits = await read_splits(caller.tx, place.account.account_id)
    return Asked(
        caller=caller,
        place=place,
        ref=ref,
        name=name,
        provider=provider,
        read=read,
        rows=rows,
        shared=days_shared(splits, provider, ref.period) if provider is not None else (),
        divided=frozenset(ever_split(splits)),
        model=await newest_model(caller.tx),
        parties={**await provider_names(caller.tx), SUPPLIER: await supplier_name(caller.tx), JOINT: "Joint"},
    )


def _is_for(ref: PartyRef, provider: str) -> bool:
    """A partner opens its own amounts, and totals of all drivers."""
    return ref.party == provider if ref.whose is Whose.PARTY else ref.driver is None


def _is_in(ref: PartyRef, row: ValueRow, provider: str | None) -> bool:
    if ref.driver is None and not is_money(row.unit, row.benefit_class):
        return False
    own = provider is not None or ref.whose is Whose.ALL or row.groups["provider"] == ref.party
    return own and row.unit == ref.unit and ref.driver in {None, row.groups["driver"]}


# ---------------------------------------------------------------- the same from raw events


async def recomputed(tx: Transaction, account_id: int, node: d.Derivation) -> Decimal | None:
    """From raw events, by the independent path; None before a model is applied."""
    source = await read_source(tx, account_id)
    if source is None:
        return None
    value = (await Prover.prepare(tx, source, [node])).value(node)
    return Decimal(value.numerator) / Decimal(value.denominator)


def _derivation(asked: Asked) -> d.Derivation:
    ref = asked.ref
    if ref.whose is Whose.OFFERING:
        return d.Total(
            tuple(
                d.Realized(days.start, days.end, ref.unit, (driver,), counted=asked.counted)
                for driver, days in asked.shared
            )
        )
    providers = (ref.party,) if ref.whose is Whose.PARTY else ()
    drivers: tuple[str, ...] = (ref.driver,) if ref.driver is not None else ()
    if providers and not drivers:
        money = {one.slug for one in asked.model.drivers if one.monetized}
        drivers = tuple(sorted(money | {row.groups["driver"] for row in asked.rows}))
    return d.Realized(ref.start, ref.end, ref.unit, drivers, providers, asked.counted)


def _is_one_driver_s_own(asked: Asked) -> bool:
    """Whether it has a formula of its own to show, to a reader who may see what it rests on."""
    ref = asked.ref
    return asked.provider is None and ref.driver is not None and ref.party != "" and ref.driver not in asked.divided


async def _whole(asked: Asked, stated: Decimal) -> view.Proof:
    """With the formula, inputs, meters and events."""
    ref = asked.ref
    number = Number(asked.name, stated, ref.unit, _derivation(asked), _standing(asked))
    insight = Insight("party", ref.driver or "", ref.start, ref.end, (number,), Strength.STRONG, 0.0)
    stored = StoredInsight(asked.place.account.account_id, ref.text, 0, insight, holds=True)
    opened = await open_number(asked.caller, asked.place, stored, asked.name, f"{asked.title}, {asked.name}")
    return replace(proof_view(opened, f"{ref.text}?number={asked.name}"), back=back(asked.place, None))


def _standing(asked: Asked) -> Standing:
    realized = sum((row.realized for row in asked.rows), Decimal(0))
    counts = asked.counted or realized == sum((row.counted for row in asked.rows), Decimal(0))
    return Standing.VALIDATED if counts else Standing.ESTIMATED


# ---------------------------------------------------------------- in words


def sentence(ref: str, start: str, name: str, stated: Decimal, asked: Asked) -> words.Sentence:
    number = asked.ref.number(name, stated, counts=asked.counted)
    return words.Sentence(ref, "party", (words.Span(start), words.Span(number.text, replace(number, key=True))))


async def verdict(
    place: Place, caller: Caller, stated: Decimal, again: Decimal | None, unit: str, source: str = "raw events"
) -> view.Verdict:
    when = moment_text(caller.now, place.account.timezone)
    said, found = exact_text(stated, unit), exact_text(again, unit) if again is not None else "no number"
    if stated == again:
        return view.Verdict(True, said, found, f"Recomputed from {source} by separate code, {when}.")
    if await caller.tx.scalar(WAITS, {"account": place.account.account_id}):
        how = "The amounts follow within a minute; open the number again then."
        return view.Verdict(False, said, found, how, "New events have come in.")
    return view.Verdict(False, said, found, f"Recomputed {when}. The rest of the page stands on its own proofs.")


def back(place: Place, provider: str | None) -> words.Link:
    return words.Link("Back to partners", place.path("/partners" if provider is None else ""))


def _when(asked: Asked) -> str:
    return period_words(asked.ref.start, asked.ref.end, local_day(asked.caller.now, asked.place.account.timezone))


def _method(asked: Asked) -> str:
    if asked.ref.whose is Whose.OFFERING:
        return _OFFERING
    return _OF_ALL if asked.provider is not None and asked.ref.whose is Whose.ALL else _METHOD


def _formula(asked: Asked, stated: Decimal) -> view.Formula | None:
    """All as the sum of parties, a party as that of its drivers; each of them opens."""
    ref, unit = asked.ref, asked.ref.unit
    if asked.provider is not None and ref.whose is not Whose.PARTY:
        return None
    by = "provider" if ref.whose is Whose.ALL else "driver"
    parts = {name: asked.of([row for row in asked.rows if row.groups[by] == name]) for name in _named(asked, by)}
    parts = {name: amount for name, amount in parts.items() if amount}
    if not 1 < len(parts) <= MOST_TERMS or (by == "driver" and ref.driver is not None):
        return None
    tokens: list[view.Token] = []
    for name, amount in parts.items():
        own = ref.of(party=name, driver=ref.driver) if by == "provider" else ref.of(party=ref.party, driver=name)
        title = asked.parties.get(name, name) if by == "provider" else asked.driver(name)
        tokens += [view.Token("operator", "+")] if tokens else []
        tokens.append(view.Token("term", exact_text(amount, unit), title, own.number(asked.name, amount).href))
    exact = exact_text(stated, unit)
    tokens.append(view.Token("result", exact, asked.name))
    return view.Formula(tuple(tokens), f"{len(parts)} parts add up to {exact}")


def _named(asked: Asked, by: str) -> list[str]:
    return sorted({row.groups[by] for row in asked.rows if row.groups[by] is not None})


def _facts(asked: Asked) -> Iterator[words.Fact]:
    """By benefit class (value rule 4), and the shares by which a joint driver was cut."""
    for kind in sorted({row.benefit_class for row in asked.rows}):
        if asked.provider is None or asked.ref.whose is Whose.PARTY:
            amount = asked.of([row for row in asked.rows if row.benefit_class == kind])
            yield words.Fact(CLASS_WORDS.get(kind, kind.capitalize()), exact_text(amount, asked.ref.unit))
    if asked.ref.whose is Whose.OFFERING and asked.read.offering is not None:
        yield words.Fact("Drivers", ", ".join(asked.driver(slug) for slug in asked.read.offering.drivers))
    for split in asked.read.splits if asked.ref.whose is Whose.PARTY else ():
        share = _share(split.provider, split.share, split.supplier_share, asked.ref.party)
        if share is not None and split.since is not None and asked.ref.driver in {None, split.driver}:
            until = "" if split.until is None else f" to {day_text(split.until - ONE_DAY)}"
            yield words.Fact(
                f"Share of {asked.driver(split.driver)}", percent(share), f"from {day_text(split.since)}{until}"
            )


def _share(partner: str, share: Decimal, ours: Decimal, party: str) -> Decimal | None:
    return {partner: share, SUPPLIER: ours}.get(party)
