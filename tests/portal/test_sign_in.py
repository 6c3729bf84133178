"""Signing in and out (S4): a link counts once, the session's id is new, guesses are limited by the peer's address."""

from typing import Any

import pytest

from tests.api.world import PUBLIC_URL
from tests.portal.browsers import CHAMPION, COOKIE, Browser, Portal, token_in
from valueplatform.core.scope import no_accounts
from valueplatform.core.sign_in import FAILURES_ALLOWED, create_link
from valueplatform.core.tokens import new_token
from valueplatform.core.users import user_by_email

OWN = {"origin": PUBLIC_URL, "host": "127.0.0.1:8000"}


async def a_link(portal: Portal, email: str = CHAMPION) -> str:
    async with portal.world.databases.web.transaction(no_accounts()) as tx:
        return f"/sign-in/{await create_link(tx, await user_by_email(tx, email), portal.world.clock)}"


async def press(portal: Portal, link: str, **headers: str) -> Any:
    """Open a link as a browser does, and press its button."""
    client = portal.world.client
    page = await client.get(link, headers=headers)
    visit = page.cookies.get("valueplatform_visit") or ""
    cookies = "; ".join(filter(None, [headers.get("cookie"), f"valueplatform_visit={visit}"]))
    fields = {"_csrf": token_in(page.text)}
    return await client.post(link, data=fields, headers={**headers, "cookie": cookies, **OWN}, follow_redirects=False)


def session_cookie(answer: Any) -> str:
    return str(next(header for header in answer.headers.get_list("set-cookie") if header.startswith(f"{COOKIE}=")))


async def test_a_link_only_shows_a_button_however_often_it_is_opened(bare_portal: Portal) -> None:
    link = await a_link(bare_portal)
    for _ in range(3):  # mail scanners
        page = await bare_portal.world.client.get(link)
        assert (page.status_code, 'type="submit">Sign in' in page.text) == (200, True)
        assert COOKIE not in page.headers.get("set-cookie", "")

    assert (await press(bare_portal, link)).status_code == 303


async def test_the_button_signs_in_once(bare_portal: Portal) -> None:
    link = await a_link(bare_portal)
    first, second = await press(bare_portal, link), await press(bare_portal, link)

    assert (first.status_code, first.headers["location"]) == (303, "/")
    assert second.status_code == 410
    assert "This link no longer works." in second.text


async def test_the_cookie_is_out_of_reach_for_scripts_and_other_sites(bare_portal: Portal) -> None:
    cookie = session_cookie(await press(bare_portal, await a_link(bare_portal)))

    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Path=/" in cookie
    assert "Domain" not in cookie


async def test_the_session_that_the_browser_came_with_ends(portal: Portal, customer: Browser) -> None:
    answer = await press(portal, await a_link(portal), cookie=customer.headers["cookie"])

    assert session_cookie(answer).split(";")[0] != customer.headers["cookie"]
    assert (await customer.get("/story")).status_code == 303


@pytest.mark.parametrize(
    ("fields", "headers"),
    [
        ({}, {}),
        ({"_csrf": "0" * 64}, {}),
        ({"_csrf": None}, {"origin": "https://evil.example", "sec-fetch-site": "cross-site"}),
    ],
)
async def test_nobody_is_signed_in_by_a_form_of_another_page(
    bare_portal: Portal, fields: dict[str, Any], headers: dict[str, str]
) -> None:
    link, client = await a_link(bare_portal), bare_portal.world.client
    page = await client.get(link)
    visit = f"valueplatform_visit={page.cookies['valueplatform_visit']}"
    sent = {name: value or token_in(page.text) for name, value in fields.items()}
    answer = await client.post(link, data=sent, headers={**OWN, **headers, "cookie": visit}, follow_redirects=False)

    assert answer.status_code == 403
    assert (await press(bare_portal, link)).status_code == 303  # it has not been used up


async def test_guessing_is_limited_whatever_the_guesser_claims_to_be(bare_portal: Portal) -> None:
    statuses = []
    for number in range(FAILURES_ALLOWED + 3):
        claims = {"x-forwarded-for": f"10.0.0.{number}", "forwarded": f"for=10.0.1.{number}"}
        statuses.append((await press(bare_portal, f"/sign-in/{new_token()}", **claims)).status_code)

    assert statuses == [410] * FAILURES_ALLOWED + [429] * 3
    limited = await press(bare_portal, await a_link(bare_portal))
    assert (limited.status_code, limited.headers["retry-after"]) == (429, "60")


@pytest.mark.parametrize("token", ["short", "x" * 44, "%00" * 43])
async def test_what_cannot_be_a_link_is_told_so(bare_portal: Portal, token: str) -> None:
    answer = await bare_portal.world.client.get(f"/sign-in/{token}")

    assert answer.status_code == 410


async def test_the_older_form_of_a_link_leads_to_the_same_button(bare_portal: Portal) -> None:
    link = await a_link(bare_portal)
    answer = await bare_portal.world.client.get(link.replace("/sign-in/", "/sign-in?token="), follow_redirects=False)

    assert (answer.status_code, answer.headers["location"]) == (303, link)


async def ask(portal: Portal, email: str) -> Any:
    client = portal.world.client
    page = await client.get("/sign-in")
    visit = {"cookie": f"valueplatform_visit={page.cookies['valueplatform_visit']}", **OWN}
    return await client.post("/sign-in", data={"_csrf": token_in(page.text), "email": email}, headers=visit)


async def test_who_is_known_here_is_not_given_away(bare_portal: Portal) -> None:
    known, unknown = await ask(bare_portal, CHAMPION), await ask(bare_portal, "nobody@nowhere.example")

    assert known.status_code == unknown.status_code == 200
    assert f"valueplatform user link {CHAMPION}" in known.text
    same = [
        answer.text.replace(email, "…").replace(token, "…")
        for answer, email, token in (
            (known, CHAMPION, _meta_token(known.text)),
            (unknown, "nobody@nowhere.example", _meta_token(unknown.text)),
        )
    ]
    assert same[0] == same[1]


def _meta_token(html: str) -> str:
    return html.partition('name="csrf-token" content="')[2].partition('"')[0]


async def test_what_is_no_address_is_told_so_beside_the_field(bare_portal: Portal) -> None:
    answer = await ask(bare_portal, "daniel")

    assert answer.status_code == 400
    assert 'aria-describedby="email-error"' in answer.text


async def test_signing_out_removes_the_cookie_and_the_session(portal: Portal, customer: Browser) -> None:
    answer = await customer.post("/sign-out")

    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    assert "Max-Age=0" in session_cookie(answer)
    assert await portal.run("SELECT 1 FROM session WHERE csrf_token = :csrf", csrf=customer.csrf) == []
