"""Whether a change of level is more than what the same weeks brought a year before: a season is no new level.

The days around the change, less those 364 days before (whole weeks, so that weekdays meet) times how much higher the
level stood, are tested as the change itself was (`shifts`: a Wilcoxon test stratified by weekday). What returns every
year leaves no change in them. The test is a filter of what was told from noise already and tells nothing by itself, so
it is not corrected for looks. Noise counts twice in it: near the bound, a change is withheld rather than told.

Minimum data: 56 + 14 days around the change and as many a year before, two thirds of them known, of a series that had
run for 13 weeks by then, since the first weeks of use rise by themselves. Else nothing can be said of the year.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from valueplatform.narrative.judgment.numbers import Floats, series
from valueplatform.narrative.judgment.shifts import BEFORE, scores, two_sided

YEAR: Final = 364
SETTLED: Final = 91
"""Days from the first value on that are not compared."""
DIFFERS: Final = 0.001
"""A level is looked at on many days, each of which might pass by chance."""
NEEDED: Final = YEAR + BEFORE + SETTLED
"""Days before a change that it takes to compare it."""


def differs_from_last_year(values: Sequence[float] | Floats, day: int, length: int) -> bool | None:
    """Whether the level from index `day` on, over `length` days (one of the planned looks), changed otherwise than at
    the same time of the last year, at 0.1 %. None where that year is not known. Values begin with the first day of use,
    or later."""
    days = series(values)
    first = day - BEFORE - YEAR
    if first < SETTLED or day + length > days.size:
        return None
    now, then = (days[start : start + BEFORE + length] for start in (day - BEFORE, first))
    both = ~np.isnan(now) & ~np.isnan(then)
    level = float(then[:BEFORE][both[:BEFORE]].sum())
    if level <= 0 or 3 * both.sum() < 2 * both.size:
        return None
    grown = float(now[:BEFORE][both[:BEFORE]].sum()) / level
    z = float(scores((now - then * grown)[None, :])[0])
    rose = float(np.nanmean(now[BEFORE:]) - np.nanmean(now[:BEFORE]))
    return z * rose > 0 and two_sided(z) <= DIFFERS
