import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.narrative.judgment.noise import steady
from valueplatform.narrative.judgment.steadiness import steadiness


@pytest.mark.parametrize(
    "values", [[], [1.0], [1.0] * 83, [0.0] * 200, [math.nan] * 200, [-1.0] * 200, [math.nan, *[1.0] * 6] * 30]
)
def test_too_little_or_nothing_is_not_called_steady(values: list[float]) -> None:
    assert steadiness(values) is None


def test_a_constant_is_steady() -> None:
    found = steadiness([2.0] * 200)
    assert found is not None
    assert found.steady
    assert (found.weeks, found.mean_week, found.variation, found.at_most) == (26, 14.0, 0.0, 0.0)


def test_a_strong_season_with_little_noise_is_steady_and_much_noise_is_not() -> None:
    calm, wild = steadiness(steady(182, seed=1, spread=0.1)), steadiness(steady(182, seed=1, spread=0.6))
    assert calm is not None
    assert wild is not None
    assert calm.steady
    assert not wild.steady


def test_a_shift_of_level_is_not_steady() -> None:
    days = steady(182, seed=2, spread=0.02)
    days[91:] *= 1.5
    found = steadiness(days)
    assert found is not None
    assert not found.steady


def test_the_bound_holds_the_true_variation_nineteen_times_in_twenty() -> None:
    rng = np.random.default_rng(3)
    held = 0
    for _ in range(400):
        found = steadiness(np.repeat(rng.normal(700, 70, 26) / 7, 7))
        assert found is not None
        held += found.at_most >= 0.1
    assert held / 400 == pytest.approx(0.95, abs=0.03)


@given(st.lists(st.floats(1, 100), min_size=84, max_size=200), st.sampled_from([0.5, 4.0, 1024.0]))
def test_scaling_changes_no_variation(values: list[float], scale: float) -> None:
    one, other = steadiness(values), steadiness([each * scale for each in values])
    assert one is not None
    assert other is not None
    assert other.variation == pytest.approx(one.variation, rel=1e-9, abs=1e-12)
    assert one.at_most >= one.variation
