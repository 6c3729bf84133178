"""Whether a change is more than noise. Floats live here alone, and never
become an amount.

Sources: Mann (1945) and Kendall (1975) for the trend test, with the tie correction of Gilbert (1987, ch. 16); Theil
(1950) and Sen (1968) for the slope; Mann and Whitney (1947) with tie correction for two samples; Benjamini and
Hochberg (1995) for many tests at once.
"""

import math
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from statistics import median


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
    return _two_sided((abs(score) - 1) / math.sqrt(variance))


def mann_whitney_p(first: Sequence[float], second: Sequence[float]) -> float:
    """Two-sided p-value that two samples come from one distribution, by the normal approximation (8 values or more
    in each), with tie and continuity correction."""
    n, m = len(first), len(second)
    ranks = _ranks([*first, *second])
    u = sum(ranks[:n]) - n * (n + 1) / 2
    ties = sum(t**3 - t for t in Counter([*first, *second]).values())
    total = n + m
    variance = n * m / 12 * (total + 1 - ties / (total * (total - 1)))
    if variance <= 0:
        return 1.0
    distance = max(0.0, abs(u - n * m / 2) - 0.5)
    return _two_sided(distance / math.sqrt(variance))


def discoveries(p_values: Sequence[float], rate: float) -> list[bool]:
    """Which of many tests hold at a false discovery rate of `rate` (Benjamini-Hochberg step-up)."""
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    last = -1
    for position, index in enumerate(order):
        if p_values[index] <= rate * (position + 1) / len(p_values):
            last = position
    kept = set(order[: last + 1])
    return [index in kept for index in range(len(p_values))]


def _ranks(values: Sequence[float]) -> list[float]:
    """Ranks from 1; ties share their mean."""
    order = sorted(range(len(values)), key=values.__getitem__)
    ranks = [0.0] * len(values)
    start = 0
    while start < len(order):
        end = start
        while end + 1 < len(order) and values[order[end + 1]] == values[order[start]]:
            end += 1
        for index in order[start : end + 1]:
            ranks[index] = (start + end) / 2 + 1
        start = end + 1
    return ranks


def _sign(value: float) -> int:
    return (value > 0) - (value < 0)


def _two_sided(z: float) -> float:
    return math.erfc(z / math.sqrt(2))
