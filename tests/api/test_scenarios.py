from decimal import Decimal
from typing import Any

import pytest

from tests.api.world import GLOBEX, HARBOR, World

SCENARIOS = f"/api/v1/accounts/{HARBOR}/scenarios"
PREVIEW = f"{SCENARIOS}/preview"
DEARER = {"slug": "hourly_cost", "expected": "90"}


async def keep(world: World, who: str = "champion", **asked: Any) -> dict[str, Any]:
    answer = await world.send("POST", SCENARIOS, who, {"name": "Dearer", "changes": [DEARER], "months": 2, **asked})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def test_a_preview_is_a_projection_with_bounds_and_keeps_nothing(world: World) -> None:
    answer = await world.send("POST", PREVIEW, "champion", {"changes": [DEARER], "months": 3})
    assert answer.status_code == 200
    outlook = answer.json()
    assert outlook["projection"] is True
    assert (outlook["start"], outlook["end"]) == ("2026-07-01", "2026-10-01")
    assert len(outlook["months"]) == 3
    total = outlook["total"]
    assert float(total["added"]["expected"]) > 0
    assert float(total["added"]["low"]) <= float(total["added"]["expected"]) <= float(total["added"]["high"])
    assert outlook["changes"][0]["alone"] == total["added"]["expected"]
    assert (await world.get(SCENARIOS, "champion")).json()["items"] == []


async def test_it_enters_no_total_of_value(world: World) -> None:
    value = f"/api/v1/accounts/{HARBOR}/value"
    before = (await world.get(value, "champion")).json()
    await keep(world)
    assert (await world.get(value, "champion")).json() == before


async def test_a_scenario_is_its_authors_until_it_is_shared(world: World) -> None:
    made = await keep(world)
    address = f"{SCENARIOS}/{made['scenario_id']}"
    assert (await world.get(address, "validator")).status_code == 404
    assert (await world.get(SCENARIOS, "admin")).json()["items"] == []
    shared = await world.send("POST", f"{address}/share", "champion")
    assert shared.json()["shared"] is True
    for who in ("validator", "admin"):
        assert (await world.get(address, who)).json()["scenario"]["author"] == made["author"]
    assert (await world.send("DELETE", address, "validator")).status_code == 404
    assert (await world.get(address, "tessera")).status_code == 403


async def test_what_is_removed_comes_back(world: World) -> None:
    address = f"{SCENARIOS}/{(await keep(world))['scenario_id']}"
    assert (await world.send("DELETE", address, "champion")).status_code == 200
    assert (await world.get(address, "champion")).status_code == 404
    assert (await world.send("POST", f"{address}/restore", "champion")).status_code == 200
    assert (await world.get(address, "champion")).status_code == 200


async def test_it_becomes_a_plan_on_top_of_what_is_committed(world: World) -> None:
    target = {"objective": "Wait less", "driver": "dispatch_time", "month": "2026-07-01", "expected": "100"}
    await world.send("PUT", f"/api/v1/accounts/{HARBOR}/plans/case", "champion", [target])
    made = await keep(world)
    opened = (await world.get(f"{SCENARIOS}/{made['scenario_id']}", "champion")).json()["outlook"]

    answer = await world.send("POST", f"{SCENARIOS}/{made['scenario_id']}/plan", "champion")

    assert answer.json() == {"plan": f"scenario-{made['scenario_id']}", "targets": 2, "changed": 2}
    plans = (await world.get(f"/api/v1/accounts/{HARBOR}/plans", "champion")).json()["items"]
    july, august = sorted((p for p in plans if p["plan"].startswith("scenario-")), key=lambda p: p["month"])
    assert july["expected"] == opened["months"][0]["added"]["expected"]
    assert Decimal(august["expected"]) == 2 * Decimal(opened["months"][1]["added"]["expected"])  # at twice the cost
    assert (july["objective"], july["source"]) == ("Wait less", "Scenario: Dearer")
    again = await world.send("POST", f"{SCENARIOS}/{made['scenario_id']}/plan", "champion")
    assert again.json()["changed"] == 0


async def test_its_assumptions_are_proposed_and_wait_for_a_validator(world: World) -> None:
    made = await keep(world)
    answer = await world.send("POST", f"{SCENARIOS}/{made['scenario_id']}/propose", "champion")
    (entry,) = answer.json()["entries"]
    held = (await world.get(f"/api/v1/accounts/{HARBOR}/assumptions", "champion")).json()["items"]
    cost = next(one for one in held if one["slug"] == "hourly_cost")
    assert cost["pending"] == [entry]
    said = next(one for one in cost["entries"] if one["entry_id"] == entry)
    assert (said["reason"], said["effective_from"]) == ("Scenario: Dearer", "2026-07-01")


async def test_usage_alone_is_nothing_to_propose(world: World) -> None:
    made = await keep(world, changes=[{"seats": True, "times": "2"}])
    answer = await world.send("POST", f"{SCENARIOS}/{made['scenario_id']}/propose", "champion")
    assert (answer.status_code, answer.json()["detail"]) == (
        422, "This scenario changes no assumption and no baseline, so there is nothing to propose.",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "status", "told"),
    [
        ({"changes": [{}]}, 400, "exactly one of"),
        ({"changes": [{"meter": "jobs", "seats": True, "times": "2"}]}, 400, "exactly one of"),
        ({"changes": [{"meter": "jobs"}]}, 400, "needs `times`"),
        ({"changes": [{"meter": "jobs", "times": "1E+40"}]}, 400, "more digits than can be kept"),
        ({"changes": [{"slug": "hourly_cost"}]}, 400, "needs `expected`"),
        ({"changes": [{"slug": "hourly_cost", "expected": "2", "low": "3"}]}, 400, "must rise"),
        ({"changes": [{"meter": "nothing", "times": "2"}]}, 422, "no meter 'nothing'"),
        ({"changes": [{"meter": "jobs", "times": "2", "since": "2026-07-02"}]}, 422, "begins with a month"),
        ({"changes": [{"meter": "jobs", "switch_on": True}]}, 400, "`switch_on` goes with a `feature`"),
        ({"changes": [{"feature": "nothing", "switch_on": True}]}, 422, "no feature 'nothing'"),
        ({"changes": [], "months": 37}, 422, "1 to 36 months ahead"),
        ({"changes": [], "start": "9999-12-01"}, 400, "out of reach"),
        ({"changes": [{"seats": True, "times": "2"}] * 21}, 400, "at most 20 changes"),
        ({"changes": [], "name": "a\0b"}, 400, "zero byte"),
    ],
)
async def test_what_cannot_be_asked_is_told_with_the_cure(
    world: World, asked: dict[str, Any], status: int, told: str
) -> None:
    answer = await world.send("POST", PREVIEW, "champion", asked)
    assert answer.status_code == status, answer.text
    assert told in answer.json()["detail"]


async def test_an_account_without_usage_has_nothing_to_carry_on(world: World) -> None:
    answer = await world.send("POST", f"/api/v1/accounts/{GLOBEX}/scenarios/preview", "admin", {"changes": []})
    assert (answer.status_code, "days of usage" in answer.json()["detail"]) == (422, True)


async def test_a_partner_has_no_scenarios(world: World) -> None:
    assert (await world.send("POST", PREVIEW, "tessera", {"changes": []})).status_code == 403
