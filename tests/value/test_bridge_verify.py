from datetime import date

import pytest
from sqlalchemy import text

from tests.conftest import Databases
from tests.value.factories import NOW, new_account, put_model
from tests.value.three_parties import THREE_PARTIES, put_etas, put_jobs, refresh
from valueplatform.accounts.accounts import account_by_id
from valueplatform.core.scope import grant_accounts
from valueplatform.value.bridge_verify import verify_bridge
from valueplatform.value.proof_record import read_source
from valueplatform.value.verify import Discrepancy

EVER = date(1, 1, 2)


async def verified(databases: Databases, account_id: int, since: date = EVER) -> tuple[int, list[Discrepancy]]:
    async with databases.worker.transaction(grant_accounts([account_id])) as tx:
        source = await read_source(tx, account_id)
        assert source is not None
        return await verify_bridge(tx, source, await account_by_id(tx, account_id), NOW, since)


@pytest.fixture
async def harbor(databases: Databases) -> int:
    await put_model(databases, THREE_PARTIES)
    account_id = await new_account(databases)
    await put_jobs(databases, account_id, date(2026, 4, 14), 10)
    await put_jobs(databases, account_id, date(2026, 5, 4), 15)
    await put_etas(databases, account_id, date(2026, 5, 5), 4)
    await refresh(databases, account_id)
    return account_id


async def test_what_is_told_of_the_last_two_whole_months_agrees(databases: Databases, harbor: int) -> None:
    assert await verified(databases, harbor) == (8, [])
    assert await verified(databases, harbor, since=date(2026, 6, 1)) == (0, [])


async def test_an_amount_that_is_off_shows_in_its_part(databases: Databases, harbor: int) -> None:
    async with databases.admin.transaction(grant_accounts([])) as tx:
        off = "UPDATE accrual SET expected = expected + 1 WHERE driver = 'arrivals_told'"
        await tx.execute(text(off))
    _, found = await verified(databases, harbor)
    assert [(one.what, one.where, one.stated, one.recomputed) for one in found] == [
        ("bridge", "arrivals_told, waypoint, USD, after", "21.0000", "20.0000"),
        ("bridge", "arrivals_told, waypoint, USD, new", "21.0000", "20.0000"),
    ]


async def test_a_rollup_that_is_off_shows_in_the_parts_though_both_ends_are_right(
    databases: Databases, harbor: int
) -> None:
    async with databases.admin.transaction(grant_accounts([])) as tx:
        off = "UPDATE rollup SET total = total + 1 WHERE meter = 'minutes' AND day = DATE '2026-04-14'"
        await tx.execute(text(off))
    _, found = await verified(databases, harbor)
    assert {one.where.rpartition(", ")[2] for one in found} <= {"volume", "rate", "mix"}
    assert found
