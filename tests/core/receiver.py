"""Whoever receives webhooks, on this machine."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from tests.core.mail_server import hang_up, listening


@dataclass
class Receiver:
    port: int = 0
    status: str = "204 No Content"
    more: str = ""
    heard: list[bytes] = field(default_factory=list)


@asynccontextmanager
async def a_receiver() -> AsyncIterator[Receiver]:
    given = Receiver()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-l"))
        given.heard.append(head + await reader.readexactly(length))
        writer.write(f"HTTP/1.1 {given.status}\r\n{given.more}Content-Length: 0\r\n\r\n".encode())
        await writer.drain()
        await hang_up(writer)

    async with listening(serve) as port:
        given.port = port
        yield given
