"""P1 and P2: events over HTTP, committed, deduplicated and metered, against what PostgreSQL and the server can do.

P1's limit is a direct COPY of the same rows by one asyncpg connection into a uniquely keyed table; P2's is the same
server answering an empty request. Run: `python -m benchmarks.ingest [--quick]`.
"""

import argparse
import asyncio
import random
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import msgspec

from benchmarks.figures import Measured, figure
from benchmarks.load import request, send_all
from benchmarks.server import Product, product
from valueplatform.core.scope import no_accounts

MODEL = """
supplier = { name = "Benchmark", currency = "USD", timezone = "America/New_York" }

[[meter]]
slug = "jobs"
event = "job.done"
aggregation = "COUNT"
dimensions = ["team"]

[[meter]]
slug = "minutes"
event = "job.done"
aggregation = "SUM"
property = "minutes"
dimensions = ["team"]

[[meter]]
slug = "crews"
event = "job.done"
aggregation = "UNIQUE_COUNT"
property = "crew"
"""
BATCH = 1000
ACCOUNTS = 200
BATCH_CONNECTIONS = 4
SINGLE_CONNECTIONS = 64
NOW = datetime.now(UTC).replace(microsecond=0)


def events(count: int, seed: int) -> Iterator[dict[str, object]]:
    """Believable events: 200 accounts, 30 days, 5 teams, 40 crews."""
    draw = random.Random(seed)
    for _ in range(count):
        yield {
            "specversion": "1.0",
            "id": str(uuid.UUID(int=draw.getrandbits(128))),
            "source": "bench",
            "type": "job.done",
            "account": f"account-{draw.randrange(ACCOUNTS)}",
            "time": (NOW - timedelta(seconds=draw.randrange(30 * 86_400))).isoformat(),
            "data": {"team": f"team-{draw.randrange(5)}", "minutes": draw.randrange(1, 90), "crew": draw.randrange(40)},
        }


def _batches(count: int, seed: int, headers: dict[str, str]) -> list[bytes]:
    batch: list[dict[str, object]] = []
    requests = []
    for event in events(count, seed):
        batch.append(event)
        if len(batch) == BATCH:
            requests.append(request("/api/v1/events", msgspec.json.encode(batch), headers=headers))
            batch = []
    return requests


async def direct_copy(running: Product, count: int, seed: int) -> float:
    """Rows a second of the same events, copied by one connection into a table with a unique key."""
    rows = [
        (
            uuid.UUID(str(e["id"])), 1, str(e["source"]), str(e["id"]), str(e["type"]),
            datetime.fromisoformat(str(e["time"])), msgspec.json.encode(e["data"]).decode(),
        )
        for e in events(count, seed)
    ]  # fmt: skip
    columns = "key uuid PRIMARY KEY, account_id bigint, source text, id text, type text, time timestamptz, data jsonb"
    async with running.databases.admin.transaction(no_accounts()) as tx:
        connection = await tx.driver()
        await connection.execute(f"CREATE TABLE copied ({columns})")
    async with running.databases.admin.transaction(no_accounts()) as tx:
        connection = await tx.driver()
        begun = time.perf_counter()
        for start in range(0, len(rows), 20 * BATCH):
            await connection.copy_records_to_table("copied", records=rows[start : start + 20 * BATCH])
    elapsed = time.perf_counter() - begun
    async with running.databases.admin.transaction(no_accounts()) as tx:
        await (await tx.driver()).execute("DROP TABLE copied")
    return len(rows) / elapsed


async def main(*, quick: bool) -> None:
    count, singles = (40_000, 3_000) if quick else (300_000, 20_000)
    async with product(MODEL) as running:
        auth = {"Authorization": f"Bearer {running.key}"}
        await batches(running, count, {**auth, "Content-Type": "application/cloudevents-batch+json"})
        await single_events(running, singles, {**auth, "Content-Type": "application/cloudevents+json"})


async def batches(running: Product, count: int, headers: dict[str, str]) -> None:
    await send_all(running.host, running.port, _batches(5_000, 1, headers), connections=BATCH_CONNECTIONS)
    limit = await direct_copy(running, count, 2)
    elapsed, _ = await send_all(running.host, running.port, _batches(count, 2, headers), connections=BATCH_CONNECTIONS)
    rate = count / elapsed
    name = "events over HTTP in batches of 1,000"
    figure("P1", f"{name} ÷ direct COPY", Measured(rate / limit, 1), target=0.5, unit="ratio", n=count)
    figure("P1", name, Measured(rate, limit), target=round(0.5 * limit), unit="events/s", n=count)


async def single_events(running: Product, count: int, headers: dict[str, str]) -> None:
    empty = [request("/healthz", method="GET")] * count
    elapsed, _ = await send_all(running.host, running.port, empty, connections=SINGLE_CONNECTIONS)
    limit = count / elapsed
    one = [request("/api/v1/events", msgspec.json.encode(event), headers=headers) for event in events(count, 3)]
    elapsed, _ = await send_all(running.host, running.port, one, connections=SINGLE_CONNECTIONS)
    rate = count / elapsed
    figure("P2", "single events ÷ empty requests", Measured(rate / limit, 1), target=0.5, unit="ratio", n=count)
    figure("P2", "single events", Measured(rate, limit), target=round(0.5 * limit), unit="requests/s", n=count)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer events")
    parser.add_argument("--data", help="taken for the sake of one form; this benchmark makes its own events")
    asyncio.run(main(quick=parser.parse_args().quick))
