"""The catalog is exact in the end, in whatever pieces it is counted, whoever counts, and whatever breaks."""

import asyncio
from datetime import datetime
from typing import Any

import pytest

from tests.conftest import Databases
from tests.telemetry.factories import apply_meters, cloud_event, execute, make_account, rows, scalar, send, to_zones
from valueplatform.core.scope import grant_accounts, grant_all
from valueplatform.telemetry import catalog_count
from valueplatform.telemetry.catalog import Tally
from valueplatform.telemetry.catalog_count import BUDGET, count_some, note_marks
from valueplatform.telemetry.requests import Sender
from valueplatform.telemetry.retraction import retract
from valueplatform.value.accrual_store import take_changes

HTTP = Sender("http", "supplier")


async def step(databases: Databases, budget: int = BUDGET) -> bool:
    async with databases.worker.transaction(grant_all()) as tx:
        return await count_some(tx, budget)


async def count_all(databases: Databases, budget: int = BUDGET) -> int:
    """Until there is nothing left; in how many steps."""
    async with databases.worker.transaction(grant_all()) as tx:
        await note_marks(tx)
    steps = 1
    while await step(databases, budget):
        steps += 1
    return steps


async def types(databases: Databases) -> dict[tuple[str, str], int]:
    """Events by account and type."""
    found = await rows(databases, "SELECT key, type, c.events FROM catalog_type c JOIN account USING (account_id)")
    return {(one["key"], one["type"]): one["events"] for one in found}


async def properties(databases: Databases) -> dict[str, tuple[int, list[str]]]:
    found = await rows(
        databases, "SELECT path, sum(events)::int AS n, min(kinds) AS kinds FROM catalog_property GROUP BY path"
    )
    return {one["path"]: (one["n"], one["kinds"]) for one in found}


async def test_before_there_is_a_model_everything_is_counted(databases: Databases) -> None:
    await send(databases, *(cloud_event(type=f"t{n % 3}", account=f"a{n % 2}") for n in range(12)))
    await count_all(databases)
    assert await types(databases) == {(f"a{a}", f"t{t}"): 2 for a in range(2) for t in range(3)}
    assert await scalar(databases, "SELECT count(*) FROM changed_day WHERE cause = 'events'") > 0


async def test_marks_that_the_worker_has_taken_are_counted_and_no_mark_twice(databases: Databases) -> None:
    await apply_meters(databases)
    account_id = await make_account(databases, "acme")
    await send(databases, cloud_event(id="a"))
    async with databases.worker.transaction(grant_accounts([account_id])) as tx:
        assert await take_changes(tx, account_id)
    await send(databases, cloud_event(id="b"))
    async with databases.worker.transaction(grant_all()) as tx:
        await note_marks(tx)
    async with databases.worker.transaction(grant_accounts([account_id])) as tx:
        assert await take_changes(tx, account_id)
    assert await scalar(databases, "SELECT count(*) FROM catalog_due") == 2
    await count_all(databases)
    assert await types(databases) == {("acme", "job.done"): 2}


async def test_marks_that_leave_events_as_they_are_ask_for_nothing(databases: Databases) -> None:
    account_id = await make_account(databases, "acme")
    await execute(
        databases,
        "INSERT INTO changed_day (account_id, day, through, cause)"
        f" VALUES ({account_id}, '0001-01-01', '9999-12-31', 'model:1')",
    )
    async with databases.worker.transaction(grant_all()) as tx:
        assert await note_marks(tx) == 0
        await take_changes(tx, account_id)
    assert await scalar(databases, "SELECT count(*) FROM catalog_due") == 0


@pytest.mark.parametrize("budget", [1, 2, 7, BUDGET])
async def test_odd_data_is_counted_in_steps_of_any_size(databases: Databases, budget: int) -> None:
    odd: list[Any] = [
        None,
        {"größe": 1, "📦": "x", "a.b": 1, "a": {"b": 2, "c": {"d": {"e": 1}}}},
        {"list": [1, {"x": 2}], "n": None, "t": "12.50", "huge": 10**300},
        {f"k{n:03}": n for n in range(300)},
        {"a": {"b": "deep"}, "n": True},
    ]
    days = ["2026-05-30", "2026-05-31", "2026-06-01"]
    events = [cloud_event(data=data, time=f"{day}T10:00:00Z") for data in odd for day in days]
    await send(databases, *events)
    steps = await count_all(databases, budget)
    assert (steps > 1) == (budget < 15)
    assert await types(databases) == {("acme", "job.done"): 15}
    found = await properties(databases)
    assert found["a.b"] == (6, ["number", "text"])
    assert len(found) == 200
    assert await scalar(databases, "SELECT crowded FROM catalog_type")
    assert await scalar(databases, "SELECT count(*) FROM catalog_look") == 0
    assert await scalar(databases, "SELECT count(*) FROM catalog_day WHERE fresh") == 0


async def test_what_is_taken_back_goes(databases: Databases) -> None:
    await send(
        databases,
        cloud_event(id="a", data={"x": 1}),
        cloud_event(id="b", data={"y": 1}),
        cloud_event(id="c", type="rare"),
    )
    await count_all(databases)
    for event_id in ("b", "c"):
        async with databases.ingest.transaction(grant_all()) as tx:
            await retract(tx, HTTP, "/app", event_id)
    await count_all(databases)
    assert await types(databases) == {("acme", "job.done"): 1}
    assert await properties(databases) == {"x": (1, ["number"])}


async def test_a_duplicate_is_counted_once_and_counting_again_changes_nothing(databases: Databases) -> None:
    event = cloud_event(id="a")
    await send(databases, event)
    await count_all(databases)
    before = await rows(databases, "SELECT * FROM catalog_property ORDER BY path")
    await send(databases, event)
    await execute(
        databases, "INSERT INTO catalog_due (account_id, day, through) SELECT account_id, utc_day, utc_day FROM event"
    )
    await count_all(databases)
    assert await rows(databases, "SELECT * FROM catalog_property ORDER BY path") == before


async def test_two_workers_at_once_count_everything_once(databases: Databases) -> None:
    await send(databases, *(cloud_event(account=f"a{n % 5}") for n in range(100)))
    await asyncio.gather(count_all(databases, 7), count_all(databases, 5))
    await count_all(databases)
    assert await types(databases) == {(f"a{n}", "job.done"): 20 for n in range(5)}


async def test_events_that_come_in_while_a_stretch_is_counted_are_counted_in_the_end(databases: Databases) -> None:
    await send(databases, *(cloud_event() for _ in range(20)))
    async with databases.worker.transaction(grant_all()) as tx:
        await note_marks(tx)
    assert await step(databases, 5)
    await send(databases, *(cloud_event(type=kind) for kind in ("a.first", "job.done", "z.last")))
    await count_all(databases, 5)
    assert await types(databases) == {("acme", "job.done"): 21, ("acme", "a.first"): 1, ("acme", "z.last"): 1}


async def test_what_was_counted_before_stands_until_the_new_count_is_whole(databases: Databases) -> None:
    await send(databases, *(cloud_event() for _ in range(20)))
    await count_all(databases)
    await send(databases, cloud_event())
    async with databases.worker.transaction(grant_all()) as tx:
        await note_marks(tx)
    assert await step(databases, 5)
    assert await types(databases) == {("acme", "job.done"): 20}
    await count_all(databases, 5)
    assert await types(databases) == {("acme", "job.done"): 21}


async def test_a_crash_in_the_middle_loses_nothing_and_doubles_nothing(
    databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    await send(databases, *(cloud_event(type=f"t{n % 2}") for n in range(40)))
    async with databases.worker.transaction(grant_all()) as tx:
        await note_marks(tx)
    assert await step(databases, 15)

    async def crash(*_: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as broken:
        broken.setattr(catalog_count, "_sum_up", crash)
        with pytest.raises(ZeroDivisionError):
            await step(databases)
    assert await types(databases) == {}
    await count_all(databases)
    assert await types(databases) == {("acme", "t0"): 20, ("acme", "t1"): 20}


async def test_a_step_does_no_more_than_its_budget(databases: Databases, monkeypatch: pytest.MonkeyPatch) -> None:
    await send(databases, *(cloud_event() for _ in range(50)))
    async with databases.worker.transaction(grant_all()) as tx:
        await note_marks(tx)
    read: list[object] = []
    add = Tally.add

    def counting(tally: Tally, time: datetime, data: object) -> None:
        read.append(data)
        add(tally, time, data)

    monkeypatch.setattr(Tally, "add", counting)
    assert await step(databases, 20)
    assert 0 < len(read) <= 20


async def test_days_that_a_new_zone_moves_are_counted_on_their_new_days(databases: Databases) -> None:
    await make_account(databases, "acme")
    await send(databases, cloud_event(time="2026-06-01T02:00:00Z"))
    await count_all(databases)
    await to_zones(databases, {"acme": "America/New_York"})
    await count_all(databases)
    (found,) = await rows(databases, "SELECT DISTINCT first_day::text, last_day::text FROM catalog_property")
    assert set(found.values()) == {"2026-05-31"}
