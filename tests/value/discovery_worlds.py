"""An installation in which one type that no meter reads goes with renewals, and another is noise."""

from datetime import date, timedelta
from random import Random
from typing import Final

from sqlalchemy import text

from tests.conftest import Databases
from tests.value.factories import NOW
from tests.value.worth_worlds import Sent, install
from valueplatform.core.scope import grant_all
from valueplatform.value.discovery_run import discover
from valueplatform.value.discovery_store import Kept, proposals
from valueplatform.value.model import ValueModel

PLANTED: Final = "scan.made"
NOISE: Final = "panel.shown"
RENEWED: Final = date(2026, 5, 18)
EACH: Final = 10
"""Accounts that renewed, and as many that did not."""
_CONTRACT: Final = text("""
    INSERT INTO contract (account_id, contract_id, start_day, end_day, amount, currency, period, kind, provider)
    VALUES (:account, :id, :start, :end, 100, 'USD', 'month', :kind, 'supplier')
""")


def a_year(rng: Random, scans: int) -> list[Sent]:
    """Weeks before the turn: so many scans each, panels at random, and minutes that a driver takes."""
    sent: list[Sent] = []
    for week in range(1, 16):
        day = RENEWED - timedelta(weeks=week)
        sent.append((day, "job.done", {"minutes": 3, "channel": "app", "team": "north"}))
        sent += [
            (day + timedelta(days=n % 5), PLANTED, {"pages": 2, "mode": "fast" if n % 2 else "full", "user": f"u{n}"})
            for n in range(scans)
        ]
        sent += [(day, NOISE, {"panel": "home"})] * rng.randint(1, 6)
    return sent


async def a_world(databases: Databases, model: ValueModel | None = None) -> dict[str, int]:
    """Ten accounts that renewed and ten that let go, worked through to what types are worth."""
    rng = Random(7)
    accounts = {f"stays-{n}": a_year(rng, 3 + n % 3) for n in range(EACH)}
    accounts |= {f"goes-{n}": a_year(rng, n % 2) for n in range(EACH)}
    ids = await install(databases, accounts, model)
    rows = []
    for key, account_id in ids.items():
        old = {"account": account_id, "id": "one", "start": date(2025, 5, 18), "end": RENEWED, "kind": "new"}
        rows.append(old)
        if key.startswith("stays"):
            rows.append({**old, "id": "two", "start": RENEWED, "end": None, "kind": "renewal"})
    async with databases.worker.transaction(grant_all()) as tx:
        await tx.execute(_CONTRACT, rows)
    return ids


async def look(databases: Databases) -> list[Kept]:
    """A run to its end, and what is proposed since."""
    async for _ in discover(databases.worker, grant_all(), NOW):
        pass
    async with databases.web.transaction(grant_all()) as tx:
        return await proposals(tx)
