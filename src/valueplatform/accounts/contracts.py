"""Contracts: what an account pays, and what that comes to by the day.

The price of a month spreads evenly over the days of each calendar month, the price of a year over the 365 or 366
days of each contract year. Amounts are rounded cumulatively from the start of the contract, half-even to 4 places,
so that the windows of any cut add up to the whole exactly. Rows add: an expansion is what comes on top, a
contraction may be negative.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Any, Final

import msgspec
from sqlalchemy import Row, select

from valueplatform.accounts.tables import contract
from valueplatform.core.database import Transaction
from valueplatform.core.errors import UnprocessableError
from valueplatform.core.numbers import AMOUNT_PLACES, round_half_even, scaled_decimal
from valueplatform.core.periods import Period, month_of, years_later

MONTHS_A_YEAR: Final = 12
_UNITS: Final = 10**AMOUNT_PLACES


class BillingPeriod(StrEnum):
    """What the amount of a contract is the price of."""

    MONTH = "month"
    YEAR = "year"


class ContractKind(StrEnum):
    NEW = "new"
    RENEWAL = "renewal"
    EXPANSION = "expansion"
    CONTRACTION = "contraction"
    CHURN = "churn"


class Contract(msgspec.Struct, frozen=True, kw_only=True):
    """`amount` a `period` from `start` up to but not including `end`; open where `end` is None."""

    contract_id: str
    start: date
    end: date | None
    amount: Decimal
    currency: str
    period: BillingPeriod
    kind: ContractKind
    provider: str

    def in_force(self, day: date) -> bool:
        return self.start <= day and (self.end is None or day < self.end)


class MixedCurrenciesError(UnprocessableError):
    """Amounts in different currencies do not add."""

    code = "mixed_currencies"


def paid(contracts: Iterable[Contract], period: Period) -> Decimal:
    """What the contracts cost in the period. Raises MixedCurrenciesError."""
    units = 0
    for one in _of_one_currency(contracts):
        end = min(period.end, one.end or period.end)
        units += _units_before(one, max(end, one.start)) - _units_before(one, max(min(period.start, end), one.start))
    return scaled_decimal(units, AMOUNT_PLACES)


def mrr(contracts: Iterable[Contract], day: date) -> Decimal:
    """Monthly recurring revenue on a day, rounded once, half-even to 4 places. Raises MixedCurrenciesError."""
    months = recurring(_of_one_currency(contracts), day)
    return round_half_even(months.numerator, months.denominator)


def recurring(contracts: Iterable[Contract], day: date) -> Fraction:
    """The months, and a twelfth of the years, of what is in force on a day: exact. All are in one currency."""
    months = Fraction(0)
    for one in contracts:
        if one.in_force(day):
            months += Fraction(one.amount) / (MONTHS_A_YEAR if one.period is BillingPeriod.YEAR else 1)
    return months


def _of_one_currency(contracts: Iterable[Contract]) -> Sequence[Contract]:
    chosen = list(contracts)
    currencies = sorted({one.currency for one in chosen})
    if len(currencies) > 1:
        raise MixedCurrenciesError(f"These contracts are in {', '.join(currencies)}, which do not add; ask for one.")
    return chosen


def _units_before(one: Contract, day: date) -> int:
    """What the contract cost from its start up to `day`, in units of the last place. `day` is not before the start."""
    spread = _months_before if one.period is BillingPeriod.MONTH else _years_before
    cost = Fraction(one.amount) * spread(one.start, day) * _UNITS
    return int(round_half_even(cost.numerator, cost.denominator, 0))


def _months_before(start: date, day: date) -> Fraction:
    """Months from `start` to `day`; a calendar month that is cut counts by its days."""
    if start >= day:
        return Fraction(0)
    whole = (day.year - start.year) * MONTHS_A_YEAR + day.month - start.month
    into_first = Fraction(start.day - 1, month_of(start).days)
    return whole - into_first + Fraction(day.day - 1, month_of(day).days)


def _years_before(start: date, day: date) -> Fraction:
    """Contract years from `start` to `day`; the running one counts by its days."""
    whole = day.year - start.year
    if years_later(start, whole) > day:
        whole -= 1
    year = Period(years_later(start, whole), years_later(start, whole + 1))
    return whole + Fraction((day - year.start).days, year.days)


async def contracts_of(tx: Transaction, account_id: int) -> list[Contract]:
    """All contracts of an account, by start and id."""
    found = contract.c
    query = select(contract).where(found.account_id == account_id).order_by(found.start_day, found.contract_id)
    return [contract_of(row) for row in await tx.rows(query)]


async def all_contracts(tx: Transaction) -> dict[int, list[Contract]]:
    """The contracts of every account in scope, by start and id."""
    found: defaultdict[int, list[Contract]] = defaultdict(list)
    for row in await tx.rows(select(contract).order_by(contract.c.start_day, contract.c.contract_id)):
        found[row.account_id].append(contract_of(row))
    return dict(found)


def contract_of(row: Row[Any]) -> Contract:
    """A row of the table as a value."""
    return Contract(
        contract_id=row.contract_id,
        start=row.start_day,
        end=row.end_day,
        amount=row.amount,
        currency=row.currency,
        period=BillingPeriod(row.period),
        kind=ContractKind(row.kind),
        provider=row.provider,
    )


def first_start(contracts: Iterable[Contract]) -> date | None:
    """The day from which contract years count."""
    return min((one.start for one in contracts), default=None)
