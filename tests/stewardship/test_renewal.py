"""When the next renewal is due, and what it is worth."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from tests.narrative.factories import account, contract
from tests.stewardship.situations import TODAY
from valueplatform.narrative.facts import Contract
from valueplatform.stewardship.renewal import has_ended, renewal_day, renewal_due

OVER = date(2026, 11, 1)


def test_an_account_without_contracts_neither_renews_nor_has_ended() -> None:
    facts = account()
    assert renewal_day(facts) is None
    assert not has_ended(facts)
    assert list(renewal_due(facts)) == []


@pytest.mark.parametrize(
    ("contracts", "due"),
    [
        ([contract(date(2026, 1, 1), OVER, 100)], OVER),
        # Ends tomorrow: today is its last day.
        ([contract(date(2026, 1, 1), TODAY + timedelta(days=1), 100)], TODAY + timedelta(days=1)),
        # A follow-on that begins where the first ends.
        ([contract(date(2026, 1, 1), OVER, 100), contract(OVER, date(2027, 11, 1), 100)], date(2027, 11, 1)),
        # A gap of a day is a renewal that is not signed.
        ([contract(date(2026, 1, 1), OVER, 100), contract(OVER + timedelta(days=1), None, 100)], OVER),
        # An add-on that ends while the main contract runs on is no renewal of the account.
        ([contract(date(2026, 1, 1), OVER, 9), contract(date(2026, 2, 1), None, 100)], None),
        ([contract(date(2026, 1, 1), OVER, 9), contract(date(2026, 2, 1), date(2027, 2, 1), 9)], date(2027, 2, 1)),
        # Ended, and not begun yet: nothing runs today.
        ([contract(date(2025, 1, 1), TODAY, 100)], None),
        ([contract(TODAY + timedelta(days=9), None, 100)], None),
        # A partner's contract does not carry the supplier's on.
        ([contract(date(2026, 1, 1), OVER, 1), contract(OVER, None, 1, provider="tessera")], OVER),
        ([contract(date(2026, 1, 1), OVER, 1), contract(OVER, None, 0, kind="churn")], OVER),
    ],
)
def test_the_renewal_is_the_first_day_that_no_contract_covers(contracts: list[Contract], due: date | None) -> None:
    assert renewal_day(account(contracts=tuple(contracts))) == due


def test_an_account_has_ended_once_nothing_runs_or_is_to_come() -> None:
    past = contract(date(2025, 1, 1), TODAY, 100)
    assert has_ended(account(contracts=(past,)))
    assert not has_ended(account(contracts=(past, contract(TODAY + timedelta(days=30), None, 100))))
    assert not has_ended(account(contracts=(contract(date(2025, 1, 1), None, 100),)))
    assert has_ended(account(contracts=(past, contract(TODAY, None, 0, kind="churn"))))


def test_at_stake_is_what_the_twelve_months_before_the_renewal_cost() -> None:
    half = date(2026, 5, 1)
    contracts = (contract(date(2025, 11, 1), half, 120000), contract(half, OVER, 4000, period="month"))
    (insight,) = renewal_due(account(contracts=contracts))
    # 181 of the 365 days of a year's price, then six whole months.
    expected = Decimal(120000) * 181 / 365 + 24000
    assert insight.number("yearly").value == expected.quantize(Decimal("0.0001"))
    assert (insight.period_from, insight.period_to) == (date(2025, 11, 1), OVER)


def test_a_contract_in_another_currency_is_not_added() -> None:
    contracts = (contract(date(2025, 11, 1), OVER, 120000, currency="EUR"),)
    (insight,) = renewal_due(account(contracts=contracts))
    assert insight.number("yearly").value == 0


@pytest.mark.parametrize(("days", "told"), [(0, 0), (1, 1), (90, 1), (91, 0)])
def test_it_is_told_from_ninety_days_before(days: int, told: int) -> None:
    facts = account(contracts=(contract(date(2025, 1, 1), TODAY + timedelta(days=days), 100),))
    assert len(list(renewal_due(facts))) == told


def test_a_renewal_on_leap_day_has_its_year_too() -> None:
    facts = account(contracts=(contract(date(2027, 3, 1), date(2028, 2, 29), 365),), today=date(2028, 2, 1))
    (insight,) = renewal_due(facts)
    assert insight.period_from == date(2027, 2, 28)
