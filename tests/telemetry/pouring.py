"""A process of its own that pours events in, for tests of many writers: `python -m tests.telemetry.pouring URL SEED`.

Every seed draws its events from the same few, in another order, so processes meet on keys, accounts and rollups.
Prints what it was told: received, stored, duplicates, conflicts, rejected.
"""

import asyncio
import json
import random
import sys
from collections.abc import Sequence
from typing import Any

from tests.telemetry.factories import HTTP, cloud_event, request_of
from valueplatform.core.database import Database, Role
from valueplatform.telemetry.group_commit import GroupCommitter
from valueplatform.telemetry.requests import merged

EVENTS = 4_000
REQUEST = 50


def events() -> list[dict[str, Any]]:
    """The events that all seeds share; one id in ten has a second body."""
    return [
        cloud_event(
            id=str(number // 2 if number % 20 == 0 else number),
            account=f"account {number % 40}",
            time=f"2026-03-{number % 28 + 1:02d}T{number % 24:02d}:00:00Z",
            data={"minutes": number % 7, "team": f"t{number % 3}", "channel": "app", "user": f"u{number % 11}"},
        )
        for number in range(EVENTS)
    ]


async def pour(url: str, seed: int) -> Sequence[int]:
    drawn = events()
    random.Random(seed).shuffle(drawn)
    database = Database(url, Role.INGEST)
    async with GroupCommitter(database, patience=60).running() as committer:
        requests = [request_of(drawn[start : start + REQUEST], HTTP) for start in range(0, EVENTS, REQUEST)]
        report = merged(await asyncio.gather(*(committer.commit(request) for request in requests)))
    await database.dispose()
    return (report.received, report.stored, report.duplicates, report.conflicts, len(report.rejections))


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(pour(sys.argv[1], int(sys.argv[2])))))
