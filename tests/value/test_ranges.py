from decimal import Decimal

import pytest

from valueplatform.value.ranges import NoValue, Range, no_value_of


def test_a_number_that_is_known_is_a_range_of_one_point() -> None:
    assert Range.point(Decimal(3)) == Range(Decimal(3), Decimal(3), Decimal(3))


@pytest.mark.parametrize(
    ("reason", "text"),
    [
        (NoValue("null_input", "hourly_cost"), "null_input:hourly_cost"),
        (NoValue("zero_divisor", "jobs - lost"), "zero_divisor:jobs - lost"),
        (NoValue("out_of_range"), "out_of_range"),
        (NoValue("other", "a:b"), "other:a:b"),
    ],
)
def test_a_reason_survives_being_written_in_a_column(reason: NoValue, text: str) -> None:
    assert reason.text == text
    assert no_value_of(text) == reason
