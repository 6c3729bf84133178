"""Objectives, plans to sign and the timeline on the plan's page."""

import pytest

from tests.api.test_plan_terms import BASE, CASE, a_draft, a_target
from tests.api.world import HARBOR
from tests.portal.browsers import CHAMPION, Browser, Portal
from tests.portal.test_assumptions import button, press

SIGN = "Sign case for the customer"


async def as_sponsor(portal: Portal) -> Browser:
    await portal.run("UPDATE person SET role = 'sponsor' WHERE email = :email", email=CHAMPION)
    return await portal.browser(CHAMPION)


async def test_without_any_the_page_says_what_they_are(bare_portal: Portal) -> None:
    page = (await (await bare_portal.browser(CHAMPION)).get("/plan")).text
    assert "An objective is what you want, in your own words" in page
    assert "A plan commits to value" in page


async def test_an_objective_shows_who_answers_what_is_missing_and_how_far_it_is(
    portal: Portal, customer: Browser
) -> None:
    await portal.world.send("PUT", CASE, "champion", [a_target(low="200", high="400")])
    (one,) = (await portal.world.get(f"{BASE}/objectives", "champion")).json()["items"]
    aim = {"owner": "Carl <b>", "tactics": ["Reno first"], "due": "2026-12-31"}
    await portal.world.send("PUT", f"{BASE}/objectives/{one['objective_id']}", "champion", aim)
    page = (await customer.get("/plan")).text
    assert "Owner: Carl &lt;b&gt;" in page
    assert "Missing: sponsor on the customer side, sponsor on the supplier side<" in page
    assert "Due 31 Dec 2026" in page
    assert "$200.00 to $400.00" in page
    behind = (await customer.get(f"/plan/attainment?objective={one['objective_id']}")).text
    assert "As it stands now" in behind
    assert "$310.00" in behind
    assert f'href="/plan/attainment?objective={one["objective_id"]}"' in page


async def test_both_sign_on_their_pages_and_then_it_counts(portal: Portal, steward: Browser) -> None:
    await a_draft(portal.world)
    sponsor = await as_sponsor(portal)
    page = (await sponsor.get("/plan")).text
    assert "Draft, counts nowhere yet" in page
    answer = await press(sponsor, page, SIGN)
    assert "said=half" in answer.headers["location"]
    assert button((await sponsor.get("/plan")).text, SIGN) is None
    there = (await steward.get(f"/accounts/{HARBOR}/plan")).text
    assert "Signed for the customer by Carl Berg" in there
    answer = await press(steward, there, "Sign case for the supplier")
    assert "said=signed" in answer.headers["location"]
    page = (await sponsor.get("/plan")).text
    assert "Signed by both" in page
    assert "1 target, 1 in force" in page
    assert "signed by Carl Berg, for the customer" in page


async def test_who_may_not_sign_has_no_button_and_is_refused(portal: Portal, customer: Browser) -> None:
    plan = await a_draft(portal.world)
    assert button((await customer.get("/plan")).text, SIGN) is None
    answer = await customer.post("/plan/sign", plan="case", digest=plan["digest"])
    assert answer.status_code == 403


async def test_what_was_changed_meanwhile_is_not_signed(portal: Portal) -> None:
    await a_draft(portal.world)
    sponsor = await as_sponsor(portal)
    page = (await sponsor.get("/plan")).text
    await portal.world.send("PUT", CASE, "champion", [a_target(expected="999")])
    assert (await press(sponsor, page, SIGN)).status_code == 409


@pytest.mark.parametrize("query", ["kind=plan", "kind=nothing", "before=x", "before=0", "kind=close&before=9"])
async def test_the_timeline_stands_whatever_the_address_says(customer: Browser, query: str) -> None:
    assert (await customer.get(f"/plan?{query}")).status_code == 200


async def test_addresses_that_name_no_objective_are_answered(customer: Browser) -> None:
    assert (await customer.get("/plan/attainment?objective=999999")).status_code == 404
    assert (await customer.get("/plan/attainment?objective=x")).status_code == 200
