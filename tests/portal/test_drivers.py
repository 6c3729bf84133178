"""The driver library's pages."""

import re

import pytest

from tests.portal.browsers import ADMIN, CHAMPION, LEADER, OPERATOR, STEWARD, Portal

LIBRARY = "/catalog/drivers"


async def test_it_is_linked_from_the_catalog_and_lists_every_driver(worth_portal: Portal) -> None:
    steward = await worth_portal.browser(STEWARD)
    assert f'href="{LIBRARY}"' in (await steward.get("/catalog")).text
    page = (await steward.get(LIBRARY)).text
    assert "Three drivers turn usage into value." in page
    assert re.findall(rf'href="{LIBRARY}/(\w+)"', page) == ["time", "calls", "safety"]
    assert "in 9 accounts" in page
    assert 'aria-current="page">Catalog' in page


async def test_filters_stand_in_the_address_and_narrow_it_down(worth_portal: Portal) -> None:
    steward = await worth_portal.browser(STEWARD)
    page = (await steward.get(f"{LIBRARY}?benefit_class=strategic")).text
    assert re.findall(rf'href="{LIBRARY}/(\w+)"', page) == ["safety"]
    assert "One of 3 drivers." in page
    assert '<option value="strategic" selected>' in page
    none = (await steward.get(f"{LIBRARY}?persona=%3Cb%3E&stage=x")).text
    assert "No driver says all of this." in none
    assert 'value="&lt;b&gt;" selected' in none
    assert (await steward.get(f"{LIBRARY}?benefit_class=wealth")).status_code == 200


async def test_a_driver_opens_to_what_it_is_made_of_and_who_uses_it(worth_portal: Portal) -> None:
    page = (await (await worth_portal.browser(STEWARD)).get(f"{LIBRARY}/time")).text
    assert "(jobs * 10 - minutes) * per_minute" in page
    assert "The model does not say yet how this value is delivered" in page
    assert "Version 1" in page
    assert "Added" in page
    assert "peer-1" in page
    assert "of it counts." in page


@pytest.mark.parametrize(
    ("who", "status"), [(STEWARD, 200), (ADMIN, 200), (LEADER, 404), (OPERATOR, 404), (CHAMPION, 404)]
)
async def test_who_has_the_catalog_has_the_library(worth_portal: Portal, who: str, status: int) -> None:
    browser = await worth_portal.browser(who)
    for path in (LIBRARY, f"{LIBRARY}/time"):
        assert (await browser.get(path)).status_code == status, path


async def test_a_driver_that_is_not_there_is_not_found(worth_portal: Portal) -> None:
    assert (await (await worth_portal.browser(STEWARD)).get(f"{LIBRARY}/no_such")).status_code == 404
