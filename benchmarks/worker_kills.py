"""R6: the worker, killed again and again in the middle of its work: every change processed, every effect once.

Events come in without a pause; two workers serve, on a clock that runs an hour a second, so that minutes, midnights and
the closing of a month all fall into the run. One of them is killed (SIGKILL) at a moment drawn at random, and started
again. At the end what waits is worked off, and the record is held against raw events by `verify`'s own path: rollups,
accruals, postings. No mark may be left, no closed month posted twice, no two versions of a story in a row tell the
same. The control does the same with marks that are deleted in a transaction of their own, before the work: a worker
killed in between loses them, which must be seen. Run: `python -m benchmarks.worker_kills [--quick]`.
"""

import argparse
import asyncio
import multiprocessing
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path

from sqlalchemy import text

from benchmarks.accounts import EACH_WORKDAY, event, history, make_accounts, send
from benchmarks.figures import Measured, figure
from valueplatform import worker as working
from valueplatform.commands.context import connect, upgrade_schema
from valueplatform.core.database import Database, Role, Transaction
from valueplatform.core.embedded import running
from valueplatform.core.scope import grant_all
from valueplatform.core.settings import Settings
from valueplatform.value.proof_record import read_source
from valueplatform.value.verify import verify_account
from valueplatform.worker import Worker

START = datetime(2026, 12, 8, 12, tzinfo=UTC)
"""November closes on the 10th."""
FIRST = date(2026, 10, 15)
SPEED = 3600
WORKERS = 2
ACCOUNTS = 12
LONGEST_LIFE = 6.0
"""Seconds from a worker's start to its end, at most."""
_MARKS = text("SELECT count(*) FROM changed_day")
_TWICE = text("""
    SELECT count(*) FROM (
        SELECT fingerprint = lag(fingerprint) OVER (PARTITION BY account_id, audience ORDER BY version) AS is_same
        FROM story
    ) told WHERE is_same
""")
_POSTED_TWICE = text("""
    SELECT count(*) FROM (SELECT FROM posting WHERE kind = 'close' GROUP BY account_id, driver, provider, day, basis_id
                          HAVING count(*) > 1) twice
""")
_TOLD = text("SELECT count(*) FROM story")
_CLOSED = text("SELECT count(*) FROM closed_month")
_TAKEN_APART = text("DELETE FROM changed_day WHERE account_id = :account RETURNING day, through, cause")


class Clock:
    """An hour a second from `begun`, which every process shares."""

    def __init__(self, begun: float) -> None:
        self.begun = begun

    def __call__(self) -> datetime:
        return START + timedelta(seconds=(time.monotonic() - self.begun) * SPEED)


def _work(url: str, begun: float, *, careless: bool) -> None:
    if careless:
        _lose_marks()
    asyncio.run(_worked(url, begun))


async def _worked(url: str, begun: float) -> None:
    database, stop = Database(url, Role.WORKER), asyncio.Event()
    await Worker(database, Clock(begun)).run(stop)


def _lose_marks() -> None:
    """The control: marks are taken, and the transaction that took them ends, before anything is done about them."""
    whole = working.refresh_account

    async def refresh(tx: Transaction, account_id: int, now: datetime, *, reworded: bool = False) -> bool:
        await tx.execute(text("SAVEPOINT before"))
        done = await whole(tx, account_id, now, reworded=reworded)
        if done and random.random() < 0.5:
            await tx.execute(text("ROLLBACK TO SAVEPOINT before"))
            await tx.rows(_TAKEN_APART, {"account": account_id})
        return done

    working.refresh_account = refresh


def _send(url: str, begun: float, seed: int) -> None:
    asyncio.run(_sent(url, begun, seed))


async def _sent(url: str, begun: float, seed: int) -> None:
    """Events of now, and late ones, until killed."""
    databases, draw, clock = connect(Settings(url, Path()), url), random.Random(seed), Clock(begun)
    while True:
        moment = clock()
        if draw.random() < 0.3:
            moment -= timedelta(days=draw.randint(1, 40))
        number = draw.randint(1, ACCOUNTS)
        await send(databases, iter([event(number, draw.choice(EACH_WORKDAY), moment.replace(microsecond=0))]))
        await asyncio.sleep(0.01)


@contextmanager
def _sending(context: ForkServerContext, url: str, begun: float) -> Iterator[None]:
    sender = context.Process(target=_send, args=(url, begun, 7))
    sender.start()
    try:
        yield
    finally:
        sender.terminate()
        sender.join()


def killed(url: str, times: int, *, careless: bool) -> int:
    """Kill a worker so many times while events come in; how many were alive when the kill came."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["valueplatform.worker", "benchmarks.accounts"])
    draw, begun, alive = random.Random(6), time.monotonic(), 0

    def started() -> ForkServerProcess:
        process = context.Process(target=_work, args=(url, begun), kwargs={"careless": careless})
        process.start()
        return process

    with _sending(context, url, begun):
        workers = [started() for _ in range(WORKERS)]
        for _ in range(times):
            time.sleep(draw.uniform(0.1, LONGEST_LIFE / WORKERS))
            at = draw.randrange(WORKERS)
            alive += workers[at].is_alive()
            os.kill(workers[at].pid or 0, signal.SIGKILL)
            workers[at].join()
            workers[at] = started()
        for process in workers:
            process.kill()
            process.join()
    asyncio.run(_drained(url, begun))
    return alive


async def _drained(url: str, begun: float) -> None:
    database = Database(url, Role.WORKER)
    await Worker(database, Clock(begun)).drain()
    await database.dispose()


async def _faults(url: str) -> tuple[int, int, str]:
    """What was lost, what was done twice, and what was done: versions of stories, and months that were closed."""
    database = Database(url, Role.WORKER)
    async with database.transaction(grant_all(), steady=True) as tx:
        lost = int(await tx.scalar(_MARKS))
        twice = int(await tx.scalar(_TWICE)) + int(await tx.scalar(_POSTED_TWICE))
        told, closed = await tx.scalar(_TOLD), await tx.scalar(_CLOSED)
        for row in await tx.rows(text("SELECT account_id FROM account ORDER BY account_id")):
            source = await read_source(tx, row.account_id)
            if source is not None:
                lost += len((await verify_account(tx, source, FIRST, date(2030, 1, 1))).discrepancies)
    await database.dispose()
    return lost, twice, f"{told} versions of stories, {closed} months closed"


async def _made(url: str) -> None:
    databases = connect(Settings(url, Path()), url)
    await upgrade_schema(databases)
    await make_accounts(databases, ACCOUNTS, FIRST, START.date())
    every = (each for number in range(1, ACCOUNTS + 1) for each in history(number, FIRST, START.date()))
    await send(databases, every)
    await databases.dispose()


def _run(times: int, *, careless: bool) -> tuple[int, int, int]:
    with tempfile.TemporaryDirectory(prefix="vp-bench-") as folder, running(Path(folder) / "data") as server:
        asyncio.run(_made(server.url))
        alive = killed(server.url, times, careless=careless)
        lost, twice, done = asyncio.run(_faults(server.url))
    sys.stderr.write(f"{alive} of {times} workers were alive when killed; {done}\n")
    return alive, lost, twice


def main(*, times: int) -> None:
    _, control, _ = _run(max(times // 10, 5), careless=True)
    alive, lost, twice = _run(times, careless=False)
    name = "changes not processed after kills of the worker; of a worker that is careless beside it"
    figure("R6", name, Measured(lost, control), target=0, unit="differences", n=alive)
    figure("R6", "effects twice: story versions, postings", Measured(twice, 0), target=0, unit="rows", n=alive)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="10 kills")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--data", help="taken for the sake of one form; this benchmark makes its own data")
    asked = parser.parse_args()
    main(times=10 if asked.quick else asked.kills)
