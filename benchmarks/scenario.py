"""A scenario over HTTP: p95 of what-if answers for an account with half a year of usage of every driver of the sample's
model, three changes over twelve months. Run: `python -m benchmarks.scenario [--quick]`.

The baseline is the value read of the same account and time, which computes nothing anew.
"""

import argparse
import asyncio
import random
import time
import urllib.request
from datetime import UTC, datetime, timedelta

import msgspec

from benchmarks.figures import Measured, figure
from benchmarks.load import request, send_all
from benchmarks.server import Product, product
from valueplatform.core.authorization import KeyKind, operator_scope
from valueplatform.core.keys import KeyGrant, create_key
from valueplatform.sample.fieldnote import model_toml
from valueplatform.telemetry.meters import Meter
from valueplatform.value.model_file import read_model

ACCOUNT = "harbor"
DAYS = 182
TARGET_MS = 200
CHANGES = [
    {"feature": "auto-dispatch", "times": "1.2", "over": 6},
    {"slug": "dispatcher_hourly_cost", "expected": "50", "low": "45", "high": "55"},
    {"seats": True, "times": "1.1"},
]


def _event(meters: list[Meter], number: int, draw: random.Random) -> dict[str, object]:
    data = {meter.property: draw.randrange(1, 50) for meter in meters if meter.property and meter.property != "team"}
    time_ = datetime.now(UTC) - timedelta(days=1 + number % DAYS, minutes=number % 600)
    return {
        "id": f"{meters[0].slug}-{number}",
        "source": "bench",
        "type": meters[0].event_types[0],
        "account": ACCOUNT,
        "time": time_.isoformat(),
        "data": {"channel": "app", "team": f"team-{number % 4}", "feature": "auto-dispatch", **data},
    }


async def main(*, quick: bool) -> None:
    probes = 20 if quick else 200
    by_type: dict[str, list[Meter]] = {}
    for meter in read_model(model_toml(), "fieldnote.toml").meters:
        by_type.setdefault(meter.event_types[0], []).append(meter)
    draw = random.Random(8)
    events = [_event(meters, number, draw) for meters in by_type.values() for number in range(DAYS * 8)]
    async with product(model_toml()) as running:
        headers = {"Authorization": f"Bearer {running.key}", "Content-Type": "application/json"}
        bodies = [msgspec.json.encode(events[start : start + 1000]) for start in range(0, len(events), 1000)]
        sent = [request("/api/v1/events", body, headers=headers) for body in bodies]
        await send_all(running.host, running.port, sent, connections=2)
        async with running.databases.worker.transaction(operator_scope()) as tx:
            key = (await create_key(tx, KeyGrant(KeyKind.ADMIN, "benchmark"))).key
        asked = msgspec.json.encode({"changes": CHANGES, "months": 12})
        scenarios = await _times(running, key, f"/api/v1/accounts/{ACCOUNT}/scenarios/preview", probes, asked)
        reads = await _times(running, key, f"/api/v1/accounts/{ACCOUNT}/value?window=MONTH", probes)
    middle = scenarios[len(scenarios) // 2]
    name = f"what if of an account, three changes over twelve months, p95 over HTTP (median {middle:.0f})"
    figure("scenario", name, Measured(_p95(scenarios), _p95(reads)), target=TARGET_MS, unit="ms", n=probes)


async def _times(running: Product, key: str, path: str, probes: int, body: bytes | None = None) -> list[float]:
    """Milliseconds of each answer, ascending; the first few are not counted."""
    address = f"http://{running.host}:{running.port}{path}"
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    asked = urllib.request.Request(address, data=body, headers=headers)
    found = []
    for number in range(probes + 5):
        begun = time.perf_counter()
        answer = await asyncio.to_thread(urllib.request.urlopen, asked)
        assert answer.read()
        if number >= 5:
            found.append((time.perf_counter() - begun) * 1000)
    return sorted(found)


def _p95(values: list[float]) -> float:
    return values[int(len(values) * 0.95) - 1]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="20 answers instead of 200")
    asyncio.run(main(quick=parser.parse_args().quick))
