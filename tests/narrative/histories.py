"""A real account in the database: events, months closed and adjusted, a plan, a contract, people, a dispute."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import text

from tests.conftest import Databases
from tests.value.factories import VALIDATOR, a_model, new_account, put_events, put_model
from valueplatform.core.periods import month_of
from valueplatform.core.scope import grant_accounts, grant_all
from valueplatform.value import assumption_record as record
from valueplatform.value.assumptions import Default
from valueplatform.value.postings import close_month
from valueplatform.value.ranges import Range
from valueplatform.value.refreshing import refresh_value

START = date(2026, 1, 5)
NOW = datetime(2026, 6, 15, 16, tzinfo=UTC)
BASELINE = Default(Range(Decimal(11), Decimal(14), Decimal(16)), "minute/job")
COST = Default(Range(Decimal(38), Decimal(45), Decimal(52)), "USD/hour")

_PEOPLE = text("""
    INSERT INTO person (account_id, email, name, role) VALUES
        (:account, 'priya@harbor.example', 'Priya Nair', 'validator'),
        (:account, 'daniel@harbor.example', 'Daniel Reyes', 'champion')
""")
_OBJECTIVE = text("""
    INSERT INTO objective (account_id, title) VALUES (:account, 'Dispatch without waiting') RETURNING objective_id
""")
_TARGET = text("""
    INSERT INTO plan_target (account_id, plan_id, objective_id, driver, month, version, low, expected, high, source,
                             known_at)
    VALUES (:account, 'plan', :objective, 'dispatch_time', :month, 1, :low, :expected, :high, 'case', :now)
""")
_CONTRACT = text("""
    INSERT INTO contract (account_id, contract_id, start_day, end_day, amount, currency, period, kind, provider)
    VALUES (:account, 'c1', DATE '2026-01-01', DATE '2026-10-01', 3650, 'USD', 'year', 'new', 'supplier')
""")
_GO_LIVE = text("""
    INSERT INTO milestone (account_id, milestone_id, kind, at, title)
    VALUES (:account, 'm1', 'go-live', TIMESTAMPTZ '2026-01-12 12:00Z', 'Go-live')
""")


def _events(start: date, end: date) -> Iterator[tuple[datetime, dict[str, Any]]]:
    """Two or three jobs each workday; fewer in May and after, so that something falls."""
    day = start
    while day < end:
        if day.weekday() < 5:
            jobs = 4 if day < date(2026, 5, 1) else 2
            for number in range(jobs):
                noon = datetime(day.year, day.month, day.day, 16, number, tzinfo=UTC)
                yield noon, {"minutes": Decimal("2.5") + day.day % 3, "crew": f"crew-{number}"}
        day += timedelta(days=1)


async def build(databases: Databases) -> int:
    """March closed and adjusted by late events; both inputs validated, one of them questioned again."""
    account_id = await new_account(databases)
    await put_model(databases, a_model())
    await put_events(databases, account_id, _events(START, date(2026, 6, 16)))
    async with databases.worker.transaction(grant_all()) as tx:
        await tx.execute(_PEOPLE, {"account": account_id})
        await tx.execute(_CONTRACT, {"account": account_id})
        await tx.execute(_GO_LIVE, {"account": account_id})
        objective = await tx.scalar(_OBJECTIVE, {"account": account_id})
        for month in range(1, 10):
            amounts = {"low": 600, "expected": 700, "high": 800}
            where = {"account": account_id, "objective": objective, "month": date(2026, month, 1), "now": NOW}
            await tx.execute(_TARGET, where | amounts)
    async with databases.worker.transaction(grant_accounts([account_id])) as tx:
        for slug, default in (("manual_minutes", BASELINE), ("hourly_cost", COST)):
            await record.validate_stated(tx, account_id, slug, default, VALIDATOR, NOW, START)
    await refresh(databases, account_id)
    async with databases.worker.transaction(grant_accounts([account_id])) as tx:
        await close_month(tx, account_id, "America/New_York", month_of(date(2026, 3, 1)), NOW)
    late = [(datetime(2026, 3, 10, 16, 30, tzinfo=UTC), {"minutes": 1, "crew": "late"})] * 9
    await put_events(databases, account_id, late)
    await refresh(databases, account_id)
    async with databases.worker.transaction(grant_accounts([account_id])) as tx:
        stated = (await record.entries_of(tx, account_id))["hourly_cost"][0]
        await record.dispute(tx, account_id, stated.entry_id, VALIDATOR, NOW, "Too high")
        await record.validate(tx, account_id, stated.entry_id, VALIDATOR, NOW, START)
    await refresh(databases, account_id)
    return account_id


async def refresh(databases: Databases, account_id: int, now: datetime = NOW) -> None:
    async with databases.worker.transaction(grant_accounts([account_id])) as tx:
        await refresh_value(tx, account_id, now)
