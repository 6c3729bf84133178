"""Beside the stories: looks who is due, and sends what waits, until told to stop. Any number may run."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog

from valueplatform.core.clock import Clock, system_clock
from valueplatform.core.database import Database
from valueplatform.core.errors import UnavailableError
from valueplatform.stewardship.digests.due import follow_new_accounts, queue_next
from valueplatform.stewardship.digests.sending import Means, send_next

POLL: Final = timedelta(seconds=2)
FOLLOW_EVERY: Final = timedelta(minutes=10)
AFTER_A_FAULT: Final = timedelta(seconds=30)
log = structlog.get_logger()


class DigestService:
    """Serves readers who chose to be told."""

    def __init__(self, database: Database, means: Means, clock: Clock = system_clock) -> None:
        """`database` is in the worker's role."""
        self.database = database
        self.means = means
        self.clock = clock
        self._followed = datetime.min.replace(tzinfo=UTC)

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set. What goes wrong is logged, and must not end it."""
        while not stop.is_set():
            pause = POLL
            try:
                await self.once()
            except UnavailableError:
                log.warning("database away; digests wait")
            except Exception:
                log.exception("digests not served")
                pause = AFTER_A_FAULT
            await _pause(stop, pause)

    async def once(self) -> int:
        """Compose all that is due and send all that waits now; how many were looked at to be sent."""
        now = self.clock()
        if now - self._followed >= FOLLOW_EVERY:
            await follow_new_accounts(self.database, now)
            self._followed = now
        while await queue_next(self.database, now):
            pass
        looked = 0
        while await send_next(self.database, self.means, self.clock):
            looked += 1
        return looked


async def _pause(stop: asyncio.Event, duration: timedelta) -> None:
    try:
        await asyncio.wait_for(stop.wait(), duration.total_seconds())
    except TimeoutError:
        return
