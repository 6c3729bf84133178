"""The story page on a real record: what it shows, what it leads to, and what it streams."""

import json
import re
from datetime import timedelta
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.api.world import HARBOR, MAY_4, put_grade, suggest
from tests.portal.browsers import CHAMPION, STRANGER, VALIDATOR, Browser, Portal, hrefs
from tests.value.three_parties import put_jobs
from valueplatform.portal.story import story_feed
from valueplatform.portal.visits import NEW_VISIT_AFTER


async def test_the_story_opens_on_its_headline_with_one_key_number(customer: Browser) -> None:
    answer = await customer.get("/story")

    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    (headline,) = re.findall(r"<h1.*?</h1>", answer.text, flags=re.DOTALL)
    assert headline.count("num-key") == 1
    assert 'data-value="' in headline


async def test_every_number_leads_to_a_proof_that_agrees(customer: Browser) -> None:
    page = (await customer.get("/story")).text
    found = sorted(set(hrefs(page, "/proof/")))
    assert len(found) >= 5

    for href in found:
        proof = await customer.part(href)
        assert (proof.status_code, ">Stated " in proof.text) == (200, True), href


async def test_no_link_of_the_page_leads_nowhere(customer: Browser) -> None:
    page = (await customer.get("/story")).text
    for href in sorted({*hrefs(page, "/"), *hrefs(page, "#")}):
        if href.startswith("#"):
            assert f'id="{href[1:]}"' in page, href
        elif not href.startswith("/static/"):
            assert (await customer.get(href)).status_code in {200, 303}, href


async def test_before_the_first_story_the_page_says_what_begins_it(bare_portal: Portal) -> None:
    stranger = await bare_portal.browser(STRANGER)
    answer = await stranger.get("/story")

    assert answer.status_code == 200
    assert "Your story begins with the first event." in answer.text
    assert (await stranger.get("/story.md")).status_code == 404


async def test_a_stream_carries_the_next_story_and_keeps_its_page_marked_open(
    portal: Portal, customer: Browser
) -> None:
    page = (await customer.get("/story")).text
    (seen,) = re.findall(r'sse-connect="[^"]+seen=([^"]+)"', page)
    feed = await story_feed(portal.served(), customer.opened.cookie, None, seen)
    assert await feed.read(seen) is None
    assert await portal.run("SELECT 1 FROM open_page") != []

    await put_jobs(portal.world.databases, portal.world.harbor, MAY_4, 400)
    await portal.world.refresh(portal.world.harbor)
    fragment = await feed.read(seen)

    assert fragment is not None
    assert "<h1" in fragment.html
    assert "<html" not in fragment.html
    assert await feed.read(fragment.mark) is None
    assert feed.closed is not None
    await feed.closed()
    assert await portal.run("SELECT 1 FROM open_page") == []


async def test_what_changed_since_the_last_visit_is_told_until_the_next(portal: Portal, customer: Browser) -> None:
    assert "Since your last visit" not in (await customer.get("/story")).text
    portal.world.clock.advance(NEW_VISIT_AFTER + timedelta(hours=1))
    await put_jobs(portal.world.databases, portal.world.harbor, MAY_4, 400)
    await portal.world.refresh(portal.world.harbor)

    for _ in range(2):
        page = (await customer.get("/story")).text
        assert "Since your last visit, 15 Jun" in page
        assert "is-new-mark" in page
    other = await portal.browser(VALIDATOR)
    assert "Since your last visit" not in (await other.get("/story")).text
    portal.world.clock.advance(NEW_VISIT_AFTER + timedelta(hours=1))
    assert "Since your last visit" not in (await customer.get("/story")).text


async def test_the_story_can_be_kept_as_text(customer: Browser) -> None:
    answer = await customer.get("/story.md")

    assert answer.headers["content-type"].startswith("text/markdown")
    assert answer.headers["content-disposition"] == f'attachment; filename="{HARBOR}-story.md"'
    assert "# " in answer.text


async def test_the_chart_carries_what_the_record_has(customer: Browser) -> None:
    page = (await customer.get("/story")).text
    (drawing,) = re.findall(r"data-drawing='(.*?)'>", page)
    rows = json.loads(drawing.replace("&#39;", "'"))["datasets"]["rows"]

    assert [row["last"] for row in rows].count(True) == 1
    assert rows[0]["realized"] == 0


async def test_what_to_do_about_the_story_stands_before_what_may_be_gained(portal: Portal, customer: Browser) -> None:
    alone = (await customer.get("/story")).text
    assert "Agree with Fieldnote what to commit to, so that there is a plan to measure against." in alone
    assert '<h2 id="h-step">Next step</h2>' in alone
    await suggest(portal.world, "erp-connector")
    page = (await customer.get("/story")).text
    assert page.index('<h2 id="h-step">To do first</h2>') < page.index('id="h-next"')


async def test_a_suggestion_can_be_set_aside_and_taken_back(portal: Portal, customer: Browser) -> None:
    ids = await suggest(portal.world, "erp-connector")
    page = (await customer.get("/story")).text
    assert f"/suggestions/{ids['erp-connector']}/dismiss" in page

    aside = await customer.post(f"/suggestions/{ids['erp-connector']}/dismiss")
    assert (aside.status_code, aside.headers["location"]) == (303, f"/story?aside={ids['erp-connector']}#next")
    page = (await customer.get(f"/story?aside={ids['erp-connector']}")).text
    assert f"/suggestions/{ids['erp-connector']}/undo" in page
    assert 'id="next"' not in (await customer.get("/story")).text

    await customer.post(f"/suggestions/{ids['erp-connector']}/undo")
    assert "/dismiss" in (await customer.get("/story")).text
    (state,) = await portal.run("SELECT state, decided_by FROM suggestion")
    assert tuple(state) == ("open", None)


async def test_undo_stays_on_offer_when_the_next_story_comes_in(portal: Portal, customer: Browser) -> None:
    ids = await suggest(portal.world, "erp-connector")
    aside = await customer.post(f"/suggestions/{ids['erp-connector']}/dismiss")
    page = (await customer.get(aside.headers["location"].removesuffix("#next"))).text
    (live,) = re.findall(r'sse-connect="([^"]+)"', page)
    asked = parse_qs(urlsplit(unescape(live)).query)
    (seen,) = asked["seen"]
    feed = await story_feed(portal.served(), customer.opened.cookie, None, seen, aside=asked["aside"][0])

    await put_jobs(portal.world.databases, portal.world.harbor, MAY_4, 400)
    await portal.world.refresh(portal.world.harbor)
    fragment = await feed.read(seen)

    assert fragment is not None
    assert f"/suggestions/{ids['erp-connector']}/undo" in fragment.html


async def test_only_those_who_lead_decide_on_suggestions(portal: Portal, validator: Browser) -> None:
    ids = await suggest(portal.world, "erp-connector")

    assert "/dismiss" not in (await validator.get("/story")).text
    assert (await validator.post(f"/suggestions/{ids['erp-connector']}/dismiss")).status_code == 403


@pytest.mark.parametrize("path", ["/suggestions/sug_x/dismiss", "/suggestions/sug_x/adopt"])
async def test_what_is_not_there_cannot_be_decided(customer: Browser, path: str) -> None:
    assert (await customer.post(path)).status_code == 404


async def test_a_feed_that_has_long_been_silent_is_said_above_the_headline(portal: Portal, customer: Browser) -> None:
    page = (await customer.get("/story")).text

    assert "No events have come in since." in page  # the newest event is of 5 May, the clock stands in June
    assert "Last event <time" in page


async def test_a_reader_s_story_is_the_one_of_their_account(portal: Portal) -> None:
    page = (await (await portal.browser(CHAMPION)).get("/story")).text
    other = (await (await portal.browser(STRANGER)).get("/story")).text

    assert set(hrefs(page, "/proof/")).isdisjoint(hrefs(other, "/proof/"))


async def test_what_is_accepted_is_followed_up_on_the_story(portal: Portal, customer: Browser) -> None:
    ids = await suggest(portal.world, "erp-connector")
    accepted = await customer.post(f"/suggestions/{ids['erp-connector']}/accept")
    assert accepted.headers["location"] == "/story#graded"
    page = (await customer.get("/story")).text
    assert "How earlier suggestions turned out" in page
    assert "Not graded yet" in page
    assert f"/suggestions/{ids['erp-connector']}/accept" not in page


async def test_a_grade_is_told_and_each_of_its_numbers_opens(portal: Portal, customer: Browser) -> None:
    ids = await suggest(portal.world, "erp-connector")
    await customer.post(f"/suggestions/{ids['erp-connector']}/accept")
    await put_grade(portal.world, ids["erp-connector"])
    page = (await customer.get("/story")).text
    assert "Landed inside" in page
    found = {href for href in hrefs(page, "/proof/") if "grade." in href}
    assert len(found) == 4
    for href in found:
        opened = await customer.get(href)
        assert opened.status_code == 200
        assert "Comparable accounts" in opened.text
    assert (await customer.get(f"/proof/{ids['erp-connector']}?number=grade.30.realized")).status_code == 404


async def test_the_story_is_told_in_the_language_that_an_address_asks_for(customer: Browser) -> None:
    page = (await customer.get("/story?lang=de")).text

    assert '<html lang="en"' in page
    (headline,) = re.findall(r"<h1.*?</h1>", page, flags=re.DOTALL)
    assert headline.startswith('<h1 lang="de"')
    assert "lang=de" in page[page.index("sse-connect") :][:200]
    assert "/story.md?lang=de" in page
    assert re.search(r"<(p|h2)[^>]* lang=.de.", page)
    assert '<p lang="de" class="next-what">' in page
    assert '<h1 lang="de"' not in (await customer.get("/story")).text
    assert (await customer.get("/story?lang=fr")).status_code == 400


async def headlined(browser: Browser, accepts: str, path: str = "/story") -> str:
    page = (await browser.world.client.get(path, headers={**browser.headers, "accept-language": accepts})).text
    (headline,) = re.findall(r"<h1.*?</h1>", page, flags=re.DOTALL)
    return str(headline)


async def test_a_browser_that_prefers_german_is_told_german_until_the_reader_chooses(
    customer: Browser, steward: Browser
) -> None:
    german = "de-AT,de;q=0.9,en;q=0.8"
    assert '<h1 lang="de"' in await headlined(customer, german)
    assert '<h1 lang="de"' in await headlined(steward, german, "/accounts/harbor/story")
    assert '<h1 lang="de"' not in await headlined(customer, german, "/story?lang=en")

    chosen = await customer.post("/settings/language", language="en", back="/story")
    assert (chosen.status_code, chosen.headers["location"]) == (303, "/story")
    assert '<h1 lang="de"' not in await headlined(customer, german)
    assert '<h1 lang="de"' in await headlined(steward, german, "/accounts/harbor/story"), "each for themselves"


async def test_the_switch_names_each_language_in_its_own_words_and_is_remembered(
    portal: Portal, customer: Browser
) -> None:
    page = (await customer.get("/story")).text
    assert '<b lang="en" aria-current="true">English</b>' in page
    assert re.search(r'<button[^>]* name="language" value="de" lang="de">Deutsch</button>', page)
    await customer.post("/settings/language", language="de", back="/story")

    page = (await customer.get("/story")).text
    assert '<h1 lang="de"' in page
    assert '<b lang="de" aria-current="true">Deutsch</b>' in page
    assert re.search(r'value="de" selected', (await customer.get("/settings")).text)
    (row,) = await portal.run("SELECT channel, timezone FROM digest_choice")
    assert (row.channel, row.timezone) == ("none", "America/New_York"), "nothing is sent for that"


async def test_a_switch_keeps_what_else_was_chosen(portal: Portal, customer: Browser) -> None:
    given = {"channel": "none", "cadence": "monthly", "weekday": "3", "hour": "6", "timezone": "UTC", "language": "en"}
    await customer.post("/settings", **given)
    await customer.post("/settings/language", language="de", back="/story")

    (row,) = await portal.run("SELECT cadence, weekday, hour, language FROM digest_choice")
    assert tuple(row) == ("monthly", 3, 6, "de")


@pytest.mark.parametrize("language", ["", "fr", "DE", "de\0"])
async def test_a_language_in_which_nothing_is_told_is_refused(customer: Browser, language: str) -> None:
    assert (await customer.post("/settings/language", language=language, back="/story")).status_code == 400


@pytest.mark.parametrize("back", ["", "//evil.example", "https://evil.example"])
async def test_the_switch_leads_nobody_elsewhere(customer: Browser, back: str) -> None:
    assert (await customer.post("/settings/language", language="de", back=back)).headers["location"] == "/"


async def test_what_a_reader_chose_holds_on_every_page_of_the_story(customer: Browser) -> None:
    given = {"channel": "none", "cadence": "weekly", "weekday": "0", "hour": "8", "timezone": "UTC", "language": "de"}
    assert (await customer.post("/settings", **given)).status_code == 303

    assert '<h1 lang="de"' in (await customer.get("/story")).text
    assert '<h1 lang="de"' not in (await customer.get("/story?lang=en")).text
    assert re.search(r'value="de" selected', (await customer.get("/settings")).text)
    assert (await customer.get("/story.md")).text.startswith("*")
    assert "Sie haben" in (await customer.get("/story.md")).text
