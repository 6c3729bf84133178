from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.value.worths import a_sum, standing
from valueplatform.value.worth import a_month, period_of, rate, whole_months


@pytest.mark.parametrize(
    ("first", "today", "months"),
    [
        (None, date(2026, 6, 15), []),
        (date(2026, 6, 15), date(2026, 6, 15), []),
        (date(2026, 5, 2), date(2026, 6, 15), []),  # May is not whole
        (date(2026, 5, 1), date(2026, 6, 1), [5]),
        (date(2026, 5, 1), date(2026, 5, 31), []),
        (date(2026, 2, 3), date(2026, 6, 15), [3, 4, 5]),
        (date(2020, 1, 1), date(2026, 2, 1), [11, 12, 1]),
    ],
)
def test_only_whole_months_count_and_at_most_three(first: date | None, today: date, months: list[int]) -> None:
    found = whole_months(first, today)
    assert [one.month for one in found] == months
    assert all(one.day == 1 for one in found)
    assert list(found) == sorted(found)


@given(st.dates(date(2000, 1, 1), date(2090, 1, 1)), st.dates(date(2000, 1, 1), date(2090, 1, 1)))
def test_months_lie_between_the_beginning_of_the_record_and_today(first: date, today: date) -> None:
    found = whole_months(first, today)
    if found:
        period = period_of(found)
        assert first <= period.start < period.end <= today
        assert 28 * len(found) <= period.days <= 31 * len(found)


def test_a_month_is_rounded_once_half_to_even() -> None:
    assert a_month(Decimal(100), 3) == Decimal("33.3333")
    assert a_month(Fraction(5, 100000), 1) == Decimal("0.0000")
    assert a_month(Decimal("-0.0003"), 2) == Decimal("-0.0002")
    assert rate(Fraction(1, 3)) == Decimal("0.333333333")


def test_size_leaves_out_other_currencies_strategic_value_and_the_drivers_that_are_asked_about() -> None:
    account = standing(
        1,
        ["job.done"],
        {
            "time": "90",
            "calls": "30",
            "abroad/EUR": "500",
            "count/job": "700",
            "prized": a_sum("800", benefit_class="strategic"),
            "harm": "-20",
        },
    )
    assert account.size_without(frozenset({"calls"})) == Decimal(70)
    assert account.size_without(frozenset()) == Decimal(100)


def test_an_amount_is_steady_only_with_every_month() -> None:
    assert a_sum("9").is_steady
    assert not a_sum("9", steady=False).is_steady
