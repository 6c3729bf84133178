import asyncio
import base64
import gzip
import json
import os
import re
import socket
import sys
import zlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.api.intake import Client, MakeKey, taking
from tests.conftest import Databases
from tests.telemetry.factories import apply_meters, cloud_event, execute, make_account, rows, scalar
from tests.value.factories import put_model
from valueplatform.api.request_body import MOST_BYTES
from valueplatform.core.authorization import KeyKind
from valueplatform.core.keys import KEY_PATTERN, Quota

ADDRESS = "/api/v1/events"
BATCH = {"content-type": "application/cloudevents-batch+json"}
ROOT = Path(__file__).parents[2]


def packed(events: object) -> bytes:
    return msgspec.json.encode(events)


async def in_pieces(content: bytes, size: int = 1000) -> AsyncIterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]


async def test_what_is_taken_is_answered_with_204_and_no_body(client: Client, databases: Databases) -> None:
    response = await client.post(ADDRESS, content=packed([cloud_event(id="1")]), headers=BATCH)
    assert (response.status_code, response.content) == (204, b"")
    assert await scalar(databases, "SELECT count(*) FROM event") == 1
    again = await client.post(ADDRESS, content=packed(cloud_event(id="1")))
    assert again.status_code == 204  # already known is taken
    assert (await client.post(ADDRESS, content=b"[]", headers=BATCH)).status_code == 204


async def test_a_report_is_given_on_request_and_where_something_was_not_taken(client: Client) -> None:
    wish = {**BATCH, "prefer": 'respond-async, return=representation; foo="bar"'}
    event = cloud_event(id="1")
    taken = await client.post(ADDRESS, content=packed([event, event]), headers=wish)
    assert taken.status_code == 200
    assert taken.json() == {"received": 2, "stored": 1, "duplicates": 1, "conflicts": 0, "rejected": []}
    mixed = [cloud_event(id="1", data={}), cloud_event(id="2", time=None), cloud_event(id="3", time="soon")]
    report = (await client.post(ADDRESS, content=packed(mixed), headers=BATCH)).json()
    (rejected,) = report.pop("rejected")
    assert report == {"received": 3, "stored": 1, "duplicates": 0, "conflicts": 1}
    assert (rejected["index"], rejected["id"], rejected["code"]) == (2, "3", "invalid_time")
    assert "RFC 3339" in rejected["message"]


async def test_all_or_nothing_is_422_with_the_reasons(client: Client, databases: Databases) -> None:
    strict = {**BATCH, "prefer": "handling=strict"}
    response = await client.post(ADDRESS, content=packed([cloud_event(), cloud_event(id=None)]), headers=strict)
    assert response.status_code == 422
    problem = response.json()
    assert (problem["code"], problem["received"]) == ("not_all_taken", 2)
    assert [rejected["code"] for rejected in problem["rejected"]] == ["missing_id"]
    assert await scalar(databases, "SELECT count(*) FROM event") == 0
    assert (await client.post(ADDRESS, content=packed([cloud_event()]), headers=strict)).status_code == 204


@pytest.mark.parametrize("body", [b"", b"{", b"[1", b"hello", b"[" * 10_000 + b"]" * 10_000, b"[NaN]"])
async def test_a_body_that_cannot_be_parsed_is_400_and_nothing_is_stored(
    client: Client, databases: Databases, body: bytes
) -> None:
    response = await client.post(ADDRESS, content=body, headers=BATCH)
    assert response.status_code == 400
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["status"] == 400
    assert await scalar(databases, "SELECT count(*) FROM rejected_event") == 0


async def test_packed_and_chunked_bodies_are_understood(client: Client, databases: Databases) -> None:
    events = [packed([cloud_event(id=f"{number} {n}") for n in range(50)]) for number in range(5)]
    raw = zlib.compressobj(wbits=-15)
    bodies: list[tuple[bytes, str]] = [
        (gzip.compress(events[0]), "gzip"),
        (gzip.compress(events[1][:99]) + gzip.compress(events[1][99:]), "GZIP"),
        (zlib.compress(events[2]), "deflate"),
        (events[3], "identity"),
    ]
    for body, encoding in bodies:
        headers = {**BATCH, "content-encoding": encoding}
        response = await client.post(ADDRESS, content=in_pieces(body, 7), headers=headers)
        assert response.status_code == 204, response.text
    assert await scalar(databases, "SELECT count(*) FROM event") == 200
    for body, encoding in (
        (gzip.compress(events[4])[:-5], "gzip"),
        (b"not packed", "gzip"),
        (events[4], "br"),
        (raw.compress(events[4]) + raw.flush(), "deflate"),
    ):
        response = await client.post(ADDRESS, content=body, headers={**BATCH, "content-encoding": encoding})
        assert response.status_code == 400
    assert await scalar(databases, "SELECT count(*) FROM event") == 200


async def test_too_much_is_413(client: Client) -> None:
    large = b'[{"data":"' + b"x" * MOST_BYTES + b'"}]'
    bomb = gzip.compress(b" " * (200 * 1024 * 1024))
    assert len(bomb) < MOST_BYTES
    for body, encoding in ((large, ""), (gzip.compress(large), "gzip"), (bomb, "gzip"), (bomb[:50_000], "gzip")):
        for content in (body, in_pieces(body, 65_536)):
            response = await client.post(ADDRESS, content=content, headers={**BATCH, "content-encoding": encoding})
            assert response.status_code == 413
            assert response.json()["code"] == "too_large"
    many = packed([cloud_event() for _ in range(2501)])
    assert (await client.post(ADDRESS, content=many, headers=BATCH)).status_code == 413


async def test_binary_mode_comes_in_headers(client: Client, databases: Databases) -> None:
    headers = {
        "ce-specversion": "1.0",
        "ce-id": "caf%C3%A9",
        "ce-source": "/app",
        "ce-type": "job.done",
        "ce-account": "acme",
        "content-type": "text/plain; charset=iso-8859-1",
    }
    assert (await client.post(ADDRESS, content=b"caf\xe9", headers=headers)).status_code == 204
    (event,) = await rows(databases, "SELECT id, data FROM event")
    assert event == {"id": "café", "data": "café"}


async def test_only_a_valid_key_with_the_right_comes_in(client: Client, key: MakeKey, databases: Databases) -> None:
    del client.headers["authorization"]
    event = packed(cloud_event())
    strangers: list[dict[str, str]] = [
        {},
        {"authorization": "Basic eA=="},
        {"authorization": "Bearer"},
        {"authorization": "Bearer vp_ingest_x"},
    ]
    for headers in strangers:
        response = await client.post(ADDRESS, content=event, headers=headers)
        assert (response.status_code, response.headers["www-authenticate"]) == (401, "Bearer")
    partner = await key(kind=KeyKind.PARTNER)
    reader = await key(scopes=["rejected-events:read"])
    for headers in (partner, reader):
        assert (await client.post(ADDRESS, content=event, headers=headers)).status_code == 403
    for headers in (partner, await key(scopes=["events:write"])):
        assert (await client.delete(ADDRESS, params={"source": "a", "id": "b"}, headers=headers)).status_code == 403
        assert (await client.get("/api/v1/rejected-events", headers=headers)).status_code == 403
        assert (await client.post("/api/v1/rejected-events/1/replay", headers=headers)).status_code == 403
    assert await scalar(databases, "SELECT count(*) FROM event") == 0


async def test_a_key_writes_within_its_accounts_and_sources(client: Client, key: MakeKey, databases: Databases) -> None:
    acme = await make_account(databases, "acme")
    limited = await key(account_ids=[acme], sources=["/app"])
    events = [cloud_event(), cloud_event(account="other"), cloud_event(source="/x")]
    report = (await client.post(ADDRESS, content=packed(events), headers={**BATCH, **limited})).json()
    assert [rejected["code"] for rejected in report["rejected"]] == ["unknown_account", "source_not_allowed"]
    assert report["stored"] == 1


async def test_an_event_is_retracted_by_source_and_id(client: Client, databases: Databases) -> None:
    await apply_meters(databases)
    await client.post(ADDRESS, content=packed(cloud_event(id="a&b", source="/ä?")))
    where = {"source": "/ä?", "id": "a&b"}
    assert (await client.delete(ADDRESS, params=where)).status_code == 204
    assert await scalar(databases, "SELECT count(*) FROM rollup") == 0
    gone = await client.delete(ADDRESS, params=where)
    assert (gone.status_code, gone.json()["code"]) == (404, "not_found")
    assert (await client.delete(ADDRESS, params={"source": "/ä?"})).status_code == 400


async def test_a_sender_sees_what_it_sent_and_could_not_be_taken(
    client: Client, key: MakeKey, databases: Databases
) -> None:
    await client.post(ADDRESS, content=packed([cloud_event(id=str(n), time="x") for n in range(5)]), headers=BATCH)
    await client.post(ADDRESS, content=packed(cloud_event(time="x", id="other")), headers=await key())
    seen: list[dict[str, Any]] = []
    cursor = None
    while True:
        params = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        page = (await client.get("/api/v1/rejected-events", params=params)).json()
        seen += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert [item["event_id"] for item in seen] == ["0", "1", "2", "3", "4"]
    assert json.loads(seen[0]["body"])["time"] == "x"
    assert (seen[0]["code"], seen[0]["origin"], seen[0]["replayed_at"]) == ("invalid_time", "http", None)
    every = (await client.get("/api/v1/rejected-events", headers=await key(kind=KeyKind.ADMIN))).json()["items"]
    assert len(every) == 6
    for wrong in ({"limit": 0}, {"limit": 501}, {"cursor": "?"}):
        assert (await client.get("/api/v1/rejected-events", params=wrong)).status_code == 400


async def test_a_rejected_event_goes_in_on_replay_once_its_reason_is_gone(
    client: Client, key: MakeKey, databases: Databases
) -> None:
    acme = await make_account(databases, "acme")
    limited = await key(account_ids=[acme], provider="partner")
    await client.post(ADDRESS, content=packed(cloud_event(id="1", account="new")), headers=limited)
    (item,) = (await client.get("/api/v1/rejected-events", headers=limited)).json()["items"]
    replay = f"/api/v1/rejected-events/{item['id']}/replay"
    still = (await client.post(replay, headers=limited)).json()
    assert (still["stored"], still["rejected"][0]["code"]) == (0, "unknown_account")
    assert await scalar(databases, "SELECT count(*) FROM rejected_event") == 1
    assert (await client.post(replay)).status_code == 404  # another key's
    new = await make_account(databases, "new")
    await execute(databases, f"UPDATE api_key SET account_ids = ARRAY[{acme}, {new}] WHERE provider = 'partner'")
    # Whoever replays it, it stays an event of its sender.
    done = (await client.post(replay, headers=await key(kind=KeyKind.ADMIN))).json()
    assert (done["stored"], done["rejected"]) == (1, [])
    assert await scalar(databases, "SELECT provider FROM event") == "partner"
    (item,) = (await client.get("/api/v1/rejected-events", headers=limited)).json()["items"]
    assert item["replayed_at"] is not None
    assert (await client.post(replay, headers=limited)).json()["duplicates"] == 1


async def test_what_was_never_an_event_cannot_be_replayed(client: Client, key: MakeKey, databases: Databases) -> None:
    await execute(
        databases,
        "INSERT INTO rejected_event (account_id, origin, code, message, body, content_hash, received_at)"
        " VALUES (0, 'import', 'bad_line', 'x', 'a,b', gen_random_uuid(), now())",
    )
    admin = await key(kind=KeyKind.ADMIN)
    (item,) = (await client.get("/api/v1/rejected-events", headers=admin)).json()["items"]
    response = await client.post(f"/api/v1/rejected-events/{item['id']}/replay", headers=admin)
    assert (response.status_code, response.json()["code"]) == (422, "unprocessable")


async def test_rejected_binary_events_can_be_replayed(client: Client, databases: Databases) -> None:
    headers = {"ce-id": "1", "ce-source": "/app", "ce-type": "t", "content-type": "application/json"}
    await client.post(ADDRESS, content=b'{"a":1}', headers={**headers, "ce-account": "acme", "ce-time": "noon"})
    (item,) = (await client.get("/api/v1/rejected-events")).json()["items"]
    body = json.loads(item["body"])
    assert json.loads(base64.b64decode(body["data_base64"])) == {"a": 1}
    await execute(databases, f"UPDATE rejected_event SET body = '{json.dumps({**body, 'time': None})}'")
    assert (await client.post(f"/api/v1/rejected-events/{item['id']}/replay")).json()["stored"] == 1
    assert await scalar(databases, "SELECT data FROM event") == {"a": 1}


async def test_without_the_database_senders_are_told_when_to_come_back(databases: Databases, key: MakeKey) -> None:
    headers = await key()
    async with taking(databases, patience=0.2) as client, databases.admin.engine.connect() as connection:
        await connection.exec_driver_sql("LOCK TABLE event_key")
        response = await client.post(ADDRESS, content=packed(cloud_event()), headers=headers)
        assert (response.status_code, response.json()["code"]) == (503, "unavailable")
        assert int(response.headers["retry-after"]) > 0
        await connection.rollback()


async def test_every_answer_is_a_problem_even_of_the_framework_itself(client: Client) -> None:
    for response, status in (
        (await client.put(ADDRESS), 405),
        (await client.get("/nowhere"), 404),
        (await client.get("/api/v1/rejected-events", params={"limit": "x"}), 400),
    ):
        assert response.status_code == status
        assert response.headers["content-type"] == "application/problem+json"
        assert response.json()["title"]


@asynccontextmanager
async def granian(databases: Databases) -> AsyncIterator[int]:
    """The same application in the server that we ship; its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "granian", "--interface", "asgi", "--factory", "tests.api.intake:served"]
    process = await asyncio.create_subprocess_exec(
        *command,
        *("--port", str(port)),
        env={**os.environ, "DATABASE_URL": databases.url},
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(30):
            while not await listening(port):
                assert process.returncode is None, await process.stdout.read()
        yield port
    finally:
        process.terminate()
        await process.communicate()


async def listening(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except ConnectionRefusedError:
        await asyncio.sleep(0.05)
        return False
    writer.close()
    return True


async def exchange(port: int, head: Sequence[str], pieces: Sequence[bytes]) -> tuple[int, bytes]:
    """Send a request as it is written here; status and body of the answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write("\r\n".join([*head, "Host: x", "Connection: close", "", ""]).encode())

    async def write() -> None:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()

    writing = asyncio.create_task(write())
    async with asyncio.timeout(15):
        answer = await reader.readuntil(b"\r\n\r\n")
        found = re.match(rb"HTTP/1.1 (\d+)", answer)
        length = re.search(rb"content-length: (\d+)", answer)
        body = await reader.readexactly(int(length[1])) if length else b""
    writing.cancel()
    await asyncio.wait([writing])
    writer.transport.abort()
    assert found is not None, answer
    return int(found[1]), body


def chunk(content: bytes) -> bytes:
    return f"{len(content):x}\r\n".encode() + content + b"\r\n"


async def test_a_real_server_takes_chunked_bodies_and_stops_endless_ones(databases: Databases, key: MakeKey) -> None:
    bearer = (await key())["authorization"]
    head = [f"POST {ADDRESS} HTTP/1.1", f"Authorization: {bearer}", "Transfer-Encoding: chunked"]
    body = packed([cloud_event(id=str(number)) for number in range(200)])
    async with granian(databases) as port:
        pieces = [chunk(body[start : start + 777]) for start in range(0, len(body), 777)]
        assert (await exchange(port, head, [*pieces, chunk(b"")]))[0] == 204
        assert await scalar(databases, "SELECT count(*) FROM event") == 200
        endless = [chunk(b" " * 65_536)] * 16_384  # a gigabyte
        assert (await exchange(port, head, endless))[0] == 413
        announced = [*head[:2], f"Content-Length: {MOST_BYTES + 1}"]
        status, answer = await exchange(port, announced, [b"["])
        assert (status, json.loads(answer)["code"]) == (413, "too_large")
        assert (await exchange(port, head, [*pieces, chunk(b"")]))[0] == 204


async def test_a_preview_tells_verdicts_meters_and_drivers(databases: Databases, client: Client) -> None:
    await put_model(databases)
    event = cloud_event(type="job.dispatched", data={"minutes": 12.5, "crew": "a"})
    answer = await client.post(f"{ADDRESS}/preview", json=[event, cloud_event(type=None)])
    assert answer.status_code == 200
    told = answer.json()
    assert told["received"] == 2
    assert [one["outcome"] for one in told["events"]] == ["stored", "rejected"]
    minutes = next(one for one in told["events"][0]["meters"] if one["meter"] == "minutes")
    assert (minutes["value"], minutes["drivers"]) == ("12.5", ["dispatch_time"])
    assert await scalar(databases, "SELECT count(*) FROM event") == 0
    assert (await client.post(f"{ADDRESS}/preview", content=b"no")).status_code == 400


def segment_of(event_id: str) -> dict[str, Any]:
    return {"messageId": event_id, "userId": "kim", "event": "Job", "context": {"groupId": "acme"}}


def posthog_of(event_id: str) -> dict[str, Any]:
    properties = {"distinct_id": "kim", "$groups": {"company": "acme"}}
    return {"event": "job", "uuid": event_id, "properties": properties}


def log_of(event_id: str) -> dict[str, Any]:
    record = {"timeUnixNano": "1", "body": {"stringValue": event_id}}
    return {"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]}


@pytest.mark.parametrize(
    ("address", "event"),
    [
        (ADDRESS, lambda event_id: cloud_event(id=event_id)),
        ("/ingest/segment/v1/track", segment_of),
        ("/ingest/posthog/capture/", posthog_of),
        ("/ingest/otlp/v1/logs", log_of),
    ],
)
async def test_over_its_quota_a_key_is_told_429_and_when_to_come_back_at_every_address(
    client: Client, key: MakeKey, address: str, event: Callable[[str], dict[str, Any]]
) -> None:
    limited = {**await key(quota=Quota(daily_quota=1)), "content-type": "application/json"}
    first, second = [
        await client.post(address, content=packed(event(event_id)), headers=limited) for event_id in ("1", "2")
    ]
    assert first.status_code in {200, 204}
    assert second.status_code == 429
    assert 0 < int(second.headers["retry-after"]) <= 24 * 60 * 60
    told = second.json()
    if address.startswith("/ingest/otlp"):
        assert (told["code"], "1 events a day" in told["message"]) == (8, True)  # RESOURCE_EXHAUSTED
    else:
        key_id = KEY_PATTERN.fullmatch(limited["authorization"].removeprefix("Bearer "))
        assert key_id is not None
        assert (told["code"], told["limit"]) == ("rate_limited", "1 events a day (UTC)")
        assert told["key"].replace("-", "") == key_id[2]
    assert (await client.post(ADDRESS, content=packed(cloud_event()))).status_code == 204  # another key goes on
