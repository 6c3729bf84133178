"""An estimate from a few answers, as machines ask for it."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.api.benchmark_world import a_benchmark_world
from tests.api.world import World
from tests.conftest import Server


@pytest.fixture
async def world(server: Server) -> AsyncIterator[World]:
    async with a_benchmark_world(server) as world:
        yield world


async def ask(world: World, body: object, who: str = "tessera") -> Any:
    return await world.send("POST", "/api/v1/estimate", who, body)


async def test_it_is_a_projection_with_its_cohort_and_what_was_adjusted(world: World) -> None:
    body = {"segment": "big", "scale": "12", "drivers": ["time"], "values": {"per_minute": "3"}}
    found = (await ask(world, body)).json()
    (time,) = found["drivers"]
    projected, (adjusted,) = time["projected"], time["adjusted"]
    assert (projected["state"], projected["cohort"], projected["per"]) == ("projection", "big", "scale")
    assert (adjusted["own"], adjusted["typical"], adjusted["not_adjusted"]) == ("3", "2", None)
    assert float(projected["expected"]) == pytest.approx(float(projected["median"]) * 12 * 3 / 2)
    assert found["projection"]["months"] == ["2026-03-01", "2026-04-01", "2026-05-01"]


async def test_without_an_answer_it_is_of_all_companies(world: World) -> None:
    found = (await ask(world, {})).json()
    assert {one["projected"]["cohort"] for one in found["drivers"]} == {""}
    assert [one["driver"] for one in found["not_projected"]] == ["safety"]


@pytest.mark.parametrize(
    "body",
    [
        {"segment": "nowhere"},
        {"currency": "XXQ"},
        {"drivers": ["nothing"]},
        {"values": {"nothing": "1"}},
        {"values": {"per_minute": "0"}},
        {"scale": "-1"},
        {"scale": "1e40"},
        {"size": 3},
        [],
    ],
)
async def test_what_the_model_does_not_have_is_refused_by_name(world: World, body: object) -> None:
    answer = await ask(world, body)
    assert answer.status_code == 400
    assert answer.json()["detail"]
