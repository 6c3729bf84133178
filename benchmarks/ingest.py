"""P1, P2 and P3: events over HTTP, committed, deduplicated and metered, against what PostgreSQL and the server can do.

P1's limit is a direct COPY of the same rows by one asyncpg connection into a uniquely keyed table; P2's is the same
server answering an empty request. The server has one process, and P1 is measured with two as well: they share the load
client's machine, so they gain as far as it has cores. Run: `python -m benchmarks.ingest [--quick]`.
"""

import argparse
import asyncio
import random
import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

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
DIFFERENT_ROLLUPS = """
    WITH recounted AS (
        SELECT account_id, (time AT TIME ZONE timezone)::date AS day, data ->> 'team' AS team, count(*) AS events,
               sum((data ->> 'minutes')::numeric) AS minutes
        FROM event JOIN account USING (account_id) GROUP BY 1, 2, 3
    ), held AS (
        SELECT account_id, day, dimensions[1] AS team, sum(total) FILTER (WHERE meter = 'jobs') AS events,
               sum(total) FILTER (WHERE meter = 'minutes') AS minutes
        FROM rollup WHERE meter IN ('jobs', 'minutes') GROUP BY 1, 2, 3
    )
    SELECT count(*) FROM recounted FULL JOIN held USING (account_id, day, team)
    WHERE recounted.events IS DISTINCT FROM held.events OR recounted.minutes IS DISTINCT FROM held.minutes
"""
"""Days, teams and accounts whose meters another count contradicts."""
BATCH = 1000
ACCOUNTS = 200
BATCH_CONNECTIONS = 32
SINGLE_CONNECTIONS = 64
NOW = datetime.now(UTC).replace(microsecond=0)
LIVE, PAST = timedelta(minutes=10), timedelta(days=30)


def events(count: int, seed: int, span: timedelta = LIVE) -> Iterator[dict[str, Any]]:
    """Believable events of the `span` until now: 200 accounts, 5 teams, 40 crews."""
    draw = random.Random(seed)
    for _ in range(count):
        yield {
            "specversion": "1.0",
            "id": str(uuid.UUID(int=draw.getrandbits(128))),
            "source": "bench",
            "type": "job.done",
            "account": f"account-{draw.randrange(ACCOUNTS)}",
            "time": (NOW - timedelta(seconds=draw.randrange(int(span.total_seconds())))).isoformat(),
            "data": {"team": f"team-{draw.randrange(5)}", "minutes": draw.randrange(1, 90), "crew": draw.randrange(40)},
        }


def batches_of(given: Sequence[dict[str, Any]], headers: dict[str, str]) -> list[bytes]:
    """Requests of a thousand events each."""
    batches = (given[start : start + BATCH] for start in range(0, len(given), BATCH))
    return [request("/api/v1/events", msgspec.json.encode(batch), headers=headers) for batch in batches]


async def direct_copy(running: Product, given: Sequence[dict[str, Any]]) -> float:
    """Rows a second of the same events as the product keeps them, copied into a table that is unique by their keys."""
    rows = [
        (
            1, uuid.UUID(e["id"]), e["source"], e["id"], e["type"], datetime.fromisoformat(e["time"]),
            datetime.fromisoformat(e["time"]).date(), None, "supplier", msgspec.json.encode(e["data"]).decode(), NOW,
        )
        for e in given
    ]  # fmt: skip
    async with running.databases.admin.transaction(no_accounts()) as tx:
        await (await tx.driver()).execute("CREATE TABLE copied (LIKE event, PRIMARY KEY (event_key))")
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
    async with product(MODEL, workers=2) as running:
        headers = {"Authorization": f"Bearer {running.key}", "Content-Type": "application/cloudevents-batch+json"}
        await two_processes(running, count, headers)


async def batches(running: Product, count: int, headers: dict[str, str]) -> None:
    """P1 and P3: live events, the same with what goes wrong among them, and events spread over 30 days of the past."""
    await _rate(running, list(events(5_000, 1)), headers)
    live = list(events(count, 2))
    limit = await direct_copy(running, live)
    rate = await _rate(running, live, headers)
    name = "events over HTTP in batches of 1,000"
    figure("P1", f"{name} ÷ direct COPY", Measured(rate / limit, 1), target=0.5, unit="ratio", n=count)
    figure("P1", name, Measured(rate, limit), target=round(0.5 * limit), unit="events/s", n=count)
    mixed = await _rate(running, list(_mixed(events(count, 4))), headers)
    name = "P1 with 30 % duplicates and 1 % invalid events ÷ P1"
    figure("P3", name, Measured(mixed / rate, 1), target=0.8, unit="ratio", n=count)
    past = list(events(count, 5, PAST))
    spread = await _rate(running, past, headers)
    name = "events of the last 30 days over HTTP ÷ direct COPY"
    figure("P1", name, Measured(spread / await direct_copy(running, past), 1), target=0.5, unit="ratio", n=count)


async def two_processes(running: Product, count: int, headers: dict[str, str]) -> None:
    """P1 with two server processes, over its own limit."""
    await _rate(running, list(events(5_000, 1)), headers)
    live = list(events(count, 6))
    limit = await direct_copy(running, live)
    rate = await _rate(running, live, headers)
    name = "events over HTTP in batches of 1,000, two server processes ÷ direct COPY"
    figure("P1", name, Measured(rate / limit, 1), target=0.5, unit="ratio", n=count)


def _mixed(given: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Three in ten are sent once more, and one in a hundred has no type; as many events in all as were given."""
    draw = random.Random(3)
    sent: list[dict[str, Any]] = []
    for event in given:
        fate = draw.random()
        if fate < 0.3 and sent:
            yield draw.choice(sent)
        elif fate < 0.31:
            yield event | {"type": None}
        else:
            sent.append(event)
            yield event


async def _rate(running: Product, given: Sequence[dict[str, Any]], headers: dict[str, str]) -> float:
    """Events a second, from the first request to the last answer."""
    requests = batches_of(given, headers)
    elapsed, _ = await send_all(running.host, running.port, requests, connections=BATCH_CONNECTIONS)
    return len(given) / elapsed


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
