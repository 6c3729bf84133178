"""Stories divide joint drivers as they were agreed, and every number of them proves."""

from datetime import date
from decimal import Decimal

import pytest

from tests.conftest import Databases
from tests.value.factories import NOW, new_account, put_model
from tests.value.three_parties import (
    JOINT_DRIVER,
    JOINTLY,
    agree_on,
    put_jobs,
    put_syncs,
    refresh,
    validate,
    validate_joint,
)
from valueplatform.accounts.accounts import account_by_id
from valueplatform.core.periods import month_of
from valueplatform.core.scope import grant_accounts
from valueplatform.narrative.document import Audience
from valueplatform.narrative.facts import for_provider
from valueplatform.narrative.gathering import gather
from valueplatform.narrative.insight import Insight
from valueplatform.narrative.proofs import prove_numbers
from valueplatform.narrative.story_read import read_story
from valueplatform.narrative.telling import discover_admitted
from valueplatform.value.postings import close_month
from valueplatform.value.proof_record import read_source


@pytest.fixture
async def harbor(databases: Databases) -> int:
    """40 syncs in May, worth 1 each together; from the 10th on Tessera has a third, and the supplier a half."""
    await put_model(databases, JOINTLY)
    account_id = await new_account(databases)
    await put_jobs(databases, account_id, date(2026, 5, 4), 10)
    for day, count in ((4, 11), (12, 13), (20, 16)):
        await put_syncs(databases, account_id, date(2026, 5, day), count)
    await validate(databases, account_id)
    await validate_joint(databases, account_id)
    await refresh(databases, account_id)
    await agree_on(databases, account_id, "0.333333333", "0.5", date(2026, 5, 10))
    return account_id


async def told(databases: Databases, account_id: int, provider: str | None = None) -> list[Insight]:
    """Every insight that the record bears out; each number of them is proved from raw events."""
    async with databases.worker.transaction(grant_accounts([account_id])) as tx:
        facts = await gather(tx, account_id, NOW)
        facts = facts if provider is None else for_provider(facts, provider)
        found = [one.insight for one in await discover_admitted(tx, account_id, facts)]
        source = await read_source(tx, account_id)
        assert source is not None
        numbers = [number for insight in found for number in insight.numbers]
        proved = await prove_numbers(tx, source, numbers)
    assert [one for one in proved if not one.agrees] == []
    return found


def parts(found: list[Insight]) -> dict[str, Decimal]:
    return {
        one.subject: one.number("part").value
        for one in found
        if one.kind == "partner-contribution" and one.drivers == (JOINT_DRIVER,)
    }


async def test_each_party_has_its_part_and_the_rest_is_joint(databases: Databases, harbor: int) -> None:
    assert parts(await told(databases, harbor)) == {
        f"{JOINT_DRIVER}/tessera": Decimal("9.6666"),
        f"{JOINT_DRIVER}/joint": Decimal("15.8334"),
    }


async def test_a_partner_is_told_its_own_part_alone(databases: Databases, harbor: int) -> None:
    found = await told(databases, harbor, "tessera")
    amounts = {n.value for one in found for n in one.numbers if one.drivers == (JOINT_DRIVER,)}
    assert Decimal("9.6666") in amounts
    assert Decimal(40) not in amounts
    assert all(one.kind != "partner-contribution" for one in found)


async def test_a_closed_month_that_is_adjusted_still_proves(databases: Databases, harbor: int) -> None:
    async with databases.worker.transaction(grant_accounts([harbor])) as tx:
        await close_month(tx, harbor, "America/New_York", month_of(date(2026, 5, 4)), NOW)
    await put_syncs(databases, harbor, date(2026, 5, 12), 1)
    await refresh(databases, harbor)
    found = parts(await told(databases, harbor))
    assert found[f"{JOINT_DRIVER}/tessera"] == Decimal("9.6666") + Decimal("0.3333")
    assert await told(databases, harbor, "tessera")


async def test_the_rest_is_told_as_joint_and_as_nobodys(databases: Databases, harbor: int) -> None:
    async with databases.worker.transaction(grant_accounts([harbor])) as tx:
        read = await read_story(tx, await account_by_id(tx, harbor), Audience.CUSTOMER, NOW)
    notes = ["".join(s.text for s in note.spans) for chapter in read.document.chapters for note in chapter.notes]
    assert "$15.83 of this is joint: nobody has an agreed share in it." in [
        note.replace("\u00a0", " ") for note in notes
    ]
