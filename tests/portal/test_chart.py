import json
from datetime import date
from decimal import Decimal

from tests.stewardship.factories import document
from valueplatform.narrative.document import SeriesPoint, StoryDocument
from valueplatform.portal.chart import commitment_chart
from valueplatform.portal.view.words import NumberView

JUNE, JULY, AUGUST = date(2026, 6, 30), date(2026, 7, 31), date(2026, 8, 21)


def point(end: date, realized: str | None, expected: str | None = None, spread: str = "100000") -> SeriesPoint:
    amount = None if expected is None else Decimal(expected)
    low, high = (None, None) if amount is None else (amount - Decimal(spread), amount + Decimal(spread))
    return SeriesPoint(end, None if realized is None else Decimal(realized), low, amount, high)


def told(*series: SeriesPoint, unit: str = "USD") -> StoryDocument:
    return document(series=series, unit=unit, period_from=date(2026, 6, 1))


PLANNED = told(
    point(date(2026, 5, 31), "0", "0", "0"),
    point(JUNE, "700000", "800000"),
    point(AUGUST, "1840000", "2100000"),
    point(date(2026, 12, 31), None, "2940000"),
)


def test_without_value_and_without_commitment_there_is_no_chart() -> None:
    assert commitment_chart(told(), frozenset()) is None
    assert commitment_chart(told(point(JUNE, "0"), point(JULY, "0")), frozenset()) is None
    assert commitment_chart(told(point(JUNE, None, "5")), frozenset()) is None


def test_values_are_scaled_to_the_axis_and_worded_beside_it() -> None:
    chart = commitment_chart(PLANNED, frozenset())
    assert chart is not None
    rows = chart.datasets["rows"]

    assert chart.params == {"prefix": "$", "suffix": "M"}
    assert [row["realized"] for row in rows] == [0.0, 0.7, 1.84, None]
    assert [row["last"] for row in rows] == [False, False, True, False]
    assert [row["horizon"] for row in rows] == [False, False, False, True]
    assert rows[2]["realized_text"] == "$1.84M"
    assert rows[2]["range_text"] == "$2.00M to $2.20M"
    json.dumps(chart.drawing)  # what the page carries is plain JSON


def test_what_one_sees_is_said_in_a_sentence() -> None:
    chart = commitment_chart(PLANNED, frozenset())
    alone = commitment_chart(told(point(JUNE, "900")), frozenset())
    assert chart is not None
    assert alone is not None

    assert chart.description == "Realized value reached $1.84M by 21 Aug 2026, of $2.10M committed by then."
    assert alone.description == "Realized value reached $900 by 30 Jun 2026. Nothing was committed."
    assert [key for key, _ in alone.keys] == ["realized", "provisional"]
    assert alone.params["suffix"] == ""


def test_a_month_is_provisional_until_it_is_closed() -> None:
    opened = commitment_chart(PLANNED, frozenset({date(2026, 6, 1)}))
    closed = commitment_chart(PLANNED, frozenset({date(2026, 6, 1), date(2026, 8, 1)}))
    assert opened is not None
    assert closed is not None

    assert [row["provisional"] for row in opened.datasets["rows"]] == [False, False, True, False]
    assert not any(row["provisional"] for row in closed.datasets["rows"])
    days = [cells[0].text for cells in opened.tables[0].rows]
    assert days == ["30 Jun 2026", "21 Aug 2026, provisional", "31 Dec 2026"]


def test_the_table_holds_every_number_that_is_drawn() -> None:
    chart = commitment_chart(PLANNED, frozenset())
    assert chart is not None
    table = chart.tables[0]

    assert [column.text for column in table.columns] == ["To the end of", "Realized", "Committed", "Low", "High"]
    assert [cell.text for cell in table.rows[1]][1:] == ["$1.84M", "$2.10M", "$2.00M", "$2.20M"]
    assert table.rows[2][1].text == ""


def test_a_total_of_several_classes_has_a_line_for_each() -> None:
    cashable = NumberView("cashable", "$1.00M", "1000000", "USD", "validated", "/proof/ins_1?number=cashable")
    chart = commitment_chart(PLANNED, frozenset(), (cashable,))
    assert chart is not None
    (row,) = chart.tables[1].rows

    assert (row[0].text, row[1].number) == ("Cashable", cashable)


def test_a_currency_that_is_called_by_its_code_keeps_its_distance() -> None:
    chart = commitment_chart(told(point(JUNE, "5000"), unit="DKK"), frozenset())
    assert chart is not None

    assert chart.params == {"prefix": "DKK ", "suffix": "K"}


def test_value_below_zero_is_drawn_too() -> None:
    chart = commitment_chart(told(point(JUNE, "-4000")), frozenset())
    assert chart is not None

    assert chart.datasets["rows"][0]["realized"] == -4.0
