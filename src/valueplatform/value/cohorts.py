"""Accounts compared with their like: what a cohort must be (value rule 20), and what it says. Pure and exact.

Quartiles are of type 7, linear between the ordered values (Hyndman and Fan 1996). The difference between two groups is
Hodges and Lehmann's (1963), the median of all differences of one of each, with the distribution-free 90 % interval that
goes with the rank-sum test (Hollander and Wolfe 1999, section 4.3, large samples): nothing is assumed of how amounts
are spread, and a few outsized accounts move it little. Only accounts of one segment are paired, so that segments which
differ are not taken for an effect; the statistics of the segments add up, as van Elteren's (1960) do.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import floor, sqrt
from typing import Final

import msgspec

COHORT: Final = 5
"""Fewer accounts than this are not compared."""
MOST_PAIRED: Final = 100
"""Of each group, in a difference: pairs grow with the square."""
_NORMAL_95: Final = 1.6449
"""Standard normal quantile: 5 % lie above."""


class Spread(msgspec.Struct, frozen=True):
    """low <= expected <= high."""

    low: Fraction
    expected: Fraction
    high: Fraction


def is_masked(values: Sequence[Fraction]) -> bool:
    """Whether the values may not be told of together: too few accounts, or one is more than half of the total."""
    sizes = [abs(value) for value in values]
    return len(sizes) < COHORT or 2 * max(sizes) > sum(sizes)


def quantile(values: Sequence[Fraction], share: Fraction) -> Fraction:
    """Of at least one value; `share` 1/2 is the median."""
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    below = floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (place - below) * (ordered[above] - ordered[below])


def further(values: Sequence[Fraction], share: Fraction) -> Fraction:
    """Below which one further value of the kind falls with a chance of `share`, of type 6: linear between the ranks of
    n + 1. Of a cohort, whose ranks reach to a sixth."""
    ordered = sorted(values)
    place = share * (len(ordered) + 1) - 1
    below = floor(place)
    return ordered[below] + (place - below) * (ordered[below + 1] - ordered[below])


def median(values: Sequence[Fraction]) -> Fraction:
    return quantile(values, Fraction(1, 2))


def middle_half(lows: Sequence[Fraction], expected: Sequence[Fraction], highs: Sequence[Fraction]) -> Spread:
    """The median of what is expected, from the lower quartile of the lows to the upper quartile of the highs: it holds
    how accounts differ and how far each amount is known."""
    return Spread(quantile(lows, Fraction(1, 4)), median(expected), quantile(highs, Fraction(3, 4)))


Groups = Mapping[str, tuple[Sequence[Fraction], Sequence[Fraction]]]
"""By segment: the values of one group, and of the other."""


def difference(groups: Groups) -> Spread:
    """By how much the values of one group are higher than those of the other, with its 90 % interval. Some segment has
    both. Values stand in an order that has nothing to do with them; of each segment and group the first 100 are
    paired."""
    pairs: list[Fraction] = []
    variance = 0.0
    for of, over in groups.values():
        first, second = of[:MOST_PAIRED], over[:MOST_PAIRED]
        pairs += [one - other for one in first for other in second]
        variance += len(first) * len(second) * (len(first) + len(second) + 1) / 12
    pairs.sort()
    skipped = max(0, floor(len(pairs) / 2 - _NORMAL_95 * sqrt(variance)))
    return Spread(pairs[skipped], median(pairs), pairs[-1 - skipped])
