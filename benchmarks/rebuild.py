"""P8: rebuilding all values and stories, for 1,000 accounts and for 10,000.

Each account has `DAYS` days of history that came in through the real path, a contract, a plan, people and agreed inputs
(`benchmarks.accounts`). All of its days are marked, as a change of the model marks them, and `PROCESSES` workers serve
until nothing is marked: first where nothing was told before, then once more where everything is there. The slower of
the two is the figure; standard error has both, by account. Fewer accounts than 10,000 are held to their part of the
minutes: `python -m benchmarks.rebuild [--quick] [--accounts N N]`, say 1000 10000 (a quarter of an hour), 500 1000.
"""

import argparse
import asyncio
import gc
import multiprocessing
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import text

from benchmarks.accounts import history, make_accounts, send
from benchmarks.figures import Measured, figure
from valueplatform.commands.context import Databases, connect, upgrade_schema
from valueplatform.core.database import Database, Role
from valueplatform.core.embedded import running
from valueplatform.core.scope import grant_all
from valueplatform.core.settings import Settings
from valueplatform.worker import Worker

TODAY = date(2026, 11, 20)
NOW = datetime(2026, 11, 20, 20, tzinfo=UTC)
DAYS = 90
PROCESSES = 2
AT_MOST = 600.0
RATIO = 11.0
_MARK = text(
    "INSERT INTO changed_day (account_id, day, through, cause) SELECT account_id, :first, :last, 'model' FROM account"
)
_FORGET = (text("DELETE FROM changed_day"), text("ANALYZE"))
_TOLD = text("""
    SELECT (SELECT count(*) FROM accrual) AS accruals, (SELECT count(DISTINCT account_id) FROM story) AS stories
""")


def _now() -> datetime:
    return NOW


class Served(NamedTuple):
    """Accounts, and seconds of the processor in the worker, which other load on the machine hardly moves."""

    accounts: int
    processor: float


def _serve(url: str, share: int) -> Served:
    """In a process of its own: every `PROCESSES`-th account that is marked, until none is left."""
    begun = time.process_time()
    return Served(asyncio.run(_serve_share(url, share)), time.process_time() - begun)


async def _serve_share(url: str, share: int) -> int:
    gc.freeze()  # as `valueplatform worker` does
    database = Database(url, Role.WORKER)
    worker = Worker(database, _now)
    async with database.transaction(grant_all()) as tx:
        rows = await tx.rows(text("SELECT account_id FROM account ORDER BY account_id"))
    served = 0
    for row in rows[share::PROCESSES]:
        served += await worker.serve(row.account_id)
    await database.dispose()
    return served


async def _made(databases: Databases, accounts: int) -> None:
    first = TODAY - timedelta(days=DAYS)
    await make_accounts(databases, accounts, first, TODAY)
    await send(databases, (each for number in range(1, accounts + 1) for each in history(number, first, TODAY)))
    async with databases.admin.transaction(grant_all()) as tx:
        for statement in _FORGET:
            await tx.execute(statement)


async def _marked(databases: Databases) -> None:
    async with databases.worker.transaction(grant_all()) as tx:
        await tx.execute(_MARK, {"first": TODAY - timedelta(days=DAYS), "last": TODAY})


async def _told(databases: Databases) -> tuple[int, int]:
    async with databases.worker.transaction(grant_all()) as tx:
        row = await tx.row(_TOLD)
    assert row is not None
    return row.accruals, row.stories


def rebuilt(accounts: int) -> float:
    """Seconds of the slower of two rebuilds: of what was never told, and of what is there already."""
    with tempfile.TemporaryDirectory(prefix="vp-bench-") as folder, running(Path(folder) / "data") as server:
        begun = time.perf_counter()
        asyncio.run(_prepared(connect(Settings(None, Path(folder)), server.url), accounts))
        _say(f"{accounts} accounts made in {time.perf_counter() - begun:.0f} s")
        first = _round(server.url, accounts, "told")
        asyncio.run(_marked_again(server.url))
        return max(first, _round(server.url, accounts, "told again"))


def _round(url: str, accounts: int, what: str) -> float:
    with closing(multiprocessing.get_context("spawn").Pool(PROCESSES)) as pool:
        begun = time.perf_counter()
        shares = pool.starmap(_serve, [(url, share) for share in range(PROCESSES)])
        took = time.perf_counter() - begun
    accruals, stories = asyncio.run(_counted(url))
    served = sum(share.accounts for share in shares)
    each, busy = (1000 * seconds / accounts for seconds in (took, sum(share.processor for share in shares)))
    _say(f"{served} {what} in {took:.1f} s, {each:.0f} ms each, of the worker's processor {busy:.0f} ms")
    _say(f"{accruals} accruals, stories of {stories} accounts")
    if served != accounts or stories != accounts:
        raise SystemExit("not every account was rebuilt")
    return took


async def _marked_again(url: str) -> None:
    databases = connect(Settings(url, Path()), url)
    await _marked(databases)
    await databases.dispose()


async def _prepared(databases: Databases, accounts: int) -> None:
    await upgrade_schema(databases)
    await _made(databases, accounts)
    await _marked(databases)
    await databases.dispose()


async def _counted(url: str) -> tuple[int, int]:
    databases = connect(Settings(url, Path()), url)
    found = await _told(databases)
    await databases.dispose()
    return found


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")


def main(*, sizes: Sequence[int]) -> None:
    few, many = sizes
    took = {size: rebuilt(size) for size in sizes}
    name = f"rebuilding values and stories of {many} accounts with {DAYS} days each; of {few} beside it"
    allowed = AT_MOST * many / 10_000
    figure("P8", name, Measured(took[many], took[few]), target=allowed, unit="s", n=many)
    name = f"time for {many} accounts over that for {few}"
    figure("P8", name, Measured(took[many] / took[few], 1), target=RATIO * many / few / 10, unit="ratio", n=many)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="20 and 200 accounts")
    parser.add_argument("--accounts", type=int, nargs=2, help="two numbers of accounts, the smaller first")
    parser.add_argument("--data", help="taken for the sake of one form; this benchmark makes its own data")
    asked = parser.parse_args()
    main(sizes=asked.accounts or ((20, 200) if asked.quick else (1000, 10_000)))
