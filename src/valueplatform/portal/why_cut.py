"""Why value changed, cut by provider, benefit class or a dimension: a bar for each member, all of which open. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from valueplatform.portal.bridge_words import KIND_WORDS, Words
from valueplatform.portal.chart import CLASS_WORDS
from valueplatform.portal.cut_ref import CutRef
from valueplatform.portal.exact import exact_text, short_text
from valueplatform.portal.proof_formula import anchor
from valueplatform.portal.proof_view import STATE_CHIPS
from valueplatform.portal.sentences import proof_path
from valueplatform.portal.view import why as view
from valueplatform.portal.view import words
from valueplatform.portal.view.drawings import ChartView, Column, KeyMark, TableView
from valueplatform.portal.why_chart import waterfall_rows
from valueplatform.value.bridge_cells import Kind, Line, added
from valueplatform.value.bridge_cuts import DRIVER, CutRead
from valueplatform.value.bridge_read import BridgeRead
from valueplatform.value.model import SUPPLIER, ValueModel
from valueplatform.value.states import State, weakest_state

BARS: Final = 10
"""Members between the two periods; the smaller ones are put together."""
LONGEST: Final = 40
PART_WORDS: Final[Mapping[Kind, str]] = {
    Kind.VOLUME: "More or less was metered",
    Kind.MIX: "Divided otherwise over members, providers or days",
    Kind.RATE: "What is metered beside the volume, per unit of it",
    Kind.ASSUMPTION: "Assumptions, baselines or the formula changed",
    Kind.NEW: "Had no value before",
    Kind.LOST: "Has no value now",
    Kind.ADJUSTED: "Adjustments of days outside the periods that are shown in them",
}
_NAMES: Final = {DRIVER: "Driver", "provider": "Provider", "benefit_class": "Benefit class"}


def cut_name(by: str) -> str:
    return _NAMES.get(by, by.replace("_", " ").replace(".", " ").capitalize())


def member_name(by: str, member: str | None, model: ValueModel) -> str:
    """As people know it; events that carry none, and adjustments, which are kept by driver alone, have no name."""
    if member is None or not member.strip():
        return f"No {cut_name(by).lower()} told"
    if by == "provider":
        return model.supplier.name if member == SUPPLIER else member.replace("-", " ").capitalize()
    if by == "benefit_class":
        return CLASS_WORDS.get(member, member.capitalize())
    feature = model.feature(member) if by == "feature" else None
    return feature.label if feature is not None else member


@dataclass(frozen=True, slots=True)
class _Member:
    name: str
    member: str | None
    lines: Sequence[Line]

    def sum(self, end: str) -> Decimal:
        return added(getattr(line, end) for line in self.lines)


def standing_of(read: BridgeRead, lines: Sequence[Line]) -> State | None:
    keys = dict.fromkeys((line.driver, line.provider, line.unit) for line in lines)
    states = [read.standings[key].state for key in keys if key in read.standings]
    return weakest_state(states) if states else None


class CutPage:
    """`whole` are all lines of the sum, of which the cut divides some; `then` and `now` name the periods."""

    def __init__(self, cut: CutRead, whole: Sequence[Line], then: str, now: str) -> None:
        self.cut, self.whole, self.then, self.now = cut, whole, then, now
        self.unit = cut.read.currency
        self.words = Words(cut.read.model, cut.read.units)
        found = [_Member(member_name(cut.by, one, cut.read.model), one, cut.of(one)) for one in cut.members()]
        self.members = sorted(found, key=lambda one: (-abs(one.sum("change")), one.name))
        self.rest = added([*(line.change for line in whole), *(line.change.copy_negate() for line in cut.lines)])

    def number(self, one: _Member, name: str, value: Decimal) -> words.NumberView:
        shown = short_text(value, self.unit)
        text = f"+{shown}" if value > 0 and name not in {"before", "after"} else shown
        state = standing_of(self.cut.read, one.lines)
        standing: words.NumberState = "validated"
        if state in {State.UNDER_REVIEW, State.PROPOSED, State.ESTIMATED}:
            standing = (
                "touched" if state is State.UNDER_REVIEW else "proposed" if state is State.PROPOSED else "estimated"
            )
        ref = CutRef.of(self.cut.read.account, self.cut.read.question, self.cut.by, one.member).text()
        return words.NumberView(name, text, format(value, "f"), self.unit, standing, proof_path(ref, name))

    def chart(self) -> ChartView | None:
        moved = [one for one in self.members if one.sum("change")]
        if not moved and not self.rest:
            return None
        shown, small = (moved, []) if len(moved) <= BARS else (moved[: BARS - 1], moved[BARS - 1 :])
        shown = sorted(shown, key=lambda one: (one.sum("change") < 0, -abs(one.sum("change"))))
        bars = [(_short(one.name), one.sum("change")) for one in shown]
        if small and (amount := added(one.sum("change") for one in small)):
            bars.append((f"{len(small)} smaller ones", amount))
        if self.rest:
            bars.append((self.undivided, self.rest))
        before, after = (added(getattr(line, end) for line in self.whole) for end in ("before", "after"))
        by = cut_name(self.cut.by).lower()
        text = f"From {short_text(before, self.unit)} in {self.then} to {short_text(after, self.unit)} in {self.now}"
        return ChartView(
            id="fig-waterfall",
            name="waterfall",
            description=f"{text}, by {by}: {len(bars)} steps.",
            datasets={"rows": waterfall_rows(self.then, before, bars, self.now, after, self.unit)},
            params={},
            keys=tuple(_keys([amount for _, amount in bars])),
            tables=(self._table(),),
        )

    @property
    def undivided(self) -> str:
        return f"Not by {cut_name(self.cut.by).lower()}"

    def _table(self) -> TableView:
        columns = (
            Column(cut_name(self.cut.by)),
            Column(self.then, numeric=True),
            Column(self.now, numeric=True),
            Column("Change", numeric=True),
        )
        rows = [
            (words.Span(one.name), *(self._exact(one, end) for end in ("before", "after", "change")))
            for one in self.members
        ]
        others = [line for line in self.whole if line.driver in self._left()]
        if others:
            sums = (added(getattr(line, end) for line in others) for end in ("before", "after", "change"))
            rows.append((words.Span(self.undivided), *(words.Span(exact_text(one, self.unit)) for one in sums)))
        foot = [added(getattr(line, end) for line in self.whole) for end in ("before", "after", "change")]
        return TableView(
            f"Value by {cut_name(self.cut.by).lower()}",
            columns,
            tuple(rows),
            (words.Span("All"), *(words.Span(exact_text(one, self.unit)) for one in foot)),
        )

    def _left(self) -> set[str]:
        return {line.driver for line in self.whole} - {line.driver for line in self.cut.lines}

    def _exact(self, one: _Member, end: str) -> words.Span:
        number = self.number(one, end, one.sum(end))
        text = exact_text(one.sum(end), self.unit)
        said = words.NumberView(number.name, text, number.value, number.unit, number.state, number.href)
        return words.Span(text, said)

    def causes(self) -> Iterator[view.Cause]:
        """One of each member that changed, the greatest first, with the parts that add up to it."""
        for one in self.members:
            if any(line.parts for line in one.lines):
                yield self._cause(one)

    def _cause(self, one: _Member) -> view.Cause:
        state = standing_of(self.cut.read, one.lines)
        before, after = (self.number(one, end, one.sum(end)) for end in ("before", "after"))
        spans = (
            words.Span("It brought "),
            words.Span(after.text, after),
            words.Span(f" in {self.now}, after "),
            words.Span(before.text, before),
            words.Span(f" in {self.then}."),
        )
        drivers = dict.fromkeys(self.words.driver(line.driver) for line in one.lines)
        ref = CutRef.of(self.cut.read.account, self.cut.read.question, self.cut.by, one.member).text()
        return view.Cause(
            id=anchor("m", f"{self.cut.by}-{one.member if one.member is not None else chr(0)}"),
            title=one.name,
            meta=", ".join(drivers),
            chip=STATE_CHIPS[state.value] if state is not None and state is not State.VALIDATED else None,
            number=self.number(one, "change", one.sum("change")),
            sentence=words.Sentence(ref, "bridge", spans),
            rows=tuple(self._rows(one)),
        )

    def _rows(self, one: _Member) -> Iterator[view.CauseRow]:
        for kind in Kind:
            amount = added(line.amount(kind) for line in one.lines)
            if amount:
                yield view.CauseRow(KIND_WORDS[kind], PART_WORDS[kind], self.number(one, str(kind), amount))

    def notes(self) -> Iterator[str]:
        left = sorted(self.words.driver(slug) for slug in self._left())
        if left:
            by = cut_name(self.cut.by).lower()
            yield f"Not divided by {by}, since what they read is not kept by it or does not add: {', '.join(left)}."


def _short(name: str) -> str:
    return name if len(name) <= LONGEST else f"{name[: LONGEST - 1].rstrip()}…"


def _keys(amounts: Sequence[Decimal]) -> Iterator[tuple[KeyMark, str]]:
    if any(amount > 0 for amount in amounts):
        yield "bar", "Added"
    if any(amount < 0 for amount in amounts):
        yield "riskbar", "Taken away"
    yield "dot", "Realized"
