"""Holding bad news back (value rule 13): two working days at most, recorded, never suppression."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest
from sqlalchemy.exc import DBAPIError

from tests.conftest import Databases
from tests.stewardship.digests.factories import MONDAY, Readers, readers
from valueplatform.accounts.accounts import Account, account_by_id
from valueplatform.core.authorization import accounts_or_all
from valueplatform.core.errors import ConflictError, InvalidInputError, NotFoundError, UnprocessableError
from valueplatform.stewardship.holds import Hold, held_until, holds_of, place_hold, release_hold

MAYA = "maya@f.example"
DAY = timedelta(days=1)


@pytest.fixture
async def harbor(databases: Databases) -> Readers:
    return await readers(databases)


async def place(harbor: Readers, reason: str = "I call them first.", until: datetime | None = None) -> Hold:
    async with harbor.databases.web.transaction(accounts_or_all([harbor.account_id])) as tx:
        return await place_hold(tx, await _account(harbor), MAYA, reason, harbor.clock(), until)


async def _account(harbor: Readers) -> Account:
    async with harbor.databases.web.transaction(accounts_or_all([harbor.account_id])) as tx:
        return await account_by_id(tx, harbor.account_id)


async def release(harbor: Readers) -> Hold:
    async with harbor.databases.web.transaction(accounts_or_all([harbor.account_id])) as tx:
        return await release_hold(tx, await _account(harbor), MAYA, harbor.clock())


async def held(harbor: Readers, since: datetime) -> datetime | None:
    async with harbor.databases.web.transaction(accounts_or_all([harbor.account_id])) as tx:
        return await held_until(tx, harbor.account_id, "Europe/Berlin", since, harbor.clock())


async def record(harbor: Readers) -> Sequence[Hold]:
    async with harbor.databases.web.transaction(accounts_or_all([harbor.account_id])) as tx:
        return await holds_of(tx, harbor.account_id)


async def test_there_is_nothing_to_hold_without_bad_news(harbor: Readers) -> None:
    await harbor.tell()
    with pytest.raises(UnprocessableError, match="nothing to hold"):
        await place(harbor)


async def test_a_hold_lasts_two_working_days_from_when_the_news_was_told_not_from_now(harbor: Readers) -> None:
    await harbor.tell_bad()
    harbor.clock.advance(DAY)

    assert (await place(harbor)).until == MONDAY + 2 * DAY


async def test_a_hold_may_be_shorter_and_never_longer(harbor: Readers) -> None:
    await harbor.tell_bad()
    with pytest.raises(UnprocessableError, match="two working days"):
        await place(harbor, until=MONDAY + 2 * DAY + timedelta(seconds=1))
    with pytest.raises(InvalidInputError, match="past"):
        await place(harbor, until=MONDAY)

    assert (await place(harbor, until=MONDAY + DAY)).until == MONDAY + DAY


async def test_after_two_working_days_there_is_nothing_to_hold(harbor: Readers) -> None:
    await harbor.tell_bad()
    harbor.clock.advance(2 * DAY)
    with pytest.raises(UnprocessableError):
        await place(harbor)


@pytest.mark.parametrize("reason", ["", "  ", "\0", "x" * 501, "\u200b"])
async def test_a_hold_has_a_reason_that_can_be_read(harbor: Readers, reason: str) -> None:
    await harbor.tell_bad()
    with pytest.raises(InvalidInputError):
        await place(harbor, reason)


async def test_one_hold_stands_at_a_time(harbor: Readers) -> None:
    await harbor.tell_bad()
    await place(harbor)
    with pytest.raises(ConflictError):
        await place(harbor)


async def test_letting_go_and_holding_again_does_not_gain_time(harbor: Readers) -> None:
    await harbor.tell_bad()
    await place(harbor)
    harbor.clock.advance(DAY)
    await release(harbor)

    assert (await place(harbor)).until == MONDAY + 2 * DAY


async def test_newer_bad_news_does_not_extend_what_older_news_is_held_for(harbor: Readers) -> None:
    await harbor.tell_bad("ins_a")
    harbor.clock.advance(DAY)
    await harbor.tell_bad("ins_b")

    assert (await place(harbor)).until == MONDAY + 2 * DAY

    harbor.clock.advance(DAY)
    await place(harbor, "The second one.")
    assert await held(harbor, MONDAY - DAY) is None, "what has the older news in it goes out, whole"
    assert await held(harbor, MONDAY) == MONDAY + 3 * DAY


async def test_what_has_no_held_news_in_it_does_not_wait(harbor: Readers) -> None:
    await harbor.tell_bad()
    await place(harbor)

    assert await held(harbor, MONDAY) is None
    assert await held(harbor, MONDAY - DAY) == MONDAY + 2 * DAY


async def test_news_that_is_no_longer_so_is_no_longer_held(harbor: Readers) -> None:
    await harbor.tell_bad()
    await place(harbor)
    await harbor.run("UPDATE bad_news SET over_at = now()")

    assert await held(harbor, MONDAY - DAY) is None


async def test_a_released_hold_holds_nothing_and_stays_in_the_record(harbor: Readers) -> None:
    await harbor.tell_bad()
    await place(harbor)
    harbor.clock.advance(timedelta(hours=1))
    await release(harbor)

    assert await held(harbor, MONDAY - DAY) is None
    (kept,) = await record(harbor)
    assert (kept.author, kept.reason, kept.placed_at, kept.until) == (
        MAYA, "I call them first.", MONDAY, MONDAY + 2 * DAY,
    )  # fmt: skip
    assert (kept.released_by, kept.released_at) == (MAYA, MONDAY + timedelta(hours=1))
    with pytest.raises(NotFoundError):
        await release(harbor)


async def test_the_record_cannot_be_rewritten(harbor: Readers) -> None:
    await harbor.tell_bad()
    await place(harbor)
    for change in ("UPDATE news_hold SET reason = 'other'", "DELETE FROM news_hold", "TRUNCATE news_hold CASCADE"):
        with pytest.raises(DBAPIError):
            await harbor.run(change)
