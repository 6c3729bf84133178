import pytest

from tests.portal.browsers import ADMIN, CHAMPION, LEADER, OPERATOR, PARTNER, STEWARD, Portal


@pytest.mark.parametrize(
    ("who", "path"),
    [
        (CHAMPION, "/story"),
        (STEWARD, "/portfolio"),
        (ADMIN, "/portfolio"),
        (LEADER, "/portfolio"),
        (OPERATOR, "/data-quality"),
        (PARTNER, "/shared"),
    ],
)
async def test_each_role_is_sent_home(bare_portal: Portal, who: str, path: str) -> None:
    answer = await (await bare_portal.browser(who)).get("/")

    assert (answer.status_code, answer.headers["location"]) == (303, path)


async def test_without_a_session_there_is_only_sign_in(bare_portal: Portal) -> None:
    answer = await bare_portal.world.client.get("/", follow_redirects=False)

    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
