"""Whether a change is more than noise. Floats live here alone, and never
become an amount.

Sources: Mann (1945) and Kendall (1975) for the trend test, with the tie correction of Gilbert (1987, ch. 16); Theil
(1950) and Sen (1968) for the slope; Goodman and Grunfeld (1961) for comovement; Abramowitz and Stegun (1964), 26.7.3
and 26.7.4, for Student's t. Two samples, and many tests at once: `value.significance`.
"""

import math
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from statistics import fmean, median, stdev

from valueplatform.value.significance import discoveries, mann_whitney_p, two_sided

__all__ = ("discoveries", "mann_kendall_p", "mann_whitney_p", "theil_sen_slope")


def theil_sen_slope(values: Sequence[Fraction]) -> Fraction:
    """The median slope over all pairs of equally spaced values, per step, exact. Needs two values."""
    pairs = [
        (later - earlier) / (j - i)
        for i, earlier in enumerate(values)
        for j, later in enumerate(values[i + 1 :], start=i + 1)
    ]
    return median(pairs)


def mann_kendall_p(values: Sequence[float]) -> float:
    """Two-sided p-value of no monotonic trend, by the normal approximation with continuity correction (n >= 8)."""
    n = len(values)
    score = sum(_sign(later - earlier) for i, earlier in enumerate(values) for later in values[i + 1 :])
    ties = sum(t * (t - 1) * (2 * t + 5) for t in Counter(values).values())
    variance = (n * (n - 1) * (2 * n + 5) - ties) / 18
    if variance <= 0 or score == 0:
        return 1.0
    return two_sided((abs(score) - 1) / math.sqrt(variance))


def same_direction(first: Sequence[Fraction], second: Sequence[Fraction]) -> int:
    """In how many steps from one value to the next two series of one length move the same way; a step without a move
    is none."""
    return sum(product > 0 for product in _products(first, second))


def comovement_p(first: Sequence[Fraction], second: Sequence[Fraction]) -> float:
    """Two-sided p-value that two series of one length move independently (8 values or more), by the normal
    approximation with continuity correction."""
    products = _products(first, second)
    n = len(products)
    return two_sided(max(0, abs(sum(products)) - 1) / math.sqrt(n + 2 * (n - 1) / 9))


def _products(first: Sequence[Fraction], second: Sequence[Fraction]) -> list[int]:
    pairs = zip(pairwise(first), pairwise(second), strict=True)
    return [_sign(b - a) * _sign(d - c) for (a, b), (c, d) in pairs]


def new_observation_p(sample: Sequence[float], value: float) -> float:
    """Two-sided p-value that `value` is one more of a normal sample of three or more; 1 where the sample does not
    vary."""
    n = len(sample)
    spread = stdev(sample)
    if spread <= 0:
        return 1.0
    return student_p((value - fmean(sample)) / (spread * math.sqrt(1 + 1 / n)), n - 1)


def student_p(t: float, freedom: int) -> float:
    """Two-sided tail of Student's t with `freedom` >= 2, by the finite series of whole degrees of freedom."""
    angle = math.atan(abs(t) / math.sqrt(freedom))
    cosine, sine = math.cos(angle), math.sin(angle)
    odd = freedom % 2
    term, total = (cosine if odd else 1.0), (cosine if odd else 1.0)
    for k in range(3 if odd else 2, freedom - 1, 2):
        term *= (k - 1) / k * cosine * cosine
        total += term
    inside = 2 / math.pi * (angle + sine * total) if odd else sine * total
    return max(0.0, 1 - inside)


def _sign(value: float | Fraction) -> int:
    return (value > 0) - (value < 0)
