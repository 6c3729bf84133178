from datetime import date

import pytest

from tests.conftest import Databases
from tests.value.factories import NOW, a_model, new_account, put_model
from tests.value.three_parties import THREE_PARTIES, commit_to
from valueplatform.core.authorization import operator_scope
from valueplatform.core.errors import ConflictError
from valueplatform.core.scope import grant_accounts
from valueplatform.value.models import newest_model
from valueplatform.value.plans import PlanRow, put_targets, targets_in_force

MAY = date(2026, 5, 1)


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
