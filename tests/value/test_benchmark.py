"""How accounts compare: who is told of, how exactly, and where an account stands."""

import statistics
from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valueplatform.value.benchmark import (
    Cohort,
    Figure,
    Member,
    Per,
    Withheld,
    cohorts,
    count_of,
    percentile,
    published,
    standings_of,
)
from valueplatform.value.benchmarks import Benchmarks

MONTHS = 3
MANY = st.lists(st.fractions(-(10**9), 10**9, max_denominator=10**6), min_size=5, max_size=40)


def members(
    *totals: str | int, segment: str | None = "big", unit: str = "USD", scale: str | None = None, first: int = 1
) -> list[Member]:
    sized = None if scale is None else Decimal(scale)
    return [
        Member(first + at, "time", unit, "capacity", segment, Decimal(total), sized) for at, total in enumerate(totals)
    ]


def found(made: list[Cohort], segment: str = "", unit: str = "USD", per: Per = Per.ACCOUNT) -> Figure:
    (figure,) = [one.figure for one in made if (one.segment, one.figure.unit, one.per) == (segment, unit, per)]
    return figure


def test_four_accounts_are_not_told_of_nor_how_many_they_are() -> None:
    figure = found(cohorts(members(3, 6, 9, 12), MONTHS))
    assert (figure.withheld, figure.accounts, figure.median) == (Withheld.FEW, None, None)
    assert standings_of(cohorts(members(3, 6, 9, 12), MONTHS)) == {}


def test_one_account_that_is_more_than_half_hides_all() -> None:
    figure = found(cohorts(members(3, 3, 3, 3, 13), MONTHS))
    assert (figure.withheld, figure.accounts, figure.median) == (Withheld.DOMINATED, None, None)


def test_a_loss_of_more_than_half_hides_all_too() -> None:
    assert found(cohorts(members(3, 3, 3, 3, -13), MONTHS)).withheld is Withheld.DOMINATED


def test_an_account_whose_amount_dominates_is_hidden_per_unit_of_scale_as_well() -> None:
    """Divided by its size it does not stand out; the amounts behind it still do."""
    made = cohorts([*members(3, 3, 3, 3, scale="1"), *members(30, scale="10", first=9)], MONTHS)
    assert found(made, per=Per.SCALE).withheld is Withheld.DOMINATED


def test_per_unit_of_scale_only_accounts_whose_scale_is_known_are_compared() -> None:
    known, unknown = members(30, 60, 90, 120, 150, scale="10"), members(1, 2, first=20)
    figure = found(cohorts([*known, *unknown], MONTHS), per=Per.SCALE)
    assert (figure.accounts, figure.lower, figure.median, figure.upper) == (5, Decimal(2), Decimal(3), Decimal(4))
    assert found(cohorts([*known, *unknown], MONTHS)).accounts == 7


def test_currencies_are_never_mixed() -> None:
    made = cohorts([*members(3, 6, 9, 12, 15), *members(300, 300, 300, unit="JPY", first=9)], MONTHS)
    assert found(made).accounts == 5
    assert found(made, unit="JPY").withheld is Withheld.FEW


def test_a_segment_that_is_too_small_is_in_the_cohort_of_all() -> None:
    made = cohorts([*members(3, 6, 9, 12, 15), *members(18, segment="small", first=9)], MONTHS)
    assert (found(made, "big").accounts, found(made).accounts) == (5, 6)
    assert found(made, "small").withheld is Withheld.FEW
    read = Benchmarks((date(2026, 3, 1),), None, tuple(one.figure for one in made))
    of_small = read.figure("small", "time", "USD", Per.ACCOUNT)
    assert of_small is not None
    assert (of_small.segment, of_small.accounts) == ("", 6)


def test_an_account_without_a_segment_is_in_the_cohort_of_all_once() -> None:
    made = cohorts(members(3, 6, 9, 12, 15, segment=None), MONTHS)
    assert [(one.segment, one.per, len(one.members)) for one in made] == [("", Per.ACCOUNT, 5)]


@given(MANY)
def test_quartiles_are_those_of_the_standard_library_to_three_digits(values: list[Fraction]) -> None:
    scaled = [Member(at, "d", "USD", "capacity", None, Decimal(int(value))) for at, value in enumerate(values)]
    (made,) = [one for one in cohorts(scaled, 1) if one.per is Per.ACCOUNT]
    if made.figure.withheld is None:
        exact = statistics.quantiles([Fraction(int(value)) for value in values], n=4, method="inclusive")
        stated = (made.figure.lower, made.figure.median, made.figure.upper)
        assert stated == tuple(published(one) for one in exact)
        assert sorted(one for one in stated if one is not None) == list(stated)
        low, _, high = statistics.quantiles([Fraction(int(value)) for value in values], n=4, method="exclusive")
        assert (made.figure.low, made.figure.high) == (published(low), published(high))


# Below a millionth Python writes an exponent; amounts have four places.
@given(st.fractions(-(10**12), 10**12, max_denominator=10**6))
def test_what_is_published_has_three_digits_and_is_off_by_half_a_percent_at_most(value: Fraction) -> None:
    told = published(value)
    assert len(format(abs(told), "f").replace(".", "").lstrip("0").rstrip("0")) <= 3
    assert abs(Fraction(told) - value) * 200 <= abs(value)
    assert "E+" not in str(told)


@pytest.mark.parametrize(
    ("value", "told"),
    [("0", "0"), ("999.5", "1000"), ("1234.5", "1230"), ("-0.0123456", "-0.0123"), ("100.5", "100"), ("101.5", "102")],
)
def test_what_is_published_is_rounded_half_to_even(value: str, told: str) -> None:
    assert str(published(Fraction(value))) == told


@given(MANY)
def test_percentiles_order_accounts_as_their_values_do_and_average_to_the_middle(values: list[Fraction]) -> None:
    ordered = sorted(values)
    exact = [percentile(ordered, one) for one in ordered]
    assert exact == sorted(exact)
    assert 0 <= exact[0] <= exact[-1] <= 100
    assert abs(sum(exact, Decimal(0)) / len(exact) - 50) <= Decimal("0.05")


def test_the_least_has_nobody_below_the_greatest_all_others_and_ties_count_half() -> None:
    ordered = [Fraction(n) for n in (1, 2, 2, 2, 5)]
    assert [percentile(ordered, Fraction(n)) for n in (1, 2, 5)] == [Decimal("0.0"), Decimal("50.0"), Decimal("100.0")]


def test_an_account_stands_in_its_segment_and_among_all() -> None:
    made = cohorts([*members(3, 6, 9, 12, 15), *members(*[1] * 5, segment="small", first=9)], MONTHS)
    stands = {one.segment: one for one in standings_of(made)[1, "USD"]}
    assert (stands["big"].percentile, stands["big"].accounts) == (Decimal("0.0"), 5)
    assert (stands[""].percentile, stands[""].accounts) == (Decimal("55.6"), 10)
    assert stands[""].value == Decimal("1.000000000")


@given(st.lists(st.integers(-5, 5).map(Fraction), min_size=2, max_size=40))
def test_a_count_is_how_many_of_a_small_group_have_less_and_half_of_those_that_have_as_much(
    values: list[Fraction],
) -> None:
    ordered = sorted(values)
    others = len(ordered) - 1
    for value in ordered:
        less, same = sum(one < value for one in ordered), ordered.count(value) - 1
        found = count_of(percentile(ordered, value), others)
        assert found == (None if others >= 20 else Fraction(2 * less + same, 2))


def test_a_percentage_of_no_whole_number_is_no_count() -> None:
    assert count_of(Decimal(80), 6) is None
    assert count_of(Decimal(0), 0) is None
