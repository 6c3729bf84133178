"""Whether the service lives, whether it can serve, and what it counts. For load balancers and monitors: no key."""

from collections.abc import Sequence
from typing import Annotated, Any, Final

import msgspec
from alembic.script import ScriptDirectory
from litestar import Response, get
from litestar.handlers import HTTPRouteHandler
from msgspec import Meta
from prometheus_client import CONTENT_TYPE_LATEST
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from valueplatform.api.documentation import PUBLIC, answers
from valueplatform.api.measuring import Measures
from valueplatform.core.database import RETRY_AFTER_SECONDS, Database
from valueplatform.core.errors import UnavailableError
from valueplatform.core.migrate import migrations_folder
from valueplatform.core.scope import no_accounts


class Health(msgspec.Struct, frozen=True):
    status: Annotated[str, Meta(examples=["ok"])]


_OK: Final = Health("ok")
_TEXT: Final = CONTENT_TYPE_LATEST.removesuffix("; charset=utf-8")  # which the framework adds
_SCHEMA: Final = text("SELECT version_num FROM alembic_version")


def operation_handlers(web: Database, measures: Measures) -> Sequence[HTTPRouteHandler]:
    shared: dict[str, Any] = {"tags": ("Operation",), "security": PUBLIC}

    @get(
        "/healthz",
        summary="The process answers",
        responses=answers(Health, _OK),
        sync_to_thread=False,
        **shared,
    )
    def healthz() -> Health:
        return _OK

    newest = ScriptDirectory(str(migrations_folder())).get_current_head()

    @get(
        "/readyz",
        summary="The database answers, in the schema of this release",
        responses=answers(Health, _OK, 503),
        **shared,
    )
    async def readyz() -> Health:
        current = await _schema_of(web)
        if current != newest:
            raise UnavailableError(
                f"The database has schema {current or 'none'}, this release needs {newest}; "
                "run `valueplatform db upgrade`.",
                retry_after=RETRY_AFTER_SECONDS,
            )
        return _OK

    @get(
        "/metrics",
        summary="Counts and latencies, for Prometheus",
        media_type=_TEXT,
        sync_to_thread=False,
        **shared,
    )
    def metrics() -> Response[bytes]:
        return Response(measures.exposition(), media_type=_TEXT)

    return healthz, readyz, metrics


async def _schema_of(database: Database) -> str | None:
    """None before the first migration."""
    try:
        async with database.transaction(no_accounts()) as tx:
            current: str | None = await tx.scalar(_SCHEMA)
    except ProgrammingError:
        return None
    return current
