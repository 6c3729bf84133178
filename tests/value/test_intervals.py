"""Intervals against the literature, and against the definitions."""

from decimal import Decimal
from fractions import Fraction
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valueplatform.value.intervals import Share, difference, interval_of_median, median_range, normal_quantile, wilson

SHARES = st.integers(5, 60).flatmap(lambda of: st.integers(0, of).map(lambda count: Share(count, of)))


@pytest.mark.parametrize(
    ("first", "second", "low", "high"),
    [
        ((56, 70), (48, 80), "0.0524", "0.3339"),
        ((9, 10), (3, 10), "0.1705", "0.8090"),
        ((6, 7), (2, 7), "0.0582", "0.8062"),
        ((5, 56), (0, 29), "-0.0381", "0.1926"),
        ((0, 10), (0, 20), "-0.1611", "0.2775"),
        ((10, 10), (0, 20), "0.6791", "1.0000"),
    ],
)
def test_differences_are_those_of_newcombe_s_table(
    first: tuple[int, int], second: tuple[int, int], low: str, high: str
) -> None:
    """Newcombe 1998, table II, method 10."""
    found = difference(Share(*first), Share(*second))
    assert (found.low, found.high) == (Decimal(low), Decimal(high))


@given(SHARES, SHARES)
def test_a_difference_lies_within_its_interval_and_turns_with_its_sides(first: Share, second: Share) -> None:
    one, other = difference(first, second), difference(second, first)
    assert -1 <= one.low <= one.value <= one.high <= 1
    assert (one.low, one.high) == (-other.high, -other.low)


@given(SHARES, SHARES, st.integers(2, 20))
def test_more_that_must_hold_at_once_are_each_told_more_widely(first: Share, second: Share, at_once: int) -> None:
    alone, among = difference(first, second), difference(first, second, at_once)
    assert among.low <= alone.low <= alone.high <= among.high


def test_groups_of_five_differ_beyond_chance_only_where_they_differ_much() -> None:
    assert difference(Share(5, 5), Share(2, 15)).is_positive
    assert not difference(Share(3, 5), Share(5, 15)).is_positive


@given(SHARES)
def test_a_wilson_interval_solves_its_equation(share: Share) -> None:
    z = normal_quantile(Fraction(95, 100))
    p = Decimal(share.count) / share.of
    for limit in wilson(share, z):
        if 0 < limit < 1:
            assert abs(abs(p - limit) - z * (limit * (1 - limit) / share.of).sqrt()) < Decimal("1e-20")


def test_the_normal_quantile_is_the_textbook_s() -> None:
    assert normal_quantile(Fraction(95, 100)) == Decimal("1.959964")


@pytest.mark.parametrize(("count", "first"), [(5, 0), (7, 0), (8, 1), (10, 1), (11, 2), (20, 5), (40, 14)])
def test_places_of_the_sign_test_are_those_of_the_tables(count: int, first: int) -> None:
    """Of 90 %: Hollander and Wolfe 1999, table A.2."""
    place = median_range(count)
    assert place is not None
    assert (place.first, place.last) == (first, count - 1 - first)


@pytest.mark.parametrize("count", [0, 1, 4])
def test_too_few_values_have_no_interval(count: int) -> None:
    assert median_range(count) is None


@given(st.integers(5, 80))
def test_what_an_interval_covers_is_the_chance_that_neither_half_of_it_is_empty(count: int) -> None:
    place = median_range(count)
    assert place is not None
    tails = sum(comb(count, k) for k in range(count + 1) if k <= place.first or count - k <= place.first)
    assert place.coverage == 1 - Fraction(tails, 2**count) >= Fraction(90, 100)


def test_the_interval_holds_the_median_and_stands_on_values() -> None:
    values = [Fraction(n) for n in (9, 1, 8, 2, 7, 3, 6, 4)]
    found = interval_of_median(values)
    assert found is not None
    assert found[:2] == (Fraction(2), Fraction(8))
