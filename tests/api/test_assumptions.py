from typing import Any

import pytest

from tests.api.world import HARBOR, World
from valueplatform.core.authorization import KeyKind

ASSUMPTIONS = f"/api/v1/accounts/{HARBOR}/assumptions"
PROPOSAL = {"slug": "per_sync", "expected": 2.5, "reason": "Measured in June"}


async def read(world: World, who: str = "champion") -> dict[str, Any]:
    return {one["slug"]: one for one in (await world.get(ASSUMPTIONS, who)).json()["items"]}


async def said(world: World, rest: str, who: str, body: object = None) -> tuple[int, Any]:
    answer = await world.send("POST", f"{ASSUMPTIONS}{rest}", who, body)
    return answer.status_code, answer.json()


async def propose(world: World, who: str = "champion", **changes: Any) -> int:
    status, entry = await said(world, "", who, PROPOSAL | changes)
    assert status == 201, entry
    return int(entry["entry_id"])


async def test_the_model_s_default_holds_until_somebody_says_otherwise(bare_world: World) -> None:
    held = (await read(bare_world))["hourly_cost"]
    assert (held["kind"], held["state"], held["expected"], held["entries"]) == ("assumption", "estimated", "45", [])
    assert (await read(bare_world))["manual_minutes"]["kind"] == "baseline"


async def test_what_one_proposes_another_validates_and_then_it_holds(bare_world: World) -> None:
    entry_id = await propose(bare_world, low=2, high="3")
    held = (await read(bare_world))["per_sync"]
    assert (held["state"], held["pending"], held["expected"]) == ("proposed", [entry_id], "2.500000000")
    status, answer = await said(bare_world, f"/{entry_id}/validate", "validator", {"reason": "Agreed"})
    assert (status, answer["action"], answer["answers"], answer["author"]) == (
        201, "validate", entry_id, "vera@harbor.example",
    )  # fmt: skip
    held = (await read(bare_world))["per_sync"]
    assert (held["state"], held["pending"], held["validator"]) == ("validated", [], "vera@harbor.example")


async def test_a_validation_needs_no_words(bare_world: World) -> None:
    entry_id = await propose(bare_world)
    assert (await said(bare_world, f"/{entry_id}/validate", "validator"))[0] == 201


async def test_nobody_validates_their_own_proposal(bare_world: World) -> None:
    entry_id = await propose(bare_world, "validator")
    status, problem = await said(bare_world, f"/{entry_id}/validate", "validator")
    assert (status, "another validator" in problem["detail"]) == (403, True)


@pytest.mark.parametrize("who", ["admin", "tessera", "champion", "ingest"])
async def test_only_a_named_validator_validates_never_the_supplier(bare_world: World, who: str) -> None:
    entry_id = await propose(bare_world)
    assert (await said(bare_world, f"/{entry_id}/validate", who))[0] == 403
    assert (await said(bare_world, "/validate-default", who, {"slug": "hourly_cost"}))[0] == 403


async def test_what_is_settled_cannot_be_settled_again(bare_world: World) -> None:
    entry_id = await propose(bare_world)
    await said(bare_world, f"/{entry_id}/validate", "validator")
    assert (await said(bare_world, f"/{entry_id}/validate", "validator"))[0] == 409
    assert (await said(bare_world, "/999999/validate", "validator"))[0] == 404


async def test_a_default_or_a_driver_is_validated_by_name(bare_world: World) -> None:
    assert (await said(bare_world, "/validate-default", "validator", {"slug": "hourly_cost"}))[0] == 201
    assert (await said(bare_world, "/validate-default", "validator", {"slug": "driver:dispatch_time"}))[0] == 201
    assert (await said(bare_world, "/validate-default", "validator", {"slug": "nothing"}))[0] == 404
    assert (await read(bare_world))["hourly_cost"]["state"] == "validated"


async def test_a_dispute_says_why_and_is_taken_back_by_its_own_side(bare_world: World) -> None:
    entry_id = await propose(bare_world)
    assert (await said(bare_world, f"/{entry_id}/dispute", "champion", {"reason": " "}))[0] == 400
    status, dispute = await said(bare_world, f"/{entry_id}/dispute", "champion", {"reason": "Too high"})
    assert status == 201
    assert (await read(bare_world))["per_sync"]["state"] == "under-review"
    assert (await said(bare_world, f"/{dispute['entry_id']}/withdraw", "admin"))[0] == 403
    assert (await said(bare_world, f"/{dispute['entry_id']}/withdraw", "validator"))[0] == 201
    assert (await read(bare_world))["per_sync"]["state"] == "proposed"


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"slug": "nothing"}, 404),
        ({"reason": "  "}, 400),
        ({"reason": "x" * 4001}, 400),
        ({"reason": "a\0"}, 400),
        ({"expected": "1e999999999"}, 400),
        ({"expected": "Infinity"}, 400),
        ({"low": 3}, 400),
        ({"unit": "a\0"}, 400),
        ({"effective_from": "0001-01-01"}, 400),
        ({"effective_from": "9999-12-31"}, 400),
        ({"expected": None}, 400),
        ({"author": "somebody else"}, 400),
    ],
)
async def test_a_proposal_that_cannot_be_is_refused(bare_world: World, changes: dict[str, Any], status: int) -> None:
    assert (await said(bare_world, "", "champion", PROPOSAL | changes))[0] == status
    assert (await read(bare_world))["per_sync"]["entries"] == []


async def test_a_partner_sees_what_its_drivers_rest_on_and_no_people(bare_world: World) -> None:
    own = await propose(bare_world, "tessera", expected=2)
    theirs = await propose(bare_world)
    await said(bare_world, f"/{theirs}/validate", "validator")
    await said(bare_world, f"/{theirs}/dispute", "champion", {"reason": "Between us"})
    found = await read(bare_world, "tessera")
    assert set(found) == {"per_sync"}
    held = found["per_sync"]
    assert (held["state"], held["author"], held["validator"]) == ("estimated", "customer", "customer")
    assert [(e["action"], e["author"], e["reason"]) for e in held["entries"]] == [
        ("propose", "key tessera", "Measured in June"),
        ("propose", "customer", ""),
        ("validate", "customer", ""),
    ]
    assert held["entries"][0]["entry_id"] == own
    assert "harbor.example" not in str(found)
    assert "Between us" not in str(found)


async def test_a_partner_speaks_of_its_own_drivers_inputs_alone(bare_world: World) -> None:
    for slug in ("hourly_cost", "per_eta", "nothing"):
        status, problem = await said(bare_world, "", "tessera", PROPOSAL | {"slug": slug})
        assert (status, problem["detail"]) == (404, f"The value model has no assumption or baseline {slug!r}.")


async def test_partners_do_not_speak_for_each_other(bare_world: World) -> None:
    rival = await bare_world.make_key(KeyKind.PARTNER, "rival", [bare_world.harbor], provider="tessera")
    bare_world.keys["rival"] = {"authorization": f"Bearer {rival}"}
    entry_id = await propose(bare_world, "tessera")
    assert (await read(bare_world, "rival"))["per_sync"]["entries"] == []
    assert (await said(bare_world, f"/{entry_id}/withdraw", "rival"))[0] == 404
    assert (await said(bare_world, f"/{entry_id}/dispute", "rival", {"reason": "no"}))[0] == 403
    assert (await said(bare_world, f"/{entry_id}/withdraw", "tessera"))[0] == 201


async def test_a_validated_change_is_worked_into_value_by_the_worker(world: World) -> None:
    entry_id = await propose(world, expected=3, effective_from="2026-05-01")
    await said(world, f"/{entry_id}/validate", "validator")
    await world.refresh(world.harbor)
    answer = (await world.get(f"/api/v1/accounts/{HARBOR}/value", "champion")).json()
    found = {row["driver"]: row for row in answer["rows"]}["invoices_synced"]
    assert found["realized"] == "60.0000"  # the same side proposed and validated: it holds from today on
    later = await propose(world, "admin", expected=3, effective_from="2026-05-01")
    await said(world, f"/{later}/validate", "validator")
    await world.refresh(world.harbor)
    answer = (await world.get(f"/api/v1/accounts/{HARBOR}/value", "champion")).json()
    assert {row["driver"]: row for row in answer["rows"]}["invoices_synced"]["realized"] == "90.0000"
