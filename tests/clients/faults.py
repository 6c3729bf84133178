"""A proxy that plays what goes wrong between a client and the server, request by request."""

import asyncio
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import urlsplit

_PATIENCE = 20.0


class Fault(StrEnum):
    BROKEN = "500"
    UNAVAILABLE = "503 with Retry-After"
    LIMITED = "429 with Retry-After"
    LIMITED_FOR_WHO_KNOWS = "429 without Retry-After"
    DROPPED_BEFORE = "connection dropped before the server saw the request"
    DROPPED_AFTER = "connection dropped after the server has taken the request"


_ANSWERS = {
    Fault.BROKEN: b"HTTP/1.1 500 Internal Server Error\r\n",
    Fault.UNAVAILABLE: b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\n",
    Fault.LIMITED: b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\n",
    Fault.LIMITED_FOR_WHO_KNOWS: b"HTTP/1.1 429 Too Many Requests\r\n",
}
_REST = b'Content-Type: application/json\r\nContent-Length: 13\r\nConnection: close\r\n\r\n{"error":"x"}'


@dataclass
class Proxy:
    """`faults` are played one a request, in order; after them all goes well. `statuses` are what the client was
    answered, 0 where its connection was dropped, and `reached` how many requests the server has taken."""

    url: str
    faults: list[Fault]
    statuses: list[int] = field(default_factory=list)
    reached: int = 0


class Proxies:
    """Any number of proxies before one server, in a thread of their own."""

    def __init__(self, upstream: str) -> None:
        parts = urlsplit(upstream)
        self._upstream = (parts.hostname or "", parts.port or 0)
        self._loop = asyncio.new_event_loop()
        self._serving: list[asyncio.Server] = []
        self._talks: set[asyncio.Task[None]] = set()

    @contextmanager
    def running(self) -> "Iterator[Proxies]":
        thread = threading.Thread(target=self._loop.run_forever, name="faulty proxies")
        thread.start()
        try:
            yield self
        finally:
            asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(_PATIENCE)
            self._loop.call_soon_threadsafe(self._loop.stop)
            thread.join(_PATIENCE)
            self._loop.close()

    def start(self, *faults: Fault) -> Proxy:
        return asyncio.run_coroutine_threadsafe(self._start(faults), self._loop).result(_PATIENCE)

    async def _start(self, faults: Sequence[Fault]) -> Proxy:
        proxy = Proxy("", list(faults))

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            talk = asyncio.current_task()
            assert talk is not None
            self._talks.add(talk)
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await self._talk(proxy, reader, writer)
            self._talks.discard(talk)
            writer.close()

        serving = await asyncio.start_server(serve, "127.0.0.1", 0)
        self._serving.append(serving)
        proxy.url = f"http://127.0.0.1:{serving.sockets[0].getsockname()[1]}"
        return proxy

    async def _end(self) -> None:
        for serving in self._serving:
            serving.close()
        for talk in list(self._talks):
            talk.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)

    async def _talk(self, proxy: Proxy, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request a connection: every answer closes it."""
        request = await _request(reader)
        fault = proxy.faults.pop(0) if proxy.faults else None
        if fault in _ANSWERS:
            answer = _ANSWERS[fault] + _REST
        else:
            answer = b"" if fault is Fault.DROPPED_BEFORE else await self._forwarded(request)
            proxy.reached += bool(answer)
        if fault in {Fault.DROPPED_BEFORE, Fault.DROPPED_AFTER}:
            answer = b""
        proxy.statuses.append(int(answer.split(b" ", 2)[1]) if answer else 0)
        writer.write(answer)
        await writer.drain()

    async def _forwarded(self, request: bytes) -> bytes:
        reader, writer = await asyncio.open_connection(*self._upstream)
        try:
            writer.write(request)
            await writer.drain()
            return await reader.read(-1)
        finally:
            writer.close()


async def _request(reader: asyncio.StreamReader) -> bytes:
    """A request as it came, but that its connection is to be closed after the answer."""
    head = await reader.readuntil(b"\r\n\r\n")
    first, *lines = head[:-4].split(b"\r\n")
    fields = {name.strip().lower(): value.strip() for name, _, value in (line.partition(b":") for line in lines)}
    kept = [line for line in lines if line.partition(b":")[0].strip().lower() not in {b"connection", b"keep-alive"}]
    start = b"\r\n".join([first, *kept, b"Connection: close"]) + b"\r\n\r\n"
    if fields.get(b"transfer-encoding", b"").lower() == b"chunked":
        return start + await _chunks(reader)
    return start + await reader.readexactly(int(fields.get(b"content-length", b"0")))


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    found = b""
    while True:
        line = await reader.readline()
        size = int(line.split(b";")[0], 16)
        found += line + await reader.readexactly(size + 2)
        if not size:
            return found
