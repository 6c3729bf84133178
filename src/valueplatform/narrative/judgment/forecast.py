"""Forecasts with intervals that hold what they state.

The forecast is the mean of ten plain ways (`forecasters`), each weighed by the inverse of its mean squared error
(Bates and Granger 1969) where it forecast the last values without having been fitted to them. The interval of a
horizon is the forecast plus quantiles of the errors that the combination made at this horizon there (split conformal:
Vovk, Gammerman and Shafer 2005; for series by rolling origin, Hyndman and Athanasopoulos 2021, ch. 5.10), without
the assumption of a distribution, and with the ranks of a finite sample. What is stated for a sum of days is read from
errors of sums of as many days: errors of following days go together.

Minimum data: 28 values, twice the horizon, and enough days to forecast from that the rank of the interval exists
(nine for 90 %); a fifth of the values missing at most. Otherwise there is no forecast. Errors of long sums overlap:
with little more than the minimum the interval of a sum holds somewhat less than it states. A level shift within the
last days is followed only as fast as the ways follow it, and the interval is too narrow until it has been seen.
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
    forecast to be. Raises ValueError for a horizon below one."""
    combined = _combined(values, horizon, season)
    reach = None if combined is None else _reach(combined[1], coverage)
    if combined is None or reach is None:
        return None
    ahead, _, floor = combined
    return Forecast(
        tuple(np.maximum(ahead, floor).tolist()),
        tuple(np.maximum(ahead - reach, floor).tolist()),
        tuple(np.maximum(ahead + reach, floor).tolist()),
        coverage,
    )


def forecast_sum(
    values: Sequence[float] | Floats, days: int, *, season: int = WEEK, coverage: float = COVERAGE
) -> SumForecast | None:
    """The sum of the next `days` values, as the pace to a date asks for it. None where there is too little to go
    by. Raises ValueError where there is no day ahead."""
    combined = _combined(values, days, season)
    reach = None if combined is None else _reach(_of_sums(combined[1]), coverage)
    if combined is None or reach is None:
        return None
    ahead, _, floor = combined
    expected = float(np.maximum(ahead, floor).sum())
    low, high = expected - float(reach[0]), expected + float(reach[0])
    return SumForecast(days, expected, max(low, floor * days), high, coverage)


def _combined(values: Sequence[float] | Floats, horizon: int, season: int) -> tuple[Floats, Floats, float] | None:
    """The forecast, the errors of earlier forecasts (origins by horizon, nan where the value is missing), and the bound
    below which nothing lies."""
    if horizon < 1:
        raise ValueError("A forecast looks at least one step ahead.")
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
    return ahead, errors, floor


def _of_sums(errors: Floats) -> Floats:
    """The errors of whole sums: a missing day erred as its neighbors did. Nan where less than half is known."""
    known = (~np.isnan(errors)).sum(axis=1)
    enough = known * 2 >= errors.shape[1]
    sums = np.full(errors.shape[0], np.nan)
    sums[enough] = np.nansum(errors[enough], axis=1) * errors.shape[1] / known[enough]
    return sums[:, None]


def _reach(errors: Floats, coverage: float) -> Floats | None:
    """How far the interval reaches to either side, by horizon: the rank of a finite sample, None where it has none."""
    counts = (~np.isnan(errors)).sum(axis=0)
    ranks = np.ceil(coverage * (counts + 1)).astype(np.int64)
    if (ranks > counts).any():
        return None
    ordered = np.sort(np.abs(errors), axis=0)
    return np.asarray(ordered[ranks - 1, np.arange(errors.shape[1])])
