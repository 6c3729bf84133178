import gzip
from typing import Any

import msgspec
import pytest

from tests.api.world import HARBOR, World
from tests.telemetry.factories import rows, scalar
from tests.telemetry.test_posthog import used as event_with

ADDRESSES = ("/ingest/posthog/batch/", "/ingest/posthog/capture/", "/ingest/posthog/i/v0/e/")


@pytest.fixture
def world(bare_world: World) -> World:
    return bare_world


def secret(world: World, who: str = "ingest") -> str:
    return world.keys[who]["authorization"].removeprefix("Bearer ")


def used(**changes: Any) -> dict[str, Any]:
    properties = {"minutes": 12.5, "$groups": {"company": HARBOR}}
    return event_with(**{"timestamp": "2026-05-04T10:00:00Z", "properties": properties, **changes})


async def post(world: World, body: object, path: str = ADDRESSES[0], **headers: str) -> Any:
    content = body if isinstance(body, bytes) else msgspec.json.encode(body)
    return await world.client.post(path, content=content, headers={"content-type": "application/json", **headers})


async def test_every_form_at_every_address_is_answered_as_posthog_does(world: World) -> None:
    key = secret(world)
    number = 0
    for address in ADDRESSES:
        for path in (address, address.rstrip("/")):
            one, two, three = (used(uuid=str(number + step)) for step in range(3))
            for body in ({"api_key": key, "batch": [one]}, {"token": key, **two}, [{**three, "api_key": key}]):
                answer = await post(world, body, path)
                assert (answer.status_code, answer.json()) == (200, {"status": 1})
            number += 3
    assert await scalar(world.databases, "SELECT count(*) FROM event WHERE source = 'posthog'") == number


async def test_bad_events_and_conflicts_are_answered_as_success_and_kept(world: World) -> None:
    key = secret(world)
    bad = used(uuid="2", properties={})
    for events in ([used(uuid="1")], [used(uuid="1", event="Other"), bad, used(uuid="3")]):
        answer = await post(world, {"api_key": key, "batch": events})
        assert (answer.status_code, answer.json()) == (200, {"status": 1})
    assert await scalar(world.databases, "SELECT count(*) FROM event WHERE source = 'posthog'") == 2
    assert await scalar(world.databases, "SELECT count(*) FROM event_conflict") == 1
    (kept,) = (await world.get("/api/v1/rejected-events", "ingest")).json()["items"]
    assert (kept["origin"], kept["code"], kept["event_id"]) == ("posthog", "missing_account", "2")
    assert msgspec.json.decode(kept["body"]) == bad


async def test_a_rejected_event_is_replayed_by_its_own_dialect_and_without_the_key(world: World) -> None:
    key = secret(world)
    await post(world, {"api_key": key, **used(properties={})})
    (item,) = (await world.get("/api/v1/rejected-events")).json()["items"]
    assert key not in item["body"]
    replay = f"/api/v1/rejected-events/{item['id']}/replay"
    assert (await world.send("POST", replay, "admin")).json()["rejected"][0]["code"] == "missing_account"
    mended = item["body"].replace('"properties":{}', f'"properties":{{"$groups":{{"company":"{HARBOR}"}}}}')
    async with world.databases.admin.engine.begin() as connection:
        await connection.exec_driver_sql("UPDATE rejected_event SET body = $1", (mended,))
    assert (await world.send("POST", replay, "admin")).json()["stored"] == 1
    (event,) = await rows(world.databases, "SELECT id, type, subject FROM event WHERE source = 'posthog'")
    assert event == {"id": "u-1", "type": "Job Done", "subject": "kim"}


async def test_only_a_valid_key_with_the_right_comes_in(world: World) -> None:
    for members in ({}, {"api_key": "phc_other"}, {"api_key": 5}, {"api_key": secret(world, "revoked")}):
        answer = await post(world, {**members, "batch": [used()]})
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
    assert (await post(world, {"api_key": secret(world, "tessera"), "batch": [used()]})).status_code == 403
    assert await scalar(world.databases, "SELECT count(*) FROM event WHERE source = 'posthog'") == 0


@pytest.mark.parametrize("body", [b"", b"{", b"{}", b'{"batch":5}', b"[" * 9_999, b"5"])
async def test_a_body_that_cannot_be_parsed_is_400(world: World, body: bytes) -> None:
    answer = await post(world, body)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_input")


async def test_packed_bodies_are_understood_and_too_much_is_413(world: World) -> None:
    key = secret(world)
    packed = gzip.compress(msgspec.json.encode({"api_key": key, "batch": [used()]}))
    assert (await post(world, packed, **{"content-encoding": "gzip"})).status_code == 200
    assert (await post(world, packed, f"{ADDRESSES[2]}?compression=gzip-js&ip=0")).status_code == 200
    assert (await post(world, {"api_key": key, "batch": [used()] * 2501})).status_code == 413
    assert (await post(world, gzip.compress(b" " * 50_000_000), **{"content-encoding": "gzip"})).status_code == 413
    assert await scalar(world.databases, "SELECT count(*) FROM event WHERE source = 'posthog'") == 1
