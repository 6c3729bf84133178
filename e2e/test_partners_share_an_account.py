"""What a partner brings: the customer lets it in and agrees to its share; the partner reads and reports at home."""

import re
from uuid import uuid4

import pytest
from playwright.sync_api import Locator, Page, expect

from e2e.conftest import ACCOUNT, STEWARD, VALIDATOR, SignIn, Watch

PARTNER = "partner@tessera.example"
HOME = f"/shared/{ACCOUNT}"


def said(table: Locator, row: str | re.Pattern[str], button: str, why: str) -> None:
    """Answer in the first row that has such a button, and say why."""
    own = table.get_by_role("row").filter(has_text=row).filter(has=table.page.get_by_role("button", name=button)).first
    own.get_by_placeholder(re.compile("^Why")).fill(why)
    own.get_by_role("button", name=button, exact=True).click()


def test_the_customer_sees_who_brings_what_and_what_is_joint(sign_in: SignIn) -> None:
    page = sign_in(VALIDATOR)
    page.get_by_role("button", name="account menu").click()
    page.locator("#person-menu").get_by_role("link", name="Partners").click()
    parties = page.get_by_role("table", name="Realized value by party")

    expect(parties.get_by_role("rowheader")).to_contain_text(["Fieldnote", "Tessera Integrations", "Joint"])
    expect(page.get_by_role("table", name="Documents nobody types any more by party")).to_be_visible()
    expect(page.get_by_role("table", name="What was reported")).to_contain_text("Telemetry bears it out.")


def test_a_split_holds_once_the_third_party_has_agreed(sign_in: SignIn) -> None:
    partner, validator, steward = sign_in(PARTNER), sign_in(VALIDATOR), sign_in(STEWARD)
    partner.goto(HOME)
    partner.get_by_text("Propose a split").click()
    partner.get_by_label("Your share, %").fill("37.5")
    partner.get_by_label("Share of Fieldnote, %").fill("42.5")
    partner.get_by_label("Why", exact=True).fill("The connector books delivery notes as well.")
    partner.get_by_role("button", name="Propose the split").click()
    splits = partner.get_by_role("table", name="Splits")
    expect(splits).to_contain_text("Waits for the customer and Fieldnote")

    validator.goto("/partners")
    said(validator.get_by_role("table", name="Splits"), "37.5%", "Agree", "Fair.")
    expect(validator.get_by_role("table", name="Splits")).to_contain_text("Waits for Fieldnote")
    steward.goto(f"/accounts/{ACCOUNT}/partners")
    said(steward.get_by_role("table", name="Splits"), "37.5%", "Agree", "As sold.")
    expect(steward.get_by_role("row").filter(has_text="37.5%")).to_contain_text("In force")

    partner.reload()
    expect(splits.get_by_role("row").filter(has_text="37.5%")).to_contain_text("In force")
    expect(splits).not_to_contain_text("Maya Okafor")


@pytest.mark.parametrize("scripts", [True, False])
def test_what_a_partner_reports_is_corroborated_by_a_validator(sign_in: SignIn, watch: Watch, *, scripts: bool) -> None:
    watch.allowed.append("console: Failed to load resource: the server responded with a status of 400")
    name = f"Paper saved {uuid4().hex[:6]}"
    partner = sign_in(PARTNER, java_script_enabled=scripts)
    partner.goto(HOME)
    partner.get_by_text("Report value", exact=True).click()
    partner.get_by_label("Your own id of it").fill(name)
    partner.get_by_label("What it is, where no driver says it").fill(name)
    partner.get_by_label(re.compile("^Amount")).fill("1,200.50")
    partner.get_by_label("Month or day").fill("soon")
    partner.get_by_label("What it rests on").fill("Our own ledger.")
    partner.get_by_role("button", name="Report it").click()
    expect(partner.get_by_role("alert").first).to_contain_text("write a month as 2026-05")
    partner.get_by_label("Month or day").fill(a_month(partner))
    partner.get_by_role("button", name="Report it").click()
    row = partner.get_by_role("table", name="What was reported").get_by_role("row").filter(has_text=name)
    expect(row).to_contain_text("Partner-reported")

    validator = sign_in(VALIDATOR, java_script_enabled=scripts)
    validator.goto("/partners")
    said(validator.get_by_role("table", name="What was reported"), name, "Corroborate", "As in our books.")
    own = validator.get_by_role("table", name="What was reported").get_by_role("row").filter(has_text=name)
    expect(own).to_contain_text("As in our books.")
    partner.reload()
    expect(row).to_contain_text("A validator has confirmed it.")


@pytest.mark.parametrize(("who", "path"), [(VALIDATOR, "/partners"), (PARTNER, "/shared"), (PARTNER, HOME)])
def test_every_amount_opens_and_is_recomputed(sign_in: SignIn, who: str, path: str) -> None:
    page = sign_in(who)
    page.goto(path)
    amounts = page.locator("main a.num")
    expect(amounts.first).to_be_visible()
    told = page.locator("main td.n").filter(has_text="$")
    expect(told.filter(has=page.locator("a.num"))).to_have_count(told.count())
    links = [(one.get_attribute("href"), one.get_attribute("data-value")) for one in amounts.all()]
    for href, value in links:
        assert href is not None
        page.goto(href)
        expect(page.locator(".verdict")).to_contain_text("recomputed")
        expect(page.locator(f'main [data-value="{value}"]').first).to_be_visible()
    page.goto(path)
    amounts.first.click()
    expect(page.get_by_role("dialog").locator(".verdict")).to_contain_text("recomputed")


def a_month(page: Page) -> str:
    """One in which something was reported already."""
    told = page.get_by_role("table", name="What was reported").inner_text()
    found = re.search(rf"({'|'.join(_MONTHS)}) [0-9]{{4}}", told)
    assert found is not None
    month, year = found[0].split()
    return f"{year}-{_MONTHS.index(month) + 1:02}"


_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
           "December")  # fmt: skip


def test_what_the_customer_takes_back_is_gone_with_the_next_page(sign_in: SignIn) -> None:
    validator, partner = sign_in(VALIDATOR), sign_in(PARTNER)
    validator.goto("/partners")
    consents = validator.get_by_role("region", name="Tessera Integrations").get_by_role("table", name="Consents")
    said(consents, "Report value of its own", "Withdraw consent", "For a while.")
    expect(consents).to_contain_text("Withdrawn by")
    partner.goto(HOME)
    expect(partner.get_by_text("has not let you report value here")).to_be_visible()
    said(consents, "Report value of its own", "Give consent", "Go on.")
    expect(consents).to_contain_text("Go on.")
    partner.reload()
    expect(partner.get_by_text("Report value", exact=True)).to_be_visible()


def test_the_pages_fit_a_phone_and_others_stay_hidden(sign_in: SignIn) -> None:
    partner = sign_in(PARTNER, viewport={"width": 375, "height": 800})
    for path in ("/shared", HOME):
        partner.goto(path)
        assert partner.evaluate("document.documentElement.scrollWidth") <= 375
    expect(partner.get_by_text("Priya Nair")).to_have_count(0)
    validator = sign_in(VALIDATOR, viewport={"width": 375, "height": 800})
    validator.goto("/partners")
    assert validator.evaluate("document.documentElement.scrollWidth") <= 375
