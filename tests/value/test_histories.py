"""Histories drawn at random, through the real ingest path: whatever the order, the independent path agrees."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path

import pytest

from tests.conftest import Databases
from tests.value.factories import CUSTOMER, SUPPLIER, VALIDATOR, new_account, put_model
from tests.value.seven_meters import CAPPED
from valueplatform.core.database import Transaction, lock_model_exclusive
from valueplatform.core.periods import local_day, month_of, next_month
from valueplatform.core.scope import grant_accounts, grant_all, no_accounts
from valueplatform.telemetry.archiving import archive_events
from valueplatform.telemetry.event import Attributes, Event, make_event
from valueplatform.telemetry.group_commit import commit_requests
from valueplatform.telemetry.rebuilding import rebuild_rollups
from valueplatform.telemetry.requests import IngestRequest, Sender
from valueplatform.telemetry.retraction import retract
from valueplatform.telemetry.rezoning import rezone
from valueplatform.telemetry.storing import Ledger
from valueplatform.value import assumption_record as record
from valueplatform.value.assumption_record import Statement
from valueplatform.value.assumptions import EVER, Action
from valueplatform.value.models import newest_model
from valueplatform.value.postings import close_month
from valueplatform.value.proof_record import read_source
from valueplatform.value.ranges import Range
from valueplatform.value.refreshing import refresh_value
from valueplatform.value.verify import Discrepancy, verify_account, verify_intake

ZONE = "America/New_York"
START = datetime(2026, 3, 9, 5, tzinfo=UTC)
SENDER = Sender("test", "supplier")


class History:
    """One account's life: what happens next is drawn, and every step goes the way that the product goes."""

    def __init__(self, databases: Databases, account_id: int, key: str, seed: int, archive: Path) -> None:
        self.databases = databases
        self.account_id = account_id
        self.key = key
        self.draw = random.Random(seed)
        self.ledger = Ledger()
        self.now = START
        self.sent: list[Event] = []
        self.ids = count()
        self.entries: list[int] = []
        self.closing = date(2026, 1, 1)
        self.archive = str(archive)
        self.zone = ZONE

    async def step(self) -> None:
        self.now += timedelta(hours=self.draw.randrange(6, 72))
        acts: list[Callable[[], Awaitable[None]]] = [self.send, self.send, self.send, self.send_again, self.take_back]
        acts += [self.speak, self.answer, self.close, self.put_away, self.move]
        await self.draw.choice(acts)()
        if self.draw.random() < 0.4:
            await self.refresh()

    async def send(self) -> None:
        """A few events, some of them months late, some of the day of a clock change, some without minutes."""
        events = []
        for index in range(self.draw.randrange(1, 6)):
            late = timedelta(hours=self.draw.choice([0, 0, 1, 5, 30, 24 * 40, 24 * 400]))
            time = self.draw.choice([self.now - late, datetime(2026, 3, 8, 7, index, tzinfo=UTC)])
            minutes = self.draw.choice([None, "x", Decimal("2.125"), -3, 0, "7.50", Decimal("0.000000001"), 10**17])
            data = {
                "minutes": minutes,
                "crew": self.draw.choice("abc"),
                "channel": self.draw.choice(["app", "desk", None]),
            }
            attributes = Attributes(
                id=f"{self.key}-{next(self.ids)}",
                source="s",
                type="job.dispatched",
                account=self.key,
                time=time,
            )
            events.append(make_event(index, attributes, data, self.now))
        self.sent += events
        await self._commit(events)

    async def send_again(self) -> None:
        if self.sent:
            await self._commit(self.draw.choices(self.sent, k=3))

    async def _commit(self, events: list[Event]) -> None:
        request = IngestRequest(SENDER, self.now, events)
        (report,) = await commit_requests(self.databases.ingest, [request], self.ledger)
        assert report.received == report.stored + report.duplicates + report.conflicts + len(report.rejections)

    async def take_back(self) -> None:
        if self.sent:
            event = self.sent.pop(self.draw.randrange(len(self.sent)))
            async with self.databases.ingest.transaction(no_accounts()) as tx:
                await retract(tx, SENDER, event.source, event.id)

    async def put_away(self) -> None:
        """What is older than a day at most goes into the archive, whole months."""
        before = self.now - timedelta(days=self.draw.randrange(1, 60))
        await archive_events(self.databases.worker, grant_all(), self.archive, before, self.now)

    async def move(self) -> None:
        """To another zone, while events come in and go."""
        self.zone = self.draw.choice([ZONE, "America/St_Johns", "Asia/Tokyo", "Pacific/Kiritimati", "UTC"])
        zones = {self.account_id: self.zone}
        moving = rezone(self.databases.worker, grant_all(), zones, lambda *_: None, self.databases.ingest)
        await asyncio.gather(moving, self.draw.choice([self.send, self.take_back, self.send_again])())

    async def speak(self) -> None:
        slug, unit = self.draw.choice([("hourly_cost", "USD/hour"), ("manual_minutes", "minute/job")])
        low = Decimal(self.draw.randrange(0, 40))
        value = Range(low, low + self.draw.randrange(3), low + Decimal("7.5"))
        day = self.draw.choice([EVER, date(2026, 3, 1), self.now.date()])
        author = self.draw.choice([SUPPLIER, CUSTOMER])
        async with self._web() as tx:
            statement = Statement(slug, value, unit, day, "drawn")
            entry = await record.state_value(tx, self.account_id, Action.PROPOSE, statement, author, self.now)
        self.entries.append(entry.entry_id)

    async def answer(self) -> None:
        if not self.entries:
            return
        entry = self.entries.pop(self.draw.randrange(len(self.entries)))
        today = local_day(self.now, self.zone)
        async with self._web() as tx:
            if self.draw.random() < 0.6:
                await record.validate(tx, self.account_id, entry, VALIDATOR, self.now, today)
            else:
                await record.dispute(tx, self.account_id, entry, VALIDATOR, self.now, "drawn")

    async def close(self) -> None:
        if local_day(self.now, self.zone) >= next_month(self.closing):
            await self.refresh()
            async with self.databases.worker.transaction(grant_accounts([self.account_id])) as tx:
                await close_month(tx, self.account_id, self.zone, month_of(self.closing), self.now)
            self.closing = next_month(self.closing)

    async def refresh(self) -> None:
        async with self.databases.worker.transaction(grant_accounts([self.account_id])) as tx:
            await refresh_value(tx, self.account_id, self.now)

    def _web(self) -> AbstractAsyncContextManager[Transaction]:
        return self.databases.web.transaction(grant_accounts([self.account_id]))


@pytest.mark.parametrize("seed", range(10))
async def test_any_history_verifies_exactly(databases: Databases, seed: int, tmp_path: Path) -> None:
    await put_model(databases, CAPPED)
    for number in range(2):
        key = f"account-{number}"
        history = History(databases, await new_account(databases, key), key, seed * 100 + number, tmp_path)
        for _ in range(30):
            await history.step()
        await history.refresh()
        async with databases.worker.transaction(grant_accounts([history.account_id])) as tx:
            source = await read_source(tx, history.account_id)
            assert source is not None
            checked = await verify_account(tx, source, date(2024, 1, 1), date(2027, 1, 1))
        assert checked.discrepancies == ()
        assert checked.accruals > 0
        assert await rebuilt(databases, history.account_id) == ()
    async with databases.ingest.transaction(no_accounts()) as tx:
        assert await verify_intake(tx) == []


async def rebuilt(databases: Databases, account_id: int) -> tuple[Discrepancy, ...]:
    """What differs after all rollups were made anew, from the database and the archive."""
    async with databases.worker.transaction(grant_all()) as tx:
        await lock_model_exclusive(tx)
        await rebuild_rollups(tx, (await newest_model(tx)).meters, [account_id])
        source = await read_source(tx, account_id)
        assert source is not None
        return (await verify_account(tx, source, date(2024, 1, 1), date(2027, 1, 1))).discrepancies
