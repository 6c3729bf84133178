"""Pages of the events beneath a number, for an account with ten million of them: half in the database, half archived.

Stored events are made by SQL, archived ones are files that the product's own code writes and tells of; the catalog's
counts are written as it would have counted them. Measured are the first page, and pages at places drawn over the whole
history, each with its count, in the role that serves pages; beside them those of an account with a thousandth of it.
Run: `python -m benchmarks.event_pages [--quick] [--events N]`.
"""

import argparse
import asyncio
import random
import sys
import tempfile
import time
from datetime import UTC, date, datetime
from pathlib import Path
from uuid import UUID

import polars as pl
from sqlalchemy import text

from benchmarks.figures import Measured, figure
from valueplatform.commands.context import Databases, connect, upgrade_schema
from valueplatform.core.embedded import running
from valueplatform.core.periods import Period, months_between
from valueplatform.core.scope import grant_accounts, grant_all
from valueplatform.core.settings import Settings
from valueplatform.narrative.proof_events import _cursor, event_page
from valueplatform.sample.fieldnote import model_toml
from valueplatform.telemetry.archive_format import MOMENT, ORDER, bucket_of, events_frame, path_of
from valueplatform.telemetry.archive_store import ArchiveStore
from valueplatform.telemetry.archiving import keep_file, tell_file
from valueplatform.value.applying import apply_model
from valueplatform.value.model_file import read_model
from valueplatform.value.refreshing import read_record

FIRST, CUT, LAST = date(2024, 1, 1), date(2025, 7, 1), date(2027, 1, 1)
"""Up to the cut they are archived; there are as many before it as after it."""
KINDS = ("job.dispatched", "visit.completed")
METERS = ["jobs_dispatched", "visits"]
LARGE, SMALL = 1, 2
TARGET = 0.2
_ACCOUNT = text("""
    INSERT INTO account (key, name, timezone)
    SELECT 'account-' || n, 'Account ' || n, 'America/New_York' FROM generate_series(1, 2) n
""")
_EVENTS = text("""
    INSERT INTO event
    SELECT CAST(:account AS bigint), gen_random_uuid(), 'field', 'e' || n, (CAST(:kinds AS text[]))[1 + n % 2], moment,
           (moment AT TIME ZONE 'UTC')::date, NULL, 'supplier', CAST(:data AS jsonb), moment
    FROM generate_series(CAST(:begin AS bigint), CAST(:end AS bigint) - 1) n, LATERAL (
        SELECT CAST(:since AS timestamptz)
               + (CAST(:until AS timestamptz) - CAST(:since AS timestamptz)) * (n / CAST(:count AS double precision))
    ) placed (moment)
""")
_TALLIES = text("""
    INSERT INTO catalog_day (account_id, type, day, fresh, tally)
    SELECT account_id, type, utc_day, false, jsonb_build_object('events', count(*)) FROM event GROUP BY 1, 2, 3
""")
_TALLY = text("""
    INSERT INTO catalog_day (account_id, type, day, fresh, tally)
    VALUES (:account, :type, :day, false, jsonb_build_object('events', CAST(:events AS bigint)))
""")
_DATA = '{"jobs": 21, "minutes": 61, "visits": 12, "repeats": 1, "team": "team-3", "channel": "app"}'


def _moment(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


async def _store(databases: Databases, account: int, count: int) -> None:
    step = 500_000
    for begin in range(0, count, step):
        async with databases.ingest.transaction(grant_all()) as tx:
            given = {"account": account, "kinds": list(KINDS), "data": _DATA, "begin": begin, "count": count}
            given |= {"end": min(begin + step, count), "since": _moment(CUT), "until": _moment(LAST)}
            await tx.execute(_EVENTS, given)


def _archived(account: int, month: Period, count: int, draw: random.Random) -> pl.DataFrame:
    """One event of either kind as the archive has it, repeated with other keys and times."""
    begin, end = _moment(month.start), _moment(month.end)
    frames = []
    for kind in KINDS:
        row = [account, b"", "field", "a", kind, begin, None, "supplier", _DATA, begin]
        keys = [draw.getrandbits(128).to_bytes(16) for _ in range(count // 2)]
        moments = pl.datetime_range(begin, end, (end - begin) / len(keys), closed="left", eager=True)[: len(keys)]
        found = events_frame([row])[[0] * len(keys)]
        frames.append(found.with_columns(pl.Series("event_key", keys), moments.cast(MOMENT).alias("time")))
    return pl.concat(frames).sort(ORDER)


async def _archive(databases: Databases, place: Path, account: int, count: int) -> None:
    """In files of the months before the cut, as if they had been moved."""
    store = ArchiveStore.at(str(place))
    months = list(months_between(FIRST, CUT))
    draw = random.Random(account)
    async with databases.worker.transaction(grant_all()) as tx:
        root = text("INSERT INTO archive (root, hot_days) VALUES (:root, 400) ON CONFLICT DO NOTHING")
        await tx.execute(root, {"root": store.root})
        for month in months:
            frame = _archived(account, month, count // len(months), draw)
            path = path_of(month.start, bucket_of(account), UUID(int=draw.getrandbits(128)).hex)
            await asyncio.to_thread(keep_file, store, path, frame)
            await tell_file(tx, month.start, path, frame)
            for kind in KINDS:
                given = {"account": account, "type": kind, "day": month.start, "events": frame.height // 2}
                await tx.execute(_TALLY, given)


async def _page(databases: Databases, account: int, cursor: str | None) -> tuple[float, int]:
    async with databases.web.transaction(grant_accounts([account]), steady=True) as tx:
        record, _ = await read_record(tx, account)
        begun = time.perf_counter()
        page = await event_page(tx, account, record, METERS, (FIRST, LAST), cursor, shows_subjects=True)
        took = time.perf_counter() - begun
    assert page.sample
    return took, page.count


async def _measured(databases: Databases, account: int, times: int) -> dict[str, list[float]]:
    """Seconds of first pages, of pages in the database, and of pages in the archive."""
    draw = random.Random(5)
    found: dict[str, list[float]] = {"first page": [], "page deep in the database": [], "page deep in the archive": []}
    for _ in range(times):
        stored = _moment(CUT) + draw.uniform(0.05, 0.95) * (_moment(LAST) - _moment(CUT))
        archived = _moment(FIRST) + draw.uniform(0.05, 0.95) * (_moment(CUT) - _moment(FIRST))
        for name, moment in zip(found, (None, stored, archived), strict=True):
            cursor = None if moment is None else _cursor(moment, UUID(int=draw.getrandbits(128)))
            found[name].append((await _page(databases, account, cursor))[0])
    return found


async def main(*, events: int, times: int) -> None:
    with tempfile.TemporaryDirectory(prefix="vp-bench-") as folder, running(Path(folder) / "data") as server:
        databases = connect(Settings(None, Path(folder)), server.url)
        await upgrade_schema(databases)
        async with databases.worker.transaction(grant_all()) as tx:
            await apply_model(tx, read_model(model_toml(), "model.toml"))
            await tx.execute(_ACCOUNT)
        for account, count in ((LARGE, events), (SMALL, max(events // 1000, 1000))):
            begun = time.perf_counter()
            await _store(databases, account, count // 2)
            stored = time.perf_counter() - begun
            await _archive(databases, Path(folder) / "archive", account, count // 2)
            _say(f"{count} events: stored in {stored:.0f} s, archived in {time.perf_counter() - begun - stored:.0f} s")
        async with databases.admin.transaction(grant_all()) as tx:
            await tx.execute(_TALLIES)
            await tx.execute(text("ANALYZE"))
        await databases.admin.vacuum("event")  # as it happens by itself in time
        large, small = await _measured(databases, LARGE, times), await _measured(databases, SMALL, times)
        _say(f"counts: {(await _page(databases, LARGE, None))[1]}, {(await _page(databases, SMALL, None))[1]}")
        await databases.dispose()
    for name, took in large.items():
        own, beside = (sorted(each)[int(times * 0.95) - 1] for each in (took, small[name]))
        label = f"{name} of {events} events with its count, p95; of an account with a thousandth beside it"
        figure("events", label, Measured(own, beside), target=TARGET, unit="s", n=times)


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="200,000 events")
    parser.add_argument("--events", type=int, help="how many the large account has")
    parser.add_argument("--data", help="taken for the sake of one form; this benchmark makes its own data")
    asked = parser.parse_args()
    asyncio.run(main(events=asked.events or (200_000 if asked.quick else 10_000_000), times=20 if asked.quick else 60))
