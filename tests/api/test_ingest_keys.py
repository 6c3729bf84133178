"""Keys that send, and the last events of each, by the API."""

import asyncio
import re
from typing import Any
from uuid import uuid4

import pytest

from tests.api.world import GLOBEX, HARBOR, World, bearer
from tests.telemetry.factories import cloud_event
from valueplatform.core.authorization import KeyKind

KEYS = "/api/v1/ingest-keys"
BATCH = {"content-type": "application/cloudevents-batch+json"}


def id_of(world: World, who: str) -> str:
    found = re.match(r"Bearer vp_[a-z]+_([0-9a-f]{32})_", world.keys[who]["authorization"])
    assert found is not None
    return found[1]


async def give(world: World, *events: object, who: str = "ingest") -> None:
    assert (await world.send("POST", "/api/v1/events", who, list(events), **BATCH)).is_success


async def items(world: World, who: str = "admin", of: str = "ingest", **query: Any) -> list[dict[str, Any]]:
    answer = await world.get(f"{KEYS}/{id_of(world, of)}/events", who, **query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def test_every_event_is_listed_with_its_verdict(bare_world: World) -> None:
    event = cloud_event(id="1", account=HARBOR, subject="kim")
    await give(bare_world, event, event, event | {"data": {}}, cloud_event(id="2", account=HARBOR, time="soon"))

    found = await items(bare_world)

    assert [(one["event_id"], one["outcome"]) for one in found] == [
        ("2", "rejected"),
        ("1", "conflict"),
        ("1", "duplicate"),
        ("1", "stored"),
    ]
    assert (found[0]["code"], found[0]["type"]) == ("invalid_time", None)
    (rejected,) = (await bare_world.get("/api/v1/rejected-events")).json()["items"]
    assert found[0]["rejected_id"] == rejected["id"]
    assert (found[3]["account"], found[3]["subject"], found[3]["type"]) == (HARBOR, "kim", "job.done")
    assert [one["event_id"] for one in await items(bare_world, outcome="rejected")] == ["2"]


async def test_a_key_says_whether_anything_of_it_was_taken(bare_world: World) -> None:
    async def state() -> tuple[object, object]:
        (key,) = (await bare_world.get(KEYS)).json()["items"]
        return key["last_outcome"], key["taken_at"] is not None

    assert await state() == (None, False)
    await give(bare_world, cloud_event(time="soon"))
    assert await state() == ("rejected", False)
    await give(bare_world, cloud_event(account=HARBOR))
    assert await state() == ("stored", True)


async def test_an_ingest_key_sees_itself_and_its_own_events_whatever_they_name(bare_world: World) -> None:
    bare_world.keys["limited"] = bearer(
        await bare_world.make_key(KeyKind.INGEST, "limited", [bare_world.harbor], sources=["/app"])
    )
    given = [cloud_event(account=name, subject="kim") for name in (HARBOR, GLOBEX)]
    await give(bare_world, *given, {"id": "nothing else"}, who="limited")

    assert [key["name"] for key in (await bare_world.get(KEYS, "limited")).json()["items"]] == ["limited"]
    found = await items(bare_world, "limited", "limited")
    assert [(one["outcome"], one["account"], one["subject"]) for one in found] == [
        ("rejected", None, None),
        ("rejected", None, None),
        ("stored", HARBOR, None),
    ]
    for other in (id_of(bare_world, "ingest"), uuid4().hex):
        assert (await bare_world.get(f"{KEYS}/{other}/events", "limited")).status_code == 404


async def test_an_admin_key_of_one_account_sees_nothing_of_another(bare_world: World) -> None:
    bare_world.keys["of-harbor"] = bearer(await bare_world.make_key(KeyKind.ADMIN, "mine", [bare_world.harbor]))
    bare_world.keys["of-globex"] = bearer(await bare_world.make_key(KeyKind.INGEST, "theirs", [bare_world.globex]))
    await give(bare_world, cloud_event(id="h", account=HARBOR), cloud_event(id="g", account=GLOBEX), {"id": "n"})
    await give(bare_world, cloud_event(account=GLOBEX), who="of-globex")

    assert [one["event_id"] for one in await items(bare_world, "of-harbor")] == ["h"]
    assert [key["name"] for key in (await bare_world.get(KEYS, "of-harbor")).json()["items"]] == ["ingest"]
    answer = await bare_world.get(f"{KEYS}/{id_of(bare_world, 'of-globex')}/events", "of-harbor")
    unknown = await bare_world.get(f"{KEYS}/{uuid4()}/events", "of-harbor")
    assert answer.status_code == unknown.status_code == 404
    assert answer.json()["code"] == unknown.json()["code"]


async def test_subjects_need_the_right_to_single_events(bare_world: World) -> None:
    bare_world.keys["narrow"] = bearer(await bare_world.make_key(KeyKind.ADMIN, "narrow", scopes=["ingest-keys:read"]))
    await give(bare_world, cloud_event(account=HARBOR, subject="kim"))
    assert [one["subject"] for one in await items(bare_world)] == ["kim"]
    assert [one["subject"] for one in await items(bare_world, "narrow")] == [None]


async def test_a_key_without_the_right_is_told_which_one(bare_world: World) -> None:
    bare_world.keys["writer"] = bearer(await bare_world.make_key(KeyKind.INGEST, "writer", scopes=["events:write"]))
    for path in (KEYS, f"{KEYS}/{id_of(bare_world, 'writer')}/events"):
        answer = await bare_world.get(path, "writer")
        assert (answer.status_code, answer.json()["missing"]) == (403, "ingest-keys:read")


async def test_pages_end(bare_world: World) -> None:
    await give(bare_world, *(cloud_event(id=str(n), account=HARBOR) for n in range(5)))
    seen, cursor = [], None
    while True:
        query: dict[str, Any] = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = (await bare_world.get(f"{KEYS}/{id_of(bare_world, 'ingest')}/events", **query)).json()
        seen += [one["event_id"] for one in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == ["4", "3", "2", "1", "0"]


@pytest.mark.parametrize(("name", "value"), [("limit", 0), ("limit", 501), ("cursor", "x"), ("outcome", "lost")])
async def test_what_cannot_be_asked_for_is_refused(bare_world: World, name: str, value: object) -> None:
    query: dict[str, Any] = {name: value}
    answer = await bare_world.get(f"{KEYS}/{id_of(bare_world, 'ingest')}/events", **query)
    assert answer.status_code == 400


async def test_more_previews_than_may_wait_are_answered_429(bare_world: World) -> None:
    """All at once: those that find no place are told when to come back, and none is lost."""
    sent = [bare_world.send("POST", "/api/v1/events/preview", "ingest", cloud_event(account=HARBOR)) for _ in range(40)]
    answers = await asyncio.gather(*sent)
    told = {answer.status_code for answer in answers}
    assert told <= {200, 429}
    assert all(answer.headers["retry-after"] == "1" for answer in answers if answer.status_code == 429)
    assert any(answer.status_code == 200 for answer in answers)
