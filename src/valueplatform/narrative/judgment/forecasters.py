"""Ways to forecast a series from each of its days, all in one pass.

Each takes a whole series, how much of it may be used to fit (`known`), the horizon and the season, and gives a matrix:
row i holds the forecasts for i + 1 … i + horizon made on day i, nan where the way does not yet apply. Parameters come
from the first `known` values alone, states from the values up to day i: rows from `known` on are honest forecasts.
"""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from valueplatform.narrative.judgment.numbers import Floats

Forecaster = Callable[[Floats, int, int, int], Floats]

LEVEL_STEPS: Final = np.array([0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 1.0])
TREND_STEPS: Final = np.array([0.0, 0.05, 0.15, 0.4])
DAMPING: Final = np.array([0.8, 0.9, 0.98])
"""The bounds of Gardner and McKenzie (1985) and Hyndman and Athanasopoulos (2021, ch. 8)."""

NEAR_LAGS: Final = (1, 2, 3, 4)
RECENT: Final = 28
CYCLES: Final = 8
"""So many values make the mean of a phase; fewer are mostly noise."""


def unchanged(values: Floats, known: int, horizon: int, season: int) -> Floats:
    """The last value (random walk)."""
    del known, season
    return np.repeat(values[:, None], horizon, axis=1)


def damped_trend(values: Floats, known: int, horizon: int, season: int) -> Floats:
    """Exponential smoothing with additive damped trend (Gardner and McKenzie 1985), parameters by a grid."""
    del season
    level_step, trend_step, damping = (
        grid.ravel() for grid in np.meshgrid(LEVEL_STEPS, TREND_STEPS, DAMPING, indexing="ij")
    )
    level = np.full(level_step.size, values[0])
    trend = np.full(level_step.size, float(np.median(np.diff(values[: min(known, 14)]))))
    levels, trends = np.empty((2, values.size, level_step.size))
    levels[0], trends[0] = level, trend
    error = np.zeros(level_step.size)
    burn = min(10, known // 4)
    for day in range(1, values.size):
        expected = level + damping * trend
        surprise = values[day] - expected
        if burn <= day < known:
            error += surprise**2
        level = expected + level_step * surprise
        trend = damping * trend + level_step * trend_step * surprise
        levels[day], trends[day] = level, trend
    best = int(np.argmin(error))
    growth = np.cumsum(damping[best] ** np.arange(1, horizon + 1))
    return np.asarray(levels[:, best, None] + trends[:, best, None] * growth)


def theta(values: Floats, known: int, horizon: int, season: int) -> Floats:
    """Theta (Assimakopoulos and Nikolopoulos 2000) as simple exponential smoothing with half the slope of the
    straight line up to the day (Hyndman and Billah 2003)."""
    del season
    level = np.full(LEVEL_STEPS.size, values[0])
    levels = np.empty((values.size, LEVEL_STEPS.size))
    levels[0] = level
    error = np.zeros(LEVEL_STEPS.size)
    for day in range(1, values.size):
        surprise = values[day] - level
        if day < known:
            error += surprise**2
        level = level + LEVEL_STEPS * surprise
        levels[day] = level
    best = int(np.argmin(error))
    slopes = _slopes_so_far(values)
    return np.asarray(levels[:, best, None] + slopes[:, None] / 2 * np.arange(1, horizon + 1))


def _slopes_so_far(values: Floats) -> Floats:
    """The least-squares slope over the values up to each day."""
    day = np.arange(values.size, dtype=np.float64)
    count = day + 1
    sum_day, sum_value = np.cumsum(day), np.cumsum(values)
    spread = np.cumsum(day * day) - sum_day**2 / count
    shared = np.cumsum(day * values) - sum_day * sum_value / count
    return np.divide(shared, spread, out=np.zeros_like(shared), where=spread > 0)


def recent_mean(values: Floats, known: int, horizon: int, season: int) -> Floats:
    """The mean of the last 28 values: four weeks of days. What is mostly zero is hardly forecast better."""
    del known, season
    sums = np.concatenate([[0.0], np.cumsum(values)])
    last = np.arange(1, values.size + 1)
    first = np.maximum(last - RECENT, 0)
    return np.repeat(((sums[last] - sums[first]) / (last - first))[:, None], horizon, axis=1)


def usual_phase(values: Floats, known: int, horizon: int, season: int) -> Floats:
    """The mean of the last eight values of the same phase of the season. Applies from eight cycles on."""
    if known < CYCLES * season:
        return np.full((values.size, horizon), np.nan)
    means = _phase_means(values, season)
    ahead = np.arange(1, horizon + 1)
    source = np.arange(values.size)[:, None] + ahead - season * (1 + (ahead - 1) // season)
    return np.where(source >= 0, means[np.maximum(source, 0)], np.nan)


def _phase_means(values: Floats, season: int) -> Floats:
    """On each day the mean of it and up to seven values of its phase before."""
    means = np.empty_like(values)
    for phase in range(min(season, values.size)):
        own = values[phase::season]
        sums = np.concatenate([[0.0], np.cumsum(own)])
        last = np.arange(1, own.size + 1)
        first = np.maximum(last - CYCLES, 0)
        means[phase::season] = (sums[last] - sums[first]) / (last - first)
    return means


def seasonal(way: Forecaster) -> Forecaster:
    """The same way with the season taken out before and put back after: the mean of each phase over the last eight
    known cycles, less the mean of all. Applies from eight cycles on."""

    def forecaster(values: Floats, known: int, horizon: int, season: int) -> Floats:
        if known < CYCLES * season or season < 2:
            return np.full((values.size, horizon), np.nan)
        first = known - CYCLES * season
        recent = values[first:known].reshape(-1, season)
        profile = np.roll(recent.mean(axis=0) - recent.mean(), first % season)
        days = np.arange(values.size)
        ahead = days[:, None] + np.arange(1, horizon + 1)
        return np.asarray(way(values - profile[days % season], known, horizon, season) + profile[ahead % season])

    return forecaster


def autoregression(values: Floats, known: int, horizon: int, season: int) -> Floats:
    """On the last four values."""
    del season
    return _autoregressive(values, known, horizon, NEAR_LAGS)


def seasonal_autoregression(values: Floats, known: int, horizon: int, season: int) -> Floats:
    """On the last four values and three around the same phase a season ago."""
    return _autoregressive(values, known, horizon, _seasonal_lags(season))


def autoregression_of_changes(values: Floats, known: int, horizon: int, season: int) -> Floats:
    """The seasonal autoregression of first differences, summed up."""
    steps = np.diff(values, prepend=values[0])
    ahead = _autoregressive(steps, known, horizon, _seasonal_lags(season))
    return np.asarray(values[:, None] + np.cumsum(ahead, axis=1))


def _seasonal_lags(season: int) -> tuple[int, ...]:
    return tuple(sorted({*NEAR_LAGS, *(lag for lag in (season - 1, season, season + 1) if lag > 0)}))


def _autoregressive(values: Floats, known: int, horizon: int, lags: Sequence[int]) -> Floats:
    """Least squares with a ridge of one observation towards zero, iterated. Needs ten values more than twice its
    lags."""
    longest = max(lags)
    ahead = np.full((values.size, horizon), np.nan)
    center, scale = float(values[:known].mean()), float(values[:known].std())
    if known < longest + 2 * len(lags) + 10 or scale == 0:
        return ahead
    scaled = (values - center) / scale
    past = np.stack([scaled[longest - lag : known - lag] for lag in lags], axis=1)
    weights = np.linalg.solve(past.T @ past + np.eye(len(lags)), past.T @ scaled[longest:known])
    window = np.lib.stride_tricks.sliding_window_view(scaled, longest)
    path = np.concatenate([window, np.empty((window.shape[0], horizon))], axis=1)
    columns = longest - np.array(lags)
    for step in range(horizon):
        path[:, longest + step] = path[:, columns + step] @ weights
    ahead[longest - 1 :] = path[:, longest:] * scale + center
    return ahead


WAYS: Final[tuple[Forecaster, ...]] = (
    unchanged,
    recent_mean,
    damped_trend,
    theta,
    usual_phase,
    seasonal(damped_trend),
    seasonal(theta),
    autoregression,
    seasonal_autoregression,
    autoregression_of_changes,
)
