"""What the catalog suggests, as the supplier's people see it: a list by what speaks for it, and one opened. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final
from urllib.parse import urlencode

from valueplatform.portal.exact import count_text, moment_text
from valueplatform.portal.view import proposals as view
from valueplatform.portal.view.steward import Filter
from valueplatform.portal.view.words import Chip, Fact, Link
from valueplatform.telemetry.meters import Meter
from valueplatform.value.discovery import Evidence, Finding, Outcome, Parts, Proposed, Relation
from valueplatform.value.discovery_accepting import WORKER
from valueplatform.value.discovery_says import number, percent, sentences
from valueplatform.value.discovery_store import Act, Decision, Kept, State
from valueplatform.value.model import Assumption, Baseline, Definition, Driver
from valueplatform.value.model_versions import Change
from valueplatform.value.ranges import Range

PATH: Final = "/catalog/proposals"
BACK: Final = Link("Catalog", "/catalog")
_BACK_TO_ALL: Final = Link("All proposals", PATH)


class Shown(StrEnum):
    OPEN = "open"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


_SHOWN: Final = {
    State.OPEN: Shown.OPEN,
    State.ACCEPTED: Shown.ACCEPTED,
    State.IN_FORCE: Shown.ACCEPTED,
    State.WITHDRAWING: Shown.ACCEPTED,
    State.REJECTED: Shown.REJECTED,
    State.WITHDRAWN: Shown.REJECTED,
}
_FILTERS: Final = {Shown.OPEN: "Open", Shown.ACCEPTED: "Accepted", Shown.REJECTED: "Rejected or taken out"}
_EMPTY: Final = {
    Shown.OPEN: "Nothing is proposed. Proposals are made after the catalog is counted, about a minute after events "
    "come in that no meter reads.",
    Shown.ACCEPTED: "Nothing has been accepted yet.",
    Shown.REJECTED: "Nothing has been rejected.",
}
_CHIPS: Final = {
    State.OPEN: Chip("proposed", "Open"),
    State.ACCEPTED: Chip("predicted", "Being counted"),
    State.IN_FORCE: Chip("on", "In the model"),
    State.REJECTED: Chip("nodata", "Rejected"),
    State.WITHDRAWING: Chip("predicted", "Being taken out"),
    State.WITHDRAWN: Chip("nodata", "Taken out"),
}
_KINDS: Final = {
    Proposed.METER: "Meter",
    Proposed.DRIVER: "Driver",
    Proposed.BASELINE: "Baseline",
    Proposed.ASSUMPTION: "Assumption",
}
_ACTS: Final = {
    Act.SUGGESTED: "suggested it",
    Act.ACCEPTED: "accepted it",
    Act.APPLIED: "put it in force",
    Act.REFUSED: "could not put it in force",
    Act.REJECTED: "rejected it",
    Act.WITHDRAWING: "asked to take it out",
    Act.WITHDRAWN: "took it out",
    Act.KEPT: "could not take it out",
}
_OUTCOMES: Final = {Outcome.RENEWAL: "Renewals", Outcome.EXPANSION: "Expansions"}
_FINDINGS: Final = {
    Finding.MORE: "Used more",
    Finding.LESS: "Used less",
    Finding.NOT_CLEAR: "No clear difference",
    Finding.TOO_FEW: "Too few accounts",
}
_LEAST_P: Final = Decimal("0.0001")
_STABILITY: Final = (
    "How far weeks usually lie from their median: the median absolute deviation times 1.4826, over the median "
    "(Rousseeuw and Croux, 1993)."
)
_RELATION: Final = (
    "Events in the 13 weeks before an account renewed or let go, and before it expanded; an account that did not "
    "expand is looked at before the median day of those that did. Compared by the test of Mann and Whitney (1947); the "
    "difference of the shares that used it has Newcombe's (1998) interval. Told is what holds at a false discovery "
    "rate of 5% among all comparisons (Benjamini and Hochberg, 1995). What goes with an outcome need not bring it "
    "about: accounts differ in other ways too, their size among them."
)
_COHORT: Final = (
    "The median of the accounts with the interval of the sign test (Hollander and Wolfe, 1999); of five accounts at "
    "least, none of them more than half of the total."
)
_LIKENESS: Final = "Rank correlation of how daily volumes changed against the week before: Spearman, 1904."


@dataclass(frozen=True, slots=True)
class Rights:
    may_accept: bool
    may_suggest: bool


def proposals_view(kept: Sequence[Kept], shown: Shown, timezone: str) -> view.Proposals:
    held = {one: [each for each in kept if _SHOWN[each.state] is one] for one in Shown}
    return view.Proposals(
        headline=_headline(held[Shown.OPEN]),
        lead=_lead(kept, timezone),
        back=BACK,
        filters=tuple(
            Filter(text, f"{PATH}?{urlencode({'show': one.value})}", len(held[one]), current=one is shown)
            for one, text in _FILTERS.items()
        ),
        rows=tuple(_row(one) for one in held[shown]),
        empty=_EMPTY[shown],
    )


def _headline(kept: Sequence[Kept]) -> str:
    if not kept:
        return "Nothing is proposed for the value model."
    told = sum(any(one.finding is Finding.MORE for one in each.proposal.evidence.relations) for each in kept)
    many = "proposal" if len(kept) == 1 else "proposals"
    first = f"{count_text(len(kept)).capitalize()} {many} for the value model"
    if not told:
        return f"{first}."
    rests = "rests" if told == 1 else "rest"
    return f"{first}; {count_text(told)} {rests} on events that go with renewals or expansions."


def _lead(kept: Sequence[Kept], timezone: str) -> str:
    says = "Made from what accounts send and what they agreed to. A person decides; nothing is in the model before."
    if not kept:
        return says
    newest = max(one.as_of for one in kept)
    return f"{says} As of {moment_text(newest, timezone)} ({timezone})."


def _row(kept: Kept) -> view.ProposalRow:
    one = kept.proposal
    return view.ProposalRow(
        title=Link(one.title, path_of(kept.id)),
        what=_KINDS[one.kind],
        place=_place(one.type, one.path) or one.slug,
        speaks=_speaks(kept),
        chip=_CHIPS[kept.state],
    )


def _speaks(kept: Kept) -> str:
    """What is told of an outcome, else the first that is known."""
    said = sentences(kept.proposal)
    evidence = kept.proposal.evidence
    if evidence.worth is None:
        told = [one for one in evidence.relations if one.finding in {Finding.MORE, Finding.LESS}]
        if told:
            did = "renewed" if told[0].outcome is Outcome.RENEWAL else "expanded"
            more = "more" if told[0].finding is Finding.MORE else "less"
            return f"Accounts that {did} used it {more}: {_pair(told[0])} events a week."
    return said[0] if said else kept.proposal.why


def _pair(one: Relation) -> str:
    return f"{number(one.median_having)} against {number(one.median_lacking)}"


def path_of(proposal_id: str) -> str:
    return f"{PATH}/{proposal_id}"


def _place(kind: str, path: str) -> str:
    return f"{kind}, {path}" if path else kind


def opened_view(
    kept: Kept,
    parts: Parts,
    changes: Sequence[Change],
    *,
    error: str,
    given: Mapping[str, str],
    rights: Rights,
    timezone: str,
) -> view.Opened:
    """`parts` as accepted, or as the form has them; `given` is what the form said."""
    one, here = kept.proposal, path_of(kept.id)
    is_open, busy = kept.state is State.OPEN, kept.state in {State.ACCEPTED, State.WITHDRAWING}
    may_accept = is_open and rights.may_accept
    return view.Opened(
        id=kept.id,
        headline=f"{_KINDS[one.kind]}: {one.title}",
        lead=f"{one.why} {_seen(kept, timezone)}",
        back=_BACK_TO_ALL,
        chip=_CHIPS[kept.state],
        progress=_progress(kept),
        says=tuple(sentences(one)),
        tables=_tables(one.evidence),
        changes=_changes(parts, changes),
        error=error,
        fields=_fields(kept, parts, given) if may_accept else (),
        steps=tuple(_step(each, timezone) for each in reversed(kept.decisions)),
        method=_method(one.evidence),
        here=here,
        state_href=f"{here}/state" if busy else "",
        preview=here if may_accept else "",
        accept=f"{here}/accept" if may_accept else "",
        reject=f"{here}/reject" if may_accept else "",
        suggest=f"{here}/suggest" if is_open and rights.may_suggest and not rights.may_accept else "",
        withdraw=f"{here}/withdraw" if kept.state is State.IN_FORCE and rights.may_accept else "",
    )


def _seen(kept: Kept, timezone: str) -> str:
    when = moment_text(kept.as_of, timezone)
    return f"Looked at {when} ({timezone})." if kept.found else f"No longer found; last seen {when} ({timezone})."


def _progress(kept: Kept) -> str:
    if kept.state not in {State.ACCEPTED, State.WITHDRAWING}:
        return ""
    if kept.state is State.WITHDRAWING:
        return "It is being taken out of the model."
    if kept.counted is None or not kept.total:
        return "The worker is about to count the events that are there already."
    share = min(100, kept.counted * 100 // kept.total)
    return f"{kept.counted:,} of {kept.total:,} events that were there already are counted: {share}%."


def _tables(evidence: Evidence) -> tuple[view.Table, ...]:
    found = []
    if evidence.coverage is not None:
        seen = evidence.coverage
        cells = (f"{seen.accounts:,}", f"{seen.of:,}", percent(seen.days), f"{seen.events:,}")
        names = ("", "Sent by", "Accounts that send", "Days, median", "Events")
        found.append(view.Table("Coverage", names, (view.Counted("Last 13 weeks", cells),)))
    if evidence.stability is not None:
        steady = evidence.stability
        variation = percent(steady.variation) if steady.variation is not None else "Too few weeks"
        row = view.Counted("Weekly volume", (f"{steady.weeks}", number(steady.median), variation))
        found.append(view.Table("Stability", ("", "Whole weeks", "Median", "Usual distance"), (row,)))
    if evidence.relations:
        found.append(_relations(evidence.relations))
    return tuple(found)


def _relations(relations: Sequence[Relation]) -> view.Table:
    """Those with an outcome beside those without it; where nothing was compared, how many there are."""
    title = "Renewal and expansion, last 12 months"
    if all(one.finding is Finding.TOO_FEW for one in relations):
        counted = tuple(row for one in relations for row in _counted(one))
        return view.Table(title, ("", "Accounts", "Finding"), counted)
    heads = ("", "Accounts", "Finding", "Used it", "Events a week, median", "Difference of shares", "Chance (p)")
    return view.Table(title, heads, tuple(row for one in relations for row in _compared(one)))


def _counted(one: Relation) -> tuple[view.Counted, view.Counted]:
    without = "Let go" if one.outcome is Outcome.RENEWAL else "Did not expand"
    told = (f"{one.having:,}", _FINDINGS[one.finding])
    return view.Counted(_OUTCOMES[one.outcome], told), view.Counted(without, (f"{one.lacking:,}", ""))


def _compared(one: Relation) -> tuple[view.Counted, view.Counted]:
    having, lacking = _counted(one)
    if one.difference is None or one.low is None or one.high is None or one.p_value is None:
        none = ("", "", "", "")
        return view.Counted(having.name, (*having.cells, *none)), view.Counted(lacking.name, (*lacking.cells, *none))
    spread = f"{_points(one.difference)} ({_points(one.low)} to {_points(one.high)})"
    chance = f"{one.p_value:.4f}" if one.p_value >= _LEAST_P else "under 0.0001"
    own = (f"{one.used_having:,}", number(one.median_having), spread, chance)
    other = (f"{one.used_lacking:,}", number(one.median_lacking), "", "")
    return view.Counted(having.name, (*having.cells, *own)), view.Counted(lacking.name, (*lacking.cells, *other))


def _points(share: Decimal) -> str:
    return f"{share * 100:+.0f} points"


def _changes(parts: Parts, changes: Sequence[Change]) -> tuple[Fact, ...]:
    """Each definition that is new, or what changes in it."""
    held = {(kind, one.slug): one for kind, one in parts.all}
    found = []
    for change in changes:
        name = f"{'New' if change.action == 'added' else 'Changed'} {change.kind} {change.slug}"
        one = held.get((change.kind, change.slug))
        if change.action == "added" and one is not None:
            found.append(Fact(name, described(one)))
        else:
            fields = "; ".join(f"{each.field}: {_plain(each.before)} → {_plain(each.after)}" for each in change.fields)
            found.append(Fact(name, fields))
    return tuple(found)


def described(one: Definition) -> str:
    """A definition in a line, as a model file would say it."""
    match one:
        case Meter():
            read = f"{one.aggregation} of {one.property}" if one.property else "COUNT of events"
            by = f", by {', '.join(one.dimensions)}" if one.dimensions else ""
            unit = f", in {one.unit}" if one.unit else ""
            return f"{read} in {', '.join(one.event_types)}{by}{unit}"
        case Driver():
            pool = f", pool {one.pool}" if one.pool else ""
            return f"{one.formula}, in {one.unit}, {one.benefit_class}, {one.evidence}{pool}"
        case Baseline() | Assumption():
            return f"{_range(one.default)} {one.unit}"
        case _:
            return one.label


def _range(value: Range | None) -> str:
    return "no value for all" if value is None else f"{value.low} / {value.expected} / {value.high}"


def _plain(value: object) -> str:
    if value is None or value == []:
        return "nothing"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_plain(each)}" for name, each in value.items() if each is not None)
    if isinstance(value, list):
        return "; ".join(_plain(each) for each in value)
    return str(value)


def _fields(kept: Kept, parts: Parts, given: Mapping[str, str]) -> tuple[view.Field, ...]:
    """What may be edited: the words of all, the formula of a driver, the value of an input."""
    _, main = parts.all[-1]
    label = (main.title or main.slug) if isinstance(main, Meter) else main.label
    found = [view.Field("title", "Title", given.get("title", label))]
    if isinstance(main, Meter | Driver):
        found.append(view.Field("slug", "Name in the model", given.get("slug", main.slug)))
    if isinstance(main, Driver):
        found.append(view.Field("formula", "Formula", given.get("formula", main.formula), wide=True))
    if isinstance(main, Baseline | Assumption):
        cohort = kept.proposal.evidence.cohort
        value = main.for_segment(cohort.segment if cohort else None)
        for name in ("low", "expected", "high") if value is not None else ():
            shown = given.get(name, f"{getattr(value, name):f}")
            found.append(view.Field(name, f"{name.capitalize()}, {main.unit}", shown))
    return tuple(found)


def _step(one: Decision, timezone: str) -> view.Step:
    who = "The platform" if one.author == WORKER else one.author
    revision = f" as revision {one.revision}" if one.revision is not None else ""
    return view.Step(who, _moment(one.at, timezone), f"{_ACTS[one.action]}{revision}", one.reason)


def _moment(at: datetime, timezone: str) -> str:
    return moment_text(at, timezone)


def _method(evidence: Evidence) -> tuple[str, ...]:
    return (
        *((_STABILITY,) if evidence.stability else ()),
        *((_RELATION,) if evidence.relations else ()),
        *((_COHORT,) if evidence.cohort else ()),
        *((_LIKENESS,) if evidence.likeness and evidence.likeness.type else ()),
    )
