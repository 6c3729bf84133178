"""What contracts come to by the day."""

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from valueplatform.accounts.contracts import (
    BillingPeriod,
    Contract,
    ContractKind,
    MixedCurrenciesError,
    first_start,
    mrr,
    paid,
)
from valueplatform.core.periods import Period

DAYS = st.dates(date(2018, 1, 1), date(2032, 12, 31))
AMOUNTS = st.decimals(min_value=-(10**12), max_value=10**12, places=9, allow_nan=False, allow_infinity=False)


def a_contract(
    amount: str | Decimal,
    period: str = "month",
    start: date = date(2024, 1, 1),
    end: date | None = None,
    currency: str = "USD",
) -> Contract:
    return Contract(
        contract_id=f"{amount}-{start}",
        start=start,
        end=end,
        amount=Decimal(amount),
        currency=currency,
        period=BillingPeriod(period),
        kind=ContractKind.NEW,
        provider="supplier",
    )


@st.composite
def contracts(draw: st.DrawFn) -> Contract:
    start = draw(DAYS)
    end = draw(st.none() | st.integers(0, 2000).map(lambda days: start + timedelta(days=days)))
    return a_contract(draw(AMOUNTS), draw(st.sampled_from(list(BillingPeriod))), start, end)


def on_day(contract: Contract, day: date) -> Fraction:
    """What one day costs, straight from the definition; shares no code with what is tested."""
    if day < contract.start or (contract.end is not None and day >= contract.end):
        return Fraction(0)
    if contract.period == "month":
        first = day.replace(day=1)
        return Fraction(contract.amount) / ((first + timedelta(days=32)).replace(day=1) - first).days
    anniversaries = [_anniversary(contract.start, years) for years in range(80)]
    for begins, ends in pairwise(anniversaries):
        if begins <= day < ends:
            return Fraction(contract.amount) / (ends - begins).days
    raise AssertionError(day)


def _anniversary(start: date, years: int) -> date:
    if (start.month, start.day) == (2, 29):
        return date(start.year + years, 3, 1) - timedelta(days=1)
    return start.replace(year=start.year + years)


def test_a_month_costs_its_amount_whatever_its_length() -> None:
    contract = a_contract("100")
    for month in (Period(date(2024, 1, 1), date(2024, 2, 1)), Period(date(2024, 2, 1), date(2024, 3, 1))):
        assert paid([contract], month) == Decimal("100.0000")


def test_a_month_that_starts_late_counts_its_days() -> None:
    contract = a_contract("310", start=date(2024, 1, 15), end=date(2024, 2, 15))
    assert paid([contract], Period(date(2024, 1, 1), date(2024, 2, 1))) == Decimal("170.0000")
    assert paid([contract], Period(date(2024, 2, 1), date(2024, 3, 1))) == Decimal("149.6552")


def test_a_contract_year_costs_its_amount_leap_or_not() -> None:
    for start in (date(2023, 3, 1), date(2024, 3, 1), date(2024, 2, 29), date(2023, 7, 15)):
        contract = a_contract("36600", "year", start=start)
        whole = Period(start, _anniversary(start, 1))
        assert paid([contract], whole) == Decimal("36600.0000")
    leap = a_contract("36600", "year", start=date(2023, 3, 1))
    assert paid([leap], Period(date(2024, 2, 29), date(2024, 3, 1))) == Decimal("100.0000")


def test_what_lies_outside_the_contract_costs_nothing() -> None:
    contract = a_contract("100", start=date(2024, 3, 1), end=date(2024, 5, 1))
    assert paid([contract], Period(date(2023, 1, 1), date(2024, 3, 1))) == 0
    assert paid([contract], Period(date(2024, 5, 1), date(2030, 1, 1))) == 0
    assert paid([contract], Period(date(2024, 4, 1), date(2024, 4, 1))) == 0
    assert paid([], Period(date(2024, 4, 1), date(2024, 5, 1))) == 0
    empty = a_contract("100", start=date(2024, 3, 1), end=date(2024, 3, 1))
    assert paid([empty], Period(date(2024, 1, 1), date(2025, 1, 1))) == 0


def test_contracts_add_and_a_contraction_takes_away() -> None:
    together = [a_contract("100"), a_contract("50.5"), a_contract("-20")]
    assert paid(together, Period(date(2024, 1, 1), date(2024, 3, 1))) == Decimal("261.0000")


@settings(deadline=None)  # a day at a time takes long
@given(st.lists(contracts(), max_size=3), DAYS, st.integers(0, 500))
def test_what_is_paid_is_the_sum_of_its_days_within_one_rounding_a_contract(
    several: list[Contract], start: date, length: int
) -> None:
    period = Period(start, start + timedelta(days=length))
    exact = sum((on_day(contract, day) for contract in several for day in period), Fraction(0))
    assert abs(Fraction(paid(several, period)) - exact) <= Fraction(len(several), 10_000)


@given(st.lists(contracts(), max_size=4), st.lists(DAYS, min_size=2, max_size=6).map(sorted))
def test_cut_windows_add_up_to_the_whole_exactly(several: list[Contract], cuts: list[date]) -> None:
    parts = [paid(several, Period(start, end)) for start, end in pairwise(cuts)]
    assert sum(map(Fraction, parts)) == Fraction(paid(several, Period(cuts[0], cuts[-1])))


def test_amounts_in_two_currencies_do_not_add() -> None:
    both = [a_contract("1"), a_contract("1", currency="EUR")]
    with pytest.raises(MixedCurrenciesError, match="EUR, USD"):
        paid(both, Period(date(2024, 1, 1), date(2024, 2, 1)))
    with pytest.raises(MixedCurrenciesError):
        mrr(both, date(2024, 1, 1))


def test_the_last_day_of_a_contract_is_the_one_before_its_end() -> None:
    contract = a_contract("100", end=date(2024, 12, 31))
    assert mrr([contract], date(2024, 12, 30)) == 100
    assert mrr([contract], date(2024, 12, 31)) == 0
    assert mrr([contract], date(2023, 12, 31)) == 0
    assert mrr([a_contract("100")], date(2024, 12, 31)) == 100


def test_a_year_counts_a_twelfth_and_the_sum_is_rounded_once() -> None:
    years = [a_contract("100", "year"), a_contract("100", "year"), a_contract("100", "year")]
    assert mrr(years, date(2024, 6, 1)) == Decimal("25.0000")
    assert mrr(years[:1], date(2024, 6, 1)) == Decimal("8.3333")


def test_contract_years_count_from_the_first_start() -> None:
    assert first_start([a_contract("1", start=date(2025, 1, 1)), a_contract("1")]) == date(2024, 1, 1)
    assert first_start([]) is None
