import operator
from collections.abc import Callable

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from valueplatform.value.wide_integers import LARGEST, Integers, WideIntegers, column, constant

NUMBERS = st.integers(-LARGEST, LARGEST) | st.integers(-100, 100) | st.sampled_from([2**63, -(2**64), 10**19, 10**38])
ROWS = st.lists(st.tuples(NUMBERS, NUMBERS), min_size=1, max_size=6)


def columns(rows: list[tuple[int, int]]) -> tuple[Integers, Integers]:
    one, other = (column(pl.Series(values, dtype=pl.Int128)) for values in zip(*rows, strict=True))
    return one, other


def check(
    integers: WideIntegers, result: Integers, rows: list[tuple[int, int]], combine: Callable[[int, int], int]
) -> None:
    """Right or given up; given up only where the true result is too wide for comfort."""
    values, given_up = integers.rows(result).to_list(), integers.overflowed.to_list()
    for (one, other), value, is_given_up in zip(rows, values, given_up, strict=True):
        exact = combine(one, other)
        assert is_given_up or value == exact
        assert not is_given_up or abs(one) + abs(other) > 10**37 or abs(one * other) > 10**37


@pytest.mark.parametrize("sign", ["*", "+"])
@given(rows=ROWS)
@settings(deadline=None)
def test_a_result_is_right_or_given_up_never_wrapped(sign: str, rows: list[tuple[int, int]]) -> None:
    integers = WideIntegers(len(rows))
    one, other = columns(rows)
    result = integers.product(one, other) if sign == "*" else integers.total(one, other)
    check(integers, result, rows, operator.mul if sign == "*" else operator.add)


@given(st.lists(NUMBERS, min_size=1, max_size=6), st.integers(-(10**45), 10**45))
@settings(deadline=None)
def test_a_constant_of_any_size_may_be_met(values: list[int], number: int) -> None:
    for operation in ("product", "total"):
        integers = WideIntegers(len(values))
        rows = [(value, number) for value in values]
        result = getattr(integers, operation)(column(pl.Series(values, dtype=pl.Int128)), constant(number))
        check(integers, result, rows, operator.mul if operation == "product" else operator.add)


def test_a_bound_that_is_carried_too_wide_is_measured_before_rows_are_given_up() -> None:
    integers = WideIntegers(2)
    small = column(pl.Series([3, -4], dtype=pl.Int128))
    result = integers.product(Integers(small.rows, LARGEST), small)
    assert integers.rows(result).to_list() == [9, 16]
    assert not integers.overflowed.any()


def test_only_the_rows_that_would_overflow_are_given_up() -> None:
    integers = WideIntegers(3)
    wide = column(pl.Series([10**30, 5, -(10**30)], dtype=pl.Int128))
    assert integers.rows(integers.product(wide, wide)).to_list() == [0, 25, 0]
    assert integers.overflowed.to_list() == [True, False, True]


def test_a_constant_beyond_the_column_is_given_up_everywhere() -> None:
    integers = WideIntegers(2)
    assert integers.rows(constant(LARGEST + 1)).to_list() == [0, 0]
    assert integers.overflowed.all()


def test_rows_beyond_a_limit_read_what_stands_instead() -> None:
    integers = WideIntegers(3)
    held = integers.held(column(pl.Series([5, -6, 7], dtype=pl.Int128)), 5, instead=1)
    assert integers.rows(held).to_list() == [5, 1, 1]
    assert integers.overflowed.to_list() == [False, True, True]


def test_constants_compare_and_are_picked_row_by_row() -> None:
    integers = WideIntegers(2)
    assert integers.compared("<", constant(1), constant(2)).to_list() == [True, True]
    where = pl.Series([True, False])
    assert integers.rows(integers.picked(where, constant(1), constant(2))).to_list() == [1, 2]
