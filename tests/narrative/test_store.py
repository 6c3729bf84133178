from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec
from sqlalchemy import text

from tests.conftest import Databases
from tests.narrative.factories import TODAY, admitted, harbor, rows
from tests.value.factories import new_account
from valueplatform.core.database import Transaction
from valueplatform.core.scope import grant_accounts
from valueplatform.narrative.document import Audience, Language, Status, StoryDocument
from valueplatform.narrative.facts import AccountFacts
from valueplatform.narrative.insight import Insight
from valueplatform.narrative.store import (
    SavedStory,
    Telling,
    earlier_stories,
    newest_story,
    save_insights,
    save_stories,
    save_story,
    story_version,
)
from valueplatform.narrative.story import compose

NOW = datetime(2026, 8, 21, 14, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)


def _story(facts: AccountFacts) -> StoryDocument:
    return compose(facts, admitted(facts), Audience.CUSTOMER)


def _grown(facts: AccountFacts, amount: int) -> AccountFacts:
    """A moment later: one more amount today."""
    more = facts.daily.extend(
        type(facts.daily)(rows("dispatch_time", {TODAY: Decimal(amount)}), schema=facts.daily.schema)
    )
    return replace(facts, daily=more)


async def _holding(tx: Transaction) -> dict[str, Insight]:
    rows = await tx.rows(text("SELECT insight_id, body::text AS body FROM insight WHERE until IS NULL"))
    return {row.insight_id: msgspec.json.decode(row.body, type=Insight) for row in rows}


async def _save(databases: Databases, account_id: int, document: StoryDocument, now: datetime = NOW) -> SavedStory:
    async with databases.worker.transaction(grant_accounts([account_id])) as tx:
        return await save_story(tx, account_id, document, now)


async def test_insights_are_kept_once_while_they_say_the_same(databases: Databases) -> None:
    account_id = await new_account(databases)
    kept = admitted(harbor())
    async with databases.worker.transaction(grant_accounts([account_id])) as tx:
        assert set(await save_insights(tx, account_id, kept, NOW)) == {a.id for a in kept}
        assert await save_insights(tx, account_id, kept, LATER) == ()
        assert await tx.scalar(text("SELECT count(*) FROM insight")) == len(kept)
        assert await _holding(tx) == {a.id: a.insight for a in kept}


async def test_a_changed_number_makes_a_version_and_ends_the_one_before(databases: Databases) -> None:
    account_id = await new_account(databases)
    facts = harbor()
    before = admitted(facts)
    after = admitted(_grown(facts, 1))
    headline = next(a.id for a in before if (a.insight.kind, a.insight.subject) == ("realized", "account"))
    async with databases.worker.transaction(grant_accounts([account_id])) as tx:
        await save_insights(tx, account_id, before, NOW)
        changed = await save_insights(tx, account_id, after, LATER)
        assert headline in changed
        assert len(changed) < len(after)
        query = text("SELECT version, since, until FROM insight WHERE insight_id = :id ORDER BY version")
        versions = [tuple(row) for row in await tx.rows(query, {"id": headline})]
    assert versions == [(1, NOW, LATER), (2, LATER, None)]


async def test_what_no_longer_holds_ends_and_what_returns_goes_on_counting(databases: Databases) -> None:
    account_id = await new_account(databases)
    kept = admitted(harbor())
    async with databases.worker.transaction(grant_accounts([account_id])) as tx:
        await save_insights(tx, account_id, kept, NOW)
        await save_insights(tx, account_id, kept[1:], LATER)
        assert kept[0].id not in await _holding(tx)
        assert await save_insights(tx, account_id, kept, LATER) == (kept[0].id,)
        newest = await tx.scalar(text("SELECT max(version) FROM insight WHERE insight_id = :id"), {"id": kept[0].id})
    assert newest == 2


async def test_the_same_story_is_no_new_version(databases: Databases) -> None:
    account_id = await new_account(databases)
    document = _story(harbor())
    assert await _save(databases, account_id, document) == SavedStory(1, is_new=True, is_changed=True)
    assert await _save(databases, account_id, document, LATER) == SavedStory(1, is_new=False, is_changed=False)


async def test_a_number_that_moved_a_little_is_brought_up_to_date_in_place(databases: Databases) -> None:
    account_id = await new_account(databases)
    facts = harbor()
    await _save(databases, account_id, _story(facts))
    moved = _story(_grown(facts, 1))
    assert await _save(databases, account_id, moved, LATER) == SavedStory(1, is_new=False, is_changed=True)
    async with databases.web.transaction(grant_accounts([account_id])) as tx:
        stored = await newest_story(tx, account_id, Audience.CUSTOMER)
    assert stored is not None
    assert stored.document == moved
    assert stored.composed_at == LATER


async def test_what_is_worth_telling_makes_a_version_and_the_earlier_stay(databases: Databases) -> None:
    account_id = await new_account(databases)
    first = _story(harbor())
    await _save(databases, account_id, first)
    second = msgspec.structs.replace(first, status=Status.BEHIND)
    assert await _save(databases, account_id, second, LATER) == SavedStory(2, is_new=True, is_changed=True)
    async with databases.web.transaction(grant_accounts([account_id])) as tx:
        old = await story_version(tx, account_id, Audience.CUSTOMER, 1)
        assert old is not None
        assert old.document == first
        assert [story.version for story in await earlier_stories(tx, account_id, Audience.CUSTOMER)] == [1]
        assert await story_version(tx, account_id, Audience.CUSTOMER, 7) is None


async def test_audiences_have_versions_of_their_own(databases: Databases) -> None:
    account_id = await new_account(databases)
    facts = harbor()
    await _save(databases, account_id, _story(facts))
    steward = compose(facts, admitted(facts), Audience.STEWARD)
    assert (await _save(databases, account_id, steward)).version == 1
    async with databases.web.transaction(grant_accounts([account_id])) as tx:
        assert await newest_story(tx, account_id, Audience.EXECUTIVE) is None


async def test_another_account_sees_neither_story_nor_insight(databases: Databases) -> None:
    account_id, other = await new_account(databases), await new_account(databases, "other")
    await _save(databases, account_id, _story(harbor()))
    async with databases.web.transaction(grant_accounts([other])) as tx:
        assert await newest_story(tx, account_id, Audience.CUSTOMER) is None
        assert await _holding(tx) == {}


async def test_stories_of_several_readers_are_kept_together_each_with_a_version_of_its_own(
    databases: Databases,
) -> None:
    account_id = await new_account(databases)
    facts = harbor()
    told = {audience: compose(facts, admitted(facts), audience) for audience in (Audience.CUSTOMER, Audience.STEWARD)}
    await _save(databases, account_id, told[Audience.CUSTOMER])
    await _save(databases, account_id, _story(_grown(facts, 900_000)))
    german = {Language.GERMAN: msgspec.structs.replace(told[Audience.STEWARD], language=Language.GERMAN)}
    async with databases.worker.transaction(grant_accounts([account_id])) as tx:
        tellings = [Telling(told[Audience.STEWARD], german), Telling(told[Audience.CUSTOMER], {})]
        saved = await save_stories(tx, account_id, tellings, LATER)
        assert saved == [
            SavedStory(version=1, is_new=True, is_changed=True),
            SavedStory(version=3, is_new=True, is_changed=True),
        ]
        again = await save_stories(tx, account_id, tellings, LATER)
        assert again == [
            SavedStory(version=1, is_new=False, is_changed=False),
            SavedStory(version=3, is_new=False, is_changed=False),
        ]
        kept = await newest_story(tx, account_id, Audience.STEWARD, Language.GERMAN)
        assert kept is not None
        assert kept.document == german[Language.GERMAN]
