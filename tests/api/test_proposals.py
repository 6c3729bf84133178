"""What the catalog suggests, over HTTP: read, tried, accepted, rejected, taken out again."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.api.world import World
from tests.api.worth_world import a_worth_world
from tests.conftest import Server
from tests.value.factories import NOW
from valueplatform.core.scope import grant_all
from valueplatform.value.discovery_accepting import carry_out
from valueplatform.value.discovery_run import discover

PATH = "/api/v1/proposals"


@pytest.fixture
async def world(server: Server) -> AsyncIterator[World]:
    async with a_worth_world(server) as world:
        async for _ in discover(world.databases.worker, grant_all(), NOW):
            pass
        yield world


async def listed(world: World) -> dict[tuple[str, str, str], dict[str, Any]]:
    answer = await world.get(PATH, "admin")
    assert answer.status_code == 200, answer.text
    return {(one["kind"], one["type"], one["property"]): one for one in answer.json()["items"]}


async def post(world: World, one: dict[str, Any], verb: str, body: object, who: str = "admin", **headers: str) -> Any:
    return await world.send("POST", f"{PATH}/{one['id']}/{verb}", who, body, **headers)


async def test_types_that_no_meter_reads_are_proposed_with_what_speaks_for_them(world: World) -> None:
    found = await listed(world)
    lists = found["meter", "list.done", ""]
    assert lists["state"] == "open"
    assert lists["evidence"]["coverage"]["accounts"] == 3
    assert any("sent it in the last 13 weeks" in said for said in lists["says"])
    assert ("meter", "job.done", "minutes") not in found


async def test_a_key_of_some_accounts_has_none_of_it_and_an_ingest_key_neither(world: World) -> None:
    for who in ("some", "ingest", "champion"):
        assert (await world.get(PATH, who)).status_code == 403
    (one, *_) = (await listed(world)).values()
    assert (await world.get(PATH, "counts")).status_code == 200
    for verb, body in (("accept", {}), ("reject", {"reason": "r"}), ("suggest", {"reason": "r"})):
        assert (await post(world, one, verb, body, "counts")).status_code == 403


async def test_what_would_change_is_shown_before_and_nothing_changes(world: World) -> None:
    one = (await listed(world))["meter", "list.done", ""]
    answer = await post(world, one, "preview", {"slug": "lists_done", "title": "Lists"})
    assert answer.status_code == 200
    (change,) = answer.json()["changes"]
    assert (change["kind"], change["slug"], change["action"]) == ("meter", "lists_done", "added")
    assert (await listed(world))["meter", "list.done", ""]["state"] == "open"


@pytest.mark.parametrize(
    ("edits", "status", "says"),
    [
        ({"slug": "jobs"}, 409, "already"),
        ({"slug": "Not a slug"}, 400, "slug"),
        ({"slug": "case"}, 400, "formulas need"),
        ({"title": ""}, 400, "title"),
        ({"formula": "1"}, 400, "formula"),
        ({"low": "1", "expected": "2", "high": "3"}, 400, "baselines"),
        ({"unknown": 1}, 400, "Validation failed"),
    ],
)
async def test_an_edit_that_the_model_would_not_take_is_refused_with_its_cure(
    world: World, edits: dict[str, str], status: int, says: str
) -> None:
    one = (await listed(world))["meter", "list.done", ""]
    answer = await post(world, one, "accept", edits)
    assert answer.status_code == status, answer.text
    assert says in answer.json()["detail"]
    assert (await listed(world))["meter", "list.done", ""]["state"] == "open"


async def test_accepted_once_however_often_it_is_sent_and_then_in_force_and_out_again(world: World) -> None:
    one = (await listed(world))["meter", "list.done", ""]
    first = await post(world, one, "accept", {"slug": "lists_done"}, **{"idempotency-key": "k"})
    again = await post(world, one, "accept", {"slug": "lists_done"}, **{"idempotency-key": "k"})
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert (await post(world, one, "reject", {"reason": "late"})).status_code == 409
    await carry_out(world.databases.worker, grant_all(), lambda: NOW, world.databases.ingest)
    held = (await listed(world))["meter", "list.done", ""]
    assert (held["state"], held["counted"]) == ("in-force", None)
    assert [each["action"] for each in held["decisions"]] == ["accepted", "applied"]
    meters = (await world.get("/api/v1/meters", "admin")).json()
    assert "lists_done" in str(meters)
    assert (await post(world, held, "withdraw", {"reason": "no"})).status_code == 201
    await carry_out(world.databases.worker, grant_all(), lambda: NOW, world.databases.ingest)
    assert (await listed(world))["meter", "list.done", ""]["state"] == "withdrawn"


async def test_what_is_not_there_is_not_found(world: World) -> None:
    assert (await post(world, {"id": "none"}, "accept", {})).status_code == 404
