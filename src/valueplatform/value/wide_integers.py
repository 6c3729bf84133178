"""Columns of 128-bit integers that cannot wrap unseen.

Polars wraps silently on overflow. So every product and sum is bounded before it is made: bounds are carried along,
and measured on the data where the carried ones are too wide. Rows that might still overflow are set to zero and
marked in `overflowed`; whatever follows from them means nothing, and the caller computes those rows otherwise.
"""

import operator
from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from typing import Any, Final, Literal

import polars as pl

LARGEST: Final = 2**127 - 1
Comparing = Literal["=", "<>", "<", "<=", ">", ">="]

# A float product or sum up to this cannot hide an integer beyond LARGEST (1.7e38), rounding errors included.
_SURELY_HELD: Final = 1e38
_BEYOND: Final = 10**39
_COMPARE: Final[dict[Comparing, Callable[[Any, Any], Any]]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass(frozen=True, slots=True)
class Integers:
    """A column of Int128 without nulls, or one integer (of any size) for all rows; none exceeds `bound`."""

    rows: pl.Series | int
    bound: int


def constant(value: int) -> Integers:
    return Integers(value, abs(value))


def column(rows: pl.Series) -> Integers:
    """A column as it is, with its bound measured; `rows` are Int128 without nulls."""
    extremes: list[int] = [] if rows.is_empty() else [rows.min(), rows.max()]  # type: ignore[list-item]  # of Int128
    return Integers(rows, max(map(abs, extremes), default=0))


class WideIntegers:
    """Arithmetic over columns of one height, and the rows that it had to give up."""

    def __init__(self, height: int) -> None:
        self._nowhere = pl.repeat(value=False, n=height, dtype=pl.Boolean, eager=True)
        self._given_up: list[pl.Series] = []

    @property
    def overflowed(self) -> pl.Series:
        return reduce(operator.or_, self._given_up, self._nowhere)

    def product(self, left: Integers, right: Integers) -> Integers:
        if isinstance(left.rows, int) and isinstance(right.rows, int):
            return constant(left.rows * right.rows)
        if left.bound == 0 or right.bound == 0:
            return constant(0)
        if isinstance(left.rows, int) and left.rows == 1:
            return right
        if isinstance(right.rows, int) and right.rows == 1:
            return left
        return self._combined(operator.mul, left, right)

    def total(self, left: Integers, right: Integers) -> Integers:
        if isinstance(left.rows, int) and isinstance(right.rows, int):
            return constant(left.rows + right.rows)
        return self._combined(operator.add, left, right)

    def compared(self, sign: Comparing, left: Integers, right: Integers) -> pl.Series:
        truths: pl.Series = _COMPARE[sign](self.rows(left), self.rows(right))
        return truths

    def picked(self, where: pl.Series, left: Integers, right: Integers) -> Integers:
        """`left` in the rows where `where` is true, `right` in the others."""
        if left.rows is right.rows:
            return left
        return Integers(self.rows(left).zip_with(where, self.rows(right)), max(left.bound, right.bound))

    def held(self, numbers: Integers, limit: int, *, instead: int) -> Integers:
        """The numbers of at most `limit` in magnitude; the other rows are given up and read `instead`."""
        if numbers.bound <= limit:
            return numbers
        if isinstance(numbers.rows, int):
            self.give_up(~self._nowhere)
            return constant(instead)
        beyond = (numbers.rows > _one_row(limit)) | (numbers.rows < _one_row(-limit))
        self.give_up(beyond)
        return Integers(numbers.rows.set(beyond, instead), limit)

    def rows(self, numbers: Integers) -> pl.Series:
        """The numbers as a column of full height."""
        held = self.held(numbers, LARGEST, instead=0)
        if isinstance(held.rows, pl.Series):
            return held.rows
        return pl.repeat(held.rows, len(self._nowhere), dtype=pl.Int128, eager=True)

    def give_up(self, where: pl.Series) -> None:
        self._given_up.append(where)

    def _combined(self, combine: Callable[[Any, Any], Any], left: Integers, right: Integers) -> Integers:
        bound = combine(left.bound, right.bound)
        if max(bound, left.bound, right.bound) > LARGEST:
            left, right = _measured(left), _measured(right)
            bound = combine(left.bound, right.bound)
        if max(bound, left.bound, right.bound) > LARGEST:
            danger = combine(_magnitude(left), _magnitude(right)) > _SURELY_HELD
            self.give_up(danger)
            left, right, bound = _cleared(left, danger), _cleared(right, danger), LARGEST
        return Integers(combine(self._broadcast(left), self._broadcast(right)), bound)

    def _broadcast(self, numbers: Integers) -> pl.Series:
        return numbers.rows if isinstance(numbers.rows, pl.Series) else _one_row(numbers.rows)


def _one_row(number: int) -> pl.Series:
    return pl.Series([number], dtype=pl.Int128)


def _measured(numbers: Integers) -> Integers:
    return column(numbers.rows) if isinstance(numbers.rows, pl.Series) else numbers


def _magnitude(numbers: Integers) -> pl.Series | float:
    if isinstance(numbers.rows, pl.Series):
        return numbers.rows.cast(pl.Float64).abs()
    return float(min(numbers.bound, _BEYOND))


def _cleared(numbers: Integers, where: pl.Series) -> Integers:
    if isinstance(numbers.rows, pl.Series):
        return Integers(numbers.rows.set(where, 0), LARGEST)
    return numbers if numbers.bound <= LARGEST else constant(0)
