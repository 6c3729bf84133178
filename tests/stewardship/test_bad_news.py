"""Bad news is told once: what it is, when first, and to whom at once."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec
import pytest

from tests.conftest import Databases
from tests.stewardship.digests.factories import CHAMPION, DAILY, STEWARD, Readers, readers
from tests.stewardship.situations import admitted, plain
from valueplatform.core.authorization import accounts_or_all
from valueplatform.narrative.document import Audience, StoryDocument
from valueplatform.narrative.facts import AccountFacts
from valueplatform.narrative.story import compose
from valueplatform.stewardship.bad_news import SAME_AGAIN, BadNews, note_bad_news, open_bad_news
from valueplatform.stewardship.digests.content import Digest
from valueplatform.stewardship.digests.due import tell_steward

BEHIND, AHEAD = plain(500, 30000), plain(1500, 30000)
DAY = timedelta(days=1)


@pytest.fixture
async def harbor(databases: Databases) -> Readers:
    return await readers(databases)


async def note(harbor: Readers, facts: AccountFacts, *, message: bool = False) -> Sequence[BadNews]:
    """What the worker does once the story is told."""
    found = list(admitted(facts).values())
    stories: dict[Audience, StoryDocument] = {
        audience: compose(facts, found, audience) for audience in (Audience.CUSTOMER, Audience.EXECUTIVE)
    }
    async with harbor.databases.worker.transaction(accounts_or_all([harbor.account_id])) as tx:
        new = await note_bad_news(tx, harbor.account_id, found, stories, harbor.clock())
        if message:
            await tell_steward(tx, harbor.account_id, facts, new)
    return new


async def still(harbor: Readers) -> dict[str, datetime]:
    async with harbor.databases.worker.transaction(accounts_or_all([harbor.account_id])) as tx:
        return {one.insight_id: one.told_at for one in await open_bad_news(tx, harbor.account_id)}


async def test_a_story_that_is_behind_is_bad_news_and_one_that_is_ahead_is_not(harbor: Readers) -> None:
    assert await note(harbor, AHEAD) == ()
    new = await note(harbor, BEHIND)

    assert new
    assert all(one.text for one in new)
    kinds = {one.insight.kind for one in admitted(BEHIND).values() if one.id in {news.insight_id for news in new}}
    assert "attainment" in kinds


async def test_it_is_told_once_while_it_holds(harbor: Readers) -> None:
    first = await note(harbor, BEHIND)
    at = await still(harbor)
    harbor.clock.advance(DAY)

    assert await note(harbor, BEHIND) == ()
    assert await still(harbor) == at
    assert set(at) == {one.insight_id for one in first}


async def test_what_comes_back_within_a_week_is_the_same_news_and_gains_no_time(harbor: Readers) -> None:
    await note(harbor, BEHIND)
    at = await still(harbor)
    harbor.clock.advance(DAY)
    await note(harbor, AHEAD)
    assert await still(harbor) == {}
    harbor.clock.advance(SAME_AGAIN - timedelta(seconds=1))

    assert await note(harbor, BEHIND) == ()
    assert await still(harbor) == at


async def test_what_comes_back_later_is_told_again(harbor: Readers) -> None:
    first = await note(harbor, BEHIND)
    harbor.clock.advance(DAY)
    await note(harbor, AHEAD)
    harbor.clock.advance(SAME_AGAIN)

    assert {one.insight_id for one in await note(harbor, BEHIND)} == {one.insight_id for one in first}


async def test_the_steward_who_asked_is_sent_it_at_once_and_once(harbor: Readers) -> None:
    await harbor.tell()
    await harbor.choose(STEWARD, msgspec.structs.replace(DAILY, bad_news=True))
    for _ in range(3):
        await note(harbor, BEHIND, message=True)
        harbor.clock.advance(DAY)
    (row,) = await harbor.rows("SELECT kind, channel, body, user_id FROM digest")
    digest = msgspec.convert(row["body"], Digest)

    assert (row["kind"], row["channel"]) == ("bad-news", "email")
    assert digest.lines
    assert all(line.path.startswith(("/accounts/harbor/story", "/proof/")) for line in digest.lines)


@pytest.mark.parametrize("asked", [DAILY, msgspec.structs.replace(DAILY, bad_news=True)])
async def test_nobody_is_sent_it_who_did_not_ask_or_is_not_the_steward(harbor: Readers, asked: object) -> None:
    await harbor.tell()
    await harbor.choose(STEWARD)
    await harbor.choose(CHAMPION, msgspec.convert(asked, type(DAILY), from_attributes=True))
    await note(harbor, BEHIND, message=True)

    assert await harbor.rows("SELECT 1 FROM digest") == []
