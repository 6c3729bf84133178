"""Closing a month, and adjusting it afterwards (value rule 12). Postings are append-only; the database refuses
anything else."""

from collections.abc import Iterable
from datetime import date, datetime

from sqlalchemy import text

from valueplatform.core.database import Transaction, lock_account
from valueplatform.core.errors import UnprocessableError
from valueplatform.core.periods import Period, local_day, month_of
from valueplatform.value.accrual_store import Change

CLOSING_DAY = 10
"""Months close on this day of the next month, local time (value rule 12)."""

_CLOSE = text("""
    INSERT INTO posting (account_id, kind, driver, provider, day, shown_day, basis_id, low, expected, high, posted_at,
                         revision)
    SELECT account_id, 'close', driver, provider, day, day, basis_id, low, expected, high, :now, :revision
    FROM accrual
    WHERE account_id = :account AND day >= :start AND day < :end AND expected IS NOT NULL
    ORDER BY driver, provider, day
""")
_ADJUST = text("""
    WITH mark AS (
        SELECT * FROM unnest(CAST(:firsts AS date[]), CAST(:lasts AS date[]), CAST(:causes AS text[]))
            AS m (first, last, cause)
    ), standing AS (
        SELECT driver, provider, day, basis_id, low, expected, high
        FROM accrual a JOIN closed_month c ON c.account_id = a.account_id AND c.month = date_trunc('month', a.day)::date
        WHERE a.account_id = :account AND a.day >= :start AND a.day < :end AND a.expected IS NOT NULL
    ), posted AS (
        SELECT driver, provider, day, basis_id, sum(low) AS low, sum(expected) AS expected, sum(high) AS high
        FROM posting
        WHERE account_id = :account AND day >= :start AND day < :end
        GROUP BY driver, provider, day, basis_id
    )
    INSERT INTO posting (account_id, kind, driver, provider, day, shown_day, basis_id, low, expected, high, cause,
                         posted_at, revision)
    SELECT :account, 'adjustment', driver, provider, day, :today, basis_id,
           coalesce(s.low, 0) - coalesce(p.low, 0),
           coalesce(s.expected, 0) - coalesce(p.expected, 0),
           coalesce(s.high, 0) - coalesce(p.high, 0),
           (SELECT string_agg(DISTINCT cause, ', ' ORDER BY cause) FROM mark WHERE day BETWEEN first AND last),
           :now, :revision
    FROM standing s FULL JOIN posted p USING (driver, provider, day, basis_id)
    WHERE (coalesce(s.low, 0), coalesce(s.expected, 0), coalesce(s.high, 0))
          IS DISTINCT FROM (coalesce(p.low, 0), coalesce(p.expected, 0), coalesce(p.high, 0))
    ORDER BY driver, provider, day
""")
_RAISE_REVISION = text("UPDATE account SET revision = revision + 1 WHERE account_id = :account RETURNING revision")


async def raise_revision(tx: Transaction, account_id: int) -> int:
    """The account's next revision: what this transaction writes is known from it on."""
    return int(await tx.scalar(_RAISE_REVISION, {"account": account_id}))


async def closed_months(tx: Transaction, account_id: int) -> set[date]:
    query = text("SELECT month FROM closed_month WHERE account_id = :account")
    return {row.month for row in await tx.rows(query, {"account": account_id})}


async def close_month(tx: Transaction, account_id: int, timezone: str, month: Period, now: datetime) -> int | None:
    """Post a month of one account as it stands; the number of postings, None where it was closed before.

    The account's marks must have been worked off. Raises UnprocessableError for a month that is not over yet in
    the account's zone.
    """
    await lock_account(tx, account_id)
    if local_day(now, timezone) < month.end:
        raise UnprocessableError(f"{month.start:%B %Y} is not over yet in {timezone}; it can close from {month.end}.")
    if month.start in await closed_months(tx, account_id):
        return None
    revision = await raise_revision(tx, account_id)
    where = {"account": account_id, "start": month.start, "end": month.end, "now": now, "revision": revision}
    count = await tx.execute(_CLOSE, where)
    insert = text(
        "INSERT INTO closed_month (account_id, month, closed_at, revision) VALUES (:account, :start, :now, :revision)"
    )
    await tx.execute(insert, {name: where[name] for name in ("account", "start", "now", "revision")})
    return count


async def adjust(tx: Transaction, account_id: int, timezone: str, changes: Iterable[Change], now: datetime) -> int:
    """Post what closed months of `changes` differ by now; the number of adjustments.

    The difference is posted for each day under the basis that it arises from, so that the sum of postings always
    equals the accruals, in total and in every state.
    """
    revision = await raise_revision(tx, account_id)
    count = 0
    for change in changes:
        count += await tx.execute(
            _ADJUST,
            {
                "account": account_id,
                "start": change.period.start,
                "end": change.period.end,
                "today": local_day(now, timezone),
                "firsts": [mark.first for mark in change.marks],
                "lasts": [mark.last for mark in change.marks],
                "causes": [mark.cause for mark in change.marks],
                "now": now,
                "revision": revision,
            },
        )
    return count


def months_due(first_day: date, joined: date, go_live: date | None, closed: set[date], today: date) -> list[Period]:
    """The months that the schedule closes today, oldest first.

    From go-live on, and only months that ended after the account joined the platform: imported history stays
    provisional until someone closes it. `first_day` is the first day with value.
    """
    if go_live is None:
        return []
    due = []
    month = month_of(max(first_day, go_live))
    while month.end <= today:
        closes_on = month.end.replace(day=CLOSING_DAY)
        if month.end > joined and closes_on <= today and month.start not in closed:
            due.append(month)
        month = month_of(month.end)
    return due
