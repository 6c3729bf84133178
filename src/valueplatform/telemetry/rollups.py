"""Daily rollups: what events add to them, and taking it away again.

A rollup row counts `events` of a meter on an account's local day, by event provider and dimension values; `total` is
their sum, `unmetered` those of them that had nothing to meter (why: `rollup_unmetered`). UNIQUE_COUNT keeps its
members as rows, with the number of events behind each, since daily counts never add.
Rows are written sorted by key, table by table, so that any number of writers cannot deadlock.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal, localcontext
from typing import Any, Final

import asyncpg
import msgspec

from valueplatform.telemetry.meter_book import Reading
from valueplatform.telemetry.meters import Data, MeteredValue

Dimensions = tuple[str | None, ...]
_Key = tuple[int, str, date, str, Dimensions]
_SUM_DIGITS: Final = 60  # 27 digits an event leave room for more events than there will ever be
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


class Increments:
    """What a set of events adds to the rollups, or takes away; summed exactly."""

    def __init__(self) -> None:
        self.rollups: dict[_Key, list[Any]] = {}
        self.members: dict[tuple[int, str, date, str, Dimensions, str], int] = {}
        self.unmetered: dict[tuple[int, str, date, str, str], int] = {}

    def add_all(self, events: Iterable[tuple[int, date, str, object, Sequence[Reading]]], sign: int = 1) -> None:
        """Meter events given as (account id, local day, provider, data, readings of their type)."""
        rollups = self.rollups
        with localcontext(prec=_SUM_DIGITS):
            for account_id, day, provider, data, readings in events:
                fields: Data = data if isinstance(data, dict) else _NO_DATA
                for reading in readings:
                    if reading.admits is not None and not reading.admits(fields):
                        continue
                    dimensions = () if reading.dimensions is None else reading.dimensions(fields)
                    key = (account_id, reading.slug, day, provider, dimensions)
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
            reason = (*key[:4], value.code)
            self.unmetered[reason] = self.unmetered.get(reason, 0) + sign


async def raise_rollups(connection: "asyncpg.Connection[Any]", increments: Increments) -> None:
    """Add the increments to what is held, inside the caller's transaction."""
    if increments.rollups:
        rollups = [_Rollup(*key, *cell) for key, cell in increments.rollups.items()]
        await connection.execute(_RAISE_ROLLUPS, _ENCODER.encode(rollups).decode())
    if increments.members:
        members = [_Member(*key, events) for key, events in increments.members.items()]
        await connection.execute(_RAISE_MEMBERS, _ENCODER.encode(members).decode())
    if increments.unmetered:
        unmetered = [_Unmetered(*key, events) for key, events in increments.unmetered.items()]
        await connection.execute(_RAISE_UNMETERED, _ENCODER.encode(unmetered).decode())


async def lower_rollups(connection: "asyncpg.Connection[Any]", increments: Increments) -> None:
    """Add increments that were made with sign -1, and remove the rows that nothing is behind any more."""
    await raise_rollups(connection, increments)
    accounts = list({key[0] for key in increments.rollups})
    days = list({key[2] for key in increments.rollups})
    for statement in _SWEEP:
        await connection.execute(statement, accounts, days)
