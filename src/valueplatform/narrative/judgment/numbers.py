"""Series of equally spaced values, as every judgment takes them: floats, nan where a value is missing or must not be
compared (an outage, a holiday, a day before the first)."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

WEEK: Final = 7

NORMAL_SCALE: Final = 1.4826
"""The median absolute deviation times this is the standard deviation of normal noise."""


def series(values: Sequence[float] | Floats) -> Floats:
    """A copy as an array of one dimension. Raises ValueError where a value is infinite: it cannot be judged."""
    array = np.array(values, dtype=np.float64).reshape(-1)
    if np.isinf(array).any():
        raise ValueError("An infinite value cannot be judged; leave it out as nan.")
    return array


def robust_scale(deviations: Floats) -> float:
    """The standard deviation of normal noise with this median absolute deviation from zero. Where more than half are
    zero it says nothing, and the mean absolute deviation stands in (as normal noise has it). Zero if all are."""
    if not deviations.size:
        return 0.0
    size = np.abs(deviations)
    scale = NORMAL_SCALE * float(np.median(size))
    return scale or float(np.sqrt(np.pi / 2) * size.mean())


def filled(values: Floats, season: int) -> Floats:
    """Gaps filled with the median of up to four values of the same phase on either side, else of all values."""
    whole = values.copy()
    for index in np.flatnonzero(np.isnan(values)):
        near = values[index % season :: season]
        at = index // season
        peers = near[max(0, at - 4) : at + 5]
        peers = peers[~np.isnan(peers)]
        whole[index] = np.median(peers) if peers.size else np.nanmedian(values)
    return whole
