import math

import numpy as np
import pytest

from valueplatform.narrative.judgment.numbers import filled, robust_scale, series


def test_an_infinite_value_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="infinite"):
        series([1.0, math.inf])


def test_nothing_has_no_scale() -> None:
    assert robust_scale(np.array([])) == 0.0
    assert robust_scale(np.zeros(9)) == 0.0


def test_the_scale_of_normal_noise_is_its_standard_deviation_whatever_a_few_outliers_do() -> None:
    noise = np.random.default_rng(1).normal(0, 3, 5000)
    noise[:100] = 1e9
    assert robust_scale(noise) == pytest.approx(3, rel=0.05)


def test_where_most_are_zero_the_mean_deviation_stands_in() -> None:
    assert robust_scale(np.array([0.0, 0.0, 0.0, 4.0])) == pytest.approx(math.sqrt(math.pi / 2))


def test_a_gap_is_filled_with_its_own_weekday() -> None:
    days = np.resize(np.arange(7.0), 70)
    days[[10, 24]] = np.nan
    assert filled(days, 7)[[10, 24]].tolist() == [3.0, 3.0]


def test_a_weekday_that_is_never_known_is_filled_with_the_median_of_all() -> None:
    days = np.resize(np.array([math.nan, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0]), 70)
    assert filled(days, 7)[0] == 3.5
