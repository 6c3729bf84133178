"""One listening connection, streams that wake by it, and their end with session, server or reader."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing

import pytest
from sqlalchemy import text

from tests.conftest import Databases
from valueplatform.core.errors import NotFoundError, UnauthenticatedError
from valueplatform.core.scope import grant_all
from valueplatform.core.tokens import token_hash
from valueplatform.portal.live import CHANNEL, UNTOLD, LiveStories
from valueplatform.portal.streams import Feed, Fragment, event_text, events

SOON = 5.0
COOKIE = "cookie"


@pytest.fixture
async def live(databases: Databases) -> AsyncIterator[LiveStories]:
    stories = LiveStories(databases.url)
    yield stories
    stories.close()
    await asyncio.sleep(0)


async def notify(databases: Databases, payload: str) -> None:
    async with databases.worker.transaction(grant_all()) as tx:
        await tx.execute(text("SELECT pg_notify(:channel, :payload)"), {"channel": CHANNEL, "payload": payload})


async def listening(databases: Databases) -> int:
    """Processes of the server that listen just now."""
    query = text(
        "SELECT pid FROM pg_stat_activity WHERE application_name = 'valueplatform live' AND query LIKE 'LISTEN%'"
    )
    while True:
        async with databases.admin.engine.connect() as connection:
            pid = (await connection.execute(query)).scalar_one_or_none()
        if pid is not None:
            return int(pid)
        await asyncio.sleep(0.01)


class Reader:
    """Counts readings; each finds another mark, or what it is told to do."""

    def __init__(self, *outcomes: Fragment | Exception | None) -> None:
        self.outcomes = list(outcomes)
        self.marks: list[str | None] = []

    async def __call__(self, mark: str | None) -> Fragment | None:
        self.marks.append(mark)
        outcome = self.outcomes.pop(0) if self.outcomes else None
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


async def read_all(stream: AsyncIterator[str]) -> list[str]:
    return [part async for part in stream]


async def opened(stream: AsyncIterator[str]) -> "asyncio.Task[list[str]]":
    """A stream that has begun, read on in the background."""
    await anext(stream)
    return asyncio.create_task(read_all(stream))


def feed(read: Reader, account_id: int = 7, mark: str | None = None) -> Feed:
    return Feed("story", read, account_id, mark=mark)


def test_every_line_of_an_event_carries_its_prefix() -> None:
    assert event_text("story", "<p>\n a\n</p>") == "event: story\ndata: <p>\ndata:  a\ndata: </p>\n\n"


async def test_a_notification_wakes_the_streams_of_its_account_alone(databases: Databases, live: LiveStories) -> None:
    with live.waiting(b"a", 7) as own, live.waiting(b"a", 8) as other, live.waiting(b"b") as every:
        await listening(databases)
        await other.woken(0.2)  # listening began: all were woken
        await own.woken(0.2)
        await every.woken(0.2)
        await notify(databases, "7:3")

        assert await own.woken(SOON)
        assert await every.woken(SOON)
        assert not await other.woken(0.05)


@pytest.mark.parametrize("payload", ["", "x:1", "-1:2", "7"])
async def test_whatever_a_notification_says_listening_goes_on(
    databases: Databases, live: LiveStories, payload: str
) -> None:
    with live.waiting(b"a", 7) as waiter:
        await listening(databases)
        await waiter.woken(0.2)
        await notify(databases, payload)
        await notify(databases, "7:1")

        assert await waiter.woken(SOON)


async def test_what_was_missed_while_the_connection_was_away_is_read_when_it_is_back(
    databases: Databases, live: LiveStories
) -> None:
    with live.waiting(b"a", 7) as waiter:
        first = await listening(databases)
        await waiter.woken(0.2)
        async with databases.admin.engine.connect() as connection:
            await connection.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": first})

        assert await waiter.woken(SOON)
        assert await listening(databases) != first
        await waiter.woken(0.2)
        await notify(databases, "7:4")
        assert await waiter.woken(SOON)


async def test_all_streams_of_a_process_share_one_connection(databases: Databases, live: LiveStories) -> None:
    with live.waiting(b"a", 7), live.waiting(b"b", 7), live.waiting(b"c", 8):
        await listening(databases)
        async with databases.admin.engine.connect() as connection:
            query = text("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'valueplatform live'")
            assert (await connection.execute(query)).scalar_one() == 1
        assert live.open_streams == 3
    assert live.open_streams == 0


async def test_a_stream_sends_what_is_new_and_nothing_twice(live: LiveStories) -> None:
    read = Reader(Fragment("v2", "two"), None, Fragment("v3", "three"), UnauthenticatedError("gone"))
    sent = await asyncio.wait_for(read_all(events(live, COOKIE, feed(read, mark="v1"), heartbeat=0.01)), SOON)

    assert read.marks == ["v1", "v2", "v2", "v3"]
    assert [part for part in sent if part.startswith("event")] == [
        event_text("story", "two"),
        event_text("story", "three"),
    ]
    assert sent[0].startswith("retry: ")
    assert ": still here\n\n" in sent


async def test_a_stream_that_looks_for_itself_reads_again_though_nothing_wakes_it(live: LiveStories) -> None:
    read = Reader(Fragment("v2", "two"), None, Fragment("v3", "three"), UnauthenticatedError("gone"))
    alone = Feed("recent", read, UNTOLD, mark="v1", every=0.01)
    sent = await asyncio.wait_for(read_all(events(live, COOKIE, alone, heartbeat=1000)), SOON)

    assert read.marks == ["v1", "v2", "v2", "v3"]
    assert [part for part in sent if part.startswith("event")] == [
        event_text("recent", "two"),
        event_text("recent", "three"),
    ]


async def test_streams_that_look_for_themselves_are_counted_and_no_story_wakes_them(live: LiveStories) -> None:
    with live.waiting(b"session", UNTOLD) as waiter:
        assert live.open_of(UNTOLD) == 1
        live.wake(7)
        assert not await waiter.woken(0)
    assert live.open_of(UNTOLD) == 0


@pytest.mark.parametrize("error", [UnauthenticatedError("signed out"), NotFoundError("no longer yours")])
async def test_a_stream_ends_with_the_right_to_read(live: LiveStories, error: Exception) -> None:
    sent = await asyncio.wait_for(read_all(events(live, COOKIE, feed(Reader(error)))), SOON)

    assert [part for part in sent if part.startswith("event")] == []
    assert live.open_streams == 0


@pytest.mark.parametrize("end", [lambda live: live.close(), lambda live: live.end_session(token_hash(COOKIE))])
async def test_sign_out_and_shutdown_end_a_stream_at_once(
    live: LiveStories, end: Callable[[LiveStories], None]
) -> None:
    reading = await opened(events(live, COOKIE, feed(Reader())))
    end(live)

    await asyncio.wait_for(reading, SOON)


async def test_another_session_s_stream_stays_open(live: LiveStories) -> None:
    reading = await opened(events(live, COOKIE, feed(Reader())))
    live.end_session(token_hash("another"))
    await asyncio.sleep(0.05)

    assert not reading.done()
    reading.cancel()


async def test_after_shutdown_no_stream_opens(live: LiveStories) -> None:
    live.close()
    sent = await asyncio.wait_for(read_all(events(live, COOKIE, feed(Reader(Fragment("v1", "one"))))), SOON)

    assert [part for part in sent if part.startswith("event")] == []


async def test_a_reader_who_goes_is_missed(live: LiveStories) -> None:
    closed = asyncio.Event()

    async def note() -> None:
        closed.set()

    stream = events(live, COOKIE, Feed("story", Reader(), 7, closed=note))
    async with aclosing(stream):  # type: ignore[type-var]  # an async generator, declared as what its readers need
        await anext(stream)
        assert live.open_streams == 1

    await asyncio.wait_for(closed.wait(), SOON)
    assert live.open_streams == 0


async def test_a_canceled_stream_still_says_its_last_words(live: LiveStories) -> None:
    closed = asyncio.Event()

    async def note() -> None:
        await asyncio.sleep(0.01)
        closed.set()

    reading = await opened(events(live, COOKIE, Feed("story", Reader(), 7, closed=note)))
    await asyncio.sleep(0)  # it waits by now
    reading.cancel()

    await asyncio.wait_for(closed.wait(), SOON)
