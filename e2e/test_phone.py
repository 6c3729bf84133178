"""Every page on a phone: nothing is cut off, nothing needs a second hand."""

import re

import pytest
from playwright.sync_api import Page, expect

from e2e.conftest import ACCOUNT, SPONSOR, STEWARD, SignIn

PHONE = {"viewport": {"width": 375, "height": 812}, "has_touch": True, "is_mobile": True}
SMALLEST_TARGET = 24


def assert_fits(page: Page) -> None:
    wide = page.evaluate(
        """() => [...document.querySelectorAll("body *")].filter((e) => {
            if (e.closest(".scroll-x, .tabs, .filters, dialog:not([open]), [hidden], svg")) return false;
            if (!e.checkVisibility()) return false;
            return e.getBoundingClientRect().right > innerWidth + 1;
        }).map((e) => e.outerHTML.slice(0, 120))"""
    )
    assert wide == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 375


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    "path", ["/story", "/why", "/assumptions?open=cost_per_repeat_visit", "/together", "/together/new"]
)
def test_a_customers_page_fits(sign_in: SignIn, path: str, scheme: str) -> None:
    page = sign_in(SPONSOR, color_scheme=scheme, **PHONE)
    page.goto(path)

    expect(page.get_by_role("main")).to_be_visible()
    assert_fits(page)


@pytest.mark.parametrize(
    "path",
    [
        "/portfolio",
        "/catalog",
        "/data-quality",
        f"/accounts/{ACCOUNT}/story",
        f"/accounts/{ACCOUNT}/why",
        f"/accounts/{ACCOUNT}/together",
    ],
)
def test_a_stewards_page_fits(sign_in: SignIn, path: str) -> None:
    page = sign_in(STEWARD, **PHONE)
    page.goto(path)

    expect(page.get_by_role("main")).to_be_visible()
    assert_fits(page)


def test_a_proof_opens_as_a_sheet_and_closes_by_touch(sign_in: SignIn) -> None:
    page = sign_in(SPONSOR, **PHONE)
    page.locator("h1 a.num-key").tap()
    proof = page.get_by_role("dialog", name=re.compile("^Proof of"))

    expect(proof.get_by_text(re.compile("^Stated"))).to_be_visible()
    assert_fits(page)
    proof.get_by_role("button", name="Close proof").tap()
    expect(proof).to_be_hidden()


def test_buttons_are_large_enough_to_touch(sign_in: SignIn) -> None:
    page = sign_in(SPONSOR, **PHONE)
    small = page.evaluate(
        """(least) => [...document.querySelectorAll("button, .btn, .tabs a")].filter((e) => e.checkVisibility())
            .map((e) => [e.innerText.trim() || e.ariaLabel, e.getBoundingClientRect()])
            .filter(([, box]) => box.height < least).map(([name, box]) => `${name} ${box.height}`)""",
        SMALLEST_TARGET,
    )

    assert small == []
