"""Rollups from raw events anew, of whole meters or of some days."""

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
from valueplatform.telemetry.homes import Home, editions_of, homes_of
from valueplatform.telemetry.increments import Increments, Metering
from valueplatform.telemetry.local_days import local_day_of, stay_of
from valueplatform.telemetry.marks import Stretch
from valueplatform.telemetry.meter_book import Reading, readings_by_type
from valueplatform.telemetry.meters import Meter
from valueplatform.telemetry.payload import stored_value
from valueplatform.telemetry.rollups import raise_rollups

CHUNK: Final = 20_000  # events at a time, so that memory does not grow with history
MOST_AT_ONCE: Final = 500_000  # archived events

_TABLES: Final = ("rollup", "rollup_member", "rollup_unmetered")
_CLEAR: Final = tuple(
    f"DELETE FROM {table} WHERE split_part(meter, '#', 1) = ANY($1::text[])"  # noqa: S608 - our own names
    " AND ($2::bigint[] IS NULL OR account_id = ANY($2))"
    for table in _TABLES
)
_EVENTS: Final = """
    SELECT account_id, type, provider, data::text AS data, time, event_key FROM event
    WHERE type = ANY($1::text[]) AND ($2::bigint[] IS NULL OR account_id = ANY($2))
    ORDER BY account_id, type, utc_day
"""
_OF_DAYS: Final = """
    SELECT account_id, type, provider, data::text AS data, time, event_key FROM event
    WHERE account_id = $1 AND type = ANY($2::text[])
        AND utc_day BETWEEN $3 AND $4 AND time <@ (SELECT $5::text::tstzmultirange)
"""
_CLEAR_DAYS: Final = tuple(
    f"DELETE FROM {table} WHERE account_id = $1 AND meter = ANY($2::text[]) AND day BETWEEN $3 AND $4"  # noqa: S608 - our own names
    for table in _TABLES
)
_DUE: Final = "INSERT INTO build_due (account_id, day, through) VALUES ($1, $2, $3)"


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
    homes = await homes_of(connection, accounts)
    days: dict[int, tuple[date, date]] = {}
    editions = editions_of(homes.values())
    async for rows in _chunks(connection, _EVENTS, list(readings), accounts):
        increments = Increments(editions)
        increments.add_all(meterings(rows, readings, homes))
        await raise_rollups(connection, increments)
        _widen(days, increments)
    for parts in together(await archived_parts(tx, Wanted(accounts, list(readings)))):
        increments = await asyncio.to_thread(metered_parts, parts, meters, editions)
        await raise_rollups(connection, increments)
        _widen(days, increments)
    return [Stretch(account_id, first, last) for account_id, (first, last) in sorted(days.items())]


def metered_parts(parts: Sequence[ArchivedPart], meters: Sequence[Meter], editions: Mapping[int, str]) -> Increments:
    """What the events of archived files add to the rollups of these meters. Raises UnavailableError."""
    paths = paths_of(meters)
    with readable(parts):
        increments = Increments(editions)
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


async def count_days(tx: Transaction, meters: Sequence[Meter], stretch: Stretch, home: Home) -> None:
    """The rollups of these meters on an account's days anew, from both places, under the exclusive model lock; by the
    zone and under the edition of `home`."""
    await hold_archive(tx)
    connection = await tx.driver()
    readings = readings_by_type(meters)
    editions = editions_of([home])
    names = [meter.rollup_name() + home.edition for meter in meters]
    for statement in _CLEAR_DAYS:
        await connection.execute(statement, home.account_id, names, stretch.first, stretch.last)
    zones = {home.account_id: home.timezone}
    wanted = Wanted([home.account_id], list(readings), stretch.first, stretch.last, zones)
    for parts in together(await archived_parts(tx, wanted)):
        await raise_rollups(connection, await asyncio.to_thread(metered_parts, parts, meters, editions))
    stay = stay_of(stretch.first, stretch.last, home.timezone)
    async for rows in _chunks(connection, _OF_DAYS, home.account_id, list(readings), *stay):
        increments = Increments(editions)
        increments.add_all(meterings(rows, readings, {home.account_id: home}))
        await raise_rollups(connection, increments)


def meterings(
    rows: "Sequence[asyncpg.Record]", readings: Mapping[str, Sequence[Reading]], homes: Mapping[int, Home]
) -> Iterator[Metering]:
    """Events as they are read here, ready to be added on the local days of their homes."""
    for account_id, event_type, provider, data, time, key in rows:
        day = local_day_of(time, homes[account_id].timezone)
        yield account_id, day, provider, stored_value(data), readings[event_type], time, key


async def count_again(tx: Transaction, stretches: Iterable[Stretch]) -> None:
    """Have these days, of UTC, counted anew for what is being counted over history, before that is put in force: what
    was counted of them may be of events that are gone."""
    connection = await tx.driver()
    await connection.executemany(_DUE, [(stretch.account_id, stretch.first, stretch.last) for stretch in stretches])


async def _chunks(
    connection: "asyncpg.Connection[Any]", query: str, *arguments: object
) -> AsyncIterator[list["asyncpg.Record"]]:
    cursor = await connection.cursor(query, *arguments)
    while rows := await cursor.fetch(CHUNK):
        yield rows
