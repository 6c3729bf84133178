"""Daily rollups: what events add to them, and taking it away again.

A rollup row counts `events` of a meter on an account's local day, by event provider and dimension values; `total` is
their sum, `unmetered` those of them that had nothing to meter (why: `rollup_unmetered`). UNIQUE_COUNT keeps its
members as rows, with the number of events behind each, since daily counts never add. MIN, MAX and LATEST keep the pick
(`picks`), which cannot be subtracted: where its event goes, it is picked anew from the raw events that are left.
Rows are written sorted by key, statement by statement, each of its own table or meters, so that any number of writers
cannot deadlock.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal, localcontext
from typing import Any, Final
from uuid import UUID

import asyncpg
import msgspec

from valueplatform.core.database import Transaction
from valueplatform.telemetry.archive_reads import Wanted, archived_events
from valueplatform.telemetry.meter_book import Reading
from valueplatform.telemetry.meters import Data, MeteredValue, Unmetered
from valueplatform.telemetry.payload import decode
from valueplatform.telemetry.picks import Pick

Metering = tuple[int, date, str, object, Sequence[Reading], datetime, UUID]
"""An event to meter: account id, local day, provider, data, the readings of its type, time, key."""
Dimensions = tuple[str | None, ...]
_Key = tuple[int, str, date, str, Dimensions]
_SUM_DIGITS: Final = 60  # 27 digits an event leave room for more events than there will ever be
_CHUNK: Final = 20_000  # events at a time, so that memory does not grow with them
_NO_DATA: Final[Data] = {}
_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")

# Rows go in as one JSON text: the driver takes three times as long to write arrays, and they cannot be ragged.
_RAISE_ROLLUPS: Final = """
    INSERT INTO rollup AS held (account_id, meter, day, provider, dimensions, events, total, unmetered)
    SELECT account_id, meter, day, provider, dimensions, events, total, unmetered
    FROM json_to_recordset($1::json) AS raised (account_id bigint, meter text, day date, provider text,
        dimensions text[], events bigint, total numeric, unmetered bigint)
    ORDER BY 1, 2, 3, 4, 5
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
    ORDER BY 1, 2, 3, 4, 5
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
    WHERE account_id = $1 AND type = ANY($2::text[]) AND day = $3
"""
_RAISE_MEMBERS: Final = """
    INSERT INTO rollup_member AS held (account_id, meter, day, provider, dimensions, member, events)
    SELECT account_id, meter, day, provider, dimensions, member, events
    FROM json_to_recordset($1::json) AS raised (account_id bigint, meter text, day date, provider text,
        dimensions text[], member text, events bigint)
    ORDER BY 1, 2, 3, 4, 5, 6
    ON CONFLICT (account_id, meter, day, provider, dimensions, member) DO UPDATE SET
        events = held.events + excluded.events
"""
_RAISE_UNMETERED: Final = """
    INSERT INTO rollup_unmetered AS held (account_id, meter, day, provider, code, events)
    SELECT account_id, meter, day, provider, code, events
    FROM json_to_recordset($1::json) AS raised (account_id bigint, meter text, day date, provider text,
        code text, events bigint)
    ORDER BY 1, 2, 3, 4, 5
    ON CONFLICT (account_id, meter, day, provider, code) DO UPDATE SET events = held.events + excluded.events
"""
_SWEEP: Final = (
    "DELETE FROM rollup WHERE events = 0 AND account_id = ANY($1::bigint[]) AND day = ANY($2::date[])",
    "DELETE FROM rollup_member WHERE events = 0 AND account_id = ANY($1::bigint[]) AND day = ANY($2::date[])",
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


class _Member(msgspec.Struct, gc=False):
    account_id: int
    meter: str
    day: date
    provider: str
    dimensions: Dimensions
    member: str
    events: int


class _Unmetered(msgspec.Struct, gc=False):
    account_id: int
    meter: str
    day: date
    provider: str
    code: str
    events: int


class PickCell:
    """Events of one rollup row of a MIN, MAX or LATEST: how many come or go, the pick of those that come, the keys of
    those that go."""

    __slots__ = ("events", "gone", "pick", "unmetered")

    def __init__(self) -> None:
        self.events = 0
        self.unmetered = 0
        self.pick: Pick | None = None
        self.gone: list[UUID] = []


class Increments:
    """What a set of events adds to the rollups, or takes away; summed exactly."""

    def __init__(self) -> None:
        self.rollups: dict[_Key, list[Any]] = {}
        self.picks: dict[_Key, PickCell] = {}
        self.members: dict[tuple[int, str, date, str, Dimensions, str], int] = {}
        self.unmetered: dict[tuple[int, str, date, str, str], int] = {}

    @property
    def days(self) -> set[tuple[int, date]]:
        """Every (account id, day) that something is added to."""
        return {(key[0], key[2]) for keys in (self.rollups, self.picks) for key in keys}

    def add_all(self, events: Iterable[Metering], sign: int = 1) -> None:
        rollups = self.rollups
        with localcontext(prec=_SUM_DIGITS):
            for account_id, day, provider, data, readings, time, event_key in events:
                fields: Data = data if isinstance(data, dict) else _NO_DATA
                for reading in readings:
                    if reading.admits is not None and not reading.admits(fields):
                        continue
                    dimensions = () if reading.dimensions is None else reading.dimensions(fields)
                    key = (account_id, reading.slug, day, provider, dimensions)
                    if reading.rank is not None:
                        self._add_pick(key, reading, fields, time, event_key, sign)
                        continue
                    cell = rollups.get(key)
                    if cell is None:
                        cell = rollups[key] = [0, 0, 0]
                    cell[0] += sign
                    if reading.value is None:
                        cell[1] += sign
                    else:
                        self._add_value(key, cell, reading.value(fields), sign)

    def _add_value(self, key: _Key, cell: list[Any], value: MeteredValue | int, sign: int) -> None:
        if isinstance(value, Decimal | int):
            cell[1] += value if sign > 0 else -value
        elif isinstance(value, str):
            member = (*key, value)
            self.members[member] = self.members.get(member, 0) + sign
        else:
            cell[2] += sign
            self._add_reason(key, value.code, sign)

    def _add_pick(self, key: _Key, reading: Reading, data: Data, time: datetime, event_key: UUID, sign: int) -> None:
        cell = self.picks.get(key)
        if cell is None:
            cell = self.picks[key] = PickCell()
        cell.events += sign
        value = None if reading.value is None else reading.value(data)
        if isinstance(value, Unmetered):
            cell.unmetered += sign
            self._add_reason(key, value.code, sign)
        elif sign < 0:
            cell.gone.append(event_key)
        elif reading.rank is not None and isinstance(value, Decimal | int):
            pick = Pick(reading.rank(value, time), event_key.bytes, value)
            cell.pick = pick if cell.pick is None else max(cell.pick, pick)

    def _add_reason(self, key: _Key, code: str, sign: int) -> None:
        reason = (*key[:4], code)
        self.unmetered[reason] = self.unmetered.get(reason, 0) + sign


async def raise_rollups(connection: "asyncpg.Connection[Any]", increments: Increments) -> None:
    """Add the increments to what is held, inside the caller's transaction."""
    if increments.rollups:
        rollups = [_Rollup(*key, *cell) for key, cell in increments.rollups.items()]
        await connection.execute(_RAISE_ROLLUPS, _ENCODER.encode(rollups).decode())
    if increments.picks:
        await _raise_picks(connection, increments.picks)
    if increments.members:
        members = [_Member(*key, events) for key, events in increments.members.items()]
        await connection.execute(_RAISE_MEMBERS, _ENCODER.encode(members).decode())
    if increments.unmetered:
        unmetered = [_Unmetered(*key, events) for key, events in increments.unmetered.items()]
        await connection.execute(_RAISE_UNMETERED, _ENCODER.encode(unmetered).decode())


async def lower_rollups(tx: Transaction, increments: Increments, readings: Mapping[str, Sequence[Reading]]) -> None:
    """Add increments that were made with sign -1, and remove the rows that nothing is behind any more.

    The events are gone from where they were kept already, and the archive is held. `readings` by event type are those
    that the increments were made by.
    """
    connection = await tx.driver()
    await raise_rollups(connection, increments)
    await _pick_anew(tx, increments, readings)
    days = increments.days
    for statement in _SWEEP:
        await connection.execute(statement, list({account for account, _ in days}), list({day for _, day in days}))


async def _raise_picks(connection: "asyncpg.Connection[Any]", cells: Mapping[_Key, PickCell]) -> None:
    rows = [
        _PickedRollup(*key, cell.events, cell.unmetered, None, None, None)
        if cell.pick is None
        else _PickedRollup(*key, cell.events, cell.unmetered, cell.pick.value, cell.pick.rank, cell.pick.event_key)
        for key, cell in cells.items()
    ]
    await connection.execute(_RAISE_PICKS, _ENCODER.encode(rows).decode())


async def _pick_anew(tx: Transaction, increments: Increments, readings: Mapping[str, Sequence[Reading]]) -> None:
    """Where the picked event goes, the next is found among the raw events that are left.

    Raising has locked these rows: what others have committed to them is seen here, and what they have not is merged
    into them later. No other row is written, so that no lock is taken out of order.
    """
    connection = await tx.driver()
    gone = [_Gone(*key, UUID(bytes=lost.bytes)) for key, cell in increments.picks.items() for lost in cell.gone]
    rows = await connection.fetch(_UNPICK, _ENCODER.encode(gone).decode()) if gone else []
    empty = {(row[0], row[1], row[2], row[3], tuple(row[4])) for row in rows}
    for account_id, day in sorted({(key[0], key[2]) for key in empty}):
        slugs = {key[1] for key in empty if (key[0], key[2]) == (account_id, day)}
        own = {kind: [one for one in each if one.slug in slugs] for kind, each in readings.items()}
        types = [kind for kind, each in own.items() if each]
        left = Increments()
        async for archived in archived_events(tx, Wanted([account_id], types, day, day)):
            left.add_all(
                (account_id, day, e.provider, _data(e.data), own[e.type], e.time, e.event_key) for e in archived
            )
        cursor = await connection.cursor(_EVENTS_OF_DAY, account_id, types, day)
        while events := await cursor.fetch(_CHUNK):
            left.add_all(
                (account_id, day, e["provider"], _data(e["data"]), own[e["type"]], e["time"], e["event_key"])
                for e in events
            )
        found = {key: cell for key, cell in left.picks.items() if key in empty}
        for cell in found.values():
            cell.events = cell.unmetered = 0
        if found:
            await _raise_picks(connection, found)


def _data(text: str | None) -> object:
    return None if text is None else decode(text)
