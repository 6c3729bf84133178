"""Counted value of many accounts at once, by what carries it: as shown (`value.shown`), in the currency it is in.

Amounts are grouped by the exchange rate that is in force on their day, so that whoever adds them up converts each by
the rate of its own day.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Final

import msgspec
from sqlalchemy import text

from valueplatform.accounts.exchange_rates import Rates
from valueplatform.core.database import Transaction
from valueplatform.core.periods import Period
from valueplatform.value.model import JOINT
from valueplatform.value.split_record import splits_of_accounts
from valueplatform.value.splits import Split, cut_on
from valueplatform.value.values import is_money

_SHOWN: Final = """
    WITH held AS (
        SELECT * FROM unnest(CAST(:currencies AS text[]), CAST(:starts AS date[]), CAST(:ends AS date[]))
            AS held (currency, rate_day, ends)
    ), shown AS (
        SELECT a.account_id, a.driver, a.provider, a.day, date_trunc('month', a.day)::date AS month, a.basis_id,
               a.expected, a.day AS earned
        FROM accrual a
        WHERE a.day >= :start AND a.day < :end AND a.expected IS NOT NULL
          AND NOT EXISTS (SELECT FROM closed_month c
                          WHERE c.account_id = a.account_id AND c.month = date_trunc('month', a.day)::date)
        UNION ALL
        SELECT p.account_id, p.driver, p.provider, p.shown_day, date_trunc('month', p.shown_day)::date, p.basis_id,
               p.expected, p.day
        FROM posting p WHERE p.shown_day >= :start AND p.shown_day < :end
    )
"""
_COUNTED: Final = """
    SELECT s.account_id, {groups}, b.unit, b.benefit_class, held.rate_day, min(s.day) AS first_day,
           sum(s.expected) AS amount
    FROM shown s
    JOIN basis b ON b.account_id = s.account_id AND b.basis_id = s.basis_id AND b.counted
    LEFT JOIN held ON held.currency = b.unit AND s.day >= held.rate_day AND s.day < held.ends
    GROUP BY s.account_id, {groups}, b.unit, b.benefit_class, held.rate_day
    ORDER BY s.account_id, {groups}, b.unit, b.benefit_class, held.rate_day
"""
_JOINT: Final = text(f"""{_SHOWN}
    SELECT s.account_id, s.driver, s.day, s.earned, b.unit, b.benefit_class, held.rate_day, sum(s.expected) AS amount
    FROM shown s
    JOIN basis b ON b.account_id = s.account_id AND b.basis_id = s.basis_id AND b.counted
    LEFT JOIN held ON held.currency = b.unit AND s.day >= held.rate_day AND s.day < held.ends
    WHERE s.provider = 'joint' AND s.account_id = ANY (:accounts)
    GROUP BY s.account_id, s.driver, s.day, s.earned, b.unit, b.benefit_class, b.evidence, b.state, held.rate_day
    ORDER BY s.account_id, s.driver, s.day, s.earned
""")  # noqa: S608 - the only part put in is the constant above
_BY_DRIVER: Final = text(_SHOWN + _COUNTED.format(groups="s.driver, s.provider"))
_BY_MONTH: Final = text(_SHOWN + _COUNTED.format(groups="s.month"))


class CountedValue(msgspec.Struct, frozen=True, kw_only=True):
    """Counted value of one account in one unit. `rate_day`: the day of the rate in force, None where none is or none is
    needed; `first_day`: the first day of the value."""

    account_id: int
    driver: str = ""
    provider: str = ""
    month: date | None = None
    unit: str
    benefit_class: str
    rate_day: date | None
    first_day: date
    amount: Decimal


async def counted_by_driver(tx: Transaction, period: Period, rates: Rates) -> list[CountedValue]:
    """By account, driver and provider, of the accounts in scope; joint drivers by party, as agreed. Money alone:
    strategic value is in no total."""
    found = [CountedValue(**row._asdict()) for row in await tx.rows(_BY_DRIVER, _asked(period, rates)) if _counts(row)]
    splits = await splits_of_accounts(tx)
    if not splits:
        return found
    divided = {(account, one.driver) for account, own in splits.items() for one in own if one.since is not None}
    whole = [x for x in found if x.provider != JOINT or (x.account_id, x.driver) not in divided]
    return [*whole, *await _divided(tx, period, rates, splits)]


async def _divided(
    tx: Transaction, period: Period, rates: Rates, splits: Mapping[int, Sequence[Split]]
) -> list[CountedValue]:
    """Joint drivers that were ever shared, by party: cut day by day, then put together as everything else is."""
    sums: defaultdict[tuple[int, str, str, str, str, date | None], tuple[date, Decimal]] = defaultdict(
        lambda: (date.max, Decimal(0))
    )
    for row in await tx.rows(_JOINT, {**_asked(period, rates), "accounts": sorted(splits)}):
        lines = [one for one in splits[row.account_id] if one.driver == row.driver]
        if not _counts(row) or not any(one.since is not None for one in lines):
            continue
        for party, amount in cut_on(row.amount, row.earned, lines).items():
            key = row.account_id, row.driver, party, row.unit, row.benefit_class, row.rate_day
            first, before = sums[key]
            sums[key] = min(first, row.day), before + amount
    return [
        CountedValue(
            account_id=account, driver=driver, provider=party, unit=unit, benefit_class=benefit_class,
            rate_day=rate_day, first_day=first, amount=amount,
        )
        for (account, driver, party, unit, benefit_class, rate_day), (first, amount) in sorted(
            sums.items(), key=lambda item: (*item[0][:5], item[0][5] or date.min)
        )
        if amount
    ]  # fmt: skip


async def counted_by_month(tx: Transaction, period: Period, rates: Rates) -> list[CountedValue]:
    """By account and calendar month."""
    return [CountedValue(**row._asdict()) for row in await tx.rows(_BY_MONTH, _asked(period, rates)) if _counts(row)]


def _counts(row: object) -> bool:
    return is_money(getattr(row, "unit", ""), getattr(row, "benefit_class", "")) and bool(getattr(row, "amount", 0))


def _asked(period: Period, rates: Rates) -> dict[str, object]:
    spans = rates.spans()
    columns: dict[str, Sequence[object]] = {
        "currencies": [one.currency for one, _ in spans],
        "starts": [one.day for one, _ in spans],
        "ends": [end for _, end in spans],
    }
    return {**columns, "start": period.start, "end": period.end}
