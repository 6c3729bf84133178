"""P10: what the server holds while ten million events come in. Run: `python -m benchmarks.memory [--quick]`."""

import argparse
import asyncio

from benchmarks.figures import Measured, figure
from benchmarks.ingest import MODEL, batches_of, events
from benchmarks.load import send_all
from benchmarks.machine import HOST, machine

CHUNK = 100_000
CONNECTIONS = 16
MIB = 2**20


async def main(*, quick: bool) -> None:
    first, last = (2, 5) if quick else (10, 100)
    async with machine(MODEL) as running:
        headers = {"Authorization": f"Bearer {running.key}", "Content-Type": "application/json"}
        held = []
        for number in range(last):
            requests = batches_of(list(events(CHUNK, number)), headers)
            await send_all(HOST, running.port, requests, connections=CONNECTIONS)
            held.append(running.memory())
        growth = (max(held[first:]) - held[first - 1]) / MIB
        name = f"memory of the server after {first * CHUNK:,} events to its highest in {last * CHUNK:,}"
        figure("P10", name, Measured(growth, held[first - 1] / MIB), target=64, unit="MiB", n=last * CHUNK)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer events")
    parser.add_argument("--data", help="taken for the sake of one form; this benchmark makes its own events")
    asyncio.run(main(quick=parser.parse_args().quick))
