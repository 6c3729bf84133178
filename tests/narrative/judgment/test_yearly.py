import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.narrative.judgment.noise import steady
from valueplatform.narrative.judgment.numbers import Floats
from valueplatform.narrative.judgment.shifts import shifts
from valueplatform.narrative.judgment.yearly import NEEDED, YEAR, differs_from_last_year

DAYS = 900


def of_a_season(seed: int, swing: float = 0.4, days: int = DAYS) -> Floats:
    """Steady noise, in three months of each year higher by `swing`."""
    values = steady(days, seed=seed)
    summer = np.arange(days) % YEAR // 91 == 2
    return np.where(summer, values * (1 + swing), values)


def begins(days: int = DAYS) -> int:
    """The first day of the last summer."""
    return next(day for day in range(days - 1, 0, -1) if day % YEAR == 182)


@pytest.mark.parametrize("seed", range(5))
def test_a_summer_that_comes_every_year_is_no_new_level(seed: int) -> None:
    days = of_a_season(seed)[: begins() + 28]
    assert any(found.holds for found in shifts(days)), "by itself it looks like one"
    assert differs_from_last_year(days, begins(), 28) is False


@pytest.mark.parametrize("seed", range(5))
def test_a_new_level_is_told_beside_the_season(seed: int) -> None:
    days = of_a_season(seed)[: begins() + 28]
    days[begins() :] *= 0.6
    assert differs_from_last_year(days, begins(), 28) is True


def test_a_summer_that_fails_to_come_is_a_change() -> None:
    days = of_a_season(3)[: begins() + 28]
    days[begins() :] /= 1.8
    assert differs_from_last_year(days, begins(), 28) is True


def test_an_account_that_doubled_since_is_compared_at_its_own_size() -> None:
    days = of_a_season(4)[: begins() + 28]
    days[begins() - 120 :] *= 2
    assert differs_from_last_year(days, begins(), 28) is False


@pytest.mark.parametrize("length", [14, 28, 56])
def test_without_the_same_days_of_a_settled_year_nothing_is_said(length: int) -> None:
    days = steady(NEEDED + length, seed=1)
    assert differs_from_last_year(days, NEEDED, length) is not None
    assert differs_from_last_year(days[1:], NEEDED - 1, length) is None
    assert differs_from_last_year(days, NEEDED + 1, length) is None, "days that have not come"
    unknown = days.copy()
    unknown[91 : 91 + (56 + length) // 2] = math.nan
    assert differs_from_last_year(unknown, NEEDED, length) is None


def test_nothing_a_year_before_is_nothing_to_compare_with() -> None:
    days = np.concatenate([np.zeros(NEEDED - 56), steady(112, seed=2)])
    assert differs_from_last_year(days, NEEDED, 56) is None


@given(st.floats(0.001, 1000), st.integers(0, 50))
@settings(max_examples=25, deadline=None)
def test_it_says_the_same_in_another_unit(unit: float, seed: int) -> None:
    days = of_a_season(seed)[: begins() + 28]
    assert differs_from_last_year(days * unit, begins(), 28) is differs_from_last_year(days, begins(), 28)
