"""The page of the ideal customer profile on a real record."""

import pytest

from tests.portal.browsers import ADMIN, CHAMPION, LEADER, OPERATOR, PARTNER, STEWARD, Browser, Portal, hrefs
from valueplatform.portal.ideal_customer_view import NOT_DECLARED

PATH = "/catalog/ideal-customer"


async def test_the_catalog_leads_to_it_and_it_says_what_is_missing(portal: Portal, steward: Browser) -> None:
    assert PATH in hrefs((await steward.get("/catalog")).text, "/catalog")
    page = (await steward.get(PATH)).text
    assert "No account has realized value to compare yet" in page
    assert NOT_DECLARED in page
    assert "style=" not in page.split("<main")[1]


@pytest.mark.parametrize(
    ("email", "status"),
    [(STEWARD, 200), (ADMIN, 200), (LEADER, 404), (OPERATOR, 404), (CHAMPION, 404), (PARTNER, 404)],
)
async def test_it_is_for_those_who_have_the_catalog(portal: Portal, email: str, status: int) -> None:
    browser = await portal.browser(email)
    assert (await browser.get(PATH)).status_code == status
