"""Reconciliation: differences become findings, and findings end when nothing differs any more."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from tests.conftest import Databases
from tests.value.factories import NOW, mark, new_account, put_model
from tests.value.three_parties import THREE_PARTIES, put_jobs, refresh
from valueplatform.core.scope import grant_accounts, grant_all
from valueplatform.value.reconciling import EVERY, LOOK_BACK, due, reconcile
from valueplatform.value.verify import Discrepancy

JUNE_10 = datetime(2026, 6, 10, tzinfo=UTC).date()


@pytest.fixture
async def harbor(databases: Databases) -> int:
    await put_model(databases, THREE_PARTIES)
    account_id = await new_account(databases)
    await put_jobs(databases, account_id, JUNE_10, 3)
    await refresh(databases, account_id)
    return account_id


async def run(databases: Databases, statement: str, **values: Any) -> Any:
    async with databases.admin.engine.begin() as connection:
        result = await connection.execute(text(statement), values)
        return result.all() if result.returns_rows else None


async def reconciled(databases: Databases, account_id: int, now: datetime = NOW) -> Any:
    async with databases.worker.transaction(grant_accounts([account_id]), steady=True) as tx:
        return await reconcile(tx, account_id, now)


FINDINGS = "SELECT what, place, stated, recomputed, found_at, ended_at FROM quality_finding ORDER BY finding_id"


async def test_where_nothing_differs_there_is_no_finding(databases: Databases, harbor: int) -> None:
    assert await reconciled(databases, harbor) == ()
    assert await run(databases, FINDINGS) == []


async def test_a_difference_is_kept_once_with_when_it_was_found_and_mended_by_nobody(
    databases: Databases, harbor: int
) -> None:
    await run(databases, "UPDATE rollup SET total = total + 1 WHERE meter = 'minutes'")
    later = NOW + timedelta(hours=1)
    for now in (NOW, later):
        (found,) = await reconciled(databases, harbor, now)
        assert isinstance(found, Discrepancy)
        assert found.what == "rollup"
    ((what, place, stated, recomputed, found_at, ended_at),) = await run(databases, FINDINGS)
    assert (what, found_at, ended_at) == ("rollup", NOW, None)
    assert place.startswith("minutes, supplier, 2026-06-10")
    assert stated != recomputed
    ((total,),) = await run(databases, "SELECT total FROM rollup WHERE meter = 'minutes'")
    assert total == 7


async def test_a_finding_ends_when_nothing_differs_and_the_same_fault_is_another_one(
    databases: Databases, harbor: int
) -> None:
    for hour, change in enumerate(("+ 1", "- 1", "+ 1")):
        await run(databases, f"UPDATE rollup SET total = total {change} WHERE meter = 'minutes'")
        await reconciled(databases, harbor, NOW + timedelta(hours=hour))
    ended = [row.ended_at for row in await run(databases, FINDINGS)]
    assert ended == [NOW + timedelta(hours=1), None]


async def test_while_changes_wait_nothing_is_said(databases: Databases, harbor: int) -> None:
    await run(databases, "UPDATE rollup SET total = total + 1 WHERE meter = 'minutes'")
    async with databases.worker.transaction(grant_accounts([harbor])) as tx:
        await mark(tx, harbor, JUNE_10, "events")
    assert await reconciled(databases, harbor) is None
    assert await run(databases, FINDINGS) == []
    async with databases.worker.transaction(grant_all()) as tx:
        assert await due(tx, NOW, 10) == []


async def test_what_is_older_than_five_weeks_is_left_to_verify(databases: Databases, harbor: int) -> None:
    await run(databases, "UPDATE rollup SET total = total + 1 WHERE meter = 'minutes'")
    assert await reconciled(databases, harbor, NOW + LOOK_BACK) == ()


async def test_an_account_is_due_once_a_day_the_longest_first(databases: Databases, harbor: int) -> None:
    other = await new_account(databases, "globex")
    async with databases.worker.transaction(grant_all()) as tx:
        assert await due(tx, NOW, 10) == [harbor, other]
        assert await due(tx, NOW, 1) == [harbor]
    await reconciled(databases, harbor)
    await reconciled(databases, other, NOW + timedelta(minutes=1))
    async with databases.worker.transaction(grant_all()) as tx:
        assert await due(tx, NOW + EVERY, 10) == []
        assert await due(tx, NOW + EVERY + timedelta(hours=1), 10) == [harbor, other]
