"""Assumptions and baselines by account: in its own money, tidy, and in order."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valueplatform.sample.cast import settle, written_cast
from valueplatform.sample.inputs import default_range, input_ranges, is_money, tidy

SPECS = {spec.key: spec for spec in written_cast()}


@given(st.floats(min_value=1e-6, max_value=1e9))
def test_a_tidy_number_has_three_digits_and_no_exponent(value: float) -> None:
    stated = tidy(value)
    assert "E" not in str(stated)
    assert float(stated) == pytest.approx(value, rel=0.006)


def test_money_is_what_is_paid_for_something_not_a_rate_of_interest() -> None:
    assert is_money("dispatcher_hourly_cost")
    assert is_money("cost_per_repeat_visit")
    assert not is_money("cost_of_capital")
    assert not is_money("baseline_repeat_rate")


def test_a_wage_in_yen_is_a_wage_in_yen() -> None:
    account = settle(SPECS["tokyo-setsubi"], date(2026, 11, 22), 548)
    stated = input_ranges(account, 7)["dispatcher_hourly_cost"]
    assert Decimal(5000) < stated.low < stated.expected < stated.high < Decimal(8000)


def test_a_segment_s_own_default_comes_before_the_common_one() -> None:
    assert default_range("cost_per_repeat_visit", "medical").expected == 390
    assert default_range("cost_per_repeat_visit", "logistics").expected == 260


def test_what_is_estimated_stays_at_the_model_s_default() -> None:
    account = settle(SPECS["redwood-property"], date(2026, 11, 22), 548)
    assert input_ranges(account, 7)["cost_per_repeat_visit"] == default_range("cost_per_repeat_visit", "facilities")
