"""A link signs in once; signing out ends the session everywhere at once."""

import re

from playwright.sync_api import Browser, expect

from e2e.conftest import SPONSOR, Platform, SignIn, Watch


def test_a_link_signs_in_once(platform: Platform, browser: Browser, watch: Watch) -> None:
    watch.allowed.append("console: Failed to load resource: the server responded with a status of 410")
    link = platform.link(SPONSOR)
    page = browser.new_context(base_url=platform.base_url).new_page()
    watch.follow(page)
    page.goto(link)
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(re.compile("/story$"))

    other = browser.new_context(base_url=platform.base_url).new_page()
    watch.follow(other)
    other.goto(link)
    other.get_by_role("button", name="Sign in").click()
    expect(other.get_by_role("heading", name="This link no longer works.")).to_be_visible()
    page.context.close()
    other.context.close()


def test_whoever_has_no_link_is_told_how_to_get_one(platform: Platform, browser: Browser, watch: Watch) -> None:
    page = browser.new_context(base_url=platform.base_url).new_page()
    watch.follow(page)
    answers = set()
    for email in (SPONSOR, "nobody@nowhere.example"):
        page.goto("/story")
        expect(page).to_have_url(re.compile("/sign-in$"))
        page.get_by_label("Work e-mail").fill(email)
        page.get_by_role("button").click()
        expect(page.get_by_text("Your Fieldnote steward")).to_be_visible()
        answers.add(page.get_by_role("main").inner_text().replace(email, "…"))

    assert len(answers) == 1
    page.context.close()


def test_signing_out_kills_the_session(sign_in: SignIn, watch: Watch) -> None:
    watch.allowed.append("console: ")  # the other tab's stream ends in the middle
    page = sign_in(SPONSOR)
    other = page.context.new_page()
    other.goto("/story")
    kept = page.context.storage_state()["cookies"]
    page.get_by_role("button", name="account menu").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(re.compile("/sign-in$"))

    other.reload()
    expect(other).to_have_url(re.compile("/sign-in$"))
    for cookie in kept:
        page.context.add_cookies([{"name": cookie["name"], "value": cookie["value"], "url": page.url}])
    page.goto("/story")
    expect(page).to_have_url(re.compile("/sign-in$"))


def test_the_session_cookie_is_out_of_reach_for_scripts(sign_in: SignIn) -> None:
    page = sign_in(SPONSOR)
    (cookie,) = [cookie for cookie in page.context.cookies() if cookie["name"].endswith("session")]

    assert cookie["httpOnly"]
    assert cookie["sameSite"] == "Lax"
    assert page.evaluate("document.cookie") == ""
