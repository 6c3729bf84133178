"""A reader chooses a digest; news shows above the page; the steward holds bad news back and releases it."""

import re
from typing import Any

from playwright.sync_api import expect
from sqlalchemy import text

from e2e.conftest import ACCOUNT, SPONSOR, STEWARD, Platform, SignIn, Watch
from valueplatform.core.authorization import operator_scope
from valueplatform.core.clock import system_clock
from valueplatform.core.database import Database

# What the story tells now is bad news to whoever last read it when it told less.
_NEWS = """
    INSERT INTO bad_news (account_id, insight_id, told_at, position, text)
    SELECT account_id, 'ins_e2e', :now, 0, 'Savings fell by a third.' FROM account WHERE key = :key
"""
_SEEN_LESS = """
    UPDATE visit SET version = 0, visited_at = CAST(:now AS timestamptz) - interval '1 day'
    WHERE audience = 'customer' AND account_id = (SELECT account_id FROM account WHERE key = :key)
"""


def run(platform: Platform, statement: str) -> None:
    async def change(database: Database) -> None:
        async with database.transaction(operator_scope()) as tx:
            values: dict[str, Any] = {"key": ACCOUNT, "now": system_clock()}
            await tx.execute(text(statement), values)

    platform.run(change)


def test_a_digest_is_chosen_and_its_secret_is_shown_once(sign_in: SignIn, watch: Watch) -> None:
    watch.allowed.append("console: Failed to load resource: the server responded with a status of 400")
    page = sign_in(SPONSOR)
    page.get_by_role("button", name="account menu").click()
    page.get_by_role("link", name="Settings").click()
    expect(page.get_by_text("Nothing is sent until you choose it here.")).to_be_visible()

    page.get_by_label("Webhook", exact=True).check()
    page.get_by_label("Address of the webhook").fill("https://127.0.0.1/in")
    page.get_by_role("button", name="Save how I am told").click()
    expect(page.get_by_role("alert")).to_contain_text("private network")

    page.get_by_label("Address of the webhook").fill("https://93.184.216.34/in")
    page.get_by_label("How often").select_option("weekly")
    page.get_by_role("button", name="Save how I am told").click()
    expect(page.get_by_text(re.compile("^whsec_"))).to_be_visible()

    page.reload()
    expect(page.get_by_text(re.compile("^whsec_"))).to_have_count(0)
    expect(page.get_by_label("Webhook", exact=True)).to_be_checked()
    page.get_by_label("No digests").check()
    page.get_by_role("button", name="Save how I am told").click()
    expect(page.get_by_role("status").filter(has_text="Saved.")).to_be_visible()


def test_bad_news_is_held_and_released_and_shows_when_it_is(sign_in: SignIn, platform: Platform) -> None:
    customer = sign_in(SPONSOR)
    expect(customer).to_have_url(re.compile("/story$"))
    customer.goto("/assumptions")
    run(platform, _SEEN_LESS)
    run(platform, _NEWS)
    steward = sign_in(STEWARD)
    expect(steward.get_by_role("complementary", name="New")).to_contain_text("Bad news")
    steward.goto(f"/accounts/{ACCOUNT}/story")
    steward.get_by_label("Why it should wait").fill("I call Daniel first.")
    steward.get_by_role("button", name="Hold this news").click()
    expect(steward.get_by_text(re.compile("^Held by maya.*I call Daniel first.$"))).to_be_visible()

    customer.reload()
    expect(customer.get_by_role("complementary", name="New")).to_have_count(0)
    steward.get_by_role("button", name="Release the news").click()
    expect(steward.get_by_text(re.compile("^Held by maya"))).to_have_count(0)

    customer.reload()
    notice = customer.get_by_role("complementary", name="New")
    expect(notice).to_contain_text("new in your story since")
    notice.get_by_role("button", name="Dismiss").click()
    expect(notice).to_have_count(0)
    customer.reload()
    expect(customer.get_by_role("complementary", name="New")).to_have_count(0)
