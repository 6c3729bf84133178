"""Business case, commitment, re-plan: what counts is what both sides signed, and what they signed stays."""

from datetime import timedelta
from typing import Any

import pytest

from tests.api.world import HARBOR, World, add_person, differences
from valueplatform.core.authorization import KeyKind

BASE = f"/api/v1/accounts/{HARBOR}"
CASE = f"{BASE}/plans/case"
SPONSOR = "sam@harbor.example"


def a_target(**changes: Any) -> dict[str, Any]:
    return {"objective": "Wait less", "driver": "dispatch_time", "month": "2026-05-01", "expected": "310", **changes}


async def with_sponsor(world: World, role: str = "sponsor") -> None:
    await add_person(world.databases, world.harbor, SPONSOR, role)
    key = await world.make_key(KeyKind.PARTNER, "sam", [world.harbor], person=SPONSOR)
    world.keys["sponsor"] = {"authorization": f"Bearer {key}"}


async def a_draft(world: World, *targets: dict[str, Any], plan: str = CASE, **terms: Any) -> dict[str, Any]:
    stated = await world.send("PUT", f"{plan}/terms", "champion", {"kind": "business-case", **terms})
    assert stated.status_code == 200, stated.text
    answer = await world.send("PUT", plan, "champion", list(targets or (a_target(),)))
    assert answer.status_code == 200, answer.text
    return await the_plan(world, plan)


async def the_plan(world: World, plan: str = CASE) -> dict[str, Any]:
    found = (await world.get(f"{BASE}/plan-terms", "champion")).json()["items"]
    return next(one for one in found if one["plan"] == plan.rsplit("/", 1)[1])


async def sign(world: World, who: str, plan: str = CASE, digest: str | None = None) -> Any:
    wanted = digest or (await the_plan(world, plan))["digest"]
    return await world.send("POST", f"{plan}/sign", who, {"digest": wanted})


async def both_sign(world: World, plan: str = CASE) -> dict[str, Any]:
    for who in ("admin", "sponsor"):
        answer = await sign(world, who, plan)
        assert answer.status_code == 200, answer.text
    signed: dict[str, Any] = answer.json()
    return signed


async def committed(world: World, **asked: str) -> str:
    window = {"from": "2026-05-01", "to": "2026-08-01", **asked}
    totals = (await world.get(f"{BASE}/value", "champion", **window)).json()["totals"]
    return str(totals["committed_expected"])


async def test_a_draft_counts_nowhere_until_both_sides_signed_it(bare_world: World) -> None:
    await with_sponsor(bare_world)
    draft = await a_draft(bare_world)
    assert (draft["state"], draft["in_force"], draft["signatures"]) == ("draft", 0, [])
    assert (await bare_world.get(f"{BASE}/plans", "champion")).json()["items"] == []
    assert await committed(bare_world) == "0.0000"
    half = (await sign(bare_world, "admin")).json()
    assert (half["state"], half["in_force"], half["signed_at"]) == ("draft", 0, None)
    assert await committed(bare_world) == "0.0000"
    signed = (await sign(bare_world, "sponsor")).json()
    assert (signed["state"], signed["kind"], signed["stands_as"]) == ("signed", "business-case", "commitment")
    assert {one["side"]: one["signer"] for one in signed["signatures"]} == {
        "customer": SPONSOR,
        "supplier": "key admin",
    }
    assert signed["targets"] == draft["targets"], "nothing was typed again"
    assert await committed(bare_world) == "310.0000"


async def test_what_was_changed_since_it_was_read_is_not_signed(bare_world: World) -> None:
    await with_sponsor(bare_world)
    read = (await a_draft(bare_world))["digest"]
    await bare_world.send("PUT", CASE, "champion", [a_target(expected="999")])
    assert (await sign(bare_world, "sponsor", digest=read)).status_code == 409


async def test_a_change_after_one_side_signed_voids_that_signature(bare_world: World) -> None:
    await with_sponsor(bare_world)
    await a_draft(bare_world)
    await sign(bare_world, "sponsor")
    await bare_world.send("PUT", CASE, "admin", [a_target(expected="999999")])
    plan = (await sign(bare_world, "admin")).json()
    assert (plan["state"], [one["holds"] for one in plan["signatures"]]) == ("draft", [False, True])
    assert await committed(bare_world) == "0.0000"
    assert (await sign(bare_world, "sponsor")).json()["state"] == "signed"
    assert await committed(bare_world) == "999999.0000"


async def test_other_terms_void_a_signature_too(bare_world: World) -> None:
    await with_sponsor(bare_world)
    await a_draft(bare_world)
    await sign(bare_world, "sponsor")
    await bare_world.send("PUT", f"{CASE}/terms", "admin", {"kind": "commitment", "title": "Something else"})
    assert (await sign(bare_world, "admin")).json()["state"] == "draft"


async def test_one_side_that_signs_twice_is_still_one_side(bare_world: World) -> None:
    await a_draft(bare_world)
    first, again = (await sign(bare_world, "admin")).json(), (await sign(bare_world, "admin")).json()
    assert first == again
    assert (again["state"], len(again["signatures"])) == ("draft", 1)


@pytest.mark.parametrize("who", ["champion", "validator", "tessera", "ingest"])
async def test_who_may_not_sign_is_refused(bare_world: World, who: str) -> None:
    await a_draft(bare_world)
    assert (await sign(bare_world, who)).status_code == 403


@pytest.mark.parametrize("role", ["sponsor", "economic-buyer"])
async def test_a_sponsor_or_an_economic_buyer_signs_for_the_customer(bare_world: World, role: str) -> None:
    await with_sponsor(bare_world, role)
    await a_draft(bare_world)
    assert (await sign(bare_world, "sponsor")).json()["signatures"][0]["side"] == "customer"


async def test_a_signed_plan_stays_as_it_is(bare_world: World) -> None:
    await with_sponsor(bare_world)
    await a_draft(bare_world)
    await both_sign(bare_world)
    assert (await bare_world.send("PUT", CASE, "champion", [a_target(expected="1")])).status_code == 409
    assert (await bare_world.send("PUT", CASE, "admin", [a_target(expected=None)])).status_code == 409
    assert (await bare_world.send("PUT", CASE, "admin", [a_target(month="2026-07-01")])).status_code == 409
    assert (await bare_world.send("PUT", f"{CASE}/terms", "admin", {"kind": "commitment"})).status_code == 409
    assert (await bare_world.send("PUT", CASE, "champion", [a_target()])).status_code == 200, "the same said again"
    assert (await sign(bare_world, "sponsor")).status_code == 200, "signed again, it is as it was"
    assert await committed(bare_world) == "310.0000"


async def test_a_plan_in_force_without_terms_does_not_become_a_draft(bare_world: World) -> None:
    await bare_world.send("PUT", CASE, "champion", [a_target()])
    assert (await bare_world.send("PUT", f"{CASE}/terms", "champion", {"kind": "business-case"})).status_code == 409
    plan = await the_plan(bare_world)
    assert (plan["state"], plan["stands_as"], plan["in_force"]) == ("in-force", "commitment", 1)
    assert await committed(bare_world) == "310.0000"


async def test_a_re_plan_takes_the_place_of_others_from_its_month_on_and_they_stay_readable(bare_world: World) -> None:
    await with_sponsor(bare_world)
    months = [a_target(month=f"2026-0{month}-01") for month in (5, 6, 7)]
    await a_draft(bare_world, *months)
    await both_sign(bare_world)
    later = f"{BASE}/plans/renewal"
    new = [a_target(month=f"2026-0{month}-01", expected="100") for month in (6, 7)]
    await a_draft(bare_world, *new, plan=later, kind="re-plan", replaces=["case"], from_month="2026-06-01")
    assert await committed(bare_world) == "930.0000"
    bare_world.clock.now += timedelta(days=1)
    await both_sign(bare_world, later)
    assert await committed(bare_world) == "510.0000"
    assert await committed(bare_world, as_of="2026-06-15") == "930.0000", "as it was known before"
    before = await the_plan(bare_world)
    assert (before["in_force"], len(before["targets"])) == (1, 3)
    assert await differences(bare_world.databases) == []


async def test_a_re_plan_that_would_count_twice_is_not_signed(bare_world: World) -> None:
    await with_sponsor(bare_world)
    await bare_world.send("PUT", CASE, "champion", [a_target()])
    later = f"{BASE}/plans/renewal"
    await a_draft(bare_world, a_target(), plan=later, kind="re-plan", replaces=["case"], from_month="2026-06-01")
    assert (await sign(bare_world, "admin", later)).status_code == 422


async def test_nobody_signs_for_nothing(bare_world: World) -> None:
    await bare_world.send("PUT", f"{CASE}/terms", "champion", {"kind": "business-case"})
    assert (await sign(bare_world, "admin")).status_code == 422
    assert (await sign(bare_world, "admin", f"{BASE}/plans/none", "x")).status_code == 404


@pytest.mark.parametrize(
    ("terms", "status"),
    [
        ({"kind": "wish"}, 400),
        ({"kind": "re-plan"}, 400),
        ({"kind": "commitment", "replaces": ["x"]}, 400),
        ({"kind": "commitment", "from_month": "2026-06-01"}, 400),
        ({"kind": "re-plan", "replaces": ["x"], "from_month": "2026-06-02"}, 400),
        ({"kind": "re-plan", "replaces": ["x"], "from_month": "2026-06-01"}, 422),
        ({"kind": "re-plan", "replaces": ["case"], "from_month": "2026-06-01"}, 422),
        ({"kind": "commitment", "contract": "x"}, 422),
        ({"kind": "commitment", "milestone": "x"}, 422),
    ],
)
async def test_terms_that_do_not_fit_are_refused(bare_world: World, terms: dict[str, Any], status: int) -> None:
    assert (await bare_world.send("PUT", f"{CASE}/terms", "champion", terms)).status_code == status


async def test_a_plan_belongs_to_a_milestone_that_is_there(bare_world: World) -> None:
    stone = {"kind": "purchase", "time": "2026-05-01T09:00:00Z"}
    await bare_world.send("PUT", f"{BASE}/milestones/bought", "champion", stone)
    plan = await a_draft(bare_world, milestone="bought")
    assert plan["milestone"] == "bought"


async def test_a_partner_neither_reads_nor_writes_what_both_sides_sign(bare_world: World) -> None:
    await a_draft(bare_world)
    assert (await bare_world.get(f"{BASE}/plan-terms", "tessera")).status_code == 403
    own = a_target(driver="invoices_synced")
    assert (await bare_world.send("PUT", CASE, "tessera", [own])).status_code == 403


async def test_a_draft_is_withdrawn_and_the_record_keeps_it(bare_world: World) -> None:
    await with_sponsor(bare_world)
    digest = (await a_draft(bare_world))["digest"]
    await sign(bare_world, "admin")
    plan = (await bare_world.send("POST", f"{CASE}/withdraw", "champion")).json()
    assert (plan["state"], plan["in_force"], [one["holds"] for one in plan["signatures"]]) == ("withdrawn", 0, [False])
    assert plan["targets"], "its targets stay readable"
    again = (await bare_world.send("POST", f"{CASE}/withdraw", "admin")).json()
    assert again["version"] == plan["version"], "withdrawn twice is withdrawn once"
    for who, wanted in (("sponsor", digest), ("sponsor", plan["digest"])):
        assert (await sign(bare_world, who, digest=wanted)).status_code == 409
    refused = await bare_world.send("PUT", CASE, "champion", [a_target(expected="9")])
    assert refused.status_code == 409
    assert "was withdrawn" in refused.json()["detail"]
    moments = (await bare_world.get(f"{BASE}/timeline", "champion", kinds="plan")).json()["items"]
    assert {one["what"] for one in moments} == {"drafted", "signed", "withdrawn"}


async def test_a_withdrawn_draft_comes_back_when_its_terms_are_stated_again_and_wants_new_signatures(
    bare_world: World,
) -> None:
    await with_sponsor(bare_world)
    await a_draft(bare_world)
    await sign(bare_world, "admin")
    await bare_world.send("POST", f"{CASE}/withdraw", "champion")
    plan = await a_draft(bare_world)
    assert (plan["state"], [one["holds"] for one in plan["signatures"]]) == ("draft", [False])
    assert (await both_sign(bare_world))["state"] == "signed"


async def test_what_counts_or_is_not_there_is_not_withdrawn(bare_world: World) -> None:
    await with_sponsor(bare_world)
    assert (await bare_world.send("POST", f"{CASE}/withdraw", "champion")).status_code == 404
    await bare_world.send("PUT", CASE, "champion", [a_target()])
    assert (await bare_world.send("POST", f"{CASE}/withdraw", "champion")).status_code == 409, "in force without terms"
    await both_sign(bare_world)
    assert (await bare_world.send("POST", f"{CASE}/withdraw", "champion")).status_code == 409


async def test_what_was_imported_counts_before_between_and_after_both_sign_it(bare_world: World) -> None:
    await with_sponsor(bare_world)
    await bare_world.send("PUT", CASE, "champion", [a_target()])
    plan = await the_plan(bare_world)
    assert (plan["kind"], plan["state"], plan["version"]) == (None, "in-force", 0)
    assert await committed(bare_world) == "310.0000"
    half = (await sign(bare_world, "admin")).json()
    assert (half["state"], half["in_force"], half["signatures"][0]["holds"]) == ("in-force", 1, True)
    assert await committed(bare_world) == "310.0000"
    signed = (await sign(bare_world, "sponsor")).json()
    assert (signed["state"], signed["in_force"], signed["kind"]) == ("signed", 1, None)
    assert signed["signed_at"] is not None
    assert await committed(bare_world) == "310.0000"
    assert (await bare_world.send("PUT", CASE, "champion", [a_target(expected="9")])).status_code == 409
    assert (await bare_world.send("PUT", f"{CASE}/terms", "champion", {"kind": "commitment"})).status_code == 409
    moments = (await bare_world.get(f"{BASE}/timeline", "champion", kinds="plan")).json()["items"]
    assert [(one["what"], one["title"]) for one in moments] == [("signed", "case"), ("signed", "case")]
    assert await differences(bare_world.databases) == []


async def test_a_target_imported_after_one_side_signed_voids_that_signature(bare_world: World) -> None:
    await with_sponsor(bare_world)
    await bare_world.send("PUT", CASE, "champion", [a_target()])
    await sign(bare_world, "admin")
    await bare_world.send("PUT", CASE, "champion", [a_target(expected="9")])
    plan = (await sign(bare_world, "sponsor")).json()
    holds = {one["side"]: one["holds"] for one in plan["signatures"]}
    assert (plan["state"], holds) == ("in-force", {"supplier": False, "customer": True})
