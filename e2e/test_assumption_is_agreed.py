"""The steward proposes a value and sees the effect first; the customer's validator accepts; the headline changes."""

import re
from decimal import Decimal

from playwright.sync_api import Page, expect

from e2e.conftest import ACCOUNT, SPONSOR, STEWARD, VALIDATOR, SignIn

SLUG = "dispatcher_hourly_cost"
VALUE = "55.00"


def open_row(page: Page, base: str = "") -> None:
    page.goto(f"{base}/assumptions?open={SLUG}")
    expect(page.get_by_label(re.compile("^Propose a value"))).to_be_visible()


def headline_value(page: Page) -> Decimal:
    return Decimal(page.locator("h1 a.num-key").get_attribute("data-value") or "")


def test_a_value_is_proposed_with_its_effect_in_sight_and_counts_once_validated(sign_in: SignIn) -> None:
    validator = sign_in(VALIDATOR)
    before = headline_value(validator)

    steward = sign_in(STEWARD)
    open_row(steward, f"/accounts/{ACCOUNT}")
    steward.get_by_label(re.compile("^Propose a value")).fill(VALUE)
    button = steward.get_by_role("button", name="Propose $55.00 per hour")
    expect(button).to_be_visible()
    expect(steward.get_by_text(re.compile(r"^At \$55\.00\sper\shour: .* instead of "))).to_be_visible()
    steward.get_by_label("Why", exact=True).fill("Wages rose in July.")
    button.click()
    expect(steward.get_by_role("button", name="Withdraw $55.00 per hour")).to_be_visible()

    expect(validator.locator("h1 a.num-key")).to_have_attribute("data-value", str(before))
    open_row(validator)
    expect(validator.get_by_text("“Wages rose in July.”")).to_be_visible()
    expect(validator.get_by_text(re.compile(r"^Dispatch hours saved: .*, was \$"))).to_be_visible()
    validator.get_by_role("button", name="Validate $55.00 per hour").click()
    expect(validator.locator(f"#row-{SLUG}").get_by_text("Validated")).to_be_visible()

    validator.get_by_role("link", name="Story", exact=True).click()
    expect(validator.locator(f'h1 a.num-key:not([data-value="{before}"])')).to_be_visible()
    assert headline_value(validator) > before


def test_a_customer_may_correct_and_withdraw_but_not_validate(sign_in: SignIn) -> None:
    page = sign_in(SPONSOR)
    page.goto("/assumptions?open=overtime_hourly_cost")
    page.get_by_label(re.compile("^Propose a value")).fill("$51.50")
    page.get_by_label("Why", exact=True).fill("Of the last two payrolls.")
    page.get_by_role("button", name="Propose $51.50 per hour").click()

    expect(page.get_by_text("Daniel Reyes proposes $51.50 per hour").first).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("^Validate"))).to_have_count(0)
    page.get_by_role("button", name="Withdraw $51.50 per hour").click()
    expect(page.get_by_text("Daniel Reyes proposes")).to_have_count(0)


def test_what_is_no_number_is_said_before_it_is_sent(sign_in: SignIn) -> None:
    page = sign_in(SPONSOR)
    page.goto("/assumptions?open=overtime_hourly_cost")
    page.get_by_label(re.compile("^Propose a value")).fill("about fifty")

    expect(page.get_by_text("Write a number, such as 285.00.")).to_be_visible()
    expect(page.get_by_role("button", name=re.compile("^Propose"))).to_be_disabled()
