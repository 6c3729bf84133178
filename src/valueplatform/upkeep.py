"""What the worker keeps in order between accounts: the calendar, and comparing what is kept with what came in."""

from collections.abc import Iterable
from datetime import datetime

import structlog
from sqlalchemy import text

from valueplatform.core.clock import Clock
from valueplatform.core.database import ACCOUNT_LOCKS, Database, Transaction
from valueplatform.core.errors import UnavailableError
from valueplatform.core.scope import grant_accounts, grant_all
from valueplatform.telemetry.findings import ALL_ACCOUNTS
from valueplatform.telemetry.intake_check import check_intake, check_keys
from valueplatform.telemetry.intake_sums import sum_intake
from valueplatform.telemetry.quality import Found
from valueplatform.telemetry.quality_looks import due_for_a_look, examine, mark_examined
from valueplatform.telemetry.recent_events import prune_recent_events
from valueplatform.value.calendar import mark_month_ends, mark_new_days
from valueplatform.value.reconciling import LOOK_BACK, due, mark_reconciled, reconcile

log = structlog.get_logger()

RECONCILED_AT_ONCE = 10
"""Accounts that are reconciled in one round of housekeeping."""
EXAMINED_AT_ONCE = 100
"""Accounts whose data is looked at in one round of housekeeping."""
SUMMED_AT_ONCE = 10
"""Steps of summing up what came in, in one round of housekeeping."""
TRY_LOCK = text("SELECT pg_try_advisory_xact_lock(:lock)")


class Upkeep:
    """One round at a time; `intake` is the database in the ingest role, which alone may read keys."""

    def __init__(self, database: Database, clock: Clock, intake: Database | None) -> None:
        self.database = database
        self.clock = clock
        self.intake = intake

    async def keep_house(self) -> None:
        """What the calendar asks for: local midnights and months to close, which become marks; what is let go of; then
        a few accounts are reconciled with their raw events, a part of the intake is compared, and a few accounts' data
        is looked at."""
        now = self.clock()
        async with self.database.transaction(grant_all()) as tx:
            await mark_new_days(tx, now)
            await mark_month_ends(tx, now)
            await prune_recent_events(tx)
            accounts = await due(tx, now, RECONCILED_AT_ONCE)
            looks = await due_for_a_look(tx, now, EXAMINED_AT_ONCE)
        for account_id in accounts:
            await self.reconcile(account_id, now)
        await self.check_intake(now)
        await self.sum_intake()
        for account_id in (ALL_ACCOUNTS, *looks):
            await self.examine(account_id, now)

    async def reconcile(self, account_id: int, now: datetime) -> None:
        """Compare one account with its raw events. What goes wrong is logged, and must not keep others waiting."""
        try:
            async with self.database.transaction(grant_accounts([account_id]), steady=True) as tx:
                if await tx.scalar(TRY_LOCK, {"lock": ACCOUNT_LOCKS + account_id}):
                    await reconcile_account(tx, account_id, now)
            if self.intake is not None:
                since = (now - LOOK_BACK).date()
                scope = grant_accounts([account_id])
                _log_findings(await check_keys(self.intake, self.database, scope, account_id, since, now), account_id)
        except UnavailableError:
            raise
        except Exception:
            log.exception("account not reconciled", account=account_id)
            async with self.database.transaction(grant_accounts([account_id])) as tx:
                await mark_reconciled(tx, account_id, now)

    async def check_intake(self, now: datetime) -> None:
        """Compare a part of what came in with what is there."""
        if self.intake is None:
            return
        try:
            _log_findings(await check_intake(self.intake, self.database, grant_all(), now), ALL_ACCOUNTS)
        except UnavailableError:
            raise
        except Exception:
            log.exception("intake not compared")

    async def sum_intake(self) -> None:
        """What came in of all accounts, by day; a bounded number of steps, and the rest in the next round."""
        for _ in range(SUMMED_AT_ONCE):
            async with self.database.transaction(grant_all()) as tx:
                if not await sum_intake(tx):
                    return

    async def examine(self, account_id: int, now: datetime) -> None:
        """Look at the quality of one account's data. What goes wrong is logged, and must not keep others waiting."""
        try:
            async with self.database.transaction(grant_all()) as tx:
                if await tx.scalar(TRY_LOCK, {"lock": ACCOUNT_LOCKS + account_id}):
                    await examine(tx, account_id, now)
        except UnavailableError:
            raise
        except Exception:
            log.exception("data quality not looked at", account=account_id)
            async with self.database.transaction(grant_all()) as tx:
                await mark_examined(tx, account_id, now)


async def reconcile_account(tx: Transaction, account_id: int, now: datetime) -> int:
    """How many differences there are; each is a finding, and logged. The transaction is steady and holds the lock."""
    found = await reconcile(tx, account_id, now) or ()
    for one in found:
        log.error("reconciliation differs", account=account_id, what=one.what, place=one.where,
                  stated=one.stated, recomputed=one.recomputed)  # fmt: skip
    return len(found)


def _log_findings(found: Iterable[Found], account_id: int) -> None:
    for one in found:
        log.error("intake differs", account=account_id, place=one.place, stated=one.usual, recomputed=one.seen)
