"""What events would become, told by the way of ingest itself, of which nothing is kept.

A preview claims keys until it takes them back, so that senders of the same events wait for it, and holds one of
ingest's connections: few run at once, a few more wait, and what waits too long is told to come back.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final, NoReturn

import asyncpg
import msgspec

from valueplatform.core.database import Database
from valueplatform.core.errors import OverloadedError, UnavailableError
from valueplatform.core.scope import no_accounts
from valueplatform.telemetry.admission import Entry
from valueplatform.telemetry.event import Rejection
from valueplatform.telemetry.meter_book import MeterBook, Reading
from valueplatform.telemetry.meters import Data, Meter, Unmetered
from valueplatform.telemetry.requests import IngestRequest, Outcome
from valueplatform.telemetry.running_totals import RunningTotal, resolve_totals
from valueplatform.telemetry.storing import Ledger, sort_out

AT_ONCE: Final = 2
WAITING: Final = 6
PATIENCE: Final = 4.0  # seconds
_KNOWN: Final = "SELECT key FROM account WHERE key = ANY($1::text[])"


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


class Previewer:
    """Previews within bounds, for one process."""

    def __init__(self, database: Database, *, at_once: int = AT_ONCE, waiting: int = WAITING) -> None:
        self._database = database
        self._turns = asyncio.Semaphore(at_once)
        self._most = at_once + waiting
        self._asked = 0

    async def preview(self, request: IngestRequest, patience: float = PATIENCE) -> list[Preview]:
        """As `preview`. Raises OverloadedError where too many wait already, UnavailableError after `patience`."""
        if self._asked >= self._most:
            raise OverloadedError("More previews are waiting than can be made; ask again shortly.", retry_after=1)
        self._asked += 1
        try:
            async with asyncio.timeout(patience), self._turns:
                return await preview(self._database, request)
        except TimeoutError as error:
            raise UnavailableError("The preview took too long; ask again shortly.", retry_after=2) from error
        finally:
            self._asked -= 1


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
    new = told.new
    if any(isinstance(entry.event.effect, RunningTotal) for entry in new):
        new = await resolve_totals(connection, new)
    taken = [
        _of_entry(entry, outcome, ledger.book, new_account=entry.event.account not in known)
        for outcome, entries in {**told.by_outcome, Outcome.STORED: new}.items()
        for entry in entries
    ]
    return taken + [_of_rejection(refused) for refused in admitted.refused[0]]


def _of_entry(entry: Entry, outcome: Outcome, book: MeterBook, *, new_account: bool) -> Preview:
    event = entry.event
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
        meters=measured(book.meters, book.readings.get(event.type, ()), event.data),
    )


def measured(meters: Sequence[Meter], readings: Sequence[Reading], data: object) -> list[Measured]:
    """What the readings of a type would read in the data of one of its events; those that pass it over are absent."""
    fields: Data = data if isinstance(data, dict) else {}
    paths = {meter.slug: meter.dimensions for meter in meters}
    return [_measured(one, paths[one.slug], fields) for one in readings if one.admits is None or one.admits(fields)]


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
