"""A number of a capped pool opens to the cap and what it reads, and is proved by it."""

from sqlalchemy import text

from tests.conftest import Databases
from tests.value.factories import NOW, a_model, new_account, put_events, put_model
from tests.value.test_driver_windows import CAPPED, jobs
from valueplatform.core.scope import grant_accounts
from valueplatform.narrative.proofs import prove_insight, read_insight
from valueplatform.worker import refresh_account


async def test_a_capped_number_opens_to_its_cap_and_agrees(databases: Databases) -> None:
    account_id = await new_account(databases)
    await put_model(databases, a_model(CAPPED))
    await put_events(databases, account_id, jobs(0, 1, 2, 3))
    async with databases.worker.transaction(grant_accounts([account_id])) as tx:
        await refresh_account(tx, account_id, NOW)
        query = text("""
            SELECT insight_id FROM insight WHERE account_id = :a AND subject = 'dispatch_time' AND until IS NULL
              AND kind IN ('realized', 'estimated')
        """)
        insight_id = str(await tx.scalar(query, {"a": account_id}))
        proof = await prove_insight(tx, await read_insight(tx, insight_id))

    (driver,) = [one for one in proof.drivers if one.slug == "dispatch_time"]
    assert (driver.pool, driver.cap) == ("desk", "desk_cost")
    assert "desk_cost" in {line.slug for line in proof.assumptions}
    assert proof.agrees
    assert "20.0000" in {proof.stated, *(number.stated for number in proof.numbers)}
