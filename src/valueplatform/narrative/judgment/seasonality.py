"""Whether a daily value has a weekly season, how strong it is, and which weekdays make it.

Test: Kruskal and Wallis (1952) over the weekdays, ties corrected, of values less the median of the seven days around
them, so that a trend is no season. Strength: one less the variance that weekdays leave, over all of it (Wang, Smith
and Hyndman 2006), 0 to 1. A weekday is high or low where its values differ from those of all others (Mann and Whitney
1947) at a false discovery rate of 1 % among the seven.

Minimum data: eight weeks, five known days of each weekday. Of the last 26 weeks.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from valueplatform.narrative.judgment.numbers import WEEK, Floats, Ints, series
from valueplatform.narrative.significance import discoveries, mann_whitney_p

WEEKS: Final = 26
LEAST_WEEKS: Final = 8
LEAST_DAYS: Final = 5
RATE: Final = 0.01


@dataclass(frozen=True, slots=True)
class Seasonality:
    """`shares` are the weekdays' parts of a week, in the order of the phases: index modulo seven. `high` and `low` are
    phases that stand out."""

    strength: float
    p_value: float
    shares: tuple[float, ...]
    high: tuple[int, ...]
    low: tuple[int, ...]


def weekly_season(values: Sequence[float] | Floats) -> Seasonality | None:
    """The weekly season, also where there is none (then with a large p-value). None where there is too little to say.

    `shares` is empty where the week's sum is not positive.
    """
    days = series(values)
    offset = max(0, days.size - WEEKS * WEEK)
    recent = days[offset:]
    known = ~np.isnan(recent)
    phase: Ints = (np.arange(recent.size, dtype=np.int64) + offset) % WEEK
    if recent.size < LEAST_WEEKS * WEEK or min(np.bincount(phase[known], minlength=WEEK)) < LEAST_DAYS:
        return None
    level = _level(recent)
    rest, phase, recent = (recent - level)[known], phase[known], recent[known]
    means = np.array([rest[phase == each].mean() for each in range(WEEK)])
    whole = float(rest.var())
    left = float((rest - means[phase]).var())
    by_phase = np.array([recent[phase == each].mean() for each in range(WEEK)])
    week = float(by_phase.sum())
    p_values = [mann_whitney_p(rest[phase == each].tolist(), rest[phase != each].tolist()) for each in range(WEEK)]
    stands_out = discoveries(p_values, RATE)
    middle = float(np.median(means))
    return Seasonality(
        strength=max(0.0, 1 - left / whole) if whole > 0 else 0.0,
        p_value=kruskal_wallis_p(rest, phase),
        shares=tuple((by_phase / week).tolist()) if week > 0 else (),
        high=tuple(each for each in range(WEEK) if stands_out[each] and means[each] > middle),
        low=tuple(each for each in range(WEEK) if stands_out[each] and means[each] < middle),
    )


def kruskal_wallis_p(values: Floats, group: Ints) -> float:
    """The p-value that an odd number of groups, three or more, come from one distribution, ties corrected."""
    ordered = np.sort(values)
    rank = (np.searchsorted(ordered, values, "left") + np.searchsorted(ordered, values, "right") + 1) / 2
    count = values.size
    groups = np.unique(group)
    between = sum((rank[group == each] - (count + 1) / 2).sum() ** 2 / (group == each).sum() for each in groups)
    variance = float(((rank - (count + 1) / 2) ** 2).sum()) / (count - 1)
    return chi_square_tail(float(between) / variance, groups.size - 1) if variance > 0 else 1.0


def chi_square_tail(value: float, freedom: int) -> float:
    """The chance of a chi-square value this high or higher, for even degrees of freedom: a Poisson sum, exact."""
    terms = (math.exp(-value / 2 + k * math.log(value / 2) - math.lgamma(k + 1)) for k in range(freedom // 2))
    return min(1.0, sum(terms)) if value > 0 else 1.0


def _level(days: Floats) -> Floats:
    """The median of the seven days around each."""
    half = WEEK // 2
    edge = np.full(half, np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(np.concatenate([edge, days, edge]), WEEK)
    known = ~np.isnan(windows).all(axis=1)
    level = np.full(days.size, np.nan)
    level[known] = np.nanmedian(windows[known], axis=1)
    return level
