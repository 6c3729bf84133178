"""The record as the faithful check reads it, on the real database: engine, check and proof agree on every number."""

import pytest
from sqlalchemy import text

from tests.conftest import Databases
from tests.narrative.histories import NOW, build
from tests.value.factories import new_account
from valueplatform.core.errors import NotFoundError
from valueplatform.core.scope import grant_accounts, grant_all
from valueplatform.narrative.faithful import admit, rederive
from valueplatform.narrative.faithful.record import read_record
from valueplatform.narrative.gathering import gather
from valueplatform.narrative.insights import discover
from valueplatform.narrative.proofs import prove_numbers
from valueplatform.value.proof_record import read_source


async def test_every_insight_of_a_lived_account_is_admitted_and_proved(databases: Databases) -> None:
    account_id = await build(databases)
    async with databases.worker.transaction(grant_accounts([account_id])) as tx:
        insights = discover(await gather(tx, account_id, NOW))
        kept, refused = admit(insights, await rederive(tx, account_id, insights))
        assert refused == []
        source = await read_source(tx, account_id)
        assert source is not None
        proved = await prove_numbers(tx, source, [n for insight in insights for n in insight.numbers])
    kinds = {a.insight.kind for a in kept}
    assert kinds >= {
        "realized", "attainment", "committed-range", "adjustment", "return-on-paid", "renewal-ahead", "validated-input",
        "go-live", "outcome",
    }  # fmt: skip
    assert [number for number in proved if not number.agrees] == []


async def test_an_amount_altered_by_hand_is_noticed(databases: Databases) -> None:
    account_id = await build(databases)
    async with databases.worker.transaction(grant_accounts([account_id])) as tx:
        insights = discover(await gather(tx, account_id, NOW))
        await tx.execute(text("UPDATE accrual SET expected = expected + 0.0001 WHERE day = DATE '2026-06-08'"))
        _, refused = admit(insights, await rederive(tx, account_id, insights))
    assert "realized" in {refusal.insight.kind for refusal in refused}


async def test_the_web_role_reads_the_same_record(databases: Databases) -> None:
    account_id = await build(databases)
    async with databases.worker.transaction(grant_accounts([account_id])) as tx:
        insights = discover(await gather(tx, account_id, NOW))
        by_worker = await rederive(tx, account_id, insights)
    async with databases.web.transaction(grant_accounts([account_id])) as tx:
        assert (await rederive(tx, account_id, insights)).numbers == by_worker.numbers


async def test_another_accounts_record_bears_nothing_out(databases: Databases) -> None:
    account_id = await build(databases)
    other = await new_account(databases, "other")
    async with databases.worker.transaction(grant_all()) as tx:
        insights = discover(await gather(tx, account_id, NOW))
        kept, refused = admit(insights, await rederive(tx, other, insights))
    assert all(not any(number.value for number in a.insight.numbers) for a in kept)
    assert len(refused) > len(insights) / 2


async def test_an_account_that_is_not_there_is_said_not_to_be(databases: Databases) -> None:
    async with databases.worker.transaction(grant_all()) as tx:
        with pytest.raises(NotFoundError):
            await read_record(tx, 4711, [])
