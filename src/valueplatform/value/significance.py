"""Whether two samples differ by more than noise, asked of many at once. Floats live here, and never become an amount.

Sources: Mann and Whitney (1947) with tie and continuity correction for two samples; Benjamini and Hochberg (1995) for
many tests at once.
"""

import math
from collections import Counter
from collections.abc import Sequence


def mann_whitney_p(first: Sequence[float], second: Sequence[float]) -> float:
    """Two-sided p-value that two samples come from one distribution, by the normal approximation (8 values or more
    in each), with tie and continuity correction."""
    n, m = len(first), len(second)
    ranked = ranks([*first, *second])
    u = sum(ranked[:n]) - n * (n + 1) / 2
    ties = sum(t**3 - t for t in Counter([*first, *second]).values())
    total = n + m
    variance = n * m / 12 * (total + 1 - ties / (total * (total - 1)))
    if variance <= 0:
        return 1.0
    distance = max(0.0, abs(u - n * m / 2) - 0.5)
    return two_sided(distance / math.sqrt(variance))


def discoveries(p_values: Sequence[float], rate: float) -> list[bool]:
    """Which of many tests hold at a false discovery rate of `rate` (Benjamini-Hochberg step-up)."""
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    last = -1
    for position, index in enumerate(order):
        if p_values[index] <= rate * (position + 1) / len(p_values):
            last = position
    kept = set(order[: last + 1])
    return [index in kept for index in range(len(p_values))]


def two_sided(z: float) -> float:
    """The chance of a standard normal value at least so far from zero."""
    return math.erfc(z / math.sqrt(2))


def ranks(values: Sequence[float]) -> list[float]:
    """Ranks from 1; ties share their mean."""
    order = sorted(range(len(values)), key=values.__getitem__)
    found = [0.0] * len(values)
    start = 0
    while start < len(order):
        end = start
        while end + 1 < len(order) and values[order[end + 1]] == values[order[start]]:
            end += 1
        for index in order[start : end + 1]:
            found[index] = (start + end) / 2 + 1
        start = end + 1
    return found
