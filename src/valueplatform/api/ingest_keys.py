"""Which keys send, and the last events of each with what became of them."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from typing import Annotated, Final
from uuid import UUID

import msgspec
from litestar import Controller, get
from litestar.params import FromQuery, PathParameter, QueryParameter

from valueplatform.api.calling import Caller, OpenGate
from valueplatform.api.documentation import READS, answers
from valueplatform.api.events import OpenIntake
from valueplatform.api.paging import Cursor, Limit, page_after
from valueplatform.core.authorization import Action, KeyKind, KeyPrincipal, may, require, scope_of
from valueplatform.core.database import Database, Transaction
from valueplatform.core.errors import NotFoundError
from valueplatform.core.pages import DEFAULT_LIMIT, Page, checked_limit, number_position, page_of
from valueplatform.core.scope import no_accounts
from valueplatform.telemetry.cloudevents import ORIGIN
from valueplatform.telemetry.recent_reads import IngestKey, RecentEvent, ingest_key, ingest_keys, recent_events
from valueplatform.telemetry.requests import Outcome

_AT: Final = datetime(2026, 3, 2, 9, tzinfo=UTC)


class IngestKeyOut(msgspec.Struct, frozen=True):
    """`accounts` and `sources` null = any. `last_at` is when its newest event came, `taken_at` when the newest did that
    was not rejected: null until the first."""

    id: UUID
    name: str
    provider: str
    accounts: Sequence[str] | None
    sources: Sequence[str] | None
    created_at: datetime
    revoked_at: datetime | None
    last_at: datetime | None
    last_outcome: str | None
    taken_at: datetime | None


class RecentEventOut(msgspec.Struct, frozen=True):
    """`outcome` is stored, duplicate, conflict or rejected; `code` and `message` say why it was rejected. `event_id` is
    the id that the event gave itself, `meters` those that read it. `rejected_id` is its number among
    `GET /api/v1/rejected-events`. `subject` is null without the right to single events."""

    received_at: datetime
    origin: str
    outcome: str
    code: str | None
    message: str | None
    source: str | None
    event_id: str | None
    type: str | None
    account: str | None
    day: date | None
    time: datetime | None
    subject: str | None
    provider: str | None
    meters: Sequence[str]
    rejected_id: int | None
    replayed_at: datetime | None


_KEY: Final = IngestKeyOut(
    UUID("6f9619ff-8b86-4d01-b42d-00cf4fc964ff"), "my-product", "supplier", None, None, _AT, None, _AT, "stored", _AT
)
_EVENT: Final = RecentEventOut(
    _AT, ORIGIN, "stored", None, None, "/app", "job-42", "job.dispatched", "harbor-logistics", _AT.date(), _AT, None,
    "supplier", ["jobs_dispatched"], None, None,
)  # fmt: skip


class IngestKeysController(Controller):
    path = "/api/v1/ingest-keys"
    tags = ("Events",)

    @get(summary="Keys that products send with", responses=answers(Page[IngestKeyOut], Page([_KEY], None), *READS))
    async def keys(
        self, caller: Caller, gate: OpenGate, limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None
    ) -> Page[IngestKeyOut]:
        """Newest first, the revoked ones last. An ingest key sees itself."""
        require(caller, Action.READ_INGEST)
        async with gate.web.transaction(scope_of(caller)) as tx:
            found = await ingest_keys(tx)
        seen = [_key_out(key) for key in found if caller.kind is not KeyKind.INGEST or key.key_id == caller.key_id]
        return page_after(seen, limit, cursor, lambda key: str(key.id))

    @get(
        "/{key_id:uuid}/events",
        summary="The last events of a key, with what became of them",
        responses=answers(Page[RecentEventOut], Page([_EVENT], None), *READS),
    )
    async def events(
        self,
        caller: Caller,
        gate: OpenGate,
        intake: OpenIntake,
        key_id: Annotated[UUID, PathParameter(description="`id` of the ingest key")],
        outcome: Annotated[Outcome | None, QueryParameter(description="Only those of which this became")] = None,
        limit: FromQuery[int] = DEFAULT_LIMIT,
        cursor: Annotated[str | None, QueryParameter(description="`next_cursor` of the page before")] = None,
    ) -> Page[RecentEventOut]:
        """Newest first; about two hundred are remembered, and of a key that sends many a second a few of each second.
        An ingest key sees its own."""
        require(caller, Action.READ_INGEST)
        before = number_position(cursor)
        async with _of_key(caller, gate.web, intake.database, key_id) as tx:
            rows = await recent_events(tx, key_id, outcome=outcome, before=before, limit=checked_limit(limit) + 1)
        page = page_of(rows, limit, lambda row: row.recent_id)
        shows = may(caller, Action.READ_EVENTS)
        return Page([_event_out(row, shows_subject=shows) for row in page.items], page.next_cursor)


@asynccontextmanager
async def _of_key(caller: KeyPrincipal, web: Database, ingest: Database, key_id: UUID) -> AsyncIterator[Transaction]:
    """Where the events of a key are read: its own by itself, whichever account they name, others' in the caller's
    scope. Raises NotFoundError."""
    if caller.kind is KeyKind.INGEST:
        if key_id != caller.key_id:
            raise NotFoundError(f"There is no ingest key {key_id}.")
        async with ingest.transaction(no_accounts()) as tx:
            yield tx
        return
    async with web.transaction(scope_of(caller)) as tx:
        await ingest_key(tx, key_id)
        yield tx


def _key_out(key: IngestKey) -> IngestKeyOut:
    return IngestKeyOut(
        key.key_id,
        key.name,
        key.provider,
        key.accounts,
        key.sources,
        key.created_at,
        key.revoked_at,
        key.last_at,
        key.last_outcome,
        key.taken_at,
    )


def _event_out(row: RecentEvent, *, shows_subject: bool) -> RecentEventOut:
    return RecentEventOut(
        row.received_at,
        row.origin,
        row.outcome,
        row.code,
        row.message,
        row.source,
        row.id,
        row.type,
        row.account,
        row.day,
        row.time,
        row.subject if shows_subject else None,
        row.provider,
        row.meters,
        row.rejected_id,
        row.replayed_at,
    )
