"""Objectives in full: who answers for them, what is kept of every change, and who is told what."""

from typing import Any

from tests.api.world import GLOBEX, HARBOR, World

OBJECTIVES = f"/api/v1/accounts/{HARBOR}/objectives"
AIM: dict[str, Any] = {
    "owner": "Carl Weiss",
    "customer_sponsor": "Daniel Reyes",
    "supplier_sponsor": "Maya Okafor",
    "tactics": ["Reno first", "Then Sparks"],
    "drivers": ["dispatch_time"],
    "due": "2026-12-31",
}


async def an_objective(world: World, title: str = "Wait less") -> str:
    made = await world.send("POST", OBJECTIVES, "champion", {"title": title})
    assert made.status_code == 201
    return f"{OBJECTIVES}/{made.json()['objective_id']}"


async def put(world: World, path: str, who: str = "champion", **said: Any) -> Any:
    return await world.send("PUT", path, who, said)


async def test_at_first_everything_is_missing_and_is_told(bare_world: World) -> None:
    await an_objective(bare_world)
    (one,) = (await bare_world.get(OBJECTIVES, "champion")).json()["items"]
    assert one["gaps"] == ["no-owner", "no-customer-sponsor", "no-supplier-sponsor", "no-driver", "no-date"]
    assert (one["version"], one["author"], one["state"]) == (0, None, "open")


async def test_what_is_said_of_it_is_kept_version_by_version_with_its_author(bare_world: World) -> None:
    path = await an_objective(bare_world)
    first = (await put(bare_world, path, **AIM)).json()
    assert (first["gaps"], first["version"], first["author_side"]) == ([], 1, "customer")
    assert (await put(bare_world, path, **AIM)).json() == first, "the same said again adds nothing"
    await put(bare_world, path, "admin", **{**AIM, "owner": "Ann"})
    versions = (await bare_world.get(f"{path}/versions", "champion")).json()["items"]
    assert [(one["version"], one["owner"], one["author_side"]) for one in versions] == [
        (1, "Carl Weiss", "customer"),
        (2, "Ann", "supplier"),
    ]


async def test_two_who_change_it_at_once_do_not_overwrite_each_other(bare_world: World) -> None:
    path = await an_objective(bare_world)
    assert (await put(bare_world, path, **AIM, version=0)).status_code == 200
    assert (await put(bare_world, path, "admin", **{**AIM, "owner": "Ann"}, version=0)).status_code == 409


async def test_it_is_dropped_for_a_reason_and_lacks_nothing_then(bare_world: World) -> None:
    path = await an_objective(bare_world)
    assert (await put(bare_world, path, state="dropped")).status_code == 400
    assert (await put(bare_world, path, state="dropped", reason=" ")).status_code == 400
    dropped = (await put(bare_world, path, state="dropped", reason="Reno was sold")).json()
    assert (dropped["state"], dropped["reason"], dropped["gaps"]) == ("dropped", "Reno was sold", [])


async def test_a_date_that_has_passed_is_told(bare_world: World) -> None:
    path = await an_objective(bare_world)
    assert (await put(bare_world, path, **{**AIM, "due": "2026-06-14"})).json()["gaps"] == ["date-passed"]
    assert (await put(bare_world, path, **{**AIM, "due": "2026-06-15"})).json()["gaps"] == []


async def test_the_driver_of_a_target_is_a_driver_of_the_objective(bare_world: World) -> None:
    path = await an_objective(bare_world)
    target = {"objective": "Wait less", "driver": "dispatch_time", "month": "2026-05-01", "expected": "1"}
    assert (await bare_world.send("PUT", f"/api/v1/accounts/{HARBOR}/plans/case", "champion", [target])).is_success
    one = (await put(bare_world, path, **{**AIM, "drivers": []})).json()
    assert (one["drivers"], one["gaps"]) == (["dispatch_time"], [])


async def test_what_nobody_can_mean_is_refused(bare_world: World) -> None:
    path = await an_objective(bare_world)
    assert (await put(bare_world, path, drivers=["nothing"])).status_code == 404
    assert (await put(bare_world, path, tactics=[""])).status_code == 400
    assert (await put(bare_world, path, tactics=["x"] * 21)).status_code == 400
    assert (await put(bare_world, path, state="won")).status_code == 400
    assert (await put(bare_world, path, owner="a\0b")).status_code == 400
    assert (await put(bare_world, path, due="0001-01-01")).status_code == 400
    assert (await put(bare_world, f"{OBJECTIVES}/999999", **AIM)).status_code == 404
    assert (await put(bare_world, f"/api/v1/accounts/{GLOBEX}/objectives/1", **AIM)).status_code == 404


async def test_a_partner_is_told_neither_people_nor_tactics_and_changes_nothing(bare_world: World) -> None:
    path = await an_objective(bare_world)
    await put(bare_world, path, **{**AIM, "drivers": ["dispatch_time", "invoices_synced"]})
    target = {"objective": "Wait less", "driver": "invoices_synced", "month": "2026-05-01", "expected": "1"}
    await bare_world.send("PUT", f"/api/v1/accounts/{HARBOR}/plans/tessera", "tessera", [target])
    (one,) = (await bare_world.get(OBJECTIVES, "tessera")).json()["items"]
    hidden = ("owner", "customer_sponsor", "supplier_sponsor", "author", "known_at")
    assert [one[name] for name in hidden] == [None] * 5
    assert (one["tactics"], one["drivers"], one["reason"], one["gaps"]) == ([], ["invoices_synced"], "", [])
    assert (await put(bare_world, path, "tessera", **AIM)).status_code == 403
    assert (await bare_world.get(f"{path}/versions", "tessera")).status_code == 403
