"""P5: refreshing an account with three years of history, against one with three months; the same change to both.

Each turn sends one event of today to either account and serves it: value, story, signals. The two take turns, so that
whatever else the machine does falls on both. Run: `python -m benchmarks.long_history [--quick]`.
"""

import argparse
import asyncio
import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from statistics import median

from benchmarks.accounts import event, history, make_accounts, send
from benchmarks.figures import Measured, figure
from valueplatform.commands.context import connect, upgrade_schema
from valueplatform.core.embedded import running
from valueplatform.core.settings import Settings
from valueplatform.worker import Worker

TODAY = date(2026, 11, 20)
NOW = datetime(2026, 11, 20, 20, tzinfo=UTC)
YEARS = timedelta(days=1095)
MONTHS = timedelta(days=90)
LONG, SHORT = 1, 2
WARM_UP = 5


async def main(*, quick: bool) -> None:
    turns = 20 if quick else 100
    with tempfile.TemporaryDirectory(prefix="vp-bench-") as folder, running(Path(folder) / "data") as server:
        databases = connect(Settings(None, Path(folder)), server.url)
        await upgrade_schema(databases)
        await make_accounts(databases, 2, TODAY - YEARS, TODAY)
        await send(databases, history(LONG, TODAY - YEARS, TODAY))
        await send(databases, history(SHORT, TODAY - MONTHS, TODAY))
        worker = Worker(databases.worker, lambda: NOW)
        await worker.drain()
        took: dict[int, list[float]] = {LONG: [], SHORT: []}
        for turn in range(turns + WARM_UP):
            for account in (LONG, SHORT):
                moment = NOW - timedelta(hours=2, minutes=turn)
                await send(databases, iter([event(account, "job.dispatched", moment, turn)]))
                begun = time.perf_counter()
                assert await worker.serve(account)
                if turn >= WARM_UP:
                    took[account].append(time.perf_counter() - begun)
        await databases.dispose()
    years, months = median(took[LONG]), median(took[SHORT])
    name = f"refresh with 3 years of history ({1000 * years:.0f} ms) over 3 months ({1000 * months:.0f} ms), medians"
    figure("P5", name, Measured(years / months, 1), target=1.3, unit="ratio", n=turns)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer turns")
    parser.add_argument("--data", help="taken for the sake of one form; this benchmark makes its own data")
    asyncio.run(main(quick=parser.parse_args().quick))
