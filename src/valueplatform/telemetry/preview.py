"""What events would become, told by the way of ingest itself, of which nothing is kept."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final, NoReturn

import asyncpg
import msgspec

from valueplatform.core.database import Database
from valueplatform.core.scope import no_accounts
from valueplatform.telemetry.admission import Entry
from valueplatform.telemetry.event import Rejection
from valueplatform.telemetry.meter_book import MeterBook, Reading
from valueplatform.telemetry.meters import Data, Unmetered
from valueplatform.telemetry.requests import IngestRequest
from valueplatform.telemetry.storing import Ledger, sort_out

_KNOWN: Final = "SELECT key FROM account WHERE key = ANY($1::text[])"


class Outcome(StrEnum):
    STORED = "stored"
    DUPLICATE = "duplicate"
    CONFLICT = "conflict"
    REJECTED = "rejected"


class Measured(msgspec.Struct, frozen=True):
    """What one meter would read: 1 for COUNT, a number, or a member's text; or why nothing (`unmetered`, a code)."""

    meter: str
    dimensions: Mapping[str, str | None]
    value: Decimal | int | str | None
    unmetered: str | None = None


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """One event. What is rejected has a code and a message, and nothing else; `new_account`: it would be created."""

    index: int
    id: str | None
    outcome: Outcome
    code: str | None = None
    message: str | None = None
    type: str | None = None
    account: str | None = None
    new_account: bool = False
    day: date | None = None
    time: datetime | None = None
    subject: str | None = None
    provider: str | None = None
    data: object = None
    meters: Sequence[Measured] = ()


async def preview(database: Database, request: IngestRequest) -> list[Preview]:
    """The events of a request in its order, each as it would be taken now.

    Goes as far as ingest goes before it writes events, and takes it all back. Raises UnavailableError.
    """
    found: list[Preview] = []
    try:
        async with database.transaction(no_accounts()) as tx:
            found += await _previewed(await tx.driver(), request)
            _take_back()
    except _TakenBackError:
        return sorted(found, key=lambda one: one.index)


class _TakenBackError(Exception):
    """Rolls the transaction back."""


def _take_back() -> NoReturn:
    raise _TakenBackError


async def _previewed(connection: "asyncpg.Connection[Any]", request: IngestRequest) -> list[Preview]:
    ledger = Ledger()
    keys = {event.account for event in request.events}
    known = {row["key"] for row in await connection.fetch(_KNOWN, list(keys))}
    admitted, told = await sort_out(connection, [request], ledger)
    outcomes = {Outcome.STORED: told.new, Outcome.DUPLICATE: told.duplicates, Outcome.CONFLICT: told.conflicts}
    taken = [
        _of_entry(entry, outcome, ledger.book, new_account=entry.event.account not in known)
        for outcome, entries in outcomes.items()
        for entry in entries
    ]
    return taken + [_of_rejection(refused) for refused in admitted.refused[0]]


def _of_entry(entry: Entry, outcome: Outcome, book: MeterBook, *, new_account: bool) -> Preview:
    event = entry.event
    data: Data = event.data if isinstance(event.data, dict) else {}
    readings = book.readings.get(event.type, ())
    paths = {meter.slug: meter.dimensions for meter in book.meters}
    return Preview(
        index=event.index,
        id=event.id,
        outcome=outcome,
        type=event.type,
        account=event.account,
        new_account=new_account,
        day=entry.day,
        time=entry.time,
        subject=event.subject,
        provider=entry.provider,
        data=event.data,
        meters=[_measured(one, paths[one.slug], data) for one in readings if one.admits is None or one.admits(data)],
    )


def _measured(reading: Reading, paths: Sequence[str], data: Data) -> Measured:
    values = reading.dimensions(data) if reading.dimensions is not None else ()
    value = 1 if reading.value is None else reading.value(data)
    dimensions = dict(zip(paths, values, strict=True))
    if isinstance(value, Unmetered):
        return Measured(reading.slug, dimensions, None, value.code)
    return Measured(reading.slug, dimensions, value)


def _of_rejection(refused: Rejection) -> Preview:
    return Preview(
        index=refused.index,
        id=refused.id,
        outcome=Outcome.REJECTED,
        code=refused.code,
        message=refused.message,
        account=refused.account,
    )
