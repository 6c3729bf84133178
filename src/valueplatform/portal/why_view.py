"""The page that says why: a sentence, the steps from one period to the other, each driver with its parts. Pure."""

from collections.abc import Iterator
from fractions import Fraction
from typing import Final
from urllib.parse import urlencode

from valueplatform.core.periods import ONE_DAY, months_between
from valueplatform.portal.bridge_words import KIND_WORDS, told
from valueplatform.portal.chart import CLASS_WORDS, EVIDENCE_WORDS
from valueplatform.portal.exact import short_day, short_text
from valueplatform.portal.proof_formula import anchor
from valueplatform.portal.proof_view import STATE_CHIPS
from valueplatform.portal.view import why as view
from valueplatform.portal.view import words
from valueplatform.portal.why_choices import choices, days_form
from valueplatform.portal.why_cut import CutPage, cut_name
from valueplatform.portal.why_numbers import Found, Group, Numbers, Step, span
from valueplatform.portal.why_steps import chart
from valueplatform.value.bridge_answer import money_lines
from valueplatform.value.bridge_cells import Kind, added
from valueplatform.value.bridge_cuts import DRIVER, cuts_of
from valueplatform.value.bridge_read import Gap
from valueplatform.value.model import weakest
from valueplatform.value.states import State
from valueplatform.value.values import is_money

UNCHANGED: Final = 6
NO_VALUE: Final = {
    "null_input": "no event carried a number for it",
    "zero_divisor": "its formula would divide by zero",
    "out_of_range": "its amount would have more digits than amounts have",
    "no_input": "an assumption has no value",
    "mixed_currencies": "its inputs are in several currencies",
}


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
        chart=cut.chart() if cut else chart(page),
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


class _Page(Numbers):
    """One bridge, in words."""

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
        start = (words.Span(f"{self.now} brought {about}"), span(self.number("after", after, total)))
        if not change:
            spans = (*start, words.Span(f", as much as {self.then}."))
        elif not before:
            spans = (*start, words.Span(f"; {self.then} brought nothing."))
        else:
            less = span(self.number("change", change, total, signed=False))
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
                yield span(self.part(step))
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

    def _cause_words(self, step: Step) -> str:
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

    # ------------------------------------------------------------ driver by driver

    def causes(self) -> Iterator[view.Cause]:
        """The drivers of the sum, the greatest change first."""
        for group in self.groups(self.read, self.money):
            yield self._cause(group)

    def others(self) -> Iterator[view.Cause]:
        """What is not in the sum: in units of its own, or not counted yet."""
        inside = {
            (group.driver, group.unit): (group.before, group.after) for group in self.groups(self.read, self.money)
        }
        for group in self.groups(self.found.whole, self.found.whole.lines):
            if inside.get((group.driver, group.unit)) != (group.before, group.after):
                yield self._cause(group)

    def _cause(self, group: Group) -> view.Cause:
        driver, state = group.driver or "", group.state
        evidence = EVIDENCE_WORDS[weakest([one.evidence for one in group.standings])] if group.standings else ""
        classes = " and ".join(
            dict.fromkeys(CLASS_WORDS.get(line.benefit_class, line.benefit_class) for line in group.lines)
        )
        spans = (
            words.Span("It brought "),
            span(self.number("after", group.after, group)),
            words.Span(f" in {self.now}, after "),
            span(self.number("before", group.before, group)),
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

    def _rows(self, group: Group) -> Iterator[view.CauseRow]:
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
