"""Request bodies must come within a time: a sender that dribbles holds a connection, and must not hold it for long."""

import asyncio
from typing import Final

from litestar.enums import ScopeType
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, HTTPReceiveMessage, Receive, Scope, Send, WebSocketReceiveMessage

from valueplatform.api.problems import TooSlowError

PATIENCE: Final = 10.0
"""Seconds from the first read to the end of the body."""


class BodiesInTime(ASGIMiddleware):
    """Raises TooSlowError where a body is not whole in time. What comes after the body, a hang-up, is waited for as
    long as it takes."""

    scopes = (ScopeType.HTTP,)

    def __init__(self, patience: float = PATIENCE) -> None:
        self.patience = patience

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        loop = asyncio.get_running_loop()
        deadline: float | None = None
        whole = False

        async def receive_in_time() -> HTTPReceiveMessage | WebSocketReceiveMessage:
            nonlocal deadline, whole
            if whole:
                return await receive()
            deadline = deadline or loop.time() + self.patience
            try:
                async with asyncio.timeout_at(deadline):
                    message = await receive()
            except TimeoutError as error:
                raise TooSlowError(f"The body did not arrive within {self.patience:.0f} seconds.") from error
            whole = message["type"] != "http.request" or not message["more_body"]
            return message

        await next_app(scope, receive_in_time, send)
