"""Looking at an account's data: from events that came in by the way of all events, to findings that are kept."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from tests.conftest import Databases
from tests.telemetry.factories import MINUTES, apply_meters, cloud_event, execute, make_account, rows, scalar, send
from valueplatform.core.scope import grant_all
from valueplatform.telemetry.catalog_count import count_some, note_marks
from valueplatform.telemetry.findings import ALL_ACCOUNTS
from valueplatform.telemetry.quality import Found
from valueplatform.telemetry.quality_looks import EVERY, due_for_a_look, examine

TODAY = date(2026, 6, 12)
NOON = datetime(2026, 6, 12, 12, tzinfo=UTC)
OPEN = "SELECT * FROM quality_finding WHERE ended_at IS NULL ORDER BY what, place"
MARKS = "SELECT count(*) FROM changed_day WHERE cause = 'quality'"


@pytest.fixture
async def acme(databases: Databases) -> int:
    await apply_meters(databases, [MINUTES])
    return await make_account(databases, "acme")


async def come_in(databases: Databases, days: range, each: int = 3, **changes: Any) -> None:
    """So many events on each day so many days ago, each day's at its noon."""
    for ago in sorted(days, reverse=True):
        moment = NOON - timedelta(days=ago)
        events = [cloud_event(**({"time": moment.isoformat()} | changes)) for _ in range(each)]
        await send(databases, *events, now=moment)


async def looked(databases: Databases, account_id: int, now: datetime = NOON) -> list[Found]:
    async with databases.worker.transaction(grant_all()) as tx:
        return await examine(tx, account_id, now)


async def test_an_account_that_goes_on_as_it_was_has_no_finding_and_no_story_to_tell_anew(
    databases: Databases, acme: int
) -> None:
    await come_in(databases, range(1, 40))
    assert await looked(databases, acme) == []
    assert await scalar(databases, MARKS) == 0
    assert await scalar(databases, "SELECT count(*) FROM intake") == 0


async def test_a_source_that_fell_silent_is_a_finding_with_what_it_used_to_send(
    databases: Databases, acme: int
) -> None:
    await come_in(databases, range(1, 40), source="/other", type="login")
    await come_in(databases, range(6, 40))
    await looked(databases, acme)
    (row,) = await rows(databases, OPEN)
    assert (row["what"], row["place"], row["source"], row["types"]) == ("freshness", "/app", "/app", ["job.done"])
    assert (row["since_day"], row["through_day"]) == (date(2026, 6, 7), date(2026, 6, 11))
    assert row["numbers"] == {"silent_days": 5, "usually_behind_days": 0}


async def test_the_story_is_told_anew_when_such_a_finding_comes_moves_on_or_goes_and_only_then(
    databases: Databases, acme: int
) -> None:
    await come_in(databases, range(6, 40))
    marks = []
    for day in (0, 0, 1):
        await looked(databases, acme, NOON + timedelta(days=day))
        marks.append(await scalar(databases, MARKS))
    assert marks == [1, 1, 2]
    await come_in(databases, range(1, 2))
    await looked(databases, acme, NOON)
    assert await scalar(databases, MARKS) == 3
    assert await rows(databases, OPEN) == []


async def counted(databases: Databases) -> None:
    async with databases.worker.transaction(grant_all()) as tx:
        await note_marks(tx)
        await count_some(tx)


async def test_an_account_whose_contracts_are_over_is_not_silent(databases: Databases, acme: int) -> None:
    await come_in(databases, range(6, 40))
    contract = (
        "INSERT INTO contract (account_id, contract_id, start_day, end_day, amount, currency, period, kind, provider) "
        f"VALUES ({acme}, 'c', '2026-01-01', '2026-06-08', 1, 'EUR', 'year', 'new', 'supplier')"
    )
    assert len(await looked(databases, acme)) == 1
    await execute(databases, contract)
    assert await looked(databases, acme) == []
    assert await rows(databases, OPEN) == []


async def test_properties_that_change_are_found_as_the_catalog_counts_them(databases: Databases, acme: int) -> None:
    await come_in(databases, range(4, 40), each=4)
    await come_in(databases, range(4), each=9, data={"minutes": "a while", "zone": 4})
    await counted(databases)
    found = {one.place: (one.seen, one.severity) for one in await looked(databases, acme)}
    assert found == {
        "properties of job.done appeared": ("zone appeared in job.done", "notice"),
        "properties of job.done disappeared": ("channel, team, user disappeared in job.done", "notice"),
        "properties of job.done changed kind": ("minutes changed kind in job.done", "warning"),
    }


async def test_what_came_in_for_nobody_is_looked_at_too(databases: Databases) -> None:
    bad = [cloud_event(account=None, id=str(number)) for number in range(60)]
    await send(databases, *bad, now=NOON)
    (found,) = await looked(databases, ALL_ACCOUNTS)
    assert (found.what, found.source, found.numbers) == ("rejections", "http", {"bad": 60, "received": 60})


async def test_an_account_is_due_once_an_hour_the_longest_first(databases: Databases, acme: int) -> None:
    other = await make_account(databases, "globex")

    async def due(now: datetime) -> list[int]:
        async with databases.worker.transaction(grant_all()) as tx:
            return list(await due_for_a_look(tx, now, 10))

    assert await due(NOON) == [acme, other]
    await looked(databases, acme)
    assert await due(NOON) == [other]
    await looked(databases, other, NOON + timedelta(minutes=1))
    assert await due(NOON + EVERY) == []
    assert await due(NOON + EVERY + timedelta(minutes=2)) == [acme, other]


async def test_of_very_many_sources_the_largest_are_looked_at(databases: Databases, acme: int) -> None:
    await execute(
        databases,
        "INSERT INTO intake_day (account_id, source, day, happened, stored, duplicates, conflicts, rejected, ahead) "
        f"SELECT {acme}, 'device-' || n, '2026-06-12', n, 0, 0, 0, 100, 0 FROM generate_series(1, 300) AS n",
    )
    found = await looked(databases, acme)
    assert len(found) == 100
    assert {one.source for one in found} == {f"device-{number}" for number in range(201, 301)}


async def test_the_worker_may_do_all_of_it(databases: Databases, acme: int) -> None:
    await come_in(databases, range(1, 3))
    await looked(databases, acme)
    async with databases.worker.transaction(grant_all()) as tx:
        assert await tx.scalar(text("SELECT examined_at FROM account WHERE account_id = :id"), {"id": acme}) == NOON
