import base64
import random
import string
from typing import Any

import msgspec
import pytest
from litestar.openapi.spec import OpenAPIType, Schema

from tests.api.world import HARBOR, World
from tests.telemetry.factories import rows, scalar
from valueplatform.api.documentation import JSON, described_body

ODD: tuple[Any, ...] = (
    *(
        None,
        True,
        0,
        -1,
        2**70,
        0.1,
        1e300,
        "",
        " ",
        "x",
        "é😀",
        "\x7f",
        "\u202e",
        "x" * 5000,
        [],
        {},
        [[]],
        {"": None},
    ),
    *(
        "kim@x.example",
        "KIM@x.example\n",
        "2026-05-04T10:00:00Z",
        1777888800000,
        "1777888800.5",
        HARBOR,
        {"name": "\n"},
    ),
    *(
        {"company": HARBOR},
        {"groupId": HARBOR},
        {"email": "kim@x.example", "name": "x" * 5000},
        {"name": "H", "a": 1e99},
    ),
)
WAYS: dict[str, tuple[dict[str, Any], ...]] = {
    "/ingest/segment/v1/batch": (
        {"type": "track", "event": "x", "userId": "kim", "context": {"groupId": HARBOR}},
        *({"type": kind, "groupId": HARBOR, "context": {"groupId": HARBOR}} for kind in ("identify", "group")),
    ),
    "/ingest/posthog/batch": (
        {"event": "x", "distinct_id": "kim", "properties": {"$groups": {"company": HARBOR}}},
        {"event": "$identify", "properties": {"$groups": {"company": HARBOR}, "$set": {"email": "kim@x.example"}}},
        {"event": "$groupidentify", "properties": {"$group_type": "company", "$group_key": HARBOR, "$group_set": {}}},
    ),
}
MEMBERS = (
    "messageId",
    "uuid",
    "userId",
    "distinct_id",
    "event",
    "timestamp",
    "offset",
    "traits",
    "properties",
    "$set",
    "context",
)


def odd(source: random.Random, message: dict[str, Any]) -> dict[str, Any]:
    changed = {name: source.choice(ODD) for name in source.sample(MEMBERS, source.randint(0, 3))}
    return {**message, "noise": "".join(source.choices(string.printable, k=5)), **changed}


@pytest.mark.parametrize("address", WAYS)
async def test_whatever_a_batch_holds_it_is_answered_as_success_and_adds_up(bare_world: World, address: str) -> None:
    source = random.Random(address)
    batch = [odd(source, source.choice(WAYS[address])) for _ in range(600)]
    answer = await bare_world.send("POST", address, "ingest", {"batch": batch})
    assert answer.status_code == 200, answer.text
    tally = """SELECT received, stored + duplicates + conflicts + rejected AS told, stored, rejected
        FROM ingest_tally WHERE origin <> 'http'"""
    (told,) = await rows(bare_world.databases, tally)
    assert told["received"] == told["told"] == len(batch)
    assert min(told["stored"], told["rejected"]) > 50, "the batch was not odd enough, or too odd"
    assert await scalar(bare_world.databases, "SELECT count(*) FROM rejected_event WHERE code = 'unstorable'") == 0


async def test_the_key_may_come_as_bearer_everywhere_and_must_be_one(bare_world: World) -> None:
    for address in WAYS:
        assert (await bare_world.send("POST", address, "ingest", {"batch": []})).is_success
        for wrong in ("Digest x", "Bearer", "Basic", "Basic " + base64.b64encode(b":x").decode()):
            answer = await bare_world.client.post(address, json={"batch": []}, headers={"authorization": wrong})
            assert answer.status_code == 401, (address, wrong)


def test_a_request_body_that_is_read_raw_is_described_with_examples() -> None:
    operation = described_body("What it is.", {JSON: Schema(type=OpenAPIType.OBJECT)}, {JSON: [{"a": 1}]})()
    shown = msgspec.json.decode(msgspec.json.encode(operation.to_schema()))["requestBody"]
    assert shown["description"] == "What it is."
    assert shown["content"]["application/json"]["examples"] == {"example 1": {"value": {"a": 1}}}
