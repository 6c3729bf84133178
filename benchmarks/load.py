"""A bare HTTP/1.1 client: prepared requests over kept connections, so that the client is not what is measured."""

import asyncio
import time
from collections import deque
from collections.abc import Iterable

HEADER_END = b"\r\n\r\n"
COME_BACK = (429, 503)


def request(path: str, body: bytes = b"", *, method: str = "POST", headers: dict[str, str] | None = None) -> bytes:
    """A whole request as bytes."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join(lines).encode() + HEADER_END + body


async def send_all(host: str, port: int, requests: Iterable[bytes], *, connections: int) -> tuple[float, list[float]]:
    """Send every request over a number of connections; seconds in all, and seconds each.

    Whoever is told to come back waits as long as it is told, and sends again, as clients do. Raises AssertionError for
    any other answer than success.
    """
    waiting = deque(requests)
    times: list[float] = []

    async def work() -> None:
        reader, writer = await asyncio.open_connection(host, port)
        while waiting:
            payload = waiting.popleft()
            begun = time.perf_counter()
            writer.write(payload)
            head = await reader.readuntil(HEADER_END)
            await _read_body(reader, head)
            times.append(time.perf_counter() - begun)
            status = int(head.split(b" ", 2)[1])
            if status in COME_BACK:
                await asyncio.sleep(int(head.lower().split(b"retry-after:", 1)[1].split(b"\r\n", 1)[0]))
                waiting.append(payload)
            else:
                assert 200 <= status < 300, head
        writer.close()
        await writer.wait_closed()

    begun = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(connections)))
    return time.perf_counter() - begun, times


async def _read_body(reader: asyncio.StreamReader, head: bytes) -> None:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            await reader.readexactly(int(line.split(b":", 1)[1]))
            return
    assert b" 204 " in head or b" 304 " in head, head
