"""The page that says why: a sentence, the steps from one period to the other, each driver with its parts. Pure."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Final
from urllib.parse import urlencode

from valueplatform.core.periods import ONE_DAY, months_between
from valueplatform.portal.bridge_ref import BridgeRef
from valueplatform.portal.bridge_words import KIND_WORDS, Words, period_name, told
from valueplatform.portal.calling import Place
from valueplatform.portal.chart import CLASS_WORDS, EVIDENCE_WORDS
from valueplatform.portal.exact import exact_text, short_day, short_text
from valueplatform.portal.proof_formula import anchor
from valueplatform.portal.proof_view import STATE_CHIPS
from valueplatform.portal.sentences import proof_path
from valueplatform.portal.view import why as view
from valueplatform.portal.view import words
from valueplatform.portal.view.drawings import ChartView, Column, KeyMark, TableView
from valueplatform.portal.why_chart import waterfall_rows
from valueplatform.portal.why_choices import choices, days_form
from valueplatform.portal.why_cut import CutPage, cut_name
from valueplatform.value.bridge_answer import money_lines
from valueplatform.value.bridge_cells import Kind, Line, added
from valueplatform.value.bridge_cuts import DRIVER, CutRead, cuts_of
from valueplatform.value.bridge_read import BridgeRead, Gap, Standing
from valueplatform.value.model import weakest
from valueplatform.value.states import State, weakest_state
from valueplatform.value.values import is_money

STEPS: Final = 8
"""Bars between the two periods; the smaller ones are put together."""
LONGEST_LABEL: Final = 40
UNCHANGED: Final = 6
NO_VALUE: Final = {
    "null_input": "no event carried a number for it",
    "zero_divisor": "its formula would divide by zero",
    "out_of_range": "its amount would have more digits than amounts have",
    "no_input": "an assumption has no value",
    "mixed_currencies": "its inputs are in several currencies",
}


@dataclass(frozen=True, slots=True)
class Found:
    """What the page shows. `read` is of what counts, `whole` of all that was realized; where nothing counts yet, both
    are the same. `closed` are the months that no longer change, `first` the first day with value."""

    read: BridgeRead
    whole: BridgeRead
    place: Place
    today: date
    closed: frozenset[date]
    first: date | None
    asked: tuple[str, str]
    by_days: bool
    cut: CutRead | None = None


@dataclass(frozen=True, slots=True)
class _Step:
    """One part of one driver, over its providers."""

    driver: str
    kind: Kind
    subject: str
    amount: Decimal


def why_view(found: Found) -> view.Why:
    question, place = found.read.question, found.place
    periods, against = (choices(asked, found.first, found.today) for asked in found.asked)
    shell = {
        "action": place.path("/why"),
        "periods": periods,
        "against": against,
        "days": days_form(question.before, question.after, is_open=found.by_days),
        "by": found.cut.by if found.cut else "",
        "cuts": tuple(_cuts(found)),
    }
    page = _Page(found)
    if not found.whole.lines:
        nothing = (words.Span(f"There is nothing to explain: neither {page.now} nor {page.then} has any value."),)
        empty = "Choose other days above, or read the story."
        if found.first is None:
            empty = "Value begins with the first events that a driver takes; then this page says what changes it."
        return view.Why(
            **shell,  # type: ignore[arg-type]  # the fields above
            headline=words.Sentence("bridge", "bridge", nothing),
            empty=empty,
            links=(words.Link("Read the story", place.path("/story")),),
        )
    cut = CutPage(found.cut, page.money, page.then, page.now) if found.cut else None
    return view.Why(
        **shell,  # type: ignore[arg-type]  # the fields above
        headline=page.headline(),
        lead=tuple(page.lead()),
        notes=(*page.notes(), *(cut.notes() if cut else ())),
        chart=cut.chart() if cut else page.chart(),
        causes=tuple(cut.causes() if cut else page.causes()),
        others=tuple(page.others()),
        unchanged=tuple(page.unchanged()),
        caveats=tuple(page.caveats()),
        links=(
            words.Link("Read the story", place.path("/story")),
            words.Link("See the assumptions", place.path("/assumptions")),
        ),
    )


def _cuts(found: Found) -> Iterator[tuple[str, str, bool]]:
    """What the change may be cut by: text, address, and whether it is cut so."""
    question, now = found.read.question, found.cut.by if found.cut else DRIVER
    days = {
        "first": question.after.start,
        "last": question.after.end - ONE_DAY,
        "against_first": question.before.start,
        "against_last": question.before.end - ONE_DAY,
    }
    if not found.by_days and all(found.asked):
        query = {"period": found.asked[0], "against": found.asked[1]}
    else:
        query = {name: day.isoformat() for name, day in days.items()}
    for by in cuts_of(found.read.model):
        own = query | ({} if by == DRIVER else {"by": by})
        yield cut_name(by), found.place.path(f"/why?{urlencode(own)}"), by == now


@dataclass(frozen=True, slots=True)
class _Group:
    """Lines that are told as one: those of a driver in one unit, or of all drivers (None)."""

    read: BridgeRead
    driver: str | None
    unit: str
    lines: tuple[Line, ...]
    standings: tuple[Standing, ...]

    @property
    def state(self) -> State | None:
        """The weakest state in it; what does not count stays an estimate, whoever validated its inputs."""
        if not self.standings:
            return None
        counts = any(one.counted_before or one.counted_after for one in self.standings)
        return weakest_state([*(one.state for one in self.standings), *([] if counts else [State.ESTIMATED])])

    @property
    def before(self) -> Decimal:
        return added(line.before for line in self.lines)

    @property
    def after(self) -> Decimal:
        return added(line.after for line in self.lines)

    @property
    def change(self) -> Decimal:
        return added(line.change for line in self.lines)


class _Page:
    """One bridge, in words and numbers that open."""

    def __init__(self, found: Found) -> None:
        self.found = found
        self.read = found.read
        self.words = Words(found.read.model, found.read.units)
        question = found.read.question
        self.then, self.now = period_name(question.before, found.today), period_name(question.after, found.today)
        self.money = money_lines(found.read)
        self.unit = found.read.currency
        self.total = self.group(self.read, self.unit, self.money)

    def ref(self, unit: str, driver: str | None = None, read: BridgeRead | None = None) -> str:
        question = (read or self.read).question
        return BridgeRef.of(self.read.account, question, unit, driver).text()

    def number(self, name: str, value: Decimal, of: "_Group", *, signed: bool = True) -> words.NumberView:
        shown = short_text(value if signed else abs(value), of.unit)
        text = f"+{shown}" if signed and value > 0 and name not in {"before", "after"} else shown
        return words.NumberView(
            name=name,
            text=text,
            value=format(value, "f"),
            unit=of.unit,
            state=_standing(of.state, direct=of.driver is not None),
            href=proof_path(self.ref(of.unit, of.driver, of.read), name),
            key=of.driver is None and name == "after",
        )

    def group(self, read: BridgeRead, unit: str, lines: Sequence[Line], driver: str | None = None) -> "_Group":
        keys = dict.fromkeys((line.driver, line.provider, line.unit) for line in lines)
        standings = [read.standings[key] for key in keys if key in read.standings]
        return _Group(read, driver, unit, tuple(lines), tuple(standings))

    # ------------------------------------------------------------ the sentences

    def headline(self) -> words.Sentence:
        """One sentence of at most 14 words, of what counts; where nothing does yet, it is told as an estimate (value
        rule 10)."""
        total = self.total
        before, after, change = total.before, total.after, total.change
        if not self.money:
            spans: tuple[words.Span, ...] = (words.Span(f"Nothing in money differs from {self.then}."),)
            return words.Sentence(self.ref(self.unit), "bridge", spans)
        about = "" if self.read.question.counted else "about "
        start = (words.Span(f"{self.now} brought {about}"), _span(self.number("after", after, total)))
        if not change:
            spans = (*start, words.Span(f", as much as {self.then}."))
        elif not before:
            spans = (*start, words.Span(f"; {self.then} brought nothing."))
        else:
            less = _span(self.number("change", change, total, signed=False))
            spans = (
                *start,
                words.Span(", "),
                less,
                words.Span(f" {'more' if change > 0 else 'less'} than {self.then}."),
            )
        return words.Sentence(self.ref(self.unit), "bridge", spans)

    def lead(self) -> Iterator[words.Span]:
        """The two greatest steps, those first that explain the direction; and what does not count yet."""
        steps = self.steps()
        if steps:
            fell = self.total.change < 0
            leading = sorted(steps[:2], key=lambda step: (step.amount > 0) is fell)
            yield words.Span("The greatest steps: " if len(leading) > 1 else "One step: ")
            for place, step in enumerate(leading):
                if place:
                    yield words.Span(" and ")
                yield words.Span(f"{self._cause_words(step)} (")
                yield _span(self.part(step))
                yield words.Span(")")
            yield words.Span(". ")
        if self.read.question.counted:
            own = added(line.after for line in money_lines(self.found.whole))
            beside = added([own, self.total.after.copy_negate()])
            if beside:
                said = short_text(beside, self.unit)
                yield words.Span(
                    f"{said} of {self.now} does not count yet, since nobody has validated it, and is not in the sum."
                )
            else:
                yield words.Span("All of it is measured or validated.")
        elif self.money:
            yield words.Span("None of it counts yet: a validator on the customer's side settles what it rests on.")

    def _cause_words(self, step: _Step) -> str:
        kind = KIND_WORDS[step.kind].lower()
        name = self.words.driver(step.driver)
        title = name[:1].lower() + name[1:]
        if step.kind is Kind.ASSUMPTION:
            value = self.words.input(step.subject)
            return f"the {value[:1].lower() + value[1:]} in {title}"
        return f"the {kind} of {title}" if step.kind in {Kind.VOLUME, Kind.MIX, Kind.RATE} else f"{title}, {kind}"

    def notes(self) -> Iterator[str]:
        question = self.read.question
        ends = ((self.then, question.before, self.total.before), (self.now, question.after, self.total.after))
        for name, period, value in ends:
            if period.end > self.found.today:
                gone = max((self.found.today - period.start).days + 1, 0)
                yield f"{name} is not over yet: {gone} of its {period.days} days are in it."
            elif value and any(
                month.start not in self.found.closed for month in months_between(period.start, period.end)
            ):
                yield f"{name} is provisional until it is closed."
        ended = max(question.before.end, question.after.end) <= self.found.today
        if ended and question.before.days != question.after.days:
            yield f"{self.now} has {question.after.days} days, {self.then} {question.before.days}; that is volume."
        others = sorted({x.unit for x in self.read.lines if is_money(x.unit, x.benefit_class)} - {self.unit})
        if others:
            yield f"What is priced in {' and '.join(others)} is not in the sum; it stands below."
        if self.read.waits:
            yield "New events have come in; these numbers follow within a minute."

    # ------------------------------------------------------------ the steps

    def steps(self) -> list[_Step]:
        """Every part in money, added up over providers; the greatest first."""
        amounts: defaultdict[tuple[str, Kind, str], list[Decimal]] = defaultdict(list)
        for line in self.money:
            for part in line.parts:
                amounts[line.driver, part.kind, part.subject].append(part.amount)
        steps = [_Step(*key, amount) for key, found in amounts.items() if (amount := added(found))]
        return sorted(steps, key=lambda step: (-abs(step.amount), step.driver, step.kind, step.subject))

    def part(self, step: _Step) -> words.NumberView:
        name = f"{step.kind}:{step.subject}" if step.subject else str(step.kind)
        own = [line for line in self.money if line.driver == step.driver]
        return self.number(name, step.amount, self.group(self.read, self.unit, own, step.driver))

    def chart(self) -> ChartView | None:
        steps = self.steps()
        if not steps:
            return None
        shown, rest = (steps, []) if len(steps) <= STEPS else (steps[: STEPS - 1], steps[STEPS - 1 :])
        shown = sorted(shown, key=lambda step: (step.amount < 0, -abs(step.amount)))
        before, after = self.total.before, self.total.after
        bars = [(self._label(step), step.amount) for step in shown]
        if rest:
            bars.append((f"{len(rest)} smaller steps", added(step.amount for step in rest)))
        change = short_text(abs(after - before), self.unit)
        text = f"From {short_text(before, self.unit)} in {self.then} to {short_text(after, self.unit)} in {self.now}"
        return ChartView(
            id="fig-waterfall",
            name="waterfall",
            description=f"{text}: {len(bars)} steps add up to {change} {'more' if after >= before else 'less'}.",
            datasets={"rows": waterfall_rows(self.then, before, bars, self.now, after, self.unit)},
            params={},
            keys=tuple(_keys([amount for _, amount in bars])),
            tables=(self._all_steps(steps, before, after), self._by_class()),
        )

    def _label(self, step: _Step) -> str:
        title = self.words.driver(step.driver)
        kind = self.words.input(step.subject) if step.kind is Kind.ASSUMPTION else KIND_WORDS[step.kind]
        label = f"{title}: {kind[:1].lower() + kind[1:]}"
        if len(label) <= LONGEST_LABEL:
            return label
        room = max(12, LONGEST_LABEL - len(kind) - 3)
        short = title if len(title) <= room else f"{title[: room - 1].rstrip()}…"
        label = f"{short}: {kind[:1].lower() + kind[1:]}"
        return label if len(label) <= LONGEST_LABEL else f"{label[: LONGEST_LABEL - 1]}…"

    def _all_steps(self, steps: Sequence[_Step], before: Decimal, after: Decimal) -> TableView:
        """Everything that the chart says, to the last digit."""
        rows: list[tuple[words.Span, ...]] = [
            (words.Span(self.then), words.Span(""), words.Span(_exact(before, self.unit)))
        ]
        for step in steps:
            subject = f", {self.words.input(step.subject)}" if step.subject else ""
            number = self.part(step)
            text = f"{'+' if step.amount > 0 else ''}{_exact(step.amount, self.unit)}"
            exact = words.NumberView(number.name, text, number.value, number.unit, number.state, number.href)
            rows.append(
                (
                    words.Span(self.words.driver(step.driver)),
                    words.Span(f"{KIND_WORDS[step.kind]}{subject}"),
                    _span(exact),
                )
            )
        columns = (Column("Driver"), Column("Part"), Column("Amount", numeric=True))
        foot = (words.Span(self.now), words.Span(""), words.Span(_exact(after, self.unit)))
        return TableView(f"Steps from {self.then} to {self.now}", columns, tuple(rows), foot)

    def _by_class(self) -> TableView:
        """Value of several classes is never one undivided total (value rule 4)."""
        rows = []
        for name in sorted({line.benefit_class for line in self.money}):
            own = [line for line in self.money if line.benefit_class == name]
            before, after, change = (added(getattr(line, end) for line in own) for end in ("before", "after", "change"))
            cells = (_exact(before, self.unit), _exact(after, self.unit), _exact(change, self.unit))
            rows.append((words.Span(CLASS_WORDS.get(name, name.capitalize())), *map(words.Span, cells)))
        columns = (Column("Benefit class"), *(Column(text, numeric=True) for text in (self.then, self.now, "Change")))
        return TableView("Change by benefit class", columns, tuple(rows))

    # ------------------------------------------------------------ driver by driver

    def causes(self) -> Iterator[view.Cause]:
        """The drivers of the sum, the greatest change first."""
        for group in self._groups(self.read, self.money):
            yield self._cause(group)

    def others(self) -> Iterator[view.Cause]:
        """What is not in the sum: in units of its own, or not counted yet."""
        inside = {
            (group.driver, group.unit): (group.before, group.after) for group in self._groups(self.read, self.money)
        }
        for group in self._groups(self.found.whole, self.found.whole.lines):
            if inside.get((group.driver, group.unit)) != (group.before, group.after):
                yield self._cause(group)

    def _groups(self, read: BridgeRead, lines: Sequence[Line]) -> list["_Group"]:
        found: defaultdict[tuple[str, str], list[Line]] = defaultdict(list)
        for line in lines:
            found[line.driver, line.unit].append(line)
        groups = [self.group(read, unit, own, driver) for (driver, unit), own in found.items()]
        moved = [group for group in groups if any(line.parts for line in group.lines)]
        return sorted(moved, key=lambda group: (-abs(group.change), group.driver or "", group.unit))

    def _cause(self, group: "_Group") -> view.Cause:
        driver, state = group.driver or "", group.state
        evidence = EVIDENCE_WORDS[weakest([one.evidence for one in group.standings])] if group.standings else ""
        classes = " and ".join(
            dict.fromkeys(CLASS_WORDS.get(line.benefit_class, line.benefit_class) for line in group.lines)
        )
        spans = (
            words.Span("It brought "),
            _span(self.number("after", group.after, group)),
            words.Span(f" in {self.now}, after "),
            _span(self.number("before", group.before, group)),
            words.Span(f" in {self.then}."),
        )
        return view.Cause(
            id=anchor("d", f"{driver}-{group.unit}{'' if group.read is self.read else '-all'}"),
            title=self.words.driver(driver),
            meta=", ".join(part for part in (classes, evidence) if part),
            chip=STATE_CHIPS[state.value] if state is not None and state is not State.VALIDATED else None,
            number=self.number("change", group.change, group),
            sentence=words.Sentence(self.ref(group.unit, driver, group.read), "bridge", spans),
            rows=tuple(self._rows(group)),
        )

    def _rows(self, group: "_Group") -> Iterator[view.CauseRow]:
        known = told(group.lines)
        found = {(part.kind, part.subject): part.order for line in group.lines for part in line.parts}
        for kind, subject in sorted(found, key=lambda key: found[key]):
            amount = added(line.amount(kind, subject) for line in group.lines)
            if amount:
                name = f"{kind}:{subject}" if subject else str(kind)
                text = self.words.cause(kind, subject, known, self.then, self.now)
                yield view.CauseRow(KIND_WORDS[kind], text, self.number(name, amount, group))

    # ------------------------------------------------------------ what is not it, and what nobody knows

    def unchanged(self) -> Iterator[words.Fact]:
        """Inputs that held throughout, and drivers that brought as much as before."""
        inputs: dict[str, set[tuple[Fraction, Fraction]]] = {}
        moved = {part.subject for line in self.found.whole.lines for part in line.parts if part.kind is Kind.ASSUMPTION}
        for line in self.read.lines:
            for slug, pair in (line.inputs or {}).items():
                inputs.setdefault(slug, set()).add(pair)
        still = [
            words.Fact(self.words.input(slug), f"still {self.words.input_value(slug, next(iter(pairs))[0])}")
            for slug, pairs in sorted(inputs.items())
            if slug not in moved and len(pairs) == 1
        ]
        kinds = {part.kind for line in self.read.lines for part in line.parts}
        if Kind.MIX not in kinds:
            still.append(words.Fact("Mix", "no part of it"))
        if Kind.ADJUSTED not in kinds:
            still.append(words.Fact("Adjustments", "none"))
        yield from still[:UNCHANGED]

    def caveats(self) -> Iterator[words.Note]:
        for gap in self.read.gaps:
            yield words.Note(
                "caveat", f"{self._gap_days(gap)}, {self.words.driver(gap.driver)}.", (words.Span(_reason(gap)),)
            )

    def _gap_days(self, gap: Gap) -> str:
        first, last = short_day(gap.first, self.found.today), short_day(gap.last, self.found.today)
        return first if gap.first == gap.last else f"{first} to {last}"


def _reason(gap: Gap) -> str:
    code = gap.reason.partition(":")[0]
    days = f"{gap.days} days have" if gap.days != 1 else "This day has"
    return f"{days} no amount: {NO_VALUE.get(code, 'the formula gives none')}. They are in neither end."


def _keys(amounts: Sequence[Decimal]) -> Iterator[tuple[KeyMark, str]]:
    if any(amount > 0 for amount in amounts):
        yield "bar", "Added"
    if any(amount < 0 for amount in amounts):
        yield "riskbar", "Taken away"
    yield "dot", "Realized"


def _span(number: words.NumberView) -> words.Span:
    return words.Span(number.text, number)


def _standing(state: State | None, *, direct: bool) -> words.NumberState:
    """A total inherits a question; a driver's own number is multiplied by what is questioned."""
    if state is State.UNDER_REVIEW:
        return "under-review" if direct else "touched"
    states: Mapping[State | None, words.NumberState] = {State.PROPOSED: "proposed", State.ESTIMATED: "estimated"}
    return states.get(state, "validated")


def _exact(amount: Decimal, unit: str) -> str:
    return exact_text(amount, unit)
