"""What came in is summed by day, once, whoever sums."""

import asyncio
from datetime import date, timedelta

import pytest
from sqlalchemy import text

from tests.conftest import Databases
from tests.telemetry.factories import HTTP, NOW, cloud_event, make_account, scalar, send
from valueplatform.core.scope import grant_all, no_accounts
from valueplatform.telemetry.intake_sums import KEPT, IntakeDay, days_of, forget_old, recount, sum_intake
from valueplatform.telemetry.retraction import retract

_COUNT = text("SELECT count(*) FROM intake")
_MOVE = text("UPDATE account SET timezone = 'UTC' WHERE account_id = :account")
LONG_AGO = date(2020, 1, 1)
TODAY = date(2026, 6, 1)


@pytest.fixture
async def acme(databases: Databases) -> int:
    return await make_account(databases, "acme", "America/New_York")


async def summed(databases: Databases, account_id: int) -> dict[str, list[IntakeDay]]:
    async with databases.worker.transaction(grant_all()) as tx:
        await sum_intake(tx)
        return await days_of(tx, account_id, LONG_AGO)


async def test_groups_of_a_day_come_together(databases: Databases, acme: int) -> None:
    for hour in (5, 6):  # one and two in the morning in New York
        now = NOW.replace(hour=hour)
        event = cloud_event(time="2026-05-31T12:00:00Z")
        await send(databases, event, event, cloud_event(time="soon"), now=now)
    days = await summed(databases, acme)
    assert days == {
        "/app": [
            IntakeDay(date(2026, 5, 31), happened=2),
            IntakeDay(TODAY, stored=2, duplicates=2, rejected=2, lead=-61200, last_at=NOW.replace(hour=6)),
        ]
    }
    assert await scalar(databases, "SELECT count(*) FROM intake") == 0
    assert await summed(databases, acme) == days


async def test_what_is_added_later_is_added(databases: Databases, acme: int) -> None:
    await send(databases, cloud_event())
    await summed(databases, acme)
    await send(databases, cloud_event(), now=NOW + timedelta(minutes=2))
    (day,) = (await summed(databases, acme))["/app"]
    assert (day.happened, day.stored, day.last_at) == (2, 2, NOW + timedelta(minutes=2))


async def test_a_source_is_as_far_behind_as_its_newest_event_was_when_the_first_of_the_day_came(
    databases: Databases, acme: int
) -> None:
    for sent, happened in ((1, 1), (8, 7), (8, 8), (9, 8)):
        moment = NOW.replace(day=sent)
        await send(databases, cloud_event(time=moment.replace(day=happened, hour=10).isoformat()), now=moment)
        days = (await summed(databases, acme))["/app"]
    assert {day.day.day: day.behind for day in days} == {1: None, 7: None, 8: 7, 9: 1}


async def test_days_that_are_summed_together_are_behind_as_if_each_had_been_summed_alone(
    databases: Databases, acme: int
) -> None:
    for sent, happened in ((1, 1), (2, 2), (3, 2), (9, 9)):
        moment = NOW.replace(day=sent)
        await send(databases, cloud_event(time=moment.replace(day=happened, hour=10).isoformat()), now=moment)
    days = (await summed(databases, acme))["/app"]
    assert {day.day.day: day.behind for day in days} == {1: None, 2: 1, 3: 1, 9: 7}


async def test_a_retracted_event_has_not_happened(databases: Databases, acme: int) -> None:
    await send(databases, cloud_event(id="1"), cloud_event(id="2"))
    await summed(databases, acme)
    async with databases.ingest.transaction(no_accounts()) as tx:
        await retract(tx, HTTP, "/app", "1")
    (day,) = (await summed(databases, acme))["/app"]
    assert (day.happened, day.stored, day.last_at) == (1, 2, NOW)


async def test_two_workers_add_nothing_twice(databases: Databases, acme: int) -> None:
    for number in range(40):
        await send(databases, cloud_event(source=f"/{number % 7}"))

    async def some() -> None:
        more = True
        while more:
            async with databases.worker.transaction(grant_all()) as tx:
                more = await sum_intake(tx, most=3)

    await asyncio.gather(*(some() for _ in range(4)))
    days = await summed(databases, acme)
    assert sum(day.stored for one in days.values() for day in one) == 40


async def test_a_step_takes_as_much_as_it_is_told_and_one_account_may_go_first(databases: Databases, acme: int) -> None:
    for account in ("acme", "globex", "globex"):
        await send(databases, cloud_event(account=account))
    async with databases.worker.transaction(grant_all()) as tx:
        assert not await sum_intake(tx, acme)
        assert await tx.scalar(_COUNT) == 2
        assert await sum_intake(tx, most=1)
        assert await tx.scalar(_COUNT) == 1


async def test_after_a_change_of_zone_events_stand_on_their_new_days(databases: Databases, acme: int) -> None:
    await send(databases, cloud_event(id="1", time="2026-06-01T02:00:00Z"), cloud_event(id="2"))
    async with databases.worker.transaction(grant_all()) as tx:
        await tx.execute(_MOVE, {"account": acme})
        await recount(tx, [acme])
        days = await days_of(tx, acme, LONG_AGO)
    assert {day.day: day.happened for day in days["/app"]} == {date(2026, 5, 31): 0, TODAY: 2}


async def test_days_are_kept_for_a_little_more_than_a_year(databases: Databases, acme: int) -> None:
    await send(databases, cloud_event(time="2024-01-01T00:00:00Z"), cloud_event())
    await summed(databases, acme)
    async with databases.worker.transaction(grant_all()) as tx:
        assert await forget_old(tx, acme, TODAY) == 1
        assert await forget_old(tx, acme, TODAY + KEPT) == 0
        assert await forget_old(tx, acme, TODAY + KEPT + timedelta(days=1)) == 1


async def test_what_came_in_of_one_account_is_summed_and_what_of_others_waits(databases: Databases, acme: int) -> None:
    other = await make_account(databases, "other", "America/New_York")
    for account in ("acme", "other"):
        await send(databases, cloud_event(account=account, id=account))
    async with databases.worker.transaction(grant_all()) as tx:
        assert await sum_intake(tx, acme) is False
        assert list(await days_of(tx, acme, LONG_AGO)) == ["/app"]
        assert await days_of(tx, other, LONG_AGO) == {}
        await sum_intake(tx)
        assert list(await days_of(tx, other, LONG_AGO)) == ["/app"]
