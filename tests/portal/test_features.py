"""The pages of features on a real record."""

import re

import pytest

from tests.portal.browsers import ADMIN, CHAMPION, LEADER, OPERATOR, PARTNER, STEWARD, Browser, Portal, hrefs

FEATURES = "/catalog/features"
DAYS = "from=2026-01-01&to=2026-07-01"


async def test_the_catalog_leads_to_features_and_each_opens(portal: Portal, steward: Browser) -> None:
    assert FEATURES in hrefs((await steward.get("/catalog")).text, "/catalog")
    page = (await steward.get(f"{FEATURES}?{DAYS}")).text
    assert "Two of two features have no whole value hypothesis." in page
    assert "Lacks outcome, driver, meter and baseline" in page
    assert 'aria-current="page">Catalog' in page
    opened = hrefs(page, f"{FEATURES}/")
    assert {href.partition("?")[0] for href in opened} == {f"{FEATURES}/erp-connector", f"{FEATURES}/eta-link"}
    for href in set(opened):
        answer = await steward.get(href.replace("&amp;", "&"))
        assert answer.status_code == 200
        assert "Not said in the model" in answer.text


async def test_a_number_on_the_list_is_the_number_of_the_opened_page(portal: Portal, steward: Browser) -> None:
    page = (await steward.get(f"{FEATURES}?{DAYS}")).text
    (text,) = re.findall(
        rf'href="{FEATURES}/erp-connector[^"]*" data-value="[^"]+" data-unit="USD"[^>]*>([^<]+)<', page
    )
    opened = (await steward.get(f"{FEATURES}/erp-connector?{DAYS}")).text
    assert f"ERP connector: {text}, cashable" in opened
    assert "syncs * per_sync" in opened
    assert "/catalog?show=all&amp;sort=value&amp;open=sync.done" in opened


async def test_value_per_use_says_what_a_use_is(portal: Portal, steward: Browser) -> None:
    assert ", per event" in (await steward.get(f"{FEATURES}?{DAYS}")).text
    opened = (await steward.get(f"{FEATURES}/erp-connector?{DAYS}")).text
    assert "Its hypothesis names no meter, so a use is one of its events." in opened
    assert re.search(r'data-th="Uses">[\d,]+\sevents?<', opened)


async def test_markup_has_no_styles_and_no_id_twice(portal: Portal, steward: Browser) -> None:
    for path in (FEATURES, f"{FEATURES}/erp-connector"):
        page = (await steward.get(path)).text
        assert "style=" not in page.split("<main")[1]
        ids = re.findall(r' id="([^"]+)"', page)
        assert len(ids) == len(set(ids))


@pytest.mark.parametrize("query", ["from=soon", "from=2026-01-01", "from=2026-02-01&through=2026-01-01"])
async def test_days_that_make_no_window_are_refused(portal: Portal, steward: Browser, query: str) -> None:
    assert (await steward.get(f"{FEATURES}?{query}")).status_code == 400


async def test_a_feature_that_is_not_there_is_not_found(portal: Portal, steward: Browser) -> None:
    assert (await steward.get(f"{FEATURES}/nothing")).status_code == 404


@pytest.mark.parametrize(
    ("email", "status"),
    [(STEWARD, 200), (ADMIN, 200), (LEADER, 404), (OPERATOR, 404), (CHAMPION, 404), (PARTNER, 404)],
)
async def test_it_is_for_those_who_have_the_catalog(portal: Portal, email: str, status: int) -> None:
    browser = await portal.browser(email)
    for path in (FEATURES, f"{FEATURES}/erp-connector"):
        assert (await browser.get(path)).status_code == status
