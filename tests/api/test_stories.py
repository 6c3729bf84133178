from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from sqlalchemy import text

from tests.api.world import GLOBEX, HARBOR, MAY_4, World
from tests.value.factories import mark
from tests.value.three_parties import put_jobs
from valueplatform.api.stories import StoryOut
from valueplatform.core.scope import grant_all

STORY = f"/api/v1/accounts/{HARBOR}/story"


def insights(story: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield story["headline_insight"]
    yield from story["lead"]
    for chapter in story["chapters"]:
        yield from chapter["insights"]


@pytest.fixture
def world(read_only_world: World) -> World:
    return read_only_world


async def proof(world: World, insight_id: str, who: str = "admin", **params: Any) -> Any:
    return await world.get(f"/api/v1/insights/{insight_id}/proof", who, **params)


async def test_the_story_is_as_it_is_documented(world: World) -> None:
    for who, audience in (("champion", "customer"), ("admin", "customer"), ("tessera", "partner")):
        answer = (await world.get(STORY, who)).json()
        assert answer["audience"] == audience
        told = msgspec.convert(answer, StoryOut, strict=True)
        assert set(answer) == {field.encode_name for field in msgspec.structs.fields(StoryOut)}
        assert told.headline == told.headline_insight.text


async def test_a_kept_story_has_a_version_and_is_not_composed_again(world: World) -> None:
    first = (await world.get(STORY)).json()
    assert first["version"] == 1
    assert (await world.get(STORY)).json() == first
    tagged = await world.get(STORY)
    again = await world.client.get(STORY, headers={**world.keys["admin"], "if-none-match": tagged.headers["etag"]})
    assert again.status_code == 304


async def test_before_the_worker_has_told_it_a_story_is_composed_from_what_there_is(world: World) -> None:
    answer = (await world.get(f"/api/v1/accounts/{GLOBEX}/story")).json()
    assert (answer["version"], answer["status"]) == (0, "insufficient-data")
    assert answer["reason"]


@pytest.mark.parametrize(
    ("who", "audience", "status"),
    [
        ("admin", "customer", 200),
        ("admin", "steward", 200),
        ("admin", "executive", 200),
        ("admin", "partner", 200),
        ("champion", "executive", 200),
        ("champion", "steward", 403),
        ("champion", "partner", 403),
        ("tessera", "partner", 200),
        ("tessera", "customer", 403),
        ("tessera", "steward", 403),
        ("admin", "everybody", 400),
    ],
)
async def test_each_side_reads_its_own_stories(world: World, who: str, audience: str, status: int) -> None:
    answer = await world.get(STORY, who, audience=audience)
    assert answer.status_code == status
    assert status != 200 or answer.json()["audience"] == audience


async def test_a_partner_s_story_speaks_of_its_own_value_alone(world: World) -> None:
    told = {who: (await world.get(STORY, who)).json() for who in ("tessera", "waypoint")}
    values = {who: {n["value"] for i in insights(story) for n in i["numbers"]} for who, story in told.items()}
    assert "60.0000" in values["tessera"]
    assert "20.0000" in values["waypoint"]
    assert not values["tessera"] & {"260.0000", "180.0000", "20.0000"}
    assert "harbor.example" not in str(told)


async def test_every_number_of_the_story_opens_to_a_proof_that_agrees(world: World) -> None:
    story = (await world.get(STORY, "champion")).json()
    found = [insight for insight in insights(story) if insight["numbers"]]
    assert found
    for insight in found:
        for number in insight["numbers"]:
            answer = await proof(world, insight["id"], "champion", number=number["name"])
            assert (answer.status_code, answer.json()["agrees"]) == (200, True)
            assert answer.json()["stated"] == number["value"]


async def test_what_holds_no_longer_can_be_opened_all_the_same(own_world: World) -> None:
    insight = (await own_world.get(STORY)).json()["headline_insight"]
    async with own_world.databases.worker.transaction(grant_all()) as tx:
        await tx.execute(text("UPDATE insight SET until = now()"))
    answer = (await proof(own_world, insight["id"])).json()
    assert (answer["insight"]["holds"], answer["insight"]["id"]) == (False, insight["id"])


async def test_events_are_paged_and_masked_but_for_who_has_the_right(own_world: World) -> None:
    await put_jobs(own_world.databases, own_world.harbor, MAY_4, 30)
    await own_world.refresh(own_world.harbor)
    insight = (await own_world.get(STORY)).json()["headline_insight"]
    first = (await proof(own_world, insight["id"], "validator")).json()["events"]
    assert (len(first["sample"]), first["sample"][0]["data"] is not None) == (20, True)
    second = (await proof(own_world, insight["id"], "validator", cursor=first["next_cursor"])).json()["events"]
    assert {one["id"] for one in first["sample"]} & {one["id"] for one in second["sample"]} == set()
    masked = (await proof(own_world, insight["id"], "champion")).json()["events"]
    assert {one["data"] for one in masked["sample"]} == {None}


@pytest.mark.parametrize(
    ("insight_id", "params"),
    [("nothing", {}), ("ins_" + "0" * 20, {}), ("a%00b", {}), (None, {"number": "nothing"}), (None, {"cursor": "x"})],
)
async def test_what_is_not_there_cannot_be_opened(world: World, insight_id: str | None, params: dict[str, str]) -> None:
    wanted = insight_id or (await world.get(STORY)).json()["headline_insight"]["id"]
    for who in ("admin", "tessera"):
        assert (await proof(world, wanted, who, **params)).status_code in {400, 404}


async def test_an_insight_of_another_account_is_not_there(world: World) -> None:
    insight = (await world.get(STORY)).json()["headline_insight"]
    assert (await proof(world, insight["id"], "other")).status_code == 404


async def test_an_insight_without_numbers_has_nothing_to_prove(own_world: World) -> None:
    async with own_world.databases.worker.transaction(grant_all()) as tx:
        await mark(tx, own_world.globex, MAY_4, "account:created")
    await own_world.refresh(own_world.globex)
    story = (await own_world.get(f"/api/v1/accounts/{GLOBEX}/story")).json()
    (empty,) = {insight["id"] for insight in insights(story) if not insight["numbers"]}
    assert (await proof(own_world, empty)).status_code == 422


async def test_a_partner_opens_its_own_numbers_and_nobody_is_named(world: World) -> None:
    own = (await world.get(STORY, "tessera")).json()["headline_insight"]
    answer = (await proof(world, own["id"], "tessera")).json()
    assert (answer["agrees"], answer["stated"]) == (True, "60.0000")
    assert [driver["slug"] for driver in answer["drivers"]] == ["invoices_synced"]
    (assumption,) = answer["assumptions"]
    assert (assumption["slug"], assumption["author"], assumption["validator"], assumption["reason"]) == (
        "per_sync", "", None, "",
    )  # fmt: skip
    assert answer["events"] == {"count": None, "sample": [], "next_cursor": None, "is_exact": None}
    assert "harbor.example" not in str(answer)


async def test_a_partner_does_not_open_what_rests_on_rows_of_others(world: World) -> None:
    own = {one["id"] for one in insights((await world.get(STORY, "tessera")).json())}
    theirs = {one["id"] for one in insights((await world.get(STORY)).json())} - own
    theirs |= {one["id"] for one in insights((await world.get(STORY, "waypoint")).json())} - own
    assert theirs
    for insight_id in theirs:
        assert (await proof(world, insight_id, "tessera")).status_code == 404


async def test_an_id_that_partner_and_customer_share_opens_each_one_s_own_number(world: World) -> None:
    customer, partner = (await world.get(STORY)).json(), (await world.get(STORY, "tessera")).json()
    both = {one["id"] for one in insights(customer)} & {one["id"] for one in insights(partner)}
    for insight_id in both:
        stated = (await proof(world, insight_id, "tessera")).json()
        assert stated["stated"] not in {"260.0000", "180.0000"}


async def test_the_story_is_told_in_german_where_it_is_asked_for(world: World) -> None:
    english, german = [(await world.get(STORY, lang=lang)).json() for lang in ("en", "de")]

    assert (english["language"], german["language"]) == ("en", "de")
    assert german["version"] == english["version"]
    assert german["headline"] != english["headline"]
    ids = [[(i["id"], [n["value"] for n in i["numbers"]]) for i in insights(story)] for story in (english, german)]
    assert ids[0] == ids[1]
    assert (await world.get(STORY, lang="fr")).status_code == 400
