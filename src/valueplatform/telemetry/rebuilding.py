"""Rollups from raw events anew: for meters that are new or have changed, and for accounts whose zone has."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Final

import asyncpg
import polars as pl

from valueplatform.core.database import Transaction
from valueplatform.telemetry.archive_reads import (
    ArchivedPart,
    Wanted,
    archived_parts,
    hold_archive,
    readable,
    scan_together,
)
from valueplatform.telemetry.frame_metering import COLUMNS, add_frame, paths_of
from valueplatform.telemetry.increments import Increments, Metering
from valueplatform.telemetry.intake_sums import recount
from valueplatform.telemetry.local_days import local_day_of
from valueplatform.telemetry.marks import Stretch, mark_days
from valueplatform.telemetry.meter_book import NO_MODEL, Reading, book_in_force, readings_by_type
from valueplatform.telemetry.meters import Meter
from valueplatform.telemetry.payload import stored_value
from valueplatform.telemetry.rollups import raise_rollups

CHUNK: Final = 20_000  # events at a time, so that memory does not grow with history
MOST_AT_ONCE: Final = 500_000  # archived events

_CLEAR: Final = (
    "DELETE FROM rollup WHERE meter = ANY($1::text[]) AND ($2::bigint[] IS NULL OR account_id = ANY($2))",
    "DELETE FROM rollup_member WHERE meter = ANY($1::text[]) AND ($2::bigint[] IS NULL OR account_id = ANY($2))",
    "DELETE FROM rollup_unmetered WHERE meter = ANY($1::text[]) AND ($2::bigint[] IS NULL OR account_id = ANY($2))",
)
_EVENTS: Final = """
    SELECT account_id, type, day, provider, data::text AS data, time, event_key FROM event
    WHERE type = ANY($1::text[]) AND ($2::bigint[] IS NULL OR account_id = ANY($2))
    ORDER BY account_id, type, day
"""
_DATED: Final = """
    SELECT event.account_id, type, day, event_key, time, timezone
    FROM event JOIN account USING (account_id) WHERE event.account_id = ANY($1::bigint[])
"""
# A local day is at most a day away from the day in UTC.
_ARCHIVED: Final = """
    SELECT account_id, (min(first_time) AT TIME ZONE 'UTC')::date - 1, (max(last_time) AT TIME ZONE 'UTC')::date + 1
    FROM archived_slice WHERE account_id = ANY($1::bigint[]) GROUP BY account_id
"""
_OF_DAYS: Final = """
    SELECT account_id, type, day, provider, data::text AS data, time, event_key FROM event
    WHERE account_id = $1 AND type = ANY($2::text[]) AND day BETWEEN $3 AND $4
"""
_TABLES: Final = ("rollup", "rollup_member", "rollup_unmetered")
_CLEAR_DAYS: Final = tuple(
    f"DELETE FROM {table} WHERE account_id = $1 AND meter = ANY($2::text[]) AND day BETWEEN $3 AND $4"  # noqa: S608 - our own names
    for table in _TABLES
)
_DUE: Final = "INSERT INTO meter_build_due (account_id, day, through) VALUES ($1, $2, $3)"
_MOVE: Final = """
    UPDATE event SET day = moved.new_day
    FROM unnest($1::bigint[], $2::text[], $3::date[], $4::uuid[], $5::date[])
        AS moved (account_id, type, day, event_key, new_day)
    WHERE event.account_id = moved.account_id AND event.type = moved.type AND event.day = moved.day
        AND event.event_key = moved.event_key
"""


async def rebuild_rollups(
    tx: Transaction, meters: Iterable[Meter], account_ids: Iterable[int] | None = None
) -> list[Stretch]:
    """Replace the rollups of `meters` by what the stored events give now; of all accounts, or of some.

    The caller holds the exclusive model lock, and marks the days that are returned by `marks.mark_days`. Rollups of
    meters that are gone are removed by `clear_rollups`.
    """
    meters = list(meters)
    accounts = None if account_ids is None else sorted(account_ids)
    await clear_rollups(tx, [meter.rollup_name() for meter in meters], accounts)
    await hold_archive(tx)
    connection = await tx.driver()
    readings = readings_by_type(meters)
    days: dict[int, tuple[date, date]] = {}
    async for rows in _chunks(connection, _EVENTS, list(readings), accounts):
        increments = Increments()
        increments.add_all(meterings(rows, readings))
        await raise_rollups(connection, increments)
        _widen(days, increments)
    for parts in together(await archived_parts(tx, Wanted(accounts, list(readings)))):
        increments = await asyncio.to_thread(metered_parts, parts, meters)
        await raise_rollups(connection, increments)
        _widen(days, increments)
    return [Stretch(account_id, first, last) for account_id, (first, last) in sorted(days.items())]


def metered_parts(parts: Sequence[ArchivedPart], meters: Sequence[Meter]) -> Increments:
    """What the events of archived files add to the rollups of these meters. Raises UnavailableError."""
    paths = paths_of(meters)
    with readable(parts):
        increments = Increments()
        if not add_frame(increments, scan_together(parts, COLUMNS, paths), meters):
            add_frame(increments, pl.concat([part.scan(COLUMNS, paths) for part in parts]), meters)
    return increments


def together(parts: Iterable[ArchivedPart]) -> Iterator[Sequence[ArchivedPart]]:
    """Files that are metered at once: enough to keep all cores at work, and no more than fit into memory; whole months
    where they do, so that next to no day is of two batches."""
    batch: list[ArchivedPart] = []
    events = 0
    for part in parts:
        if events >= MOST_AT_ONCE or (events >= MOST_AT_ONCE // 2 and part.month != batch[-1].month):
            yield batch
            batch, events = [], 0
        batch.append(part)
        events += part.events
    if batch:
        yield batch


def _widen(days: dict[int, tuple[date, date]], increments: Increments) -> None:
    for account_id, day in increments.days:
        first, last = days.get(account_id, (day, day))
        days[account_id] = min(first, day), max(last, day)


async def clear_rollups(tx: Transaction, names: Sequence[str], account_ids: Sequence[int] | None = None) -> None:
    """Remove all rollups that are kept under these names (`Meter.rollup_name`)."""
    connection = await tx.driver()
    for statement in _CLEAR:
        await connection.execute(statement, list(names), account_ids)


async def follow_zone(tx: Transaction, account_id: int, _timezone: str) -> None:
    """After an account's zone has changed: its events on their new local days, rollups anew, days marked.

    A port of `accounts.account_import`; the caller holds the exclusive model lock.
    """
    connection = await tx.driver()
    book = await book_in_force(connection, NO_MODEL)
    stretches = await redate_events(tx, [account_id])
    await recount(tx, account_id)
    await rebuild_rollups(tx, book.meters, [account_id])
    await mark_days(connection, stretches, "zone")
    if book.builds:
        await count_again(tx, stretches)


async def redate_events(tx: Transaction, account_ids: Iterable[int]) -> list[Stretch]:
    """Bring events to the local days of their accounts' present zones, under the exclusive model lock.

    Archived events have no stored day: reads tell it from the zone. Returns the days concerned, old and new. The
    rollups of these accounts must be rebuilt after it.
    """
    await hold_archive(tx)
    connection = await tx.driver()
    accounts = sorted(account_ids)
    days: dict[int, tuple[date, date]] = {
        row[0]: (row[1], row[2]) for row in await connection.fetch(_ARCHIVED, accounts)
    }
    moves: list[tuple[object, ...]] = []
    async for rows in _chunks(connection, _DATED, accounts):
        for row in rows:
            account_id, old = row["account_id"], row["day"]
            new = local_day_of(row["time"], row["timezone"])
            first, last = days.get(account_id, (old, old))
            days[account_id] = min(first, old, new), max(last, old, new)
            if new != old:
                moves.append((account_id, row["type"], old, row["event_key"], new))
    for start in range(0, len(moves), CHUNK):
        await connection.execute(_MOVE, *zip(*moves[start : start + CHUNK], strict=True))
    return [Stretch(account_id, first, last) for account_id, (first, last) in sorted(days.items())]


async def count_days(tx: Transaction, meters: Sequence[Meter], stretch: Stretch) -> None:
    """The rollups of these meters on an account's days anew, from both places, under the exclusive model lock."""
    await hold_archive(tx)
    connection = await tx.driver()
    readings = readings_by_type(meters)
    names = [meter.rollup_name() for meter in meters]
    for statement in _CLEAR_DAYS:
        await connection.execute(statement, stretch.account_id, names, stretch.first, stretch.last)
    wanted = Wanted([stretch.account_id], list(readings), stretch.first, stretch.last)
    for parts in together(await archived_parts(tx, wanted)):
        await raise_rollups(connection, await asyncio.to_thread(metered_parts, parts, meters))
    async for rows in _chunks(connection, _OF_DAYS, stretch.account_id, list(readings), stretch.first, stretch.last):
        increments = Increments()
        increments.add_all(meterings(rows, readings))
        await raise_rollups(connection, increments)


def meterings(rows: "Sequence[asyncpg.Record]", readings: Mapping[str, Sequence[Reading]]) -> Iterator[Metering]:
    """Events as they are read here, ready to be added."""
    for account_id, event_type, day, provider, data, time, key in rows:
        yield account_id, day, provider, stored_value(data), readings[event_type], time, key


async def count_again(tx: Transaction, stretches: Iterable[Stretch]) -> None:
    """Have these days counted anew for the meters that are being counted over history, before they are put in force:
    what was counted of them may be of events that are gone, or on other days."""
    connection = await tx.driver()
    await connection.executemany(_DUE, [(stretch.account_id, stretch.first, stretch.last) for stretch in stretches])


async def _chunks(
    connection: "asyncpg.Connection[Any]", query: str, *arguments: object
) -> AsyncIterator[list["asyncpg.Record"]]:
    cursor = await connection.cursor(query, *arguments)
    while rows := await cursor.fetch(CHUNK):
        yield rows
