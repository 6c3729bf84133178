"""A customer compares with others; a prospect sees what others realize, and estimates without signing in."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import text

from e2e.conftest import PATIENCE, SPONSOR, STEWARD, Platform, SignIn, Watch
from valueplatform.core.authorization import operator_scope
from valueplatform.core.database import Database

COMPARED = 120_000
"""Milliseconds until the worker has compared accounts for the first time."""


@pytest.fixture
def visitor(platform: Platform, browser: Browser, watch: Watch) -> Iterator[Page]:
    """Somebody who has never signed in, on a phone, without script."""
    context = browser.new_context(
        base_url=platform.base_url, viewport={"width": 375, "height": 800}, java_script_enabled=False
    )
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    watch.follow(page)
    yield page
    context.close()


def wait_until_compared(page: Page, path: str) -> None:
    """The page says when there is nothing yet; it is read again until there is."""
    for _ in range(COMPARED // 1000):
        page.goto(path)
        if page.get_by_text("has been recorded").count() == 0:
            return
        page.wait_for_timeout(1000)


def test_a_customer_opens_how_it_compares_from_its_story(sign_in: SignIn) -> None:
    page = sign_in(SPONSOR)
    wait_until_compared(page, "/benchmarks")
    page.goto("/story")
    page.get_by_role("link", name="Compare with others").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("top quarter")
    page.get_by_text(re.compile("^How .* is compared$")).first.click()
    expect(page.get_by_text("Own value:").first).to_be_visible()
    expect(page.get_by_text("Hyndman and Fan").first).to_be_visible()


def test_a_steward_sees_an_account_beside_others_and_nothing_runs_off_a_phone(sign_in: SignIn) -> None:
    page = sign_in(STEWARD, viewport={"width": 375, "height": 800})
    for path in ("/accounts/northline-elevators/benchmarks", "/accounts/harbor-logistics/assumptions"):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") == 375, path


def test_a_visitor_estimates_without_script_and_without_signing_in(visitor: Page, watch: Watch) -> None:
    watch.allowed.append("console: Failed to load resource: the server responded with a status of 400")
    visitor.goto("/estimate")
    visitor.get_by_label("Technicians").fill("many")
    visitor.get_by_role("button", name="Estimate").click()
    expect(visitor.get_by_text("Write a number above zero")).to_be_visible()
    visitor.get_by_label("Technicians").fill("40")
    visitor.get_by_label("Dispatch hours saved").check()
    visitor.get_by_role("button", name="Estimate").click()
    expect(visitor.get_by_text("times 40")).to_be_visible()
    expect(visitor.get_by_text("Projection", exact=True)).to_be_visible()
    assert visitor.evaluate("document.documentElement.scrollWidth") == 375


def test_a_prospect_s_story_is_a_projection_that_opens(platform: Platform, sign_in: SignIn) -> None:
    async def add(database: Database) -> None:
        async with database.transaction(operator_scope()) as tx:
            made = await tx.scalar(
                text("""
                    INSERT INTO account (key, name, timezone, segment, attributes)
                    VALUES ('larkfield', 'Larkfield', 'UTC', 'facilities', '{"technicians": "40"}')
                    RETURNING account_id
                """)
            )
            await tx.execute(text("INSERT INTO account_currency VALUES (:id, '0001-01-01', 'USD')"), {"id": made})

    platform.run(add)
    page = sign_in(STEWARD)
    page.goto("/accounts/larkfield/story")
    section = page.get_by_role("region", name="What companies like this one realize")
    expect(section.get_by_text("Projection", exact=True)).to_be_visible()
    section.get_by_role("link", name=re.compile("Dispatch hours saved, a projection")).click()
    expect(page).to_have_url(re.compile("/accounts/larkfield/benchmarks#d-dispatch_time"))
    expect(page.get_by_role("heading", name="Dispatch hours saved")).to_be_visible()
