"""The steward answers a customer's question; the customer sees it on the open page, without doing anything."""

import re

from playwright.sync_api import expect

from e2e.conftest import ACCOUNT, SPONSOR, STEWARD, SignIn

QUESTION = "Which crews does this count?"
ANSWER = "All of them, Daniel: every crew that reports a visit."


def test_the_answer_appears_on_the_customers_open_page(sign_in: SignIn) -> None:
    customer = sign_in(SPONSOR)
    customer.locator("section.chapter").first.get_by_role("button", name=re.compile("^Ask Maya Okafor")).click()
    customer.get_by_label(re.compile("^Write to Maya")).fill(QUESTION)
    customer.get_by_role("button", name="Send").click()
    expect(customer.get_by_role("article").filter(has_text=QUESTION)).to_be_visible()

    steward = sign_in(STEWARD)
    steward.goto(f"/accounts/{ACCOUNT}/story")
    steward.get_by_role("complementary", name="Only you see this").get_by_role("link", name="All conversations").click()
    expect(steward.get_by_role("article").filter(has_text=QUESTION)).to_be_visible()
    expect(steward.locator("blockquote [data-insight-id]").first).to_be_visible()
    steward.get_by_label(re.compile("^Reply to Daniel Reyes")).fill(ANSWER)
    steward.get_by_role("button", name="Send").click()

    expect(customer.get_by_role("article").filter(has_text=ANSWER)).to_be_visible()
    expect(customer.get_by_role("article").filter(has_text=ANSWER)).to_contain_text("Your value steward")


def test_the_portfolio_says_who_waits_and_leads_to_them(sign_in: SignIn) -> None:
    steward = sign_in(STEWARD)

    expect(steward).to_have_url(re.compile("/portfolio$"))
    expect(steward.get_by_role("heading", level=1)).to_contain_text("accounts need you today")
    row = steward.get_by_role("row").filter(has=steward.get_by_role("rowheader", name=re.compile("Harbor Logistics")))
    row.get_by_role("link", name="Harbor Logistics").click()
    expect(steward).to_have_url(re.compile(f"/accounts/{ACCOUNT}/story$"))
    expect(steward.get_by_role("heading", name="Next with them")).to_be_visible()


def test_the_portfolio_finds_an_account_as_its_name_is_typed(sign_in: SignIn) -> None:
    steward = sign_in(STEWARD)
    steward.get_by_role("navigation", name="Filter").get_by_role("link", name=re.compile("^All")).click()
    rows = steward.locator("#portfolio-rows tr[id]")
    expect(rows.nth(7)).to_be_visible()  # eight of the sample, and whoever else sends events
    steward.get_by_label("Find an account").press_sequentially("northl")

    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("Northline Elevators")


NEWS = """() => document.querySelector("#portfolio-rows").dispatchEvent(
  new CustomEvent("htmx:sseBeforeMessage", { bubbles: true, cancelable: true }))"""
"""As the stream announces rows; false where they are not to take the place of what is shown."""


def test_what_was_found_stays_found_while_other_accounts_change(sign_in: SignIn) -> None:
    steward = sign_in(STEWARD)
    steward.goto("/portfolio?show=all")
    rows = steward.locator("#portfolio-rows tr[id]")
    expect(rows.nth(7)).to_be_visible()
    assert steward.evaluate(NEWS) is True
    steward.get_by_label("Find an account").press_sequentially("northl")
    expect(rows).to_have_count(1)

    with steward.expect_response(re.compile(r"/portfolio\?.*q=northl")):
        assert steward.evaluate(NEWS) is False
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("Northline Elevators")


def test_the_steward_never_validates(sign_in: SignIn) -> None:
    steward = sign_in(STEWARD)
    steward.goto(f"/accounts/{ACCOUNT}/assumptions?open=cost_per_repeat_visit")

    expect(steward.get_by_role("button", name=re.compile("^Propose"))).to_be_visible()
    expect(steward.get_by_role("button", name=re.compile("^Validate"))).to_have_count(0)
