"""A number of a cut bridge, opened: what it is made of by driver, and the same from raw events by separate code."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final
from urllib.parse import urlencode

from valueplatform.accounts.accounts import account_by_key
from valueplatform.core.authorization import Action
from valueplatform.core.errors import NotFoundError
from valueplatform.core.periods import ONE_DAY, local_day
from valueplatform.narrative.wording.numbers import MINUS
from valueplatform.portal.bridge_ref import ENDS, BridgeRef
from valueplatform.portal.bridge_words import KIND_WORDS, Words, period_name
from valueplatform.portal.calling import Caller, Place, place_of_account
from valueplatform.portal.cut_ref import CutRef, cut_ref
from valueplatform.portal.exact import exact_text, moment_text, short_text
from valueplatform.portal.sentences import proof_path
from valueplatform.portal.view import proof as view
from valueplatform.portal.view import words
from valueplatform.portal.why_cut import PART_WORDS, cut_name, member_name
from valueplatform.value.bridge_cells import Kind, Line, added
from valueplatform.value.bridge_cuts import WHOLE, CutRead, read_cut
from valueplatform.value.proof_bridge import Key, prove_bridge
from valueplatform.value.proof_bridge_steps import ProvedBridge
from valueplatform.value.proof_record import read_source
from valueplatform.value.values import is_money

MOST_TERMS: Final = 8


@dataclass(frozen=True, slots=True)
class _Asked:
    caller: Caller
    place: Place
    ref: CutRef
    text: str
    name: str
    cut: CutRead
    lines: Sequence[Line]
    then: str
    now: str

    @property
    def unit(self) -> str:
        return self.cut.read.currency

    @property
    def kind(self) -> Kind | None:
        return None if self.name in ENDS else Kind(self.name)

    def of(self, lines: Sequence[Line]) -> Decimal:
        if self.kind is not None:
            return added(line.amount(self.kind) for line in lines)
        return added(getattr(line, self.name) for line in lines)


async def open_cut(caller: Caller, text: str, name: str | None) -> tuple[Place, view.Proof]:
    """Raises NotFoundError for a number that is not there."""
    asked = await _asked(caller, text, name or "change")
    stated, again = asked.of(asked.lines), await _again(asked)
    title = f"{cut_name(asked.ref.by)} {member_name(asked.ref.by, asked.ref.member, asked.cut.read.model)}"
    return asked.place, view.Proof(
        ref=f"{text}?number={asked.name}",
        number=short_text(stated, asked.unit),
        sentence=_sentence(asked, title, stated),
        verdict=_verdict(asked, stated, again),
        back=_back(asked),
        formula=_formula(asked, stated),
        method=_METHOD if asked.kind is None else f"{PART_WORDS[asked.kind]}. {_METHOD}",
        facts=tuple(_facts(asked)),
    )


_METHOD: Final = (
    "Each driver's value is divided by its own formula over what events tell; what a cap takes, in proportion. Open "
    "the driver on the page before for its inputs and events."
)


async def _asked(caller: Caller, text: str, name: str) -> _Asked:
    ref = cut_ref(text)
    account = await account_by_key(caller.tx, ref.account)
    place = await place_of_account(caller, account.account_id, Action.READ_VALUE)
    cut = await read_cut(caller.tx, account, ref.question, ref.by)
    lines = cut.of(ref.member)
    if not lines or name not in {*ENDS, *map(str, Kind)}:
        raise NotFoundError(f"This bridge has no number {name!r}.")
    today = local_day(caller.now, account.timezone)
    question = ref.question
    then, now = period_name(question.before, today), period_name(question.after, today)
    return _Asked(caller, place, ref, text, name, cut, lines, then, now)


async def _again(asked: _Asked) -> Decimal | None:
    """The same from raw events, by the independent path."""
    source = await read_source(asked.caller.tx, asked.place.account.account_id)
    if source is None:
        return None
    ref = asked.ref
    dimensions = () if ref.by in WHOLE else (ref.by,)
    spans = (ref.before_from, ref.before_to), (ref.after_from, ref.after_to)
    drivers = asked.cut.read.question.drivers
    tx, by_party = asked.caller.tx, ref.by == "provider"
    found = await prove_bridge(tx, source, spans, drivers, dimensions, counted=ref.counted, by_party=by_party)
    return added(_proved(asked, bridge) for key, bridge in found.items() if _is_member(asked, key))


def _is_member(asked: _Asked, key: Key) -> bool:
    slug, provider, unit, cut = key
    driver = asked.cut.read.model.driver(slug)
    if driver is None or unit != asked.unit or not is_money(unit, driver.benefit_class):
        return False
    by = asked.ref.by
    own = provider if by == "provider" else str(driver.benefit_class) if by == "benefit_class" else cut[0]
    return own == asked.ref.member


def _proved(asked: _Asked, bridge: ProvedBridge) -> Decimal:
    if asked.kind is not None:
        return added(amount for (kind, _), amount in bridge.parts.items() if kind == str(asked.kind))
    ends = {"before": bridge.before, "after": bridge.after}
    return added([bridge.after, bridge.before.copy_negate()]) if asked.name == "change" else ends[asked.name]


def _sentence(asked: _Asked, title: str, stated: Decimal) -> words.Sentence:
    shown = f"{'+' if stated > 0 and asked.name not in {'before', 'after'} else ''}{short_text(stated, asked.unit)}"
    said = {"before": asked.then, "after": asked.now, "change": f"{asked.now} against {asked.then}"}
    what = said.get(asked.name) or f"{KIND_WORDS[Kind(asked.name)].lower()}, {said['change']}"
    href = proof_path(asked.text, asked.name)
    number = words.NumberView(asked.name, shown, format(stated, "f"), asked.unit, "validated", href, key=True)
    return words.Sentence(asked.text, "bridge", (words.Span(f"{title}, {what}: "), words.Span(shown, number)))


def _verdict(asked: _Asked, stated: Decimal, again: Decimal | None) -> view.Verdict:
    when = moment_text(asked.caller.now, asked.place.account.timezone)
    said = exact_text(stated, asked.unit)
    found = exact_text(again, asked.unit) if again is not None else "no number"
    if stated == again:
        return view.Verdict(True, said, found, f"Recomputed from the events of both periods by separate code, {when}.")
    if asked.cut.read.waits:
        how = "The amounts follow within a minute; open the number again then."
        return view.Verdict(False, said, found, how, "New events have come in.")
    return view.Verdict(False, said, found, f"Recomputed {when}. The rest of the page stands on its own proofs.")


def _back(asked: _Asked) -> words.Link:
    ref = asked.ref
    query = {
        "first": ref.after_from.isoformat(),
        "last": (ref.after_to - ONE_DAY).isoformat(),
        "against_first": ref.before_from.isoformat(),
        "against_last": (ref.before_to - ONE_DAY).isoformat(),
        "by": ref.by,
    }
    return words.Link("Back to why", asked.place.path(f"/why?{urlencode(query)}"))


def _formula(asked: _Asked, stated: Decimal) -> view.Formula | None:
    """A change is one end less the other; an end or a part is the sum of its drivers' parts."""
    exact = exact_text(stated, asked.unit)
    if asked.name == "change":
        ends = [(end, added(getattr(line, end) for line in asked.lines)) for end in ("after", "before")]
        names = {"after": asked.now, "before": asked.then}
        terms = [
            view.Token("term", exact_text(amount, asked.unit), names[end], proof_path(asked.text, end))
            for end, amount in ends
        ]
        tokens = (terms[0], view.Token("operator", MINUS), terms[1], view.Token("result", exact, "change"))
        return view.Formula(tokens, f"{terms[0].text} minus {terms[1].text} equals {exact}")
    parts = list(_by_driver(asked))
    if not 1 < len(parts) <= MOST_TERMS:
        return None
    tokens_: list[view.Token] = []
    for slug, lines in parts:
        if tokens_:
            tokens_.append(view.Token("operator", "+"))
        title = Words(asked.cut.read.model, asked.cut.read.units).driver(slug)
        tokens_.append(view.Token("term", exact_text(asked.of(lines), asked.unit), title, _href(asked, slug, lines)))
    tokens_.append(view.Token("result", exact, asked.name))
    return view.Formula(tuple(tokens_), f"{len(parts)} drivers add up to {exact}")


def _by_driver(asked: _Asked) -> Iterator[tuple[str, Sequence[Line]]]:
    for slug in dict.fromkeys(line.driver for line in asked.lines):
        lines = [line for line in asked.lines if line.driver == slug]
        if asked.of(lines):
            yield slug, lines


def _href(asked: _Asked, slug: str, lines: Sequence[Line]) -> str:
    """The driver's own proof, where all of the driver is in this part."""
    whole = [line for line in asked.cut.read.lines if line.driver == slug]
    if asked.kind is not None or len(whole) != len(lines):
        return ""
    ref = BridgeRef.of(asked.ref.account, asked.ref.question, asked.unit, slug)
    return proof_path(ref.text(), asked.name)


def _facts(asked: _Asked) -> Iterator[words.Fact]:
    """By driver, and a change by kind of part as well."""
    said = Words(asked.cut.read.model, asked.cut.read.units)
    for slug, lines in _by_driver(asked):
        yield words.Fact(said.driver(slug), exact_text(asked.of(lines), asked.unit))
    if asked.name == "change":
        for kind in Kind:
            amount = added(line.amount(kind) for line in asked.lines)
            if amount:
                yield words.Fact(KIND_WORDS[kind], exact_text(amount, asked.unit), PART_WORDS[kind].lower())
