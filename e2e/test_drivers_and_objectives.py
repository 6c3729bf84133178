"""The steward finds a driver in the library and reads how it is delivered; the customer says what it wants by form."""

import re

from playwright.sync_api import expect

from e2e.conftest import ACCOUNT, SPONSOR, STEWARD, SignIn
from e2e.test_phone import PHONE, assert_fits


def test_a_driver_is_found_by_what_is_said_of_it_and_opens_to_play_and_accounts(sign_in: SignIn) -> None:
    page = sign_in(STEWARD)
    page.get_by_role("link", name="Catalog").click()
    page.get_by_role("link", name="Driver library").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("drivers turn usage into value")
    page.get_by_label("Persona").select_option("Head of service")
    page.get_by_label("Benefit class").select_option("cashable")
    page.get_by_role("button", name="Show").click()
    expect(page).to_have_url(re.compile("benefit_class=cashable.*persona=Head"))
    row = page.get_by_role("row", name=re.compile("Repeat visits avoided"))
    expect(row).to_be_visible()
    expect(page.get_by_role("row", name=re.compile("Dispatch hours saved"))).to_have_count(0)
    row.get_by_role("link").click()
    expect(page.get_by_text("Agree with the head of service what a repeat visit is.")).to_be_visible()
    expect(page.get_by_text(re.compile(r"visits completed . share of visits"))).to_be_visible()
    expect(page.get_by_role("listitem").filter(has_text="Version 1")).to_be_visible()
    page.get_by_role("link", name="Quality of service").click()
    expect(page.get_by_label("Category")).to_have_value("Quality of service")


def test_the_library_fits_a_phone_and_needs_no_script(sign_in: SignIn) -> None:
    page = sign_in(STEWARD, java_script_enabled=False, **PHONE)
    for path in ("/catalog/drivers", "/catalog/drivers/dispatch_time"):
        page.goto(path)
        assert_fits(page)


def test_an_objective_is_added_changed_taken_back_and_closed_by_form(sign_in: SignIn) -> None:
    sponsor = sign_in(SPONSOR, java_script_enabled=False)
    sponsor.goto("/plan")
    words = "Know by noon who comes tomorrow"
    sponsor.get_by_text("Add an objective", exact=True).click()
    new = sponsor.locator("form[action$='/plan/objectives']")
    new.get_by_label("What the customer wants, in its own words").fill(words)
    new.get_by_label("Owner").fill("Daniel Reyes")
    new.get_by_label("Tactics, one a line").fill("Reno first\nThen Sparks")
    new.get_by_label("Dispatch hours saved").check()
    new.get_by_role("button", name="Add the objective").click()
    section = sponsor.locator("#objectives")
    expect(section.get_by_text("Added.")).to_be_visible()
    expect(section.get_by_text("Owner: Daniel Reyes")).to_be_visible()
    expect(section.get_by_text("Then Sparks", exact=True)).to_be_visible()

    steward = sign_in(STEWARD, **PHONE)
    steward.goto(f"/accounts/{ACCOUNT}/plan")
    steward.get_by_text(f"Change {words}").click()
    form = steward.locator("details[open] form.aim-form")
    form.get_by_label("Sponsor on the supplier side").fill("Maya Okafor")
    form.get_by_role("button", name="Save").click()
    row = steward.locator("tr.open-row").filter(has_text=words)
    expect(row.get_by_text("Supplier sponsor: Maya Okafor")).to_be_visible()
    assert_fits(steward)
    steward.get_by_role("button", name="Undo").click()
    expect(steward.get_by_text("Taken back.")).to_be_visible()
    expect(row.get_by_text("Supplier sponsor: Maya Okafor")).to_have_count(0)

    sponsor.goto("/plan")
    sponsor.get_by_text(f"Change {words}").click()
    sponsor.get_by_role("button", name=f"Mark {words} as reached").click()
    expect(sponsor.locator("#objectives").get_by_text("Reached", exact=True)).to_be_visible()
