"""One-time sign-in links."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import text

from tests.conftest import Databases
from tests.core.factories import SetClock
from valueplatform.core.authorization import UserPrincipal, UserRole
from valueplatform.core.errors import OverloadedError
from valueplatform.core.scope import no_accounts
from valueplatform.core.sessions import OpenedSession, open_session, session_of
from valueplatform.core.sign_in import (
    FAILURE_WINDOW,
    FAILURES_ALLOWED,
    LINK_LIFETIME,
    Knock,
    create_link,
    sign_in,
    sign_in_url,
)
from valueplatform.core.users import create_user, disable_user

HOME, ELSEWHERE = "203.0.113.7", "198.51.100.9"


@pytest.fixture
async def anna(databases: Databases) -> UserPrincipal:
    async with databases.worker.transaction(no_accounts()) as tx:
        return await create_user(tx, "anna@acme.example", UserRole.STEWARD)


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


async def link(databases: Databases, person: UserPrincipal, clock: SetClock) -> str:
    async with databases.worker.transaction(no_accounts()) as tx:
        return await create_link(tx, person, clock)


async def knock(
    databases: Databases, token: str, clock: SetClock, address: str = HOME, replaces: str | None = None
) -> OpenedSession | None:
    async with databases.web.transaction(no_accounts()) as tx:
        return await sign_in(tx, Knock(token, address, replaces), clock)


async def test_a_link_signs_in_once(databases: Databases, anna: UserPrincipal, clock: SetClock) -> None:
    token = await link(databases, anna, clock)
    first = await knock(databases, token, clock)
    assert first is not None
    assert first.session.user == anna
    assert await knock(databases, token, clock) is None


async def test_of_two_tries_at_the_same_moment_one_wins(
    databases: Databases, anna: UserPrincipal, clock: SetClock
) -> None:
    token = await link(databases, anna, clock)
    results = await asyncio.gather(*(knock(databases, token, clock) for _ in range(5)))
    assert sum(result is not None for result in results) == 1


async def test_a_link_expires(databases: Databases, anna: UserPrincipal, clock: SetClock) -> None:
    token = await link(databases, anna, clock)
    clock.advance(LINK_LIFETIME)
    assert await knock(databases, token, clock) is None


async def test_a_link_of_a_disabled_user_is_void(databases: Databases, anna: UserPrincipal, clock: SetClock) -> None:
    token = await link(databases, anna, clock)
    async with databases.worker.transaction(no_accounts()) as tx:
        await disable_user(tx, anna.email, clock)
    assert await knock(databases, token, clock) is None


async def test_signing_in_again_ends_the_session_that_the_browser_had(
    databases: Databases, anna: UserPrincipal, clock: SetClock
) -> None:
    async with databases.web.transaction(no_accounts()) as tx:
        before = await open_session(tx, anna, clock)
    after = await knock(databases, await link(databases, anna, clock), clock, replaces=before.cookie)
    assert after is not None
    async with databases.web.transaction(no_accounts()) as tx:
        assert await session_of(tx, before.cookie, clock) is None
        assert await session_of(tx, after.cookie, clock) is not None


async def test_guessing_is_stopped_by_address_and_only_for_a_while(
    databases: Databases, anna: UserPrincipal, clock: SetClock
) -> None:
    token = await link(databases, anna, clock)
    for number in range(FAILURES_ALLOWED):
        assert await knock(databases, f"guess {number}", clock) is None
    with pytest.raises(OverloadedError) as error:
        await knock(databases, token, clock)
    assert error.value.retry_after == FAILURE_WINDOW.total_seconds()
    somewhere_else = await knock(databases, await link(databases, anna, clock), clock, address=ELSEWHERE)
    assert somewhere_else is not None
    clock.advance(FAILURE_WINDOW + timedelta(seconds=1))
    assert await knock(databases, token, clock) is not None


async def test_refused_tries_are_not_kept_so_that_guessing_fills_no_disk(
    databases: Databases, anna: UserPrincipal, clock: SetClock
) -> None:
    refused = 0
    for number in range(FAILURES_ALLOWED * 5):
        try:
            await knock(databases, f"guess {number}", clock)
        except OverloadedError:
            refused += 1
    assert refused == FAILURES_ALLOWED * 4
    async with databases.worker.transaction(no_accounts()) as tx:
        assert await tx.scalar(text("SELECT count(*) FROM attempt")) == FAILURES_ALLOWED
    clock.advance(FAILURE_WINDOW * 2)
    await knock(databases, await link(databases, anna, clock), clock, address=ELSEWHERE)
    async with databases.worker.transaction(no_accounts()) as tx:
        assert await tx.scalar(text("SELECT count(*) FROM attempt")) == 0


async def test_expired_links_are_cleared_away(databases: Databases, anna: UserPrincipal, clock: SetClock) -> None:
    await link(databases, anna, clock)
    clock.advance(LINK_LIFETIME)
    await link(databases, anna, clock)
    async with databases.worker.transaction(no_accounts()) as tx:
        assert await tx.scalar(text("SELECT count(*) FROM sign_in_link")) == 1


def test_the_address_of_a_link_carries_its_token() -> None:
    assert sign_in_url("https://value.example/", "a_b-c") == "https://value.example/sign-in?token=a_b-c"
