"""The steward's home and account pages on a real record."""

import re

import pytest

from tests.api.world import GLOBEX, HARBOR, MAY_4
from tests.portal.browsers import CHAMPION, LEADER, PARTNER, Browser, Portal, hrefs
from tests.value.factories import mark
from tests.value.three_parties import put_jobs
from valueplatform.core.scope import grant_all
from valueplatform.portal.portfolio import portfolio_feed
from valueplatform.portal.portfolio_view import Asked
from valueplatform.stewardship.portfolio import Filter


@pytest.fixture
async def told(portal: Portal) -> Portal:
    """Both accounts stand in the portfolio, and a customer waits for an answer."""
    async with portal.world.databases.worker.transaction(grant_all()) as tx:
        await mark(tx, portal.world.globex, MAY_4, "account:created")
    await portal.world.refresh(portal.world.globex)
    customer = await portal.browser(CHAMPION)
    await customer.post("/together", text="Which jobs are in this?")
    await portal.world.refresh(portal.world.harbor)
    return portal


async def test_the_page_opens_on_who_needs_me(told: Portal, steward: Browser) -> None:
    page = (await steward.get("/portfolio")).text

    assert "of your 2 accounts need" in page
    assert f'href="/accounts/{HARBOR}/story"' in page


async def test_every_link_of_the_portfolio_leads_somewhere(told: Portal, steward: Browser) -> None:
    page = (await steward.get("/portfolio?show=all")).text
    for href in sorted(set(hrefs(page, "/"))):
        if not href.startswith("/static/"):
            assert (await steward.get(href)).status_code in {200, 303}, href


async def test_filters_count_what_they_list(told: Portal, steward: Browser) -> None:
    page = (await steward.get("/portfolio")).text
    filters = re.findall(r'href="(/portfolio\?show=[^"]+)"[^>]*>[^<]+<span class="count">(\d+)</span>', page)
    assert len(filters) == len(Filter)

    for href, count in filters:
        listed = (await steward.part(href.replace("&amp;", "&"))).text
        assert listed.count("<tr id=") == int(count), href


async def test_a_search_answers_rows_alone(told: Portal, steward: Browser) -> None:
    found = await steward.part("/portfolio?show=all&q=HARB")
    nothing = await steward.part("/portfolio?show=all&q=nobody")

    assert (found.text.count("<tr id="), "<html" in found.text) == (1, False)
    assert "No account is called that." in nothing.text
    whole = await steward.get("/portfolio?show=all&q=harb")
    assert 'value="harb"' in whole.text


@pytest.mark.parametrize("query", ["show=anything", "cursor=x", "show=all&cursor=%00"])
async def test_what_cannot_be_asked_for_is_refused(told: Portal, steward: Browser, query: str) -> None:
    assert (await steward.get(f"/portfolio?{query}")).status_code == 400


async def test_open_rows_change_with_the_record(told: Portal, steward: Browser) -> None:
    feed = await portfolio_feed(told.served(), steward.opened.cookie, Asked(Filter.ALL))
    assert await feed.read(feed.mark) is None
    await put_jobs(told.world.databases, told.world.harbor, MAY_4, 500)
    await told.world.refresh(told.world.harbor)
    fragment = await feed.read(feed.mark)

    assert fragment is not None
    assert fragment.html.count("<tr id=") == 2
    assert feed.topic == 0


@pytest.mark.parametrize("who", [CHAMPION, PARTNER])
async def test_nobody_else_has_a_portfolio(told: Portal, who: str) -> None:
    browser = await told.browser(who)
    for path in ("/portfolio", "/portfolio/live"):
        assert (await browser.get(path)).status_code == 404


async def test_an_account_s_page_is_the_customer_s_story_with_a_margin(told: Portal, steward: Browser) -> None:
    page = (await steward.get(f"/accounts/{HARBOR}/story")).text
    own = (await (await told.browser(CHAMPION)).get("/story")).text

    assert "Only you see this" in page
    assert "Answer Carl Berg" in page
    assert "Maya Okafor (you)" in page
    assert re.findall(r"<h1.*?</h1>", page, flags=re.DOTALL) == re.findall(r"<h1.*?</h1>", own, flags=re.DOTALL)
    assert "Since your last visit" not in page


async def test_every_link_of_an_account_s_page_leads_somewhere(told: Portal, steward: Browser) -> None:
    for key in (HARBOR, GLOBEX):
        page = (await steward.get(f"/accounts/{key}/story")).text
        for href in sorted({*hrefs(page, "/"), *hrefs(page, "#")}):
            if href.startswith("#"):
                assert f'id="{href[1:]}"' in page, href
            elif not href.startswith("/static/"):
                assert (await steward.get(href)).status_code in {200, 303}, href


async def test_a_steward_s_look_is_no_visit_of_the_customer(told: Portal, steward: Browser) -> None:
    await steward.get(f"/accounts/{HARBOR}/story")

    whose = "SELECT u.role FROM visit JOIN app_user u USING (user_id)"
    assert [row.role for row in await told.run(whose)] == ["steward"]


async def test_who_may_not_read_people_or_conversations_is_not_shown_them(told: Portal) -> None:
    leader = await told.browser(LEADER)
    page = (await leader.get(f"/accounts/{HARBOR}/story")).text

    assert "Which jobs are in this?" not in page
    assert "vera@harbor.example" not in page


async def test_the_address_of_an_account_leads_to_its_story(steward: Browser) -> None:
    answer = await steward.get(f"/accounts/{HARBOR}")

    assert (answer.status_code, answer.headers["location"]) == (303, f"/accounts/{HARBOR}/story")
