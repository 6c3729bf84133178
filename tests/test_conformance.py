"""The whole OpenAPI description against the server (R9): of every operation a good request is taken, and whatever else
is sent, the answer is as described and never a fault of ours. Schemathesis draws the requests, from a fixed seed.

Longer, from other seeds: `VALUEPLATFORM_TEST_TIMES=50 VALUEPLATFORM_TEST_SEED=1 pytest tests/test_conformance.py`.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import Any, Final

import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    ignored_auth,
    negative_data_rejection,
    positive_data_acceptance,
    unsupported_method,
)

from tests.api.world import HARBOR, World, a_world, differences, suggest
from tests.conftest import Server
from tests.telemetry.factories import cloud_event
from tests.test_access import API, body_of, named, query_of, the_things
from tests.value.three_parties import validate

EXAMPLES: Final = 10 * int(os.environ.get("VALUEPLATFORM_TEST_TIMES", "1"))
"""Requests of each kind for each operation."""
SEED: Final = int(os.environ.get("VALUEPLATFORM_TEST_SEED", "9"))
HOST: Final = "http://testserver.local"
PUBLIC: Final = ("GET /healthz", "GET /readyz", "GET /metrics")
"""No key is needed, and nothing to be said."""
KINDS: Final = ("as described, of what is there", "as described, of anything", "not as described")
ELSEWHERE: Final = [ignored_auth, unsupported_method]
"""What others are answered, and other methods, is told by `tests.test_access` and `tests.test_app`."""
VERDICTS: Final = [negative_data_rejection, positive_data_acceptance]
"""A batch is taken with what is wrong in it, and rules that no schema can tell are rules all the same."""

schemathesis.openapi.format("decimal", st.decimals(allow_nan=False, allow_infinity=False).map(str))

Operation = APIOperation[Any, Any, Any, Any]
Case = schemathesis.Case[Any]
Send = Callable[[Case, str], httpx.Response]


@pytest.fixture
async def world(server: Server) -> AsyncIterator[World]:
    """As `own_world`, but that its events came in by the API, so that the record is whole from the start."""
    async with a_world(server, filled=False) as world:
        await validate(world.databases, world.harbor)
        await world.send("POST", "/api/v1/events", "ingest", [*used("job.done", 10), *used("sync.done", 30, "tessera")])
        await world.refresh(world.harbor)
        yield world


def used(kind: str, count: int, provider: str = "supplier") -> Iterator[dict[str, Any]]:
    data = {"minutes": 2, "crew": "a", "system": "sage"}
    for number in range(count):
        time = f"2026-05-0{4 + number % 2}T16:00:00Z"
        yield cloud_event(id=f"{kind} {number}", type=kind, account=HARBOR, time=time, provider=provider, data=data)


async def described(world: World) -> dict[str, Operation]:
    """Every operation of the description, by its name in `tests.test_access`."""
    document = (await world.client.get("/api/openapi.json")).json()
    schema = schemathesis.openapi.from_dict(document)
    return {f"{m.upper()} {path}": schema[path][m] for path, item in document["paths"].items() for m in item}


def caller_of(route: str) -> str:
    """Who may do it, the most powerful first."""
    if route in PUBLIC:
        return "anonymous"
    return next(who for who in ("admin", "champion", "validator", "tessera") if who in API[route].callers)


def sender(world: World) -> Send:
    """Sends a case in the event loop of the test, from the thread that draws it."""
    loop = asyncio.get_running_loop()

    def send(case: Case, who: str) -> httpx.Response:
        if isinstance(case.body, dict) and "/posthog/" in case.path:
            case.body = case.body | {"api_key": world.keys[who]["authorization"].removeprefix("Bearer ")}
        asked = requests.Request(**case.as_transport_kwargs(HOST, headers=world.keys[who])).prepare()
        assert asked.url is not None
        assert isinstance(asked.body, str | bytes | None)
        headers = {name: str(value) for name, value in asked.headers.items() if name != "Content-Length"}
        path = asked.url.removeprefix(HOST)
        sent = world.client.request(str(asked.method), path, content=asked.body, headers=headers)
        return asyncio.run_coroutine_threadsafe(sent, loop).result(60)

    return send


async def good_case(world: World, route: str, operation: Operation, things: Mapping[str, Any]) -> Case:
    if route in PUBLIC:
        return operation.Case()
    places = await named(world, route, caller_of(route), dict(things))
    wanted = {name: places[name] for name in names_in(operation)}
    sent = body_of(route, places)
    body: dict[str, Any] = {} if sent is None else {"body": sent, "media_type": "application/json"}
    return operation.Case(path_parameters=wanted, query=query_of(route, dict(things)), **body)


def names_in(operation: Operation) -> list[str]:
    return [part[1:-1] for part in operation.path.split("/") if part.startswith("{")]


async def test_every_operation_takes_a_good_request_and_answers_as_described(
    world: World, subtests: pytest.Subtests
) -> None:
    operations, things = await described(world), await the_things(world)
    assert operations.keys() - API.keys() == set(PUBLIC), "declare a good request in tests.test_access"
    send = sender(world)
    for route in sorted(operations, key=lambda route: route.startswith("DELETE")):
        with subtests.test(route):
            (things["suggestion_id"],) = (await suggest(world, f"for {route}")).values()
            case = await good_case(world, route, operations[route], things)
            answer = await asyncio.to_thread(send, case, caller_of(route))
            assert answer.is_success, answer.text
            case.validate_response(answer, excluded_checks=ELSEWHERE)


def draw(operation: Operation, kind: str, things: Mapping[str, Any], check: Callable[[Case], None]) -> int:
    """Have `EXAMPLES` cases of a kind checked; how many there were: none, where nothing can be said wrong."""
    drawn = 0
    places: dict[str, Any] = (
        {} if kind == KINDS[1] else {"path_parameters": {name: things[name] for name in names_in(operation)}}
    )
    mode = GenerationMode.NEGATIVE if kind == KINDS[2] else GenerationMode.POSITIVE

    @seed(SEED)
    @settings(
        max_examples=EXAMPLES,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy(generation_mode=mode, **places))
    def each(case: Case) -> None:
        nonlocal drawn
        drawn += 1
        check(case)

    try:
        each()
    except Unsatisfiable:
        assert not drawn
    return drawn


async def test_whatever_is_sent_is_answered_as_described(world: World, subtests: pytest.Subtests) -> None:
    operations, things, send = await described(world), await the_things(world), sender(world)
    drawn = dict.fromkeys(KINDS, 0)
    for route, operation in operations.items():
        who = caller_of(route)
        places = {} if route in PUBLIC else await named(world, route, who, things)

        def check(case: Case, who: str = who) -> None:
            case.validate_response(send(case, who), excluded_checks=[*ELSEWHERE, *VERDICTS])

        for kind in KINDS:
            with subtests.test(f"{route}, {kind}"):
                drawn[kind] += await asyncio.to_thread(draw, operation, kind, places, check)
    assert min(drawn.values()) > len(operations) * EXAMPLES // 2
    assert await differences(world.databases) == []
