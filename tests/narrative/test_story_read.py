from typing import Any

import pytest
from sqlalchemy import text

from tests.conftest import Databases
from tests.value.factories import NOW, new_account, put_model
from tests.value.test_reading import MAY_4
from tests.value.three_parties import THREE_PARTIES, put_etas, put_jobs, put_syncs, validate
from valueplatform.accounts.accounts import account_by_id
from valueplatform.core.errors import NotFoundError
from valueplatform.core.scope import grant_accounts, grant_all
from valueplatform.narrative import story_read
from valueplatform.narrative.document import Audience
from valueplatform.narrative.proofs import StoredInsight
from valueplatform.narrative.story_read import COMPOSED_NOW, StoryRead, partner_insight, read_story
from valueplatform.value.models import NoModelError
from valueplatform.worker import Worker


async def a_shared_account(databases: Databases, key: str, syncs: int) -> int:
    account_id = await new_account(databases, key)
    await validate(databases, account_id)
    await put_jobs(databases, account_id, MAY_4, 10)
    await put_syncs(databases, account_id, MAY_4, syncs)
    return account_id


@pytest.fixture
async def accounts(databases: Databases) -> list[int]:
    """Two accounts that supplier and Tessera serve, and one that Waypoint serves alone."""
    await put_model(databases, THREE_PARTIES)
    shared = [await a_shared_account(databases, key, syncs) for key, syncs in (("harbor", 30), ("globex", 7))]
    alone = await new_account(databases, "initech")
    await put_etas(databases, alone, MAY_4, 3)
    await Worker(databases.worker, lambda: NOW).drain()
    return [*shared, alone]


async def read(databases: Databases, account_id: int, audience: Audience, **given: Any) -> StoryRead:
    async with databases.web.transaction(grant_accounts([account_id])) as tx:
        return await read_story(tx, await account_by_id(tx, account_id), audience, NOW, **given)


async def insight(databases: Databases, insight_id: str, scope: list[int], provider: str = "tessera") -> StoredInsight:
    async with databases.web.transaction(grant_accounts(scope)) as tx:
        return await partner_insight(tx, insight_id, provider, NOW)


async def test_kept_stories_are_given_as_they_are_kept(databases: Databases, accounts: list[int]) -> None:
    for audience in (Audience.CUSTOMER, Audience.STEWARD, Audience.EXECUTIVE):
        assert (await read(databases, accounts[0], audience)).version == 1


async def test_before_there_is_one_it_is_composed_and_not_kept(databases: Databases, accounts: list[int]) -> None:
    kept = await read(databases, accounts[0], Audience.CUSTOMER)
    async with databases.worker.transaction(grant_all()) as tx:
        await tx.execute(text("DELETE FROM story"))
    first = await read(databases, accounts[0], Audience.CUSTOMER)
    assert (first.version, first.document) == (COMPOSED_NOW, kept.document)
    assert (await read(databases, accounts[0], Audience.CUSTOMER)).version == COMPOSED_NOW


async def test_without_a_model_there_is_nothing_to_compose_from(databases: Databases) -> None:
    with pytest.raises(NoModelError):
        await read(databases, await new_account(databases), Audience.CUSTOMER)


async def test_a_partner_s_story_is_of_its_own_rows_whatever_is_kept(databases: Databases, accounts: list[int]) -> None:
    told = await read(databases, accounts[0], Audience.PARTNER, provider="tessera")
    assert told.version == COMPOSED_NOW
    assert {span.value for span in told.document.headline.numbers} == {"60.0000"}
    empty = await read(databases, accounts[0], Audience.PARTNER, provider="waypoint")
    assert empty.document.status == "insufficient-data"


async def test_a_partner_s_insight_is_found_in_whichever_account_it_is(
    databases: Databases, accounts: list[int]
) -> None:
    for account_id in accounts[:2]:
        headline = (await read(databases, account_id, Audience.PARTNER, provider="tessera")).document.headline
        found = await insight(databases, headline.insight_id, accounts)
        assert (found.account_id, found.insight_id, found.holds) == (account_id, headline.insight_id, True)


async def test_a_partner_s_insight_is_not_found_beyond_its_scope_and_rows(
    databases: Databases, accounts: list[int]
) -> None:
    own = (await read(databases, accounts[0], Audience.PARTNER, provider="tessera")).document.headline.insight_id
    kept = (await read(databases, accounts[0], Audience.STEWARD)).document
    for insight_id, scope, provider in (
        (own, accounts[1:], "tessera"),
        (own, accounts, "waypoint"),
        ("ins_" + "0" * 20, accounts, "tessera"),
        (next(s.insight_id for c in kept.chapters for s in c.insights if s.insight_id != own), accounts, "waypoint"),
    ):
        with pytest.raises(NotFoundError, match=f"There is no insight {insight_id}"):
            await insight(databases, insight_id, scope, provider)


async def test_only_so_many_accounts_are_looked_through(
    databases: Databases, accounts: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    last = (await read(databases, accounts[1], Audience.PARTNER, provider="tessera")).document.headline.insight_id
    monkeypatch.setattr(story_read, "MOST_ACCOUNTS", 1)
    async with databases.worker.transaction(grant_all()) as tx:
        await tx.execute(text("DELETE FROM insight"))
    with pytest.raises(NotFoundError):
        await insight(databases, last, accounts)
