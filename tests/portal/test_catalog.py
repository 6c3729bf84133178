"""The catalog's page on a real record."""

import csv
import io
import re
from decimal import Decimal
from typing import Any

import pytest

from tests.portal.browsers import ADMIN, CHAMPION, LEADER, OPERATOR, PARTNER, STEWARD, Browser, Portal, hrefs
from tests.telemetry.factories import cloud_event, send
from valueplatform.core.authorization import UserRole, operator_scope
from valueplatform.core.scope import grant_all
from valueplatform.core.users import create_user
from valueplatform.portal.catalog import catalog_feed
from valueplatform.portal.catalog_view import Asked, headline
from valueplatform.portal.live import CATALOG
from valueplatform.telemetry.catalog_count import count_some, note_marks
from valueplatform.telemetry.catalog_reads import Counts
from valueplatform.value.catalog import Chosen

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
    assert len(filters) == 4
    for href, count in filters:
        shown = (await steward.get(href.replace("&amp;", "&"))).text
        assert len(re.findall(r'<tr id="(?:type|gap)-', shown)) == int(count), href


async def test_an_owner_is_set_on_the_page_and_it_comes_back_to_the_type(counted: Portal, steward: Browser) -> None:
    answer = await steward.post("/catalog/owner", type=ODD, owner="Größe <team>", show="unmapped")
    assert answer.status_code == 303
    where = answer.headers["location"]
    page = (await steward.get(where.split("#")[0])).text
    assert f'id="{where.split("#")[1]}"' in page
    assert len(re.findall("<details id=[^>]* open>", page)) == 1
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


# --- what types are worth, and what could be sent


@pytest.fixture
async def product(worth_portal: Portal) -> Browser:
    async with worth_portal.world.databases.worker.transaction(operator_scope()) as tx:
        await create_user(tx, "pia@fieldnote.example", UserRole.PRODUCT, name="Pia")
    return await worth_portal.browser("pia@fieldnote.example")


def row_of(page: str, name: str) -> str:
    """The line of a type, without what opens beneath it."""
    (found,) = [row for row in re.findall(r"<tr id=.*?</tr>", page, re.DOTALL) if f">{name}<" in row]
    return str(found)


def worth_links(html: str) -> list[str]:
    return [href.replace("&amp;", "&") for href in re.findall(r'class="opens[^"]*" href="([^"]+)"', html)]


async def test_the_most_potential_comes_first_with_its_range_and_accounts(product: Browser) -> None:
    page = (await product.get("/catalog")).text
    types = re.findall(r'<span class="type">([^<]+)</span>', page)
    assert types[:2] == ["tracking.opened", "job.done"]
    row = row_of(page, "tracking.opened")
    realized = r'class="opens opens-estimated"[^>]*>\$[\d.]+</a><span class="sub">capacity, vendor estimate</span>'
    assert re.search(realized, row)
    assert re.search(r'class="opens opens-predicted"[^>]*>about \$[\d.]+</a><span class="sub">\$.* in 3 accounts', row)
    assert "the mean of March to May 2026. As of 15 Jun 2026, 12:00 (UTC)." in page
    assert "Estimates of what could come stand beside realized value, never in it" in page


async def test_types_come_by_name_too(product: Browser) -> None:
    page = (await product.get("/catalog?sort=name")).text
    types = re.findall(r'<span class="type">([^<]+)</span>', page)
    assert types == sorted(types, key=str.casefold)
    assert 'aria-current="true">By name' in page


async def test_what_is_not_estimated_says_why(product: Browser) -> None:
    page = (await product.get("/catalog")).text
    assert "Nothing to compare it with" in row_of(page, "job.begun")
    assert "and its volume goes with no type that feeds one" in page


async def test_every_amount_opens_to_what_it_is_made_from(product: Browser) -> None:
    page = (await product.get("/catalog")).text
    links = sorted(set(worth_links(page)))
    assert len(links) >= 4
    for href in links:
        opened = await product.get(href)
        assert opened.status_code == 200, href
        assert "How this is estimated" in opened.text
    opened = (await product.get("/catalog/worth?type=tracking.opened")).text
    assert "tracking.opened feeds a driver worth $" in opened
    assert "opens * per_open" in opened
    assert "Mar 2026" in opened
    assert opened.count("Could come on top</td>") == 3
    assert re.search(r"0\.\d+ of \$[\d,.]+ / 3", opened)
    assert "Cochran" in opened
    assert "style=" not in opened.split("<main")[1]


async def test_many_accounts_come_in_pages(worth_portal: Portal, product: Browser, monkeypatch: Any) -> None:
    monkeypatch.setattr("valueplatform.portal.catalog.ROWS", 4)
    href: str | None = "/catalog/worth?type=tracking.opened"
    rows: list[str] = []
    while href is not None:
        page = (await product.get(href)).text
        rows += re.findall(r"<tr><th scope=\"row\"><a href=\"(/accounts/[^\"]+)\"", page)
        more = [link for link in hrefs(page, "/catalog/worth") if "cursor" in link]
        href = more[0] if more else None
    assert len(rows) == len(set(rows)) == 9


@pytest.mark.parametrize("query", ["type=nothing", "type=job.begun&property=x", "", "type=job.done&cursor=x"])
async def test_what_was_not_estimated_does_not_open(product: Browser, query: str) -> None:
    assert (await product.get(f"/catalog/worth?{query}")).status_code in {400, 404}


async def test_what_could_be_sent_says_what_it_takes(product: Browser) -> None:
    page = (await product.get("/catalog?show=not-sent")).text
    assert "could be sent; what would come is estimated for one." in page
    row = row_of(page, "tracking.opened")
    assert "3 accounts that might send it do not." in row
    assert "<b>Medium</b>" in row
    assert "Send a new event type from /app, which is connected in 3 accounts." in row
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    fields = set(re.findall(r'<(?:input|select|textarea) class="form-control[^"]*" id="([^"]+)"', page))
    assert set(re.findall(r'<label (?:class="visually-hidden" )?for="([^"]+)"', page)) == fields


async def test_an_effort_is_set_on_the_page_and_comes_back_to_its_line(worth_portal: Portal, product: Browser) -> None:
    page = (await product.get("/catalog?show=not-sent")).text
    (line,) = re.findall(r'<tr id="(gap-[0-9a-f]+)">\s*<th scope="row"><span class="type">tracking.opened</span>', page)
    fields = {"type": "tracking.opened", "property": "", "line": line, "show": "not-sent"}
    answer = await product.post("/catalog/effort", effort="large", reason="Two <teams>", **fields)
    assert answer.status_code == 303
    where, anchor = answer.headers["location"].split("#")
    assert anchor == line
    row = row_of((await product.get(where)).text, "tracking.opened")
    assert "<b>Large</b>" in row
    assert "Two &lt;teams&gt; (pia@fieldnote.example, 15 Jun)" in row
    assert (await product.post("/catalog/effort", effort="", reason="", **fields)).status_code == 303
    assert "<b>Medium</b>" in row_of((await product.get(where)).text, "tracking.opened")
    rows = await worth_portal.run("SELECT author, effort FROM catalog_effort ORDER BY entry_id")
    assert [tuple(one) for one in rows] == [("pia@fieldnote.example", "large"), ("pia@fieldnote.example", "")]


async def test_a_wish_is_made_on_the_page_and_taken_back(product: Browser) -> None:
    wish = {"type": "部品.returned", "name": "Parts <returned>", "why": "driven around", "effort": "small"}
    answer = await product.post("/catalog/wish", **wish)
    where, anchor = answer.headers["location"].split("#")
    page = (await product.get(where)).text
    assert f'<tr id="{anchor}">' in page
    row = row_of(page, "部品.returned")
    assert "Parts &lt;returned&gt;" in row
    assert "Wished for: driven around (pia@fieldnote.example, 15 Jun)" in row
    assert (await product.post("/catalog/wish/withdraw", type="部品.returned")).status_code == 303
    assert "部品.returned" not in (await product.get("/catalog?show=not-sent")).text


@pytest.mark.parametrize(
    ("path", "fields", "status"),
    [
        ("/catalog/effort", {"type": "nothing", "effort": "small"}, 404),
        ("/catalog/effort", {"type": "tracking.opened", "effort": "huge"}, 400),
        ("/catalog/wish", {"type": "", "name": "n", "why": "w", "effort": "small"}, 400),
        ("/catalog/wish", {"type": "t", "name": "n", "why": "w", "effort": ""}, 400),
        ("/catalog/wish/withdraw", {"type": "nothing"}, 404),
    ],
)
async def test_what_makes_no_sense_is_refused(product: Browser, path: str, fields: dict[str, str], status: int) -> None:
    assert (await product.post(path, **fields)).status_code == status


async def test_forms_from_elsewhere_say_nothing(worth_portal: Portal, product: Browser) -> None:
    fields = {"_csrf": "x" * 40, "type": "tracking.opened", "effort": "small", "name": "n", "why": "w"}
    for path in ("/catalog/effort", "/catalog/wish", "/catalog/wish/withdraw"):
        assert (await product.send(path, fields, {"sec-fetch-site": "same-origin"})).status_code == 403
    assert await worth_portal.run("SELECT 1 FROM catalog_effort UNION ALL SELECT 1 FROM catalog_wish") == []


@pytest.mark.parametrize("who", [CHAMPION, PARTNER, LEADER, OPERATOR])
async def test_nobody_else_sees_what_types_are_worth(worth_portal: Portal, who: str) -> None:
    browser = await worth_portal.browser(who)
    for path in ("/catalog?show=not-sent", "/catalog/worth?type=job.done", "/catalog/types.csv", "/catalog/live"):
        assert (await browser.get(path)).status_code == 404, path
    wish = {"type": "t", "name": "n", "why": "w", "effort": "small"}
    assert (await browser.post("/catalog/wish", **wish)).status_code == 404
    effort = {"type": "tracking.opened", "effort": "small"}
    assert (await browser.post("/catalog/effort", **effort)).status_code == 404


async def test_an_open_catalog_gets_what_is_new_and_nothing_else(worth_portal: Portal, product: Browser) -> None:
    served = worth_portal.served()
    feed = await catalog_feed(served, product.opened.cookie, Asked())
    assert feed.topic == CATALOG
    assert await feed.read(feed.mark) is None
    await product.post("/catalog/owner", type="tracking.opened", owner="Dispatch team")
    fragment = await feed.read(feed.mark)
    assert fragment is not None
    assert "Dispatch team" in fragment.html
    assert "<html" not in fragment.html
    assert await feed.read(fragment.mark) is None


async def test_the_fragment_is_what_the_page_shows(worth_portal: Portal, product: Browser) -> None:
    for show in (Chosen.ALL, Chosen.NOT_SENT):
        feed = await catalog_feed(worth_portal.served(), product.opened.cookie, Asked(show))
        fragment = await feed.read(None)
        assert fragment is not None
        page = (await product.get(Asked(show).path)).text
        assert fragment.html.strip() in page


async def test_the_file_holds_every_type_and_amount_and_no_formula(worth_portal: Portal, product: Browser) -> None:
    await send(worth_portal.world.databases, cloud_event(type="=cmd()", account="small"))
    await count(worth_portal)
    answer = await product.get("/catalog/types.csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    types = {row["type"] for row in rows}
    assert {"tracking.opened", "job.done", "'=cmd()"} <= types
    assert not [kind for kind in types if kind.startswith("=")]
    parts = {row["part"]: row for row in rows if row["type"] == "tracking.opened"}
    assert Decimal(parts["more"]["low_a_month"]) < Decimal(parts["more"]["expected_a_month"])
    assert (parts["realized"]["unit"], parts["more"]["basis"]) == ("USD", "size")
    assert {row["not_estimated"] for row in rows if row["type"] == "job.begun"} == {"nothing-alike"}
