"""Events for the independent path, stored and archived: whole events, by a reader of its own.

Only the files are shared with what first read them. Numbers are taken from the JSON text of `data`, never from the
columns beside it; the day is left to the caller.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import polars as pl
from sqlalchemy import text

from valueplatform.core.database import Transaction
from valueplatform.core.errors import UnavailableError

_EVENTS = text("""
    SELECT time, event_key, type, provider, data::text AS data FROM event
    WHERE account_id = :account AND type = ANY(:types) AND utc_day >= :start AND utc_day < :end
""")
_FILES = text("""
    SELECT DISTINCT a.root || '/' || s.path AS address, s.path FROM archived_slice s CROSS JOIN archive a
    WHERE s.account_id = :account AND (CAST(:types AS text[]) IS NULL OR s.type = ANY(:types))
      AND s.last_time >= :begin AND s.first_time < :end
    ORDER BY address
""")
_GONE = text("SELECT event_key FROM archived_retraction WHERE account_id = :account")
_SLICES = text("""
    SELECT a.root || '/' || s.path AS address, s.account_id, s.type, s.events
    FROM archived_slice s CROSS JOIN archive a ORDER BY 1, 2, 3
""")
_UNKEYED = """
    SELECT count(*) FROM unnest($1::uuid[], $2::bigint[]) AS held (event_key, account_id)
    WHERE NOT EXISTS (SELECT 1 FROM event_key k WHERE k.event_key = held.event_key AND k.account_id = held.account_id)
"""
_AT_ONCE = 50_000


class KeptEvent(NamedTuple):
    """An archived event, with what a proof looks at."""

    time: datetime
    event_key: UUID
    type: str
    provider: str
    data: str | None
    source: str


def widened(start: date, end: date) -> tuple[date, date]:
    """Two days more at each end, as far as the calendar goes."""
    return start - timedelta(days=min(2, (start - date.min).days)), end + timedelta(days=min(2, (date.max - end).days))


async def raw_events(tx: Transaction, where: Mapping[str, Any]) -> AsyncIterator[Any]:
    """Those of the database, then those of the archive, in a steady transaction."""
    async for row in await tx.connection.stream(_EVENTS, where):
        yield row
    async for kept in kept_events(tx, where["account"], where["types"], where["start"], where["end"]):
        yield kept


async def kept_events(
    tx: Transaction, account_id: int, types: Sequence[str] | None, start: date, end: date
) -> AsyncIterator[KeptEvent]:
    """Events of one account (of all types, if None) from `start` to before `end`, days of UTC, without those retracted.

    Raises UnavailableError for a file that cannot be read.
    """
    begin, until = (datetime.combine(day, time(), UTC) for day in (start, end))
    where = {"account": account_id, "types": types if types is None else list(types), "begin": begin, "end": until}
    files = await tx.rows(_FILES, where)
    gone = {row.event_key.bytes for row in await tx.rows(_GONE, {"account": account_id})} if files else set()
    for file in files:
        for time_, key, *rest in await asyncio.to_thread(_read, file.address, account_id, types, begin, until):
            if key not in gone:
                yield KeptEvent(time_, UUID(bytes=key), *rest)


async def check_files(tx: Transaction) -> Sequence[tuple[str, str, str]]:
    """Whether every file holds what is told of it, and every archived event has its key (ingest role).

    What does not: place, what is stated, what is found.
    """
    stated: dict[str, dict[tuple[int, str], int]] = {}
    for row in await tx.rows(_SLICES):
        stated.setdefault(row.address, {})[row.account_id, row.type] = row.events
    found = []
    connection = await tx.driver()
    for address, slices in stated.items():
        try:
            held = await asyncio.to_thread(pl.read_parquet, address, columns=["account_id", "type", "event_key"])
        except (OSError, pl.exceptions.PolarsError) as error:
            found.append((f"archived file {address}", f"{sum(slices.values())} events", f"unreadable: {error}"))
            continue
        counted = {(account, kind): count for account, kind, count in held.group_by("account_id", "type").len().rows()}
        if counted != slices:
            found.append((f"archived file {address}", f"{sum(slices.values())} events", f"{held.height} events"))
        for chunk in held.iter_slices(_AT_ONCE):
            keys = [UUID(bytes=key) for key in chunk["event_key"]]
            unkeyed = await connection.fetchval(_UNKEYED, keys, chunk["account_id"].to_list())
            if unkeyed:
                found.append((f"archived file {address}", "every event has its key", f"{unkeyed} have none"))
    return found


def _read(
    address: str, account_id: int, types: Sequence[str] | None, begin: datetime, end: datetime
) -> Iterator[tuple[Any, ...]]:
    condition = (pl.col("account_id") == account_id) & pl.col("time").is_between(begin, end, closed="left")
    if types is not None:
        condition &= pl.col("type").is_in(list(types))
    try:
        scan = pl.scan_parquet(address, hive_partitioning=False).filter(condition)
        return scan.select("time", "event_key", *KeptEvent._fields[2:]).collect().iter_rows()
    except (OSError, pl.exceptions.PolarsError) as error:
        raise UnavailableError(
            f"The archived file {address} cannot be read: {error}. Nothing can be proved without it.", retry_after=30
        ) from error
