"""What the calendar alone changes: a new local day, and months that are due to close."""

from datetime import datetime

from sqlalchemy import text

from valueplatform.core.database import Transaction
from valueplatform.core.periods import local_day
from valueplatform.value.postings import CLOSING_DAY, close_month, closed_months, months_due
from valueplatform.value.shown import first_value_day

# "To date" moves on at local midnight, with or without events; an account that was never served has begun its first.
_NEW_DAYS = text("""
    INSERT INTO changed_day (account_id, day, through, cause)
    SELECT account_id, (CAST(:now AS timestamptz) AT TIME ZONE timezone)::date,
           (CAST(:now AS timestamptz) AT TIME ZONE timezone)::date, 'midnight'
    FROM account a
    WHERE account_id > 0
      AND (refreshed_at IS NULL
           OR (refreshed_at AT TIME ZONE timezone)::date < (CAST(:now AS timestamptz) AT TIME ZONE timezone)::date)
      AND NOT EXISTS (SELECT FROM changed_day c WHERE c.account_id = a.account_id AND c.cause = 'midnight')
""")
# Accounts with a month that the schedule closes by now. It becomes a mark, so that the account is served: closing is
# part of serving it, and so is telling it.
_MONTH_ENDS = text("""
    INSERT INTO changed_day (account_id, day, through, cause)
    SELECT due.account_id, due.month_end - 1, due.month_end - 1, 'month-end'
    FROM (
        SELECT a.account_id, (a.created_at AT TIME ZONE a.timezone)::date AS joined,
               min(m.at AT TIME ZONE a.timezone)::date AS live,
               date_trunc('month', (CAST(:now AS timestamptz) AT TIME ZONE a.timezone)
                                   - make_interval(days => :closing_day - 1))::date AS month_end
        FROM account a JOIN milestone m ON m.account_id = a.account_id AND m.kind = 'go-live' AND m.at <= :now
        GROUP BY a.account_id
    ) due
    WHERE due.joined < due.month_end AND due.live < due.month_end
      AND EXISTS (SELECT FROM accrual v WHERE v.account_id = due.account_id AND v.day < due.month_end)
      AND NOT EXISTS (SELECT FROM closed_month c WHERE c.account_id = due.account_id
                      AND c.month = (due.month_end - interval '1 month')::date)
      AND NOT EXISTS (SELECT FROM changed_day c WHERE c.account_id = due.account_id AND c.cause = 'month-end')
""")
_ACCOUNT = text("""
    SELECT a.timezone, a.created_at, (SELECT min(at) FROM milestone m WHERE m.account_id = a.account_id
                                      AND m.kind = 'go-live') AS go_live
    FROM account a WHERE a.account_id = :account
""")


async def mark_new_days(tx: Transaction, now: datetime) -> int:
    """Mark today for every account whose local day began since it was last served; how many."""
    return await tx.execute(_NEW_DAYS, {"now": now})


async def mark_month_ends(tx: Transaction, now: datetime) -> int:
    """Mark every account that has a month to close; how many."""
    return await tx.execute(_MONTH_ENDS, {"now": now, "closing_day": CLOSING_DAY})


async def close_due_months(tx: Transaction, account_id: int, now: datetime) -> int:
    """Close the months of one account that the schedule says; how many. Its marks are worked off, its lock is held."""
    row = await tx.row(_ACCOUNT, {"account": account_id})
    if row is None or row.go_live is None:
        return 0
    first = await first_value_day(tx, account_id)
    if first is None:
        return 0
    joined, go_live = local_day(row.created_at, row.timezone), local_day(row.go_live, row.timezone)
    due = months_due(first, joined, go_live, await closed_months(tx, account_id), local_day(now, row.timezone))
    for month in due:
        await close_month(tx, account_id, row.timezone, month, now)
    return len(due)
