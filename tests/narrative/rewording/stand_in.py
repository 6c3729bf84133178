"""A language model's stand-in: a real HTTP server on this machine that answers as it is told to."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec

from tests.core.mail_server import hang_up, listening

Answering = Callable[[str], bytes | str]
"""From a draft to the answer's text, or to the whole bytes of an HTTP response."""


@dataclass
class StandIn:
    url: str = ""
    asked: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)

    @property
    def drafts(self) -> list[str]:
        return [question["messages"][-1]["content"] for question in self.asked]


@asynccontextmanager
async def stand_in(answering: Answering) -> AsyncIterator[StandIn]:
    known = StandIn()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        fields = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
        question = msgspec.json.decode(await reader.readexactly(int(fields["content-length"])))
        known.asked.append(question)
        known.keys.append(fields.get("authorization", ""))
        answer = answering(question["messages"][-1]["content"])
        writer.write(answer if isinstance(answer, bytes) else response(answer))
        await writer.drain()
        await hang_up(writer)

    async with listening(serve) as port:
        known.url = f"http://127.0.0.1:{port}/v1"
        yield known


def response(content: str | None, status: str = "200 OK") -> bytes:
    body = msgspec.json.encode({"choices": [{"message": {"role": "assistant", "content": content}}]})
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body
