"""The catalog's page on a real record."""

import re

import pytest

from tests.portal.browsers import ADMIN, CHAMPION, LEADER, OPERATOR, PARTNER, STEWARD, Browser, Portal, hrefs
from tests.telemetry.factories import cloud_event, send
from valueplatform.core.authorization import UserRole, operator_scope
from valueplatform.core.scope import grant_all
from valueplatform.core.users import create_user
from valueplatform.portal.catalog_view import headline
from valueplatform.telemetry.catalog_count import count_some, note_marks
from valueplatform.telemetry.catalog_reads import Counts

ODD = 'ünfug/<b>\'s & "more"</b>'


async def count(portal: Portal) -> None:
    async with portal.world.databases.worker.transaction(grant_all()) as tx:
        await note_marks(tx)
        while await count_some(tx):
            pass


@pytest.fixture
async def counted(portal: Portal) -> Portal:
    """What the worlds hold, and two types that no meter reads."""
    data = {"channel": "app", "<i>": {"x": 1}}
    await send(portal.world.databases, *(cloud_event(type=ODD, account=f"a{n}", data=data) for n in range(3)))
    await send(portal.world.databases, cloud_event(type="export.made", data=None))
    await count(portal)
    return portal


@pytest.mark.parametrize(
    ("types", "mapped", "said"),
    [
        (0, 0, "No event types are known yet."),
        (1, 0, "The one event type that is sent is not measured."),
        (1, 1, "The one event type that is sent feeds a meter."),
        (2, 1, "One of 2 event types feeds a meter; one is sent and not measured."),
        (19, 14, "14 of 19 event types feed a meter; five are sent and not measured."),
        (19, 19, "All 19 event types feed a meter."),
        (19, 0, "None of 19 event types feeds a meter."),
        (3000, 1000, "1,000 of 3,000 event types feed a meter; 2,000 are sent and not measured."),
    ],
)
def test_the_headline_says_how_much_of_what_is_sent_is_measured(types: int, mapped: int, said: str) -> None:
    assert headline(Counts(types, mapped)) == said


async def test_each_type_opens_to_its_properties(counted: Portal, steward: Browser) -> None:
    page = (await steward.get("/catalog")).text
    assert "event types feed a meter; two are sent and not measured." in page
    assert page.count("<details") == len(re.findall(r'<tr id="type-', page)) >= 4
    assert "text, such as app" in page
    assert "No properties" in page
    assert 'aria-current="page">Catalog' in page


async def test_what_senders_write_is_text_and_never_markup(counted: Portal, steward: Browser) -> None:
    page = (await steward.get("/catalog")).text
    assert "<b>" not in page.split("<main")[1]
    assert "<i>" not in page.split("<main")[1]
    assert "&lt;b&gt;" in page
    assert "style=" not in page.split("<main")[1]


async def test_every_id_is_there_once_and_every_field_has_its_label(counted: Portal, steward: Browser) -> None:
    page = (await steward.get("/catalog")).text
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    fields = re.findall(r'<input class="form-control" id="([^"]+)"', page)
    assert set(re.findall(r'<label for="([^"]+)"', page)) == set(fields) != set()


async def test_filters_count_what_they_list(counted: Portal, steward: Browser) -> None:
    page = (await steward.get("/catalog")).text
    filters = re.findall(r'href="(/catalog\?show=[^"]+)"[^>]*>[^<]+<span class="count">(\d+)</span>', page)
    assert len(filters) == 3
    for href, count in filters:
        assert (await steward.get(href)).text.count('<tr id="type-') == int(count), href


async def test_an_owner_is_set_on_the_page_and_it_comes_back_to_the_type(counted: Portal, steward: Browser) -> None:
    answer = await steward.post("/catalog/owner", type=ODD, owner="Größe <team>", show="unmapped")
    assert answer.status_code == 303
    where = answer.headers["location"]
    page = (await steward.get(where.split("#")[0])).text
    assert f'id="{where.split("#")[1]}"' in page
    assert page.count("<details open>") == 1
    assert "Größe &lt;team&gt;" in page
    assert f"set by {STEWARD}" in page
    assert where.startswith("/catalog?show=unmapped&")


async def test_a_form_from_elsewhere_sets_nothing(counted: Portal, steward: Browser) -> None:
    for token in ("", "x" * 40):
        fields = {"_csrf": token, "type": ODD, "owner": "x"}
        answer = await steward.send("/catalog/owner", fields, {"sec-fetch-site": "same-origin"})
        assert answer.status_code == 403
    fields = {"_csrf": steward.csrf, "type": ODD, "owner": "x"}
    assert (await steward.send("/catalog/owner", fields, {"sec-fetch-site": "cross-site"})).status_code == 403
    assert await counted.run("SELECT 1 FROM catalog_owner") == []


@pytest.mark.parametrize(
    ("fields", "status"), [({"type": "nothing"}, 404), ({}, 404), ({"type": ODD, "owner": "x" * 201}, 400)]
)
async def test_what_cannot_be_owned_is_refused(
    counted: Portal, steward: Browser, fields: dict[str, str], status: int
) -> None:
    assert (await steward.post("/catalog/owner", **{"owner": "x", **fields})).status_code == status


@pytest.mark.parametrize("query", ["show=anything", "cursor=x"])
async def test_what_cannot_be_asked_for_is_refused(counted: Portal, steward: Browser, query: str) -> None:
    assert (await steward.get(f"/catalog?{query}")).status_code == 400


async def test_many_types_come_in_pages_and_every_link_leads_somewhere(counted: Portal, steward: Browser) -> None:
    await send(counted.world.databases, *(cloud_event(type=f"t{n:03}") for n in range(60)))
    await count(counted)
    page = (await steward.get("/catalog?show=unmapped")).text
    assert page.count('<tr id="type-') == 50
    (more,) = [href for href in hrefs(page, "/catalog") if "cursor" in href]
    assert (await steward.get(more)).text.count('<tr id="type-') == 12
    for href in sorted(set(hrefs(page, "/"))):
        if not href.startswith("/static/"):
            assert (await steward.get(href)).status_code in {200, 303}, href


async def test_before_anything_is_counted_the_page_says_so(bare_portal: Portal) -> None:
    page = (await (await bare_portal.browser(STEWARD)).get("/catalog")).text
    assert "No event types are known yet." in page
    assert "No event has been counted yet." in page


async def test_it_is_for_stewards_product_and_administrators(counted: Portal) -> None:
    async with counted.world.databases.worker.transaction(operator_scope()) as tx:
        await create_user(tx, "pia@fieldnote.example", UserRole.PRODUCT, name="Pia")
    for who in (STEWARD, ADMIN, "pia@fieldnote.example"):
        browser = await counted.browser(who)
        assert "Catalog</a>" in (await browser.get("/portfolio")).text
        assert (await browser.get("/catalog")).status_code == 200
        assert (await browser.post("/catalog/owner", type=ODD, owner=who)).status_code == 303


@pytest.mark.parametrize("who", [CHAMPION, PARTNER, LEADER, OPERATOR])
async def test_nobody_else_has_a_catalog(counted: Portal, who: str) -> None:
    browser = await counted.browser(who)
    assert (await browser.get("/catalog")).status_code == 404
    assert (await browser.post("/catalog/owner", type=ODD, owner="x")).status_code == 404
    assert "/catalog" not in (await browser.get("/portfolio")).text
