"""Whether a value is steady: what one week brings, the next brings too.

Statistic: the coefficient of variation of whole-week sums, at most the last 26, with its upper 95 % confidence bound
(McKay 1932, as simplified by Vangel 1996; chi-square by Wilson and Hilferty 1931). Steady where the bound is at most
10 %: a few weeks that happen to agree do not make it so. Weekly sums take the weekly season out. Minimum data: twelve
known weeks, none of them negative; a week with a missing day is not known.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from valueplatform.narrative.judgment.numbers import WEEK, Floats, series

WEEKS: Final = 26
LEAST_WEEKS: Final = 12
STEADY: Final = 0.10
Z_95: Final = 1.6448536269514722


@dataclass(frozen=True, slots=True)
class Steadiness:
    """`variation` is a share of the mean week, `at_most` its upper bound."""

    weeks: int
    mean_week: float
    variation: float
    at_most: float

    @property
    def steady(self) -> bool:
        return self.at_most <= STEADY


def steadiness(values: Sequence[float] | Floats) -> Steadiness | None:
    """How steady the last whole weeks were, counted back from the last value. None where there are too few, or where
    nothing came."""
    days = series(values)
    whole = min(WEEKS, days.size // WEEK)
    if whole < LEAST_WEEKS:
        return None
    sums = days[days.size - whole * WEEK :].reshape(whole, WEEK).sum(axis=1)
    sums = sums[~np.isnan(sums)]
    if sums.size < LEAST_WEEKS or sums.min() < 0 or sums.max() <= 0:
        return None
    mean = float(sums.mean())
    variation = float(sums.std(ddof=1)) / mean
    return Steadiness(int(sums.size), mean, variation, _upper_bound(variation, int(sums.size)))


def _upper_bound(variation: float, count: int) -> float:
    freedom = count - 1
    spread = 2 / (9 * freedom)
    quantile = freedom * (1 - spread - Z_95 * math.sqrt(spread)) ** 3
    below = ((quantile + 2) / count - 1) * variation**2 + quantile / freedom
    return variation / math.sqrt(below) if below > 0 else math.inf
