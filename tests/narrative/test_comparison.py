"""Comparison in a story, from raw events of many accounts to a number that is proved, on the real database."""

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import text

from tests.conftest import Databases
from tests.value.benchmark_worlds import compare, compared, size
from tests.value.factories import NOW, VALIDATOR
from tests.value.worth_worlds import work
from valueplatform.core.scope import grant_accounts, grant_all
from valueplatform.narrative.comparison import COMPARED, mark_superseded
from valueplatform.narrative.insight import Insight
from valueplatform.narrative.proofs import prove_insight, read_insight
from valueplatform.narrative.telling import tell
from valueplatform.narrative.verification import verify_insights
from valueplatform.value import assumption_record as record
from valueplatform.value.assumptions import Default, driver_slug
from valueplatform.value.basis import driver_statement
from valueplatform.value.models import newest_model
from valueplatform.value.proof_record import read_source
from valueplatform.value.ranges import Range
from valueplatform.value.refreshing import refresh_value

AT_THE_ENDS = ("a09", "a17")
PER_MINUTE = Default(Range(Decimal(1), Decimal(2), Decimal(3)), "USD/minute")


async def told(databases: Databases, account_id: int) -> dict[str, tuple[str, Insight]]:
    """What rests on the comparison of accounts, with its id, once the account is told."""
    async with databases.worker.transaction(grant_accounts([account_id])) as tx:
        admitted = (await tell(tx, account_id, NOW)).admitted
    return {a.insight.kind: (a.id, a.insight) for a in admitted if a.insight.kind in COMPARED}


@pytest.fixture
async def ids(databases: Databases) -> dict[str, int]:
    """Of these, two at the ends of their cohort have validated what their time is worth."""
    found = await compared(databases)
    for key in AT_THE_ENDS:
        async with databases.worker.transaction(grant_accounts([found[key]])) as tx:
            model = await newest_model(tx)
            (driver,) = [one for one in model.drivers if one.slug == "time"]
            for slug, stated in (("per_minute", PER_MINUTE), (driver_slug("time"), driver_statement(driver))):
                await record.validate_stated(tx, found[key], slug, stated, VALIDATOR, NOW, date(2026, 1, 1))
            await refresh_value(tx, found[key], NOW)
    await work(databases, [])
    await compare(databases)
    return found


async def told_key(databases: Databases, ids: dict[str, int]) -> str:
    """An account that is told of a comparison."""
    keys = [key for key in AT_THE_ENDS if await told(databases, ids[key])]
    assert keys
    return keys[0]


async def marked(databases: Databases) -> int:
    async with databases.worker.transaction(grant_all()) as tx:
        return await mark_superseded(tx, NOW)


async def test_the_account_that_has_most_is_told_so_and_each_number_opens(
    databases: Databases, ids: dict[str, int]
) -> None:
    places = {key: await told(databases, ids[key]) for key in AT_THE_ENDS}
    assert any("benchmark-standing" in one for one in places.values()), "one of them lies at an end of its cohort"
    for key, one in places.items():
        for insight_id, insight in one.values():
            async with databases.worker.transaction(grant_accounts([ids[key]])) as tx:
                stored = await read_insight(tx, insight_id)
                for number in insight.numbers:
                    proof = await prove_insight(tx, stored, number=number.name)
                    assert (proof.agrees, Decimal(proof.stated)) == (True, number.value)


async def test_who_does_not_use_what_the_best_use_is_told_so(databases: Databases, ids: dict[str, int]) -> None:
    kinds = {key: set(await told(databases, ids[key])) for key in ("a00", "a04", "a10", "a20", "a23")}
    assert any("best-practice-gap" in found for found in kinds.values())
    assert not any("best-practice-gap" in kinds[key] for key in ("a20", "a23")), "they use it"


async def test_a_new_run_has_the_account_told_anew_and_verify_agrees(databases: Databases, ids: dict[str, int]) -> None:
    key = await told_key(databases, ids)
    assert await marked(databases) == 0, "the run that it was told of is the newest"
    await size(databases, {each: str(10 + at % 3) for at, each in enumerate(ids)})
    await compare(databases)
    assert await marked(databases) >= 1
    assert await marked(databases) == 0, "marked already"
    await told(databases, ids[key])
    async with databases.worker.transaction(grant_accounts([ids[key]])) as tx:
        source = await read_source(tx, ids[key])
        assert source is not None
        assert (await verify_insights(tx, source))[1] == []


async def test_an_insight_of_a_run_that_is_gone_does_not_verify(databases: Databases, ids: dict[str, int]) -> None:
    key = await told_key(databases, ids)
    async with databases.worker.transaction(grant_all()) as tx:
        await tx.execute(text("DELETE FROM benchmark_run"))
    async with databases.worker.transaction(grant_accounts([ids[key]])) as tx:
        source = await read_source(tx, ids[key])
        assert source is not None
        assert (await verify_insights(tx, source))[1] != []
