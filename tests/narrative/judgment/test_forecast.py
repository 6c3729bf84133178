import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.forecast import errors, read, stated
from tests.narrative.judgment.noise import SEASON, counts, steady
from valueplatform.narrative.judgment.forecast import forecast, forecast_sum


@pytest.mark.parametrize(
    "values", [[], [1.0], [1.0] * 27, [math.nan] * 100, [math.nan] * 73 + [1.0] * 27, [1.0, math.nan] * 60]
)
def test_too_little_to_go_by_gives_no_forecast(values: list[float]) -> None:
    assert forecast(values, 7) is None
    assert forecast_sum(values, 7) is None


@pytest.mark.parametrize("horizon", [0, -1])
def test_a_forecast_of_nothing_is_refused(horizon: int) -> None:
    with pytest.raises(ValueError, match="at least one step"):
        forecast(steady(100, seed=1), horizon)
    with pytest.raises(ValueError, match="at least one step"):
        forecast_sum(steady(100, seed=1), horizon)


def test_gaps_make_an_interval_no_narrower_than_what_is_known() -> None:
    widths = []
    for seed in range(20):
        days = steady(300, seed=seed)
        whole = forecast_sum(days, 14)
        days[np.random.default_rng(seed).random(300) < 0.15] = math.nan
        gaps = forecast_sum(days, 14)
        assert whole is not None
        assert gaps is not None
        widths.append((gaps.high - gaps.low) / (whole.high - whole.low))
    assert np.median(widths) >= 0.9


def test_an_interval_whose_rank_does_not_exist_is_not_stated() -> None:
    days = steady(28, seed=1)
    assert forecast(days, 11) is None
    assert forecast(days, 10) is not None
    assert forecast(days, 10, coverage=0.95) is None


def test_a_horizon_of_more_than_half_of_what_is_known_gives_no_forecast() -> None:
    assert forecast(steady(80, seed=1), 41) is None
    assert forecast(steady(80, seed=1), 40) is not None


@pytest.mark.parametrize("value", [0.0, 7.0, -3.0, 1e12])
def test_a_constant_stays_what_it_is_without_doubt(value: float) -> None:
    given_forecast = forecast([value] * 100, 10)
    assert given_forecast is not None
    assert given_forecast.expected == pytest.approx((value,) * 10)
    assert given_forecast.low == pytest.approx(given_forecast.high)


def test_a_season_without_noise_is_carried_on() -> None:
    days = np.resize(100 * SEASON, 200)
    given_forecast = forecast(days, 14)
    assert given_forecast is not None
    assert given_forecast.expected == pytest.approx(np.resize(100 * SEASON, 214)[200:].tolist(), rel=0.02)


def test_what_was_never_negative_is_not_forecast_to_be() -> None:
    given_forecast, total = forecast(counts(120, seed=2, rate=0.1), 14), forecast_sum(counts(120, seed=2, rate=0.1), 14)
    assert given_forecast is not None
    assert total is not None
    assert min(given_forecast.low) >= 0
    assert total.low >= 0


def test_a_series_below_zero_may_be_forecast_below_zero() -> None:
    given_forecast = forecast(-steady(120, seed=3), 7)
    assert given_forecast is not None
    assert max(given_forecast.expected) < 0


def test_a_short_gap_does_not_matter_much() -> None:
    days = steady(200, seed=4, spread=0.05)
    whole = forecast_sum(days, 14)
    days[150:155] = math.nan
    with_gap = forecast_sum(days, 14)
    assert whole is not None
    assert with_gap is not None
    assert with_gap.expected == pytest.approx(whole.expected, rel=0.05)


def test_days_missing_before_the_first_value_are_not_part_of_the_past() -> None:
    days = steady(150, seed=5)
    late = np.concatenate([np.full(150, math.nan), days])
    assert forecast(late, 7) == forecast(days, 7)


@pytest.mark.parametrize("kind", ["steady", "counts", "mostly zero"])
def test_ninety_in_a_hundred_sums_lie_in_their_interval(kind: str) -> None:
    held = 0
    for seed in range(60):
        rng = np.random.default_rng(seed)
        days = {
            "steady": steady(221, seed=seed),
            "counts": counts(221, seed=seed, rate=3),
            "mostly zero": (rng.random(221) < 0.3) * rng.gamma(2, 50, 221),
        }[kind]
        given_sum = forecast_sum(days[:200], 21)
        assert given_sum is not None
        held += given_sum.low <= days[200:].sum() <= given_sum.high
    assert 0.78 <= held / 60 <= 1.0


def test_an_interval_of_less_coverage_is_narrower_and_lies_within() -> None:
    days = steady(200, seed=6)
    narrow, wide = forecast(days, 7, coverage=0.5), forecast(days, 7, coverage=0.9)
    assert narrow is not None
    assert wide is not None
    assert all(w <= n for w, n in zip(wide.low, narrow.low, strict=True))
    assert all(n <= w for n, w in zip(narrow.high, wide.high, strict=True))


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([0.25, 2.0, 1024.0]))
def test_scaling_the_past_scales_the_forecast(seed: int, scale: float) -> None:
    days = steady(120, seed=seed)
    one, other = forecast(days, 7), forecast(days * scale, 7)
    assert one is not None
    assert other is not None
    assert other.expected == pytest.approx([each * scale for each in one.expected], rel=1e-6)
    assert other.high == pytest.approx([each * scale for each in one.high], rel=1e-6)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(-1e9, 1e9), min_size=28, max_size=60), st.integers(1, 10))
def test_a_forecast_lies_in_its_interval(values: list[float], horizon: int) -> None:
    given_forecast = forecast(values, horizon)
    assert given_forecast is not None
    assert len(given_forecast.expected) == horizon
    for low, expected, high in zip(given_forecast.low, given_forecast.expected, given_forecast.high, strict=True):
        assert low <= expected <= high


def test_on_the_weekly_series_of_a_competition_it_beats_its_damped_trend(shared: Path) -> None:
    train, test = (read(shared / "data" / "m4-weekly", part) for part in ("train", "test"))
    names = list(test)[::6]
    found = {name: stated(train[name], test[name].size) for name in names}
    naive = errors(train, test, {name: np.repeat(train[name][-1], test[name].size) for name in names})
    ours = errors(train, test, {name: np.array(each.expected) for name, each in found.items()})
    assert ours.relative_to(naive) <= 0.917
    held = [(np.array(each.low) <= test[name]) & (test[name] <= np.array(each.high)) for name, each in found.items()]
    assert 0.85 <= np.mean(held) <= 0.95
