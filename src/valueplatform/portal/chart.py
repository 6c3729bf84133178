"""The story's chart: realized value against what was committed, as data for the chart file and as tables."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Final

from babel.numbers import get_currency_symbol

from valueplatform.core.periods import ONE_DAY, month_of
from valueplatform.narrative.document import SeriesPoint, StoryDocument
from valueplatform.portal.exact import LOCALE, day_text, short_text
from valueplatform.portal.view.drawings import ChartView, Column, KeyMark, TableView
from valueplatform.portal.view.words import NumberView, Span
from valueplatform.value.model import Evidence

SCALES: Final = ((Decimal(10) ** 9, "B"), (Decimal(10) ** 6, "M"), (Decimal(10) ** 3, "K"))
CLASS_WORDS: Final = {
    "cashable": "Cashable",
    "capacity": "Capacity",
    "avoidance": "Cost avoidance",
    "risk": "Risk reduction",
    "revenue": "Revenue",
    "strategic": "Strategic, not monetized",
}
EVIDENCE_WORDS: Final = {
    Evidence.MEASURED: "measured",
    Evidence.CUSTOMER_VALIDATED: "validated by the customer",
    Evidence.BENCHMARK: "benchmark",
    Evidence.VENDOR_ESTIMATE: "vendor estimate",
}


def commitment_chart(
    document: StoryDocument, closed: frozenset[date], classes: Sequence[NumberView] = ()
) -> ChartView | None:
    """None where there is nothing to draw. `closed` are the months that no longer change; `classes` are the parts of
    the total by benefit class, each under its name."""
    points = document.series
    drawn = [value for point in points for value in (point.realized, point.expected) if value]
    realized = [point for point in points if point.realized is not None]
    if not drawn or not realized:
        return None
    size, suffix = next(((size, suffix) for size, suffix in SCALES if max(map(abs, drawn)) >= size), (Decimal(1), ""))
    last = realized[-1]
    planned = any(point.expected is not None for point in points)
    rows = [_row(point, document.unit, size, last, closed, horizon=point is points[-1]) for point in points]
    return ChartView(
        id="fig-commitment",
        name="commitment",
        description=_description(last, document.unit),
        datasets={"rows": rows, "gaps": []},
        params={"prefix": currency_prefix(document.unit), "suffix": suffix},
        keys=_keys(planned=planned, provisional=_is_open(last, closed)),
        tables=(_by_month(points[1:], document.unit, closed, planned=planned), *_by_class(classes)),
        subtitle=f"Cumulative since {day_text(document.period_from)}",
    )


def currency_prefix(unit: str) -> str:
    """What stands before an amount on an axis."""
    symbol = str(get_currency_symbol(unit, LOCALE))
    return f"{symbol} " if symbol.isalpha() else symbol


def _is_open(point: SeriesPoint, closed: frozenset[date]) -> bool:
    return month_of(point.end).start not in closed


def _row(
    point: SeriesPoint, unit: str, size: Decimal, last: SeriesPoint, closed: frozenset[date], *, horizon: bool
) -> dict[str, object]:
    return {
        "end": point.end.isoformat(),
        "low": _ink(point.low, size),
        "expected": _ink(point.expected, size),
        "high": _ink(point.high, size),
        "realized": _ink(point.realized, size),
        "predicted": None,
        "p_low": None,
        "p_high": None,
        "last": point is last,
        "provisional": point is last and _is_open(point, closed),
        "horizon": horizon,
        "month": day_text(point.end),
        "realized_text": _text(point.realized, unit),
        "expected_text": _text(point.expected, unit),
        "range_text": _committed_range(point, unit),
        "predicted_text": "",
    }


def _ink(value: Decimal | None, size: Decimal) -> float | None:
    return None if value is None else float(value / size)


def _text(value: Decimal | None, unit: str) -> str:
    return "" if value is None else short_text(value, unit)


def _committed_range(point: SeriesPoint, unit: str) -> str:
    if point.low is None or point.high is None:
        return ""
    return f"{_text(point.low, unit)} to {_text(point.high, unit)}"


def _description(last: SeriesPoint, unit: str) -> str:
    reached = f"Realized value reached {_text(last.realized, unit)} by {day_text(last.end)}"
    if last.expected is None:
        return f"{reached}. Nothing was committed."
    return f"{reached}, of {_text(last.expected, unit)} committed by then."


def _keys(*, planned: bool, provisional: bool) -> tuple[tuple[KeyMark, str], ...]:
    keys: list[tuple[KeyMark, str]] = [("realized", "Realized")]
    if planned:
        keys.append(("committed", "Committed, low to high"))
    if provisional:
        keys.append(("provisional", "This month is provisional"))
    return tuple(keys)


def _by_month(points: Sequence[SeriesPoint], unit: str, closed: frozenset[date], *, planned: bool) -> TableView:
    columns = [Column("To the end of"), Column("Realized", numeric=True)]
    if planned:
        columns += [Column(name, numeric=True) for name in ("Committed", "Low", "High")]
    rows = [_month_row(point, unit, closed, planned=planned) for point in points]
    return TableView("Value to the end of each month", tuple(columns), tuple(rows))


def _month_row(point: SeriesPoint, unit: str, closed: frozenset[date], *, planned: bool) -> tuple[Span, ...]:
    is_past = point.realized is not None
    note = ", provisional" if is_past and _is_open(point, closed) else ""
    cells = [Span(f"{day_text(point.end)}{note}"), Span(_text(point.realized, unit))]
    if planned:
        cells += [Span(_text(value, unit)) for value in (point.expected, point.low, point.high)]
    return tuple(cells)


def _by_class(classes: Sequence[NumberView]) -> tuple[TableView, ...]:
    """Value of several classes is never one undivided total (value rule 4)."""
    if not classes:
        return ()
    columns = (Column("Benefit class"), Column("Realized", numeric=True))
    rows = tuple((Span(CLASS_WORDS.get(one.name, one.name.capitalize())), Span(one.text, one)) for one in classes)
    return (TableView("Realized value by benefit class", columns, rows),)


def last_day(document: StoryDocument) -> date:
    """The last day that the story speaks of."""
    return max(document.period_to - ONE_DAY, document.period_from)
