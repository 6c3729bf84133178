"""Daily rollups: what events add to them (`increments`), and taking it away again.

A rollup row counts `events` of a meter on an account's local day, by event provider and dimension values; `total` is
their sum, `unmetered` those of them that had nothing to meter (why: `rollup_unmetered`). UNIQUE_COUNT keeps its
members as rows (`members`), since daily counts never add; MIN, MAX and LATEST keep the pick (`picks`). Neither can be
subtracted: where an event goes, what is left is looked for in the raw events that are left.
Rows are written sorted by key, statement by statement, each of its own table or meters, so that any number of writers
cannot deadlock.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from io import BytesIO
from typing import Any, Final
from uuid import UUID

import asyncpg
import msgspec
import polars as pl

from valueplatform.core.database import Transaction
from valueplatform.telemetry.archive_reads import Wanted, archived_events
from valueplatform.telemetry.homes import Home, editions_of
from valueplatform.telemetry.increments import CellKey, Dimensions, Increments, PickCell
from valueplatform.telemetry.local_days import stay_of
from valueplatform.telemetry.members import KnownMembers, Sighting, add_members, drop_members
from valueplatform.telemetry.meter_book import Reading
from valueplatform.telemetry.payload import stored_value
from valueplatform.telemetry.rollup_frames import COPIED, as_csv

_CHUNK: Final = 20_000  # events at a time, so that memory does not grow with them
_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")

# In the order of their bytes, whatever the database collates by: that is the order in which counts are copied in.
# Rows go in as one JSON text: the driver takes three times as long to write arrays, and they cannot be ragged.
_RAISE_ROLLUPS: Final = """
    INSERT INTO rollup AS held (account_id, meter, day, provider, dimensions, events, total, unmetered)
    SELECT account_id, meter, day, provider, dimensions, events, total, unmetered
    FROM json_to_recordset($1::json) AS raised (account_id bigint, meter text, day date, provider text,
        dimensions text[], events bigint, total numeric, unmetered bigint)
    ORDER BY account_id, meter COLLATE "C", day, provider COLLATE "C", dimensions COLLATE "C"
    ON CONFLICT (account_id, meter, day, provider, dimensions) DO UPDATE SET
        events = held.events + excluded.events,
        total = held.total + excluded.total,
        unmetered = held.unmetered + excluded.unmetered
"""
_RAISE_PICKS: Final = """
    INSERT INTO rollup AS held
        (account_id, meter, day, provider, dimensions, events, total, unmetered, picked, rank, picked_key)
    SELECT account_id, meter, day, provider, dimensions, events, 0, unmetered, picked, rank, picked_key
    FROM json_to_recordset($1::json) AS raised (account_id bigint, meter text, day date, provider text,
        dimensions text[], events bigint, unmetered bigint, picked numeric, rank numeric, picked_key uuid)
    ORDER BY account_id, meter COLLATE "C", day, provider COLLATE "C", dimensions COLLATE "C"
    ON CONFLICT (account_id, meter, day, provider, dimensions) DO UPDATE SET
        events = held.events + excluded.events,
        unmetered = held.unmetered + excluded.unmetered,
        (picked, rank, picked_key) = (
            SELECT * FROM (VALUES (held.picked, held.rank, held.picked_key),
                                  (excluded.picked, excluded.rank, excluded.picked_key)) AS pick (picked, rank, key)
            ORDER BY rank DESC NULLS LAST, key DESC LIMIT 1
        )
"""
_UNPICK: Final = """
    UPDATE rollup SET picked = NULL, rank = NULL, picked_key = NULL
    FROM json_to_recordset($1::json) AS gone (account_id bigint, meter text, day date, provider text,
        dimensions text[], picked_key uuid)
    WHERE (rollup.account_id, rollup.meter, rollup.day, rollup.provider, rollup.dimensions, rollup.picked_key)
        = (gone.account_id, gone.meter, gone.day, gone.provider, gone.dimensions, gone.picked_key)
    RETURNING rollup.account_id, rollup.meter, rollup.day, rollup.provider, rollup.dimensions
"""
_EVENTS_OF_DAY: Final = """
    SELECT type, provider, data::text AS data, time, event_key FROM event
    WHERE account_id = $1 AND type = ANY($2::text[])
        AND utc_day BETWEEN $3 AND $4 AND time <@ (SELECT $5::text::tstzmultirange)
"""
_RAISE_UNMETERED: Final = """
    INSERT INTO rollup_unmetered AS held (account_id, meter, day, provider, code, events)
    SELECT account_id, meter, day, provider, code, events
    FROM json_to_recordset($1::json) AS raised (account_id bigint, meter text, day date, provider text,
        code text, events bigint)
    ORDER BY 1, 2, 3, 4, 5
    ON CONFLICT (account_id, meter, day, provider, code) DO UPDATE SET events = held.events + excluded.events
"""
_BYPASSES: Final = "SELECT rolbypassrls OR rolsuper FROM pg_roles WHERE rolname = current_user"
_SWEEP: Final = (
    "DELETE FROM rollup WHERE events = 0 AND account_id = ANY($1::bigint[]) AND day = ANY($2::date[])",
    "DELETE FROM rollup_unmetered WHERE events = 0 AND account_id = ANY($1::bigint[]) AND day = ANY($2::date[])",
)


class _Rollup(msgspec.Struct, gc=False):
    account_id: int
    meter: str
    day: date
    provider: str
    dimensions: Dimensions
    events: int
    total: Decimal | int
    unmetered: int


class _PickedRollup(msgspec.Struct, gc=False):
    account_id: int
    meter: str
    day: date
    provider: str
    dimensions: Dimensions
    events: int
    unmetered: int
    picked: Decimal | int | None
    rank: Decimal | int | None
    picked_key: UUID | None


class _Gone(msgspec.Struct, gc=False):
    account_id: int
    meter: str
    day: date
    provider: str
    dimensions: Dimensions
    picked_key: UUID


class _Unmetered(msgspec.Struct, gc=False):
    account_id: int
    meter: str
    day: date
    provider: str
    code: str
    events: int


async def raise_rollups(
    connection: "asyncpg.Connection[Any]", increments: Increments, known: KnownMembers | None = None
) -> Sighting:
    """Add the increments to what is held, inside the caller's transaction; the members that `known` may remember once
    that has committed."""
    await _raise_counts(connection, increments)
    sighting = await add_members(connection, increments.members, known)
    if increments.unmetered:
        unmetered = [_Unmetered(*key, events) for key, events in increments.unmetered.items()]
        await connection.execute(_RAISE_UNMETERED, _ENCODER.encode(unmetered).decode())
    return sighting


async def copy_sums(connection: "asyncpg.Connection[Any]", rows: pl.DataFrame) -> bool:
    """Write rows of `rollup_frames.merged`, none of which is there yet, in a third of the time of raising them.

    False where the role may not: PostgreSQL refuses COPY under row security. Raises asyncpg.UniqueViolationError where
    a row is there. Each frame wants a transaction of its own, so that locks are taken in order.
    """
    if not await connection.fetchval(_BYPASSES):
        return False
    content = BytesIO(await asyncio.to_thread(as_csv, rows))
    await connection.copy_to_table("rollup", source=content, columns=COPIED, format="csv")
    return True


async def _raise_counts(connection: "asyncpg.Connection[Any]", increments: Increments) -> None:
    increments.gather()
    if increments.rollups:
        rollups = [_Rollup(*key, *cell) for key, cell in increments.rollups.items()]
        await connection.execute(_RAISE_ROLLUPS, _ENCODER.encode(rollups).decode())
    if increments.picks:
        await _raise_picks(connection, increments.picks)


async def lower_rollups(
    tx: Transaction, increments: Increments, readings: Mapping[str, Sequence[Reading]], homes: Mapping[int, Home]
) -> None:
    """Add increments that were made with sign -1, and remove the rows that nothing is behind any more.

    The events are gone from where they were kept already, and the archive is held. `readings` by event type and `homes`
    are those that the increments were made by.

    Raising the counts has locked the rows of `rollup`: what others have committed to them is seen in the raw events,
    and what they have not is merged into them later. No other row of it is written, so that no lock is taken out of
    order.
    """
    connection = await tx.driver()
    await _raise_counts(connection, increments)
    empty = await _unpick(connection, increments)
    left = await _left(tx, {*empty, *increments.members}, readings, homes)
    picks = {key: left.picks[key] for key in empty & left.picks.keys()}
    for cell in picks.values():
        cell.events = cell.unmetered = 0
    if picks:
        await _raise_picks(connection, picks)
    gone = {key: seen - left.members.get(key, set()) for key, seen in increments.members.items()}
    await drop_members(connection, gone)
    if increments.unmetered:
        unmetered = [_Unmetered(*key, events) for key, events in increments.unmetered.items()]
        await connection.execute(_RAISE_UNMETERED, _ENCODER.encode(unmetered).decode())
    days = increments.days
    for statement in _SWEEP:
        await connection.execute(statement, list({account for account, _ in days}), list({day for _, day in days}))


async def _raise_picks(connection: "asyncpg.Connection[Any]", cells: Mapping[CellKey, PickCell]) -> None:
    rows = [
        _PickedRollup(*key, cell.events, cell.unmetered, None, None, None)
        if cell.pick is None
        else _PickedRollup(*key, cell.events, cell.unmetered, cell.pick.value, cell.pick.rank, cell.pick.event_key)
        for key, cell in cells.items()
    ]
    await connection.execute(_RAISE_PICKS, _ENCODER.encode(rows).decode())


async def _unpick(connection: "asyncpg.Connection[Any]", increments: Increments) -> set[CellKey]:
    """Clear the picks whose event goes; where that was."""
    gone = [_Gone(*key, UUID(bytes=lost.bytes)) for key, cell in increments.picks.items() for lost in cell.gone]
    rows = await connection.fetch(_UNPICK, _ENCODER.encode(gone).decode()) if gone else []
    return {(row[0], row[1], row[2], row[3], tuple(row[4])) for row in rows}


async def _left(
    tx: Transaction, cells: set[CellKey], readings: Mapping[str, Sequence[Reading]], homes: Mapping[int, Home]
) -> Increments:
    """What the meters of these cells read of all raw events that are left on the cells' days, archived ones too."""
    connection = await tx.driver()
    left = Increments(editions_of(homes.values()))
    for account_id, day in sorted({(key[0], key[2]) for key in cells}):
        names = {key[1] for key in cells if (key[0], key[2]) == (account_id, day)}
        own = {
            kind: [one for one in each if left.name_of(account_id, one.rollup_name) in names]
            for kind, each in readings.items()
        }
        types = [kind for kind, each in own.items() if each]
        async for archived in archived_events(tx, Wanted([account_id], types, day, day)):
            left.add_all(
                (account_id, day, e.provider, stored_value(e.data), own[e.type], e.time, e.event_key) for e in archived
            )
        stay = stay_of(day, day, homes[account_id].timezone)
        cursor = await connection.cursor(_EVENTS_OF_DAY, account_id, types, *stay)
        while events := await cursor.fetch(_CHUNK):
            left.add_all(
                (account_id, day, e["provider"], stored_value(e["data"]), own[e["type"]], e["time"], e["event_key"])
                for e in events
            )
    return left
