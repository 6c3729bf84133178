"""The composition root of the server: everything is wired here, by explicit arguments, and nowhere else."""

import gc
import os
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import version
from typing import Final

import structlog
from litestar import Litestar
from sqlalchemy.exc import DBAPIError
from structlog.typing import EventDict, WrappedLogger

from valueplatform.api import calling, docs, events
from valueplatform.api.documentation import openapi_config
from valueplatform.api.measuring import Measures, Timed
from valueplatform.api.operation import operation_handlers
from valueplatform.api.patience import BodiesInTime
from valueplatform.api.problems import EXCEPTION_HANDLERS
from valueplatform.api.refused_data import answer_refused_data
from valueplatform.api.routes import api_router, ingest_router
from valueplatform.api.security_headers import security_headers
from valueplatform.core.clock import Clock, system_clock
from valueplatform.core.database import Database, Role
from valueplatform.core.errors import InstallationError
from valueplatform.core.keys import KeyRing, masked
from valueplatform.core.outbound import Outbound
from valueplatform.core.settings import Settings
from valueplatform.core.smtp import smtp_settings
from valueplatform.portal import static_files, templating
from valueplatform.portal.failures import failures_for
from valueplatform.portal.portal import Portal
from valueplatform.portal.routes import portal_router
from valueplatform.stewardship.digests.sending import Means
from valueplatform.telemetry.group_commit import GroupCommitter
from valueplatform.telemetry.requests import IngestRequest, Report

LARGEST_BODY: Final = 1024 * 1024
"""Bytes of a request's body, but for events, which have a limit of their own."""


@dataclass(frozen=True, slots=True)
class ServerDatabases:
    """One database in the roles that a server needs. Whoever makes them disposes of them, or hands them over."""

    web: Database
    ingest: Database

    async def dispose(self) -> None:
        for database in (self.web, self.ingest):
            await database.dispose()


class CountingCommitter(GroupCommitter):
    """Tells the measures what became of events."""

    def __init__(self, database: Database, measures: Measures) -> None:
        super().__init__(database)
        self._measures = measures

    async def commit(self, request: IngestRequest) -> Report:
        report = await super().commit(request)
        self._measures.ingested(report)
        return report


def create_app(
    databases: ServerDatabases,
    *,
    public_url: str,
    clock: Clock = system_clock,
    monotonic: Callable[[], float] = time.monotonic,
    disposes: bool = False,
    means: Means | None = None,
) -> Litestar:
    """The server. `public_url` is where browsers reach it; `disposes`: the databases are closed with the server.
    `means`: what digests are sent with, which readers are offered; without, none by e-mail.

    Nothing that a proxy claims (`X-Forwarded-*`) is believed: addresses come from `public_url`, peers from the socket.
    """
    measures = Measures()
    committer = CountingCommitter(databases.ingest, measures)
    gate = calling.Gate(databases.web, KeyRing(databases.web, monotonic), clock)
    intake = events.Intake(databases.ingest, committer, clock)
    portal = Portal.over(databases.web, clock, public_url, means)

    @asynccontextmanager
    async def living(_app: Litestar) -> AsyncIterator[None]:
        try:
            async with committer.running():
                yield
        finally:
            portal.live.close()
            if disposes:
                await databases.dispose()

    return Litestar(
        route_handlers=[
            api_router(gate, intake),
            ingest_router(gate, intake),
            *operation_handlers(databases.web, measures),
            portal_router(portal, intake),
            static_files.static_handler(_files()),
        ],
        lifespan=[living],
        middleware=[Timed(), BodiesInTime()],
        before_send=[security_headers(public_url), measures.before_send],
        exception_handlers=failures_for(portal.pages, {**EXCEPTION_HANDLERS, DBAPIError: answer_refused_data}),
        request_max_body_size=LARGEST_BODY,
        openapi_config=openapi_config(
            version("valueplatform"), docs.DocsPage(_stylesheets(), templating.asset("icon.svg"))
        ),
        logging_config=None,
    )


def _files() -> Mapping[str, static_files.StaticFile]:
    """What pages load."""
    return static_files.read_folder(templating.STATIC) | static_files.read_folder(docs.STATIC, "api/")


def _stylesheets() -> list[str]:
    return [*map(templating.asset, ("tokens.css", "app.css")), f"{templating.STATIC_PATH}/api/docs.css"]


def from_environment() -> Litestar:
    """For the server's processes: the database is at DATABASE_URL. Raises InstallationError without one."""
    settings = Settings.from_environment()
    if settings.database_url is None:
        raise InstallationError("DATABASE_URL is not set; start the server with `valueplatform serve`.")
    _log_as_json()
    url = settings.database_url
    databases = ServerDatabases(
        web=Database(settings.role_urls.get(Role.WEB.short, url), Role.WEB),
        ingest=Database(settings.role_urls.get(Role.INGEST.short, url), Role.INGEST),
    )
    means = Means(settings.public_url, smtp_settings(os.environ), Outbound(settings.private_webhooks))
    app = create_app(databases, public_url=settings.public_url, disposes=True, means=means)
    _spare_the_collector()
    return app


def _spare_the_collector() -> None:
    """Events are many small objects that live for a moment: looking for cycles among them took a fifth of ingest."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)


def _log_as_json() -> None:
    """One JSON object a line on standard error, without the secret of any key."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _without_secrets,
            structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


def _without_secrets(_logger: WrappedLogger, _method: str, entry: EventDict) -> EventDict:
    return {name: masked(value) if isinstance(value, str) else value for name, value in entry.items()}
