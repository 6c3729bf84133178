"""Whether a change is more than noise. Floats live here alone, and never
become an amount.

Sources: Mann (1945) and Kendall (1975) for the trend test, with the tie correction of Gilbert (1987, ch. 16); Theil
(1950) and Sen (1968) for the slope. Two samples, and many tests at once: `value.significance`.
"""

import math
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from statistics import median

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


def _sign(value: float) -> int:
    return (value > 0) - (value < 0)
