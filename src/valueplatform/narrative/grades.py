"""Grades of suggestions, as they are kept: what was promised, what was realized, and whether that is within. A grade is
never changed; where the record it rests on has changed, a further version stands in its place."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal

import msgspec
from sqlalchemy import text

from valueplatform.core.database import Transaction
from valueplatform.narrative.grading import Compared, Outcome, Promise

_NEWEST = """
    SELECT DISTINCT ON (account_id, suggestion_id, horizon) account_id, body::text AS body FROM suggestion_grade
    {where} ORDER BY account_id, suggestion_id, horizon, version DESC
"""
_OF_ACCOUNT = text(_NEWEST.format(where="WHERE account_id = :account"))
_ALL = text(_NEWEST.format(where=""))


class Grade(msgspec.Struct, frozen=True):
    """Of one suggestion at one horizon, `horizon` days after its first use; [start, end) are those days.

    Amounts are of these days in `unit`, before costs. `low`, `expected`, `high` were promised; a measurement falls from
    `range_low` to `range_high` if the promise holds; `realized` was measured against what `compared` comparable
    accounts, of `segment` or of all (None), brought meanwhile; `without` is what the account would have brought.
    Only MEASURED has all of them; what was not taken up has no start. `chance` is for the supplier alone.
    """

    suggestion_id: str
    feature: str
    title: str
    horizon: int
    version: int
    outcome: Outcome
    decided_at: datetime
    graded_at: datetime
    unit: str
    start: date | None = None
    end: date | None = None
    low: Decimal | None = None
    expected: Decimal | None = None
    high: Decimal | None = None
    range_low: Decimal | None = None
    range_high: Decimal | None = None
    realized: Decimal | None = None
    without: Decimal | None = None
    is_within: bool | None = None
    compared: int = 0
    segment: str | None = None
    chance: Decimal | None = None


class GradeInput(msgspec.Struct, frozen=True):
    """What a grade rests on: the promise of twelve months, the account's own amounts, and those it was held against."""

    stated: Promise | None
    own: Compared | None
    compared: tuple[Compared, ...]


async def grades_of(tx: Transaction, account_id: int) -> tuple[Grade, ...]:
    """Of one account, the newest version of each: by when the step was decided, then by horizon."""
    return tuple(sorted(await _read(tx, account_id), key=_order))


async def all_grades(tx: Transaction) -> dict[int, tuple[Grade, ...]]:
    """Of all accounts in the scope of the transaction, by account."""
    found: dict[int, list[Grade]] = {}
    for row in await tx.rows(_ALL):
        found.setdefault(row.account_id, []).append(msgspec.json.decode(row.body, type=Grade))
    return {account: tuple(sorted(grades, key=_order)) for account, grades in found.items()}


async def _read(tx: Transaction, account_id: int) -> Sequence[Grade]:
    rows = await tx.rows(_OF_ACCOUNT, {"account": account_id})
    return [msgspec.json.decode(row.body, type=Grade) for row in rows]


def _order(grade: Grade) -> tuple[datetime, str, int]:
    return grade.decided_at, grade.suggestion_id, grade.horizon
