"""From what comes in to the sentence beside the figures, on the real database, and back to the raw events."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text

from tests.conftest import Databases
from tests.telemetry.factories import HTTP, cloud_event, send
from tests.value.factories import NOW, new_account, put_model
from valueplatform.core.scope import grant_accounts, grant_all, no_accounts
from valueplatform.narrative.document import Audience, Note
from valueplatform.narrative.proofs import prove_insight, read_insight
from valueplatform.narrative.store import newest_story
from valueplatform.narrative.verification import verify_insights
from valueplatform.telemetry.retraction import retract
from valueplatform.value.proof_record import read_source
from valueplatform.worker import Worker

SAID = "no events from segment for 6\N{NO-BREAK SPACE}days"


async def put(databases: Databases, days: range, source: str = "segment", kind: str = "job.dispatched") -> None:
    for ago in sorted(days, reverse=True):
        moment = NOW - timedelta(days=ago)
        data = {"minutes": 3, "crew": "red"}
        event = cloud_event(
            id=f"{source}-{ago}", source=source, type=kind, account="harbor", time=moment.isoformat(), data=data
        )
        await send(databases, event, now=moment)


async def notes(databases: Databases, account_id: int, audience: Audience = Audience.CUSTOMER) -> list[Note]:
    async with databases.worker.transaction(grant_accounts([account_id])) as tx:
        story = await newest_story(tx, account_id, audience)
    assert story is not None
    return [note for chapter in story.document.chapters for note in chapter.notes if note.title == "Data is missing"]


async def worked(databases: Databases, account_id: int, now: datetime = NOW) -> None:
    worker = Worker(databases.worker, lambda: now)
    await worker.drain()
    await worker.upkeep.examine(account_id, now)
    await worker.drain()


@pytest.fixture
async def harbor(databases: Databases) -> int:
    """Its one source fell silent six days ago."""
    await put_model(databases)
    account_id = await new_account(databases)
    await put(databases, range(7, 50))
    await worked(databases, account_id)
    return account_id


def said(note: Note) -> str:
    return "".join(span.text for span in note.spans)


async def test_a_source_that_fell_silent_is_told_beside_the_figures_and_each_number_opens(
    databases: Databases, harbor: int
) -> None:
    (note,) = await notes(databases, harbor)
    assert SAID in said(note)
    async with databases.worker.transaction(grant_accounts([harbor])) as tx:
        stored = await read_insight(tx, note.insight_id)
        for name, stated in (("quiet", Decimal(6)), ("sent", Decimal(0))):
            proof = await prove_insight(tx, stored, number=name)
            assert (proof.agrees, Decimal(proof.stated), proof.formula) == (True, stated, "events of segment")
        source = await read_source(tx, harbor)
        assert source is not None
        assert (await verify_insights(tx, source))[1] == []


async def test_a_count_that_is_not_the_raw_events_is_found_by_verify(databases: Databases, harbor: int) -> None:
    async with databases.admin.transaction(grant_all()) as tx:
        move = """
            UPDATE event SET time = time + interval '6 days', utc_day = utc_day + 6
            WHERE utc_day = (SELECT max(utc_day) FROM event)
        """
        await tx.execute(text(move))
        source = await read_source(tx, harbor)
        assert source is not None
        differ = {one.where.rpartition(" ")[2] for one in (await verify_insights(tx, source))[1]}
    assert {"quiet", "sent"} <= differ


async def test_it_is_gone_with_the_first_event_that_comes_again(databases: Databases, harbor: int) -> None:
    await put(databases, range(1))
    await Worker(databases.worker, lambda: NOW).drain()
    assert await notes(databases, harbor) == [], "the finding is still open, and nothing bears it out"
    await worked(databases, harbor)
    async with databases.worker.transaction(grant_all()) as tx:
        assert await tx.scalar(text("SELECT count(*) FROM quality_finding WHERE ended_at IS NULL")) == 0


async def test_an_event_that_is_taken_back_has_not_come(databases: Databases, harbor: int) -> None:
    await put(databases, range(1))
    await worked(databases, harbor)
    async with databases.ingest.transaction(no_accounts()) as tx:
        await retract(tx, HTTP, "segment", "segment-0")
    await worked(databases, harbor)
    (note,) = await notes(databases, harbor)
    assert SAID in said(note)


async def test_a_source_that_feeds_no_driver_touches_no_figure(databases: Databases, harbor: int) -> None:
    await put(databases, range(1, 50), kind="login", source="other")
    await put(databases, range(7), source="segment")
    await worked(databases, harbor)
    await worked(databases, harbor, NOW + timedelta(days=6))
    texts = [said(note) for note in await notes(databases, harbor)]
    assert any("segment" in one for one in texts)
    assert not any("other" in one for one in texts)


async def test_whoever_is_told_in_one_line_is_spared_the_caveat(databases: Databases, harbor: int) -> None:
    assert len(await notes(databases, harbor, Audience.STEWARD)) == 1
    assert await notes(databases, harbor, Audience.EXECUTIVE) == []
