"""The steward switches a feature on that an account does not use yet, sees what it would add, and keeps that."""

import re

from playwright.sync_api import Page, expect

from e2e.conftest import STEWARD, SignIn
from e2e.test_keyboard import press_until
from e2e.test_phone import PHONE, assert_fits

PATH = "/accounts/mueller-aufzuege/plan"
ADDS = re.compile(r"This adds about €")


def opened(page: Page) -> None:
    """The worker compares accounts soon after it starts."""
    for _ in range(30):
        page.goto(PATH)
        if page.get_by_text("As 6 companies use it").count():
            return
        page.wait_for_timeout(1000)
    raise AssertionError("accounts were not compared in time")


def test_a_feature_is_switched_on_by_keyboard_and_kept_as_it_stands(sign_in: SignIn) -> None:
    page = sign_in(STEWARD)
    opened(page)
    switch = page.get_by_role("switch", name="Arrival tracking")
    expect(switch).not_to_be_checked()
    press_until(page, "Tab", "#o\\.arrival-tracking", most=120)
    page.keyboard.press("Space")
    expect(page.get_by_role("heading", name=ADDS)).to_be_visible()
    expect(page.locator(".lever", has=switch)).to_contain_text("alone")
    page.keyboard.press("Space")
    expect(page.get_by_role("heading", name=ADDS)).to_have_count(0)
    page.get_by_label("Keep it as").fill("Without it")
    page.get_by_role("button", name="Keep this scenario").click()
    expect(page.get_by_role("link", name="Without it")).to_be_visible()
    expect(switch).not_to_be_checked()

    switch.check()
    expect(page.get_by_role("heading", name=ADDS)).to_be_visible()
    page.get_by_label("Keep it as").fill("With arrival tracking")
    page.get_by_role("button", name="Keep this scenario").click()
    page.goto(PATH)
    expect(switch).not_to_be_checked()
    page.get_by_role("link", name="With arrival tracking").click()
    expect(switch).to_be_checked()


def test_what_cannot_be_told_stands_disabled_with_its_reason_on_a_phone_without_script(sign_in: SignIn) -> None:
    page = sign_in(STEWARD, java_script_enabled=False, **PHONE)
    opened(page)
    assert_fits(page)
    quotes = page.get_by_role("switch", name="Quotes on site")
    expect(quotes).to_be_disabled()
    expect(quotes).to_have_accessible_description(re.compile("Fewer than five comparable companies use it"))
    page.get_by_role("switch", name="Arrival tracking").check()
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.get_by_role("heading", name=ADDS)).to_be_visible()
    assert_fits(page)
    page.get_by_text("How this comes about").click()
    expect(page.get_by_text("Arrival tracking, as 6 companies use it: ")).to_be_visible()
