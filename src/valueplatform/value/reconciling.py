"""Reconciliation on a schedule: what an account states against its raw events, by the independent path.

A difference is a finding, told and kept with when it was found and when it was gone; nothing is mended silently.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import text

from valueplatform.core.database import Transaction
from valueplatform.core.periods import local_day
from valueplatform.telemetry.findings import keep_findings
from valueplatform.telemetry.quality import FAILURE, Found
from valueplatform.value.proof_record import read_source
from valueplatform.value.verify import Discrepancy, verify_account

LOOK_BACK: Final = timedelta(days=35)
"""Days before today that a reconciliation covers; `valueplatform verify` covers all."""
EVERY: Final = timedelta(days=1)
COMPARED: Final = ("rollup", "accrual", "posting")
LAST_DAY: Final = date(9000, 1, 1)

_DUE: Final = text("""
    SELECT account_id FROM account
    WHERE account_id > 0 AND (reconciled_at IS NULL OR reconciled_at < :before)
      AND account_id NOT IN (SELECT account_id FROM changed_day)
    ORDER BY reconciled_at NULLS FIRST, account_id LIMIT :limit
""")
_WAITS: Final = text("SELECT EXISTS (SELECT 1 FROM changed_day WHERE account_id = :account)")
_ZONE: Final = text("SELECT timezone FROM account WHERE account_id = :account")
_DONE: Final = text("UPDATE account SET reconciled_at = :now WHERE account_id = :account")


async def due(tx: Transaction, now: datetime, limit: int) -> Sequence[int]:
    """Accounts that were not reconciled for a day and have nothing waiting, the longest first."""
    return [row.account_id for row in await tx.rows(_DUE, {"before": now - EVERY, "limit": limit})]


async def reconcile(tx: Transaction, account_id: int, now: datetime) -> Sequence[Discrepancy] | None:
    """What differs in the last 35 days; None where changes wait, so that amounts may rightly be behind.

    The caller holds the account's lock, in a steady transaction: all is read as of one moment.
    """
    source = await read_source(tx, account_id)
    if source is None or await tx.scalar(_WAITS, {"account": account_id}):
        return None
    today = local_day(now, str(await tx.scalar(_ZONE, {"account": account_id})))
    found = (await verify_account(tx, source, today - LOOK_BACK, LAST_DAY)).discrepancies
    kept = [Found(one.what, one.where, one.stated, one.recomputed, FAILURE) for one in found]
    await keep_findings(tx, account_id, kept, now, looked=COMPARED)
    await mark_reconciled(tx, account_id, now)
    return found


async def mark_reconciled(tx: Transaction, account_id: int, now: datetime) -> None:
    """The account is not due again for a day."""
    await tx.execute(_DONE, {"account": account_id, "now": now})
