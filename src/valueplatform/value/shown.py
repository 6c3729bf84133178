"""Realized value as it is shown: accruals of open months, postings of closed ones.

A closed month shows what was posted for it; what changed afterwards is shown on the day of the adjustment
(value rule 12). With `as_of`, only postings known by then: open months have none, so they are not in it.
"""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

import msgspec
from sqlalchemy import text

from valueplatform.core.database import Transaction
from valueplatform.core.periods import Period
from valueplatform.value.model import Evidence
from valueplatform.value.states import State


class ShownValue(msgspec.Struct, frozen=True):
    """Value of one driver and provider, shown on one day, resting on one kind of basis."""

    driver: str
    provider: str
    day: date
    unit: str
    benefit_class: str
    evidence: Evidence
    state: State
    counted: bool
    low: Decimal
    expected: Decimal
    high: Decimal


class Adjustment(msgspec.Struct, frozen=True):
    """What a closed month turned out to differ by: shown on `shown_day`, of `month`, by driver and cause."""

    driver: str
    month: date
    shown_day: date
    unit: str
    expected: Decimal
    counted: Decimal
    cause: str


_BASIS = "b.unit, b.benefit_class, b.evidence, b.state, b.counted"
_ROWS = """
    WITH shown AS (
        SELECT a.driver, a.provider, a.day, a.day AS earned, a.basis_id, a.low, a.expected, a.high
        FROM accrual a
        WHERE a.account_id = :account AND a.day >= :start AND a.day < :end AND a.expected IS NOT NULL
          AND CAST(:as_of AS timestamptz) IS NULL
          AND NOT EXISTS (SELECT FROM closed_month c
                          WHERE c.account_id = a.account_id AND c.month = date_trunc('month', a.day)::date)
        UNION ALL
        SELECT p.driver, p.provider, p.shown_day, p.day, p.basis_id, p.low, p.expected, p.high
        FROM posting p
        WHERE p.account_id = :account AND p.shown_day >= :start AND p.shown_day < :end
          AND (CAST(:as_of AS timestamptz) IS NULL OR p.posted_at <= CAST(:as_of AS timestamptz))
    )
"""
_SHOWN = text(f"""{_ROWS}
    SELECT s.driver, s.provider, s.day, {_BASIS}, sum(s.low) AS low, sum(s.expected) AS expected, sum(s.high) AS high
    FROM shown s JOIN basis b ON b.account_id = :account AND b.basis_id = s.basis_id
    GROUP BY s.driver, s.provider, s.day, {_BASIS}
    ORDER BY s.day, s.driver, s.provider
""")  # noqa: S608 - the only part put in is the constant above
_EARNED = text(f"""{_ROWS}
    SELECT s.driver, s.provider, s.day, s.earned, {_BASIS},
           sum(s.low) AS low, sum(s.expected) AS expected, sum(s.high) AS high
    FROM shown s JOIN basis b ON b.account_id = :account AND b.basis_id = s.basis_id
    WHERE s.provider = :provider AND s.driver = ANY (:drivers)
    GROUP BY s.driver, s.provider, s.day, s.earned, {_BASIS}
    ORDER BY s.day, s.earned, s.driver
""")  # noqa: S608 - the only parts put in are the constants above
_PIECES = text(f"""{_ROWS}
    SELECT s.driver, s.provider, s.day, s.earned, s.basis_id, {_BASIS},
           sum(s.low) AS low, sum(s.expected) AS expected, sum(s.high) AS high
    FROM shown s JOIN basis b ON b.account_id = :account AND b.basis_id = s.basis_id
    WHERE s.driver = ANY (:drivers)
    GROUP BY s.driver, s.provider, s.day, s.earned, s.basis_id, {_BASIS}
    ORDER BY s.day, s.earned, s.driver, s.provider, s.basis_id
""")  # noqa: S608 - the only parts put in are the constants above
_ADJUSTMENTS = text("""
    SELECT p.driver, date_trunc('month', p.day)::date AS month, p.shown_day, b.unit, p.cause,
           sum(p.expected) AS expected, coalesce(sum(p.expected) FILTER (WHERE b.counted), 0) AS counted
    FROM posting p JOIN basis b ON b.account_id = p.account_id AND b.basis_id = p.basis_id
    WHERE p.account_id = :account AND p.kind = 'adjustment'
    GROUP BY p.driver, date_trunc('month', p.day)::date, p.shown_day, b.unit, p.cause
    ORDER BY p.shown_day, 2, p.driver
""")
_GAPS = text("""
    SELECT driver, reason, min(day) AS first, max(day) AS last, count(*) AS days FROM accrual
    WHERE account_id = :account AND expected IS NULL GROUP BY driver, reason ORDER BY driver, reason
""")
_FIRST = text("""
    SELECT least((SELECT min(day) FROM accrual WHERE account_id = :account),
                 (SELECT min(shown_day) FROM posting WHERE account_id = :account))
""")


class Piece(msgspec.Struct, frozen=True):
    """Shown value by the day that it was earned on and the one basis that it rests on."""

    value: ShownValue
    earned: date
    basis_id: UUID


class Gap(msgspec.Struct, frozen=True):
    """Days of a driver without an amount, and why."""

    driver: str
    reason: str
    first: date
    last: date
    days: int


async def shown_values(
    tx: Transaction, account_id: int, period: Period, as_of: datetime | None = None
) -> list[ShownValue]:
    where = {"account": account_id, "start": period.start, "end": period.end, "as_of": as_of}
    rows = await tx.rows(_SHOWN, where)
    return [msgspec.convert(row._mapping, ShownValue) for row in rows]  # noqa: SLF001 - public in SQLAlchemy


async def shown_pieces(tx: Transaction, account_id: int, period: Period, drivers: Sequence[str]) -> list[Piece]:
    """What `shown_values` sums, of some drivers, as it stands now."""
    where = {"account": account_id, "start": period.start, "end": period.end, "as_of": None, "drivers": list(drivers)}
    return [
        Piece(msgspec.convert(row._mapping, ShownValue), row.earned, row.basis_id)  # noqa: SLF001 - public in SQLAlchemy
        for row in await tx.rows(_PIECES, where)
    ]


async def earned_values(
    tx: Transaction, account_id: int, period: Period, provider: str, drivers: Sequence[str], as_of: datetime | None
) -> list[tuple[date, ShownValue]]:
    """What is shown of some drivers of a provider, each with the day that it was earned on: of an adjustment, that is
    before the day that it is shown on."""
    where = {"account": account_id, "start": period.start, "end": period.end, "as_of": as_of}
    rows = await tx.rows(_EARNED, {**where, "provider": provider, "drivers": list(drivers)})
    return [(row.earned, msgspec.convert(row._mapping, ShownValue)) for row in rows]  # noqa: SLF001 - public in SQLAlchemy


async def adjustments(tx: Transaction, account_id: int) -> Sequence[Adjustment]:
    """Every adjustment, oldest first."""
    rows = await tx.rows(_ADJUSTMENTS, {"account": account_id})
    return [msgspec.convert(row._mapping, Adjustment) for row in rows]  # noqa: SLF001 - public in SQLAlchemy


async def gaps(tx: Transaction, account_id: int) -> Sequence[Gap]:
    rows = await tx.rows(_GAPS, {"account": account_id})
    return [msgspec.convert(row._mapping, Gap) for row in rows]  # noqa: SLF001 - public in SQLAlchemy


async def first_value_day(tx: Transaction, account_id: int) -> date | None:
    day: date | None = await tx.scalar(_FIRST, {"account": account_id})
    return day
