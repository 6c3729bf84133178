"""A lasting change of level of a daily value: told once enough days confirm it, withdrawn when it does not hold.

Each day is a candidate, and is looked at exactly three times: when 14, 28 and 56 days from it on are known. The days
from it on are compared with the 56 days before it, weekday by weekday (van Elteren 1960: a Wilcoxon test stratified by
weekday), so that neither the week's season nor a weekend's other spread matters, nor how the noise is distributed.
Mean, variance and skewness are those of the permutation distribution, ties included; the tail is read from the Pearson
III curve through them (Wilson and Hilferty 1931). Noise that hangs together from day to day inflates the variance by
(1 + r) / (1 - r), r the correlation of following days within the two sides, if positive.

Many looks: a year of daily looking makes three times 365 of these tests a series. A shift's `p_value` is multiplied by
as many (Bonferroni): under steady noise it falls below q within a year with probability q at most, however often one
looks. Tests of several series may then be held to a false discovery rate of q as if they had been made once.

Confirmed: at any of its looks the corrected p-value is at most 5 %. Withdrawn: its latest look no longer shows a change
of the same direction at 1 %, uncorrected. Not yet confirmed is not told.

Minimum data: 28 days before, two thirds of the days known on each side, and 14 days in both that differ from their
usual value: counts nearer to zero say nothing by day."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from valueplatform.narrative.judgment.numbers import WEEK, Flags, Floats, Ints, series

LOOKS: Final = (14, 28, 56)
BEFORE: Final = 56
LEAST_BEFORE: Final = 28
LOOKS_A_YEAR: Final = len(LOOKS) * 365
CONFIRMED: Final = 0.05
HOLDS: Final = 0.01
LEAST_KNOWN: Final = 2 / 3
LEAST_INFORMATIVE: Final = 14
MEMORY: Final = 120
"""Candidates further back than this are not looked at again: what is older is history, not news."""

APART: Final = 14
"""A shift back is another shift from this many days on."""


@dataclass(frozen=True, slots=True)
class Shift:
    """`day` is the index of the first day of the new level. Levels are means a day over whole weeks: of the 56 days
    before `day`, and of the days of its latest look. `p_value` is corrected for a year of looks. `confirmed_on` is the
    index of the last day that was needed."""

    day: int
    before: float
    after: float
    p_value: float
    confirmed_on: int
    holds: bool

    @property
    def confidence(self) -> float:
        return 1 - self.p_value


def shifts(values: Sequence[float] | Floats) -> tuple[Shift, ...]:
    """The confirmed changes of level among the last 120 days, oldest first; those that do not hold are marked, so that
    they can be withdrawn. The last value is the last whole day; days that must not be compared are nan.

    Shifting or scaling the values changes nothing but the levels; mirroring them mirrors them.
    """
    days = series(values)
    corrected, z = looks(days, since=days.size - MEMORY)
    found = [_shift(days, each, corrected[:, each], z[:, each]) for each in _peaks(corrected.min(axis=0), z)]
    return tuple(sorted((each for each in found if each.confirmed_on < days.size), key=lambda shift: shift.day))


def looks(days: Floats, since: int = 0) -> tuple[Floats, Floats]:
    """Of each look (rows) at each day (columns) from `since` on: the corrected p-value, and its normal deviate,
    positive for a rise. A look that has not come, or has too little to go by, is 1 and 0. What came later changes no
    look."""
    corrected, z = np.ones((len(LOOKS), days.size)), np.zeros((len(LOOKS), days.size))
    for row, length in enumerate(LOOKS):
        first = max(LEAST_BEFORE, since)
        last = days.size - length
        if first > last:
            continue
        padded = np.concatenate([np.full(BEFORE - LEAST_BEFORE, np.nan), days])
        windows = np.lib.stride_tricks.sliding_window_view(padded, BEFORE + length)[first - LEAST_BEFORE :]
        z[row, first : last + 1] = scores(windows)
        corrected[row, first : last + 1] = [
            min(1.0, two_sided(each) * LOOKS_A_YEAR) for each in z[row, first : last + 1]
        ]
    return corrected, z


def scores(windows: Floats) -> Floats:
    """Of each window (rows of 56 days and those of a planned look), the normal deviate of the change between the two;
    0 where there is too little to go by."""
    weeks = windows.reshape(windows.shape[0], -1, WEEK)
    known = ~np.isnan(weeks)
    later = np.zeros(weeks.shape[1], dtype=bool)
    later[BEFORE // WEEK :] = True
    sign = np.sign(weeks[:, :, None, :] - weeks[:, None, :, :])
    rank = np.nansum(sign, axis=2) / 2
    counts = known.sum(axis=1)
    after = known[:, later].sum(axis=1)
    before = counts - after
    weight = 1 / (counts + 1)
    statistic = (weight * rank[:, later].sum(axis=1)).sum(axis=1)
    pairs = counts * (counts - 1)
    variance = _over(before * after, pairs) * (rank**2).sum(axis=1)
    third = _over(before * after * (before - after), pairs * (counts - 2)) * (rank**3).sum(axis=1)
    deviation = np.sqrt((weight**2 * variance).sum(axis=1))
    continuous = np.maximum(np.abs(statistic) - weight.max(axis=1) / 2, 0)
    z = _over(np.sign(statistic) * continuous, deviation * np.sqrt(_inflation(windows)))
    skewness = _over((weight**3 * third).sum(axis=1), deviation**3)
    return np.where(_enough(weeks), _normal_deviate(z, skewness), 0.0)


def _peaks(corrected: Floats, z: Floats) -> list[int]:
    """The most significant candidates, one for each shift: the same shift shows on all days around it."""
    peaks: list[int] = []
    towards = np.sign(z[np.abs(z).argmax(axis=0), np.arange(z.shape[1])])
    for candidate in np.argsort(corrected, kind="stable"):
        if corrected[candidate] > CONFIRMED:
            break
        near = [abs(candidate - peak) < (BEFORE if towards[candidate] == towards[peak] else APART) for peak in peaks]
        if not any(near):
            peaks.append(int(candidate))
    return peaks


def _shift(days: Floats, candidate: int, corrected: Floats, z: Floats) -> Shift:
    best = int(np.argmin(corrected))
    first = int(np.argmax(corrected <= CONFIRMED))
    latest = max(row for row, length in enumerate(LOOKS) if candidate + length <= days.size)
    day = _located(days, candidate)
    before = days[max(0, day - BEFORE) : day]
    after = days[day : min(day + LOOKS[latest], days.size)]
    return Shift(
        day=day,
        before=float(np.nanmean(before)),
        after=float(np.nanmean(after)),
        p_value=float(corrected[best]),
        confirmed_on=max(candidate + LOOKS[first], day + LOOKS[0]) - 1,
        holds=bool(z[latest] * z[best] > 0 and two_sided(z[latest]) <= HOLDS),
    )


def _located(days: Floats, candidate: int) -> int:
    """The day around the candidate that parts the days best: the largest sum of squares between the two sides of the
    days' ranks within their weekday (Pettitt 1979)."""
    first = max(0, candidate - BEFORE)
    window = days[first : candidate + BEFORE]
    rank = np.zeros(window.size)
    for phase in range(WEEK):
        own = window[phase::WEEK]
        rank[phase::WEEK] = np.nansum(np.sign(own[:, None] - own[None, :]), axis=1) / max(own.size, 1)
    known = np.flatnonzero(~np.isnan(window))
    parted = np.arange(1, known.size)
    gain = np.cumsum(rank[known])[:-1] ** 2 / (parted * (known.size - parted))
    place = known[parted] + first
    near = np.abs(place - candidate) < APART
    return int(place[near][np.argmax(gain[near])]) if near.any() else candidate


def two_sided(z: float) -> float:
    return math.erfc(abs(z) / math.sqrt(2))


def _over(above: Floats | Ints, below: Floats | Ints) -> Floats:
    return np.divide(above, below, out=np.zeros(np.broadcast(above, below).shape), where=below > 1e-12)


def _normal_deviate(z: Floats, skewness: Floats) -> Floats:
    """The deviate of the same tail; on the lighter side of a skew curve the normal one, which says less."""
    skew = np.maximum(np.sign(z) * skewness, 0)
    size = np.abs(z)
    curved = _over(6 * (np.cbrt(1 + skew * size / 2) - 1), skew) + skew / 6
    return np.asarray(np.sign(z) * np.where(skew > 1e-6, np.minimum(curved, size), size))


def _inflation(windows: Floats) -> Floats:
    """How much more the sums vary than those of independent days, at least 1."""
    weeks = windows.reshape(windows.shape[0], -1, WEEK)
    usual = _mean(weeks[:, : BEFORE // WEEK], 1)[:, None, :]
    rest = (weeks - usual).reshape(windows.shape)
    sides = [rest[:, :BEFORE], rest[:, BEFORE:]]
    level = np.concatenate([np.broadcast_to(_mean(side, 1)[:, None], side.shape) for side in sides], axis=1)
    rest = rest - level
    bound = 3 * _mean(np.abs(rest), 1)[:, None]
    rest = np.clip(rest, -bound, bound)
    following = rest[:, 1:] * rest[:, :-1]
    both = ~np.isnan(following)
    correlation = _over(np.nansum(following, axis=1), np.nansum(rest**2, axis=1)) * _over(
        (~np.isnan(rest)).sum(axis=1), both.sum(axis=1)
    )
    correlation = np.clip(correlation, 0, 0.9)
    return np.asarray((1 + correlation) / (1 - correlation))


def _mean(values: Floats, axis: int) -> Floats:
    known = ~np.isnan(values)
    return _over(np.where(known, values, 0.0).sum(axis=axis), known.sum(axis=axis))


def _enough(weeks: Floats) -> Flags:
    split = BEFORE // WEEK
    known: Flags = np.asarray(~np.isnan(weeks))
    after_days = (weeks.shape[1] - split) * WEEK
    before, after = known[:, :split].sum(axis=(1, 2)), known[:, split:].sum(axis=(1, 2))
    flat = weeks.reshape(weeks.shape[0], -1)
    unknown: Flags = np.asarray(np.isnan(flat).all(axis=1, keepdims=True))
    usual = np.nanmedian(np.where(unknown, 0.0, flat), axis=1)
    informative = (known.reshape(flat.shape) & (flat != usual[:, None])).sum(axis=1)
    return np.asarray(
        (before >= LEAST_BEFORE * LEAST_KNOWN)
        & (after >= after_days * LEAST_KNOWN)
        & (informative >= LEAST_INFORMATIVE)
    )
