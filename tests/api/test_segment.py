import asyncio
import base64
import gzip
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest

from tests.api.world import HARBOR, World, make_key
from tests.telemetry.factories import rows, scalar
from tests.telemetry.test_segment import call
from valueplatform.core.authorization import KeyKind
from valueplatform.telemetry.segment import CALLS

BATCH = "/ingest/segment/v1/batch"


@pytest.fixture
def world(bare_world: World) -> World:
    return bare_world


def secret(world: World, who: str = "ingest") -> str:
    return world.keys[who]["authorization"].removeprefix("Bearer ")


def basic(key: str) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(f"{key}:".encode()).decode()}


async def post(world: World, body: object, path: str = BATCH, key: str | None = None, **headers: str) -> Any:
    content = body if isinstance(body, bytes) else msgspec.json.encode(body)
    sent = {**basic(secret(world) if key is None else key), "content-type": "application/json", **headers}
    return await world.client.post(
        path, content=content, headers={name: value for name, value in sent.items() if value}
    )


def batch(*messages: object, **members: object) -> dict[str, object]:
    return {"batch": messages, "sentAt": "2026-06-01T10:00:01Z", **members}


def used(**changes: Any) -> dict[str, Any]:
    return call(**{"timestamp": "2026-05-04T10:00:00Z", "context": {"groupId": HARBOR}, **changes})


async def test_a_batch_is_answered_as_segment_does_once_it_is_stored(world: World) -> None:
    answer = await post(world, batch(used(messageId="1"), used(messageId="2")))
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    found = await rows(
        world.databases,
        "SELECT id, source, type, subject, data::text AS data FROM event WHERE source = 'segment' ORDER BY id",
    )
    assert [row["id"] for row in found] == ["1", "2"]
    assert found[0] == {
        "id": "1",
        "source": "segment",
        "type": "Job Done",
        "subject": "kim",
        "data": '{"minutes": 12.5}',
    }


@pytest.mark.parametrize("name", CALLS)
async def test_every_call_has_an_address_with_and_without_a_slash(world: World, name: str) -> None:
    for end in ("", "/"):
        body = used(type=None, groupId=HARBOR, messageId=f"{name}{end}")
        answer = await post(world, body, f"/ingest/segment/v1/{name}{end}")
        assert (answer.status_code, answer.json()) == (200, {"success": True})
    expected = "Job Done" if name == "track" else f"segment.{name}"
    assert await scalar(world.databases, "SELECT count(*) FROM event WHERE type = :type", type=expected) == 2


async def test_bad_events_and_conflicts_are_answered_as_success_and_kept(world: World) -> None:
    bad = used(messageId="2", context=None, userId="nobody")
    for messages in ([used(messageId="1")], [used(messageId="1", event="Other"), bad, used(messageId="3"), 5]):
        answer = await post(world, batch(*messages))
        assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert await scalar(world.databases, "SELECT count(*) FROM event WHERE source = 'segment'") == 2
    assert await scalar(world.databases, "SELECT count(*) FROM event_conflict") == 1
    kept = (await world.get("/api/v1/rejected-events", "ingest")).json()["items"]
    assert [(item["origin"], item["code"], item["event_id"]) for item in kept] == [
        ("segment", "missing_account", "2"),
        ("segment", "not_an_object", None),
    ]
    assert msgspec.json.decode(kept[0]["body"]) == bad
    tally = await rows(
        world.databases,
        "SELECT sum(received) AS received, sum(stored + duplicates + conflicts + rejected) AS told"
        " FROM ingest_tally WHERE origin = 'segment'",
    )
    assert tally == [{"received": 5, "told": 5}]


async def test_what_a_client_retries_is_stored_once_and_kept_once(world: World) -> None:
    messages = [used(messageId="1"), used(messageId="2", context=None)]
    for second in range(3):
        await post(world, batch(*messages, sentAt=f"2026-06-01T10:00:0{second}Z"))
    assert await scalar(world.databases, "SELECT count(*) FROM event WHERE source = 'segment'") == 1
    assert await scalar(world.databases, "SELECT count(*) FROM event_conflict") == 0
    assert await scalar(world.databases, "SELECT count(*) FROM rejected_event") == 1


async def test_a_rejected_event_is_replayed_as_what_it_was(world: World) -> None:
    limited = await make_key(world.databases, KeyKind.INGEST, "one", [world.globex])
    body = {**used(type=None, traits={"name": "Harbor Inc."}, groupId=HARBOR), "writeKey": limited}
    await post(world, body, "/ingest/segment/v1/group", limited)
    (item,) = (await world.get("/api/v1/rejected-events")).json()["items"]
    assert (item["code"], limited in item["body"]) == ("unknown_account", False)
    replay = f"/api/v1/rejected-events/{item['id']}/replay"
    assert (await world.send("POST", replay, "admin")).json()["rejected"][0]["code"] == "unknown_account"
    async with world.databases.admin.engine.begin() as connection:
        await connection.exec_driver_sql("UPDATE api_key SET account_ids = NULL WHERE name = 'one'")
    assert (await world.send("POST", replay, "admin")).json()["stored"] == 1
    assert await scalar(world.databases, "SELECT name FROM account WHERE key = :key", key=HARBOR) == "Harbor Inc."
    await post(world, body, "/ingest/segment/v1/group")  # the client comes again
    assert (await world.send("POST", replay, "admin")).json()["duplicates"] == 1
    assert await scalar(world.databases, "SELECT count(*) FROM event WHERE type = 'segment.group'") == 1
    assert await scalar(world.databases, "SELECT count(*) FROM event_conflict") == 0


async def test_the_key_comes_as_user_name_or_in_the_body(world: World) -> None:
    key = secret(world)
    ways: list[tuple[dict[str, object], dict[str, str]]] = [
        ({}, basic(key)),
        ({}, world.keys["ingest"]),
        ({"writeKey": key}, {}),
        ({"writeKey": "other"}, basic(key)),
    ]
    for number, (members, headers) in enumerate(ways):
        body = msgspec.json.encode(batch(used(messageId=str(number)), **members))
        assert (await world.client.post(BATCH, content=body, headers=headers)).status_code == 200
    wrong: list[tuple[dict[str, object], dict[str, str]]] = [
        ({}, {}),
        ({"writeKey": "other"}, {}),
        ({"writeKey": 5}, {}),
        ({}, {"authorization": "Basic ???"}),
        ({}, {"authorization": "Basic " + base64.b64encode(b"\xff").decode()}),
        ({"writeKey": key}, basic("other")),
        ({}, basic("")),
        ({}, basic(secret(world, "revoked"))),
    ]
    for members, headers in wrong:
        body = msgspec.json.encode(batch(used(messageId="no"), **members))
        answer = await world.client.post(BATCH, content=body, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
    assert (await post(world, batch(used()), key=secret(world, "tessera"))).status_code == 403
    assert await scalar(world.databases, "SELECT count(*) FROM event WHERE source = 'segment'") == len(ways)


async def test_a_key_writes_within_its_sources(world: World) -> None:
    bound = await make_key(world.databases, KeyKind.INGEST, "bound", sources=["/app"])
    own = await make_key(world.databases, KeyKind.INGEST, "own", sources=["segment"])
    assert (await post(world, batch(used(messageId="1")), key=bound)).status_code == 200
    assert (await post(world, batch(used(messageId="2")), key=own)).status_code == 200
    assert await scalar(world.databases, "SELECT string_agg(id, ' ') FROM event WHERE source = 'segment'") == "2"
    assert await scalar(world.databases, "SELECT code FROM rejected_event") == "source_not_allowed"


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"batch":5}', b"[" * 9_999])
async def test_a_body_that_cannot_be_parsed_is_400(world: World, body: bytes) -> None:
    answer = await post(world, body)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_input")
    assert answer.headers["content-type"] == "application/problem+json"


async def test_packed_bodies_are_understood_and_too_much_is_413(world: World) -> None:
    packed = {"content-encoding": "gzip"}
    assert (await post(world, gzip.compress(msgspec.json.encode(batch(used()))), **packed)).status_code == 200
    assert (await post(world, b"not packed", **packed)).status_code == 400
    bomb = gzip.compress(b'{"batch":[' + b" " * 50_000_000)
    assert (await post(world, bomb, **packed)).status_code == 413
    assert (await post(world, batch(*[used()] * 2501))).status_code == 413


@asynccontextmanager
async def locked(world: World, table: str) -> AsyncIterator[None]:
    async with world.databases.admin.engine.connect() as connection:
        await connection.exec_driver_sql(f"LOCK TABLE {table}")
        yield
        await connection.rollback()


async def test_without_the_database_senders_are_told_when_to_come_back(world: World) -> None:
    async with locked(world, "event_key"):
        answer = await asyncio.wait_for(post(world, batch(used())), 30)
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert int(answer.headers["retry-after"]) > 0
