"""The continuous path: changed days become amounts, insights and stories, account by account (flow 2).

Any number of workers run beside each other. One takes an account under its lock, deletes its marks, and only then
reads. Accounts with an open page come first; others are served at most once a minute.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog
from sqlalchemy import text

from valueplatform.core.clock import Clock, system_clock
from valueplatform.core.database import ACCOUNT_LOCKS, Database, Transaction
from valueplatform.core.errors import UnavailableError
from valueplatform.core.scope import grant_accounts, grant_all
from valueplatform.narrative.document import Audience
from valueplatform.narrative.telling import tell
from valueplatform.stewardship.conversations import CAUSE as CONVERSATION
from valueplatform.stewardship.signals import concerns
from valueplatform.stewardship.standing import refresh_standing
from valueplatform.value.calendar import accounts_to_close, close_account, mark_new_days
from valueplatform.value.refreshing import refresh_value

log = structlog.get_logger()

POLL = timedelta(milliseconds=200)
"""How often marks are looked for."""
OPEN_FOR = timedelta(seconds=45)
"""A page that has not been seen for this long is closed."""
COALESCE = timedelta(seconds=60)
"""Accounts without an open page are served at most this often."""
HOUSEKEEPING = timedelta(seconds=60)
BATCH = 50
CHANNEL = "valueplatform_story"

_OPEN = text("""
    SELECT DISTINCT c.account_id FROM changed_day c
    WHERE c.account_id IN (SELECT account_id FROM open_page WHERE seen_at > :since)
    LIMIT :limit
""")
_WAITING = text("""
    SELECT c.account_id FROM changed_day c JOIN account a USING (account_id)
    WHERE a.refreshed_at IS NULL OR a.refreshed_at < :before
    GROUP BY c.account_id ORDER BY min(c.mark_id) LIMIT :limit
""")
_TRY_LOCK = text("SELECT pg_try_advisory_xact_lock(:lock)")
_REFRESHED = text("UPDATE account SET refreshed_at = :now WHERE account_id = :account")
_NOTIFY = text("SELECT pg_notify(:channel, :payload)")


class Worker:
    """Serves marks until it is told to stop."""

    def __init__(self, database: Database, clock: Clock = system_clock) -> None:
        self.database = database
        self.clock = clock

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set; a database that is away is waited for."""
        housekept = datetime.min.replace(tzinfo=self.clock().tzinfo)
        while not stop.is_set():
            try:
                if self.clock() - housekept > HOUSEKEEPING:
                    await self.keep_house()
                    housekept = self.clock()
                served = await self.serve_due()
            except UnavailableError:
                log.warning("database away; trying again")
                served = 0
            if not served:
                await _pause(stop, POLL)

    async def serve_due(self) -> int:
        """Serve the accounts that are due now; how many."""
        served = 0
        for account_id in await self._due():
            served += await self.serve(account_id)
        return served

    async def _due(self) -> Sequence[int]:
        now = self.clock()
        async with self.database.transaction(grant_all()) as tx:
            rows = await tx.rows(_OPEN, {"since": now - OPEN_FOR, "limit": BATCH})
            if not rows:
                rows = await tx.rows(_WAITING, {"before": now - COALESCE, "limit": BATCH})
        return [row.account_id for row in rows]

    async def serve(self, account_id: int) -> bool:
        """Bring one account up to date in one transaction; False where another worker has it, or nothing changed."""
        async with self.database.transaction(grant_accounts([account_id])) as tx:
            if not await tx.scalar(_TRY_LOCK, {"lock": ACCOUNT_LOCKS + account_id}):
                return False
            return await refresh_account(tx, account_id, self.clock())

    async def drain(self) -> int:
        """Serve every account that has marks, however recently it was served; how many. For commands and tests."""
        served = 0
        while True:
            async with self.database.transaction(grant_all()) as tx:
                rows = await tx.rows(text("SELECT DISTINCT account_id FROM changed_day LIMIT 1000"))
            if not rows:
                return served
            for row in rows:
                served += await self.serve(row.account_id)

    async def keep_house(self) -> None:
        """What the calendar asks for: local midnights, months to close."""
        now = self.clock()
        async with self.database.transaction(grant_all()) as tx:
            await mark_new_days(tx, now)
            closing = await accounts_to_close(tx, now)
        for account_id in closing:
            async with self.database.transaction(grant_accounts([account_id])) as tx:
                await close_account(tx, account_id, now)


async def refresh_account(tx: Transaction, account_id: int, now: datetime) -> bool:
    """Work off the marks of an account whose lock the transaction holds: amounts, stories, what calls for a person."""
    changes = await refresh_value(tx, account_id, now)
    if not changes:
        return False
    told = await tell(tx, account_id, now, concerns)
    await refresh_standing(tx, account_id, told.facts, told.admitted, told.documents[Audience.STEWARD], now)
    await tx.execute(_REFRESHED, {"account": account_id, "now": now})
    spoken = any(CONVERSATION in change.causes for change in changes)
    if told.changed or spoken:
        version = max(told.changed.values(), default=0)
        await tx.execute(_NOTIFY, {"channel": CHANNEL, "payload": f"{account_id}:{version}"})
    return True


async def _pause(stop: asyncio.Event, duration: timedelta) -> None:
    try:
        await asyncio.wait_for(stop.wait(), duration.total_seconds())
    except TimeoutError:
        return
