"""What made it change: which combination of dimension values a change of a metric goes back to.

The metric is value / weight (failures / requests, hours / job); where there is only a value, each row weighs one. The
periods before say what each slice would have brought now: the median over them of its metric, times its weight now. A
median keeps a bad period among them from becoming the usual. A slice of little weight is drawn towards the metric of
all, as if by PRIOR periods' worth of weight.

Slices of up to three dimensions that moved in the direction asked for are ranked by their surprise, the Jensen-Shannon
divergence of expected and actual amount (Adtributor: Bhagwan et al. 2014), in the unit of the value: a sub-slice of
the cause misses part of the amount, a slice around it dilutes the factor, so both surprise less (the ripple effect of
Sun et al. 2018 and Li et al. 2019: a cause changes its parts alike). Slices of exactly the same rows are one, told by
the fewest dimensions. Nothing causal is proved: it says where the change sits."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations
from typing import Final

import numpy as np
from numpy.typing import NDArray

from valueplatform.narrative.judgment.numbers import Floats, Ints

MOST_DIMENSIONS: Final = 3
PRIOR_WEIGHT: Final = 50.0


class Direction(StrEnum):
    UP = "up"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Row:
    """What one combination of dimension values brought in one period. `labels` are in the order of the dimensions."""

    period: int
    labels: tuple[str, ...]
    value: float
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Cause:
    """`slice` names its dimensions and their values. `expected` and `actual` are amounts of the value in the period.
    `share` is the part of the whole's excess that sits in it: more than one where others moved the other way."""

    slice: tuple[tuple[str, str], ...]
    expected: float
    actual: float
    surprise: float
    share: float


def causes(
    dimensions: Sequence[str],
    rows: Sequence[Row],
    period: int,
    *,
    direction: Direction = Direction.UP,
    most: int = 3,
    prior_weight: float = PRIOR_WEIGHT,
) -> tuple[Cause, ...]:
    """The slices that surprise most in `period` against all earlier periods, the most surprising first; none where
    nothing moved that way or nothing is known before. Raises ValueError where a row has more or fewer labels than
    there are dimensions, or a negative or missing amount."""
    _check(dimensions, rows)
    table = _Table(rows, period)
    if not table.earlier or not table.weight[:, -1].sum():
        return ()
    found: dict[bytes, Cause] = {}
    whole = table.expect(np.zeros(len(table.labels), dtype=np.int64), 1, prior_weight)
    excess = float(whole.actual[0] - whole.expected[0])
    for size in range(1, min(MOST_DIMENSIONS, len(dimensions)) + 1):
        for chosen in combinations(range(len(dimensions)), size):
            names, member = table.slices(chosen)
            part = table.expect(member, len(names), prior_weight)
            moved = (part.actual > part.expected) if direction is Direction.UP else (part.actual < part.expected)
            surprise = np.where(moved, _divergence(part.expected, part.actual), 0.0)
            for index in np.flatnonzero(surprise > 0):
                rows_of_it = np.packbits(member == index).tobytes()
                if rows_of_it not in found:
                    part_of_excess = float(part.actual[index] - part.expected[index])
                    found[rows_of_it] = Cause(
                        slice=tuple(zip((dimensions[i] for i in chosen), names[index], strict=True)),
                        expected=float(part.expected[index]),
                        actual=float(part.actual[index]),
                        surprise=float(surprise[index]),
                        share=part_of_excess / excess if excess else 0.0,
                    )
    ranked = sorted(found.values(), key=lambda cause: (-cause.surprise, len(cause.slice), cause.slice))
    return tuple(ranked[:most])


def _check(dimensions: Sequence[str], rows: Sequence[Row]) -> None:
    for row in rows:
        if len(row.labels) != len(dimensions):
            raise ValueError(f"A row has {len(row.labels)} labels for {len(dimensions)} dimensions.")
        if not (0 <= row.value < np.inf and 0 <= row.weight < np.inf):
            raise ValueError("A row's value and weight must be known and not negative.")


def _divergence(expected: Floats, actual: Floats) -> Floats:
    """Jensen-Shannon, of amounts: e log(e / m) + a log(a / m), m their mean."""
    middle = (expected + actual) / 2
    return _entropy(expected, middle) + _entropy(actual, middle)


def _entropy(amount: Floats, middle: Floats) -> Floats:
    ratio = np.divide(amount, middle, out=np.ones_like(amount), where=(amount > 0) & (middle > 0))
    return np.asarray(amount * np.log(ratio))


@dataclass(frozen=True, slots=True)
class _Part:
    expected: Floats
    actual: Floats


class _Table:
    """Value and weight of each distinct combination of labels by period: the earlier ones, then the one in question."""

    def __init__(self, rows: Sequence[Row], period: int) -> None:
        used = [row for row in rows if row.period <= period]
        self.labels = sorted({row.labels for row in used})
        self.earlier = sorted({row.period for row in used if row.period < period})
        at = {labels: index for index, labels in enumerate(self.labels)}
        column = {each: index for index, each in enumerate([*self.earlier, period])}
        self.value: Floats = np.zeros((len(self.labels), len(column)))
        self.weight: Floats = np.zeros((len(self.labels), len(column)))
        for row in used:
            place = at[row.labels], column[row.period]
            self.value[place] += row.value
            self.weight[place] += row.weight

    def slices(self, chosen: tuple[int, ...]) -> tuple[list[tuple[str, ...]], Ints]:
        """The distinct values of some dimensions, and which of them each combination belongs to."""
        own = [tuple(labels[i] for i in chosen) for labels in self.labels]
        names = sorted(set(own))
        at = {name: index for index, name in enumerate(names)}
        return names, np.array([at[name] for name in own], dtype=np.int64)

    def expect(self, member: Ints, count: int, prior_weight: float) -> _Part:
        value, weight = _summed(self.value, member, count), _summed(self.weight, member, count)
        total = self.weight[:, :-1].sum()
        usual = self.value[:, :-1].sum() / total if total else 0.0
        prior = prior_weight / len(self.earlier)
        metric = np.median((value[:, :-1] + usual * prior) / (weight[:, :-1] + prior), axis=1)
        return _Part(expected=np.asarray(metric * weight[:, -1]), actual=value[:, -1])


def _summed(values: Floats, member: Ints, count: int) -> NDArray[np.float64]:
    summed = np.zeros((count, values.shape[1]))
    np.add.at(summed, member, values)
    return summed
