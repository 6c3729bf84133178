import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.change_points import covering, f_measure, read
from tests.narrative.judgment.noise import steady
from valueplatform.narrative.judgment.change_points import change_points, tamed


def _normal(count: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=count)


@pytest.mark.parametrize(
    "values",
    [[], [5.0], [1.0, 2.0], [7.0] * 100, [0.0] * 100, [math.nan] * 100, [-3.5] * 400, [1e300] * 50, [0.0, 1e-300] * 9],
)
def test_nothing_changes_in_a_series_that_is_empty_short_or_constant(values: list[float]) -> None:
    assert change_points(values) == ()


@pytest.mark.parametrize("size", [1e-250, 1e-9, 1.0, 1e9, 1e250])
def test_a_planted_shift_is_found_whatever_the_size_of_the_values(size: float) -> None:
    values = _normal(365, 1) + 3 * (np.arange(365) >= 200)
    assert [abs(each - 200) <= 2 for each in change_points(values * size)] == [True]


def test_a_change_of_slope_and_a_change_of_spread_are_changes() -> None:
    days = np.arange(365)
    slope = change_points(_normal(365, 2) + 0.1 * np.maximum(0, days - 180))
    spread = change_points(_normal(365, 3) * np.where(days < 200, 1, 4))
    assert [abs(each - 180) <= 15 for each in slope] == [True]
    assert [abs(each - 200) <= 10 for each in spread] == [True]


@pytest.mark.parametrize(
    "name", ["normal", "a trend", "Student's t", "log-normal", "sparse counts", "a lone outlier", "mostly zero"]
)
def test_noise_has_no_change(name: str) -> None:
    found = 0
    for seed in range(10):
        rng = np.random.default_rng(seed)
        noise = {
            "normal": rng.normal(size=365),
            "a trend": rng.normal(size=365) + np.arange(365) * 0.02,
            "Student's t": rng.standard_t(3, 365),
            "log-normal": np.exp(rng.normal(size=365)),
            "sparse counts": rng.poisson(0.05, 365).astype(np.float64),
            "a lone outlier": rng.normal(size=365) + 40 * (np.arange(365) == 100),
            "mostly zero": (rng.random(365) < 0.3) * rng.gamma(2, 5, 365),
        }[name]
        found += bool(change_points(noise))
    assert found <= 1


def test_a_season_is_taken_out_and_a_shift_below_it_is_found() -> None:
    values = steady(365, seed=4, spread=0.05)
    assert change_points(values, season=7) == ()
    values[250:] += 30
    assert [abs(each - 250) <= 2 for each in change_points(values, season=7)] == [True]


def test_missing_values_are_left_out_and_places_are_those_of_the_series() -> None:
    values = _normal(365, 5) + 4 * (np.arange(365) >= 200)
    values[50:120] = math.nan
    values[::13] = math.nan
    assert [abs(each - 200) <= 2 for each in change_points(values)] == [True]


def test_a_shift_shorter_than_five_values_is_no_change() -> None:
    values = _normal(200, 6)
    values[100:103] += 50
    assert change_points(values) == ()


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([-1000.0, 0.0, 1e6]), st.sampled_from([0.5, 8.0, 1024.0]))
def test_shifting_and_scaling_and_mirroring_change_nothing(seed: int, shift: float, scale: float) -> None:
    values = np.round(_normal(120, seed) * 64) / 64 + 2 * (np.arange(120) >= 70)
    expected = change_points(values)
    assert change_points(values * scale + shift) == expected
    assert change_points(-values) == expected


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6))
def test_backwards_the_same_shift_is_found_at_its_other_side(seed: int) -> None:
    values = _normal(160, seed) + 6 * (np.arange(160) >= 90)
    forward, backward = change_points(values), change_points(values[::-1])
    assert sorted(160 - each for each in backward) == list(forward)


@given(st.lists(st.floats(-1e6, 1e6) | st.just(math.nan), max_size=60))
@settings(max_examples=60, deadline=None)
def test_changes_lie_inside_rise_and_are_five_apart(values: list[float]) -> None:
    found = change_points(values)
    bounds = [0, *found, len(values)]
    assert not found or all(later - earlier >= 5 for earlier, later in pairwise(bounds))


def test_taming_moves_an_outlier_and_keeps_a_step() -> None:
    values = np.concatenate([_normal(50, 7), _normal(50, 8) + 20])
    values[10] = 1000
    tame = tamed(values)
    assert tame[10] < 10
    assert tame[45:55] == pytest.approx(values[45:55], abs=4)


def test_the_metrics_are_those_of_the_dataset() -> None:
    """By hand: one mark of two people is hit, of three predicted places two are marks; halves cover halves."""
    marks = {"one": [50], "two": []}
    assert f_measure(marks, [52, 80]) == pytest.approx(2 * (2 / 3) * 1 / (2 / 3 + 1))
    assert covering({"one": [50]}, [], 100) == 0.5
    assert covering({"one": [50]}, [50], 100) == 1.0
    assert covering(marks, [50], 100) == 0.75


def test_on_marks_of_people_it_is_better_than_any_published_default(shared: Path) -> None:
    given_series = read(shared / "data" / "tcpd")
    found = {name: change_points(values) for name, (values, _) in given_series.items()}
    f1 = np.mean([f_measure(marks, found[name]) for name, (_, marks) in given_series.items()])
    cover = np.mean([covering(marks, found[name], len(values)) for name, (values, marks) in given_series.items()])
    assert f1 >= 0.74
    assert cover >= 0.70
