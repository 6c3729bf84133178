"""Counting meters over all history while events come in, to be put in force at once.

A meter that is counted gets rollups under a name of its own, which nobody reads. From the moment at which that is told
(`meter_build`, under the exclusive model lock, which is held for no longer) every new event raises them; the events
from before that moment are those of one snapshot, taken under the same lock, and are counted meanwhile: those of the
database one by one, those of the archive by the column. Events that go, and days that move with an account's zone,
cannot be told apart by the snapshot: their days are noted (`meter_build_due`) and counted anew in the transaction that
puts the meters in force. A crash leaves rows that nobody reads; the next run clears them away.

Sums of the archive are merged over all files until no later one can add to a row, and are then copied in: a COPY takes
a third of what raising rows takes. A late event that came in meanwhile may have made one of the rows; then those of
that COPY are raised. The next files are metered while rows are written.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from itertools import chain, pairwise
from typing import Final

import asyncpg
import msgspec
import polars as pl
from sqlalchemy import text

from valueplatform.core.database import Database, Transaction, lock_model_exclusive
from valueplatform.core.errors import ConflictError
from valueplatform.core.scope import Scope
from valueplatform.telemetry.archive_reads import ArchivedPart, Wanted, archived_parts
from valueplatform.telemetry.increments import Increments
from valueplatform.telemetry.marks import Stretch
from valueplatform.telemetry.meter_book import readings_by_type
from valueplatform.telemetry.meters import Meter
from valueplatform.telemetry.rebuilding import CHUNK, count_days, metered_parts, meterings, together
from valueplatform.telemetry.rollup_frames import merged
from valueplatform.telemetry.rollups import copy_sums, raise_rollups

# One at a time: the letters "vp build".
_LOCK: Final = 0x7670_2062_7569_6C64
_TRY_LOCK: Final = text("SELECT pg_try_advisory_xact_lock(:lock)")
_REGISTER: Final = text("INSERT INTO meter_build (meter) VALUES ('null') RETURNING build_id")
_DEFINE: Final = text("UPDATE meter_build SET meter = CAST(:meter AS jsonb) WHERE build_id = :build")
_BUILDS: Final = text("SELECT meter->>'stored_as' AS name FROM meter_build")
_RELEASE: Final = (text("DELETE FROM meter_build"), text("DELETE FROM meter_build_due"))
_DUE: Final = text("""
    SELECT account_id, min(day) AS first, max(through) AS last FROM meter_build_due GROUP BY account_id
    ORDER BY account_id
""")
_COUNT: Final = text("SELECT count(*) FROM event WHERE type = ANY(:types)")
_EVENTS: Final = """
    SELECT account_id, type, day, provider, data::text AS data, time, event_key FROM event WHERE type = ANY($1::text[])
"""
_TABLES: Final = ("rollup", "rollup_member", "rollup_unmetered")
_ACCOUNTS: Final = text("SELECT account_id FROM account ORDER BY account_id")
_CLEAR: Final = tuple(
    text(f"DELETE FROM {table} WHERE account_id = ANY(:accounts) AND meter = ANY(:names)")  # noqa: S608 - our own names
    for table in _TABLES
)
_ACCOUNTS_AT_ONCE: Final = 500

Told = Callable[[int, int], None]
"""Hears how many events are counted, and of how many."""


@dataclass(frozen=True, slots=True)
class _Writer:
    """Where rollups go; `copier` as in `counting`."""

    database: Database
    scope: Scope
    copier: Database | None

    async def write(self, increments: Increments) -> None:
        increments.sums = [rows for rows in increments.sums if not await self._copied(rows)]
        async with self.database.transaction(self.scope) as tx:
            await raise_rollups(await tx.driver(), increments)

    async def _copied(self, rows: pl.DataFrame) -> bool:
        if self.copier is None:
            return False
        try:
            async with self.copier.transaction(self.scope) as tx:
                return await copy_sums(await tx.driver(), rows)
        except asyncpg.UniqueViolationError:
            return False


@asynccontextmanager
async def counting(
    database: Database, scope: Scope, meters: Iterable[Meter], told: Told, copier: Database | None = None
) -> AsyncIterator[list[Meter]]:
    """Count meters over all history (worker role); inside, they are ready for `settle` and to be put in force.

    They have their new `stored_as`. `copier` is in the ingest role, in which rows can be copied in. What is not
    released inside is cleared away. Raises ConflictError where meters are being counted already.
    """
    async with database.transaction(scope) as guard:
        if not await guard.scalar(_TRY_LOCK, {"lock": _LOCK}):
            raise ConflictError("Meters are being counted over history already; wait for the end of that.")
        await _clear_away(database, scope)
        try:
            async with database.transaction(scope, steady=True) as reader:
                named = await _begin(database, scope, reader, meters)
                await _count_history(_Writer(database, scope, copier), reader, named, told)
            yield named
        finally:
            await _clear_away(database, scope)


async def settle(tx: Transaction, meters: Sequence[Meter]) -> None:
    """Count the days anew that events have left since the counting began, and end the counting.

    In the transaction that puts the meters in force, under the exclusive model lock.
    """
    for due in await tx.rows(_DUE):
        await count_days(tx, meters, Stretch(due.account_id, due.first, due.last))
    for statement in _RELEASE:
        await tx.execute(statement)


async def drop_rollups(database: Database, scope: Scope, names: Sequence[str]) -> None:
    """Remove rollups that nobody reads any more, some accounts at a time, so that nobody waits for it."""
    async with database.transaction(scope) as tx:
        accounts = [row.account_id for row in await tx.rows(_ACCOUNTS)]
    for start in range(0, len(accounts) if names else 0, _ACCOUNTS_AT_ONCE):
        async with database.transaction(scope) as tx:
            for statement in _CLEAR:
                where = {"accounts": accounts[start : start + _ACCOUNTS_AT_ONCE], "names": list(names)}
                await tx.execute(statement, where)


async def _begin(database: Database, scope: Scope, reader: Transaction, meters: Iterable[Meter]) -> list[Meter]:
    """From here on new events raise the meters; `reader` sees exactly the events from before."""
    named = []
    async with database.transaction(scope) as tx:
        await lock_model_exclusive(tx)
        for meter in meters:
            build = int(await tx.scalar(_REGISTER))
            own = msgspec.structs.replace(meter, stored_as=f"{meter.slug}@{build}")
            await tx.execute(_DEFINE, {"meter": msgspec.json.encode(own).decode(), "build": build})
            named.append(own)
        await reader.scalar(text("SELECT 1"))  # its snapshot is that of its first query
    return named


async def _count_history(writer: _Writer, reader: Transaction, meters: Sequence[Meter], told: Told) -> None:
    readings = readings_by_type(meters)
    types = list(readings)
    parts = await archived_parts(reader, Wanted(types=types))
    archive = _count_archive(writer, parts, meters)
    counting_stored = asyncio.create_task(reader.scalar(_COUNT, {"types": types}))
    try:
        first = await anext(archive, 0)  # files are metered while the database counts its own
    finally:
        stored = int(await counting_stored or 0)
    total = stored + sum(part.events for part in parts)
    told(0, total)
    told(done := first, total)
    async for events in archive:
        told(done := done + events, total)
    if not stored:
        return
    connection = await reader.driver()
    cursor = await connection.cursor(_EVENTS, types)
    while rows := await cursor.fetch(CHUNK):
        increments = Increments()
        increments.add_all(meterings(rows, readings))
        await writer.write(increments)
        told(done := done + len(rows), total)


async def _count_archive(writer: _Writer, parts: Sequence[ArchivedPart], meters: Sequence[Meter]) -> AsyncIterator[int]:
    """Events, as they are counted; the last are written by the end."""
    counted, unsettled = Increments(), list[pl.DataFrame]()
    for batch, following in pairwise(chain(together(parts), [()])):
        metering = asyncio.create_task(asyncio.to_thread(_metered, batch, meters, unsettled, following))
        try:
            await writer.write(counted)
        finally:  # neither outlives the other: what is written is cleared away after a failure
            counted, unsettled = await metering
        yield sum(part.events for part in batch)
    await writer.write(counted)


def _metered(
    batch: Sequence[ArchivedPart],
    meters: Sequence[Meter],
    before: Sequence[pl.DataFrame],
    following: Sequence[ArchivedPart],
) -> tuple[Increments, list[pl.DataFrame]]:
    """What these files add, and what files before them left open; apart from it the sums that following files may still
    add to: a local day is at most a day away from the day in UTC."""
    increments = metered_parts(batch, meters)
    rows = merged([*before, *increments.sums])
    settled = pl.lit(value=True)
    if following:
        settled = pl.col("day") < date.fromordinal(max(following[0].month.toordinal() - 1, 1))
    increments.sums = [frame.filter(settled) for frame in rows]
    return increments, [frame.filter(~settled) for frame in rows]


async def _clear_away(database: Database, scope: Scope) -> None:
    """End what is counted and was not put in force: this run's, or one's that crashed."""
    async with database.transaction(scope) as tx:
        await lock_model_exclusive(tx)
        names = [row.name for row in await tx.rows(_BUILDS)]
        for statement in _RELEASE:
            await tx.execute(statement)
    await drop_rollups(database, scope, names)
