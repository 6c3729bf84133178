"""Forecasts with intervals that hold what they state.

The forecast is the mean of ten plain ways (`forecasters`), each weighed by the inverse of its mean squared error
(Bates and Granger 1969) where it forecast the last values without having been fitted to them. The interval of a
horizon is the forecast plus quantiles of the errors that the combination made at this horizon there (split conformal:
Vovk, Gammerman and Shafer 2005; for series by rolling origin, Hyndman and Athanasopoulos 2021, ch. 5.10), without
the assumption of a distribution, and with the ranks of a finite sample. What is stated for a sum of days is read from
errors of sums of as many days: errors of following days go together.

Minimum data: 28 values and twice the horizon, a fifth of them missing at most; otherwise there is no forecast. The rest
is not told: a level shift within the last days is only followed as fast as the ways follow it, and its interval
is too narrow until it has been seen.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from valueplatform.narrative.judgment.forecasters import WAYS
from valueplatform.narrative.judgment.numbers import WEEK, Floats, filled, series

COVERAGE: Final = 0.90
MINIMUM_VALUES: Final = 28
MOST_MISSING: Final = 0.2
MOST_ORIGINS: Final = 104
LONGEST_PAST: Final = 400
"""Values further back are not read: what holds no longer must not weigh, and time stays bounded."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """One expected value a step ahead, and the interval that holds `coverage` of the values to come."""

    expected: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    coverage: float


@dataclass(frozen=True, slots=True)
class SumForecast:
    """The expected sum of the days ahead, and the interval that holds `coverage` of such sums."""

    days: int
    expected: float
    low: float
    high: float
    coverage: float


def forecast(
    values: Sequence[float] | Floats, horizon: int, *, season: int = WEEK, coverage: float = COVERAGE
) -> Forecast | None:
    """The next `horizon` values. None where there is too little to go by. Values that were never negative are not
    forecast to be."""
    combined = _combined(values, horizon, season)
    if combined is None:
        return None
    ahead, errors, floor = combined
    low, high = _interval(errors, coverage)
    return Forecast(
        tuple(np.maximum(ahead, floor).tolist()),
        tuple(np.maximum(ahead + low, floor).tolist()),
        tuple(np.maximum(ahead + high, floor).tolist()),
        coverage,
    )


def forecast_sum(
    values: Sequence[float] | Floats, days: int, *, season: int = WEEK, coverage: float = COVERAGE
) -> SumForecast | None:
    """The sum of the next `days` values, as the pace to a date asks for it. None where there is too little to go by."""
    combined = _combined(values, days, season)
    if combined is None:
        return None
    ahead, errors, floor = combined
    expected = float(np.maximum(ahead, floor).sum())
    low, high = _interval(errors.sum(axis=1, keepdims=True), coverage)
    least = floor * days
    return SumForecast(
        days, expected, max(expected + float(low[0]), least), max(expected + float(high[0]), least), coverage
    )


def _combined(values: Sequence[float] | Floats, horizon: int, season: int) -> tuple[Floats, Floats, float] | None:
    """The forecast, the errors of earlier forecasts (origins by horizon), and the bound below which nothing lies."""
    past = series(values)[-LONGEST_PAST:]
    present = np.flatnonzero(~np.isnan(past))
    past = past[present[0] :] if present.size else past[:0]
    if past.size < max(MINIMUM_VALUES, 2 * horizon) or np.isnan(past).mean() > MOST_MISSING:
        return None
    missing = np.isnan(past)
    past = filled(past, season)
    origins = min(MOST_ORIGINS, (past.size - horizon) // 2)
    known = past.size - horizon - origins + 1
    starts = np.arange(known - 1, past.size - horizon)
    due = starts[:, None] + np.arange(1, horizon + 1)
    actual = np.where(missing[due], np.nan, past[due])
    earlier = [way(past, known, horizon, season)[starts] for way in WAYS]
    latest = [way(past, past.size, horizon, season)[-1] for way in WAYS]
    usable = [i for i, way in enumerate(earlier) if np.isfinite(way).all() and np.isfinite(latest[i]).all()]
    squared = np.array([np.nanmean((earlier[i] - actual) ** 2) for i in usable])
    least = squared.min()
    weights = np.where(squared == 0, 1.0, 0.0) if least == 0 else least / squared
    weights /= weights.sum()
    ahead = np.tensordot(weights, np.array([latest[i] for i in usable]), axes=1)
    errors = actual - np.tensordot(weights, np.array([earlier[i] for i in usable]), axes=1)
    floor = 0.0 if past.min() >= 0 else -np.inf
    return ahead, np.where(np.isnan(errors), 0.0, errors), floor


def _interval(errors: Floats, coverage: float) -> tuple[Floats, Floats]:
    """Symmetric around the forecast, by horizon: the rank of a finite sample."""
    count = errors.shape[0]
    rank = min(count, int(np.ceil(coverage * (count + 1))))
    reach = np.sort(np.abs(errors), axis=0)[rank - 1]
    return -reach, reach
