from datetime import timedelta

import pytest

from tests.conftest import Databases
from tests.core.factories import SetClock, account
from valueplatform.core.authorization import accounts_or_all
from valueplatform.portal.visits import NEW_VISIT_AFTER, WORTH_WRITING, Before, Reader, note_visit

LATER = NEW_VISIT_AFTER + timedelta(seconds=1)


@pytest.fixture
async def reader(databases: Databases) -> Reader:
    return Reader(await account(databases, "harbor"), user_id=7)


async def see(databases: Databases, reader: Reader, version: int, clock: SetClock) -> Before | None:
    async with databases.web.transaction(accounts_or_all([reader.account_id])) as tx:
        return await note_visit(tx, reader, version, clock())


async def test_the_first_visit_has_nothing_before_it(databases: Databases, reader: Reader) -> None:
    clock = SetClock()

    assert await see(databases, reader, 3, clock) is None
    assert await see(databases, reader, 4, clock) is None


async def test_a_later_visit_knows_what_the_one_before_saw_last(databases: Databases, reader: Reader) -> None:
    clock = SetClock()
    await see(databases, reader, 3, clock)
    clock.advance(timedelta(minutes=10))
    await see(databases, reader, 4, clock)
    seen = clock()
    clock.advance(LATER)

    assert await see(databases, reader, 9, clock) == Before(4, seen)


async def test_loading_the_page_again_does_not_make_the_news_old(databases: Databases, reader: Reader) -> None:
    clock = SetClock()
    await see(databases, reader, 3, clock)
    first = Before(3, clock())
    clock.advance(LATER)
    for version in (5, 5, 6):
        assert await see(databases, reader, version, clock) == first
        clock.advance(timedelta(minutes=20))


async def test_a_page_that_stays_open_is_one_visit(databases: Databases, reader: Reader) -> None:
    clock = SetClock()
    await see(databases, reader, 1, clock)
    clock.advance(LATER)
    begun = await see(databases, reader, 2, clock)
    for _ in range(12):  # two hours
        clock.advance(WORTH_WRITING * 2)
        assert await see(databases, reader, 2, clock) == begun


async def test_each_reader_has_visits_of_their_own(databases: Databases, reader: Reader) -> None:
    clock = SetClock()
    await see(databases, reader, 1, clock)
    clock.advance(LATER)
    other = Reader(reader.account_id, user_id=8)

    assert await see(databases, other, 2, clock) is None
    assert await see(databases, reader, 2, clock) is not None
