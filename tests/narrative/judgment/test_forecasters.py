import numpy as np
import pytest

from tests.narrative.judgment.noise import steady
from valueplatform.narrative.judgment.forecasters import (
    WAYS,
    Forecaster,
    damped_trend,
    recent_mean,
    theta,
    unchanged,
    usual_phase,
)


@pytest.mark.parametrize("way", WAYS)
def test_no_forecast_reads_what_came_after_its_day(way: Forecaster) -> None:
    days = steady(200, seed=1)
    changed = days.copy()
    changed[150:] += 1000
    ours, theirs = way(days, 120, 10, 7), way(changed, 120, 10, 7)
    np.testing.assert_allclose(ours[:150], theirs[:150])


@pytest.mark.parametrize("way", WAYS)
def test_parameters_come_from_the_known_values_alone(way: Forecaster) -> None:
    days = steady(200, seed=2)
    np.testing.assert_allclose(way(days, 120, 10, 7)[:160], way(days[:160], 120, 10, 7))


@pytest.mark.parametrize("way", WAYS)
def test_a_constant_is_forecast_as_it_is_or_not_at_all(way: Forecaster) -> None:
    ahead = way(np.full(100, 5.0), 100, 9, 7)[-1]
    assert np.isnan(ahead).all() or ahead == pytest.approx(np.full(9, 5.0))


def test_the_plain_ways_are_what_their_names_say() -> None:
    days = np.arange(70, dtype=np.float64)
    assert unchanged(days, 70, 3, 7)[-1].tolist() == [69.0] * 3
    assert recent_mean(days, 70, 3, 7)[-1].tolist() == [55.5] * 3
    assert usual_phase(days, 70, 8, 7)[-1] == pytest.approx([38.5, 39.5, 40.5, 41.5, 42.5, 43.5, 44.5, 38.5])


def test_a_line_goes_on_as_a_line_that_flattens() -> None:
    ahead = damped_trend(np.arange(100.0), 100, 5, 1)[-1]
    assert np.diff(ahead) == pytest.approx(0.98 ** np.arange(2, 6), rel=0.05)


def test_theta_goes_on_with_half_the_slope() -> None:
    assert np.diff(theta(np.arange(100.0), 100, 5, 1)[-1]) == pytest.approx([0.5] * 4)
