"""Everything without a mouse: reading, opening a number, asking, moving through the portfolio."""

import re

from playwright.sync_api import Page, expect

from e2e.conftest import SPONSOR, STEWARD, SignIn


def press_until(page: Page, key: str, selector: str, most: int = 80) -> None:
    """Press a key until the focus is where `selector` says."""
    for _ in range(most):
        page.keyboard.press(key)
        if page.evaluate("(s) => document.activeElement?.matches(s) ?? false", selector):
            return
    raise AssertionError(f"{selector} was not reached by {most} times {key}")


def test_the_first_tab_skips_to_the_content(sign_in: SignIn) -> None:
    page = sign_in(SPONSOR)
    page.goto("/story")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    page.keyboard.press("Enter")
    press_until(page, "Tab", "h1 a.num-key", most=6)


def test_a_number_opens_by_enter_and_gives_the_focus_back(sign_in: SignIn) -> None:
    page = sign_in(SPONSOR)
    press_until(page, "Tab", "h1 a.num-key")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=re.compile("^Proof of"))).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("h1 a.num-key")).to_be_focused()


def test_a_question_is_asked_without_a_mouse(sign_in: SignIn) -> None:
    page = sign_in(SPONSOR)
    press_until(page, "Tab", "section.chapter .go button", most=60)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/together/new"))
    press_until(page, "Tab", "#reply-text")
    page.keyboard.type("Asked by keyboard alone.")
    press_until(page, "Tab", "#reply button")
    page.keyboard.press("Enter")

    expect(page.get_by_role("article").filter(has_text="Asked by keyboard alone.")).to_be_visible()


def test_the_portfolio_is_walked_by_single_keys(sign_in: SignIn) -> None:
    page = sign_in(STEWARD)
    page.keyboard.press("j")
    first = page.evaluate("document.activeElement.textContent")
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.textContent") != first
    page.keyboard.press("k")
    assert page.evaluate("document.activeElement.textContent") == first
    page.keyboard.press("/")
    expect(page.get_by_label("Find an account")).to_be_focused()
    page.keyboard.press("Escape")
    page.locator("h1").click()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard")).to_be_visible()


def test_focus_can_be_seen(sign_in: SignIn) -> None:
    page = sign_in(SPONSOR)
    press_until(page, "Tab", "h1 a.num-key")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")

    assert outline != "none"
