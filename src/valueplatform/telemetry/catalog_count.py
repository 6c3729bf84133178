"""Counting the catalog, in the worker: what came in since, a bounded number of events a step, exact in the end.

What it has not looked at yet are rows of `catalog_due`. Ingest marks the days that it touches in the transaction of the
events; whoever takes the marks away hands them over in the same statement, and `note_marks` hands over those that wait
(before there is a model, nobody takes them). A look takes its stretch off the list first and reads after, so what is
stored meanwhile is looked at again. It counts a stretch from nothing, in as many steps as it needs, and only then takes
the place of what was counted before: nothing is ever added twice, and what was taken back is gone. One step is one
transaction; after a crash the next goes on where the last one that was committed ended.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

import asyncpg
import msgspec
import polars as pl
from sqlalchemy import text

from valueplatform.core.database import Transaction
from valueplatform.core.periods import ONE_DAY
from valueplatform.telemetry.archive_reads import Wanted, archived_parts, hold_archive
from valueplatform.telemetry.catalog import Tally
from valueplatform.telemetry.homes import homes_of
from valueplatform.telemetry.local_days import local_day_of, stay_of
from valueplatform.telemetry.marks import EVENT_CAUSES
from valueplatform.telemetry.payload import decode

BUDGET: Final = 10_000
"""Events a step, about."""
CHUNK: Final = 2_000
PROBE: Final = 10
"""What looking for events costs where there are none, in events."""
MARKS: Final = 1_000

# Any constant will do, as long as no other program in the same database uses it: the letters "vp catal".
_LOCK: Final = 0x7670_2063_6174_616C
_TRY_LOCK: Final = "SELECT pg_try_advisory_xact_lock($1)"
_NOTE: Final = text("""
    WITH noted AS (
        UPDATE changed_day SET noted = true WHERE (account_id, mark_id) IN (
            SELECT account_id, mark_id FROM changed_day
            WHERE NOT noted AND cause = ANY(CAST(:events AS text[])) LIMIT :most FOR UPDATE SKIP LOCKED
        ) RETURNING account_id, day, through
    )
    INSERT INTO catalog_due (account_id, day, through) SELECT DISTINCT account_id, day, through FROM noted
""")
_LOOK: Final = "SELECT account_id, first, through, type, day, event_key FROM catalog_look LIMIT 1"
# What waits of a month from the oldest on is looked at together.
_TAKE: Final = """
    WITH oldest AS (SELECT account_id, day, through FROM catalog_due ORDER BY due_id LIMIT 1)
    DELETE FROM catalog_due AS due USING oldest
    WHERE due.account_id = oldest.account_id AND due.day BETWEEN oldest.day AND oldest.day + 30
        AND due.through <= greatest(oldest.through, oldest.day + 30)
    RETURNING due.account_id, due.day, due.through
"""
_EVENTS: Final = """
    SELECT utc_day, event_key, time, data::text AS data FROM event
    WHERE account_id = $1 AND type = $2 AND utc_day <= $3 AND (utc_day, event_key) > ($4, $5)
        AND time <@ (SELECT $6::text::tstzmultirange)
    ORDER BY utc_day, event_key LIMIT $7
"""
_NEXT_TYPE: Final = """
    SELECT min(type) FROM (
        (SELECT type FROM event WHERE account_id = $1 AND type > $2 ORDER BY type LIMIT 1)
        UNION ALL SELECT min(type) FROM archived_slice WHERE account_id = $1 AND type > $2
    ) following
"""
_FRESH: Final = """
    SELECT day, tally::text AS tally FROM catalog_day
    WHERE account_id = $1 AND type = $2 AND day BETWEEN $3 AND $3 + 2 AND fresh
"""
_KEEP: Final = """
    INSERT INTO catalog_day (account_id, type, day, fresh, tally) VALUES ($1, $2, $3, true, $4)
    ON CONFLICT (account_id, type, day, fresh) DO UPDATE SET tally = excluded.tally
"""
_FORGET_LOOK: Final = "DELETE FROM catalog_look WHERE account_id = $1"
_KEEP_LOOK: Final = """
    INSERT INTO catalog_look (account_id, first, through, type, day, event_key) VALUES ($1, $2, $3, $4, $5, $6)
"""
_TOUCHED: Final = """
    SELECT DISTINCT type FROM catalog_day WHERE account_id = $1 AND (fresh OR day BETWEEN $2 AND $3)
"""
_DROP_OLD: Final = "DELETE FROM catalog_day WHERE account_id = $1 AND day BETWEEN $2 AND $3 AND NOT fresh"
_SWAP: Final = "UPDATE catalog_day SET fresh = false WHERE account_id = $1 AND fresh"
_DAYS: Final = """
    SELECT day, tally::text AS tally FROM catalog_day WHERE account_id = $1 AND type = $2 AND NOT fresh ORDER BY day
"""
_DROP_SUMS: Final = (
    "DELETE FROM catalog_type WHERE account_id = $1 AND type = $2",
    "DELETE FROM catalog_property WHERE account_id = $1 AND type = $2",
)
_SUM: Final = """
    INSERT INTO catalog_type (account_id, type, events, first_seen, last_seen, crowded)
    VALUES ($1, $2, $3, $4, $5, $6)
"""
_SUM_PROPERTY: Final = """
    INSERT INTO catalog_property (account_id, type, path, events, kinds, samples, first_day, last_day)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
"""
_ENCODER: Final = msgspec.json.Encoder(order="deterministic")
_DECODER: Final = msgspec.json.Decoder(Tally)
_BEFORE_ALL: Final = UUID(int=0)


class _Event(NamedTuple):
    """In the order in which they are looked at."""

    utc_day: date
    event_key: UUID
    time: datetime
    data: str | None


class _Look(msgspec.Struct):
    """A stretch of an account's days, and the last event of it that was counted: its type, its day in UTC, its key. No
    type: none yet."""

    account_id: int
    first: date
    through: date
    type: str
    day: date
    event_key: UUID


async def note_marks(tx: Transaction) -> int:
    """Hand over marks that nobody has taken yet; they stay for whoever takes them. How many stretches."""
    return await tx.execute(_NOTE, {"events": list(EVENT_CAUSES), "most": MARKS})


async def count_some(tx: Transaction, budget: int = BUDGET) -> bool:
    """One step, in the worker role; whether there may be more to do. One worker at a time counts, others pass by."""
    connection = await tx.driver()
    if not await connection.fetchval(_TRY_LOCK, _LOCK):
        return False
    await hold_archive(tx)
    touched: defaultdict[int, set[str]] = defaultdict(set)
    left = budget
    while left > 0 and (look := await _current(connection)) is not None:
        left = await _go_on(tx, look, left)
        if left > 0:
            touched[look.account_id].update(await _finish(connection, look))
    for account_id, types in sorted(touched.items()):
        for event_type in sorted(types):
            await _sum_up(connection, account_id, event_type)
    return left <= 0


async def _current(connection: "asyncpg.Connection[Any]") -> _Look | None:
    """The look that was begun, else the next."""
    row = await connection.fetchrow(_LOOK)
    if row is not None:
        return _Look(**row)
    taken = await connection.fetch(_TAKE)
    if not taken:
        return None
    first, through = min(row["day"] for row in taken), max(row["through"] for row in taken)
    return _Look(taken[0]["account_id"], first, through, "", _before(first), _BEFORE_ALL)


async def _go_on(tx: Transaction, look: _Look, budget: int) -> int:
    """Count on from where the look stands; what is left of the budget. None left: it is kept for the next step."""
    connection = await tx.driver()
    zone = (await homes_of(connection, [look.account_id]))[look.account_id].timezone
    tallies: dict[tuple[str, date], Tally] = {
        (look.type, row["day"]): _DECODER.decode(row["tally"])
        for row in await connection.fetch(_FRESH, look.account_id, look.type, _before(look.day))
    }
    left, whole = budget, False
    while left > 0 and not whole:
        asked = min(left, CHUNK)
        events = await _events(tx, look, zone, asked) if look.type else []
        for event in events:
            tally = tallies.setdefault((look.type, local_day_of(event.time, zone)), Tally())
            tally.add(event.time, None if event.data is None else decode(event.data))
        left -= max(len(events), PROBE)
        if len(events) == asked:
            look.day, look.event_key = events[-1].utc_day, events[-1].event_key
            continue
        following = await connection.fetchval(_NEXT_TYPE, look.account_id, look.type)
        if following is None:
            whole = True
        else:
            look.type, look.day, look.event_key = following, _before(look.first), _BEFORE_ALL
    await _keep(connection, look.account_id, tallies)
    if whole:
        return max(left, 1)  # a look that ends exactly with the budget has ended all the same
    await connection.execute(_FORGET_LOOK, look.account_id)
    await connection.execute(_KEEP_LOOK, *msgspec.structs.astuple(look))
    return 0


def _before(day: date) -> date:
    """The first day of UTC that can hold events of a local day."""
    return day - ONE_DAY if day > date.min else day


async def _events(tx: Transaction, look: _Look, zone: str, limit: int) -> list[_Event]:
    """The next events of the look's type, stored and archived, in order of their days in UTC and keys."""
    connection = await tx.driver()
    stay = stay_of(look.first, look.through, zone)
    place = look.account_id, look.type, stay.last, look.day, look.event_key, stay.moments
    found = [
        _Event(row["utc_day"], row["event_key"], row["time"], row["data"])
        for row in await connection.fetch(_EVENTS, *place, limit)
    ]
    first = max(look.first, _before(look.day))
    day, after = pl.col("utc_day"), pl.col("event_key") > look.event_key.bytes
    for part in await archived_parts(tx, Wanted([look.account_id], [look.type], first, look.through)):
        frame = await asyncio.to_thread(part.read, ("event_key", "time", "data"))
        dated = frame.with_columns(pl.col("time").dt.date().alias("utc_day"))
        rest = dated.filter((day > look.day) | ((day == look.day) & after)).sort("utc_day", "event_key").head(limit)
        found += [_Event(day, UUID(bytes=key), *each) for day, key, *each in rest.select(_Event._fields).iter_rows()]
    return sorted(found)[:limit]


async def _keep(connection: "asyncpg.Connection[Any]", account_id: int, tallies: dict[tuple[str, date], Tally]) -> None:
    rows = []
    for (event_type, day), tally in tallies.items():
        tally.trim()
        rows.append((account_id, event_type, day, _ENCODER.encode(tally).decode()))
    await connection.executemany(_KEEP, rows)


async def _finish(connection: "asyncpg.Connection[Any]", look: _Look) -> set[str]:
    """Put what was counted in the place of what was before; the types that either has."""
    stretch = look.account_id, look.first, look.through
    types = {row["type"] for row in await connection.fetch(_TOUCHED, *stretch)}
    await connection.execute(_DROP_OLD, *stretch)
    await connection.execute(_SWAP, look.account_id)
    await connection.execute(_FORGET_LOOK, look.account_id)
    return types


async def _sum_up(connection: "asyncpg.Connection[Any]", account_id: int, event_type: str) -> None:
    """The account's days of a type together; nothing where it has no such event any more."""
    for statement in _DROP_SUMS:
        await connection.execute(statement, account_id, event_type)
    whole = Tally()
    spans: dict[str, tuple[date, date]] = {}
    for row in await connection.fetch(_DAYS, account_id, event_type):
        tally, day = _DECODER.decode(row["tally"]), row["day"]
        whole.merge(tally)
        for path in tally.properties:
            spans[path] = spans.get(path, (day, day))[0], day
    if not whole.events:
        return
    await connection.execute(_SUM, account_id, event_type, whole.events, whole.first, whole.last, whole.crowded)
    await connection.executemany(_SUM_PROPERTY, _properties(account_id, event_type, whole, spans))


def _properties(
    account_id: int, event_type: str, whole: Tally, spans: dict[str, tuple[date, date]]
) -> Iterable[tuple[object, ...]]:
    for path, seen in sorted(whole.properties.items()):
        samples = None if seen.samples is None else sorted(seen.samples)
        yield account_id, event_type, path, seen.events, sorted(seen.kinds), samples, *spans[path]
