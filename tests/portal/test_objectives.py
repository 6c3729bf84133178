"""Objectives, plans to sign and the timeline on the plan's page."""

from typing import Any

import pytest

from tests.api.test_plan_terms import BASE, CASE, a_draft, a_target
from tests.api.world import HARBOR
from tests.portal.browsers import CHAMPION, Browser, Portal
from tests.portal.test_assumptions import button, press
from valueplatform.core.scope import grant_all
from valueplatform.value.benchmark import Withheld
from valueplatform.value.time_to_value import Step
from valueplatform.value.ways import Scope, WayFigure, Ways
from valueplatform.value.ways_store import put_ways

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


async def test_a_plan_shows_its_amounts_by_driver_and_month(portal: Portal, customer: Browser) -> None:
    await a_draft(portal.world, a_target(low="200", high="400"), a_target(month="2026-06-01"))
    page = (await customer.get("/plan")).text
    assert "Amounts by driver and month" in page
    for cell in ("May 2026", "Jun 2026", "$200.00", "$310.00", "$400.00"):
        assert cell in page


async def test_a_draft_is_withdrawn_and_brought_back_by_button(portal: Portal, customer: Browser) -> None:
    await a_draft(portal.world)
    answer = await press(customer, (await customer.get("/plan")).text, "Withdraw case")
    page = (await customer.get(answer.headers["location"])).text
    assert "Withdrawn. The record keeps it." in page
    assert "Withdrawn by Carl Berg" in page
    assert button(page, "Withdraw case") is None
    answer = await press(customer, page, "Make case a draft again")
    assert "Draft, counts nowhere yet" in (await customer.get(answer.headers["location"])).text


async def test_what_was_imported_is_signed_by_both_on_their_pages_and_counts_throughout(
    portal: Portal, steward: Browser
) -> None:
    await portal.world.send("PUT", CASE, "champion", [a_target()])
    sponsor = await as_sponsor(portal)
    page = (await sponsor.get("/plan")).text
    assert "In force, unsigned" in page
    await press(sponsor, page, SIGN)
    page = (await sponsor.get("/plan")).text
    assert "Waits for the supplier to sign" in page
    assert "1 target, 1 in force" in page
    await press(steward, (await steward.get(f"/accounts/{HARBOR}/plan")).text, "Sign case for the supplier")
    assert "Signed by both" in (await sponsor.get("/plan")).text


async def the_objectives(portal: Portal) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await portal.world.get(f"{BASE}/objectives", "champion")).json()["items"]
    return found


ADDED = {
    "title": "Wait <less>",
    "version": "",
    "owner": "Carl",
    "tactics": "Reno first\r\n\r\nThen Sparks",
    "due": "2026-12-31",
}


@pytest.mark.parametrize("side", ["customer", "supplier"])
async def test_each_side_adds_an_objective_in_the_customers_words_and_takes_it_back(
    portal: Portal, customer: Browser, steward: Browser, side: str
) -> None:
    browser, base = (customer, "") if side == "customer" else (steward, f"/accounts/{HARBOR}")
    answer = await browser.post(f"{base}/plan/objectives", **ADDED, drivers="dispatch_time")
    page = (await browser.get(answer.headers["location"])).text
    assert "Added." in page
    assert "Wait &lt;less&gt;" in page
    (one,) = await the_objectives(portal)
    assert (one["owner"], one["tactics"], one["due"]) == ("Carl", ["Reno first", "Then Sparks"], "2026-12-31")
    assert (one["drivers"], one["author_side"]) == (["dispatch_time"], side)
    await press(browser, page, "Undo")
    (one,) = await the_objectives(portal)
    assert (one["state"], one["reason"], one["version"]) == ("dropped", "Added by mistake", 2)


async def test_a_change_is_a_version_that_can_be_taken_back(portal: Portal, customer: Browser) -> None:
    await customer.post("/plan/objectives", **ADDED)
    (one,) = await the_objectives(portal)
    at = f"/plan/objectives/{one['objective_id']}"
    answer = await customer.post(at, version="1", owner="Dana", tactics="", due="", customer_sponsor="Sam")
    page = (await customer.get(answer.headers["location"])).text
    assert "Changed. Every version is kept." in page
    assert "Owner: Dana" in page
    await press(customer, page, "Undo")
    (one,) = await the_objectives(portal)
    assert (one["owner"], one["version"], one["due"]) == ("Carl", 3, "2026-12-31")
    same = await customer.post(at, version="3", owner="Carl", tactics="Reno first\nThen Sparks", due="2026-12-31")
    assert "objective-same" in same.headers["location"]


async def test_an_objective_is_reached_opened_again_and_dropped_for_a_reason(portal: Portal, customer: Browser) -> None:
    await customer.post("/plan/objectives", title="Wait less")
    page = (await customer.get("/plan")).text
    answer = await press(customer, page, "Mark Wait less as reached")
    page = (await customer.get(answer.headers["location"])).text
    assert "Reached" in page
    page = (await customer.get((await press(customer, page, "Open Wait less again")).headers["location"])).text
    (one,) = await the_objectives(portal)
    at, version = f"/plan/objectives/{one['objective_id']}", str(one["version"])
    assert (await customer.post(f"{at}/drop", version=version, reason=" ")).status_code == 400
    await customer.post(f"{at}/drop", version=version, reason="Reno closed")
    assert "Dropped: Reno closed" in (await customer.get("/plan")).text


async def test_what_somebody_changed_meanwhile_is_not_overwritten(portal: Portal, customer: Browser) -> None:
    await customer.post("/plan/objectives", **ADDED)
    (one,) = await the_objectives(portal)
    at = f"/plan/objectives/{one['objective_id']}"
    await customer.post(at, version="1", owner="Dana")
    for path, fields in ((at, {"owner": "Eve"}), (f"{at}/reach", {}), (f"{at}/undo", {})):
        assert (await customer.post(path, version="1", **fields)).status_code == 409, path
    assert (await the_objectives(portal))[0]["owner"] == "Dana"


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"title": " "}, 400),
        ({"title": "x" * 201}, 400),
        ({"title": "x", "due": "tomorrow"}, 400),
        ({"title": "x", "drivers": "no_such"}, 404),
        ({"title": "x", "tactics": "one\n" * 21}, 400),
        ({"title": "x", "owner": "a\0b"}, 400),
    ],
)
async def test_what_the_record_cannot_keep_is_refused_and_nothing_is_added(
    portal: Portal, customer: Browser, fields: dict[str, str], status: int
) -> None:
    assert (await customer.post("/plan/objectives", **fields)).status_code == status
    assert await the_objectives(portal) == []


async def test_the_same_words_are_not_added_twice(portal: Portal, customer: Browser) -> None:
    await customer.post("/plan/objectives", **ADDED)
    assert (await customer.post("/plan/objectives", **ADDED)).status_code == 409
    assert len(await the_objectives(portal)) == 1


async def test_who_may_not_plan_has_no_form_and_is_refused(
    portal: Portal, customer: Browser, validator: Browser
) -> None:
    await customer.post("/plan/objectives", **ADDED)
    page = (await validator.get("/plan")).text
    assert "Add an objective" not in page
    assert 'class="cat-form aim-form"' not in page
    assert (await validator.post("/plan/objectives", title="x")).status_code == 403
    (one,) = await the_objectives(portal)
    for verb in ("", "/reach", "/drop", "/reopen", "/undo"):
        at = f"/plan/objectives/{one['objective_id']}{verb}"
        assert (await validator.post(at, version="1", reason="r")).status_code == 403, verb
    assert (await customer.post("/plan/objectives/999999/reach", version="0")).status_code == 404
    assert (await customer.post(f"/plan/objectives/{one['objective_id']}/nonsense", version="1")).status_code == 404


@pytest.mark.parametrize("undo", ["x", "1", "-", "1-x", "9" * 50, "1-1-added"])
async def test_the_page_stands_whatever_is_to_be_taken_back(customer: Browser, undo: str) -> None:
    assert (await customer.get(f"/plan?said=objective-changed&undo={undo}")).status_code == 200


async def test_time_to_value_stands_beside_comparable_accounts_or_says_why_not(
    portal: Portal, customer: Browser
) -> None:
    page = (await customer.get("/plan")).text
    assert "Not compared yet" in page
    assert "No milestone says when it went live." in page
    stone = {"kind": "go-live", "time": "2026-05-02T12:00:00Z", "title": "Live"}
    await portal.world.send("PUT", f"{BASE}/milestones/live", "champion", stone)
    figure = WayFigure(Scope.ACCOUNT, Step.GO_LIVE, "", accounts=6, lower=20, median=30, upper=40)
    alone = WayFigure(Scope.ACCOUNT, Step.FIRST_VALIDATED, "", withheld=Withheld.DOMINATED)
    async with portal.world.databases.worker.transaction(grant_all()) as tx:
        await put_ways(tx, Ways((figure, alone)), [], portal.world.clock.now)
    page = (await customer.get("/plan")).text
    assert "Not compared: one account took more than half of the days of all" in page
    assert "Not compared: fewer than five accounts have come this far" in page
    assert "Not compared yet" not in page
    assert "Comparable: 30 days, half of them 20 to 40 (6 accounts)" in page
    assert "2 May 2026" in page
