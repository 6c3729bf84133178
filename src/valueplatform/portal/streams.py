"""Server-sent events: a stream reads anew whenever it is woken, and sends what is other than before.

Between events a comment line keeps the connection open and finds out that a reader has gone. Every reading checks the
session again, so that a stream ends with it, at the latest after one heartbeat.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Final

import structlog
from litestar.response import Stream

from valueplatform.core.errors import (
    ForbiddenError,
    NotFoundError,
    UnauthenticatedError,
    UnavailableError,
)
from valueplatform.core.tokens import token_hash
from valueplatform.portal.live import LiveStories, Topic

HEARTBEAT: Final = 15.0  # seconds
RETRY_MILLISECONDS: Final = 2000
_ENDS: Final = (UnauthenticatedError, ForbiddenError, NotFoundError)
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Fragment:
    """What a stream shows now; `mark` is another whenever the reader would see a difference."""

    mark: str
    html: str


Reading = Callable[[str | None], Awaitable[Fragment | None]]
"""Reads what a stream shows, given the mark that was sent last; None where there is nothing new to send."""


@dataclass(frozen=True, slots=True)
class Feed:
    """What one stream sends: events of this name, about this account (0 = any) or the catalog, first compared with
    `mark`. It reads again after `pause` seconds at the earliest; where nothing wakes it, each `every` seconds."""

    event: str
    read: Reading
    topic: Topic = 0
    pause: float = 0.0
    every: float | None = None
    mark: str | None = None
    closed: Callable[[], Awaitable[None]] | None = None


def event_text(name: str, html: str) -> str:
    """One event; each line of the data needs its prefix."""
    data = "\n".join(f"data: {line}" for line in html.splitlines())
    return f"event: {name}\n{data}\n\n"


def event_stream(live: LiveStories, cookie: str, feed: Feed) -> Stream:
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return Stream(events(live, cookie, feed), media_type="text/event-stream", headers=headers)


async def events(live: LiveStories, cookie: str, feed: Feed, heartbeat: float = HEARTBEAT) -> AsyncIterator[str]:
    """The text of a stream, until the session, the process or the reader ends it."""
    mark = feed.mark
    with live.waiting(token_hash(cookie), feed.topic) as waiter:
        try:
            yield f"retry: {RETRY_MILLISECONDS}\n\n"
            while not waiter.ended:
                try:
                    fragment = await feed.read(mark)
                except _ENDS:
                    return
                except UnavailableError:
                    _log.warning("database away; the stream waits", stream=feed.event)
                    fragment = None
                if fragment is not None:
                    mark = fragment.mark
                    yield event_text(feed.event, fragment.html)
                await asyncio.sleep(feed.pause)
                if not await waiter.woken(feed.every or heartbeat):
                    yield ": still here\n\n"
        finally:
            await _closed(feed)


async def _closed(feed: Feed) -> None:
    """Also where the reader's going has canceled the stream: then the last words must not be canceled with it."""
    if feed.closed is None:
        return
    farewell = asyncio.ensure_future(feed.closed())
    with contextlib.suppress(UnavailableError):
        await asyncio.shield(farewell)
