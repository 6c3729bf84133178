"""Finance asks what a dollar invested delivered, and follows the number down to the contract."""

import re

from playwright.sync_api import expect

from e2e.conftest import SPONSOR, STEWARD, SignIn, Watch

FINANCE = "finance@fieldnote.example"


def test_the_answer_stands_first_and_opens_to_contracts_that_separate_code_confirms(sign_in: SignIn) -> None:
    page = sign_in(FINANCE)
    expect(page).to_have_url(re.compile("/finance$"))
    heading = page.get_by_role("heading", level=1)
    expect(heading).to_have_text(
        re.compile(r"^Every US dollar that customers invested delivered .*\d of counted value\.$")
    )
    heading.get_by_role("link").click()
    expect(page.get_by_text(re.compile("by separate code: they agree"))).to_be_visible()
    page.get_by_text(re.compile("^Contracts")).first.click()
    expect(page.get_by_text(re.compile("^Contract, ")).first).to_be_visible()
    page.get_by_role("link", name="Back to finance").click()
    page.get_by_role("link", name="By provider").click()
    expect(page.get_by_role("link", name="By provider")).to_have_attribute("aria-current", "true")
    with page.expect_download() as download:
        page.get_by_role("link", name="Accounts as CSV").click()
    assert download.value.suggested_filename == "finance-accounts.csv"


def test_it_fits_a_phone_in_light_and_dark_and_is_reached_by_keyboard(sign_in: SignIn) -> None:
    for scheme in ("light", "dark"):
        page = sign_in(STEWARD, color_scheme=scheme, viewport={"width": 375, "height": 812})
        for path in ("/finance", "/finance/ltv-cac"):
            page.goto(path)
            expect(page.get_by_role("heading", level=1)).to_be_visible()
            assert page.evaluate("document.documentElement.scrollWidth") <= 375
    page.goto("/finance")
    page.get_by_role("link", name=re.compile("Net revenue retention, open")).first.focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/finance/nrr"))


def test_it_needs_no_script_and_customers_have_no_way_to_it(sign_in: SignIn, watch: Watch) -> None:
    watch.allowed.append("console: Failed to load resource: the server responded with a status of 404")
    page = sign_in(FINANCE, java_script_enabled=False)
    page.get_by_label("From", exact=True).fill("2020-01-01")
    page.get_by_label("through").fill("2020-01-31")
    page.get_by_role("button", name="Show these days").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile("cannot be told"))
    customer = sign_in(SPONSOR)
    expect(customer.get_by_role("link", name="Finance")).to_have_count(0)
    answer = customer.goto("/finance")
    assert answer is not None
    assert answer.status == 404
