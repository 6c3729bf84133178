"""A customer asks why a month differs from another, and opens the steps down to the events."""

import re

import pytest
from playwright.sync_api import Page, expect

from e2e.conftest import ACCOUNT, SPONSOR, STEWARD, SignIn
from e2e.test_phone import PHONE, assert_fits


def verdict(page: Page) -> str:
    proof = page.get_by_role("dialog", name=re.compile("^Proof of"))
    expect(proof.get_by_text(re.compile("^Stated"))).to_be_visible()
    return proof.locator(".verdict strong").inner_text()


def test_the_steps_are_drawn_add_up_and_open(sign_in: SignIn) -> None:
    page = sign_in(SPONSOR)
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Why").click()

    expect(page.locator("[data-chart=waterfall] .chart svg")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_contain_text("brought")
    cause = page.locator("section.cause").first
    change = float(cause.locator("h3 a.num").get_attribute("data-value") or "")
    parts = [float(one.get_attribute("data-value") or "") for one in cause.locator("table a.num").all()]
    assert sum(parts) == pytest.approx(change, abs=1e-6)

    cause.locator("table a.num").first.click()
    stated, recomputed = re.findall(r"-?[\d,.]+\d", verdict(page))
    assert stated == recomputed
    expect(page.get_by_role("dialog").get_by_role("heading", name=re.compile("^Events"))).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_other_periods_are_chosen_by_keyboard_and_without_script(sign_in: SignIn) -> None:
    page = sign_in(SPONSOR, java_script_enabled=False)
    page.goto("/why")
    select = page.get_by_label("Period to compare with")
    chosen = select.locator("option").nth(3).get_attribute("value")
    assert chosen
    select.select_option(chosen)
    page.get_by_role("button", name="Compare", exact=True).press("Enter")

    expect(page).to_have_url(re.compile(f"against={chosen}"))
    expect(page.get_by_role("heading", level=1)).to_contain_text("brought")
    page.get_by_text("Show as a table").click()
    expect(page.get_by_role("table", name=re.compile("^Steps from"))).to_be_visible()


def test_any_days_can_be_compared(sign_in: SignIn) -> None:
    page = sign_in(SPONSOR)
    page.goto("/why")
    page.get_by_text("Choose days").click()
    page.get_by_role("button", name="Compare these days").click()

    expect(page).to_have_url(re.compile("against_first="))
    expect(page.get_by_role("heading", level=1)).to_contain_text("brought")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_phone(sign_in: SignIn, scheme: str) -> None:
    page = sign_in(SPONSOR, color_scheme=scheme, **PHONE)
    page.goto("/why")

    expect(page.locator("[data-chart=waterfall] .chart svg")).to_be_visible()
    assert_fits(page)


def test_a_steward_sees_why_and_opens_a_proof(sign_in: SignIn) -> None:
    page = sign_in(STEWARD)
    page.goto(f"/accounts/{ACCOUNT}/why")
    page.locator("h1 a.num-key").click()

    assert "recomputed" in verdict(page)
