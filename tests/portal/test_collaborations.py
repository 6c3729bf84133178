"""Prompts on pages: one on the story, some in Together, the steward's beside what calls; a draft that is never sent by
itself."""

import html
import re
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.api.world import HARBOR
from tests.portal.browsers import CHAMPION, LEADER, OPERATOR, PARTNER, VALIDATOR, Browser, Portal, hrefs
from tests.portal.test_assumptions import button
from tests.stewardship.factories import prompt_for

THERE = f"/accounts/{HARBOR}"
QUESTION = "Why this much for an hour?"


@pytest.fixture
async def asking(portal: Portal) -> Portal:
    """Vera questions the hourly cost, so that she should ask the steward and the steward should settle it with her."""
    vera = await portal.browser(VALIDATOR)
    form = button((await vera.get("/assumptions?open=hourly_cost")).text, "Put under review")
    assert form is not None
    asked = await vera.post(form["action"], entry=form["entry"], reason=QUESTION)
    assert asked.status_code == 303, asked.text
    await portal.world.refresh(portal.world.harbor)
    return portal


def prompt_of(page: str, base: str = "") -> str:
    """The address of the first prompt's composer."""
    return hrefs(page, f"{base}/together/new?prompt=")[0]


def draft_in(page: str) -> str:
    found = re.search(r'<textarea id="reply-text"[^>]*>(.*?)</textarea>', page, re.DOTALL)
    assert found is not None
    return html.unescape(found[1])


def action_in(page: str) -> str:
    return html.unescape(re.findall(r'<form class="composer[^>]* action="([^"]+)"', page)[0])


async def test_the_story_ends_on_whom_to_talk_to_next(asking: Portal) -> None:
    vera = await asking.browser(VALIDATOR)
    page = (await vera.get("/story")).text

    talk = page[page.index('id="talk"') :]
    assert "Next: settle the hourly cost with Maya Okafor" in talk
    assert "at stake" in talk
    assert 'data-value="' in talk
    (shown,) = await asking.run("SELECT response, author FROM collaboration_response")
    assert tuple(shown) == ("shown", VALIDATOR)


async def test_together_begins_with_the_readers_own_prompts(asking: Portal) -> None:
    for who, has in ((VALIDATOR, True), (CHAMPION, False)):
        page = (await (await asking.browser(who)).get("/together")).text
        assert ("Start from here" in page) is has


async def test_a_prompt_opens_a_draft_that_is_not_sent_until_it_is_sent(asking: Portal) -> None:
    vera = await asking.browser(VALIDATOR)
    page = (await vera.get(prompt_of((await vera.get("/story")).text))).text

    draft = draft_in(page)
    assert draft.startswith("Hello Maya Okafor,")
    assert draft.endswith("Thank you,\nVera Lind")
    assert "Everybody in this account, and Fieldnote, can read it." in page
    assert await asking.run("SELECT conversation_id FROM conversation") == []


async def test_the_message_is_what_the_sender_made_of_it_and_the_prompt_is_gone(asking: Portal) -> None:
    vera = await asking.browser(VALIDATOR)
    composer = prompt_of((await vera.get("/story")).text)
    action = action_in((await vera.get(composer)).text)
    sent = await vera.post(action, text="Let us talk on Monday.")
    assert sent.status_code == 303
    page = (await vera.get(sent.headers["location"])).text

    assert "Let us talk on Monday." in page
    assert "Hello Maya" not in page
    assert 'id="talk"' not in (await vera.get("/story")).text
    ((response, conversation),) = await asking.run(
        "SELECT response, conversation_id FROM collaboration_response WHERE response <> 'shown'"
    )
    assert (response, f"/together/{conversation}") == ("acted", sent.headers["location"])
    again = (await vera.get(composer)).text
    assert draft_in(again) == "", "a prompt that was answered leaves an empty page to write on"


async def test_the_steward_is_told_whom_to_talk_to_beside_what_calls_and_each_thing_once(asking: Portal) -> None:
    steward = await asking.browser("maya@fieldnote.example")
    page = (await steward.get(f"{THERE}/story")).text
    margin = page[page.index('id="h-prompts"') :]

    assert margin.count("Settle the hourly cost with Vera Lind") == 1
    composer = prompt_of(margin[margin.index("Settle the hourly cost") :], THERE)
    draft = draft_in((await steward.get(composer)).text)
    assert draft.startswith("Hello Vera Lind,")
    rows = (await steward.get("/portfolio")).text
    assert hrefs(rows, f"{THERE}/together/new?prompt="), "the row says whom to talk to about what speaks for it"


async def test_another_of_the_suppliers_people_signs_with_their_own_name(asking: Portal) -> None:
    admin = await asking.browser("admin@fieldnote.example")
    composer = prompt_of((await admin.get(f"{THERE}/story")).text, THERE)
    assert draft_in((await admin.get(composer)).text).endswith("Thank you,\nAdmin")


async def test_a_prompt_that_was_set_aside_stays_away(asking: Portal) -> None:
    vera = await asking.browser(VALIDATOR)
    story = (await vera.get("/story")).text
    (action,) = re.findall(r'action="(/together/prompts/[^"]+/dismiss)"', story)
    gone = await vera.post(action, back="story")
    assert (gone.status_code, gone.headers["location"]) == (303, "/story")
    await asking.world.refresh(asking.world.harbor)

    assert 'id="talk"' not in (await vera.get("/story")).text
    assert (await vera.post(action, back="story")).status_code == 404
    assert (await vera.post(action, back="https://elsewhere.example")).status_code == 404


async def test_nobody_else_answers_a_prompt(asking: Portal) -> None:
    vera = await asking.browser(VALIDATOR)
    (action,) = re.findall(r'action="(/together/prompts/[^"]+/dismiss)"', (await vera.get("/story")).text)
    for who, status in ((CHAMPION, 404), (PARTNER, 404), ("gus@globex.example", 404)):
        assert (await (await asking.browser(who)).post(action)).status_code == status, who
    address = action.replace("prompts/", "new?prompt=").removesuffix("/dismiss")
    assert draft_in((await (await asking.browser(CHAMPION)).get(address)).text) == ""


async def test_pages_of_whoever_has_no_conversations_have_no_prompts(asking: Portal) -> None:
    for who in (LEADER, OPERATOR):
        page = await (await asking.browser(who)).get(f"{THERE}/story")
        assert "/together/new?prompt=" not in page.text


async def test_a_talk_about_what_no_sentence_says_is_called_after_its_prompt(portal: Portal, customer: Browser) -> None:
    wanted = await prompt_for(portal.world.databases, portal.world.harbor, CHAMPION)
    sent = await customer.post(f"/together?prompt={wanted}", text="Hello Maya Okafor, what about it?")
    assert 'id="h-thread">Ask about the plan<' in (await customer.get(sent.headers["location"])).text


async def test_what_could_not_be_sent_keeps_its_prompt(asking: Portal) -> None:
    vera = await asking.browser(VALIDATOR)
    action = action_in((await vera.get(prompt_of((await vera.get("/story")).text))).text)
    refused = await vera.post(action, text=" ")
    assert refused.status_code == 400
    assert parse_qs(urlsplit(action_in(refused.text)).query)["prompt"] == parse_qs(urlsplit(action).query)["prompt"]


async def test_a_message_to_a_colleague_does_not_wait_for_the_supplier(portal: Portal, customer: Browser) -> None:
    """A champion who asks the validator: nobody at the supplier has to answer."""
    proposed = await customer.post("/assumptions/hourly_cost/propose", value="55", reason="payroll")
    assert proposed.status_code == 303, proposed.text
    await portal.world.refresh(portal.world.harbor)
    composer = prompt_of((await customer.get("/together")).text)
    sent = await customer.post(action_in((await customer.get(composer)).text), text="Could you look at it?")
    assert sent.status_code == 303
    ((waits_for,),) = await portal.run("SELECT waits_for FROM conversation")
    assert waits_for == "customer"


async def test_an_account_without_value_has_nothing_to_talk_about(bare_portal: Portal) -> None:
    await bare_portal.world.refresh(bare_portal.world.harbor)
    page = (await (await bare_portal.browser(CHAMPION)).get("/together")).text
    assert "Start from here" not in page
