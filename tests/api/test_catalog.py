from typing import Any

import pytest
from sqlalchemy import text

from tests.api.world import World
from tests.telemetry.factories import cloud_event
from valueplatform.core.authorization import KeyKind
from valueplatform.core.scope import grant_all
from valueplatform.telemetry.catalog_count import count_some, note_marks

CATALOG = "/api/v1/catalog"
OWNER = f"{CATALOG}/job.dispatched/owner"


async def count(world: World) -> None:
    async with world.databases.worker.transaction(grant_all()) as tx:
        await note_marks(tx)
        while await count_some(tx):
            pass


async def send(world: World, *events: dict[str, Any]) -> None:
    cloud = {"content-type": "application/cloudevents-batch+json"}
    answer = await world.send("POST", "/api/v1/events", "ingest", list(events), **cloud)
    assert answer.status_code == 204, answer.text
    await count(world)


async def catalog(world: World, **params: Any) -> dict[str, Any]:
    answer = await world.get(CATALOG, **params)
    assert answer.status_code == 200, answer.text
    return {entry["type"]: entry for entry in answer.json()["items"]}


async def test_before_anything_is_sent_it_is_empty(bare_world: World) -> None:
    assert (await bare_world.get(CATALOG)).json() == {"items": [], "next_cursor": None}


async def test_each_type_says_how_much_of_it_came_and_what_it_feeds(world: World) -> None:
    await count(world)
    found = await catalog(world)
    entry = found["job.dispatched"]
    stored = text("SELECT count(*) FROM event WHERE type = 'job.dispatched'")
    async with world.databases.worker.transaction(grant_all()) as tx:
        assert entry["events"] == await tx.scalar(stored)
    assert (entry["mapped"], entry["accounts"], entry["owner"]) == (True, 1, None)
    assert entry["meters"]
    assert entry["drivers"]
    assert all(set(one["drivers"]) <= set(entry["drivers"]) for one in entry["properties"])


async def test_mapped_and_unmapped_are_two_halves_of_all(world: World) -> None:
    await send(world, cloud_event(type="export.made"), cloud_event(type="a/b c"))
    everything, mapped, unmapped = [await catalog(world, filter=one) for one in ("all", "mapped", "unmapped")]
    assert mapped | unmapped == everything
    assert set(unmapped) == {"export.made", "a/b c"}
    assert not any(entry["meters"] or entry["drivers"] for entry in unmapped.values())


async def test_pages_lead_to_every_type_once(world: World) -> None:
    await send(world, *(cloud_event(type=f"t{n}") for n in range(5)))
    names: list[str] = []
    cursor = None
    while cursor is not None or not names:
        page = (await world.get(CATALOG, limit=2, **({"cursor": cursor} if cursor else {}))).json()
        names += [entry["type"] for entry in page["items"]]
        cursor = page["next_cursor"]
    assert names == list(await catalog(world))


async def test_an_example_is_shown_once_several_accounts_have_sent_it(world: World) -> None:
    data = {"channel": "app", "user": "kim", "note": "Call Kim Berg", "n": 7}
    await send(world, *(cloud_event(type="x", account=f"a{n}", data=data) for n in range(2)))
    assert {one["example"] for one in (await catalog(world))["x"]["properties"]} == {None}
    await send(world, cloud_event(type="x", account="a2", data=data))
    shown = {one["path"]: one["example"] for one in (await catalog(world))["x"]["properties"]}
    assert shown == {"channel": "app", "n": "7", "note": None, "user": None}
    await send(world, cloud_event(type="x", account="a3", data={"channel": "kim@acme.example"}))
    shown = {one["path"]: one["example"] for one in (await catalog(world))["x"]["properties"]}
    assert shown["channel"] is None


async def test_a_key_of_some_accounts_sees_what_they_sent(world: World) -> None:
    await send(world, cloud_event(type="x", account="harbor"), cloud_event(type="x", account="acme"))
    world.keys["some"] = {"authorization": f"Bearer {await world.make_key(KeyKind.ADMIN, 'some', [world.harbor])}"}
    (entry,) = [one for one in (await world.get(CATALOG, "some")).json()["items"] if one["type"] == "x"]
    assert (entry["events"], entry["accounts"]) == (1, 1)


async def test_an_owner_is_set_changed_and_taken_away_and_the_record_keeps_all(world: World) -> None:
    await count(world)
    told = (await world.send("PUT", OWNER, "admin", {"owner": " Dispatch team "})).json()
    assert (told["type"], told["owner"]["name"], told["owner"]["set_by"]) == (
        "job.dispatched",
        "Dispatch team",
        "key admin",
    )
    assert (await catalog(world))["job.dispatched"]["owner"] == told["owner"]
    for owner in ("Dispatch team", "Größe 📦", ""):
        await world.send("PUT", OWNER, "admin", {"owner": owner})
    assert (await catalog(world))["job.dispatched"]["owner"] is None
    async with world.databases.worker.transaction(grant_all()) as tx:
        kept = await tx.rows(text("SELECT owner FROM catalog_owner ORDER BY entry_id"))
    assert [row.owner for row in kept] == ["Dispatch team", "Größe 📦", ""]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        (f"{CATALOG}/nothing/owner", {"owner": "x"}, 404),
        (f"{CATALOG}/%00/owner", {"owner": "x"}, 404),
        (OWNER, {"owner": "x" * 201}, 400),
        (OWNER, {"owner": "a\0b"}, 400),
        (OWNER, {"owner": 5}, 400),
        (OWNER, {}, 400),
        (OWNER, {"owner": "x", "more": 1}, 400),
    ],
)
async def test_what_cannot_be_owned_is_refused(world: World, path: str, body: object, status: int) -> None:
    await count(world)
    assert (await world.send("PUT", path, "admin", body)).status_code == status


async def test_half_a_character_is_no_owner(world: World) -> None:
    await count(world)
    body = rb'{"owner": "\ud800"}'
    answer = await world.client.put(OWNER, headers=world.keys["admin"], content=body)
    assert answer.status_code == 400


@pytest.mark.parametrize("params", [{"cursor": "x"}, {"limit": 0}, {"limit": 501}, {"filter": "nothing"}])
async def test_what_cannot_be_asked_is_refused(world: World, params: dict[str, Any]) -> None:
    assert (await world.get(CATALOG, **params)).status_code == 400


@pytest.mark.parametrize("who", ["tessera", "champion", "validator", "ingest"])
async def test_it_is_for_the_supplier_alone(world: World, who: str) -> None:
    assert (await world.get(CATALOG, who)).status_code == 403
    assert (await world.send("PUT", OWNER, who, {"owner": "x"})).status_code == 403
