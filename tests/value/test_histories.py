"""Histories drawn at random, through the real ingest path: whatever the order, the independent path agrees."""

from pathlib import Path

import pytest

from tests.conftest import Databases
from tests.value.factories import put_model
from tests.value.histories import FIRST, LAST, Crowd
from tests.value.seven_meters import LIVED
from valueplatform.core.database import lock_model_exclusive
from valueplatform.core.scope import grant_all
from valueplatform.telemetry.rebuilding import rebuild_rollups
from valueplatform.value.models import newest_model
from valueplatform.value.proof_record import read_source
from valueplatform.value.verify import Discrepancy, verify_account


@pytest.mark.parametrize("seed", range(6))
async def test_any_history_verifies_exactly(databases: Databases, seed: int, tmp_path: Path) -> None:
    await put_model(databases, LIVED)
    crowd = await Crowd.gather(databases, 5, seed, tmp_path)
    await crowd.live(30)
    checked = await crowd.verified()
    assert {key: each.discrepancies for key, each in checked.items() if each.discrepancies} == {}
    assert all(each.accruals > 0 and each.rollups > 0 and each.waiting == 0 for each in checked.values())
    assert await crowd.intake() == []
    assert await rebuilt(databases, [history.account_id for history in crowd.histories]) == []


async def rebuilt(databases: Databases, account_ids: list[int]) -> list[Discrepancy]:
    """What differs after all rollups were made anew, from the database and the archive."""
    found: list[Discrepancy] = []
    async with databases.worker.transaction(grant_all()) as tx:
        await lock_model_exclusive(tx)
        await rebuild_rollups(tx, (await newest_model(tx)).meters, account_ids)
        for account_id in account_ids:
            source = await read_source(tx, account_id)
            assert source is not None
            found += (await verify_account(tx, source, FIRST, LAST)).discrepancies
    return found
