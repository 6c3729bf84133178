"""Intervals that assume nothing of how values are spread. Pure; decimals with 28 digits, so the same everywhere.

The difference of two shares is Newcombe's (1998, method 10): of two Wilson (1927) intervals the distances to the limits
are combined. It holds where a group is small and a share is 0 or 1, where the textbook's normal one does not. Asked
of several things at once, each interval is widened after Bonferroni, so that all of them together hold.

The interval of a median is that of the sign test: between the r-th smallest and the r-th largest value, the largest r
whose coverage, told by the binomial distribution, is not under what is asked (Hollander and Wolfe 1999, section 3.6).
"""

from collections.abc import Sequence
from decimal import Decimal, localcontext
from fractions import Fraction
from math import comb
from statistics import NormalDist
from typing import Final

import msgspec

LEVEL: Final = Fraction(95, 100)
MEDIAN_LEVEL: Final = Fraction(90, 100)
"""Five values reach 93.75 %, so a cohort always has an interval."""
PLACES: Final = Decimal("0.0001")
_QUANTILE_PLACES: Final = 6


class Share(msgspec.Struct, frozen=True):
    """`count` of `of`; `of` is at least one."""

    count: int
    of: int


class Difference(msgspec.Struct, frozen=True):
    """First share less second, with its interval; to four places."""

    value: Decimal
    low: Decimal
    high: Decimal

    @property
    def is_positive(self) -> bool:
        return self.low > 0


class MedianRange(msgspec.Struct, frozen=True):
    """The places (from 0) of the least and greatest value of the interval, and what it covers."""

    first: int
    last: int
    coverage: Fraction


def difference(first: Share, second: Share, at_once: int = 1) -> Difference:
    """`at_once`: of so many differences that hold together at 95 %."""
    z = normal_quantile(1 - (1 - LEVEL) / at_once)
    with localcontext(prec=28):
        p, q = Decimal(first.count) / first.of, Decimal(second.count) / second.of
        (low_p, high_p), (low_q, high_q) = wilson(first, z), wilson(second, z)
        below = ((p - low_p) ** 2 + (high_q - q) ** 2).sqrt()
        above = ((high_p - p) ** 2 + (q - low_q) ** 2).sqrt()
        value = p - q
        return Difference(value.quantize(PLACES), (value - below).quantize(PLACES), (value + above).quantize(PLACES))


def wilson(share: Share, z: Decimal) -> tuple[Decimal, Decimal]:
    n = Decimal(share.of)
    p = Decimal(share.count) / n
    middle = p + z * z / (2 * n)
    half = z * (p * (1 - p) / n + z * z / (4 * n * n)).sqrt()
    over = 1 + z * z / n
    low = Decimal(0) if share.count == 0 else (middle - half) / over
    high = Decimal(1) if share.count == share.of else (middle + half) / over
    return low, high


def normal_quantile(level: Fraction) -> Decimal:
    """So many standard deviations to either side hold that share, to six places."""
    return Decimal(f"{NormalDist().inv_cdf(float((1 + level) / 2)):.{_QUANTILE_PLACES}f}")


def median_range(count: int, level: Fraction = MEDIAN_LEVEL) -> MedianRange | None:
    """None where so few values cannot cover it."""
    found = None
    for first in range((count + 1) // 2):
        coverage = 1 - 2 * Fraction(sum(comb(count, below) for below in range(first + 1)), 2**count)
        if coverage < level:
            break
        found = MedianRange(first, count - 1 - first, coverage)
    return found


def interval_of_median(values: Sequence[Fraction]) -> tuple[Fraction, Fraction, Fraction] | None:
    """Low, high, and what they cover; None where there are too few."""
    place = median_range(len(values))
    if place is None:
        return None
    ordered = sorted(values)
    return ordered[place.first], ordered[place.last], place.coverage
