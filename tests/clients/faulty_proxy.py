"""A server in front of another that fails as it is told: what real clients meet on a real network."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import Enum
from http import HTTPStatus

import httpx

_NOT_FORWARDED = frozenset({"host", "connection", "content-length"})


class Fault(Enum):
    """What becomes of a request. LOST: it is not even forwarded. UNHEARD: it is, and the answer is lost."""

    UNAVAILABLE = "503 with Retry-After"
    TOO_MANY = "429"
    TOO_MANY_FOR_A_SECOND = "429 with Retry-After"
    LOST = "dropped before it was forwarded"
    UNHEARD = "dropped after it was answered"


_ANSWERS = {
    Fault.UNAVAILABLE: (503, {"retry-after": "1"}),
    Fault.TOO_MANY: (429, {}),
    Fault.TOO_MANY_FOR_A_SECOND: (429, {"retry-after": "1"}),
}


@dataclass
class FaultyProxy:
    """`faults` befall the next requests, in order; those after them are forwarded. `statuses` are what came back from
    behind."""

    url: str
    faults: deque[Fault] = field(default_factory=deque)
    statuses: list[int] = field(default_factory=list)

    def fail(self, faults: Iterable[Fault]) -> None:
        self.faults.extend(faults)


@asynccontextmanager
async def faulty_proxy(target: str) -> AsyncIterator[FaultyProxy]:
    """A proxy on a port of its own. Every connection carries one request."""
    proxy = FaultyProxy("")
    async with httpx.AsyncClient(base_url=target, timeout=30) as client:

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                await _serve_one(proxy, client, reader, writer)
            except (asyncio.IncompleteReadError, ConnectionError):
                pass  # the client hung up
            finally:
                writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=2**20)
        async with server:
            proxy.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            yield proxy


async def _serve_one(
    proxy: FaultyProxy, client: httpx.AsyncClient, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, path, _ = head[0].split(" ", 2)
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    fault = proxy.faults.popleft() if proxy.faults else None
    if fault is Fault.LOST:
        return
    if fault in _ANSWERS:
        status, said = _ANSWERS[fault]
        await _answer(writer, status, said, b"")
        return
    passed = {name: value for name, value in headers.items() if name not in _NOT_FORWARDED}
    response = await client.request(method, path, headers=passed, content=body)
    proxy.statuses.append(response.status_code)
    if fault is Fault.UNHEARD:
        return
    kept = {name: value for name, value in response.headers.items() if name in {"content-type", "retry-after"}}
    await _answer(writer, response.status_code, kept, response.content)


async def _answer(writer: asyncio.StreamWriter, status: int, headers: dict[str, str], body: bytes) -> None:
    said = {**headers, "content-length": str(len(body)), "connection": "close"}
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", *(f"{name}: {value}" for name, value in said.items())]
    writer.write("\r\n".join([*lines, "", ""]).encode() + body)
    await writer.drain()
