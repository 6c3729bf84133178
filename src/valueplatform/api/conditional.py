"""ETag and If-None-Match: what has not changed since the reader had it is not sent again."""

import hashlib

from litestar.datastructures import Headers, MutableScopeHeaders
from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, HTTPResponseStartEvent, Message, Receive, Scope, Send

LARGEST = 8 * 1024 * 1024
"""Answers longer than this go out as they come, without a tag."""


class ConditionalReads(ASGIMiddleware):
    """Tags every `200` of a GET with the hash of its body; answers `304` where the reader names that tag."""

    scopes = (ScopeType.HTTP,)

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        if scope.get("method") not in {"GET", "HEAD"}:
            await next_app(scope, receive, send)
            return
        answer = _Answer(Headers.from_scope(scope).get("if-none-match", ""), send)
        await next_app(scope, receive, answer.take)


class _Answer:
    """Holds an answer back until its body is whole."""

    def __init__(self, known: str, send: Send) -> None:
        self.known = {tag.strip().removeprefix("W/") for tag in known.split(",") if tag.strip()}
        self.send = send
        self.start: HTTPResponseStartEvent | None = None
        self.body = bytearray()

    async def take(self, message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] == 200:
            self.start = message
        elif message["type"] == "http.response.body" and self.start is not None:
            self.body += message["body"]
            if not message["more_body"]:
                await self._send_tagged(self.start)
            elif len(self.body) > LARGEST:
                await self.send(self.start)
                await self.send({"type": "http.response.body", "body": bytes(self.body), "more_body": True})
                self.start = None
        else:
            await self.send(message)

    async def _send_tagged(self, start: HTTPResponseStartEvent) -> None:
        tag = f'"{hashlib.blake2b(self.body, digest_size=16).hexdigest()}"'
        headers = MutableScopeHeaders.from_message(start)
        headers["ETag"] = tag
        body = bytes(self.body)
        if tag in self.known or "*" in self.known:
            start["status"], body = 304, b""
            for name in ("content-length", "content-type"):
                if name in headers:
                    del headers[name]
        await self.send(start)
        await self.send({"type": "http.response.body", "body": body, "more_body": False})
