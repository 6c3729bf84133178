"""Signed-in browsers."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from tests.conftest import Databases
from tests.core.factories import SetClock
from valueplatform.core.authorization import UserPrincipal, UserRole
from valueplatform.core.errors import ForbiddenError
from valueplatform.core.scope import no_accounts
from valueplatform.core.sessions import (
    LIFETIME,
    OpenedSession,
    Session,
    cookie_form,
    end_session,
    open_session,
    require_csrf,
    session_of,
)
from valueplatform.core.users import create_user, disable_user


@pytest.fixture
async def anna(databases: Databases) -> UserPrincipal:
    async with databases.worker.transaction(no_accounts()) as tx:
        return await create_user(tx, "anna@acme.example", UserRole.CUSTOMER, account_ids=[7])


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


async def opened(
    databases: Databases, person: UserPrincipal, clock: SetClock, replaces: str | None = None
) -> OpenedSession:
    async with databases.web.transaction(no_accounts()) as tx:
        return await open_session(tx, person, clock, replaces=replaces)


async def found(databases: Databases, cookie: str, clock: SetClock) -> Session | None:
    async with databases.web.transaction(no_accounts()) as tx:
        return await session_of(tx, cookie, clock)


async def test_a_cookie_names_its_session_and_user(databases: Databases, anna: UserPrincipal, clock: SetClock) -> None:
    browser = await opened(databases, anna, clock)
    assert await found(databases, browser.cookie, clock) == browser.session
    assert browser.session.user == anna


async def test_a_cookie_that_nobody_got_names_nothing(databases: Databases, clock: SetClock) -> None:
    for cookie in ("", "x" * 43, "\ud800", "' OR true --"):
        assert await found(databases, cookie, clock) is None


async def test_signing_in_gives_a_new_id_and_ends_the_session_before(
    databases: Databases, anna: UserPrincipal, clock: SetClock
) -> None:
    before = await opened(databases, anna, clock)
    after = await opened(databases, anna, clock, replaces=before.cookie)
    assert after.cookie != before.cookie
    assert after.session.csrf_token != before.session.csrf_token
    assert await found(databases, before.cookie, clock) is None
    assert await found(databases, after.cookie, clock) is not None


async def test_an_id_that_the_browser_brought_is_never_taken_over(
    databases: Databases, anna: UserPrincipal, clock: SetClock
) -> None:
    planted = "planted-by-an-attacker-planted-by-an-attack"
    browser = await opened(databases, anna, clock, replaces=planted)
    assert browser.cookie != planted
    assert await found(databases, planted, clock) is None


async def test_a_session_ends_at_its_time_and_is_cleared_away_later(
    databases: Databases, anna: UserPrincipal, clock: SetClock
) -> None:
    old = await opened(databases, anna, clock)
    clock.advance(LIFETIME - timedelta(seconds=1))
    assert await found(databases, old.cookie, clock) is not None
    clock.advance(timedelta(seconds=1))
    assert await found(databases, old.cookie, clock) is None
    await opened(databases, anna, clock)
    async with databases.web.transaction(no_accounts()) as tx:
        assert await tx.scalar(text("SELECT count(*) FROM session")) == 1


async def test_signing_out_ends_this_session_only(databases: Databases, anna: UserPrincipal, clock: SetClock) -> None:
    phone, desk = await opened(databases, anna, clock), await opened(databases, anna, clock)
    async with databases.web.transaction(no_accounts()) as tx:
        await end_session(tx, phone.cookie)
    assert await found(databases, phone.cookie, clock) is None
    assert await found(databases, desk.cookie, clock) is not None


async def test_disabling_a_user_ends_every_session_at_once(
    databases: Databases, anna: UserPrincipal, clock: SetClock
) -> None:
    browsers = [await opened(databases, anna, clock) for _ in range(2)]
    async with databases.worker.transaction(no_accounts()) as tx:
        await disable_user(tx, anna.email, clock)
    assert [await found(databases, browser.cookie, clock) for browser in browsers] == [None, None]
    # One that was being opened at the same moment is of no use either.
    late = await opened(databases, anna, clock)
    assert await found(databases, late.cookie, clock) is None


async def test_the_database_never_holds_the_cookie(databases: Databases, anna: UserPrincipal, clock: SetClock) -> None:
    browser = await opened(databases, anna, clock)
    async with databases.worker.transaction(no_accounts()) as tx:
        row = await tx.scalar(text("SELECT s::text FROM session s"))
    assert browser.cookie not in row
    assert browser.cookie.encode().hex() not in row


async def test_a_csrf_token_is_good_in_its_own_session_only(
    databases: Databases, anna: UserPrincipal, clock: SetClock
) -> None:
    mine, other = await opened(databases, anna, clock), await opened(databases, anna, clock)
    require_csrf(mine.session, mine.session.csrf_token)
    for token in (None, "", other.session.csrf_token, mine.cookie, mine.session.csrf_token[:-1], "\ud800ä"):
        with pytest.raises(ForbiddenError, match="Reload the page"):
            require_csrf(mine.session, token)


@pytest.mark.parametrize(
    ("public_url", "name", "secure"),
    [
        ("http://127.0.0.1:8000", "valueplatform_session", False),
        ("http://localhost", "valueplatform_session", False),
        ("http://[::1]:8000", "valueplatform_session", False),
        ("https://127.0.0.1", "__Host-valueplatform_session", True),
        ("https://value.example", "__Host-valueplatform_session", True),
        ("http://value.example", "__Host-valueplatform_session", True),
        ("http://localhost.evil.example", "__Host-valueplatform_session", True),
        ("http://10.0.0.5", "__Host-valueplatform_session", True),
    ],
)
def test_cookies_are_secure_everywhere_but_on_plain_loopback(public_url: str, name: str, secure: bool) -> None:  # noqa: FBT001 - a parameter of the table
    form = cookie_form(public_url)
    assert (form.name, form.secure) == (name, secure)
