"""P4: from an accepted event to the changed sentence on an open page, while events come in for everybody else.

A page of each of a few watched accounts is open; a steady load goes to all others. Each probe is one event of a watched
account over HTTP; measured is the time from its answer to the story that the page receives. Run:
`python -m benchmarks.refresh [--quick]`.
"""

import argparse
import asyncio
import random
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta

import msgspec
from sqlalchemy import text

from benchmarks.figures import Measured, figure
from benchmarks.load import request, send_all
from benchmarks.server import Product, product
from valueplatform.accounts.accounts import account_by_key
from valueplatform.core.authorization import UserRole, operator_scope
from valueplatform.core.clock import system_clock
from valueplatform.core.sessions import cookie_form, open_session
from valueplatform.core.users import create_user

MODEL = """
supplier = { name = "Benchmark", currency = "USD", timezone = "UTC" }

[[meter]]
slug = "jobs"
event = "job.done"
aggregation = "COUNT"

[[assumption]]
slug = "job_value"
unit = "USD/job"
default = { low = "9", expected = "10", high = "12" }

[[driver]]
slug = "jobs_done"
title = "Jobs done"
evidence = "measured"
unit = "USD"
formula = "jobs * job_value"
"""
RATE = 1000
BATCH = 100
WATCHED = 5
TARGET_SECONDS = 2.0


def _event(account: str, day: int = 0) -> dict[str, object]:
    time_ = (datetime.now(UTC) - timedelta(days=day)).isoformat()
    return {
        "id": str(uuid.uuid4()),
        "source": "bench",
        "type": "job.done",
        "account": account,
        "time": time_,
        "data": {},
    }


class OpenPage:
    """A browser's stream of one account's story."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self.reader = reader

    async def settle(self) -> None:
        """Take in what is still coming of earlier events, until nothing has come for a second."""
        while True:
            try:
                await asyncio.wait_for(self.next_story(), 1)
            except TimeoutError:
                return

    async def next_story(self) -> float:
        """When the next changed story has come."""
        while True:
            line = await self.reader.readuntil(b"\n")
            if line.strip() == b"event: story":
                return time.perf_counter()


@asynccontextmanager
async def open_page(running: Product, account: str) -> AsyncIterator[OpenPage]:
    form = cookie_form(f"http://{running.host}:{running.port}")
    async with running.databases.worker.transaction(operator_scope()) as tx:
        found = await account_by_key(tx, account)
        email = f"reader@{account}.example"
        person = await create_user(tx, email, UserRole.CUSTOMER, account_ids=[found.account_id])
        session = await open_session(tx, person, system_clock)
    reader, writer = await asyncio.open_connection(running.host, running.port)
    headers = {"Cookie": f"{form.name}={session.cookie}", "Accept": "text/event-stream"}
    writer.write(request("/story/live", method="GET", headers=headers))
    head = await reader.readuntil(b"\r\n\r\n")
    assert b" 200 " in head, head
    yield OpenPage(reader)
    writer.close()


async def main(*, quick: bool) -> None:
    accounts, probes = (300, 15) if quick else (10_000, 100)
    async with product(MODEL, [("worker",)]) as running:
        headers = {"Authorization": f"Bearer {running.key}", "Content-Type": "application/json"}
        names = [f"account-{number}" for number in range(accounts)]
        history = [_event(name, day) for name in names for day in (40, 20, 5, 1)]
        await _send(running, headers, history, 1000)
        watched = names[:WATCHED]
        await _until_told(running, watched)
        load = asyncio.create_task(_steady_load(running, headers, names[WATCHED:]))
        async with AsyncExitStack() as stack:
            pages = {name: await stack.enter_async_context(open_page(running, name)) for name in watched}
            delays = []
            for number in range(probes):
                name = watched[number % WATCHED]
                delays.append(await _probe(running, headers, name, pages[name]))
        load.cancel()
    delays.sort()
    p95 = delays[int(len(delays) * 0.95) - 1]
    name = f"accepted event to changed sentence, p95, {accounts} accounts, {RATE} events/s beside it"
    figure("P4", name, Measured(p95, delays[len(delays) // 2]), target=TARGET_SECONDS, unit="s", n=probes)


async def _send(running: Product, headers: dict[str, str], events: list[dict[str, object]], size: int) -> None:
    bodies = [msgspec.json.encode(events[start : start + size]) for start in range(0, len(events), size)]
    requests = [request("/api/v1/events", body, headers=headers) for body in bodies]
    await send_all(running.host, running.port, requests, connections=2)


async def _until_told(running: Product, accounts: list[str]) -> None:
    """Wait until the watched accounts have their first story."""
    query = text("SELECT count(DISTINCT account_id) FROM story JOIN account USING (account_id) WHERE key = ANY(:keys)")
    for _ in range(3000):
        async with running.databases.worker.transaction(operator_scope()) as tx:
            if await tx.scalar(query, {"keys": accounts}) == len(accounts):
                return
        await asyncio.sleep(0.1)
    raise TimeoutError("the first stories were not told")


async def _steady_load(running: Product, headers: dict[str, str], names: list[str]) -> None:
    draw = random.Random(4)
    begun, sent = time.perf_counter(), 0
    while True:
        await _send(running, headers, [_event(draw.choice(names)) for _ in range(BATCH)], BATCH)
        sent += BATCH
        await asyncio.sleep(max(0.0, begun + sent / RATE - time.perf_counter()))


async def _probe(running: Product, headers: dict[str, str], account: str, page: OpenPage) -> float:
    """Send events that change the page's sentences, and wait for the story."""
    await page.settle()
    await _send(running, headers, [_event(account) for _ in range(50)], 50)
    answered = time.perf_counter()
    return await asyncio.wait_for(page.next_story(), 60) - answered


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer accounts and probes")
    parser.add_argument("--data", help="taken for the sake of one form; this benchmark makes its own data")
    asyncio.run(main(quick=parser.parse_args().quick))
