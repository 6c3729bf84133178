"""Members are written once, and no process goes on believing in one that has been removed."""

import asyncio
import random
from datetime import date
from typing import Any

from tests.conftest import Databases
from tests.telemetry.factories import (
    METERS,
    apply_meters,
    cloud_event,
    execute,
    recounted,
    request_of,
    rows,
    stored_rollups,
    until_someone_waits,
)
from tests.telemetry.test_retraction import take_back
from valueplatform.core.authorization import operator_scope
from valueplatform.core.database import lock_model_exclusive
from valueplatform.core.errors import NotFoundError
from valueplatform.core.scope import no_accounts
from valueplatform.telemetry.group_commit import commit_requests
from valueplatform.telemetry.members import KnownMembers, Sighting
from valueplatform.telemetry.rebuilding import rebuild_rollups
from valueplatform.telemetry.storing import Ledger, store

KEY = (1, "users", date(2026, 6, 1), "supplier", ("north",))
OTHER = (2, "users", date(2026, 6, 1), "supplier", ())


async def put(databases: Databases, ledger: Ledger, *events: dict[str, Any]) -> None:
    """Store events as the process that keeps this ledger."""
    await commit_requests(databases.ingest, [request_of(events)], ledger)


async def members(databases: Databases) -> list[str]:
    return [row["member"] for row in await rows(databases, "SELECT member FROM rollup_member ORDER BY member")]


async def test_a_member_that_another_process_has_removed_is_written_again(databases: Databases) -> None:
    await apply_meters(databases)
    ledger = Ledger()
    await put(databases, ledger, cloud_event(id="1"))
    await put(databases, ledger, cloud_event(id="2", type="login", data={"user": "lee"}))
    await take_back(databases, "1")
    assert await members(databases) == ["lee"]
    await put(databases, ledger, cloud_event(id="3"))
    assert await members(databases) == ["kim", "lee"]
    assert await stored_rollups(databases) == await recounted(databases)


async def test_a_member_that_was_removed_by_hand_is_written_again(databases: Databases) -> None:
    await apply_meters(databases)
    ledger = Ledger()
    await put(databases, ledger, cloud_event())
    for statement in ("DELETE FROM rollup_member", "TRUNCATE rollup_member", "UPDATE rollup_member SET member = 'z'"):
        await execute(databases, statement)
        await put(databases, ledger, cloud_event())
        assert "kim" in await members(databases)


async def test_a_member_that_is_known_is_not_written_again(databases: Databases) -> None:
    await apply_meters(databases)
    ledger = Ledger()
    await put(databases, ledger, cloud_event())
    await execute(databases, "ALTER TABLE rollup_member ADD CHECK (member <> 'kim') NOT VALID")  # refuses to write it
    await put(databases, ledger, cloud_event())
    assert await stored_rollups(databases) == await recounted(databases)


async def test_a_member_whose_transaction_failed_is_not_remembered(databases: Databases) -> None:
    await apply_meters(databases)
    ledger = Ledger()
    await execute(databases, "ALTER TABLE ingest_tally RENAME TO gone")  # fails after members were written
    outcome = await asyncio.gather(put(databases, ledger, cloud_event()), return_exceptions=True)
    assert isinstance(outcome[0], Exception)
    await execute(databases, "ALTER TABLE gone RENAME TO ingest_tally")
    await put(databases, ledger, cloud_event())
    assert await members(databases) == ["kim"]


async def test_ingest_that_waits_for_a_retraction_writes_what_that_removed(databases: Databases) -> None:
    await apply_meters(databases)
    ledger = Ledger()
    await put(databases, ledger, cloud_event(id="1"))
    async with databases.admin.engine.connect() as connection:
        # The retraction is held up at its last step, after the member is gone.
        await connection.exec_driver_sql("LOCK TABLE changed_day IN EXCLUSIVE MODE")
        gone = asyncio.create_task(take_back(databases, "1"))
        await until_someone_waits(databases)
        late = asyncio.create_task(put(databases, ledger, cloud_event(id="2")))
        await until_someone_waits(databases, 2)
        await connection.rollback()
    await gone
    await late
    assert await members(databases) == ["kim"]
    assert await stored_rollups(databases) == await recounted(databases)


async def test_a_retraction_that_waits_for_ingest_keeps_what_that_added(databases: Databases) -> None:
    await apply_meters(databases)
    ledger = Ledger()
    await put(databases, ledger, cloud_event(id="1"))
    async with databases.ingest.transaction(no_accounts()) as tx:
        stored = await store(tx, [request_of([cloud_event(id="2")])], ledger)
        gone = asyncio.create_task(take_back(databases, "1"))
        await until_someone_waits(databases)
    ledger.members.remember(stored.seen)
    await gone
    assert await members(databases) == ["kim"]
    assert await stored_rollups(databases) == await recounted(databases)


async def test_meters_made_anew_leave_no_process_with_members_of_before(databases: Databases) -> None:
    await apply_meters(databases)
    ledger = Ledger()
    await put(databases, ledger, cloud_event(id="1"))
    await execute(databases, "DELETE FROM event")
    async with databases.worker.transaction(operator_scope()) as tx:
        await lock_model_exclusive(tx)
        await rebuild_rollups(tx, METERS)
    assert await members(databases) == []
    await put(databases, ledger, cloud_event(id="2"))
    assert await members(databases) == ["kim"]


async def test_processes_that_store_and_retract_at_once_agree_with_a_recount(databases: Databases) -> None:
    await apply_meters(databases)
    draw = random.Random(7)
    ledgers = [Ledger(), Ledger(), Ledger()]
    names = [str(number) for number in range(240)]

    async def life(name: str) -> None:
        data = {"user": draw.choice("abcd"), "team": draw.choice("ns"), "channel": "app"}
        await put(databases, draw.choice(ledgers), cloud_event(id=name, data=data))
        if draw.random() < 0.6:
            await take_back(databases, name)

    for start in range(0, len(names), 6):
        outcomes = await asyncio.gather(*(life(name) for name in names[start : start + 6]), return_exceptions=True)
        assert all(outcome is None or isinstance(outcome, NotFoundError) for outcome in outcomes)
    assert await stored_rollups(databases) == await recounted(databases)


def test_what_is_remembered_is_bounded_and_the_rows_asked_for_longest_ago_go_first() -> None:
    known = KnownMembers(most=3)
    first, second = Sighting((1,), {KEY: {"a", "b"}}), Sighting((1,), {OTHER: {"a", "c"}})
    assert known.unknown(first) == {KEY: {"a", "b"}}
    known.remember(first)
    assert known.unknown(first) == {}
    known.remember(second)
    assert known.unknown(Sighting((1,), {KEY: {"a"}, OTHER: {"a", "d"}})) == {KEY: {"a"}, OTHER: {"d"}}


def test_what_was_seen_before_a_removal_is_not_believed_after_it() -> None:
    known = KnownMembers()
    early = Sighting((1,), {KEY: {"a"}})
    known.unknown(early)
    assert known.unknown(Sighting((2,), {KEY: {"a"}})) == {KEY: {"a"}}
    known.remember(early)
    assert known.unknown(Sighting((2,), {KEY: {"a"}})) == {KEY: {"a"}}
