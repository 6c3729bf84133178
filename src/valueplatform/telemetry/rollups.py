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

from valueplatform.telemetry.meter_book import Reading
from valueplatform.telemetry.meters import Data, MeteredValue

Dimensions = tuple[str | None, ...]
_Key = tuple[int, str, date, str, Dimensions]
_SUM_DIGITS: Final = 60  # 27 digits an event leave room for more events than there will ever be
_NO_DATA: Final[Data] = {}

_RAISE_ROLLUPS: Final = """
    INSERT INTO rollup AS held (account_id, meter, day, provider, dimensions, events, total, unmetered)
    SELECT account_id, meter, day, provider, dimensions::text[], events, total::numeric, unmetered
    FROM unnest($1::bigint[], $2::text[], $3::date[], $4::text[], $5::text[], $6::bigint[], $7::text[], $8::bigint[])
        AS raised (account_id, meter, day, provider, dimensions, events, total, unmetered)
    ORDER BY 1, 2, 3, 4, 5
    ON CONFLICT (account_id, meter, day, provider, dimensions) DO UPDATE SET
        events = held.events + excluded.events,
        total = held.total + excluded.total,
        unmetered = held.unmetered + excluded.unmetered
"""
_RAISE_MEMBERS: Final = """
    INSERT INTO rollup_member AS held (account_id, meter, day, provider, dimensions, member, events)
    SELECT account_id, meter, day, provider, dimensions::text[], member, events
    FROM unnest($1::bigint[], $2::text[], $3::date[], $4::text[], $5::text[], $6::text[], $7::bigint[])
        AS raised (account_id, meter, day, provider, dimensions, member, events)
    ORDER BY 1, 2, 3, 4, 5, 6
    ON CONFLICT (account_id, meter, day, provider, dimensions, member) DO UPDATE SET
        events = held.events + excluded.events
"""
_RAISE_UNMETERED: Final = """
    INSERT INTO rollup_unmetered AS held (account_id, meter, day, provider, code, events)
    SELECT * FROM unnest($1::bigint[], $2::text[], $3::date[], $4::text[], $5::text[], $6::bigint[])
        AS raised (account_id, meter, day, provider, code, events)
    ORDER BY 1, 2, 3, 4, 5
    ON CONFLICT (account_id, meter, day, provider, code) DO UPDATE SET events = held.events + excluded.events
"""
_SWEEP: Final = (
    "DELETE FROM rollup WHERE events = 0 AND account_id = ANY($1::bigint[]) AND day = ANY($2::date[])",
    "DELETE FROM rollup_member WHERE events = 0 AND account_id = ANY($1::bigint[]) AND day = ANY($2::date[])",
    "DELETE FROM rollup_unmetered WHERE events = 0 AND account_id = ANY($1::bigint[]) AND day = ANY($2::date[])",
)


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
        accounts, meters, days, providers, dimensions = zip(*increments.rollups, strict=True)
        events, totals, unmetered = zip(*increments.rollups.values(), strict=True)
        literals = [array_literal(values) for values in dimensions]
        texts = [str(total) for total in totals]  # the driver takes 1 us to write a Decimal in binary
        await connection.execute(_RAISE_ROLLUPS, accounts, meters, days, providers, literals, events, texts, unmetered)
    if increments.members:
        accounts, meters, days, providers, dimensions, members = zip(*increments.members, strict=True)
        literals = [array_literal(values) for values in dimensions]
        counts = list(increments.members.values())
        await connection.execute(_RAISE_MEMBERS, accounts, meters, days, providers, literals, members, counts)
    if increments.unmetered:
        columns = zip(*increments.unmetered, strict=True)
        await connection.execute(_RAISE_UNMETERED, *columns, list(increments.unmetered.values()))


async def lower_rollups(connection: "asyncpg.Connection[Any]", increments: Increments) -> None:
    """Add increments that were made with sign -1, and remove the rows that nothing is behind any more."""
    await raise_rollups(connection, increments)
    accounts = list({key[0] for key in increments.rollups})
    days = list({key[2] for key in increments.rollups})
    for statement in _SWEEP:
        await connection.execute(statement, accounts, days)


def array_literal(values: Dimensions) -> str:
    """The values as PostgreSQL's literal of text[]: arrays of arrays cannot be sent ragged."""
    return f"{{{','.join('NULL' if value is None else _quoted(value) for value in values)}}}"


def _quoted(value: str) -> str:
    if "\\" in value or '"' in value:
        value = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{value}"'
