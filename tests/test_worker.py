"""The continuous path on the real database: marks become amounts and stories, once, whoever is working."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url
from structlog.testing import capture_logs

from tests.conftest import Databases
from tests.core.factories import SetClock
from tests.telemetry.factories import cloud_event, execute, rows, send
from tests.value.factories import NOW, mark, new_account, put_events, put_model
from valueplatform.core.database import Transaction, lock_account, unavailable
from valueplatform.core.scope import grant_accounts, grant_all
from valueplatform.narrative.document import Audience
from valueplatform.narrative.store import newest_story
from valueplatform.narrative.telling import tell
from valueplatform.telemetry.archiving import Archived, archive_events, due_archiving
from valueplatform.telemetry.findings import ALL_ACCOUNTS
from valueplatform.telemetry.quality import Found
from valueplatform.telemetry.recent_events import KEPT
from valueplatform.worker import CATALOG_CHANGED, CATALOG_REST, CHANNEL, Worker

NOON = datetime(2026, 5, 4, 16, tzinfo=UTC)


async def counts(databases: Databases) -> dict[str, int]:
    async with databases.worker.transaction(grant_all()) as tx:
        tables = ("changed_day", "accrual", "story", "insight")
        return {table: int(await tx.scalar(text(f"SELECT count(*) FROM {table}"))) for table in tables}


async def an_account_with_events(databases: Databases, key: str = "harbor", days: int = 40) -> int:
    account_id = await new_account(databases, key)
    await put_events(databases, account_id, [(NOON - timedelta(days=i), {"minutes": 3}) for i in range(days)])
    return account_id


async def test_a_mark_becomes_amounts_and_a_story_for_each_reader(databases: Databases) -> None:
    await put_model(databases)
    account_id = await an_account_with_events(databases)
    worker = Worker(databases.worker, lambda: NOW)
    assert await worker.drain() == 1
    found = await counts(databases)
    assert found["changed_day"] == 0
    assert found["accrual"] == 40
    assert found["story"] == 3
    async with databases.web.transaction(grant_accounts([account_id])) as tx:
        story = await newest_story(tx, account_id, Audience.CUSTOMER)
    assert story is not None
    assert "about" in story.document.headline.text


async def test_nothing_changed_is_nothing_done(databases: Databases) -> None:
    await put_model(databases)
    account_id = await an_account_with_events(databases)
    worker = Worker(databases.worker, lambda: NOW)
    await worker.drain()
    before = await counts(databases)
    assert await worker.drain() == 0
    assert not await worker.serve(account_id)
    assert await counts(databases) == before


async def test_two_workers_at_once_serve_every_account_exactly_once(databases: Databases) -> None:
    await put_model(databases)
    for number in range(6):
        await an_account_with_events(databases, f"account-{number}", days=5)
    first, second = Worker(databases.worker, lambda: NOW), Worker(databases.worker, lambda: NOW)
    served = await asyncio.gather(first.drain(), second.drain())
    assert sum(served) == 6
    async with databases.worker.transaction(grant_all()) as tx:
        versions = await tx.rows(text("SELECT account_id, max(version) AS v FROM story GROUP BY account_id"))
    assert [row.v for row in versions] == [1] * 6


async def test_a_mark_that_comes_while_an_account_is_served_is_served_after(databases: Databases) -> None:
    await put_model(databases)
    account_id = await an_account_with_events(databases, days=3)
    worker = Worker(databases.worker, lambda: NOW)
    async with databases.worker.transaction(grant_accounts([account_id])) as tx:
        await lock_account(tx, account_id)
        assert not await worker.serve(account_id)  # somebody else has the account
    assert await worker.serve(account_id)


async def test_accounts_with_an_open_page_come_first_and_others_wait_their_minute(databases: Databases) -> None:
    await put_model(databases)
    watched, quiet = [await an_account_with_events(databases, key, days=2) for key in ("watched", "quiet")]
    now = NOW
    worker = Worker(databases.worker, lambda: now)
    await worker.drain()
    async with databases.web.transaction(grant_accounts([watched])) as tx:
        page = text("INSERT INTO open_page (account_id, page_id, seen_at) VALUES (:a, gen_random_uuid(), :now)")
        await tx.execute(page, {"a": watched, "now": now})
    now = NOW + timedelta(seconds=10)
    for account_id in (watched, quiet):
        await put_events(databases, account_id, [(NOON, {"minutes": 5})])
    assert await worker.serve_due() == 1
    assert await worker.serve_due() == 0
    now = NOW + timedelta(seconds=61)
    assert await worker.serve_due() == 1
    assert (await counts(databases))["changed_day"] == 0


async def test_pages_are_told_of_a_new_version_and_of_nothing_else(databases: Databases) -> None:
    await put_model(databases)
    account_id = await an_account_with_events(databases)
    url = make_url(databases.url)
    connection = await asyncpg.connect(host=str(url.query["host"]), user="postgres", database=url.database)
    heard: list[str] = []
    await connection.add_listener(CHANNEL, lambda *message: heard.append(str(message[-1])))
    worker = Worker(databases.worker, lambda: NOW)
    await worker.drain()
    await connection.execute("SELECT 1")
    assert heard == [f"{account_id}:1"]
    async with databases.worker.transaction(grant_accounts([account_id])) as tx:
        same = text("INSERT INTO changed_day (account_id, day, through, cause) VALUES (:a, :d, :d, 'events')")
        await tx.execute(same, {"a": account_id, "d": NOON.date()})
    await worker.drain()
    await connection.execute("SELECT 1")
    await connection.close()
    assert heard == [f"{account_id}:1"]


async def test_a_new_local_day_is_a_change_for_accounts_that_were_served_the_day_before(databases: Databases) -> None:
    await put_model(databases)
    await an_account_with_events(databases)
    now = datetime(2026, 6, 16, 3, 59, tzinfo=UTC)  # 23:59 in New York
    worker = Worker(databases.worker, lambda: now)
    await worker.drain()
    await worker.upkeep.keep_house()
    assert (await counts(databases))["changed_day"] == 0
    now = datetime(2026, 6, 16, 4, 1, tzinfo=UTC)
    await worker.upkeep.keep_house()
    await worker.upkeep.keep_house()
    assert (await counts(databases))["changed_day"] == 1


async def test_housekeeping_lets_go_of_what_is_older_than_the_last_events_of_a_key(databases: Databases) -> None:
    async with databases.admin.engine.begin() as connection:
        await connection.execute(
            text(
                "WITH made AS (INSERT INTO api_key (key_id, kind, name, secret_hash, provider, scopes)"
                " VALUES (gen_random_uuid(), 'ingest', 'app', '', 'supplier', '{}') RETURNING key_id)"
                " INSERT INTO recent_event (account_id, key_id, origin, outcome, content_hash, meters, received_at)"
                " SELECT 0, key_id, 'http', 'stored', gen_random_uuid(), '{}', now()"
                f" FROM made, generate_series(1, {KEPT + 7})"
            )
        )
    await Worker(databases.worker, lambda: NOW).upkeep.keep_house()
    async with databases.worker.transaction(grant_all()) as tx:
        assert await tx.scalar(text("SELECT count(*) FROM recent_event")) == KEPT


async def test_housekeeping_finds_what_differs_from_raw_events_and_mends_nothing(databases: Databases) -> None:
    await put_model(databases)
    account_id = await new_account(databases)
    await put_events(databases, account_id, [(datetime(2026, 6, 10, 16, tzinfo=UTC), {"minutes": 3})])
    worker = Worker(databases.worker, lambda: NOW)
    await worker.drain()
    async with databases.admin.engine.begin() as connection:
        await connection.execute(text("UPDATE accrual SET expected = expected + 1"))
    found = "SELECT what, place FROM quality_finding WHERE ended_at IS NULL"
    with capture_logs() as logs:
        await worker.upkeep.keep_house()
    async with databases.worker.transaction(grant_all()) as tx:
        assert {row.what for row in await tx.rows(text(found))} == {"accrual"}
    assert {entry["event"] for entry in logs} == {"reconciliation differs"}
    await worker.drain()
    async with databases.worker.transaction(grant_all()) as tx:
        assert await tx.rows(text(found)) != []


async def test_an_account_that_cannot_be_reconciled_holds_nobody_up(
    databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    await put_model(databases)
    for key in ("harbor", "globex"):
        await an_account_with_events(databases, key, days=1)
    worker = Worker(databases.worker, lambda: NOW)
    await worker.drain()

    async def broken(_tx: Transaction, _account_id: int, _now: datetime) -> None:
        raise RuntimeError("a fault of ours")

    with monkeypatch.context() as patched:
        patched.setattr("valueplatform.upkeep.reconcile", broken)
        with capture_logs() as logs:
            await worker.upkeep.keep_house()
            await worker.upkeep.keep_house()
    assert [entry["event"] for entry in logs] == ["account not reconciled"] * 2


async def test_an_account_that_cannot_be_served_keeps_its_marks_and_holds_nobody_up(
    databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    await put_model(databases)
    broken, sound = [await an_account_with_events(databases, key, days=2) for key in ("broken", "sound")]

    async def tell_others(tx: Transaction, account_id: int, *rest: Any, **asked: Any) -> Any:
        if account_id == broken:
            raise ZeroDivisionError
        return await tell(tx, account_id, *rest, **asked)

    monkeypatch.setattr("valueplatform.worker.tell", tell_others)
    now = NOW
    worker = Worker(databases.worker, lambda: now)
    assert await worker.serve_due() == 1
    assert await worker.serve_due() == 0
    async with databases.worker.transaction(grant_all()) as tx:
        assert {row.account_id for row in await tx.rows(text("SELECT account_id FROM story"))} == {sound}
    assert (await counts(databases))["changed_day"] > 0
    monkeypatch.undo()
    now = NOW + timedelta(seconds=61)
    assert await worker.serve_due() == 1
    assert (await counts(databases))["changed_day"] == 0


async def test_without_a_model_marks_wait_for_one(databases: Databases) -> None:
    account_id = await new_account(databases)
    async with databases.worker.transaction(grant_accounts([account_id])) as tx:
        await mark(tx, account_id, NOON.date(), "contract")
    now = NOW
    worker = Worker(databases.worker, lambda: now)
    assert await worker.serve_due() == 0
    await put_model(databases)
    now = NOW + timedelta(seconds=61)
    assert await worker.serve_due() == 1


async def test_a_busy_open_page_does_not_keep_others_waiting_beyond_their_minute(databases: Databases) -> None:
    await put_model(databases)
    watched, quiet = [await an_account_with_events(databases, key, days=2) for key in ("watched", "quiet")]
    async with databases.web.transaction(grant_accounts([watched])) as tx:
        page = text("INSERT INTO open_page (account_id, page_id, seen_at) VALUES (:a, gen_random_uuid(), :now)")
        await tx.execute(page, {"a": watched, "now": NOW})
    assert await Worker(databases.worker, lambda: NOW).serve_due() == 2
    async with databases.worker.transaction(grant_all()) as tx:
        assert await tx.scalar(text("SELECT count(*) FROM story WHERE account_id = :a"), {"a": quiet}) == 3


async def test_a_month_that_the_schedule_closes_is_closed_and_told_in_one_go(databases: Databases) -> None:
    await put_model(databases)
    account_id = await an_account_with_events(databases)
    async with databases.admin.engine.begin() as connection:
        await connection.execute(text("UPDATE account SET created_at = '2026-04-20'"))
        live = text("INSERT INTO milestone VALUES (:a, 'm', 'go-live', '2026-02-01', 'Go-live')")
        await connection.execute(live, {"a": account_id})
    worker = Worker(databases.worker, lambda: NOW)
    await worker.upkeep.keep_house()
    assert await worker.serve_due() == 1
    await worker.upkeep.keep_house()
    assert (await counts(databases))["changed_day"] == 0
    async with databases.worker.transaction(grant_all()) as tx:
        months = await tx.rows(text("SELECT month FROM closed_month ORDER BY month"))
    assert [row.month.month for row in months] == [4, 5]


async def test_an_account_without_an_event_gets_its_story_too(databases: Databases) -> None:
    await put_model(databases)
    account_id = await new_account(databases, "brand-new")
    worker = Worker(databases.worker, lambda: NOW)
    await worker.upkeep.keep_house()
    assert await worker.serve_due() == 1
    async with databases.web.transaction(grant_accounts([account_id])) as tx:
        story = await newest_story(tx, account_id, Audience.CUSTOMER)
    assert story is not None
    assert story.document.status == "insufficient-data"


async def test_the_worker_outlives_a_lost_database_and_stops_when_told(
    databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    await put_model(databases)
    await an_account_with_events(databases, days=2)
    stop = asyncio.Event()
    worker = Worker(databases.worker, lambda: NOW)
    serve_due, answers = worker.serve_due, iter([unavailable()])

    async def lose_the_database_once() -> int:
        for lost in answers:
            raise lost
        served = await serve_due()
        stop.set()
        return served

    monkeypatch.setattr(worker, "serve_due", lose_the_database_once)
    await asyncio.wait_for(worker.run(stop), 20)
    assert (await counts(databases))["changed_day"] == 0


async def test_an_idle_worker_counts_the_catalog_and_a_broken_count_stops_no_story(
    databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    await put_model(databases)
    await an_account_with_events(databases, days=3)
    worker = Worker(databases.worker, lambda: NOW)

    async def broken(_: Transaction) -> bool:
        raise ZeroDivisionError

    with monkeypatch.context() as patched:
        patched.setattr("valueplatform.worker.count_some", broken)
        assert not await worker.keep_catalog()
    assert await worker.drain() == 1
    assert not await worker.keep_catalog()
    async with databases.worker.transaction(grant_all()) as tx:
        assert await tx.scalar(text("SELECT sum(events) FROM catalog_type")) == 3


async def test_a_running_worker_moves_old_events_into_the_archive_once_a_day(
    databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime(2026, 6, 20, 12, tzinfo=UTC)
    await archive_events(databases.worker, grant_all(), str(tmp_path), now - timedelta(days=60), now)
    async with databases.worker.transaction(grant_all()) as tx:
        assert await due_archiving(tx, now + timedelta(hours=23)) is None
        assert await due_archiving(tx, now + timedelta(hours=25)) == timedelta(days=60)
    await send(databases, cloud_event(time="2026-01-10T10:00:00Z"), cloud_event(time="2026-05-30T10:00:00Z"))
    stop = asyncio.Event()

    async def archive_and_stop(*given: Any) -> Archived:
        done = await archive_events(*given)
        stop.set()
        return done

    monkeypatch.setattr("valueplatform.worker.archive_events", archive_and_stop)
    async with asyncio.timeout(60):
        await Worker(databases.worker, lambda: now + timedelta(hours=25)).run(stop)
    left = await rows(databases, "SELECT time FROM event")
    assert [row["time"] for row in left] == [datetime(2026, 5, 30, 10, tzinfo=UTC)]


async def test_a_running_worker_counts_until_all_is_counted_and_rests_in_proportion(
    databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = NOW
    steps: list[datetime] = []
    stop = asyncio.Event()
    worker = Worker(databases.worker, lambda: now)

    async def ten_seconds() -> bool:
        nonlocal now
        steps.append(now)
        now += timedelta(seconds=10)
        return len(steps) % 3 != 0

    async def a_minute(_: asyncio.Event, __: timedelta) -> None:
        nonlocal now
        now += timedelta(minutes=1)
        if len(steps) > 3:
            stop.set()

    monkeypatch.setattr(worker, "keep_catalog", ten_seconds)
    monkeypatch.setattr("valueplatform.worker._pause", a_minute)
    await asyncio.wait_for(worker.run(stop), 10)
    waits = [later - earlier for earlier, later in itertools.pairwise(steps)]
    assert waits[:2] == [timedelta(seconds=70)] * 2
    assert timedelta(seconds=30 * CATALOG_REST) <= waits[2] - timedelta(seconds=10) < timedelta(seconds=30 * 22)


async def test_housekeeping_looks_at_what_comes_in_and_one_accounts_failure_stops_no_other(
    databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = [await new_account(databases, key) for key in ("harbor", "globex")]
    looked: list[int] = []

    async def fails_for_the_first(_tx: object, account_id: int, _now: object) -> list[Found]:
        looked.append(account_id)
        if account_id == first:
            raise ZeroDivisionError
        return []

    monkeypatch.setattr("valueplatform.upkeep.examine", fails_for_the_first)
    await Worker(databases.worker, lambda: NOW).upkeep.keep_house()
    assert looked == [ALL_ACCOUNTS, first, second]
    (row,) = await rows(databases, f"SELECT examined_at FROM account WHERE account_id = {first}")
    assert row["examined_at"] == NOW, "it waits for its next turn like all others"


async def test_housekeeping_compares_what_came_in_where_it_may_read_the_keys(databases: Databases) -> None:
    await put_model(databases)
    account_id = await new_account(databases)
    # Not of the slice of keys that is compared in the minute of NOW.
    await send(databases, cloud_event(id="told", account="harbor", time=NOW.isoformat()), now=NOW)
    open_findings = "SELECT account_id, what FROM quality_finding WHERE ended_at IS NULL ORDER BY account_id"
    worker = Worker(databases.worker, lambda: NOW, databases.ingest)
    await worker.drain()
    await worker.upkeep.keep_house()
    assert await rows(databases, open_findings) == []
    await execute(databases, "DELETE FROM event_key")
    await execute(databases, "UPDATE ingest_tally SET received = 7")
    await execute(databases, "UPDATE account SET reconciled_at = NULL")
    await worker.upkeep.keep_house()
    assert await rows(databases, open_findings) == [
        {"account_id": ALL_ACCOUNTS, "what": "intake"},
        {"account_id": account_id, "what": "intake"},
    ]


async def test_what_types_are_worth_is_made_in_steps_once_the_catalog_is_counted(databases: Databases) -> None:
    await put_model(databases)
    await an_account_with_events(databases, days=100)
    worker = Worker(databases.worker, lambda: NOW)
    await worker.drain()
    while await worker.keep_catalog():
        pass
    steps = 0
    while await worker.keep_worth():
        steps += 1
    assert steps >= 5
    async with databases.worker.transaction(grant_all()) as tx:
        assert [row.driver for row in await tx.rows(text("SELECT driver FROM catalog_realized"))] == ["dispatch_time"]


async def test_open_catalogs_are_told_when_an_estimate_is_done(databases: Databases) -> None:
    await put_model(databases)
    url = make_url(databases.url)
    connection = await asyncpg.connect(host=str(url.query["host"]), user="postgres", database=url.database)
    heard: list[str] = []
    await connection.add_listener(CHANNEL, lambda *message: heard.append(str(message[-1])))
    worker = Worker(databases.worker, lambda: NOW)
    while await worker.keep_worth():
        assert heard == []
    await connection.execute("SELECT 1")
    assert heard == [CATALOG_CHANGED]
    await connection.close()


async def test_an_estimate_that_fails_is_logged_and_the_next_begins_anew(
    databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    await put_model(databases)
    worker = Worker(databases.worker, lambda: NOW)
    with monkeypatch.context() as patched, capture_logs() as logs:
        patched.setattr("valueplatform.worker.estimate_worth", _failing)
        assert not await worker.keep_worth()
    assert [one["event"] for one in logs] == ["worth of event types not estimated"]
    while await worker.keep_worth():
        pass
    async with databases.worker.transaction(grant_all()) as tx:
        assert await tx.scalar(text("SELECT count(*) FROM catalog_estimate")) == 1


async def test_a_comparison_that_fails_is_logged_and_the_worth_of_types_stands(
    databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    await put_model(databases)
    worker = Worker(databases.worker, lambda: NOW)
    with monkeypatch.context() as patched, capture_logs() as logs:
        patched.setattr("valueplatform.worker.compare_accounts", _failing)
        while await worker.keep_worth():
            pass
    assert [one["event"] for one in logs] == ["accounts not compared"]
    async with databases.worker.transaction(grant_all()) as tx:
        assert await tx.scalar(text("SELECT count(*) FROM catalog_estimate")) == 1
        assert await tx.scalar(text("SELECT count(*) FROM benchmark_run")) == 0
    while await worker.keep_worth():
        pass
    async with databases.worker.transaction(grant_all()) as tx:
        assert await tx.scalar(text("SELECT count(*) FROM benchmark_run")) == 1


async def _failing(*asked: object) -> AsyncIterator[None]:
    if asked:
        raise RuntimeError("spoiled")
    yield


async def test_suggestions_are_graded_and_fitted_once_a_day(databases: Databases) -> None:
    await put_model(databases)
    await an_account_with_events(databases)
    clock = SetClock(NOW)
    worker = Worker(databases.worker, clock)
    count = text("SELECT count(*) FROM next_best_fit")

    async def fits() -> int:
        await worker._train_when_due()
        await worker.beside.finished()
        async with databases.worker.transaction(grant_all()) as tx:
            return int(await tx.scalar(count))

    assert [await fits(), await fits()] == [1, 1]
    clock.advance(timedelta(hours=25))
    assert await fits() == 2


async def test_a_training_that_fails_keeps_nobody_waiting(
    databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def failing(*_given: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("valueplatform.worker.train", failing)
    worker = Worker(databases.worker, lambda: NOW)
    with capture_logs() as logs:
        await worker.train()
    assert [line["event"] for line in logs] == ["suggestions not graded and fitted"]
