"""The page on data quality, on a real record."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import text

from tests.portal.browsers import ADMIN, CHAMPION, LEADER, OPERATOR, PARTNER, STEWARD, Browser, Portal, hrefs
from tests.telemetry.factories import cloud_event, send
from valueplatform.core.scope import grant_all
from valueplatform.portal.data_quality_view import headline
from valueplatform.telemetry.findings import ALL_ACCOUNTS, keep_findings
from valueplatform.telemetry.intake_sums import sum_intake
from valueplatform.telemetry.quality import FAILURE, NOTICE, WARNING, Found
from valueplatform.telemetry.quality_reads import QualityCounts

ODD = 'ünfug/<b>\'s & "more"</b>'
_ACME = text("SELECT account_id FROM account WHERE key = 'acme'")
ROW = r'<tr id="row-'


@pytest.fixture
async def troubled(portal: Portal) -> Portal:
    """A source with a hostile name that fell silent, one that spiked, and an intake that does not add up."""
    now = portal.world.clock()
    day = now.date()
    events = [cloud_event(account="acme", source=name, time=now.isoformat()) for name in (ODD, "/app")]
    await send(portal.world.databases, *events, events[0], cloud_event(account="acme", time="soon"), now=now)
    since = day - timedelta(days=6)
    async with portal.world.databases.worker.transaction(grant_all()) as tx:
        await sum_intake(tx)
        acme = int(await tx.scalar(_ACME))
        silent = Found("freshness", ODD, "events every day", "no events for 6 days", WARNING, ODD, since, day)
        more = Found("volume", "/app", "about 10", "900 events in 1 day", NOTICE, "/app", since, since)
        await keep_findings(tx, acme, [silent, more], now, looked=())
        lost = Found("intake", "keys, part 3 of 64", "2 stored", "1 keys", FAILURE)
        await keep_findings(tx, ALL_ACCOUNTS, [lost], now, looked=())
    return portal


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        (QualityCounts(0, 0, 0, 0, 0), "Nothing has come in yet."),
        (QualityCounts(1, 0, 0, 0, 0), "The one source goes on as usual."),
        (QualityCounts(1200, 0, 0, 0, 0), "All 1,200 sources go on as usual."),
        (QualityCounts(19, 1, 3, 0, 1), "One of 19 sources needs a look."),
        (QualityCounts(19, 14, 20, 0, 1), "14 of 19 sources need a look."),
        (QualityCounts(19, 14, 20, 1, 1), "One stated number does not agree with what came in."),
        (QualityCounts(19, 14, 20, 3, 1), "Three stated numbers do not agree with what came in."),
    ],
)
def test_the_headline_says_what_matters_most(counts: QualityCounts, said: str) -> None:
    assert headline(counts) == said


async def test_each_source_says_when_it_came_how_much_and_what_was_found(troubled: Portal, steward: Browser) -> None:
    page = (await steward.get("/data-quality?account=acme")).text
    assert page.count(ROW) == 2
    assert "no events for 6 days; usual: events every day" in page
    assert "50% rejected" in page
    assert "50% sent again" in page
    assert "Needs a look" in page
    assert "Has changed" in page
    assert 'aria-current="page">Data quality' in page
    assert "Only “acme”." in page


async def test_what_does_not_add_up_stands_in_the_headline(troubled: Portal, steward: Browser) -> None:
    page = (await steward.get("/data-quality?show=open")).text
    assert "One stated number does not agree with what came in." in page
    assert "keys, part 3 of 64: 2 stored; 1 keys" in page
    assert "Does not add up" in page
    assert page.count(ROW) == 3


async def test_what_senders_write_is_text_and_never_markup(troubled: Portal, steward: Browser) -> None:
    main = (await steward.get("/data-quality")).text.split("<main")[1]
    assert "<b>'" not in main
    assert "/&lt;b&gt;" in main
    assert "style=" not in main


async def test_every_id_is_there_once_and_every_link_leads_somewhere(troubled: Portal, steward: Browser) -> None:
    page = (await steward.get("/data-quality")).text
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(ids) == len(set(ids))
    for href in sorted(set(hrefs(page, "/"))):
        if not href.startswith("/static/"):
            assert (await steward.get(href)).status_code in {200, 303}, href


async def test_filters_count_what_they_list(troubled: Portal, steward: Browser) -> None:
    page = (await steward.get("/data-quality")).text
    filters = re.findall(r'href="(/data-quality\?show=[^"]+)"[^>]*>[^<]+<span class="count">(\d+)</span>', page)
    assert len(filters) == 2
    open_ones = next((href, int(count)) for href, count in filters if "open" in href)
    assert (await steward.get(open_ones[0])).text.count(ROW) == open_ones[1] == 3


async def test_many_sources_come_in_pages(portal: Portal, steward: Browser) -> None:
    await send(portal.world.databases, *(cloud_event(source=f"s{number:03}") for number in range(60)))
    async with portal.world.databases.worker.transaction(grant_all()) as tx:
        await sum_intake(tx)
    page = (await steward.get("/data-quality?account=acme")).text
    assert page.count(ROW) == 50
    (more,) = [href for href in hrefs(page, "/data-quality") if "cursor" in href]
    assert (await steward.get(more)).text.count(ROW) == 10


async def test_before_anything_has_come_in_the_page_says_so(bare_portal: Portal) -> None:
    page = (await (await bare_portal.browser(STEWARD)).get("/data-quality")).text
    assert "Nothing has come in yet. Sources appear here" in page


@pytest.mark.parametrize("query", ["show=anything", "cursor=x", "account=%00"])
async def test_what_cannot_be_asked_for_is_refused(troubled: Portal, steward: Browser, query: str) -> None:
    assert (await steward.get(f"/data-quality?{query}")).status_code == 400


async def test_it_is_for_stewards_operations_and_administrators(troubled: Portal) -> None:
    for who in (STEWARD, ADMIN, OPERATOR):
        page = await (await troubled.browser(who)).get("/data-quality")
        assert page.status_code == 200
        assert "Data quality</a>" in page.text
        assert ("/accounts/acme/story" in page.text) is (who != OPERATOR), "who may not open it has no link to it"


@pytest.mark.parametrize("who", [CHAMPION, PARTNER, LEADER])
async def test_nobody_else_has_it(troubled: Portal, who: str) -> None:
    browser = await troubled.browser(who)
    assert (await browser.get("/data-quality")).status_code == 404
    assert "/data-quality" not in (await browser.get("/portfolio")).text
