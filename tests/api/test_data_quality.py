from datetime import timedelta
from typing import Any

import pytest

from tests.api.world import HARBOR, World
from tests.telemetry.factories import cloud_event
from valueplatform.core.scope import grant_all
from valueplatform.telemetry.findings import keep_findings
from valueplatform.telemetry.intake_sums import sum_intake
from valueplatform.telemetry.quality import WARNING, Found

QUALITY = "/api/v1/data-quality"


async def items(world: World, **params: Any) -> list[dict[str, Any]]:
    answer = await world.get(QUALITY, **params)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def send(world: World, *events: dict[str, Any]) -> None:
    cloud = {"content-type": "application/cloudevents-batch+json"}
    answer = await world.send("POST", "/api/v1/events", "ingest", list(events), **cloud)
    assert answer.is_success, answer.text
    async with world.databases.worker.transaction(grant_all()) as tx:
        await sum_intake(tx)


async def test_before_anything_is_sent_it_is_empty(bare_world: World) -> None:
    assert (await bare_world.get(QUALITY)).json() == {"items": [], "next_cursor": None}


async def test_a_source_tells_what_came_in_and_what_was_found(world: World) -> None:
    event = cloud_event(account=HARBOR, source="probe", id="1", time=world.clock().isoformat())
    await send(world, event, event, {**event, "type": "other"}, {**event, "id": "2", "time": "soon"})
    today = world.clock().date()
    found = Found("freshness", "probe", "every day", "none", WARNING, "probe", today - timedelta(days=2), today)
    async with world.databases.worker.transaction(grant_all()) as tx:
        await keep_findings(tx, world.harbor, [found], world.clock(), looked=())
    (one,) = await items(world, source="probe")
    assert (one["account"], one["source"]) == (HARBOR, "probe")
    assert one["intake"] == {
        "received": 4, "duplicates": 1, "conflicts": 1, "rejected": 1, "clock_ahead_seconds": None,
    }  # fmt: skip
    (finding,) = one["findings"]
    assert (finding["what"], finding["severity"], finding["usual"]) == ("freshness", "warning", "every day")
    assert await items(world, filter="open") == [one]
    assert await items(world, filter="open", account="globex") == []


async def test_pages_lead_to_every_source_once(world: World) -> None:
    await send(world, *(cloud_event(account=HARBOR, source=f"s{number}") for number in range(5)))
    names: list[str] = []
    cursor = None
    while cursor is not None or not names:
        page = (await world.get(QUALITY, limit=2, **({"cursor": cursor} if cursor else {}))).json()
        names += [one["source"] for one in page["items"]]
        cursor = page["next_cursor"]
    assert names == [one["source"] for one in await items(world)]
    assert {f"s{number}" for number in range(5)} <= set(names)


@pytest.mark.parametrize("params", [{"filter": "bad"}, {"limit": "0"}, {"cursor": "x"}, {"account": "\0"}])
async def test_what_cannot_be_asked_for_is_refused(world: World, params: dict[str, str]) -> None:
    assert (await world.get(QUALITY, **params)).status_code == 400


@pytest.mark.parametrize("who", ["ingest", "tessera", "champion", "validator"])
async def test_it_is_for_those_who_run_the_platform(world: World, who: str) -> None:
    assert (await world.get(QUALITY, who)).status_code == 403
