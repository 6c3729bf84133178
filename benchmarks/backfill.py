"""P9: a new meter over all of an archived history, beside a plain Polars group-by of the same files; and what an event
takes up in the database, in the archive, and as a key. Run: `python -m benchmarks.backfill [--quick]`.

Events are archived the way `archive` does it, their room given back. The meter is put in force the way `model apply`
does it: counted from the archive, its rollups written and committed, a revision made. The plain group-by reads the
columns that it needs, sums exact decimals by account, day (UTC), provider and team, and writes nothing.
"""

import argparse
import asyncio
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
from sqlalchemy import text

from benchmarks.figures import Measured, figure
from valueplatform.commands.context import Databases, connect, upgrade_schema
from valueplatform.core.authorization import operator_scope
from valueplatform.core.embedded import running
from valueplatform.core.settings import Settings
from valueplatform.telemetry.archiving import archive_events
from valueplatform.telemetry.storage import storage
from valueplatform.value.applying import apply_counted
from valueplatform.value.model_file import read_model

NOW = datetime(2026, 6, 2, tzinfo=UTC)
BEFORE = datetime(2026, 6, 1, tzinfo=UTC)
ACCOUNTS = 200
ZONES = ("America/New_York", "Europe/Berlin", "Asia/Kolkata", "UTC", "America/Sao_Paulo", "Asia/Tokyo")
MODEL = """
supplier = { name = "Benchmark", currency = "USD", timezone = "UTC" }

[[meter]]
slug = "minutes"
event = "job.done"
aggregation = "SUM"
property = "minutes"
dimensions = ["team"]
filter = "channel <> 'test'"
"""
# Two years of events, by the thousand of a second evenly; a tenth are of a type that the meter does not read.
_EVENTS = text("""
    INSERT INTO event (account_id, event_key, source, id, type, time, utc_day, subject, provider, data, received_at)
    SELECT account_id, key, 'bench', id, type, time, (time AT TIME ZONE 'UTC')::date, 'user-' || n % 977, 'supplier',
           jsonb_build_object('minutes', round((n * 7919 % 100000)::numeric / 100, 2), 'team', 'team-' || n / 200 % 2,
                              'channel', CASE WHEN n % 50 = 0 THEN 'test' ELSE 'app' END, 'job', 'job-' || n), time
    FROM (
        SELECT n, md5(n::text)::uuid AS key, md5('id' || n) AS id,
               CASE WHEN n % 10 = 0 THEN 'job.opened' ELSE 'job.done' END AS type,
               TIMESTAMPTZ '2024-05-01 00:00Z'
                   + (n::float8 / CAST(:last AS bigint) * 730 * 86400) * INTERVAL '1 second' AS time,
               n % CAST(:accounts AS bigint) AS place
        FROM generate_series(CAST(:first AS bigint), CAST(:until AS bigint)) AS n
    ) made JOIN (SELECT row_number() OVER (ORDER BY account_id) - 1 AS place, account_id
                 FROM account WHERE account_id > 0) a USING (place)
""")
_KEYS = text(
    "INSERT INTO event_key (event_key, body_hash, account_id) SELECT event_key, event_key, account_id FROM event"
)
_ACCOUNT = text("INSERT INTO account (key, name, timezone) VALUES (:key, :key, :zone)")
_AT_ONCE = 1_000_000


async def main(*, quick: bool) -> None:
    events = 500_000 if quick else 10_000_000
    with tempfile.TemporaryDirectory(prefix="vp-bench-") as folder, running(Path(folder) / "data") as server:
        databases = connect(Settings(None, Path(folder)), server.url)
        try:
            await upgrade_schema(databases)
            await _measure(databases, Path(folder) / "archive", events)
        finally:
            await databases.dispose()


async def _measure(databases: Databases, place: Path, events: int) -> None:
    await _fill(databases, events)
    async with databases.ingest.transaction(operator_scope(), steady=True) as tx:
        before = await storage(tx)
    began = time.perf_counter()
    moved = await archive_events(databases.worker, operator_scope(), str(place), BEFORE, NOW)
    await databases.admin.vacuum("event")
    archiving = time.perf_counter() - began
    assert moved.events == events
    async with databases.ingest.transaction(operator_scope(), steady=True) as tx:
        after = await storage(tx)
    plain = min([await asyncio.to_thread(_plainly, place) for _ in range(2)])
    began = time.perf_counter()
    model = read_model(MODEL, "model.toml")
    await apply_counted(databases.worker, operator_scope(), model, lambda *_: None, databases.ingest)
    taken = time.perf_counter() - began
    await _check(databases, place)
    name = (
        f"back-fill of a new meter, {events / taken:,.0f} events/s, over plain Polars, {events / plain:,.0f} events/s"
    )
    figure("P9", name, Measured(plain / taken, plain), target=0.6, unit="ratio", n=events)
    hot, archived, key = before.hot.each or 0, after.archived.each or 0, after.keys.each or 0
    figure("P9", "bytes an event takes up in the database", Measured(hot, hot), target=hot, unit="bytes", n=events)
    figure("P9", "bytes an archived event takes up", Measured(archived, hot), target=hot, unit="bytes", n=events)
    figure("P9", "bytes that a key takes up, for ever", Measured(key, hot), target=hot, unit="bytes", n=events)
    rate = events / archiving
    figure("P9", "events archived a second", Measured(rate, rate), target=rate, unit="events/s", n=events)


async def _fill(databases: Databases, events: int) -> None:
    async with databases.admin.transaction(operator_scope()) as tx:
        for number in range(ACCOUNTS):
            await tx.execute(_ACCOUNT, {"key": f"account-{number}", "zone": ZONES[number % len(ZONES)]})
    for first in range(0, events, _AT_ONCE):
        until = min(first + _AT_ONCE, events) - 1
        async with databases.ingest.transaction(operator_scope()) as tx:
            await tx.execute(_EVENTS, {"first": first, "until": until, "last": events, "accounts": ACCOUNTS})
    async with databases.ingest.transaction(operator_scope()) as tx:
        await tx.execute(_KEYS)


def _plainly(place: Path) -> float:
    """Seconds."""
    began = time.perf_counter()
    pl.scan_parquet(place / "**/*.parquet", hive_partitioning=False).filter(
        (pl.col("type") == "job.done") & (pl.col("data.channel") != '"test"')
    ).group_by("account_id", pl.col("time").dt.date(), "provider", "data.team").agg(
        pl.len(), pl.col("data.minutes").cast(pl.Decimal(38, 9)).sum()
    ).collect()
    return time.perf_counter() - began


async def _check(databases: Databases, place: Path) -> None:
    """What was counted is all there is."""
    frame = pl.scan_parquet(place / "**/*.parquet", hive_partitioning=False)
    metered = frame.filter((pl.col("type") == "job.done") & (pl.col("data.channel") != '"test"'))
    row = metered.select(pl.len(), pl.col("data.minutes").cast(pl.Decimal(38, 9)).sum().alias("total")).collect()
    async with databases.admin.transaction(operator_scope()) as tx:
        counted = await tx.row(text("SELECT sum(events) AS events, sum(total) AS total FROM rollup"))
    assert counted is not None
    assert (int(counted.events), counted.total) == (row["len"][0], row["total"][0])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer events")
    parser.add_argument("--data", help="taken for the sake of one form; this benchmark makes its own events")
    asyncio.run(main(quick=parser.parse_args().quick))
