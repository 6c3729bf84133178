"""Findings are kept once, brought up to date, and ended only by a look at the same thing."""

from datetime import date, timedelta
from typing import Any

from tests.conftest import Databases
from tests.telemetry.factories import NOW, rows
from valueplatform.core.scope import grant_all
from valueplatform.telemetry.findings import ALL_ACCOUNTS, keep_findings
from valueplatform.telemetry.quality import FAILURE, WARNING, Found

SILENT = Found(
    "freshness", "/app", "every day", "none", WARNING, "/app", date(2026, 6, 1), None, {"silent_days": 1}, ("job.done",)
)


async def keep(
    databases: Databases, *found: Found, hours: int = 0, looked: Any = ("freshness",), at: Any = None
) -> None:
    async with databases.worker.transaction(grant_all()) as tx:
        now = NOW + timedelta(hours=hours)
        await keep_findings(tx, ALL_ACCOUNTS, found, now, looked=looked, at=at)


async def kept(databases: Databases) -> list[dict[str, Any]]:
    return await rows(databases, "SELECT * FROM quality_finding ORDER BY finding_id")


async def test_a_finding_is_one_however_often_it_is_seen_and_says_what_was_seen_last(databases: Databases) -> None:
    await keep(databases, SILENT)
    await keep(databases, Found(**{**_fields(SILENT), "seen": "none yet", "numbers": {"silent_days": 2}}), hours=1)
    (row,) = await kept(databases)
    assert (row["found_at"], row["ended_at"]) == (NOW, None)
    assert (row["recomputed"], row["numbers"], row["types"]) == ("none yet", {"silent_days": 2}, ["job.done"])
    assert (row["severity"], row["source"], row["since_day"], row["through_day"]) == (
        "warning", "/app", date(2026, 6, 1), None,
    )  # fmt: skip


def _fields(found: Found) -> dict[str, Any]:
    return {name: getattr(found, name) for name in found.__struct_fields__}


async def test_what_is_gone_ends_and_the_same_again_is_another_one(databases: Databases) -> None:
    for hour, found in enumerate(([SILENT], [], [], [SILENT])):
        await keep(databases, *found, hours=hour)
    assert [row["ended_at"] for row in await kept(databases)] == [NOW + timedelta(hours=1), None]


async def test_nothing_ends_that_was_not_looked_for(databases: Databases) -> None:
    lost = Found("intake", "part 1", "2 stored", "1 keys", FAILURE)
    await keep(databases, SILENT, lost, looked=("freshness", "intake"))
    await keep(databases, looked=("volume",))
    await keep(databases, looked=("intake",), at=("part 2",))
    assert [row["ended_at"] for row in await kept(databases)] == [None, None]
    await keep(databases, looked=("intake",), at=("part 1",))
    assert [row["ended_at"] is None for row in await kept(databases)] == [True, False]
