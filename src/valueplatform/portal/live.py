"""What wakes open pages: one LISTEN connection a process, and the streams that wait for it.

A notification only says that an account changed; each stream then reads anew, as the person who opened it. What was
missed while the connection was away is read when it is back. No stream holds a database connection while it waits.
"""

import asyncio
import contextlib
import signal
import threading
from collections import defaultdict
from collections.abc import Iterator
from types import FrameType
from typing import Any, Final

import asyncpg
import structlog
from sqlalchemy.engine import make_url

from valueplatform.core.database import Role

CHANNEL: Final = "valueplatform_story"
"""The worker's; the payload is `account_id:version`, or `catalog:`."""
CATALOG: Final = "catalog"
"""In place of an account: what types are worth was estimated anew."""
RECONNECT: Final = 1.0  # seconds
_ANY: Final = 0
"""Stands for every account: of streams that show several."""

UNTOLD: Final = -1
"""Stands for no account: of streams that nothing wakes, and that look for themselves."""

Topic = int | str
"""An account, every one, or CATALOG."""

_log = structlog.get_logger(__name__)


class Waiter:
    """One open stream. `ended` tells it to close; `woken` that what it shows may have changed."""

    def __init__(self, session: bytes) -> None:
        self.session = session
        self.ended = False
        self._woken = asyncio.Event()

    def wake(self) -> None:
        self._woken.set()

    def end(self) -> None:
        self.ended = True
        self._woken.set()

    async def woken(self, within: float) -> bool:
        """Wait to be woken; False where nothing happened for `within` seconds."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._woken.wait(), within)
        happened = self._woken.is_set()
        self._woken.clear()
        return happened


class LiveStories:
    """Begins to listen with the first stream. Closed once, at shutdown: all streams end, and none opens any more."""

    def __init__(self, url: str) -> None:
        self._url = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        self._waiters: defaultdict[Topic, set[Waiter]] = defaultdict(set)
        self._listening: asyncio.Task[None] | None = None
        self._closed = False

    @contextlib.contextmanager
    def waiting(self, session: bytes, topic: Topic = _ANY) -> Iterator[Waiter]:
        """A stream's place, for as long as it is open; without an account it hears of every one."""
        waiter = Waiter(session)
        self._waiters[topic].add(waiter)
        if self._closed:
            waiter.end()
        elif self._listening is None:
            self._listening = asyncio.create_task(self._listen())
            self._close_at_shutdown()
        try:
            yield waiter
        finally:
            self._waiters[topic].discard(waiter)
            if not self._waiters[topic]:
                del self._waiters[topic]

    @property
    def open_streams(self) -> int:
        return sum(len(waiters) for waiters in self._waiters.values())

    def open_of(self, account_id: int) -> int:
        return len(self._waiters.get(account_id, ()))

    def wake(self, account_id: int) -> None:
        for waiter in [*self._waiters.get(account_id, ()), *self._waiters.get(_ANY, ())]:
            waiter.wake()

    def wake_catalog(self) -> None:
        for waiter in list(self._waiters.get(CATALOG, ())):
            waiter.wake()

    def end_session(self, session: bytes) -> None:
        """Close the streams of a browser that signed out."""
        for waiter in self._all():
            if waiter.session == session:
                waiter.end()

    def close(self) -> None:
        """End every stream, and stop listening."""
        self._closed = True
        for waiter in self._all():
            waiter.end()
        if self._listening is not None:
            self._listening.cancel()

    def _all(self) -> list[Waiter]:
        return [waiter for waiters in self._waiters.values() for waiter in waiters]

    async def _listen(self) -> None:
        while not self._closed:
            lost = asyncio.Event()
            try:
                connection = await asyncpg.connect(
                    self._url,
                    timeout=4,
                    server_settings={"application_name": "valueplatform live", "role": Role.WEB.value},
                )
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                _log.warning("cannot listen for stories; trying again", error=str(error))
                await asyncio.sleep(RECONNECT)
                continue
            try:
                connection.add_termination_listener(lambda _connection, lost=lost: lost.set())
                await connection.add_listener(CHANNEL, self._notified)
                for waiter in self._all():
                    waiter.wake()
                await lost.wait()
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                _log.warning("listening for stories was broken off", error=str(error))
            finally:
                connection.terminate()

    def _notified(self, _connection: Any, _pid: int, _channel: str, payload: object) -> None:
        account_id, _, _ = str(payload).partition(":")
        if account_id == CATALOG:
            self.wake_catalog()
        elif account_id.isdecimal():
            self.wake(int(account_id))

    def _close_at_shutdown(self) -> None:
        """A server told to stop waits for open answers, and only then runs its shutdown hooks: streams must end first.

        The handlers that stand are called too.
        """
        if threading.current_thread() is not threading.main_thread():
            return
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            before = signal.getsignal(number)

            def told(signum: int, frame: FrameType | None, before: Any = before) -> None:
                if not loop.is_closed():
                    loop.call_soon_threadsafe(self.close)
                if callable(before):
                    before(signum, frame)

            if callable(before):
                signal.signal(number, told)
