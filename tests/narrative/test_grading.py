from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valueplatform.narrative.grading import (
    MOST_COMPARED,
    Compared,
    Promise,
    comparable,
    joined,
    promised,
    reckon,
    share_of_year,
)

YEAR = Promise(Decimal(550), Decimal(1100), Decimal(2200))
AMOUNTS = st.decimals(min_value="0.01", max_value="1e9", places=4)


def account(number: int, before: str = "1000", after: str = "1000", **given: str) -> Compared:
    return Compared(number, given.get("segment", "north"), given.get("unit", "USD"), Decimal(before), Decimal(after))


OWN = account(1, "1000", "1300")


def steady(count: int, **given: str) -> list[Compared]:
    return [account(number, **given) for number in range(2, 2 + count)]


def test_a_year_is_promised_whole_and_its_first_month_a_third_of_a_month() -> None:
    assert promised(YEAR, 365) == YEAR
    full_days = Fraction(365) * Fraction(11, 12)
    assert share_of_year(30) == Fraction(10) / full_days
    assert promised(YEAR, 30).expected == Decimal("32.8767")


def test_later_horizons_promise_more() -> None:
    shares = [share_of_year(days) for days in range(366)]
    assert shares[0] == 0
    assert shares == sorted(shares)
    assert len(set(shares)) == len(shares)


def test_what_others_gained_as_well_is_not_laid_to_the_step() -> None:
    others = [account(number, "200", "260") for number in range(2, 9)]
    assert reckon(OWN, others, YEAR, 90).realized == 0


def test_what_the_account_lost_less_than_others_is_a_gain() -> None:
    others = [account(number, "200", "100") for number in range(2, 9)]
    found = reckon(account(1, "1000", "800"), others, None, 90)
    assert (found.without, found.realized, found.is_within) == (Decimal("500.0000"), Decimal("300.0000"), None)


def test_one_account_that_multiplies_does_not_move_the_median() -> None:
    others = [*steady(6), account(99, "1", "100000")]
    assert reckon(OWN, others, YEAR, 90).realized == Decimal(300)


def test_steady_accounts_add_no_scatter_to_the_promise() -> None:
    found = reckon(OWN, steady(7), YEAR, 365)
    assert (found.range_low, found.range_high) == (YEAR.low, YEAR.high)
    assert found.is_within is False


def test_scatter_of_others_widens_what_may_be_measured() -> None:
    others = [account(number, "1000", str(900 + 50 * (number - 2))) for number in range(2, 7)]
    found = reckon(OWN, others, YEAR, 90)
    assert found.promised is not None
    assert found.range_low is not None
    assert found.range_high is not None
    assert found.range_low < found.promised.low
    assert found.range_high > found.promised.high


@pytest.mark.parametrize("count", [0, 1, 4])
def test_fewer_than_five_accounts_compare_nothing(count: int) -> None:
    assert comparable(OWN, steady(count)) == ()


def test_another_segment_is_taken_only_where_the_own_one_is_too_small() -> None:
    far = [account(number, segment="south") for number in range(20, 30)]
    assert {one.segment for one in comparable(OWN, [*steady(5), *far])} == {"north"}
    assert len(comparable(OWN, [*steady(4), *far])) == 14


def test_the_nearest_in_size_are_taken_and_sizes_in_another_currency_are_not_compared() -> None:
    sizes = [account(number, str(number * 100)) for number in range(2, 60)]
    chosen = comparable(OWN, sizes)
    assert len(chosen) == MOST_COMPARED
    assert max(one.before for one in chosen) < 2600
    foreign = [account(number, str(number), unit="EUR") for number in range(2, 60)]
    assert len(comparable(OWN, foreign)) == 58


def test_the_order_of_accounts_changes_nothing() -> None:
    sizes = [account(number, str(number * 100), str(number * 90 + 7)) for number in range(2, 40)]
    assert comparable(OWN, sizes) == comparable(OWN, sizes[::-1])


@given(AMOUNTS, AMOUNTS)
def test_two_independent_reaches_join_to_more_than_each_and_less_than_their_sum(one: Decimal, other: Decimal) -> None:
    found = joined(one, other)
    assert max(one, other) <= found <= one + other


@given(st.lists(st.tuples(AMOUNTS, AMOUNTS), min_size=5, max_size=12), AMOUNTS, AMOUNTS)
def test_realized_and_without_add_up_to_what_was_brought(
    others: list[tuple[Decimal, Decimal]], before: Decimal, after: Decimal
) -> None:
    compared = [Compared(number, None, "USD", *pair) for number, pair in enumerate(others, 2)]
    found = reckon(Compared(1, None, "USD", before, after), compared, YEAR, 30)
    assert found.realized + found.without == after
    assert found.scatter_low <= 0 <= found.scatter_high
    assert found.promised is not None
    assert found.range_low is not None
    assert found.range_low <= found.promised.low
