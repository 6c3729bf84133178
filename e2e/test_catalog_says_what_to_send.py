"""The product team opens the catalog: what is worth most comes first, each amount opens, and what is said stays."""

import re

from playwright.sync_api import Page, expect

from e2e.conftest import STEWARD, SignIn

ESTIMATED = 120_000
"""Milliseconds until the worker has counted all events and made the first estimate; the page follows by itself."""
FOLLOWED = 30_000
"""Milliseconds until an open catalog has read anew, also where nobody told it to: a heartbeat, and time to read."""


def opened(sign_in: SignIn, who: str = STEWARD) -> Page:
    page = sign_in(who)
    page.get_by_role("link", name="Catalog").click()
    expect(page.locator("a.opens").first).to_be_visible(timeout=ESTIMATED)
    return page


def test_every_amount_opens_to_the_accounts_that_it_is_made_of(sign_in: SignIn) -> None:
    page = opened(sign_in)
    first = page.locator("tr[id] a.opens").first
    row = first.locator("xpath=ancestor::tr")
    kind = row.locator(".type").inner_text()
    amount = first.inner_text().removeprefix("about ")
    first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(kind)
    expect(page.locator("main")).to_contain_text(amount)
    expect(page.get_by_role("heading", name="How this is estimated")).to_be_visible()
    page.get_by_role("row").get_by_role("link").first.click()
    expect(page).to_have_url(re.compile("/accounts/"))


def test_a_wish_and_an_effort_are_said_on_the_page_and_stand_with_their_author(sign_in: SignIn) -> None:
    page = opened(sign_in)
    page.get_by_role("link", name="Could be sent").click()
    page.get_by_label("Event type", exact=True).fill("part.returned")
    page.get_by_label("What it is").fill("Parts returned unused")
    page.get_by_label("Why", exact=True).last.fill("Every part that comes back was driven around for nothing.")
    page.get_by_role("button", name="Wish for it").click()
    row = page.locator("tr[id]", has=page.locator(".type", has_text="part.returned"))
    expect(row).to_contain_text(STEWARD)
    details = page.locator(f"#d-{row.get_attribute('id')}")
    expect(details).to_have_attribute("open", "")
    details.get_by_label("Effort of part.returned").select_option("large")
    details.get_by_role("button", name="Save the effort of part.returned").click()
    expect(row.locator(".effort b")).to_have_text("Large")


def test_an_open_catalog_follows_and_what_is_being_written_stays(sign_in: SignIn) -> None:
    page, other = opened(sign_in), opened(sign_in)
    rows = page.locator("tr[id]")
    (mine, theirs) = (rows.nth(n).locator(".type").inner_text() for n in (0, 1))
    page.locator("summary").first.click()
    page.get_by_label(f"Owner of {mine}").fill("Half a na")
    other.locator("summary").nth(1).click()
    other.get_by_label(f"Owner of {theirs}").fill("Dispatch team")
    other.get_by_role("button", name=f"Save the owner of {theirs}").click()
    expect(rows.nth(1).locator(".owner")).to_contain_text("Dispatch team", timeout=FOLLOWED)
    expect(page.get_by_label(f"Owner of {mine}")).to_have_value("Half a na")
    expect(page.locator("details").first).to_have_attribute("open", "")


def test_on_a_phone_nothing_runs_off_the_page(sign_in: SignIn) -> None:
    page = sign_in(STEWARD, viewport={"width": 375, "height": 800})
    for path in ("/catalog", "/catalog?show=not-sent", "/catalog/worth?type=job.dispatched"):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") == 375, path
