"""A day that lies outside what its weekday ever brought.

Each day is compared with the median of its own weekday over the eight weeks before it, in units of that weekday's
usual distance from it; the days before give the distances to expect, each taken in the same way. How improbable the
day's distance is follows from them: among the ranks of all, and beyond the tenth part that lies furthest out, from the
tail that fits it (generalized Pareto by probability-weighted moments, Hosking and Wallis 1987; Pickands 1975 for why),
never lighter than exponential, and with its shape drawn towards a quarter as if by forty days. Rises and drops are
judged apart: most values cannot drop as far as they rise.

Many looks: `p_value` is that of the day times two directions and 365 looks a year (Bonferroni), so that it falls below
q within a year of a steady series with a probability of about q. Only about: how far a tail reaches is estimated, and
noise as heavy as Student's t with three degrees, or counts near zero, come to several times q (`benchmarks.calm`).
Unusual: at most 5 %; several series are then held to their false discovery rate as if tested once.

Minimum data: 112 days of history, four known days of the weekday in the eight weeks before, 50 days that
differ from their weekday's median. Outages and holidays must be nan: what is known to be unlike is not compared, and
not learned from.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from valueplatform.narrative.judgment.numbers import WEEK, Floats, series

WEEKS: Final = 8
LEAST_WEEKS: Final = 4
LEAST_HISTORY: Final = 112
LEAST_DIFFERENT: Final = 50
HISTORY: Final = 392
TAIL: Final = 0.1
LEAST_TAIL: Final = 10
PRIOR_SHAPE: Final = 0.25
PRIOR_WORTH: Final = 40
PRIOR_DAYS: Final = 4
LOOKS_A_YEAR: Final = 365
UNUSUAL: Final = 0.05


@dataclass(frozen=True, slots=True)
class Unusual:
    """`usual` is the median of the weekday. `distance` counts the weekday's usual distances, negative below.
    `p_value` is corrected for a year of looks. `record`: no known day was higher (or lower, if it is low)."""

    day: int
    value: float
    usual: float
    distance: float
    p_value: float
    record: bool


def unusual_days(values: Sequence[float] | Floats, since: int = -1) -> tuple[Unusual, ...]:
    """The unusual ones among the days from index `since` on (by default only the last), each against the days before
    it. A day that is missing, or that has too little to be compared with, is not among them."""
    days = series(values)
    since = max(0, since + days.size) if since < 0 else since
    usual, distance = _compared(days)
    found = []
    for day in range(max(since, LEAST_HISTORY), days.size):
        p_value = _p_value(distance[max(0, day - HISTORY) : day], float(distance[day]))
        if p_value <= UNUSUAL:
            towards = np.sign(distance[day])
            record = bool(days[day] * towards > np.nanmax(days[:day] * towards))
            found.append(Unusual(day, float(days[day]), float(usual[day]), float(distance[day]), p_value, record))
    return tuple(found)


def _p_value(past: Floats, distance: float) -> float:
    past = past[~np.isnan(past)]
    if math.isnan(distance) or distance == 0 or np.count_nonzero(past) < LEAST_DIFFERENT:
        return 1.0
    towards = math.copysign(1.0, distance)
    return min(1.0, 2 * LOOKS_A_YEAR * exceedance(past * towards, distance * towards))


def exceedance(past: Floats, value: float) -> float:
    """The chance of a value as high as this, given past ones of the same kind."""
    ordered = np.sort(past)
    count = ordered.size
    distinct = np.unique(ordered)
    above = count - np.searchsorted(ordered, distinct, "right")
    bounds = distinct[above >= max(LEAST_TAIL, TAIL * count)]
    if not bounds.size or value <= bounds[-1]:
        return float(((past >= value).sum() + 1) / (count + 1))
    bound = float(bounds[-1])
    beyond = ordered[ordered > bound] - bound
    scale, shape = _pareto(beyond)
    excess = (value - bound) / scale
    return beyond.size / count * (math.exp(-excess) if shape <= 1e-9 else (1 + shape * excess) ** (-1 / shape))


def _pareto(beyond: Floats) -> tuple[float, float]:
    """Scale and shape from probability-weighted moments, the shape drawn towards the prior, and not below zero."""
    count = beyond.size
    mean = float(beyond.mean())
    weighted = float((beyond * (count - np.arange(1, count + 1)) / (count - 1)).mean())
    gap = mean - 2 * weighted
    own = 2 - mean / gap if gap > 1e-12 * max(mean, 1e-300) else 0.5
    shape = (count * min(own, 0.9) + PRIOR_WORTH * PRIOR_SHAPE) / (count + PRIOR_WORTH)
    shape = max(shape, 0.0)
    return mean * (1 - shape), shape


def _compared(days: Floats) -> tuple[Floats, Floats]:
    """For each day the median of its weekday in the eight weeks before, and its deviation from that in units of the
    weekday's mean deviation up to the week before, drawn towards that of all weekdays as if by four days."""
    lead = -days.size % WEEK
    weeks = np.concatenate([np.full(lead, np.nan), days]).reshape(-1, WEEK)
    past = np.concatenate([np.full((WEEKS, WEEK), np.nan), weeks[:-1]]) if weeks.size else weeks
    if not past.size:
        return days, days
    before = np.lib.stride_tricks.sliding_window_view(past, WEEKS, axis=0)
    enough = (~np.isnan(before)).sum(axis=2) >= LEAST_WEEKS
    usual = np.full(weeks.shape, np.nan)
    usual[enough] = np.nanmedian(before[enough], axis=1)
    deviation = weeks - usual
    learned = np.abs(deviation)
    total, count = _so_far(np.nan_to_num(learned)), _so_far((~np.isnan(learned)).astype(np.float64))
    everyday = total.sum(axis=1, keepdims=True) / np.maximum(count.sum(axis=1, keepdims=True), 1)
    unit = (total + PRIOR_DAYS * everyday) / (count + PRIOR_DAYS)
    distance = np.divide(deviation, unit, out=np.full(weeks.shape, np.nan), where=unit > 0)
    return usual.reshape(-1)[lead:], distance.reshape(-1)[lead:]


def _so_far(weeks: Floats) -> Floats:
    """Sums by weekday over the weeks before each."""
    return np.concatenate([np.zeros((1, WEEK)), np.cumsum(weeks, axis=0)[:-1]])
