"""How parties, consents, contributions and splits read. Pure: what the API tells each reader goes in, rows come out."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Final

from valueplatform.accounts.consents import BY_DEFAULT, Purpose
from valueplatform.api.consents import ConsentOut
from valueplatform.api.contributions import ContributionOut
from valueplatform.api.splits import SplitOut
from valueplatform.core.authorization import Side
from valueplatform.core.numbers import round_half_even
from valueplatform.core.periods import ONE_DAY, local_day, month_of, month_start
from valueplatform.portal.exact import day_text
from valueplatform.portal.party_ref import PartyRef, ReportRef, shown
from valueplatform.portal.view import partners as view
from valueplatform.portal.view.words import Chip, Span
from valueplatform.value.contributions import Measured, Standing
from valueplatform.value.model import JOINT, SUPPLIER
from valueplatform.value.splits import Act, SplitState

PURPOSES: Final = {
    Purpose.SEE: ("See this account", "It sees its own rows, its share and the combined total; nothing of others."),
    Purpose.CONTRIBUTE: (
        "Report value of its own",
        "What it sends is shown as partner-reported. It is in no total, whatever becomes of it.",
    ),
}
_STANDINGS: Final = {
    Standing.REPORTED: Chip("proposed", "Partner-reported"),
    Standing.CORROBORATED: Chip("validated", "Corroborated"),
    Standing.DISPUTED: Chip("under-review", "Disputed"),
    Standing.WITHDRAWN: Chip("nodata", "Withdrawn"),
}
_STATES: Final = {
    SplitState.PROPOSED: Chip("proposed", "Proposed"),
    SplitState.IN_FORCE: Chip("validated", "In force"),
    SplitState.REPLACED: Chip("nodata", "Replaced"),
    SplitState.REFUSED: Chip("under", "Declined"),
    SplitState.WITHDRAWN: Chip("nodata", "Withdrawn"),
}
_ACTS: Final = {Act.PROPOSE: "Proposed", Act.AGREE: "Agreed", Act.REFUSE: "Declined", Act.WITHDRAW: "Withdrawn"}


@dataclass(frozen=True, slots=True)
class Words:
    """What parties and people are called here, and in which zone days are told. `reader` is the side that looks."""

    supplier: str
    providers: Mapping[str, str]
    drivers: Mapping[str, str]
    people: Mapping[str, str]
    timezone: str
    reader: Side

    def party(self, provider: str) -> str:
        if provider == SUPPLIER:
            return self.supplier
        return "Joint" if provider == JOINT else self.providers.get(provider, provider)

    def driver(self, slug: str) -> str:
        return self.drivers.get(slug, slug.replace("_", " ").capitalize())

    def day(self, moment: datetime) -> str:
        return day_text(local_day(moment, self.timezone))

    def side(self, side: Side, partner: str) -> str:
        names = {Side.CUSTOMER: "the customer", Side.SUPPLIER: self.supplier, Side.PARTNER: self.party(partner)}
        if side is self.reader:
            return "your side" if side is not Side.PARTNER else "you"
        return names[side]

    def who(self, author: str | None, side: Side, partner: str) -> str:
        """A person by name; whoever may not be named, by the side."""
        return self.side(side, partner) if author is None else self.people.get(author, author)


def percent(share: Decimal | Fraction) -> str:
    exact = Fraction(share) * 100
    return f"{round_half_even(exact.numerator, exact.denominator, 7).normalize():f}%"


def part_of(amount: Decimal, whole: Decimal) -> str:
    """To a tenth of a percent; '' where there is nothing positive to be part of."""
    if whole <= 0 or amount < 0:
        return ""
    share = Fraction(amount) / Fraction(whole) * 100
    return f"{round_half_even(share.numerator, share.denominator, 1)}%"


def party_rows(
    amounts: Mapping[str, tuple[Decimal, Decimal]], at: PartyRef, words: Words
) -> tuple[tuple[view.PartyRow, ...], view.PartyRow]:
    """Realized and counted by provider, the supplier first and what stays joint last; and their total. `at` is that
    total."""
    order = sorted(amounts, key=lambda p: (p == JOINT, p != SUPPLIER, words.party(p)))
    whole = sum((realized for realized, _ in amounts.values()), Decimal(0))
    counts = sum((counted for _, counted in amounts.values()), Decimal(0))
    rows = tuple(
        party_row(
            words.party(provider),
            at.of(party=provider, driver=at.driver),
            amounts[provider],
            part_of(amounts[provider][0], whole),
            "Joint drivers without an agreed share" if provider == JOINT else "",
        )
        for provider in order
    )
    return rows, party_row("Together", at, (whole, counts))


def party_row(
    name: str, at: PartyRef, amounts: tuple[Decimal, Decimal], share: str = "", note: str = ""
) -> view.PartyRow:
    """`amounts`: realized and counted."""
    realized, counted = amounts
    own = at.number("realized", realized, counts=realized == counted)
    return view.PartyRow(name, own, at.number("counted", counted), share, note)


def consent_row(
    found: Sequence[ConsentOut], provider: str, what: Purpose, words: Words, action: str | None
) -> view.ConsentRow:
    """The newest statement on a partner and purpose; `action` None: the reader may not say anything."""
    held = next((one for one in found if (one.provider, one.what) == (provider, what) and one.holds), None)
    given = BY_DEFAULT[what] if held is None else held.granted
    title, effect = PURPOSES[what]
    if held is None:
        chip = Chip("proposed", "By arrangement") if given else Chip("nodata", "Not given")
        said = f"Nobody has said anything; {words.supplier} set it up." if given else "Nobody has given it."
    else:
        before = any((one.provider, one.what, one.granted) == (provider, what, True) for one in found)
        ended = "Withdrawn" if before or BY_DEFAULT[what] else "Declined"
        chip = Chip("validated", "Given") if given else Chip("nodata", ended)
        who = words.who(held.author, Side.CUSTOMER, provider)
        said = f"{'Given' if given else ended} by {who} on {words.day(held.known_at)}: {held.reason}"
    form = None
    if action is not None:
        verb = "Withdraw" if given else "Give"
        form = view.ReasonForm(
            name=f"{provider}-{what.value}",
            action=action,
            label=f"Why {verb.lower()} it?",
            buttons=(view.Button(f"{verb} consent", primary=not given),),
            fields=(("provider", provider), ("what", what.value), ("granted", "" if given else "yes")),
        )
    return view.ConsentRow(title, effect, chip, said, form)


def when_reported(one: ContributionOut) -> str:
    """The month or day that it is of."""
    is_month = one.start == month_start(one.start) and month_of(one.start).end == one.end
    return f"{one.start:%B %Y}" if is_month else day_text(one.start) if one.start == one.end - ONE_DAY else ""


def contribution_row(
    one: ContributionOut, key: str, words: Words, proof: Sequence[Sequence[Span]], form: view.ReasonForm | None
) -> view.ContributionRow:
    """`key` is the account's."""
    source = f"{words.party(one.provider)}, {one.source}, {words.day(one.known_at)}"
    return view.ContributionRow(
        title=one.title,
        about=(when_reported(one), one.evidence, source),
        amount=shown(ReportRef(key, one.contribution_id).text, "reported", Decimal(one.amount), one.unit, "proposed"),
        chip=_STANDINGS[one.state],
        proof=tuple(tuple(line) for line in proof),
        form=form,
    )


def standing_lines(
    one: ContributionOut, key: str, words: Words, measured: Measured, claimed: Decimal
) -> list[list[Span]]:
    """Where a contribution stands and why; `claimed` was borne out of the same driver and month before it."""
    lines: list[list[Span]] = []
    if one.driver is not None and one.state is not Standing.WITHDRAWN:
        ref = ReportRef(key, one.contribution_id).text
        value = shown(ref, "measured", measured(one.driver, one.provider, one.unit, month_start(one.start)), one.unit)
        line = [Span(f"{words.driver(one.driver)} counts "), Span(value.text, value)]
        line.append(Span(f" by telemetry in {one.start:%B %Y}{', of which ' if claimed else '.'}"))
        if claimed:
            before = shown(ref, "claimed", claimed, one.unit)
            line += [Span(before.text, before), Span(" was claimed before.")]
        lines.append(line)
    lines += [[Span(said)] for said in _answers(one, words)]
    return lines


def _answers(one: ContributionOut, words: Words) -> Iterator[str]:
    if one.answered_by is not None:
        said = {Standing.CORROBORATED: "Corroborated", Standing.DISPUTED: "Disputed"}.get(one.state, "Withdrawn")
        yield f"{said} by {words.people.get(one.answered_by, one.answered_by)}: {one.reason}"
    elif one.corroborated_by == "telemetry":
        yield "Telemetry bears it out."
    elif one.corroborated_by == "validator":
        yield "A validator has confirmed it."
    elif one.state is Standing.REPORTED:
        yield "Nothing bears it out yet: it is the partner's word."


def split_row(one: SplitOut, words: Words, form: view.ReasonForm | None) -> view.SplitRow:
    share, ours = Decimal(one.share), Decimal(one.supplier_share)
    rest = 1 - share - ours
    joint = f", {percent(rest)} stays joint" if rest else ""
    agreed = {said.side for said in one.said if said.action in {Act.PROPOSE, Act.AGREE}}
    waits = ""
    if one.state is SplitState.PROPOSED:
        waits = "Waits for " + _listed([words.side(side, one.provider) for side in Side if side not in agreed])
    return view.SplitRow(
        title=words.driver(one.driver),
        shares=f"{words.party(one.provider)} {percent(share)}, {words.supplier} {percent(ours)}{joint}",
        chip=_STATES[one.state],
        held=_held(one),
        said=tuple(
            f"{_ACTS[said.action]} by {words.who(said.author, said.side, one.provider)} on {words.day(said.known_at)}: "
            f"{said.reason}"
            for said in one.said
        ),
        waits=waits,
        form=form,
    )


def _held(one: SplitOut) -> str:
    """The days on which it holds, or held."""
    if one.since is None or one.since == one.until:
        return ""
    until = f" to {day_text(one.until - ONE_DAY)}" if one.until is not None else " on"
    return f"From {day_text(one.since)}{until}"


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def sums_by(
    rows: Iterable[tuple[str, Decimal, Decimal]],
) -> dict[str, tuple[Decimal, Decimal]]:
    """Realized and counted by a name."""
    found: dict[str, tuple[Decimal, Decimal]] = {}
    for name, realized, counted in rows:
        before = found.get(name, (Decimal(0), Decimal(0)))
        found[name] = before[0] + realized, before[1] + counted
    return found
