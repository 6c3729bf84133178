import asyncio
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from tests.conftest import Databases
from tests.value.factories import MODEL, NOW, a_model, new_account, put_events, put_model
from tests.value.three_parties import THREE_PARTIES, commit_to
from valueplatform.core.authorization import operator_scope
from valueplatform.core.database import Transaction
from valueplatform.core.errors import ConflictError, NotFoundError
from valueplatform.core.periods import Period
from valueplatform.core.scope import grant_accounts
from valueplatform.telemetry import backfilling, history
from valueplatform.telemetry.meters import Meter
from valueplatform.value import applying
from valueplatform.value.applying import apply_counted, count_anew
from valueplatform.value.meter_days import MeterDay, meter_days
from valueplatform.value.models import newest_model
from valueplatform.value.plans import PlanRow, put_targets, targets_in_force
from valueplatform.value.proof_record import read_source
from valueplatform.value.verify import verify_account
from valueplatform.worker import Worker

MAY = date(2026, 5, 1)
OTHER_CREW = MODEL.replace('slug = "jobs"', 'slug = "jobs"\nfilter = "crew = \'b\'"')


async def test_a_driver_that_plans_commit_to_stays_in_the_model(databases: Databases) -> None:
    await put_model(databases, THREE_PARTIES)
    for key in ("harbor", "globex"):
        await commit_to(databases, await new_account(databases, key), "invoices_synced", MAY, 100)

    with pytest.raises(ConflictError) as refused:
        await put_model(databases, a_model())

    assert "'invoices_synced' cannot go: the plans of account 'globex' and 1 more commit to it" in refused.value.message
    async with databases.worker.transaction(operator_scope()) as tx:
        assert "invoices_synced" in {driver.slug for driver in (await newest_model(tx)).drivers}


async def test_a_driver_may_go_once_its_targets_are_taken_out(databases: Databases) -> None:
    await put_model(databases, THREE_PARTIES)
    account_id = await new_account(databases, "harbor")
    await commit_to(databases, account_id, "invoices_synced", MAY, 100)
    async with databases.worker.transaction(grant_accounts([account_id])) as tx:
        taken_out = PlanRow(
            account_id=account_id,
            plan_id="case",
            objective="More of invoices_synced",
            driver="invoices_synced",
            month=MAY,
            value=None,
            source="business case",
        )
        await put_targets(tx, [taken_out], NOW)
        assert await targets_in_force(tx, account_id) == []

    await put_model(databases, a_model())

    async with databases.worker.transaction(operator_scope()) as tx:
        assert "invoices_synced" not in {driver.slug for driver in (await newest_model(tx)).drivers}


def silent(_done: int, _total: int) -> None:
    """Nobody looks at the progress."""


async def test_a_changed_meter_is_counted_before_it_is_in_force_and_everything_follows(databases: Databases) -> None:
    await put_model(databases)
    account_id = await new_account(databases, "harbor")
    await put_events(databases, account_id, [(NOW - timedelta(days=n), {"minutes": 3, "crew": "a"}) for n in range(20)])
    await Worker(databases.worker, lambda: NOW).drain()
    changed = a_model(OTHER_CREW)
    told: list[tuple[int, int]] = []
    applied = await apply_counted(databases.worker, operator_scope(), changed, lambda *heard: told.append(heard))
    assert (applied.revision, told[-1]) == (2, (20, 20))
    assert [change.slug for change in applied.changes] == ["jobs"]
    await put_events(databases, account_id, [(NOW, {"minutes": 3, "crew": "b"})])
    await Worker(databases.worker, lambda: NOW).drain()
    async with databases.worker.transaction(grant_accounts([account_id]), steady=True) as tx:
        source = await read_source(tx, account_id)
        assert source is not None
        checked = await verify_account(tx, source, date(2026, 1, 1), date(2027, 1, 1))
        names = {row.meter for row in await tx.rows(text("SELECT DISTINCT meter FROM rollup"))}
        assert (await newest_model(tx)).meter("jobs").version == 2  # type: ignore[union-attr]  # it is there
    assert checked.discrepancies == ()
    assert "jobs" not in names  # what was replaced is gone
    assert any(name.startswith("jobs@") for name in names)
    again = await apply_counted(databases.worker, operator_scope(), changed, silent)
    assert (again.revision, again.changes) == (2, ())


async def test_a_meter_keeps_its_counts_when_something_else_changes(databases: Databases) -> None:
    await put_model(databases)
    await apply_counted(databases.worker, operator_scope(), a_model(OTHER_CREW), silent)
    await count_anew(databases.worker, operator_scope(), "jobs", silent)
    async with databases.worker.transaction(operator_scope()) as tx:
        before = await newest_model(tx)
    await put_model(databases, a_model(OTHER_CREW.replace("45", "46")))
    async with databases.worker.transaction(operator_scope()) as tx:
        after = await newest_model(tx)
    assert after.meters == before.meters
    assert after != before


async def test_a_meter_counted_anew_says_the_same_and_keeps_its_version(databases: Databases) -> None:
    await put_model(databases)
    account_id = await new_account(databases, "harbor")
    await put_events(databases, account_id, [(NOW, {"minutes": 3, "crew": "a"})] * 5)
    before = await days_of(databases, account_id)
    applied = await count_anew(databases.worker, operator_scope(), "jobs", silent)
    assert (applied.revision, applied.changes) == (2, ())
    assert await days_of(databases, account_id) == before
    async with databases.admin.transaction(operator_scope()) as tx:
        assert await tx.scalar(text("SELECT count(*) FROM rollup WHERE meter = 'jobs'")) == 0
    with pytest.raises(NotFoundError, match="no meter 'nothing'"):
        await count_anew(databases.worker, operator_scope(), "nothing", silent)


async def days_of(databases: Databases, account_id: int) -> list[MeterDay]:
    async with databases.worker.transaction(grant_accounts([account_id])) as tx:
        model = await newest_model(tx)
        return await meter_days(tx, account_id, model.meters, Period(date(2026, 1, 1), date(2027, 1, 1)))


async def test_a_model_that_another_was_applied_over_meanwhile_is_not_put_in_force(
    databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    await put_model(databases)

    async def settle_late(tx: Transaction, meters: Sequence[Meter]) -> None:
        raise AssertionError("must not come so far")

    monkeypatch.setattr(applying, "settle", settle_late)
    changed = a_model(OTHER_CREW)
    began = asyncio.Event()

    async def between() -> None:
        await began.wait()
        await put_model(databases, a_model(MODEL.replace("45", "46")))

    loop = asyncio.get_running_loop()
    other = loop.create_task(between())
    counted = history.count_history

    async def count_and_wait(*given: Any) -> None:
        began.set()
        await other
        await counted(*given)

    monkeypatch.setattr(backfilling, "count_history", count_and_wait)
    with pytest.raises(ConflictError, match="applied meanwhile"):
        await apply_counted(databases.worker, operator_scope(), changed, silent)
    async with databases.admin.transaction(operator_scope()) as tx:
        assert await tx.scalar(text("SELECT count(*) FROM meter_build")) == 0
        assert await tx.scalar(text("SELECT max(revision) FROM model_revision")) == 2
