from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valueplatform.api.given import LONGEST_NAME, day_of, moment_of, range_of, text_of
from valueplatform.core.errors import InvalidInputError
from valueplatform.core.numbers import in_wire_range
from valueplatform.value.ranges import Range


@pytest.mark.parametrize("text", ["", "  ", "\n", "a\0b", "\0", "x" * (LONGEST_NAME + 1)])
def test_text_that_cannot_be_kept_is_refused_by_name(text: str) -> None:
    with pytest.raises(InvalidInputError, match="`title`"):
        text_of(text, "title")


def test_blanks_around_a_text_are_not_part_of_it() -> None:
    assert text_of("  Wait less\n", "title") == "Wait less"
    assert text_of(f" {'x' * LONGEST_NAME} ", "title") == "x" * LONGEST_NAME
    assert text_of(" ", "title", empty="rollout") == "rollout"


@pytest.mark.parametrize("day", [date.min, date(999, 12, 31), date(9000, 1, 2), date.max])
def test_days_near_the_ends_of_the_calendar_are_refused(day: date) -> None:
    with pytest.raises(InvalidInputError, match="`month`"):
        day_of(day, "month")


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2026, 3, 1, 9),  # noqa: DTZ001 - that is what is refused
        datetime.max.replace(tzinfo=UTC),
        datetime.min.replace(tzinfo=timezone(timedelta(hours=14))),
    ],
)
def test_a_time_needs_a_zone_and_a_place_in_the_calendar(moment: datetime) -> None:
    with pytest.raises(InvalidInputError, match="`time`"):
        moment_of(moment, "time")


def test_one_number_is_a_range_without_width() -> None:
    one = Decimal("41.50")
    assert range_of(one, None, None, "rate") == Range(one, one, one)
    assert range_of(one, Decimal(38), None, "rate") == Range(Decimal(38), one, one)


@given(*[st.decimals(allow_nan=True, allow_infinity=True)] * 3)
def test_a_range_is_taken_exactly_where_it_rises_and_can_be_kept(low: Decimal, mid: Decimal, high: Decimal) -> None:
    kept = all(map(in_wire_range, (low, mid, high))) and low <= mid <= high
    try:
        assert range_of(mid, low, high, "rate") == Range(low, mid, high)
        assert kept
    except InvalidInputError:
        assert not kept
