"""Drafts go to a model beside the worker's work, and what holds is told in the next story."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import insert, text

from tests.conftest import Databases
from tests.narrative.rewording.stand_in import response, stand_in
from tests.value.factories import NOW, new_account, put_events, put_model
from valueplatform.accounts.tables import person
from valueplatform.core.scope import grant_accounts, grant_all
from valueplatform.core.settings import RewordingSettings
from valueplatform.narrative.document import Audience, StoryDocument
from valueplatform.narrative.rewording.run import reword_some
from valueplatform.narrative.rewording.store import MOST_TRIES
from valueplatform.narrative.since import told
from valueplatform.narrative.store import StoredStory, newest_story
from valueplatform.worker import Worker

NOON = datetime(2026, 5, 4, 16, tzinfo=UTC)


def honest(draft: str) -> str:
    """Says the same in another order."""
    return re.sub(r"^You have (.*?) since (\d+ \w+ \d+), (.*)$", r"Since \2, you have \1, \3", draft)


async def an_account(databases: Databases) -> int:
    await put_model(databases)
    account_id = await new_account(databases, "harbor")
    await put_events(databases, account_id, [(NOON - timedelta(days=i), {"minutes": 3}) for i in range(40)])
    return account_id


async def story(databases: Databases, account_id: int) -> StoredStory:
    async with databases.web.transaction(grant_accounts([account_id])) as tx:
        found = await newest_story(tx, account_id, Audience.CUSTOMER)
    assert found is not None
    return found


async def kept(databases: Databases) -> list[Any]:
    async with databases.worker.transaction(grant_all()) as tx:
        return list(await tx.rows(text("SELECT * FROM rewording ORDER BY draft")))


def texts(document: StoryDocument) -> list[str]:
    return [sentence.text for sentence in told(document)]


def own_texts(document: StoryDocument) -> list[str]:
    return ["".join(span.text for span in sentence.own_words) for sentence in told(document)]


async def test_without_a_model_nothing_is_kept_and_nothing_is_asked(databases: Databases) -> None:
    await an_account(databases)
    await Worker(databases.worker, lambda: NOW).drain()
    assert await kept(databases) == []


async def test_a_rewording_that_says_the_same_is_told_and_no_new_version_is_made(databases: Databases) -> None:
    account_id = await an_account(databases)
    async with stand_in(honest) as other:
        settings = RewordingSettings(other.url, "small")
        worker = Worker(databases.worker, lambda: NOW, rewording=settings)
        await worker.drain()
        before = await story(databases, account_id)
        assert await reword_some(databases.worker, grant_all(), settings, NOW) > 0
        await worker.drain()
        asked = len(other.asked)
        assert await reword_some(databases.worker, grant_all(), settings, NOW) == 0
    after = await story(databases, account_id)
    assert before.version == after.version
    assert own_texts(after.document) == texts(before.document)
    assert after.document.headline.text.startswith("Since 26 Mar 2026, you have gained about $330")
    assert after.document.headline.plain == before.document.headline.spans
    assert len(other.asked) == asked


async def test_no_number_and_no_person_leaves_the_program(databases: Databases) -> None:
    account_id = await an_account(databases)
    async with databases.worker.transaction(grant_all()) as tx:
        await tx.execute(
            insert(person).values(account_id=account_id, email="m@x.example", name="Mina Ortiz", role="validator")
        )
    async with stand_in(honest) as other:
        settings = RewordingSettings(other.url, "small")
        await Worker(databases.worker, lambda: NOW, rewording=settings).drain()
        while await reword_some(databases.worker, grant_all(), settings, NOW):
            pass
    told_now = await story(databases, account_id)
    figures = {span.text for sentence in told(told_now.document) for span in sentence.spans if span.name}
    assert other.drafts
    for draft in other.drafts:
        assert "Mina" not in draft
        assert not [figure for figure in figures if figure in draft]


async def test_a_lying_model_changes_no_word(databases: Databases) -> None:
    account_id = await an_account(databases)
    async with stand_in(lambda draft: draft + " This was caused by our product.") as other:
        settings = RewordingSettings(other.url, "liar")
        worker = Worker(databases.worker, lambda: NOW, rewording=settings)
        await worker.drain()
        before = await story(databases, account_id)
        while await reword_some(databases.worker, grant_all(), settings, NOW):
            pass
        await worker.drain()
    after = await story(databases, account_id)
    assert after.document.headline.plain == ()
    assert texts(after.document) == texts(before.document)
    rows = await kept(databases)
    assert {row.state for row in rows} == {"refused"}
    assert all("'caused' is added" in row.reason for row in rows)


async def test_an_accepted_answer_that_was_altered_in_the_database_is_not_told(databases: Databases) -> None:
    account_id = await an_account(databases)
    async with stand_in(honest) as other:
        settings = RewordingSettings(other.url, "small")
        worker = Worker(databases.worker, lambda: NOW, rewording=settings)
        await worker.drain()
        await reword_some(databases.worker, grant_all(), settings, NOW)
        async with databases.worker.transaction(grant_all()) as tx:
            await tx.execute(text("UPDATE rewording SET answer = answer || ' It doubled.'"))
        await worker.drain()
    after = await story(databases, account_id)
    assert all(sentence.plain == () for sentence in told(after.document))


async def test_a_model_that_is_away_is_asked_again_later_each_time_and_then_left_alone(databases: Databases) -> None:
    await an_account(databases)
    now = NOW
    async with stand_in(lambda _draft: response("x", "500 Oops")) as other:
        settings = RewordingSettings(other.url, "small")
        await Worker(databases.worker, lambda: NOW, rewording=settings).drain()
        first = await reword_some(databases.worker, grant_all(), settings, now)
        assert first
        assert await reword_some(databases.worker, grant_all(), settings, now) == 0
        for _ in range(MOST_TRIES):
            now += timedelta(days=2)
            await reword_some(databases.worker, grant_all(), settings, now)
    rows = await kept(databases)
    assert {(row.state, row.reason) for row in rows} == {("refused", "status 500")}
    assert len(other.asked) == first * MOST_TRIES
