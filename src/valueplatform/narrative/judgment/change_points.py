"""Where a series changes its level, slope or spread, looking back over all of it.

Model: straight lines with normal noise of their own spread, one after the other. The cuts are the most probable ones:
optimal partitioning (Jackson et al. 2005) over the exact marginal likelihood of each line. Nothing is tuned to a
series; the priors are unit-information priors (Kass and Wasserman 1995): a line's level and slope are worth one
observation, its variance two observations of the series' own variance, and a cut comes about once a series.

Before it is cut, the series is tamed: a value further than three robust standard deviations from the running median of
seven is moved to that bound (Hampel 1974), so that a lone outlier is no change. Where the noise is still heavier tailed
than normal, likelihoods are tempered by (kurtosis - 1) / 2, the factor by which the variance of a variance then grows:
else every quiet stretch of a sparse count were a change of spread.

Minimum data: ten values. Missing values are left out. Quadratic in time: about 10 ms for a year of days.
"""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np

from valueplatform.narrative.judgment.numbers import Floats, robust_scale, series

SHORTEST: Final = 5
"""Values between two changes."""

OUTLIER: Final = 3.0
RUNNING: Final = 7


def change_points(values: Sequence[float] | Floats, *, season: int = 1) -> tuple[int, ...]:
    """Indices of the first value after each change, rising; none where the series holds.

    The same for the series shifted or scaled. With a season its medians by phase are taken away first.
    """
    given = series(values)
    present = np.flatnonzero(~np.isnan(given))
    if present.size < 2 * SHORTEST:
        return ()
    if season > 1:
        given = given - _usual_by_phase(given, season)
    kept = given[present]
    largest = float(np.abs(kept).max())
    tame = tamed(kept / largest) if largest else kept
    spread = float(tame.std())
    if spread <= 1e-12:
        return ()
    return tuple(int(present[cut]) for cut in _best_cuts((tame - tame.mean()) / spread))


def tamed(values: Floats) -> Floats:
    """Values with outliers moved to three robust standard deviations from the running median of seven."""
    half = RUNNING // 2
    edge = np.full(half, np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(np.concatenate([edge, values, edge]), RUNNING)
    middle = np.nanmedian(windows, axis=1)
    reach = OUTLIER * robust_scale(values - middle)
    return np.asarray(middle + np.clip(values - middle, -reach, reach))


def _usual_by_phase(values: Floats, season: int) -> Floats:
    """For each value the median of its phase less the median of all, over what is known; zero for an unknown phase."""
    usual = np.zeros(values.size)
    for phase in range(season):
        own = values[phase::season]
        known = own[~np.isnan(own)]
        if known.size:
            usual[phase::season] = np.median(known) - np.nanmedian(values)
    return usual


def _best_cuts(values: Floats) -> list[int]:
    """The most probable cuts of a series of mean zero and variance one."""
    count = values.size
    cost = _Cost(values)
    cut_cost = 2 * math.log(count)
    best = np.full(count + 1, np.inf)
    best[0] = -cut_cost
    before = np.zeros(count + 1, dtype=np.int64)
    for end in range(SHORTEST, count + 1):
        count_of_starts = end - SHORTEST + 1
        total = best[:count_of_starts] + cost.of(count_of_starts, end) + cut_cost
        before[end] = int(np.argmin(total))
        best[end] = total[before[end]]
    cuts: list[int] = []
    end = int(before[count])
    while end > 0:
        cuts.append(end)
        end = int(before[end])
    return cuts[::-1]


class _Cost:
    """-2 log marginal likelihood of a straight line with normal noise over any stretch of a series.

    Level and slope have a normal prior worth one observation (Zellner's g-prior with g = the stretch's length, Kass
    and Wasserman 1995), the variance an inverse gamma prior of shape 1 and scale 1 (the series has variance 1).
    """

    def __init__(self, values: Floats) -> None:
        count = values.size
        kurtosis = float((values**4).mean())
        self._temper = max(1.0, (kurtosis - 1) / 2)
        time = np.arange(count) / count
        self._sums = np.array(
            [np.concatenate([[0.0], np.cumsum(each)]) for each in (time, time**2, values, values**2, time * values)]
        )
        self._lengths = np.arange(count + 1, dtype=np.float64)
        worth = self._lengths / self._temper
        self._held = worth / (1 + worth)
        self._fixed = 2 * np.log1p(worth) - 2 * np.array([math.lgamma(1 + each / 2) for each in worth])
        self._twice_shape = 2 + worth

    def of(self, starts: int, end: int) -> Floats:
        """The cost of the stretch from each of the first `starts` indices up to, not including, `end`."""
        length = self._lengths[end : end - starts : -1]
        time, time2, value, value2, both = self._sums[:, end, None] - self._sums[:, :starts]
        spread = value2 - value**2 / length
        time_spread = time2 - time**2 / length
        shared = both - time * value / length
        # A stretch has five values or more: its times differ.
        explained = shared**2 / time_spread
        held = self._held[end : end - starts : -1]
        rest = np.maximum(spread - explained * held, 0) + value**2 / length * (1 - held)
        return np.asarray(
            self._fixed[end : end - starts : -1]
            + self._twice_shape[end : end - starts : -1] * np.log1p(rest / (2 * self._temper))
        )
