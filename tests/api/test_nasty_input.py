"""Whatever is sent, the answer is never a fault of ours (R9): every operation of the description, every parameter and
every field of every body, with values that ought not to be."""

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import quote

import pytest
import pytest_asyncio

from tests.api.world import HARBOR, World, a_world
from tests.conftest import Server
from tests.test_access import API

TEXTS = (
    "", " ", "\0", "a\0b", "x" * 5000, "🙂", "\u202e", "%", "_", "'", '"', "\\", "../..", "-1", "0", "1e999", "NaN",
    "null", "true", "9" * 40, "-" + "9" * 20, "2026-02-30", "0001-01-01", "9999-12-31", "9999-12-31T23:59:59-23:59",
    "0001-01-01T00:00:00+23:59", "2026-05-01T00:00:00+99:99", "10000-01-01", "[]", "{}", "<script>", "=1+1", "IlwwIg",
    "WyJhIl0", "eyJhIjoxfQ",
)  # fmt: skip
VALUES: tuple[object, ...] = (
    None, True, [], {}, [[]], -1, 10**30, 1.5, "", "\0", "x" * 5000, "NaN", "1e999999999", "0001-01-01", "9999-12-31",
    "9999-12-31T23:59:59-23:59", "2026-05-01T00:00:00", {"a": {"b": []}}, "\ud800",
)  # fmt: skip
PATHS = {"key": HARBOR, "slug": "jobs", "plan": "case", "milestone_id": "m", "suggestion_id": "s", "insight_id": "i"}
PATHS |= {
    "event_type": "job.dispatched",
    "metric": "nrr",
    "feature": "erp-connector",
    "statement": "may",
    "proposal": "p",
    "collaboration_id": "col_x",
    "key_id": "00000000-0000-0000-0000-000000000001",
}
NUMBERS = dict.fromkeys(("objective_id", "scenario", "entry_id", "rejected_id", "split_id", "contribution_id"), "1")


def requests(document: dict[str, Any], method: str, path: str) -> Iterator[tuple[str, dict[str, str], object]]:
    """Address, query and body; in each, one thing is not as it ought to be."""
    operation, names = document["paths"][path][method.lower()], {**PATHS, **NUMBERS}
    body = API[f"{method} {path}"].body
    for parameter in operation.get("parameters", ()):
        name = parameter["name"]
        for text in TEXTS:
            if parameter["in"] == "query":
                yield path.format(**names), {name: text}, body
            elif parameter["in"] == "path":
                yield path.format(**{**names, name: quote(text, safe="")}), {}, body
    if body is not None:
        yield from ((path.format(**names), {}, wrong) for wrong in broken(body))


def broken(body: Any) -> Iterator[object]:
    yield from VALUES
    if isinstance(body, list):
        yield from ([wrong] for wrong in broken(body[0]))
        yield body * 1001
    if isinstance(body, dict):
        for name in body:
            yield {n: v for n, v in body.items() if n != name}
            yield from (body | {name: value} for value in VALUES)
        yield body | {"more": 1}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(server: Server) -> AsyncIterator[World]:
    """One for all: what was done to it before is nobody's excuse."""
    async with a_world(server) as world:
        yield world


@pytest.mark.parametrize("route", sorted(API))
async def test_no_input_is_a_fault_of_ours(world: World, route: str) -> None:
    method, template = route.split(" ", 1)
    document = (await world.client.get("/api/openapi.json")).json()
    who = next(one for one in ("admin", "champion", "validator", "tessera") if one in API[route].callers)
    asked = 0
    for path, query, body in requests(document, method, template):
        content = None if body is None else json.dumps(body).encode()
        answer = await world.client.request(
            method,
            path,
            params=query,
            content=content,
            headers={**world.keys[who], "content-type": "application/json"},
        )
        asked += 1
        assert answer.status_code < 500, (path, query, body)
        if answer.status_code >= 400:
            # OTLP answers errors in the encoding of the request, as its specification asks
            told_as = "application/json" if "/otlp/" in template else "application/problem+json"
            assert answer.headers["content-type"] == told_as, (path, query, body)
    assert asked > 0 or "?" not in template


async def test_any_authorization_header_is_read_without_a_fault(world: World) -> None:
    for text in (*TEXTS, "Bearer", "Bearer ", "bearer vp_admin_", "Basic dmFsdWU6", "Bearer " + "x" * 5000):
        sent = text.replace("\0", "").replace("🙂", "").replace("\u202e", "").strip()
        answer = await world.client.get("/api/v1/accounts", headers={"authorization": sent})
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
