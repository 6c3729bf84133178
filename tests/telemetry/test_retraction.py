import asyncio

import pytest

from tests.conftest import Databases
from tests.telemetry.factories import (
    HTTP,
    apply_meters,
    cloud_event,
    make_account,
    recounted,
    rows,
    scalar,
    send,
    stored_rollups,
)
from valueplatform.core.errors import NotFoundError
from valueplatform.core.scope import no_accounts
from valueplatform.telemetry.requests import Sender
from valueplatform.telemetry.retraction import retract


async def take_back(databases: Databases, event_id: str, source: str = "/app", sender: Sender = HTTP) -> None:
    async with databases.ingest.transaction(no_accounts()) as tx:
        await retract(tx, sender, source, event_id)


async def test_a_retracted_event_leaves_nothing_behind_but_its_key(databases: Databases) -> None:
    await apply_meters(databases)
    await send(databases, cloud_event(id="1", data={"minutes": "x", "user": "kim"}))
    await take_back(databases, "1")
    for table in ("event", "rollup", "rollup_member", "rollup_unmetered"):
        assert await scalar(databases, f"SELECT count(*) FROM {table}") == 0
    assert await scalar(databases, "SELECT count(*) FROM event_key") == 1
    causes = await rows(databases, "SELECT cause FROM changed_day ORDER BY mark_id")
    assert [row["cause"] for row in causes] == ["events", "retraction"]


async def test_what_others_added_stays(databases: Databases) -> None:
    await apply_meters(databases)
    data = {"minutes": 2.5, "user": "kim", "team": "n", "channel": "app"}
    await send(databases, *[cloud_event(id=str(number), data=data) for number in range(3)])
    await take_back(databases, "1")
    assert await stored_rollups(databases) == await recounted(databases)
    assert await scalar(databases, "SELECT total FROM rollup WHERE meter = 'minutes'") == 5
    assert await scalar(databases, "SELECT member FROM rollup_member") == "kim"


async def test_sent_again_a_retracted_event_is_a_duplicate_and_stays_out(databases: Databases) -> None:
    await apply_meters(databases)
    event = cloud_event(id="1")
    await send(databases, event)
    await take_back(databases, "1")
    assert (await send(databases, event)).duplicates == 1
    assert (await send(databases, cloud_event(id="1", type="x"))).conflicts == 1
    assert await scalar(databases, "SELECT count(*) FROM event") == 0


async def test_an_event_is_retracted_once_even_by_many_at_once(databases: Databases) -> None:
    await apply_meters(databases)
    await send(databases, cloud_event(id="1"), cloud_event(id="2"))
    outcomes = await asyncio.gather(*(take_back(databases, "1") for _ in range(8)), return_exceptions=True)
    assert sum(outcome is None for outcome in outcomes) == 1
    assert all(outcome is None or isinstance(outcome, NotFoundError) for outcome in outcomes)
    assert await stored_rollups(databases) == await recounted(databases)


async def test_a_sender_takes_back_its_own_only(databases: Databases) -> None:
    await make_account(databases, "other")
    await send(databases, cloud_event(id="1"))
    other = await scalar(databases, "SELECT account_id FROM account WHERE key = 'other'")
    for stranger in (
        Sender("http", "supplier", sources=frozenset({"/b"})),
        Sender("http", "supplier", account_ids=frozenset({other})),
        Sender("http", "partner"),
    ):
        with pytest.raises(NotFoundError):
            await take_back(databases, "1", sender=stranger)
    for event_id, source in (("2", "/app"), ("1", "/b")):
        with pytest.raises(NotFoundError):
            await take_back(databases, event_id, source)
    assert await scalar(databases, "SELECT count(*) FROM event") == 1
