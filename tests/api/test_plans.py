from typing import Any

import pytest
from sqlalchemy import text

from tests.api.world import GLOBEX, HARBOR, World
from valueplatform.core.scope import grant_all

PLANS = f"/api/v1/accounts/{HARBOR}/plans"
PLAN = f"{PLANS}/case"
OBJECTIVES = f"/api/v1/accounts/{HARBOR}/objectives"


def a_target(**changes: Any) -> dict[str, Any]:
    return {"objective": "Wait less", "driver": "dispatch_time", "month": "2026-05-01", "expected": "100", **changes}


async def state(world: World, *targets: dict[str, Any], who: str = "champion", plan: str = PLAN) -> tuple[int, Any]:
    answer = await world.send("PUT", plan, who, list(targets))
    body = answer.json()
    return answer.status_code, body["items"] if answer.is_success else body


async def test_a_target_that_is_stated_again_has_no_new_version(bare_world: World) -> None:
    said = a_target(expected="100.00005", low="90", high="120")
    status, (first,) = await state(bare_world, said)
    assert (status, first["version"]) == (200, 1)
    assert (first["low"], first["expected"], first["high"]) == ("90.0000", "100.0000", "120.0000")
    _, (again,) = await state(bare_world, said)
    assert again == first
    _, (changed,) = await state(bare_world, a_target(expected="101"))
    assert (changed["version"], changed["low"], changed["high"]) == (2, "101.0000", "101.0000")


async def test_a_target_that_is_taken_out_is_in_force_no_more(bare_world: World) -> None:
    await state(bare_world, a_target())
    assert (await state(bare_world, a_target(expected=None)))[1] == []
    assert (await bare_world.get(PLANS, "champion")).json()["items"] == []


async def test_a_plan_marks_its_months_for_the_worker(bare_world: World) -> None:
    async with bare_world.databases.worker.transaction(grant_all()) as tx:
        await tx.execute(text("DELETE FROM changed_day"))
    await state(bare_world, a_target())
    async with bare_world.databases.worker.transaction(grant_all()) as tx:
        marks = await tx.rows(text("SELECT account_id, day, through, cause FROM changed_day"))
    assert [(row.account_id, str(row.day), str(row.through), row.cause) for row in marks] == [
        (bare_world.harbor, "2026-05-01", "2026-05-31", "plan")
    ]


async def test_what_is_committed_stands_beside_what_is_realized(world: World) -> None:
    await state(world, a_target(expected="310"))
    answer = (
        await world.get(f"/api/v1/accounts/{HARBOR}/value", "champion", **{"from": "2026-05-01", "to": "2026-05-11"})
    ).json()
    assert {row["driver"]: row["committed_expected"] for row in answer["rows"]}["dispatch_time"] == "100.0000"
    assert answer["totals"]["committed_expected"] == "100.0000"


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"driver": "nothing"}, 404),
        ({"month": "2026-05-02"}, 400),
        ({"month": "9999-12-01"}, 400),
        ({"expected": "1e999999999"}, 400),
        ({"expected": "12345678901234567890"}, 400),
        ({"expected": "0.0000000001"}, 400),
        ({"expected": "NaN"}, 400),
        ({"low": "101"}, 400),
        ({"high": "99"}, 400),
        ({"objective": " "}, 400),
        ({"objective": "a\0b"}, 400),
        ({"objective": "x" * 201}, 400),
        ({"more": 1}, 400),
        ({"expected": True}, 400),
    ],
)
async def test_a_target_that_cannot_be_is_refused(bare_world: World, changes: dict[str, Any], status: int) -> None:
    answered, problem = await state(bare_world, a_target(**changes))
    assert (answered, problem["status"]) == (status, status)
    assert (await bare_world.get(PLANS, "champion")).json()["items"] == []


async def test_two_targets_of_one_thing_and_none_at_all_are_refused(bare_world: World) -> None:
    assert (await state(bare_world, a_target(), a_target(expected="5")))[0] == 400
    assert (await state(bare_world))[0] == 400
    assert (await state(bare_world, *[a_target()] * 1001))[0] == 400


async def test_an_exact_number_of_the_wire_is_taken_as_it_is(bare_world: World) -> None:
    body = '[{"objective": "o", "driver": "dispatch_time", "month": "2026-05-01", "expected": 123456789012345678.1234}]'
    answer = await bare_world.client.put(
        PLAN, content=body, headers={**bare_world.keys["champion"], "content-type": "application/json"}
    )
    assert answer.json()["items"][0]["expected"] == "123456789012345678.1234"


async def test_objectives_are_added_once(bare_world: World) -> None:
    first = (await bare_world.send("POST", OBJECTIVES, "champion", {"title": " Wait less "})).json()
    again = (await bare_world.send("POST", OBJECTIVES, "champion", {"title": "Wait less"})).json()
    assert (first["title"], first) == ("Wait less", again)
    assert (await bare_world.get(OBJECTIVES, "validator")).json()["items"] == [first]


async def test_a_validator_agrees_to_values_and_does_not_plan(bare_world: World) -> None:
    assert (await bare_world.send("POST", OBJECTIVES, "validator", {"title": "x"})).status_code == 403
    assert (await state(bare_world, a_target(), who="validator"))[0] == 403


async def test_a_partner_plans_for_its_own_drivers_and_sees_no_others(bare_world: World) -> None:
    await state(bare_world, a_target())
    own = a_target(driver="invoices_synced", objective="Invoice sooner")
    status, targets = await state(bare_world, own, who="tessera", plan=f"{PLANS}/tessera")
    assert (status, [target["driver"] for target in targets]) == (200, ["invoices_synced"])
    assert (await state(bare_world, a_target(), who="tessera"))[0] == 404
    assert (await state(bare_world, a_target(driver="arrivals_told"), who="tessera"))[0] == 404
    assert [one["driver"] for one in (await bare_world.get(PLANS, "tessera")).json()["items"]] == ["invoices_synced"]
    assert [one["title"] for one in (await bare_world.get(OBJECTIVES, "tessera")).json()["items"]] == ["Invoice sooner"]
    assert (await bare_world.get(OBJECTIVES, "waypoint")).json()["items"] == []


async def test_another_account_s_plan_is_not_there(bare_world: World) -> None:
    assert (await state(bare_world, a_target(), plan=f"/api/v1/accounts/{GLOBEX}/plans/case"))[0] == 404
