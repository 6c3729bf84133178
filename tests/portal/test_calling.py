"""Every write of a signed-in browser is held to its own session and its own pages (S5); every page to its reader."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
import pytest_asyncio

from tests.api.world import GLOBEX, HARBOR
from tests.conftest import Databases, Server
from tests.portal.browsers import (
    CHAMPION,
    LEADER,
    OPERATOR,
    PARTNER,
    STEWARD,
    STRANGER,
    VALIDATOR,
    Browser,
    Portal,
    a_portal,
)
from valueplatform.core.clock import system_clock
from valueplatform.core.scope import no_accounts
from valueplatform.core.sessions import LIFETIME, end_session
from valueplatform.core.users import disable_user

OWN = {"sec-fetch-site": "same-origin"}
WRITES = (
    "/sign-out",
    "/together",
    "/together/new",
    "/together/1",
    "/assumptions/hourly_cost/propose",
    "/assumptions/hourly_cost/validate",
    "/assumptions/hourly_cost/dispute",
    "/assumptions/hourly_cost/withdraw",
    "/suggestions/sug_x/dismiss",
    f"/accounts/{HARBOR}/together",
    f"/accounts/{HARBOR}/assumptions/hourly_cost/propose",
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_portal(server: Server) -> AsyncIterator[Portal]:
    async with a_portal(server) as portal:
        yield portal


@pytest.fixture
async def refusing_portal(shared_portal: Portal) -> AsyncIterator[Portal]:
    """One server for all tests whose requests are refused: they leave nothing but sessions of their own.

    Connections belong to a loop, so each test has its own.
    """
    databases = Databases.connect(shared_portal.world.databases.url)
    yield Portal(replace(shared_portal.world, databases=databases))
    await databases.dispose()


@pytest.fixture
async def refused(refusing_portal: Portal) -> Browser:
    """The champion of harbor."""
    return await refusing_portal.browser(CHAMPION)


@pytest.mark.parametrize("path", WRITES)
async def test_a_write_without_the_token_of_this_session_is_refused(
    refusing_portal: Portal, refused: Browser, path: str
) -> None:
    other = await refusing_portal.browser(CHAMPION)
    for fields in ({}, {"_csrf": ""}, {"_csrf": other.csrf}, {"_csrf": "x" * 43}):
        answer = await refused.send(path, fields, OWN)
        assert answer.status_code == 403, fields
    header = await refused.send(path, {}, {**OWN, "X-CSRF-Token": other.csrf})
    assert header.status_code == 403


@pytest.mark.parametrize("path", WRITES)
@pytest.mark.parametrize("headers", [{"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}])
async def test_a_write_from_another_site_is_refused_even_with_the_token(
    refused: Browser, path: str, headers: dict[str, str]
) -> None:
    answer = await refused.send(path, {"_csrf": refused.csrf}, headers)

    assert answer.status_code == 403


async def test_the_token_may_come_in_the_header_that_scripts_send(customer: Browser) -> None:
    answer = await customer.send("/sign-out", {}, {**OWN, "X-CSRF-Token": customer.csrf})

    assert answer.status_code == 303


async def test_sign_out_takes_effect_with_the_next_request(portal: Portal, customer: Browser) -> None:
    assert (await customer.get("/story")).status_code == 200
    async with portal.world.databases.web.transaction(no_accounts()) as tx:
        await end_session(tx, customer.opened.cookie)

    answer = await customer.get("/story")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")


async def test_disabling_somebody_takes_effect_with_the_next_request(portal: Portal, customer: Browser) -> None:
    async with portal.world.databases.worker.transaction(no_accounts()) as tx:
        await disable_user(tx, CHAMPION, system_clock)

    assert (await customer.get("/story")).status_code == 303


async def test_a_session_ends_by_itself(portal: Portal, customer: Browser) -> None:
    portal.world.clock.advance(LIFETIME + timedelta(seconds=1))

    assert (await customer.get("/story")).status_code == 303


async def test_an_expired_session_never_puts_the_sign_in_page_into_a_fragment(refusing_portal: Portal) -> None:
    headers = {"cookie": "valueplatform_session=gone", "HX-Request": "true"}
    answer = await refusing_portal.world.client.get("/story", headers=headers, follow_redirects=False)

    assert (answer.headers["HX-Redirect"], answer.text) == ("/sign-in", "")


async def test_a_stream_without_a_session_does_not_come_back(refusing_portal: Portal) -> None:
    answer = await refusing_portal.world.client.get("/story/live", headers={"accept": "text/event-stream"})

    assert answer.status_code == 204


HARBORS = (f"/accounts/{HARBOR}/story", f"/accounts/{HARBOR}/assumptions", f"/accounts/{HARBOR}/together")


@pytest.mark.parametrize(
    ("who", "allowed"),
    [
        (CHAMPION, {"/story", "/assumptions", "/together/new"}),
        (VALIDATOR, {"/story", "/assumptions", "/together/new"}),
        (STEWARD, {"/portfolio", *HARBORS}),
        (LEADER, {"/portfolio", HARBORS[0], HARBORS[1]}),
        (OPERATOR, set()),
        (PARTNER, set()),
    ],
)
async def test_each_role_has_its_own_pages_and_no_others(portal: Portal, who: str, allowed: set[str]) -> None:
    browser = await portal.browser(who)
    pages = {"/story", "/assumptions", "/together/new", "/portfolio", *HARBORS}
    answers = {path: (await browser.get(path)).status_code for path in pages}

    assert {path for path, status in answers.items() if status in {200, 303}} == allowed
    assert set(answers.values()) <= {200, 303, 403, 404}


@pytest.mark.parametrize("rest", ["/story", "/story.md", "/assumptions", "/together", "/together/new"])
async def test_an_account_that_is_not_mine_is_answered_as_one_that_is_not_there(
    refusing_portal: Portal, rest: str
) -> None:
    stranger = await refusing_portal.browser(STRANGER)
    answers = [await stranger.get(f"/accounts/{key}{rest}") for key in (HARBOR, GLOBEX, "no-such-account")]

    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.text for answer in answers}) == 1
