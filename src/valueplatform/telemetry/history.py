"""What counting over history has in common, of meters (`backfilling`) and for zones (`rezoning`).

What is counted gets rollups under names that nobody reads. From the moment at which that is told, under the exclusive
model lock, which is held for no longer, every new event raises them; the events from before that moment are those of
one snapshot, taken under the same lock, and are counted meanwhile: those of the database one by one, those of the
archive by the column. Events that go cannot be told apart by the snapshot: their days are noted (`build_due`) and
counted anew in the transaction that puts the count in force. A crash leaves rows that nobody reads; the next run clears
them away.

Sums of the archive are merged over all files until no later one can add to a row, and are then copied in: a COPY takes
a third of what raising rows takes. A late event that came in meanwhile may have made one of the rows; then those of
that COPY are raised. The next files are metered while rows are written.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from itertools import chain, pairwise
from typing import Final

import asyncpg
import polars as pl
from sqlalchemy import text

from valueplatform.core.database import Database, Transaction, lock_model_exclusive
from valueplatform.core.errors import ConflictError
from valueplatform.core.scope import Scope
from valueplatform.telemetry.archive_reads import ArchivedPart, Wanted, archived_parts
from valueplatform.telemetry.homes import Home, editions_of
from valueplatform.telemetry.increments import Increments
from valueplatform.telemetry.intake_sums import recount
from valueplatform.telemetry.marks import Stretch
from valueplatform.telemetry.meter_book import readings_by_type
from valueplatform.telemetry.meters import Meter
from valueplatform.telemetry.rebuilding import CHUNK, metered_parts, meterings, together
from valueplatform.telemetry.rollup_frames import merged
from valueplatform.telemetry.rollups import copy_sums, raise_rollups

# One at a time: the letters "vp build".
_LOCK: Final = 0x7670_2062_7569_6C64
_TRY_LOCK: Final = text("SELECT pg_try_advisory_xact_lock(:lock)")
_BUILDS: Final = text("SELECT meter->>'stored_as' AS name FROM meter_build")
_RELEASE: Final = (text("DELETE FROM meter_build"), text("DELETE FROM build_due"))
_DUE: Final = text("SELECT DISTINCT account_id, day, through FROM build_due ORDER BY account_id, day, through")
_EVENTS: Final = """
    SELECT account_id, type, provider, data::text AS data, time, event_key FROM event
    WHERE type = ANY($1::text[]) AND ($2::bigint[] IS NULL OR account_id = ANY($2))
"""
_COUNT: Final = text("""
    SELECT count(*) FROM event
    WHERE type = ANY(:types) AND (CAST(:accounts AS bigint[]) IS NULL OR account_id = ANY(:accounts))
""")
_TABLES: Final = ("rollup", "rollup_member", "rollup_unmetered")
_ACCOUNTS: Final = text("SELECT account_id FROM account ORDER BY account_id")
_CLEAR: Final = tuple(
    text(f"""
        DELETE FROM {table} WHERE account_id = ANY(:accounts) AND meter = ANY(ARRAY(
            SELECT DISTINCT kept || edition FROM account, unnest(CAST(:names AS text[])) AS kept
            WHERE account_id = ANY(:accounts)))
    """)  # noqa: S608 - our own names
    for table in _TABLES
)
_GIVE_UP: Final = text("UPDATE zone_build SET state = 'given up' WHERE state = 'counting'")
_ENDED: Final = text("SELECT account_id, state FROM zone_build ORDER BY account_id")
_CLEAR_EDITIONS: Final = tuple(
    text(f"""
        DELETE FROM {table} USING account WHERE account.account_id = {table}.account_id
            AND {table}.account_id = ANY(:accounts)
            AND substr(meter, length(split_part(meter, '#', 1)) + 1) <> edition
    """)  # noqa: S608 - our own names
    for table in _TABLES
)
_LET_GO: Final = text("DELETE FROM zone_build WHERE account_id = ANY(:accounts)")
_ACCOUNTS_AT_ONCE: Final = 500
IN_FORCE: Final = "in force"
"""Of an account's new zone in `zone_build`: what its old one has left behind is still to be seen to."""

Told = Callable[[int, int], None]
"""Hears how many events are counted, and of how many."""


class MeanwhileError(ConflictError):
    """Somebody else is at it: what could not be done now can be done later."""


@dataclass(frozen=True, slots=True)
class Count:
    """What is counted: `meters`, by the days and under the editions of `homes`; of `accounts`, None = all."""

    meters: Sequence[Meter]
    homes: Mapping[int, Home]
    accounts: Sequence[int] | None = None

    @property
    def editions(self) -> Mapping[int, str]:
        return editions_of(self.homes.values())


@dataclass(frozen=True, slots=True)
class Writer:
    """Where rollups go (worker role). `copier` is the same database in the ingest role, in which rows can be copied in;
    without it all are raised."""

    database: Database
    scope: Scope
    copier: Database | None = None

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
async def alone(database: Database, scope: Scope) -> AsyncIterator[None]:
    """Be the only one who counts over history (worker role). What was not put in force before, or is not inside, is
    cleared away. Raises ConflictError where another is counting."""
    async with database.transaction(scope) as guard:
        if not await guard.scalar(_TRY_LOCK, {"lock": _LOCK}):
            raise MeanwhileError(
                "Events are being counted over history already, for a meter or an account's zone; wait for the end of "
                "that, then start the command again."
            )
        await _clear_away(database, scope)
        try:
            yield
        finally:
            await _clear_away(database, scope)


async def count_history(writer: Writer, reader: Transaction, count: Count, told: Told) -> None:
    """Count what the reader's snapshot holds, of both places."""
    readings, editions = readings_by_type(count.meters), count.editions
    types, accounts = list(readings), None if count.accounts is None else list(count.accounts)
    zones = {home.account_id: home.timezone for home in count.homes.values()}
    parts = await archived_parts(reader, Wanted(accounts, types, zones=zones))
    archive = _count_archive(writer, parts, count)
    counting_stored = asyncio.create_task(reader.scalar(_COUNT, {"types": types, "accounts": accounts}))
    try:
        first = await anext(archive, 0)  # files are metered while the database counts its own
    finally:
        stored = int(await counting_stored or 0)
    total = stored + sum(part.events for part in parts)
    told(0, total)
    if done := first:
        told(done, total)
    async for events in archive:
        told(done := done + events, total)
    if not stored:
        return
    connection = await reader.driver()
    cursor = await connection.cursor(_EVENTS, types, accounts)
    while rows := await cursor.fetch(CHUNK):
        increments = Increments(editions)
        increments.add_all(meterings(rows, readings, count.homes))
        await writer.write(increments)
        told(done := done + len(rows), total)


async def _count_archive(writer: Writer, parts: Sequence[ArchivedPart], count: Count) -> AsyncIterator[int]:
    """Events, as they are counted; the last are written by the end."""
    counted, unsettled = Increments(), list[pl.DataFrame]()
    for batch, following in pairwise(chain(together(parts), [()])):
        metering = asyncio.create_task(asyncio.to_thread(_metered, batch, count, unsettled, following))
        try:
            await writer.write(counted)
        finally:  # neither outlives the other: what is written is cleared away after a failure
            counted, unsettled = await metering
        yield sum(part.events for part in batch)
    await writer.write(counted)


def _metered(
    batch: Sequence[ArchivedPart], count: Count, before: Sequence[pl.DataFrame], following: Sequence[ArchivedPart]
) -> tuple[Increments, list[pl.DataFrame]]:
    """What these files add, and what files before them left open; apart from it the sums that following files may still
    add to: a local day is at most a day away from the day in UTC."""
    increments = metered_parts(batch, count.meters, count.editions)
    rows = merged([*before, *increments.sums])
    settled = pl.lit(value=True)
    if following:
        settled = pl.col("day") < date.fromordinal(max(following[0].month.toordinal() - 1, 1))
    increments.sums = [frame.filter(settled) for frame in rows]
    return increments, [frame.filter(~settled) for frame in rows]


async def due_stretches(tx: Transaction) -> list[Stretch]:
    """The days that events have left since a count began, of any zone; those of an account are apart."""
    found: list[Stretch] = []
    for row in await tx.rows(_DUE):
        one = Stretch(row.account_id, row.day, row.through).around()
        if found and found[-1].account_id == one.account_id and one.first <= found[-1].last:
            found[-1] = Stretch(one.account_id, found[-1].first, max(found[-1].last, one.last))
        else:
            found.append(one)
    return found


async def release(tx: Transaction) -> None:
    """No meter is being counted any more, and no day is due."""
    for statement in _RELEASE:
        await tx.execute(statement)


async def drop_rollups(database: Database, scope: Scope, names: Sequence[str]) -> None:
    """Remove rollups that nobody reads any more, some accounts at a time, so that nobody waits for it."""
    async with database.transaction(scope) as tx:
        accounts = [row.account_id for row in await tx.rows(_ACCOUNTS)]
    for some in _some(accounts) if names else ():
        async with database.transaction(scope) as tx:
            for statement in _CLEAR:
                await tx.execute(statement, {"accounts": some, "names": list(names)})


async def _clear_away(database: Database, scope: Scope) -> None:
    """End what is counted and was not put in force, this run's or one's that crashed; see to what a changed zone has
    left behind."""
    async with database.transaction(scope) as tx:
        await lock_model_exclusive(tx)
        names = [row.name for row in await tx.rows(_BUILDS)]
        await release(tx)
        await tx.execute(_GIVE_UP)
        ended = await tx.rows(_ENDED)
    await drop_rollups(database, scope, names)
    for some in _some([row.account_id for row in ended if row.state == IN_FORCE]):
        async with database.transaction(scope) as tx:
            await recount(tx, some)
    for some in _some([row.account_id for row in ended]):
        async with database.transaction(scope) as tx:
            for statement in (*_CLEAR_EDITIONS, _LET_GO):
                await tx.execute(statement, {"accounts": some})


def _some(accounts: Sequence[int]) -> Iterator[list[int]]:
    for start in range(0, len(accounts), _ACCOUNTS_AT_ONCE):
        yield list(accounts[start : start + _ACCOUNTS_AT_ONCE])
