"""A small application with nothing but the ingest addresses; `served` is it for a real server."""

import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import httpx
from litestar import Litestar

from tests.conftest import Databases
from tests.telemetry.factories import NOW
from valueplatform.api import calling, events
from valueplatform.api.otlp import OtlpController
from valueplatform.api.problems import EXCEPTION_HANDLERS
from valueplatform.api.routes import ingest_router
from valueplatform.core.clock import Clock, system_clock
from valueplatform.core.database import Database, Role
from valueplatform.core.keys import KeyRing
from valueplatform.telemetry.group_commit import GroupCommitter

Client = httpx.AsyncClient
MakeKey = Callable[..., Awaitable[dict[str, str]]]


def intake_app(
    ingest: Database,
    web: Database,
    committer: GroupCommitter,
    clock: Clock,
    *hooks: Callable[[Litestar], AbstractAsyncContextManager[None]],
) -> Litestar:
    """The committer runs around it, or in a hook of its life."""
    gate = calling.Gate(web, KeyRing(web, time.monotonic), clock)
    intake = events.Intake(ingest, committer, clock)
    return Litestar(
        route_handlers=[events.EventsController, OtlpController, ingest_router(gate, intake)],
        dependencies={**calling.provided(gate), **events.provided(intake)},
        exception_handlers=EXCEPTION_HANDLERS,
        openapi_config=None,
        lifespan=list(hooks),
    )


def served() -> Litestar:
    """For `granian --factory`; the database is the one of DATABASE_URL."""
    url = os.environ["DATABASE_URL"]
    ingest = Database(url, Role.INGEST)
    committer = GroupCommitter(ingest)

    @asynccontextmanager
    async def committing(_app: Litestar) -> AsyncIterator[None]:
        async with committer.running():
            yield

    return intake_app(ingest, Database(url, Role.WEB), committer, system_clock, committing)


@asynccontextmanager
async def taking(databases: Databases, patience: float = 30) -> AsyncIterator[Client]:
    """A client of the application, in this very event loop."""
    async with GroupCommitter(databases.ingest, patience=patience).running() as committer:
        app = intake_app(databases.ingest, databases.web, committer, lambda: NOW)

        async def asgi(scope: Any, receive: Any, send: Any) -> None:
            await app(scope, receive, send)

        transport = httpx.ASGITransport(app=asgi, raise_app_exceptions=False)
        async with Client(transport=transport, base_url="http://test") as client:
            yield client
