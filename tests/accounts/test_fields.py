"""Reading imported cells."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from zoneinfo import ZoneInfo

import pytest

from valueplatform.accounts.fields import Fields, InvalidValueError, MissingValueError


class Color(StrEnum):
    RED = "red"
    DARK_BLUE = "dark-blue"


def cell(value: object) -> Fields:
    return Fields({"c": value})


@pytest.mark.parametrize("value", [None, "", "   ", "\t\n"])
def test_absent_empty_and_blank_are_the_same(value: object) -> None:
    assert cell(value).optional("c") is None
    with pytest.raises(MissingValueError, match="Column c is empty"):
        cell(value).text("c")
    assert Fields({}).optional("c") is None
    assert cell(value).has("c")
    assert not Fields({}).has("c")


@pytest.mark.parametrize(
    ("value", "text"), [(" x ", "x"), (7, "7"), (Decimal("1E+3"), "1000"), (True, "true"), (Decimal("0.10"), "0.10")]
)
def test_scalars_of_any_kind_are_text(value: object, text: str) -> None:
    assert cell(value).text("c") == text


@pytest.mark.parametrize("value", [["a"], {"a": 1}, "a\0b", "x" * 10_001])
def test_what_no_column_can_hold_is_refused(value: object) -> None:
    with pytest.raises(InvalidValueError, match="Column c"):
        cell(value).optional("c")


@pytest.mark.parametrize(
    ("value", "day"),
    [
        ("2024-02-29", date(2024, 2, 29)),
        ("2024-02-29T00:00:00", date(2024, 2, 29)),
        ("2024-02-29 23:59:59", date(2024, 2, 29)),
        ("2024-02-29T23:30:00Z", date(2024, 3, 1)),  # in Berlin it is the next day already
        ("2024-02-29T23:30:00+01:00", date(2024, 2, 29)),
    ],
)
def test_a_day_is_the_day_in_the_zone_of_the_account(value: str, day: date) -> None:
    assert cell(value).day("c", "Europe/Berlin") == day


@pytest.mark.parametrize(
    "value", ["2023-02-29", "31.12.2024", "12/31/2024", "yesterday", "0001-01-01", "9999-12-31", "20"]
)
def test_what_is_no_day_is_refused_with_the_cure(value: str) -> None:
    with pytest.raises(InvalidValueError, match=r"write the day as 2025-12-31|cannot be meant"):
        cell(value).day("c", "UTC")


def test_an_open_end_may_be_written_as_the_last_day_there_is() -> None:
    assert cell("9999-12-31").optional_day("c", "UTC", last=date.max) == date.max
    assert cell(None).optional_day("c", "UTC") is None


@pytest.mark.parametrize("value", ["2024-02", "2024-02-01", "2024-02-29", "2024-02-15T12:00:00"])
def test_a_month_is_its_first_day(value: str) -> None:
    assert cell(value).month("c") == date(2024, 2, 1)


@pytest.mark.parametrize("value", ["2024-13", "2024", "Feb 2024", "24-02", "1066-10"])
def test_what_is_no_month_is_refused(value: str) -> None:
    with pytest.raises(InvalidValueError, match=r"write the month as 2025-12|cannot be meant"):
        cell(value).month("c")


def test_a_moment_without_a_zone_is_in_the_zone_of_the_account() -> None:
    moment = cell("2024-07-01 09:00").moment("c", "Europe/Berlin")
    assert moment == datetime(2024, 7, 1, 7, tzinfo=UTC)
    assert cell("2024-07-01").moment("c", "Europe/Berlin") == datetime(2024, 6, 30, 22, tzinfo=UTC)
    assert cell("2024-07-01T09:00:00-04:00").moment("c", "Europe/Berlin").utcoffset() == timedelta(hours=-4)


def test_a_moment_that_the_clock_skipped_is_still_a_moment() -> None:
    moment = cell("2025-03-30T02:30:00").moment("c", "Europe/Berlin")
    assert moment.astimezone(UTC).astimezone(ZoneInfo("Europe/Berlin")).hour == 3


@pytest.mark.parametrize("value", ["noon", "2024-07-01T25:00", "1719830000", ""])
def test_what_is_no_moment_is_refused(value: str) -> None:
    with pytest.raises((InvalidValueError, MissingValueError)):
        cell(value).moment("c", "UTC")


@pytest.mark.parametrize(
    ("value", "amount"),
    [("12.50", "12.50"), (" 7 ", "7"), (7, "7"), (Decimal("0.1"), "0.1"), ("1e3", "1E+3"), ("-3", "-3")],
)
def test_amounts_are_exact(value: object, amount: str) -> None:
    assert cell(value).amount("c") == Decimal(amount)


@pytest.mark.parametrize("value", ["1,200.50", "12 €", "NaN", "1" * 19, "0.0000000001", "1e400", True])
def test_what_is_no_exact_amount_is_refused(value: object) -> None:
    with pytest.raises(InvalidValueError, match="Column c"):
        cell(value).amount("c")
    assert cell(None).optional_amount("c") is None


def test_choices_are_read_in_any_case_and_listed_where_they_are_wrong() -> None:
    assert cell(" Dark-Blue ").choice("c", Color) is Color.DARK_BLUE
    assert cell(None).choice("c", Color, Color.RED) is Color.RED
    with pytest.raises(InvalidValueError, match="use one of red, dark-blue"):
        cell("green").choice("c", Color)
    with pytest.raises(MissingValueError):
        cell(None).choice("c", Color)
