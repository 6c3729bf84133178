"""Events that could not be taken: kept whole with the reason, listed to their sender, sent again on request."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import asyncpg
import msgspec
from sqlalchemy import ColumnElement, select, true

from valueplatform.core.authorization import KeyKind, KeyPrincipal
from valueplatform.core.database import Transaction
from valueplatform.core.errors import NotFoundError
from valueplatform.core.tables import api_key
from valueplatform.telemetry.admission import SUPPLIER
from valueplatform.telemetry.event import Rejection, hash_id
from valueplatform.telemetry.homes import Home
from valueplatform.telemetry.requests import IngestRequest, Sender
from valueplatform.telemetry.tables import rejected_event

UNKNOWN_ACCOUNT: Final = 0

_KEEP: Final = """
    INSERT INTO rejected_event (account_id, key_id, origin, id, code, message, body, content_hash, received_at)
    SELECT account_id, key_id, origin, id, code, message, body, content_hash, received_at
    FROM unnest($1::bigint[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::uuid[],
                $9::timestamptz[]) WITH ORDINALITY
        AS new (account_id, key_id, origin, id, code, message, body, content_hash, received_at, place)
    WHERE NOT EXISTS (SELECT 1 FROM rejected_event AS held WHERE held.content_hash = new.content_hash)
    ORDER BY place
"""
_STILL_REJECTED: Final = "UPDATE rejected_event SET code = $2, message = $3 WHERE rejected_id = $1"
_REPLAYED: Final = "UPDATE rejected_event SET replayed_at = $2 WHERE rejected_id = $1"
_ENCODER: Final = msgspec.json.Encoder()


class RejectedEvent(msgspec.Struct, frozen=True):
    """A rejected event as its sender sees it."""

    rejected_id: int
    key_id: UUID | None
    origin: str
    id: str | None
    code: str
    message: str
    body: str
    received_at: datetime
    replayed_at: datetime | None


_SHOWN: Final = tuple(rejected_event.c[name] for name in RejectedEvent.__struct_fields__)


async def keep_rejections(
    connection: "asyncpg.Connection[Any]",
    requests: Sequence[IngestRequest],
    refused: Sequence[Sequence[Rejection]],
    homes: Mapping[str, Home],
) -> None:
    """Keep what was refused, once for each sender and body; a replay renews its own reason, or is done."""
    rows: dict[UUID, tuple[object, ...]] = {}
    for request, rejections in zip(requests, refused, strict=True):
        if request.replayed is not None:
            await _settle(connection, request, rejections)
            continue
        for rejection in rejections:
            content = content_hash(request.sender, rejection)
            rows[content] = _row(request, rejection, content, homes)
    if rows:
        await connection.execute(_KEEP, *zip(*rows.values(), strict=True))


async def _settle(
    connection: "asyncpg.Connection[Any]", request: IngestRequest, rejections: Sequence[Rejection]
) -> None:
    if rejections:
        await connection.execute(_STILL_REJECTED, request.replayed, rejections[0].code, rejections[0].message)
    else:
        await connection.execute(_REPLAYED, request.replayed, request.received_at)


def _row(request: IngestRequest, rejection: Rejection, content: UUID, homes: Mapping[str, Home]) -> tuple[object, ...]:
    sender = request.sender
    return (
        home_of(sender, rejection, homes),
        sender.key_id,
        sender.origin,
        rejection.id,
        rejection.code,
        rejection.message,
        rejection.body.replace("\0", "\\x00"),
        content,
        request.received_at,
    )


def home_of(sender: Sender, rejection: Rejection, homes: Mapping[str, Home]) -> int:
    """The account that a rejected event is kept with, as far as its sender may know it; else `UNKNOWN_ACCOUNT`."""
    home = homes.get(rejection.account) if rejection.account is not None else None
    if home is None or (sender.account_ids is not None and home.account_id not in sender.account_ids):
        return UNKNOWN_ACCOUNT
    return home.account_id


def content_hash(sender: Sender, rejection: Rejection) -> UUID:
    """What a rejected event is kept once by: its sender, its body, and in a file its place."""
    place = rejection.index if sender.numbered else None
    return hash_id(_ENCODER.encode((sender.origin, str(sender.key_id), place, rejection.body)))


def readable_by(principal: KeyPrincipal) -> ColumnElement[bool]:
    """An ingest key sees what it sent itself, any other the accounts of its scope."""
    if principal.kind is KeyKind.INGEST:
        return rejected_event.c.key_id == principal.key_id
    if principal.account_ids is None:
        return true()
    return rejected_event.c.account_id.in_(sorted(principal.account_ids))


async def rejected_events(
    tx: Transaction, readable: ColumnElement[bool], *, after: int = 0, limit: int = 100
) -> list[RejectedEvent]:
    """Rejected events after one of them, oldest first."""
    query = select(*_SHOWN).where(readable, rejected_event.c.rejected_id > after)
    rows = await tx.rows(query.order_by(rejected_event.c.rejected_id).limit(limit))
    return [RejectedEvent(**row._asdict()) for row in rows]


async def rejected_event_of(tx: Transaction, readable: ColumnElement[bool], rejected_id: int) -> RejectedEvent:
    """One of them. Raises NotFoundError, also for another sender's."""
    row = await tx.row(select(*_SHOWN).where(readable, rejected_event.c.rejected_id == rejected_id))
    if row is None:
        raise NotFoundError(f"This key has no rejected event {rejected_id}; GET /api/v1/rejected-events lists them.")
    return RejectedEvent(**row._asdict())


async def first_sender(tx: Transaction, rejected: RejectedEvent) -> Sender:
    """Who sent it, with what that key may write now: whoever replays it, it stays the event of its sender."""
    if rejected.key_id is None:
        return Sender(rejected.origin, SUPPLIER)
    key = await tx.row(select(api_key).where(api_key.c.key_id == rejected.key_id))
    if key is None:
        raise NotFoundError("The key that sent this event is gone, so its rights cannot be told; send the event again.")
    return Sender(
        rejected.origin,
        key.provider,
        rejected.key_id,
        None if key.account_ids is None else frozenset(key.account_ids),
        None if key.sources is None else frozenset(key.sources),
    )
