"""What could be captured and is not sent, over HTTP."""

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text

from tests.api.world import World
from tests.api.worth_world import ODD, a_worth_world
from tests.conftest import Server
from valueplatform.core.scope import grant_all

GAPS = "/api/v1/catalog/gaps"
EFFORTS = "/api/v1/catalog/efforts"
WISHES = "/api/v1/catalog/wishes"
WISH = {"type": "part.returned", "name": "Parts returned", "why": "driven around for nothing", "effort": "large"}
EFFORT = {"type": "tracking.opened", "effort": "small", "reason": "next release"}


@pytest.fixture
async def world(server: Server) -> AsyncIterator[World]:
    async with a_worth_world(server) as world:
        yield world


async def gaps(world: World, who: str = "admin") -> dict[tuple[str, str, str], dict[str, Any]]:
    answer = await world.get(GAPS, who)
    assert answer.status_code == 200, answer.text
    return {(one["kind"], one["type"], one["property"]): one for one in answer.json()["items"]}


async def post(world: World, path: str, body: object, who: str = "admin", **headers: str) -> Any:
    return await world.send("POST", path, who, body, **headers)


async def test_a_type_that_some_accounts_do_not_send_says_how_many_and_what_would_come(world: World) -> None:
    gap = (await gaps(world))["type", "tracking.opened", ""]
    assert (gap["accounts"], gap["connected"], gap["sent"]) == (3, 3, True)
    assert gap["says"] == "3 accounts that might send it do not."
    assert gap["title"] == "Customers looked up an arrival"
    (potential,) = gap["potential"]
    assert Decimal(potential["low"]) <= Decimal(potential["expected"]) <= Decimal(potential["high"])
    effort = gap["effort"]
    assert (effort["size"], effort["rule"], effort["said"]) == ("medium", "new-type", None)
    assert effort["says"] == "Send a new event type from /app, which is connected in 3 accounts."


async def test_types_that_nobody_sends_properties_that_lack_and_features_that_no_event_shows_are_gaps(
    world: World,
) -> None:
    found = await gaps(world)
    nobody = found["type", "safety.checked", ""]
    assert (nobody["sent"], nobody["says"], nobody["drivers"]) == (False, "No account sends it.", ["safety"])
    lacks = found["property", "job.done", "minutes"]
    assert (lacks["accounts"], lacks["codes"], lacks["effort"]["size"]) == (1, ["not_a_number"], "small")
    assert lacks["events"] == 9
    assert found["property", "job.done", "team"]["codes"] == ["absent"]
    feature = found["type", "quote.accepted", ""]
    assert (feature["sent"], feature["features"], feature["meters"]) == (False, ["quotes"], [])


async def test_a_number_that_meters_read_of_a_sibling_only_wants_a_meter(world: World) -> None:
    gap = (await gaps(world))["meter", "job.begun", "minutes"]
    assert (gap["effort"]["rule"], gap["accounts"], gap["sent"]) == ("add-meter", 6, True)


async def test_what_can_be_estimated_comes_first_and_then_what_is_little_work(world: World) -> None:
    items = list((await gaps(world)).values())
    estimated = [bool(one["potential"]) for one in items]
    assert estimated == sorted(estimated, reverse=True)
    order = ["small", "medium", "large"]
    sizes = [order.index(one["effort"]["size"]) for one in items if not one["potential"]]
    assert sizes == sorted(sizes)


async def test_a_key_of_some_accounts_sees_what_these_lack(world: World) -> None:
    gap = (await gaps(world, "some"))["type", "tracking.opened", ""]
    assert (gap["accounts"], gap["sent"]) == (1, False)


async def test_a_key_that_may_not_read_value_sees_gaps_without_amounts(world: World) -> None:
    gap = (await gaps(world, "counts"))["type", "tracking.opened", ""]
    assert (gap["accounts"], gap["potential"]) == (3, [])


async def test_a_person_corrects_an_effort_and_the_rule_stays_beside_it(world: World) -> None:
    answer = await post(world, EFFORTS, EFFORT)
    assert answer.status_code == 201
    assert answer.json()["said"]["set_by"] == "key admin"
    effort = (await gaps(world))["type", "tracking.opened", ""]["effort"]
    assert (effort["size"], effort["rule"], effort["said"]["reason"]) == ("small", "new-type", "next release")
    assert (await post(world, EFFORTS, {**EFFORT, "effort": None})).json()["said"] is None
    assert (await gaps(world))["type", "tracking.opened", ""]["effort"]["size"] == "medium"


async def test_an_effort_of_a_property_is_its_own(world: World) -> None:
    body = {"type": "job.done", "property": "team", "effort": "large", "reason": "another system knows it"}
    assert (await post(world, EFFORTS, body)).status_code == 201
    found = await gaps(world)
    assert found["property", "job.done", "team"]["effort"]["size"] == "large"
    assert found["property", "job.done", "minutes"]["effort"]["size"] == "small"


async def test_a_wish_stands_in_the_list_until_it_is_taken_back(world: World) -> None:
    told = (await post(world, WISHES, WISH)).json()
    assert (told["set_by"], told["effort"]) == ("key admin", "large")
    gap = (await gaps(world))["wish", "part.returned", ""]
    assert (gap["title"], gap["wish"]["why"], gap["effort"]["rule"]) == (WISH["name"], WISH["why"], "stated")
    assert (await post(world, f"{WISHES}/withdraw", {"type": "part.returned"})).json()["withdrawn"]
    assert ("wish", "part.returned", "") not in await gaps(world)
    assert (await post(world, f"{WISHES}/withdraw", {"type": "part.returned"})).status_code == 404


async def test_a_wish_for_what_the_model_names_stands_beside_it(world: World) -> None:
    await post(world, WISHES, {**WISH, "type": "safety.checked"})
    found = await gaps(world)
    assert ("wish", "safety.checked", "") not in found
    assert found["type", "safety.checked", ""]["wish"]["why"] == WISH["why"]


async def test_what_is_wished_for_may_have_an_owner_and_an_effort(world: World) -> None:
    owner = f"/api/v1/catalog/{WISH['type']}/owner"
    assert (await world.send("PUT", owner, "admin", {"owner": "Parts team"})).status_code == 404
    await post(world, WISHES, WISH)
    assert (await world.send("PUT", owner, "admin", {"owner": "Parts team"})).status_code == 200
    assert (await post(world, EFFORTS, {"type": WISH["type"], "effort": "small"})).status_code == 201
    gap = (await gaps(world))["wish", "part.returned", ""]
    assert (gap["owner"]["name"], gap["effort"]["size"]) == ("Parts team", "small")


@pytest.mark.parametrize(("path", "body"), [(EFFORTS, EFFORT), (WISHES, WISH)])
async def test_a_write_with_a_key_is_done_once(world: World, path: str, body: dict[str, Any]) -> None:
    first = await post(world, path, body, **{"idempotency-key": "k"})
    again = await post(world, path, body, **{"idempotency-key": "k"})
    assert (first.json(), again.headers["idempotent-replayed"]) == (again.json(), "true")
    assert (await post(world, path, {**body, "effort": "medium"}, **{"idempotency-key": "k"})).status_code == 409
    table = "catalog_effort" if path == EFFORTS else "catalog_wish"
    async with world.databases.worker.transaction(grant_all()) as tx:
        assert len(await tx.rows(text(f"SELECT 1 FROM {table}"))) == 1


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        (EFFORTS, {**EFFORT, "type": "nothing"}, 404),
        (EFFORTS, {**EFFORT, "type": "a\0"}, 404),
        (EFFORTS, {**EFFORT, "property": "nothing"}, 404),
        (EFFORTS, {**EFFORT, "effort": "huge"}, 400),
        (EFFORTS, {**EFFORT, "more": 1}, 400),
        (EFFORTS, {**EFFORT, "reason": "x" * 1001}, 400),
        (WISHES, {**WISH, "type": " "}, 400),
        (WISHES, {**WISH, "why": ""}, 400),
        (WISHES, {**WISH, "effort": ""}, 400),
        (WISHES, {"type": "x"}, 400),
        (f"{WISHES}/withdraw", {"type": "a\0"}, 404),
    ],
)
async def test_what_makes_no_sense_is_refused(world: World, path: str, body: object, status: int) -> None:
    assert (await post(world, path, body)).status_code == status


async def test_types_of_any_name_may_be_wished_for_and_judged(world: World) -> None:
    assert (await post(world, EFFORTS, {"type": ODD, "effort": "large"})).status_code == 201
    assert (await post(world, WISHES, {**WISH, "type": "部品/返却 📦"})).status_code == 201
    assert ("wish", "部品/返却 📦", "") in await gaps(world)


@pytest.mark.parametrize("who", ["champion", "ingest"])
async def test_it_is_for_the_supplier_alone(world: World, who: str) -> None:
    assert (await world.get(GAPS, who)).status_code == 403
    assert (await post(world, EFFORTS, EFFORT, who)).status_code == 403
    assert (await post(world, WISHES, WISH, who)).status_code == 403


async def test_who_may_only_read_writes_nothing(world: World) -> None:
    assert (await post(world, WISHES, WISH, "counts")).status_code == 403
