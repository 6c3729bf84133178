import base64
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from tests.stewardship.digests.factories import CHAMPION, DAILY, SPONSOR, STEWARD, USER, Readers
from valueplatform.core.authorization import operator_scope
from valueplatform.core.errors import InvalidInputError
from valueplatform.narrative.document import Audience
from valueplatform.stewardship.digests.choice import (
    Cadence,
    Channel,
    Choice,
    audience_of,
    choice_of,
    next_slot,
    save_choice,
    turn_off,
    unsubscribe_token,
    unsubscribing,
)

ZONES = st.sampled_from(["Europe/Berlin", "America/New_York", "Pacific/Apia", "Asia/Kathmandu", "Africa/Casablanca"])
MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds


def at(text_: str) -> datetime:
    return datetime.fromisoformat(text_).replace(tzinfo=UTC)


def daily(hour: int, timezone: str = "Europe/Berlin") -> Choice:
    return Choice(channel=Channel.EMAIL, cadence=Cadence.CHANGED, hour=hour, timezone=timezone)


def test_an_hour_that_the_clocks_leave_out_is_taken_after_the_gap() -> None:
    assert next_slot(daily(2), at("2026-03-28T12:00")) == at("2026-03-29T01:00")  # 03:00 in Berlin


def test_an_hour_that_comes_twice_is_taken_once() -> None:
    first = next_slot(daily(2), at("2026-10-24T12:00"))

    assert first == at("2026-10-25T00:00")
    assert next_slot(daily(2), first) == at("2026-10-26T01:00")


def test_a_day_that_a_zone_left_out_is_passed_over_without_a_fault() -> None:
    apia = daily(8, "Pacific/Apia")
    days = [next_slot(apia, at(f"2011-12-{day}T00:00")) for day in (28, 29, 30, 31)]

    assert days == sorted(days)


def test_weekly_is_on_its_weekday_and_monthly_on_the_first_such_of_the_month() -> None:
    weekly = Choice(channel=Channel.EMAIL, cadence=Cadence.WEEKLY, weekday=4, hour=9)
    monthly = Choice(channel=Channel.EMAIL, cadence=Cadence.MONTHLY, weekday=4, hour=9)

    assert next_slot(weekly, at("2026-06-12T09:00")) == at("2026-06-19T09:00")
    assert next_slot(monthly, at("2026-06-05T09:00")) == at("2026-07-03T09:00")
    assert next_slot(monthly, at("2026-07-31T09:00")) == at("2026-08-07T09:00")


@given(MOMENTS, ZONES, st.integers(0, 23), st.sampled_from(Cadence), st.integers(0, 6))
def test_slots_move_on_and_none_is_left_out(
    moment: datetime, zone: str, hour: int, cadence: Cadence, weekday: int
) -> None:
    choice = Choice(channel=Channel.EMAIL, cadence=cadence, weekday=weekday, hour=hour, timezone=zone)
    first = next_slot(choice, moment)
    second = next_slot(choice, first)

    assert moment < first < second
    apart = second.astimezone(ZoneInfo(zone)).date() - first.astimezone(ZoneInfo(zone)).date()
    allowed = {Cadence.CHANGED: {1}, Cadence.WEEKLY: {7}, Cadence.MONTHLY: {28, 35}}[cadence]
    assert apart in {timedelta(days=days) for days in allowed}
    assert next_slot(choice, first - timedelta(seconds=1)) == first


async def test_each_role_is_told_its_own_story(harbor: Readers) -> None:
    found = {email: audience_of(await harbor.principal(email)) for email in (CHAMPION, SPONSOR, USER, STEWARD)}

    assert found == {
        CHAMPION: Audience.CUSTOMER, SPONSOR: Audience.EXECUTIVE, USER: Audience.CUSTOMER, STEWARD: Audience.STEWARD,
    }  # fmt: skip


async def test_whoever_left_the_account_has_no_story(harbor: Readers) -> None:
    await harbor.run("DELETE FROM person WHERE email = :email", email=USER)

    assert audience_of(await harbor.principal(USER)) is None


async def test_nothing_is_chosen_until_somebody_chooses(harbor: Readers) -> None:
    user = await harbor.principal(CHAMPION)
    async with harbor.databases.web.transaction(operator_scope()) as tx:
        assert await choice_of(tx, user.user_id) is None


async def test_what_was_chosen_is_kept_and_may_be_turned_off(harbor: Readers) -> None:
    user = await harbor.principal(CHAMPION)
    await harbor.choose(CHAMPION)
    async with harbor.databases.web.transaction(operator_scope()) as tx:
        assert await choice_of(tx, user.user_id) == DAILY
        await turn_off(tx, user.user_id)
        off = await choice_of(tx, user.user_id)
    assert off is not None
    assert not off.is_on


async def test_the_secret_of_a_webhook_is_shown_once_and_again_only_when_it_is_made_anew(harbor: Readers) -> None:
    user = await harbor.principal(CHAMPION)
    hook = Choice(channel=Channel.WEBHOOK, webhook_url="https://hooks.example/a")
    async with harbor.databases.web.transaction(operator_scope()) as tx:
        shown = await save_choice(tx, user.user_id, hook, harbor.clock())
        again = await save_choice(tx, user.user_id, hook, harbor.clock())
        anew = await save_choice(tx, user.user_id, hook, harbor.clock(), new_secret=True)
    (kept,) = await harbor.rows("SELECT webhook_secret FROM digest_choice")

    assert shown is not None
    assert again is None
    assert anew is not None
    assert shown != anew
    assert base64.b64decode(anew.removeprefix("whsec_")) == kept["webhook_secret"]


async def test_whoever_answers_browsers_cannot_read_a_secret(harbor: Readers) -> None:
    await harbor.choose(CHAMPION, Choice(channel=Channel.WEBHOOK, webhook_url="https://hooks.example/a"))
    with pytest.raises(ProgrammingError, match="permission denied"):
        async with harbor.databases.web.transaction(operator_scope()) as tx:
            await tx.scalar(text("SELECT webhook_secret FROM digest_choice"))


async def test_a_zone_that_does_not_exist_and_a_webhook_without_an_address_are_refused(harbor: Readers) -> None:
    user = await harbor.principal(CHAMPION)
    for wrong in (Choice(timezone="Mars/Olympus"), Choice(channel=Channel.WEBHOOK)):
        with pytest.raises(InvalidInputError):
            async with harbor.databases.web.transaction(operator_scope()) as tx:
                await save_choice(tx, user.user_id, wrong, harbor.clock())


async def test_only_a_token_that_was_made_here_unsubscribes_and_only_its_reader(harbor: Readers) -> None:
    await harbor.choose(CHAMPION)
    await harbor.choose(SPONSOR)
    one, other = await harbor.principal(CHAMPION), await harbor.principal(SPONSOR)
    keys = {
        row["user_id"]: row["unsubscribe_key"]
        for row in await harbor.rows("SELECT user_id, unsubscribe_key FROM digest_choice")
    }
    token = unsubscribe_token(one.user_id, keys[one.user_id])
    swapped = f"{other.user_id}.{token.partition('.')[2]}"
    forged = ("", ".", "1.", token[:-1], token + "0", swapped, "9" * 30 + ".x", "\0", "-1.x", "🙂.🙂", f" {token}")
    async with harbor.databases.web.transaction(operator_scope()) as tx:
        assert await unsubscribing(tx, token) == one.user_id
        for wrong in forged:
            assert await unsubscribing(tx, wrong) is None, wrong
