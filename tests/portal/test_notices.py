"""What is new, above every page but the story's own."""

import re
from datetime import timedelta

import msgspec
import pytest

from tests.portal.browsers import LEADER, PARTNER, STRANGER, Browser, Portal
from tests.portal.browsers import STEWARD as MAYA
from tests.stewardship.digests.factories import news
from tests.stewardship.factories import NOON
from valueplatform.core.authorization import operator_scope
from valueplatform.narrative.document import Audience, StoryDocument
from valueplatform.narrative.store import newest_story, save_story
from valueplatform.portal.notice_view import MOST_LINES, portfolio_bell
from valueplatform.portal.notices import notices_feed
from valueplatform.stewardship.notices import Unread

DAY = timedelta(days=1)


async def tell(portal: Portal, said: str = "Savings fell by a third.", *, bad: bool = False) -> None:
    """Another version of the customer's story, with one sentence more."""
    world = portal.world
    async with world.databases.worker.transaction(operator_scope()) as tx:
        stored = await newest_story(tx, world.harbor, Audience.CUSTOMER)
        assert stored is not None
        document: StoryDocument = stored.document
        first, *rest = document.chapters
        more = msgspec.structs.replace(first, insights=(*first.insights, news(f"ins_{said[:5]}", said)))
        told = msgspec.structs.replace(document, chapters=(more, *rest))
        await save_story(tx, world.harbor, told, world.clock())
    if bad:
        await portal.run(
            "INSERT INTO bad_news (account_id, insight_id, told_at, position, text)"
            " VALUES (:a, 'ins_bad', :now, 0, :said)",
            a=world.harbor, now=world.clock(), said=said,
        )  # fmt: skip


async def later(portal: Portal, *browsers: Browser) -> None:
    """The story is read, and a while passes."""
    for browser in browsers:
        own = browser.opened.session.user.email != MAYA
        assert (await browser.get("/story" if own else "/accounts/harbor/story")).status_code == 200
    portal.world.clock.advance(timedelta(hours=3))


async def test_whoever_never_saw_the_story_is_not_told_that_it_is_new(portal: Portal, customer: Browser) -> None:
    await tell(portal)
    assert 'class="notice"' not in (await customer.get("/why")).text


async def test_news_is_told_on_every_other_page_until_the_story_is_read(portal: Portal, customer: Browser) -> None:
    await later(portal, customer)
    assert 'class="notice"' not in (await customer.get("/assumptions")).text
    await tell(portal)

    for path in ("/assumptions", "/why", "/plan", "/together/new", "/benchmarks", "/settings"):
        page = (await customer.get(path)).text
        assert "1 new in your story since" in page, path
        assert "Savings fell by a third." in page
        assert 'href="/story#c-' in page
    story = (await customer.get("/story")).text
    assert 'class="notice"' not in story
    assert "Since your last visit" in story, "one definition, and the page says the same"
    assert 'class="notice"' not in (await customer.get("/assumptions")).text


async def test_a_notice_is_each_readers_own(portal: Portal, customer: Browser, validator: Browser) -> None:
    await later(portal, customer, validator)
    await tell(portal)
    await customer.get("/story")

    assert 'class="notice"' not in (await customer.get("/assumptions")).text
    assert 'class="notice"' in (await validator.get("/assumptions")).text
    assert 'class="notice"' not in (await (await portal.browser(STRANGER)).get("/assumptions")).text


async def test_a_notice_that_was_put_aside_comes_back_with_the_next_news(portal: Portal, customer: Browser) -> None:
    await later(portal, customer)
    await tell(portal, "First.")
    gone = await customer.post("/notices/dismiss", version="2", back="/assumptions")
    assert (gone.status_code, gone.headers["location"]) == (303, "/assumptions")
    assert 'class="notice"' not in (await customer.get("/assumptions")).text

    await tell(portal, "Second.")
    page = (await customer.get("/assumptions")).text
    assert "1 new in your story" in page
    assert "Second." in page
    assert "First." not in page


async def test_what_is_put_aside_is_only_what_was_there(portal: Portal, customer: Browser) -> None:
    await later(portal, customer)
    await customer.post("/notices/dismiss", version="2147483647")
    await tell(portal)

    assert 'class="notice"' in (await customer.get("/assumptions")).text


@pytest.mark.parametrize("version", ["", "-1", "x", "9" * 40, "\u0661", "1.5", "\0"])
async def test_a_version_that_is_none_is_refused(customer: Browser, version: str) -> None:
    assert (await customer.post("/notices/dismiss", version=version)).status_code == 400


@pytest.mark.parametrize("back", ["https://evil.example", "//evil.example", "/\\evil.example", "", "/a\r\nX: y"])
async def test_nobody_is_led_elsewhere(customer: Browser, back: str) -> None:
    answer = await customer.post("/notices/dismiss", version="1", back=back)

    assert answer.headers["location"] == "/story"


async def test_a_script_gets_an_empty_place(customer: Browser) -> None:
    fields = {"_csrf": customer.csrf, "version": "1"}
    answer = await customer.send("/notices/dismiss", fields, {"HX-Request": "true", "sec-fetch-site": "same-origin"})

    assert answer.status_code == 200
    assert 'id="notice"' in answer.text
    assert "<aside" not in answer.text


def bell(page: str) -> tuple[str, str]:
    """Its name, and what stands behind it."""
    found = re.search(
        r'<button class="icon-btn bell"[^>]*aria-label="([^"]+)".*?id="bell-menu"[^>]*>(.*?)</div>', page, re.DOTALL
    )
    assert found is not None, page
    return found[1], found[2]


async def test_the_bell_counts_what_is_new_on_every_page_and_leads_to_each_of_it(
    portal: Portal, customer: Browser
) -> None:
    await later(portal, customer)
    name, behind = bell((await customer.get("/why")).text)
    assert name == "Notices, nothing new"
    assert "Nothing is new since your last visit." in behind
    await tell(portal)

    for path in ("/assumptions", "/why", "/plan", "/together/new", "/benchmarks", "/settings", "/partners"):
        name, behind = bell((await customer.get(path)).text)
        assert name == "Notices, 1 new", path
        assert "Savings fell by a third." in behind
        assert 'href="/story#c-' in behind


async def test_the_story_itself_rings_for_conversations_alone(
    portal: Portal, customer: Browser, steward: Browser
) -> None:
    await later(portal, customer)
    await tell(portal)
    await steward.post("/accounts/harbor/together", text="May I show you something?")

    name, behind = bell((await customer.get("/story")).text)
    assert name == "Notices, 1 new"
    assert '<a href="/together">1 conversation waits for your answer.</a>' in behind
    place = re.search(r'<div class="bell-place[^>]*>', (await customer.get("/story")).text)
    assert place is not None
    assert "sse-connect" not in place[0], "the stream of the story brings it along"


async def test_a_steward_hears_of_all_accounts_on_pages_of_several_and_of_one_on_its_own(
    portal: Portal, steward: Browser
) -> None:
    await later(portal, steward)
    await tell(portal, bad=True)

    name, behind = bell((await steward.get("/catalog")).text)
    assert name == "Notices, 1 new"
    assert "Savings fell by a third." in behind
    assert 'href="/accounts/harbor/story"' in behind
    assert bell((await steward.get("/accounts/harbor/why")).text)[0] == "Notices, 1 new"


async def test_the_bell_has_one_line_for_each_account_with_bad_news(portal: Portal, steward: Browser) -> None:
    for number in range(3):
        await portal.run(
            "INSERT INTO bad_news (account_id, insight_id, told_at, position, text)"
            " VALUES (:a, :id, :now, :number, :said)",
            a=portal.world.harbor, id=f"ins_{number}", now=portal.world.clock(), number=number, said=f"Fall {number}.",
        )  # fmt: skip

    name, behind = bell((await steward.get("/catalog")).text)
    assert name == "Notices, 1 new"
    assert "harbor: Fall 0. And 2 more.</a>" in behind


def test_more_accounts_than_the_bell_shows_are_counted() -> None:
    found = [Unread(n, f"k{n}", f"Account {n}", "i", "It fell.", NOON) for n in range(9)]
    shown = portfolio_bell(found, "/catalog")
    assert shown is not None
    assert (shown.count, len(shown.lines)) == (9, MOST_LINES + 1)
    assert (shown.lines[-1].text, shown.lines[-1].href) == ("3 more, in the portfolio", "/portfolio")


@pytest.mark.parametrize("path", ["/sign-in", "/estimate", "/shared"])
async def test_whoever_has_no_notices_has_no_bell(portal: Portal, path: str) -> None:
    partner = await portal.browser(PARTNER)
    assert 'id="bell"' not in (await partner.get(path)).text


async def test_the_open_page_hears_of_news_with_the_next_waking_and_of_nothing_twice(
    portal: Portal, customer: Browser
) -> None:
    await later(portal, customer)
    page = (await customer.get("/why")).text
    found = re.search(r'sse-connect="/notices/live\?seen=([0-9a-f]+)&amp;at=%2Fwhy"', page)
    assert found is not None, page
    feed = await notices_feed(portal.served(), customer.opened.cookie, None, seen=found[1], at="/why")
    assert feed.topic == portal.world.harbor
    assert await feed.read(feed.mark) is None

    await tell(portal)
    fragment = await feed.read(feed.mark)
    assert fragment is not None
    assert "Notices, 1 new" in fragment.html
    assert 'id="notice" hx-swap-oob="true"' in fragment.html
    assert 'name="back" value="/why"' in fragment.html
    assert await feed.read(fragment.mark) is None

    await customer.post("/notices/dismiss", version="9", back="/why")
    gone = await feed.read(fragment.mark)
    assert gone is not None
    assert "Notices, nothing new" in gone.html


async def test_an_open_page_of_several_accounts_hears_of_bad_news_in_any(portal: Portal, steward: Browser) -> None:
    feed = await notices_feed(portal.served(), steward.opened.cookie, None, seen="", at="/catalog")
    assert feed.topic == 0
    first = await feed.read(None)
    assert first is not None
    await tell(portal, bad=True)
    fragment = await feed.read(first.mark)
    assert fragment is not None
    assert "Savings fell by a third." in fragment.html


@pytest.mark.parametrize("at", ["https://evil.example", "//evil.example", "x", "/a\r\nX: y"])
async def test_a_stream_leads_nobody_elsewhere(portal: Portal, customer: Browser, at: str) -> None:
    await later(portal, customer)
    await tell(portal)
    fragment = await (await notices_feed(portal.served(), customer.opened.cookie, None, seen="", at=at)).read(None)
    assert fragment is not None
    assert 'name="back" value=""' in fragment.html


async def test_nobody_streams_the_notices_of_what_is_not_theirs(portal: Portal, customer: Browser) -> None:
    partner = await portal.browser(PARTNER)
    for browser, path in ((customer, "/accounts/harbor/notices/live"), (partner, "/notices/live")):
        assert (await browser.get(path)).status_code == 404


async def test_what_was_put_aside_is_gone_from_the_bell_at_once(portal: Portal, customer: Browser) -> None:
    await later(portal, customer)
    await tell(portal)
    fields = {"_csrf": customer.csrf, "version": "2"}
    answer = await customer.send("/notices/dismiss", fields, {"HX-Request": "true", "sec-fetch-site": "same-origin"})

    assert "Notices, nothing new" in answer.text
    assert 'id="bell" hx-swap-oob="innerHTML"' in answer.text


async def hold(portal: Portal, steward: Browser) -> None:
    answer = await steward.post("/accounts/harbor/hold", reason="I call them first.")
    assert answer.status_code == 303, answer.text


async def test_a_hold_delays_the_notice_and_neither_the_page_nor_the_api(
    portal: Portal, customer: Browser, steward: Browser
) -> None:
    await later(portal, customer)
    await tell(portal, bad=True)
    await hold(portal, steward)

    assert 'class="notice"' not in (await customer.get("/assumptions")).text
    markdown = (await customer.get("/story.md")).text
    assert "Savings fell by a third" in markdown
    api = (await portal.world.get("/api/v1/accounts/harbor/story", "champion")).text
    assert "Savings fell by a third" in api

    await steward.post("/accounts/harbor/hold/release")
    assert 'class="notice"' in (await customer.get("/assumptions")).text


async def test_a_hold_ends_by_itself_after_two_working_days(
    portal: Portal, customer: Browser, steward: Browser
) -> None:
    await later(portal, customer)
    await tell(portal, bad=True)
    await hold(portal, steward)
    portal.world.clock.advance(2 * DAY)

    assert 'class="notice"' in (await customer.get("/assumptions")).text


async def test_the_steward_is_told_at_once_whatever_is_held(
    portal: Portal, customer: Browser, steward: Browser
) -> None:
    await later(portal, customer, steward)
    await tell(portal, bad=True)
    await hold(portal, steward)

    portfolio = (await steward.get("/portfolio")).text
    assert "Bad news from" in portfolio
    assert "Savings fell by a third." in portfolio
    assert "1 new in its story since" in (await steward.get("/accounts/harbor/assumptions")).text


async def test_bad_news_that_the_steward_read_or_put_aside_is_told_no_more(portal: Portal, steward: Browser) -> None:
    await tell(portal, bad=True)
    assert "Bad news from" in (await steward.get("/portfolio")).text
    told = portal.world.clock().isoformat()
    gone = await steward.post("/bad-news/dismiss", told=told, back="/catalog")
    assert (gone.status_code, gone.headers["location"]) == (303, "/catalog")
    assert "Bad news from" not in (await steward.get("/portfolio")).text

    portal.world.clock.advance(DAY)
    await portal.run("UPDATE bad_news SET told_at = :now", now=portal.world.clock())
    assert "Bad news from" in (await steward.get("/portfolio")).text
    portal.world.clock.advance(timedelta(hours=1))
    await steward.get("/accounts/harbor/story")
    assert "Bad news from" not in (await steward.get("/portfolio")).text


async def test_old_bad_news_is_no_notice(portal: Portal, steward: Browser) -> None:
    await tell(portal, bad=True)
    portal.world.clock.advance(15 * DAY)

    assert "Bad news from" not in (await steward.get("/portfolio")).text


async def test_another_of_the_supplier_is_not_told_what_is_the_stewards(portal: Portal) -> None:
    await tell(portal, bad=True)
    leader = await portal.browser(LEADER)

    assert "Bad news" not in (await leader.get("/portfolio")).text
    assert (await leader.post("/bad-news/dismiss", told=portal.world.clock().isoformat())).status_code == 404


@pytest.mark.parametrize("told", ["", "x", "2026-01-01", "2026-01-01T00:00:00", "\0"])
async def test_a_moment_that_is_none_is_refused(steward: Browser, told: str) -> None:
    assert (await steward.post("/bad-news/dismiss", told=told)).status_code == 400


async def test_the_api_tells_a_persons_key_what_the_person_has_not_seen(portal: Portal, validator: Browser) -> None:
    address = "/api/v1/accounts/harbor/notices"
    await later(portal, validator)
    assert (await portal.world.get(address, "validator")).json() == {"account": "harbor", "version": 1, "items": []}
    await tell(portal)
    told = (await portal.world.get(address, "validator")).json()

    assert told["version"] == 2
    assert [item["text"] for item in told["items"]] == ["Savings fell by a third."]
    assert (await portal.world.get(address, "admin", since=1)).json() == told
    assert (await portal.world.get(address, "admin", since=2)).json()["items"] == []
    assert (await portal.world.get(address, "admin")).status_code == 400


async def test_what_is_held_is_held_in_the_api_of_notices_for_customers_alone(portal: Portal, steward: Browser) -> None:
    address = "/api/v1/accounts/harbor/notices"
    await tell(portal, bad=True)
    await hold(portal, steward)

    assert (await portal.world.get(address, "champion", since=1)).json()["items"] == []
    assert (await portal.world.get(address, "admin", since=1)).json()["items"] != []
