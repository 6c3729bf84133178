from typing import Any

import pytest
from sqlalchemy import text

from tests.api.world import HARBOR, World
from valueplatform.core.scope import grant_all

MILESTONES = f"/api/v1/accounts/{HARBOR}/milestones"
NINE = "2026-03-01T09:00:00+01:00"


async def put(world: World, name: str, who: str = "champion", **given: Any) -> tuple[int, Any]:
    answer = await world.send("PUT", f"{MILESTONES}/{name}", who, {"kind": "rollout", "time": NINE, **given})
    return answer.status_code, answer.json()


async def kinds(world: World, who: str) -> list[str]:
    return [one["kind"] for one in (await world.get(MILESTONES, who)).json()["items"]]


async def test_a_milestone_is_added_and_changed_under_its_id(bare_world: World) -> None:
    assert await put(bare_world, "reno") == (200, {"id": "reno", "kind": "rollout", "time": NINE, "title": "rollout"})
    await put(bare_world, "reno", title="Reno went live", kind=" Go-Live ")
    (found,) = (await bare_world.get(MILESTONES, "champion")).json()["items"]
    assert (found["title"], found["kind"], found["time"]) == ("Reno went live", "go-live", "2026-03-01T08:00:00Z")


async def test_it_marks_its_day_in_the_account_s_zone(bare_world: World) -> None:
    async with bare_world.databases.worker.transaction(grant_all()) as tx:
        await tx.execute(text("DELETE FROM changed_day"))
    await put(bare_world, "reno", time="2026-03-01T03:00:00Z")
    async with bare_world.databases.worker.transaction(grant_all()) as tx:
        (mark,) = await tx.rows(text("SELECT day, through FROM changed_day"))
    assert (str(mark.day), str(mark.through)) == ("2026-02-28", "2026-02-28")


@pytest.mark.parametrize(
    "given",
    [
        {"time": "2026-03-01T09:00:00"},
        {"time": "9999-12-31T23:59:59Z"},
        {"time": "soon"},
        {"kind": ""},
        {"kind": "a\0"},
        {"title": "x" * 201},
        {"more": True},
    ],
)
async def test_what_cannot_be_is_refused(bare_world: World, given: dict[str, Any]) -> None:
    assert (await put(bare_world, "reno", **given))[0] == 400


async def test_a_zero_byte_in_the_address_is_refused(bare_world: World) -> None:
    assert (await put(bare_world, "a%00b"))[0] == 400


async def test_a_partner_sees_and_sets_nothing_that_tells_of_contracts(bare_world: World) -> None:
    for kind in ("purchase", "renewal", "go-live", "review", "rollout"):
        await put(bare_world, f"their-{kind}", kind=kind)
    assert sorted(await kinds(bare_world, "tessera")) == ["go-live", "rollout"]
    assert (await put(bare_world, "own", "tessera", kind="integration"))[0] == 200
    for kind in ("renewal", "go-live"):
        assert (await put(bare_world, "own", "tessera", kind=kind))[0] == 403
    assert (await put(bare_world, "their-go-live", "tessera"))[0] == 403
    taken, free = await put(bare_world, "their-renewal", "tessera"), await put(bare_world, "x", "tessera", kind="churn")
    assert taken == free
    assert sorted(await kinds(bare_world, "champion")) == [
        "go-live", "integration", "purchase", "renewal", "review", "rollout",
    ]  # fmt: skip
