"""What the calendar alone changes: a new local day, and months that are due to close."""

from datetime import datetime

from sqlalchemy import text

from valueplatform.core.database import Transaction
from valueplatform.core.periods import local_day
from valueplatform.value.postings import CLOSING_DAY, close_month, closed_months, months_due
from valueplatform.value.refreshing import refresh_value
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
# Accounts whose last month that should be closed by now is not. Whether and which months close is decided by
# `months_due`; this only spares looking at every account every time.
_CANDIDATES = text("""
    SELECT a.account_id FROM account a
    JOIN milestone m ON m.account_id = a.account_id AND m.kind = 'go-live' AND m.at <= :now
    WHERE NOT EXISTS (
        SELECT FROM closed_month c WHERE c.account_id = a.account_id
        AND c.month = (date_trunc('month', (CAST(:now AS timestamptz) AT TIME ZONE a.timezone)
                                           - make_interval(days => :closing_day - 1)) - interval '1 month')::date)
    GROUP BY a.account_id
""")
_ACCOUNT = text("""
    SELECT a.timezone, a.created_at, (SELECT min(at) FROM milestone m WHERE m.account_id = a.account_id
                                      AND m.kind = 'go-live') AS go_live
    FROM account a WHERE a.account_id = :account
""")


async def mark_new_days(tx: Transaction, now: datetime) -> int:
    """Mark today for every account whose local day began since it was last served; how many."""
    return await tx.execute(_NEW_DAYS, {"now": now})


async def accounts_to_close(tx: Transaction, now: datetime) -> list[int]:
    """Accounts that may have months to close."""
    rows = await tx.rows(_CANDIDATES, {"now": now, "closing_day": CLOSING_DAY})
    return [row.account_id for row in rows]


async def close_account(tx: Transaction, account_id: int, now: datetime) -> int:
    """Close the months of one account that the schedule says; how many."""
    await refresh_value(tx, account_id, now)
    row = await tx.row(_ACCOUNT, {"account": account_id})
    first = await first_value_day(tx, account_id)
    if row is None or first is None or row.go_live is None:
        return 0
    joined, go_live = local_day(row.created_at, row.timezone), local_day(row.go_live, row.timezone)
    due = months_due(first, joined, go_live, await closed_months(tx, account_id), local_day(now, row.timezone))
    for month in due:
        await close_month(tx, account_id, row.timezone, month, now)
    return len(due)
