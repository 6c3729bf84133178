"""Moving events out of the database into the archive, and keeping it in order.

A file is written and durable first; then, in one transaction, its events are deleted and its slices told. A crash in
between leaves a file that no slice names, which the next run sweeps away. Keys stay in `event_key`, so what is archived
is deduplicated as before. Files are never changed: one whose events were retracted is written anew without them, and
so are small files of one place together.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from uuid import uuid4

import polars as pl
from sqlalchemy import Row, text

from valueplatform.core.database import Database, Transaction
from valueplatform.core.errors import ConflictError, InvalidInputError
from valueplatform.core.scope import Scope
from valueplatform.telemetry.archive_format import (
    BUCKETS,
    SCHEMA,
    bucket_of,
    events_frame,
    parquet,
    path_of,
)
from valueplatform.telemetry.archive_reads import ARCHIVE_LOCK
from valueplatform.telemetry.archive_store import ArchiveStore

HOT: Final = timedelta(days=400)
"""How long events stay in the database, unless another time is asked for: a year and what it is compared with."""
LEAST_HOT: Final = timedelta(days=1)
MOST_IN_FILE: Final = 200_000
"""Events moved in one transaction."""
SMALL: Final = 20_000
"""Files with fewer events are written together once there are several of one month and bucket."""
EVERY: Final = timedelta(days=1)
GRACE: Final = timedelta(hours=24)
"""Files that nothing names any more are kept for so long, for reads that began before."""

# One run at a time: the letters "vp arrun".
_RUN_LOCK: Final = 0x7670_2061_7272_756E
_TRY_RUN: Final = text("SELECT pg_try_advisory_lock(:lock)")
_END_RUN: Final = text("SELECT pg_advisory_unlock(:lock)")
_HOLD: Final = text("SELECT pg_advisory_xact_lock(:lock)")
_ROOT: Final = text("SELECT root FROM archive")
_FOUND: Final = text("INSERT INTO archive (root, hot_days) VALUES (:root, :hot)")
_RAN: Final = text("UPDATE archive SET hot_days = :hot, ran_at = :now")
_DUE: Final = text("SELECT hot_days FROM archive WHERE ran_at IS NULL OR ran_at < :before")
_MOVED: Final = text("UPDATE archive SET root = :root")
_OLD: Final = text("""
    SELECT date_trunc('month', time AT TIME ZONE 'UTC')::date AS month, array_agg(DISTINCT account_id) AS accounts,
           array_agg(DISTINCT type) AS types
    FROM event WHERE time < :before GROUP BY 1, account_id % :buckets ORDER BY 1, account_id % :buckets
""")
_EVENTS: Final = f"""
    SELECT {", ".join(f"{name}::text" if name == "data" else name for name in SCHEMA)}, utc_day FROM event
    WHERE account_id = ANY($1::bigint[]) AND type = ANY($2::text[]) AND utc_day BETWEEN $3 AND $4
    ORDER BY account_id, type, utc_day, event_key LIMIT $5
"""  # noqa: S608 - names of our own columns
_DELETE: Final = """
    DELETE FROM event USING unnest($1::bigint[], $2::text[], $3::date[], $4::uuid[])
        AS moved (account_id, type, utc_day, event_key)
    WHERE event.account_id = moved.account_id AND event.type = moved.type AND event.utc_day = moved.utc_day
        AND event.event_key = moved.event_key
"""
_TELL: Final = text("""
    INSERT INTO archived_slice (account_id, month, type, path, events, first_time, last_time)
    VALUES (:account_id, :month, :type, :path, :events, :first_time, :last_time)
""")
_FILES: Final = text("""
    SELECT s.path, s.month, sum(s.events)::bigint AS events, min(s.account_id) AS account,
           (SELECT count(*) FROM archived_retraction r WHERE r.path = s.path) AS retracted
    FROM archived_slice s GROUP BY s.path, s.month ORDER BY s.month, s.path
""")
_RETRACTED: Final = text("SELECT event_key FROM archived_retraction WHERE path = ANY(:paths)")
_FORGET: Final = (
    text("DELETE FROM archived_slice WHERE path = ANY(:paths)"),
    text("DELETE FROM archived_retraction WHERE path = ANY(:paths)"),
)
_NAMED: Final = text("SELECT DISTINCT path FROM archived_slice")

_LEFT: Final = text("""
    INSERT INTO archive_leftover (path, since) SELECT unnest(CAST(:paths AS text[])), :now ON CONFLICT DO NOTHING
""")
_LEFTOVERS: Final = text("SELECT path, since FROM archive_leftover")
_SWEPT: Final = text("DELETE FROM archive_leftover WHERE path = ANY(:paths)")
_TRIES: Final = 3

Told = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Archived:
    """What one run did, in events, files and bytes."""

    root: str
    before: datetime
    events: int
    files: int
    bytes: int
    rewritten: int
    swept: int


@dataclass(frozen=True, slots=True)
class _Ledger:
    """The database that keeps the books of the archive, in the scope of all accounts."""

    database: Database
    scope: Scope

    def opened(self) -> AbstractAsyncContextManager[Transaction]:
        return self.database.transaction(self.scope)


class _ChangedMeanwhileError(Exception):
    """Fewer events could be deleted than were written: the transaction is rolled back, the file left to the sweep."""


@dataclass(frozen=True, slots=True)
class _Kept:
    path: str
    month: date
    bucket: int
    events: int
    retracted: int


async def archive_events(
    database: Database,
    scope: Scope,
    place: str | None,
    before: datetime,
    now: datetime,
    told: Told = lambda _events: None,
) -> Archived:
    """Move the events of all months (UTC) that end before a moment, then put the archive in order (worker role).

    `place` names the archive the first time; later it may be left out, and no other may be given. `told` hears of
    events as they go. Interrupted, it goes on where it was. From then on the worker does the same each day.

    Raises ConflictError where another run is at work or the archive is elsewhere, InvalidInputError for no place at all
    or a hot period of less than a day, UnavailableError where the place cannot be written.
    """
    if before > now - LEAST_HOT:
        raise InvalidInputError("Events of the last day stay in the database; ask for a longer hot period.")
    ledger = _Ledger(database, scope)
    hot = (now - before).days
    async with ledger.opened() as outer:
        if not await outer.scalar(_TRY_RUN, {"lock": _RUN_LOCK}):
            raise ConflictError("Events are being archived already; wait for the end of that run.")
        try:
            store = await _store(ledger, place, hot)
            events, files, size = await _move(ledger, store, before, told)
            rewritten = await _put_in_order(ledger, store, now)
            swept = await _sweep(ledger, store, now)
            async with ledger.opened() as tx:
                await tx.execute(_RAN, {"hot": hot, "now": now})
        finally:
            await outer.scalar(_END_RUN, {"lock": _RUN_LOCK})
    return Archived(store.root, before, events, files, size, rewritten, swept)


async def due_archiving(tx: Transaction, now: datetime) -> timedelta | None:
    """How long events stay in the database, where there is an archive and events were not moved for a day."""
    days = await tx.scalar(_DUE, {"before": now - EVERY})
    return None if days is None else timedelta(days=int(days))


async def relocate(database: Database, scope: Scope, place: str) -> ArchiveStore:
    """Tell that the files of the archive stand elsewhere now; every named file must be there.

    Raises ConflictError where one is not, or nothing was ever archived.
    """
    store = ArchiveStore.at(place)
    async with database.transaction(scope) as tx:
        await hold_moves(tx)
        there = {file.path for file in await asyncio.to_thread(store.files)}
        missing = sorted({row.path for row in await tx.rows(_NAMED)} - there)
        if missing:
            raise ConflictError(
                f"{len(missing)} files of the archive are not at {store.root}, {missing[0]} among them; "
                "copy them there first."
            )
        if not await tx.execute(_MOVED, {"root": store.root}):
            raise ConflictError("Nothing has been archived yet; name the place with the first `valueplatform archive`.")
    return store


async def _store(ledger: _Ledger, place: str | None, hot: int) -> ArchiveStore:
    async with ledger.opened() as tx:
        held = await tx.scalar(_ROOT)
        if held is None:
            if place is None:
                raise InvalidInputError(
                    "Name the place of the archive with --to: a folder, or an address such as s3://…."
                )
            store = ArchiveStore.at(place)
            await tx.execute(_FOUND, {"root": store.root, "hot": hot})
            return store
    if place is not None and ArchiveStore.at(place).root != held:
        raise ConflictError(f"The archive is at {held}; move its files, then say so with --moved-to.")
    return ArchiveStore(str(held))


async def _move(ledger: _Ledger, store: ArchiveStore, before: datetime, told: Told) -> tuple[int, int, int]:
    """Events, files and bytes."""
    async with ledger.opened() as tx:
        old = await tx.rows(_OLD, {"before": _month_of(before), "buckets": BUCKETS})
    events = files = size = 0
    for row in old:
        while moved := await _move_steadily(ledger, store, row):
            events, files, size = events + moved[0], files + 1, size + moved[1]
            told(moved[0])
            if moved[0] < MOST_IN_FILE:
                break
    return events, files, size


async def _move_steadily(ledger: _Ledger, store: ArchiveStore, group: Row[Any]) -> tuple[int, int] | None:
    """`_move_some`, again where events were retracted meanwhile."""
    for _ in range(_TRIES):
        try:
            return await _move_some(ledger, store, group)
        except _ChangedMeanwhileError:
            continue
    raise ConflictError("Events keep changing while they are archived; run the command again at a quieter time.")


async def _move_some(ledger: _Ledger, store: ArchiveStore, group: Row[Any]) -> tuple[int, int] | None:
    """One file of the events of a month, of accounts of one bucket, by number and bytes; None where none are left."""
    month = group.month
    end = (month + timedelta(days=31)).replace(day=1)
    days = (month, end - timedelta(days=1))
    async with ledger.opened() as tx:
        connection = await tx.driver()
        rows = await connection.fetch(_EVENTS, group.accounts, group.types, *days, MOST_IN_FILE)
        if not rows:
            return None
        path = path_of(month, bucket_of(group.accounts[0]), uuid4().hex)
        frame, size = await asyncio.to_thread(_write, store, path, rows)
        await hold_moves(tx)
        keys = ([row[name] for row in rows] for name in ("account_id", "type", "utc_day", "event_key"))
        done = await connection.execute(_DELETE, *keys)
        if int(done.rpartition(" ")[2]) != len(rows):
            raise _ChangedMeanwhileError
        await tell_file(tx, month, path, frame)
    return len(rows), size


def _write(store: ArchiveStore, path: str, rows: Sequence[Any]) -> tuple[pl.DataFrame, int]:
    frame = events_frame([(account, key.bytes, *rest) for account, key, *rest, _day in map(tuple, rows)])
    return frame, keep_file(store, path, frame)


def keep_file(store: ArchiveStore, path: str, frame: pl.DataFrame) -> int:
    """Write a file and read it back: the database lets go of events only when the archive has them. Its size."""
    content = parquet(frame)
    store.put(path, content)
    if not store.read(path).equals(frame):
        raise ConflictError(f"{store.address(path)} does not hold what was written to it; check that place.")
    return len(content)


async def forget_files(tx: Transaction, paths: Sequence[str]) -> None:
    """Nothing is read of these files any more."""
    for statement in _FORGET:
        await tx.execute(statement, {"paths": list(paths)})


async def retracted_in(tx: Transaction, paths: Sequence[str]) -> list[bytes]:
    """The keys of events of any account that these files hold though they were retracted."""
    return [row.event_key.bytes for row in await tx.rows(_RETRACTED, {"paths": list(paths)})]


async def hold_moves(tx: Transaction) -> None:
    """Keep all others from moving, retracting or rewriting archived events; who reads them without a snapshot ends."""
    await tx.execute(_HOLD, {"lock": ARCHIVE_LOCK})


async def tell_file(tx: Transaction, month: date, path: str, frame: pl.DataFrame) -> None:
    slices = frame.group_by("account_id", "type", maintain_order=True).agg(
        pl.len().alias("events"), pl.col("time").min().alias("first_time"), pl.col("time").max().alias("last_time")
    )
    await tx.execute(_TELL, [{"month": month, "path": path, **row} for row in slices.to_dicts()])


async def _put_in_order(ledger: _Ledger, store: ArchiveStore, now: datetime) -> int:
    """Files with retracted events, and small ones of one place, are written anew; how many there were."""
    async with ledger.opened() as tx:
        files = [
            _Kept(row.path, row.month, bucket_of(row.account), row.events, row.retracted)
            for row in await tx.rows(_FILES)
        ]
    rewritten = 0
    for group in _groups(files):
        async with ledger.opened() as tx:
            await _rewrite(tx, store, group)
            await tx.execute(_LEFT, {"paths": [file.path for file in group], "now": now})
        rewritten += len(group)
    return rewritten


def _groups(files: Sequence[_Kept]) -> Iterator[Sequence[_Kept]]:
    small: dict[tuple[date, int], list[_Kept]] = {}
    for file in files:
        if file.events < SMALL:
            small.setdefault((file.month, file.bucket), []).append(file)
        elif file.retracted:
            yield [file]
    for group in small.values():
        if len(group) > 1 or group[0].retracted:
            yield group


async def _rewrite(tx: Transaction, store: ArchiveStore, group: Sequence[_Kept]) -> None:
    """Retractions wait meanwhile, so that none is lost."""
    await hold_moves(tx)
    paths = [file.path for file in group]
    gone = await retracted_in(tx, paths)
    path = path_of(group[0].month, group[0].bucket, uuid4().hex)
    frame = await asyncio.to_thread(_joined, store, paths, gone)
    await forget_files(tx, paths)
    if frame.height:
        await asyncio.to_thread(keep_file, store, path, frame)
        await tell_file(tx, group[0].month, path, frame)


def _joined(store: ArchiveStore, paths: Sequence[str], gone: Sequence[bytes]) -> pl.DataFrame:
    frames = [store.read(path, list(SCHEMA)) for path in paths]
    left = pl.concat(frames).filter(~pl.col("event_key").is_in(list(gone)))
    return events_frame(left.iter_rows())


async def _sweep(ledger: _Ledger, store: ArchiveStore, now: datetime) -> int:
    """Delete the files that nothing has named for a day, left by rewriting or by a crash; how many."""
    files = await asyncio.to_thread(store.files)
    async with ledger.opened() as tx:
        named = {row.path for row in await tx.rows(_NAMED)}
        since = {row.path: row.since for row in await tx.rows(_LEFTOVERS)}
    left = [
        file.path for file in files if file.path not in named and since.get(file.path, file.written_at) < now - GRACE
    ]
    await asyncio.to_thread(store.delete, left)
    async with ledger.opened() as tx:
        await tx.execute(_SWEPT, {"paths": left})
    return len(left)


def _month_of(moment: datetime) -> datetime:
    """When its month began (UTC)."""
    return moment.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
