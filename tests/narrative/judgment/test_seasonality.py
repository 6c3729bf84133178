import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.narrative.judgment.noise import steady
from valueplatform.narrative.judgment.numbers import Ints
from valueplatform.narrative.judgment.seasonality import chi_square_tail, kruskal_wallis_p, weekly_season

stats = pytest.importorskip("scipy.stats")


@pytest.mark.parametrize("values", [[], [1.0], [2.0] * 55, [math.nan] * 100])
def test_too_little_says_nothing(values: list[float]) -> None:
    assert weekly_season(values) is None


def test_a_constant_has_no_season() -> None:
    season = weekly_season([3.0] * 100)
    assert season is not None
    assert (season.strength, season.p_value, season.high, season.low) == (0.0, 1.0, (), ())


def test_zeros_have_no_shares() -> None:
    season = weekly_season([0.0] * 100)
    assert season is not None
    assert season.shares == ()


def test_the_weekend_of_a_working_week_is_low() -> None:
    season = weekly_season(steady(365, seed=1))
    assert season is not None
    assert season.strength > 0.6
    assert season.p_value < 1e-6
    assert {5, 6} <= set(season.low)
    assert not {5, 6} & set(season.high)
    assert sum(season.shares) == pytest.approx(1)


def test_phases_are_those_of_the_whole_series_however_long_it_is() -> None:
    for length in (364, 365, 370):
        season = weekly_season(steady(length, seed=2))
        assert season is not None
        assert season.shares.index(min(season.shares)) == 6


def test_noise_with_a_trend_has_no_season() -> None:
    days = np.random.default_rng(3).normal(size=182) + np.arange(182)
    season = weekly_season(days)
    assert season is not None
    assert season.p_value > 0.01
    assert season.high == season.low == ()


def test_a_weekday_that_is_never_known_is_too_little() -> None:
    days = steady(182, seed=4)
    days[3::7] = math.nan
    assert weekly_season(days) is None


@given(st.lists(st.integers(0, 5), min_size=12, max_size=60), st.sampled_from([3, 5, 7]))
def test_the_test_is_the_one_of_scipy(values: list[int], groups: int) -> None:
    array = np.array(values, dtype=np.float64)
    group: Ints = np.arange(array.size, dtype=np.int64) % groups
    if np.unique(array).size == 1:
        assert kruskal_wallis_p(array, group) == 1.0
        return
    theirs = stats.kruskal(*(array[group == each] for each in range(groups))).pvalue
    assert kruskal_wallis_p(array, group) == pytest.approx(theirs, rel=1e-9)


@pytest.mark.parametrize(("value", "freedom"), [(0.0, 6), (3.0, 6), (16.8, 6), (40.0, 6), (9.2, 2)])
def test_the_tail_is_that_of_chi_square(value: float, freedom: int) -> None:
    assert chi_square_tail(value, freedom) == pytest.approx(stats.chi2.sf(value, freedom), rel=1e-12)
