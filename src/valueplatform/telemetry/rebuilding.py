"""Rollups from raw events anew: for meters that are new or have changed, and for accounts whose zone has."""

from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import date
from typing import Any, Final

import asyncpg

from valueplatform.core.database import Transaction
from valueplatform.telemetry.admission import local_day_of
from valueplatform.telemetry.intake_sums import recount
from valueplatform.telemetry.marks import Stretch, mark_days
from valueplatform.telemetry.meter_book import NO_MODEL, book_in_force, readings_by_type
from valueplatform.telemetry.meters import Meter
from valueplatform.telemetry.payload import decode
from valueplatform.telemetry.rollups import Increments, raise_rollups

CHUNK: Final = 20_000  # events at a time, so that memory does not grow with history

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
    await clear_rollups(tx, [meter.slug for meter in meters], accounts)
    connection = await tx.driver()
    readings = readings_by_type(meters)
    days: dict[int, tuple[date, date]] = {}
    async for rows in _chunks(connection, _EVENTS, list(readings), accounts):
        increments = Increments()
        increments.add_all(
            (r["account_id"], r["day"], r["provider"], _data(r["data"]), readings[r["type"]], r["time"], r["event_key"])
            for r in rows
        )
        await raise_rollups(connection, increments)
        for account_id, day in increments.days:
            first, last = days.get(account_id, (day, day))
            days[account_id] = min(first, day), max(last, day)
    return [Stretch(account_id, first, last) for account_id, (first, last) in sorted(days.items())]


async def clear_rollups(tx: Transaction, slugs: Sequence[str], account_ids: Sequence[int] | None = None) -> None:
    """Remove all rollups of the meters with these slugs."""
    connection = await tx.driver()
    for statement in _CLEAR:
        await connection.execute(statement, list(slugs), account_ids)


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


async def redate_events(tx: Transaction, account_ids: Iterable[int]) -> list[Stretch]:
    """Bring events to the local days of their accounts' present zones, under the exclusive model lock.

    Returns the days concerned, old and new. The rollups of these accounts must be rebuilt after it.
    """
    connection = await tx.driver()
    days: dict[int, tuple[date, date]] = {}
    moves: list[tuple[object, ...]] = []
    async for rows in _chunks(connection, _DATED, sorted(account_ids)):
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


def _data(text: str | None) -> object:
    return None if text is None else decode(text)


async def _chunks(
    connection: "asyncpg.Connection[Any]", query: str, *arguments: object
) -> AsyncIterator[list["asyncpg.Record"]]:
    cursor = await connection.cursor(query, *arguments)
    while rows := await cursor.fetch(CHUNK):
        yield rows
