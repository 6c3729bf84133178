"""Cohorts: masked below five, and statistics that agree with the textbook and with plain re-computation."""

import statistics
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valueplatform.value.cohorts import COHORT, difference, further, is_masked, median, middle_half, quantile

FRACTIONS = st.fractions(min_value=-1000, max_value=1000, max_denominator=50)
MANY = st.lists(FRACTIONS, min_size=COHORT, max_size=30)


def fractions(*values: float) -> list[Fraction]:
    return [Fraction(str(value)) for value in values]


@pytest.mark.parametrize(
    "values",
    [
        [],
        [1],
        [1, 1, 1, 1],
        [4.01, 1, 1, 1, 1],
        [-9, 1, 1, 1, 1],  # a large loss shows the account as a large gain does
    ],
)
def test_fewer_than_five_accounts_are_masked_and_so_is_one_of_more_than_half(values: list[float]) -> None:
    assert is_masked(fractions(*values))


@pytest.mark.parametrize("values", [[1, 1, 1, 1, 1], [4, 1, 1, 1, 1], [0, 0, 0, 0, 0]])
def test_five_accounts_of_which_none_is_more_than_half_are_a_cohort(values: list[float]) -> None:
    assert not is_masked(fractions(*values))


@given(MANY, st.sampled_from([1, 2, 3]))
def test_quartiles_are_those_of_the_standard_library(values: list[Fraction], quarter: int) -> None:
    cuts = statistics.quantiles(values, n=4, method="inclusive")
    assert quantile(values, Fraction(quarter, 4)) == cuts[quarter - 1]


def test_a_quantile_of_one_value_is_it() -> None:
    assert median(fractions(7)) == 7


@given(st.lists(st.tuples(FRACTIONS, FRACTIONS, FRACTIONS).map(sorted), min_size=1, max_size=20))
def test_the_middle_half_is_never_upside_down(bounds: list[list[Fraction]]) -> None:
    lows, expected, highs = zip(*bounds, strict=True)
    spread = middle_half(lows, expected, highs)
    assert spread.low <= spread.expected <= spread.high


@given(MANY, MANY, st.fractions(min_value=-100, max_value=100))
def test_a_difference_moves_with_what_it_is_of(of: list[Fraction], over: list[Fraction], by: Fraction) -> None:
    before, after = difference({"": (of, over)}), difference({"": ([one + by for one in of], over)})
    assert after.expected == before.expected + by
    assert before.low <= before.expected <= before.high


def test_a_difference_is_the_median_of_all_pairs_with_the_interval_of_the_rank_sum_test() -> None:
    # Ten against ten, each one apart: 100 pairs, of which 50 - 1.6449 * sqrt(10 * 10 * 21 / 12), 28.2, go at each end.
    of, over = fractions(*range(10)), fractions(*range(10))
    spread = difference({"": (of, over)})
    pairs = sorted(a - b for a in of for b in over)
    assert spread.expected == statistics.median(pairs) == 0
    assert (spread.low, spread.high) == (pairs[28], pairs[-29])


def test_segments_that_differ_are_not_taken_for_an_effect() -> None:
    small, large = fractions(1, 1.1, 1.2, 0.9, 1), fractions(9, 9.1, 9.2, 8.9, 9)
    together = difference({"": ([*large, small[0]], [*small, large[0]])})
    apart = difference({"small": (small[:1], small[1:]), "large": (large[1:], large[:1])})
    assert together.expected > 7
    assert abs(apart.expected) < Fraction(1, 2)


def test_too_few_pairs_leave_the_whole_range() -> None:
    spread = difference({"": (fractions(1, 5), fractions(0, 2))})
    assert spread.low == -1
    assert spread.high == 5


@given(st.lists(FRACTIONS, min_size=7, max_size=40, unique=True).filter(lambda values: len(values) % 4 == 0))
def test_a_further_value_falls_between_the_quarters_in_one_case_of_two(values: list[Fraction]) -> None:
    inside = 0
    for at, one in enumerate(values):
        rest = values[:at] + values[at + 1 :]
        inside += further(rest, Fraction(1, 4)) <= one <= further(rest, Fraction(3, 4))
    assert 2 * inside == len(values)


@given(MANY)
def test_where_a_further_value_falls_is_what_the_standard_library_says(values: list[Fraction]) -> None:
    low, _, high = statistics.quantiles(values, n=4, method="exclusive")
    assert (further(values, Fraction(1, 4)), further(values, Fraction(3, 4))) == (low, high)
    assert low <= quantile(values, Fraction(1, 4)) <= quantile(values, Fraction(3, 4)) <= high
