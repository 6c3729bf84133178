"""The continuous path: changed days become amounts, insights and stories, account by account (flow 2).

Any number of workers run beside each other. One takes an account under its lock, deletes its marks, and only then
reads. Accounts with an open page come first; others are served at most once a minute.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial

import structlog
from sqlalchemy import text

from valueplatform.core.beside import Beside
from valueplatform.core.clock import Clock, system_clock
from valueplatform.core.database import ACCOUNT_LOCKS, Database, Transaction
from valueplatform.core.errors import ConflictError, UnavailableError
from valueplatform.core.scope import grant_accounts, grant_all
from valueplatform.core.settings import RewordingSettings
from valueplatform.narrative.comparison import mark_superseded
from valueplatform.narrative.document import Audience
from valueplatform.narrative.next_best_store import is_training_due, train
from valueplatform.narrative.rewording.run import reword_some
from valueplatform.narrative.telling import tell
from valueplatform.stewardship.bad_news import note_bad_news
from valueplatform.stewardship.conversations import CAUSE as CONVERSATION
from valueplatform.stewardship.digests.due import tell_steward
from valueplatform.stewardship.signals import concerns
from valueplatform.stewardship.standing import refresh_standing
from valueplatform.telemetry.archiving import archive_events, due_archiving
from valueplatform.telemetry.catalog_count import count_some, note_marks
from valueplatform.telemetry.intake_sums import sum_intake
from valueplatform.upkeep import TRY_LOCK, Upkeep
from valueplatform.value.benchmark_run import compare_accounts
from valueplatform.value.calendar import close_due_months
from valueplatform.value.discovery_accepting import carry_out
from valueplatform.value.discovery_run import discover
from valueplatform.value.models import NoModelError
from valueplatform.value.refreshing import refresh_value
from valueplatform.value.ways_run import compare_ways
from valueplatform.value.worth_run import estimate_worth

log = structlog.get_logger()

POLL = timedelta(milliseconds=200)
"""How often marks are looked for."""
OPEN_FOR = timedelta(seconds=45)
"""A page that has not been seen for this long is closed."""
COALESCE = timedelta(seconds=60)
"""Accounts without an open page are served at most this often."""
HOUSEKEEPING = timedelta(seconds=60)
RESTING = timedelta(seconds=60)
"""How long an account that could not be served is left alone."""
CATALOG_REST = 19
"""How many times as long as it took to count the catalog it is left alone: a day that goes on is counted anew each
time, and may cost a twentieth of a worker."""
REWORDING_REST = timedelta(seconds=5)
"""How often drafts are looked for that a language model is to reword."""
ACCEPTING_REST = timedelta(seconds=2)
"""How often accepted proposals are looked for."""
BATCH = 50
CHANNEL = "valueplatform_story"
CATALOG_CHANGED = "catalog:"
"""Told on the same channel: pages that show the catalog read it anew."""

_OPEN = text("""
    SELECT c.account_id FROM changed_day c
    WHERE c.account_id IN (SELECT account_id FROM open_page WHERE seen_at > :since)
      AND c.account_id <> ALL (CAST(:resting AS bigint[]))
    GROUP BY c.account_id ORDER BY min(c.mark_id) LIMIT :limit
""")
_WAITING = text("""
    SELECT c.account_id FROM changed_day c JOIN account a USING (account_id)
    WHERE (a.refreshed_at IS NULL OR a.refreshed_at < :before) AND c.account_id <> ALL (CAST(:resting AS bigint[]))
    GROUP BY c.account_id ORDER BY min(c.mark_id) LIMIT :limit
""")
_MARKED = text("""
    SELECT account_id FROM changed_day WHERE account_id <> ALL (CAST(:resting AS bigint[]))
    GROUP BY account_id ORDER BY min(mark_id) LIMIT 1000
""")
_REFRESHED = text("UPDATE account SET refreshed_at = :now WHERE account_id = :account")
_NOTIFY = text("SELECT pg_notify(:channel, :payload)")


class Worker:
    """Serves marks until it is told to stop."""

    def __init__(
        self,
        database: Database,
        clock: Clock = system_clock,
        intake: Database | None = None,
        rewording: RewordingSettings | None = None,
    ) -> None:
        """`intake` is the database in the ingest role, which alone may read keys; without it they are not compared.
        `rewording` is the language model to ask; without one, sentences stay in our own words."""
        self.database = database
        self.rewording = rewording
        self.clock = clock
        self.intake = intake
        self.upkeep = Upkeep(database, clock, intake)
        self._resting: dict[int, datetime] = {}
        self._count_at = datetime.min.replace(tzinfo=UTC)
        self._counted_for = timedelta()
        self._estimating: AsyncIterator[None] | None = None
        self.beside = Beside()

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set; a database that is away is waited for."""
        try:
            await self._work(stop)
        finally:
            await self.beside.end()

    async def _work(self, stop: asyncio.Event) -> None:
        housekept = datetime.min.replace(tzinfo=self.clock().tzinfo)
        while not stop.is_set():
            try:
                if self.clock() - housekept > HOUSEKEEPING:
                    await self.upkeep.keep_house()
                    await self._archive_when_due()
                    await self._train_when_due()
                    housekept = self.clock()
                served = await self.serve_due()
                await self._count_when_due()
                # Both may take long: the language model, and counting the meters of what was accepted.
                if self.rewording is not None:
                    self.beside.start("rewording", self.reword)
                self.beside.start("accepting", self.accept)
            except UnavailableError:
                log.warning("database away; trying again")
                served = 0
            if not served:
                await _pause(stop, POLL)

    async def serve_due(self) -> int:
        """Serve the accounts that are due now, those with an open page first; how many."""
        served = 0
        for account_id in await self._due():
            served += await self.serve(account_id)
        return served

    async def _due(self) -> Sequence[int]:
        now = self.clock()
        resting = [account_id for account_id, until in self._resting.items() if until > now]
        async with self.database.transaction(grant_all()) as tx:
            limit = {"limit": BATCH, "resting": resting}
            rows = [*await tx.rows(_OPEN, {"since": now - OPEN_FOR, **limit})]
            rows += await tx.rows(_WAITING, {"before": now - COALESCE, **limit})
        return list(dict.fromkeys(row.account_id for row in rows))

    async def serve(self, account_id: int) -> bool:
        """Bring one account up to date in one transaction; False where another worker has it, or nothing changed.

        What goes wrong with one account must not keep the others waiting: it is logged, the account's marks stay, and
        it rests for a minute.
        """
        try:
            async with self.database.transaction(grant_accounts([account_id])) as tx:
                if not await tx.scalar(TRY_LOCK, {"lock": ACCOUNT_LOCKS + account_id}):
                    return False
                # Asked for under the lock: what is posted now is posted after all that was posted before.
                served = await refresh_account(tx, account_id, self.clock(), reworded=self.rewording is not None)
        except UnavailableError:
            raise
        except Exception as error:
            self._resting[account_id] = self.clock() + RESTING
            if isinstance(error, NoModelError):
                log.info("no value model yet", account=account_id)
            else:
                log.exception("account not served", account=account_id)
            return False
        self._resting.pop(account_id, None)
        return served

    async def drain(self) -> int:
        """Serve every account that has marks, however recently it was served; how many. For commands and tests.

        Accounts that cannot be served are left with their marks.
        """
        served = 0
        while True:
            async with self.database.transaction(grant_all()) as tx:
                where = {"resting": list(self._resting)}
                rows = await tx.rows(_MARKED, where)
            if not rows:
                return served
            for row in rows:
                served += await self.serve(row.account_id)

    async def _archive_when_due(self) -> None:
        """Once a day, where there is an archive, old events move there: beside all else, since it may take long."""
        if self.beside.is_running("archiving"):
            return
        async with self.database.transaction(grant_all()) as tx:
            hot = await due_archiving(tx, self.clock())
        if hot is not None:
            self.beside.start("archiving", partial(self.archive, hot))

    async def _train_when_due(self) -> None:
        """Once a day suggestions are graded and their model is fitted anew: beside all else, since it may take long."""
        if self.beside.is_running("training"):
            return
        async with self.database.transaction(grant_all()) as tx:
            due = await is_training_due(tx, self.clock())
        if due:
            self.beside.start("training", self.train)

    async def train(self) -> None:
        """Grade, and fit. What goes wrong is logged, and tried again."""
        try:
            fitted = await train(self.database, grant_all(), self.clock())
        except Exception:
            log.exception("suggestions not graded and fitted")
        else:
            log.info("suggestions graded and fitted", accounts=fitted.accounts)

    async def archive(self, hot: timedelta) -> None:
        """Move the events that are older than that. What goes wrong is logged, and tried again."""
        now = self.clock()
        try:
            done = await archive_events(self.database, grant_all(), None, now - hot, now)
        except ConflictError:
            return  # another worker is at it, or a command
        except Exception:
            log.exception("events not archived")
        else:
            log.info("events archived", events=done.events, files=done.files, rewritten=done.rewritten)

    async def accept(self) -> None:
        """One round of what people decided of proposals. What goes wrong is logged, and tried again."""
        try:
            done = await carry_out(self.database, grant_all(), self.clock, self.intake)
            if done:
                async with self.database.transaction(grant_all()) as tx:
                    await tx.execute(_NOTIFY, {"channel": CHANNEL, "payload": CATALOG_CHANGED})
        except UnavailableError:
            log.warning("database away; accepted proposals wait")
            done = 0
        except Exception:
            log.exception("accepted proposals not put in force")
            done = 0
        if not done:
            await asyncio.sleep(ACCEPTING_REST.total_seconds())

    async def reword(self) -> None:
        """One round of questions. What goes wrong is logged; sentences stay in our own words meanwhile."""
        if self.rewording is None:
            return
        try:
            if not await reword_some(self.database, grant_all(), self.rewording, self.clock()):
                await asyncio.sleep(REWORDING_REST.total_seconds())
        except UnavailableError:
            log.warning("database away; rewording waits")
        except Exception:
            log.exception("sentences not reworded")
            await asyncio.sleep(HOUSEKEEPING.total_seconds())

    async def _count_when_due(self) -> None:
        """One step of the catalog, between two rounds of accounts: when all is counted, of what it is worth, of
        how accounts compare, and of what that suggests for the model; then it rests."""
        began = self.clock()
        if began < self._count_at:
            return
        more = self._estimating is None and await self.keep_catalog()
        if not more:
            more = await self.keep_worth()
        self._counted_for += self.clock() - began
        if not more:
            self._count_at = self.clock() + max(HOUSEKEEPING, self._counted_for * CATALOG_REST)
            self._counted_for = timedelta()

    async def keep_catalog(self) -> bool:
        """One step of counting what events hold; whether there may be more to do."""
        try:
            async with self.database.transaction(grant_all()) as tx:
                await note_marks(tx)
            async with self.database.transaction(grant_all()) as tx:
                return await count_some(tx)
        except UnavailableError:
            raise
        except Exception:
            # Stories must not wait for the catalog; the next housekeeping tries again.
            log.exception("catalog not counted")
            return False

    async def keep_worth(self) -> bool:
        """One step of estimating what event types are worth, then of comparing accounts, then of what both suggest for
        the model; whether there is more to do. Pages are told at the end."""
        if self._estimating is None:
            self._estimating = self._estimates(self.clock())
        try:
            await anext(self._estimating)
        except StopAsyncIteration:
            self._estimating = None
            async with self.database.transaction(grant_all()) as tx:
                await tx.execute(_NOTIFY, {"channel": CHANNEL, "payload": CATALOG_CHANGED})
            return False
        except UnavailableError:
            self._estimating = None
            raise
        except Exception:
            self._estimating = None
            log.exception("worth of event types not estimated")
            return False
        return True

    async def _estimates(self, now: datetime) -> AsyncIterator[None]:
        async for _ in estimate_worth(self.database, grant_all(), now):
            yield
        try:
            async for _ in compare_accounts(self.database, grant_all()):
                yield
            async for _ in compare_ways(self.database, grant_all(), now):
                yield
            async with self.database.transaction(grant_all()) as tx:
                await mark_superseded(tx, now)
        except UnavailableError:
            raise
        except Exception:
            log.exception("accounts not compared")
        try:
            async for _ in discover(self.database, grant_all(), now):
                yield
        except UnavailableError:
            raise
        except Exception:
            log.exception("proposals not made")


async def refresh_account(tx: Transaction, account_id: int, now: datetime, *, reworded: bool = False) -> bool:
    """Work off the marks of an account whose lock the transaction holds: amounts, months that are due to close,
    stories, what calls for a person."""
    changes = await refresh_value(tx, account_id, now)
    if not changes:
        return False
    await close_due_months(tx, account_id, now)
    await sum_intake(tx, account_id)
    told = await tell(tx, account_id, now, concerns, reworded=reworded)
    await refresh_standing(tx, account_id, told.facts, told.admitted, told.documents[Audience.STEWARD], now)
    await tx.execute(_REFRESHED, {"account": account_id, "now": now})
    news = await note_bad_news(tx, account_id, told.admitted, told.documents, now)
    await tell_steward(tx, account_id, told.facts, news)
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
