"""The bell in the bar: what is new reaches any open page, by mouse, by keyboard and in the accessible name."""

import re

from playwright.sync_api import Page, expect

from e2e.conftest import ACCOUNT, SPONSOR, STEWARD, SignIn

SOON = 30_000
"""Milliseconds: the worker has to come round to it, on a busy machine too."""
PHONE = {"width": 375, "height": 700}


def bell(number: str) -> "re.Pattern[str]":
    return re.compile(f"^Notices, ({number}) new$")


def begin(page: Page, said: str) -> None:
    page.goto(f"/accounts/{ACCOUNT}/together")
    page.get_by_role("button", name="Start a conversation").first.click()
    page.get_by_label(re.compile("^Write to")).fill(said)
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("article").filter(has_text=said)).to_be_visible()


def number_of(page: Page) -> int:
    return int(page.locator("[data-bell]").get_attribute("data-bell") or "0")


def test_a_message_rings_on_a_page_that_has_no_stream_of_its_own(sign_in: SignIn) -> None:
    customer = sign_in(SPONSOR)
    customer.goto("/why")
    expect(customer.locator("#bell[sse-connect]")).to_be_visible()
    customer.evaluate("window.stillTheSamePage = true")
    before = number_of(customer)
    begin(sign_in(STEWARD), "May I show you the crews that report late?")

    expect(customer.get_by_role("button", name=f"Notices, {before + 1} new")).to_be_visible(timeout=SOON)
    expect(customer.locator("#announce")).to_contain_text("for you.")
    assert customer.evaluate("window.stillTheSamePage")


def test_a_message_rings_on_the_story_by_the_stream_that_it_has_and_an_open_list_stays_open(sign_in: SignIn) -> None:
    customer = sign_in(SPONSOR)
    expect(customer.locator("main[sse-connect]")).to_be_visible()
    expect(customer.locator("#bell[sse-connect]")).to_have_count(0)
    before = number_of(customer)
    customer.locator("[data-bell]").click()
    listed = customer.get_by_role("region", name="Notices")
    expect(listed).to_be_visible()
    begin(sign_in(STEWARD), "And one thing more, on the crews.")

    expect(customer.get_by_role("button", name=f"Notices, {before + 1} new")).to_be_visible(timeout=SOON)
    expect(listed).to_be_visible()
    expect(listed.get_by_role("link", name=re.compile("for your answer"))).to_be_visible()


def test_the_bell_opens_and_closes_by_keyboard_and_its_links_lead_there(sign_in: SignIn) -> None:
    customer = sign_in(SPONSOR, viewport=PHONE)
    begin(sign_in(STEWARD), "Shall we speak on Friday?")
    customer.goto("/assumptions")
    button = customer.get_by_role("button", name=bell(r"\d+"))
    button.focus()
    customer.keyboard.press("Enter")
    listed = customer.get_by_role("region", name="Notices")
    expect(listed).to_be_visible()
    box = listed.bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= PHONE["width"]
    customer.keyboard.press("Escape")
    expect(listed).not_to_be_visible()
    expect(button).to_be_focused()

    customer.keyboard.press("Enter")
    listed.get_by_role("link", name=re.compile("for your answer")).focus()
    customer.keyboard.press("Enter")
    expect(customer).to_have_url(re.compile("/together/"))
