"""The page that says why: a sentence, the steps from one period to the other, each driver with its parts. Pure."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Final

from valueplatform.core.periods import months_between
from valueplatform.narrative.wording.numbers import MINUS
from valueplatform.portal.bridge_ref import BridgeRef
from valueplatform.portal.bridge_words import KIND_WORDS, Told, Words, period_name, told
from valueplatform.portal.calling import Place
from valueplatform.portal.chart import CLASS_WORDS, EVIDENCE_WORDS
from valueplatform.portal.exact import exact_text, short_day, short_text
from valueplatform.portal.proof_formula import anchor
from valueplatform.portal.proof_view import STATE_CHIPS
from valueplatform.portal.sentences import proof_path
from valueplatform.portal.view import why as view
from valueplatform.portal.view import words
from valueplatform.portal.view.drawings import ChartView, Column, TableView
from valueplatform.portal.why_choices import choices, days_form
from valueplatform.value.bridge import Kind, Line, added
from valueplatform.value.bridge_answer import money_lines
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
    """What the page shows. `closed` are the months that no longer change, `first` the first day with value."""

    read: BridgeRead
    place: Place
    today: date
    closed: frozenset[date]
    first: date | None
    asked: tuple[str, str]
    by_days: bool


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
    }
    page = _Page(found)
    if not found.read.lines:
        nothing = (words.Span(f"There is nothing to explain: neither {page.now} nor {page.then} has any value."),)
        empty = "Choose other days above, or read the story."
        if found.first is None:
            empty = "Value begins with the first events that a driver takes; then this page says what changes it."
        return view.Why(
            **shell,  # type: ignore[arg-type]  # the four fields above
            headline=words.Sentence("bridge", "bridge", nothing),
            empty=empty,
            links=(words.Link("Read the story", place.path("/story")),),
        )
    return view.Why(
        **shell,  # type: ignore[arg-type]  # the four fields above
        headline=page.headline(),
        lead=tuple(page.lead()),
        notes=tuple(page.notes()),
        chart=page.chart(),
        causes=tuple(page.causes(money=True)),
        others=tuple(page.causes(money=False)),
        unchanged=tuple(page.unchanged()),
        caveats=tuple(page.caveats()),
        links=(
            words.Link("Read the story", place.path("/story")),
            words.Link("See the assumptions", place.path("/assumptions")),
        ),
    )


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

    def ref(self, unit: str, driver: str | None = None) -> str:
        question = self.read.question
        return BridgeRef.of(self.read.account, question.before, question.after, unit, driver).text()

    def number(
        self,
        name: str,
        value: Decimal,
        unit: str,
        state: State | None,
        *,
        driver: str | None = None,
        signed: bool = True,
    ) -> words.NumberView:
        shown = short_text(abs(value) if not signed else value, unit)
        text = f"+{shown}" if signed and value > 0 and name not in {"before", "after"} else shown
        return words.NumberView(
            name=name,
            text=text,
            value=format(value, "f"),
            unit=unit,
            state=_standing(state, direct=driver is not None),
            href=proof_path(self.ref(unit, driver), name),
            key=driver is None and name == "after",
        )

    def state(self, lines: Sequence[Line]) -> State | None:
        found = [one.state for one in self.standings(lines)]
        return weakest_state(found) if found else None

    def standings(self, lines: Sequence[Line]) -> list[Standing]:
        keys = dict.fromkeys((line.driver, line.provider, line.unit) for line in lines)
        return [self.read.standings[key] for key in keys if key in self.read.standings]

    # ------------------------------------------------------------ the sentences

    def headline(self) -> words.Sentence:
        """One sentence of at most 14 words; "about" where nothing of it is validated yet (value rule 10)."""
        before, after = (added(getattr(line, end) for line in self.money) for end in ("before", "after"))
        change, state = added([after, before.copy_negate()]), self.state(self.money)
        if not self.money:
            spans: tuple[words.Span, ...] = (words.Span(f"Nothing that is counted in money differs from {self.then}."),)
            return words.Sentence(self.ref(self.unit), "bridge", spans)
        counted = added(one.counted_after for one in self.standings(self.money))
        about = "about " if after and not counted else ""
        brought = _span(self.number("after", after, self.unit, state))
        if not change:
            spans = (words.Span(f"{self.now} brought {about}"), brought, words.Span(f", as much as {self.then}."))
        else:
            less = _span(self.number("change", change, self.unit, state, signed=False))
            than = f" {'more' if change > 0 else 'less'} than {self.then}."
            spans = (words.Span(f"{self.now} brought {about}"), brought, words.Span(", "), less, words.Span(than))
        return words.Sentence(self.ref(self.unit), "bridge", spans)

    def lead(self) -> Iterator[words.Span]:
        """The two greatest causes, bad news first, and how much of it counts."""
        steps = self.steps()
        if steps:
            fall = added(line.change for line in self.money) < 0
            leading = sorted(steps, key=lambda s: ((s.amount > 0) if fall else (s.amount < 0), -abs(s.amount)))[:2]
            yield words.Span("Most of it is ")
            for place, step in enumerate(leading):
                if place:
                    yield words.Span(" and ")
                yield words.Span(f"{self._cause_words(step)} (")
                yield _span(self.part(step))
                yield words.Span(")")
            yield words.Span(". ")
        standings = self.standings(self.money)
        after = added(line.after for line in self.money)
        counted = added(one.counted_after for one in standings)
        if not self.money:
            return
        if counted == after:
            yield words.Span(f"All of {self.now} counts: it is measured or validated.")
        else:
            said = short_text(counted, self.unit) if counted else "None"
            yield words.Span(f"{said} of {self.now} counts so far; the rest waits for a validator.")

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
        for name, period in ((self.then, question.before), (self.now, question.after)):
            if period.end > self.found.today:
                yield f"{name} is not over yet."
            elif any(month.start not in self.found.closed for month in months_between(period.start, period.end)):
                yield f"{name} is provisional until it is closed."
        if question.before.days != question.after.days:
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
        return self.number(name, step.amount, self.unit, self.state(own), driver=step.driver)

    def chart(self) -> ChartView | None:
        steps = self.steps()
        if not steps:
            return None
        shown, rest = (steps, []) if len(steps) <= STEPS else (steps[: STEPS - 1], steps[STEPS - 1 :])
        shown = sorted(shown, key=lambda step: (step.amount < 0, -abs(step.amount)))
        before, after = (added(getattr(line, end) for line in self.money) for end in ("before", "after"))
        bars = [(self._label(step), step.amount) for step in shown]
        if rest:
            bars.append((f"{len(rest)} smaller steps", added(step.amount for step in rest)))
        change = short_text(abs(after - before), self.unit)
        text = f"From {short_text(before, self.unit)} in {self.then} to {short_text(after, self.unit)} in {self.now}"
        return ChartView(
            id="fig-waterfall",
            name="waterfall",
            description=f"{text}: {len(bars)} steps add up to {change} {'more' if after >= before else 'less'}.",
            datasets={"rows": _rows(self.then, before, bars, self.now, after, self.unit)},
            params={},
            keys=(("bar", "Added"), ("riskbar", "Taken away"), ("dot", "Realized")),
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

    def causes(self, *, money: bool) -> Iterator[view.Cause]:
        in_total = {id(line) for line in self.money}
        groups: defaultdict[tuple[str, str], list[Line]] = defaultdict(list)
        for line in self.read.lines:
            if (id(line) in in_total) is money:
                groups[line.driver, line.unit].append(line)
        changes = {key: added(line.change for line in lines) for key, lines in groups.items()}
        for key in sorted(groups, key=lambda key: (-abs(changes[key]), key)):
            if changes[key] or any(line.parts for line in groups[key]):
                yield self._cause(*key, groups[key], changes[key])

    def _cause(self, driver: str, unit: str, lines: Sequence[Line], change: Decimal) -> view.Cause:
        state, known = self.state(lines), told(lines)
        grades = [one.evidence for one in self.standings(lines)]
        evidence = EVIDENCE_WORDS[weakest(grades)] if grades else ""
        classes = " and ".join(dict.fromkeys(CLASS_WORDS.get(x.benefit_class, x.benefit_class) for x in lines))
        before, after = (added(getattr(line, end) for line in lines) for end in ("before", "after"))
        spans = (
            words.Span("It brought "),
            _span(self.number("after", after, unit, state, driver=driver)),
            words.Span(f" in {self.now}, after "),
            _span(self.number("before", before, unit, state, driver=driver)),
            words.Span(f" in {self.then}."),
        )
        return view.Cause(
            id=anchor("d", f"{driver}-{unit}"),
            title=self.words.driver(driver),
            meta=", ".join(part for part in (classes, evidence) if part),
            chip=STATE_CHIPS[state.value] if state is not None and state is not State.VALIDATED else None,
            number=self.number("change", change, unit, state, driver=driver),
            sentence=words.Sentence(self.ref(unit, driver), "bridge", spans),
            rows=tuple(self._rows(driver, unit, lines, known, state)),
        )

    def _rows(
        self, driver: str, unit: str, lines: Sequence[Line], known: Told | None, state: State | None
    ) -> Iterator[view.CauseRow]:
        parts = sorted({(tuple(Kind).index(part.kind), part.subject) for line in lines for part in line.parts})
        for place, subject in parts:
            kind = tuple(Kind)[place]
            amount = added(line.amount(kind, subject) for line in lines)
            if amount:
                name = f"{kind}:{subject}" if subject else str(kind)
                text = self.words.cause(kind, subject, known, self.then, self.now)
                number = self.number(name, amount, unit, state, driver=driver)
                yield view.CauseRow(KIND_WORDS[kind], text, number)

    # ------------------------------------------------------------ what is not it, and what nobody knows

    def unchanged(self) -> Iterator[words.Fact]:
        """Inputs that held throughout, and drivers that brought as much as before."""
        inputs: dict[str, set[tuple[Fraction, Fraction]]] = {}
        moved = {part.subject for line in self.read.lines for part in line.parts if part.kind is Kind.ASSUMPTION}
        for line in self.read.lines:
            for slug, pair in (line.inputs or {}).items():
                inputs.setdefault(slug, set()).add(pair)
        still = [
            words.Fact(self.words.input(slug), f"{self.words.input_value(slug, next(iter(pairs))[0])}")
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


def _rows(
    then: str, before: Decimal, bars: Sequence[tuple[str, Decimal]], now: str, after: Decimal, unit: str
) -> list[dict[str, object]]:
    """The chart's rows; floats place ink, no text is made from them."""
    rows: list[dict[str, object]] = [_dot(0, "start", then, before, unit, has_next=True)]
    standing = before
    for place, (label, amount) in enumerate(bars, 1):
        reached = added([standing, amount])
        sign = "+" if amount > 0 else MINUS
        rows.append(
            {
                "i": place,
                "kind": "up" if amount > 0 else "down",
                "a": float(standing),
                "b": float(reached),
                "end": float(reached),
                "next": place + 1,
                "cause": label,
                "label": f"{sign}{short_text(abs(amount), unit)}",
            }
        )
        standing = reached
    rows.append(_dot(len(bars) + 1, "realized", now, after, unit, has_next=False))
    return rows


def _dot(place: int, kind: str, name: str, value: Decimal, unit: str, *, has_next: bool) -> dict[str, object]:
    return {
        "i": place,
        "kind": kind,
        "a": float(value),
        "b": float(value),
        "end": float(value),
        "next": place + 1 if has_next else None,
        "cause": name,
        "label": short_text(value, unit),
    }
