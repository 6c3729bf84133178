"""The steps from one period to the other, as a chart with its tables. Pure."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Final

from valueplatform.portal.bridge_words import KIND_WORDS
from valueplatform.portal.chart import CLASS_WORDS
from valueplatform.portal.exact import exact_text, short_text
from valueplatform.portal.view import words
from valueplatform.portal.view.drawings import ChartView, Column, KeyMark, TableView
from valueplatform.portal.why_chart import waterfall_rows
from valueplatform.portal.why_numbers import Numbers, Step, span
from valueplatform.value.bridge_cells import Kind, added

STEPS: Final = 8
"""Bars between the two periods; the smaller ones are put together."""
LONGEST_LABEL: Final = 40


def chart(page: Numbers) -> ChartView | None:
    steps = page.steps()
    if not steps:
        return None
    shown, rest = (steps, []) if len(steps) <= STEPS else (steps[: STEPS - 1], steps[STEPS - 1 :])
    shown = sorted(shown, key=lambda step: (step.amount < 0, -abs(step.amount)))
    before, after = page.total.before, page.total.after
    bars = [(_label(page, step), step.amount) for step in shown]
    if rest:
        bars.append((f"{len(rest)} smaller steps", added(step.amount for step in rest)))
    change = short_text(abs(after - before), page.unit)
    text = f"From {short_text(before, page.unit)} in {page.then} to {short_text(after, page.unit)} in {page.now}"
    return ChartView(
        id="fig-waterfall",
        name="waterfall",
        description=f"{text}: {len(bars)} steps add up to {change} {'more' if after >= before else 'less'}.",
        datasets={"rows": waterfall_rows(page.then, before, bars, page.now, after, page.unit)},
        params={},
        keys=tuple(_keys([amount for _, amount in bars])),
        tables=(_all_steps(page, steps, before, after), _by_class(page)),
    )


def _label(page: Numbers, step: Step) -> str:
    title = page.words.driver(step.driver)
    kind = page.words.input(step.subject) if step.kind is Kind.ASSUMPTION else KIND_WORDS[step.kind]
    label = f"{title}: {kind[:1].lower() + kind[1:]}"
    if len(label) <= LONGEST_LABEL:
        return label
    room = max(12, LONGEST_LABEL - len(kind) - 3)
    short = title if len(title) <= room else f"{title[: room - 1].rstrip()}…"
    label = f"{short}: {kind[:1].lower() + kind[1:]}"
    return label if len(label) <= LONGEST_LABEL else f"{label[: LONGEST_LABEL - 1]}…"


def _all_steps(page: Numbers, steps: Sequence[Step], before: Decimal, after: Decimal) -> TableView:
    """Everything that the chart says, to the last digit."""
    rows: list[tuple[words.Span, ...]] = [
        (words.Span(page.then), words.Span(""), words.Span(exact_text(before, page.unit)))
    ]
    for step in steps:
        subject = f", {page.words.input(step.subject)}" if step.subject else ""
        number = page.part(step)
        text = f"{'+' if step.amount > 0 else ''}{exact_text(step.amount, page.unit)}"
        exact = words.NumberView(number.name, text, number.value, number.unit, number.state, number.href)
        rows.append(
            (
                words.Span(page.words.driver(step.driver)),
                words.Span(f"{KIND_WORDS[step.kind]}{subject}"),
                span(exact),
            )
        )
    columns = (Column("Driver"), Column("Part"), Column("Amount", numeric=True))
    foot = (words.Span(page.now), words.Span(""), words.Span(exact_text(after, page.unit)))
    return TableView(f"Steps from {page.then} to {page.now}", columns, tuple(rows), foot)


def _by_class(page: Numbers) -> TableView:
    """Value of several classes is never one undivided total (value rule 4)."""
    rows = []
    for name in sorted({line.benefit_class for line in page.money}):
        own = [line for line in page.money if line.benefit_class == name]
        before, after, change = (added(getattr(line, end) for line in own) for end in ("before", "after", "change"))
        cells = (exact_text(before, page.unit), exact_text(after, page.unit), exact_text(change, page.unit))
        rows.append((words.Span(CLASS_WORDS.get(name, name.capitalize())), *map(words.Span, cells)))
    columns = (Column("Benefit class"), *(Column(text, numeric=True) for text in (page.then, page.now, "Change")))
    return TableView("Change by benefit class", columns, tuple(rows))


def _keys(amounts: Sequence[Decimal]) -> Iterator[tuple[KeyMark, str]]:
    if any(amount > 0 for amount in amounts):
        yield "bar", "Added"
    if any(amount < 0 for amount in amounts):
        yield "riskbar", "Taken away"
    yield "dot", "Realized"
