import pytest

from tests.portal.browsers import ADMIN, CHAMPION, LEADER, OPERATOR, PARTNER, STEWARD, Portal, hrefs


@pytest.mark.parametrize(
    ("who", "path"),
    [
        (CHAMPION, "/story"),
        (STEWARD, "/portfolio"),
        (ADMIN, "/portfolio"),
        (LEADER, "/portfolio"),
        (OPERATOR, "/connect"),
    ],
)
async def test_each_role_is_sent_home(bare_portal: Portal, who: str, path: str) -> None:
    answer = await (await bare_portal.browser(who)).get("/")

    assert (answer.status_code, answer.headers["location"]) == (303, path)


async def test_who_has_no_pages_is_told_what_they_can_use(bare_portal: Portal) -> None:
    browser = await bare_portal.browser(PARTNER)
    page = await browser.get("/")

    assert page.status_code == 200
    assert "by the API" in page.text
    assert "Sign out" in page.text
    for href in hrefs(page.text, "/"):
        if not href.startswith("/static/"):
            assert (await browser.get(href)).status_code == 200, href


async def test_without_a_session_there_is_only_sign_in(bare_portal: Portal) -> None:
    answer = await bare_portal.world.client.get("/", follow_redirects=False)

    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
