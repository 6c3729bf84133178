"""Lives of accounts, drawn at random and side by side in one database; every step goes the way that the product goes.

Each history draws from its own seed what happens to it next. Those of a crowd that do the same at the same time do it
together, as they do in production: one group of requests, one move to other zones, one archive run.
"""

import asyncio
import random
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any, Final

import msgspec

from tests.conftest import Databases
from tests.value.factories import CUSTOMER, SUPPLIER, VALIDATOR, new_account
from valueplatform.core.database import Transaction
from valueplatform.core.periods import local_day, month_of, next_month
from valueplatform.core.scope import grant_accounts, grant_all, no_accounts
from valueplatform.telemetry.archiving import archive_events
from valueplatform.telemetry.erasure import erase_person
from valueplatform.telemetry.event import Attributes, Event, make_event
from valueplatform.telemetry.group_commit import commit_requests
from valueplatform.telemetry.requests import IngestRequest, Sender
from valueplatform.telemetry.retraction import retract
from valueplatform.telemetry.rezoning import rezone
from valueplatform.telemetry.storing import Ledger
from valueplatform.value import assumption_record as record
from valueplatform.value.assumption_record import Statement
from valueplatform.value.assumptions import EVER, Action
from valueplatform.value.postings import close_month
from valueplatform.value.proof_record import read_source
from valueplatform.value.ranges import Range
from valueplatform.value.refreshing import refresh_value
from valueplatform.value.verify import Checked, Discrepancy, verify_account, verify_intake

ZONE: Final = "America/New_York"
ZONES: Final = (ZONE, "America/St_Johns", "Asia/Tokyo", "Pacific/Kiritimati", "UTC")
START: Final = datetime(2026, 3, 9, 5, tzinfo=UTC)
CLOCK_CHANGE: Final = datetime(2026, 3, 8, 7, tzinfo=UTC)
"""The minute at which New York's clocks are set forward."""
SUPPLIED: Final = Sender("test", "supplier")
BY_PARTNER: Final = Sender("partner", "roadside")
PERSON: Final = "pat@crew.example"
FIRST, LAST = date(2024, 1, 1), date(2027, 1, 1)
"""The days that are verified."""


class History:
    """One account's life: what happens next is drawn."""

    def __init__(self, account_id: int, key: str, seed: int) -> None:
        self.account_id = account_id
        self.key = key
        self.draw = random.Random(seed)
        self.sent: list[Event] = []
        self.ids = count()
        self.entries: list[int] = []
        self.closing = date(2026, 1, 1)
        self.zone = ZONE

    def new_events(self, now: datetime) -> list[Event]:
        """A few events, some of them months late, some of the day of a clock change, some without minutes."""
        events = [self._event(index, now) for index in range(self.draw.randrange(1, 6))]
        self.sent += events
        return events

    def _event(self, index: int, now: datetime) -> Event:
        late = timedelta(hours=self.draw.choice([0, 0, 1, 5, 30, 24 * 40, 24 * 400]))
        clock_change = CLOCK_CHANGE + timedelta(minutes=index, hours=self.draw.choice([0, 0, -3, 21]))
        minutes = self.draw.choice([None, "x", Decimal("2.125"), -3, 0, "7.50", Decimal("0.000000001"), 10**17])
        data = {
            "minutes": minutes,
            "crew": self.draw.choice(["a", "b", "c", PERSON]),
            "channel": self.draw.choice(["app", "desk", None]),
        }
        time = self.draw.choice([now - late, clock_change])
        return make_event(index, self._attributes(f"{self.key}-{next(self.ids)}", time), data, now)

    def _attributes(self, event_id: str, time: datetime) -> Attributes:
        return Attributes(id=event_id, source="s", type="job.dispatched", account=self.key, time=time)

    def again(self) -> list[Event]:
        """Events that were sent before, as they were, but for one: of that the sender says something else now."""
        events = self.draw.choices(self.sent, k=3) if self.sent else []
        if events and self.draw.random() < 0.2:
            events[0] = self._otherwise(events[0])
        return events

    def _otherwise(self, event: Event) -> Event:
        assert event.time is not None
        return make_event(0, self._attributes(event.id, event.time), {"minutes": 999}, event.time)

    def corrected(self, event: Event, now: datetime) -> Event:
        assert event.time is not None
        attributes = self._attributes(f"{self.key}-{next(self.ids)}", event.time)
        data = {**(event.data if isinstance(event.data, dict) else {}), "minutes": self.draw.randrange(9)}
        self.sent.append(make_event(0, attributes, data, now))
        return self.sent[-1]

    def request(self, events: Sequence[Event], now: datetime) -> IngestRequest:
        sender = BY_PARTNER if self.draw.random() < 0.25 else SUPPLIED
        placed = [msgspec.structs.replace(event, index=index) for index, event in enumerate(events)]
        return IngestRequest(sender, now, placed)

    def statement(self, now: datetime) -> Statement:
        slug, unit = self.draw.choice([("hourly_cost", "USD/hour"), ("manual_minutes", "minute/job")])
        low = Decimal(self.draw.randrange(0, 40))
        value = Range(low, low + self.draw.randrange(3), low + Decimal("7.5"))
        day = self.draw.choice([EVER, date(2026, 3, 1), now.date()])
        return Statement(slug, value, unit, day, "drawn")

    def drop(self) -> Event | None:
        return self.sent.pop(self.draw.randrange(len(self.sent))) if self.sent else None


_Together = Callable[[list[History]], Awaitable[None]]


class Crowd:
    """Histories that live side by side. All of it follows from `seed` and the accounts' places, but for what really
    happens at the same moment."""

    def __init__(self, databases: Databases, accounts: Mapping[str, int], seed: int, archive: Path) -> None:
        self.databases = databases
        self.draw = random.Random(seed)
        self.now = START
        self.archive = str(archive)
        self.ledger = Ledger()
        self.histories = [
            History(number, key, seed * 1000 + place) for place, (key, number) in enumerate(accounts.items())
        ]
        self.done: Counter[str] = Counter()
        acts: list[_Together] = [self.send, self.send, self.send, self.send_again, self.take_back, self.correct]
        self._acts = [*acts, self.speak, self.answer, self.close, self.move, self.erase]

    @classmethod
    async def gather(cls, databases: Databases, size: int, seed: int, archive: Path) -> "Crowd":
        keys = [f"account-{number}" for number in range(size)]
        return cls(databases, {key: await new_account(databases, key) for key in keys}, seed, archive)

    async def live(self, steps: int) -> None:
        """So many steps; at the end all that is marked has been worked off."""
        for _ in range(steps):
            await self.step()
        await self.refresh(self.histories)

    async def step(self) -> None:
        self.now += timedelta(hours=self.draw.randrange(6, 72))
        alike: defaultdict[str, list[History]] = defaultdict(list)
        acts = {act.__name__: act for act in self._acts}
        for history in self.histories:
            alike[history.draw.choice(self._acts).__name__].append(history)
        for name in self.draw.sample(sorted(alike), len(alike)):
            await acts[name](alike[name])
            self.done[name] += len(alike[name])
        if self.draw.random() < 0.1:
            await self.put_away()
        await self.refresh([history for history in self.histories if history.draw.random() < 0.4])

    async def send(self, histories: list[History]) -> None:
        await self._commit([history.request(history.new_events(self.now), self.now) for history in histories])

    async def send_again(self, histories: list[History]) -> None:
        await self._commit([history.request(history.again(), self.now) for history in histories if history.sent])

    async def _commit(self, requests: list[IngestRequest]) -> None:
        reports = await commit_requests(self.databases.ingest, requests, self.ledger) if requests else []
        for report in reports:
            assert report.received == report.stored + report.duplicates + report.conflicts + len(report.rejections)

    async def take_back(self, histories: list[History]) -> None:
        async with self.databases.ingest.transaction(no_accounts()) as tx:
            for event in filter(None, [history.drop() for history in histories]):
                await retract(tx, SUPPLIED, event.source, event.id)

    async def correct(self, histories: list[History]) -> None:
        """An event goes, and another comes in its place that differs in its number only."""
        gone = [(history, event) for history in histories if (event := history.drop()) is not None]
        async with self.databases.ingest.transaction(no_accounts()) as tx:
            for _, event in gone:
                await retract(tx, SUPPLIED, event.source, event.id)
        corrected = [(history, history.corrected(event, self.now)) for history, event in gone]
        await self._commit([history.request([event], self.now) for history, event in corrected])

    async def erase(self, histories: list[History]) -> None:
        """A tenth of those who ask: ingest waits for each."""
        for history in histories[: 1 + len(histories) // 10]:
            scope = grant_accounts([history.account_id])
            await erase_person(self.databases.worker, scope, history.account_id, PERSON)

    async def put_away(self) -> None:
        """What is older than a day at most goes into the archive, whole months."""
        before = self.now - timedelta(days=self.draw.randrange(1, 60))
        await archive_events(self.databases.worker, grant_all(), self.archive, before, self.now)
        self.done["put_away"] += len(self.histories)

    async def move(self, histories: list[History]) -> None:
        """To other zones, while events come in and go."""
        for history in histories:
            history.zone = history.draw.choice(ZONES)
        zones = {history.account_id: history.zone for history in histories}
        moving = rezone(self.databases.worker, grant_all(), zones, lambda *_: None, self.databases.ingest)
        await asyncio.gather(moving, self._meanwhile(histories))

    async def _meanwhile(self, histories: list[History]) -> None:
        for act in self.draw.sample([self.send, self.send, self.take_back, self.send_again], 3):
            await act(histories)

    async def speak(self, histories: list[History]) -> None:
        async with self._of(histories, self.databases.web) as tx:
            for history in histories:
                author = history.draw.choice([SUPPLIER, CUSTOMER])
                said = history.statement(self.now)
                entry = await record.state_value(tx, history.account_id, Action.PROPOSE, said, author, self.now)
                history.entries.append(entry.entry_id)

    async def answer(self, histories: list[History]) -> None:
        async with self._of(histories, self.databases.web) as tx:
            for history in (history for history in histories if history.entries):
                entry = history.entries.pop(history.draw.randrange(len(history.entries)))
                today = local_day(self.now, history.zone)
                if history.draw.random() < 0.6:
                    await record.validate(tx, history.account_id, entry, VALIDATOR, self.now, today)
                else:
                    await record.dispute(tx, history.account_id, entry, VALIDATOR, self.now, "drawn")

    async def close(self, histories: list[History]) -> None:
        due = [h for h in histories if local_day(self.now, h.zone) >= next_month(h.closing)]
        async with self._of(due, self.databases.worker) as tx:
            for history in due:
                await refresh_value(tx, history.account_id, self.now)
                await close_month(tx, history.account_id, history.zone, month_of(history.closing), self.now)
                history.closing = next_month(history.closing)

    async def refresh(self, histories: list[History]) -> None:
        async with self._of(histories, self.databases.worker) as tx:
            for history in histories:
                await refresh_value(tx, history.account_id, self.now)

    def _of(self, histories: list[History], database: Any) -> AbstractAsyncContextManager[Transaction]:
        transaction: AbstractAsyncContextManager[Transaction] = database.transaction(
            grant_accounts([history.account_id for history in histories])
        )
        return transaction

    async def verified(self) -> dict[str, Checked]:
        """Every row of every account against the independent path."""
        found = {}
        async with self._of(self.histories, self.databases.worker) as tx:
            for history in self.histories:
                source = await read_source(tx, history.account_id)
                assert source is not None
                found[history.key] = await verify_account(tx, source, FIRST, LAST)
        return found

    async def intake(self) -> list[Discrepancy]:
        async with self.databases.ingest.transaction(no_accounts()) as tx:
            return await verify_intake(tx)
