"""Conversations over HTTP: asked from a sentence, answered by the steward, seen by both and by nobody else."""

import re

import pytest

from tests.api.world import GLOBEX, HARBOR, MAY_4, suggest
from tests.portal.browsers import LEADER, STRANGER, VALIDATOR, Browser, Portal
from tests.value.three_parties import put_jobs
from valueplatform.portal.together import thread_feed
from valueplatform.stewardship.messages import LONGEST_BODY

THERE = f"/accounts/{HARBOR}/together"


async def first_insight(browser: Browser) -> str:
    page = (await browser.get("/story")).text
    return str(re.findall(r'<p class="insight[^"]*" data-insight-id="([^"]+)"', page)[0])


async def ask(browser: Browser, text: str = "Which jobs are in this?", **about: str) -> str:
    """Open a conversation; its path."""
    query = "&".join(f"{name}={value}" for name, value in about.items())
    answer = await browser.post(f"/together{'?' if query else ''}{query}", text=text)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


async def test_a_button_beside_a_sentence_leads_to_a_composer_that_holds_it(customer: Browser) -> None:
    insight = await first_insight(customer)
    led = await customer.post("/together/new", insight=insight)
    assert (led.status_code, led.headers["location"]) == (303, f"/together/new?insight={insight}")
    page = (await customer.get(led.headers["location"])).text

    assert f'data-insight-id="{insight}"' in page
    assert f'action="/together?insight={insight}"' in page
    assert "Goes with your message" in page


async def test_a_question_keeps_its_sentence_and_opens_its_proof(customer: Browser) -> None:
    insight = await first_insight(customer)
    page = (await customer.get(await ask(customer, insight=insight))).text

    assert "Which jobs are in this?" in page
    assert f'href="/proof/{insight}" data-proof' in page
    assert "From your story" in page


async def test_what_a_sentence_said_when_the_talk_began_stays_beside_what_it_says(
    portal: Portal, customer: Browser
) -> None:
    path = await ask(customer, insight=await first_insight(customer))
    await put_jobs(portal.world.databases, portal.world.harbor, MAY_4, 400)
    await portal.world.refresh(portal.world.harbor)
    page = (await customer.get(path)).text

    assert re.search(r"Was \$[\d.,KM]+ on 15 Jun", page)


async def test_both_sides_speak_in_one_conversation(customer: Browser, steward: Browser) -> None:
    path = await ask(customer)
    there = path.replace("/together", THERE)
    answered = await steward.post(there, text="All of them.\n\nSince May.")
    assert (answered.status_code, answered.headers["location"]) == (303, f"{there}#reply")
    page = (await customer.get(path)).text

    assert page.index("Which jobs are in this?") < page.index("All of them.") < page.index("Since May.")
    assert "Your value steward, Fieldnote" in page
    assert "Waits for you" in page


async def test_a_conversation_may_begin_on_either_side(customer: Browser, steward: Browser) -> None:
    answer = await steward.post(THERE, text="May I show you something?")

    assert (await customer.get(answer.headers["location"].replace(THERE, "/together"))).status_code == 200


async def test_about_a_suggestion_or_an_assumption_the_title_says_it(portal: Portal, customer: Browser) -> None:
    ids = await suggest(portal.world, "erp-connector")
    of_suggestion = (await customer.get(await ask(customer, suggestion=ids["erp-connector"]))).text
    of_assumption = (await customer.get(await ask(customer, assumption="hourly_cost"))).text

    assert re.search(r'id="h-thread">“Start to use [^<]+”<', of_suggestion)
    assert re.search(r'id="h-thread">Hourly cost<', of_assumption)


@pytest.mark.parametrize("about", ["insight=ins_x", "suggestion=sug_x", "assumption=nothing", "insight=%00"])
async def test_what_is_not_there_cannot_be_talked_about(customer: Browser, about: str) -> None:
    assert (await customer.get(f"/together/new?{about}")).status_code == 404
    assert (await customer.post(f"/together?{about}", text="What?")).status_code == 404


@pytest.mark.parametrize(
    ("text", "says"), [("", "empty"), (" \n ", "empty"), ("x" * (LONGEST_BODY + 1), "the most"), ("\0", "no text")]
)
async def test_what_cannot_be_sent_stays_in_the_composer(customer: Browser, text: str, says: str) -> None:
    path = await ask(customer)
    for answer in (await customer.post(path, text=text), await customer.post("/together", text=text)):
        assert answer.status_code == 400
        assert says in answer.text[answer.text.index("field-error") :]
        assert text.strip("\0")[:50].strip() in answer.text


async def test_markup_in_a_message_stays_text(customer: Browser) -> None:
    page = (await customer.get(await ask(customer, "<script>alert(1)</script> {{ 7*7 }}"))).text

    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; {{ 7*7 }}" in page


async def test_the_page_of_an_account_without_talks_says_how_to_begin(portal: Portal, customer: Browser) -> None:
    page = (await customer.get("/together")).text

    assert "No conversation yet" in page
    assert 'action="/together/new"' in page
    await ask(customer)
    assert (await customer.get("/together")).status_code == 303


async def test_a_conversation_of_another_account_is_not_there(
    portal: Portal, customer: Browser, steward: Browser
) -> None:
    path = await ask(customer)
    stranger = await portal.browser(STRANGER)

    assert (await stranger.get(path)).status_code == 404
    assert (await stranger.post(path, text="Hello?")).status_code == 404
    assert (await steward.get(path.replace("/together", f"/accounts/{GLOBEX}/together"))).status_code == 404


async def test_who_only_reads_has_no_conversations(portal: Portal) -> None:
    leader = await portal.browser(LEADER)

    assert (await leader.get(THERE)).status_code == 403
    assert "/together" not in (await leader.get(f"/accounts/{HARBOR}/story")).text


async def test_colleagues_share_their_account_s_conversations(portal: Portal, customer: Browser) -> None:
    path = await ask(customer)
    colleague = await portal.browser(VALIDATOR)

    assert "Carl Berg" in (await colleague.get(path)).text


async def test_an_answer_reaches_the_open_page_with_the_next_waking(
    portal: Portal, customer: Browser, steward: Browser
) -> None:
    path = await ask(customer)
    page = (await customer.get(path)).text
    (seen,) = re.findall(r'sse-connect="[^"]+seen=([^"]+)"', page)
    served, cookie = portal.served(), customer.opened.cookie
    feed = await thread_feed(served, cookie, None, int(path.rpartition("/")[2]), seen)
    assert await feed.read(seen) is None
    await steward.post(path.replace("/together", THERE), text="All of them.")
    fragment = await feed.read(seen)

    assert fragment is not None
    assert "All of them." in fragment.html
    assert "<html" not in fragment.html
    assert await feed.read(fragment.mark) is None
    assert await portal.run("SELECT 1 FROM open_page") != []
    assert feed.closed is not None
    await feed.closed()
    assert await portal.run("SELECT 1 FROM open_page") == []
