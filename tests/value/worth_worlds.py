"""An installation with events, amounts, a counted catalog and what its types are worth, made by the code itself."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import Any

import msgspec
from sqlalchemy import text

from tests.conftest import Databases
from tests.value.factories import NOW, new_account, put_model, rebuild
from tests.value.worths import the_model
from valueplatform.core.scope import grant_accounts, grant_all
from valueplatform.telemetry.catalog_count import count_some, note_marks
from valueplatform.value.model import ValueModel
from valueplatform.value.refreshing import refresh_value
from valueplatform.value.worth_run import estimate_worth

Sent = tuple[date, str, Mapping[str, Any]]
"""Day, type and data of an event."""

DAYS = tuple(date(2026, month, day) for month in (3, 4, 5) for day in (2, 9, 20))
"""Days of three whole months; the record begins before."""
BEFORE = date(2026, 2, 20)

_EVENT = text("""
    INSERT INTO event (account_id, event_key, source, id, type, time, utc_day, subject, provider, data, received_at)
    VALUES (:account, :key, :source, :id, :type, :time, :utc_day, NULL, 'supplier', CAST(:data AS jsonb), :time)
""")
_MARK = text("INSERT INTO changed_day (account_id, day, through, cause) VALUES (:account, :first, :last, 'events')")


def jobs(minutes: int, days: Iterable[date] = DAYS) -> list[Sent]:
    return [(day, "job.done", {"minutes": minutes, "channel": "app", "team": "north"}) for day in days]


def opens(count: int, days: Iterable[date] = DAYS) -> list[Sent]:
    return [(day, "tracking.opened", {"opens": count}) for day in days]


async def put_sent(databases: Databases, account_id: int, sent: Sequence[Sent], source: str = "/app") -> None:
    """Events of an account, unmetered yet."""
    rows = []
    for day, kind, data in sent:
        key = uuid.uuid4()
        at = datetime.combine(day, time(12), UTC)
        body = msgspec.json.encode(data).decode()
        values = {"key": key, "id": str(key), "type": kind, "time": at, "utc_day": day, "data": body}
        rows.append({**values, "account": account_id, "source": source})
    async with databases.ingest.transaction(grant_all()) as tx:
        if rows:
            await tx.execute(_EVENT, rows)
        days = [day for day, _, _ in sent] or [BEFORE]
        await tx.execute(_MARK, {"account": account_id, "first": min(days), "last": max(days)})


async def install(
    databases: Databases, accounts: Mapping[str, Sequence[Sent]], model: ValueModel | None = None, **more: str
) -> dict[str, int]:
    """Accounts with what they sent, worked through to what types are worth; `more`: currencies by account."""
    await put_model(databases, model or the_model())
    ids = {}
    for key, sent in accounts.items():
        ids[key] = await new_account(databases, key, timezone="UTC", currency=more.get(key, "USD"))
        await put_sent(databases, ids[key], sent)
    await work(databases, ids.values())
    return ids


async def work(databases: Databases, accounts: Iterable[int], now: datetime = NOW) -> None:
    """Meter, value, count and estimate, as the worker does."""
    await rebuild(databases)
    async with databases.worker.transaction(grant_all()) as tx:
        await note_marks(tx)
    for account_id in accounts:
        async with databases.worker.transaction(grant_accounts([account_id])) as tx:
            await refresh_value(tx, account_id, now)
    async with databases.worker.transaction(grant_all()) as tx:
        while await count_some(tx):
            pass
    await estimate(databases, now)


async def estimate(databases: Databases, now: datetime = NOW) -> int:
    """A run to its end; in how many steps."""
    return len([None async for _ in estimate_worth(databases.worker, grant_all(), now)])
