from collections.abc import AsyncIterator
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from sqlalchemy import text

from tests.api.world import World
from tests.api.worth_world import ODD, a_worth_world
from tests.conftest import Server
from tests.telemetry.factories import cloud_event
from valueplatform.core.authorization import KeyKind
from valueplatform.core.scope import grant_all
from valueplatform.telemetry.catalog_count import count_some, note_marks

CATALOG = "/api/v1/catalog"
OWNER = f"{CATALOG}/job.dispatched/owner"


async def count(world: World) -> None:
    async with world.databases.worker.transaction(grant_all()) as tx:
        await note_marks(tx)
        while await count_some(tx):
            pass


async def send(world: World, *events: dict[str, Any]) -> None:
    cloud = {"content-type": "application/cloudevents-batch+json"}
    answer = await world.send("POST", "/api/v1/events", "ingest", list(events), **cloud)
    assert answer.status_code == 204, answer.text
    await count(world)


async def catalog(world: World, **params: Any) -> dict[str, Any]:
    answer = await world.get(CATALOG, **params)
    assert answer.status_code == 200, answer.text
    return {entry["type"]: entry for entry in answer.json()["items"]}


async def test_before_anything_is_sent_it_is_empty(bare_world: World) -> None:
    assert (await bare_world.get(CATALOG)).json() == {"items": [], "next_cursor": None}


async def test_each_type_says_how_much_of_it_came_and_what_it_feeds(world: World) -> None:
    await count(world)
    found = await catalog(world)
    entry = found["job.dispatched"]
    stored = text("SELECT count(*) FROM event WHERE type = 'job.dispatched'")
    async with world.databases.worker.transaction(grant_all()) as tx:
        assert entry["events"] == await tx.scalar(stored)
    assert (entry["mapped"], entry["accounts"], entry["owner"]) == (True, 1, None)
    assert entry["meters"]
    assert entry["drivers"]
    assert all(set(one["drivers"]) <= set(entry["drivers"]) for one in entry["properties"])


async def test_mapped_and_unmapped_are_two_halves_of_all(world: World) -> None:
    await send(world, cloud_event(type="export.made"), cloud_event(type="a/b c"))
    everything, mapped, unmapped = [await catalog(world, filter=one) for one in ("all", "mapped", "unmapped")]
    assert mapped | unmapped == everything
    assert set(unmapped) == {"export.made", "a/b c"}
    assert not any(entry["meters"] or entry["drivers"] for entry in unmapped.values())


async def test_pages_lead_to_every_type_once(world: World) -> None:
    await send(world, *(cloud_event(type=f"t{n}") for n in range(5)))
    names: list[str] = []
    cursor = None
    while cursor is not None or not names:
        page = (await world.get(CATALOG, limit=2, **({"cursor": cursor} if cursor else {}))).json()
        names += [entry["type"] for entry in page["items"]]
        cursor = page["next_cursor"]
    assert names == list(await catalog(world))


async def test_an_example_is_shown_once_several_accounts_have_sent_it(world: World) -> None:
    data = {"channel": "app", "user": "kim", "note": "Call Kim Berg", "n": 7}
    await send(world, *(cloud_event(type="x", account=f"a{n}", data=data) for n in range(2)))
    assert {one["example"] for one in (await catalog(world))["x"]["properties"]} == {None}
    await send(world, cloud_event(type="x", account="a2", data=data))
    shown = {one["path"]: one["example"] for one in (await catalog(world))["x"]["properties"]}
    assert shown == {"channel": "app", "n": "7", "note": None, "user": None}
    await send(world, cloud_event(type="x", account="a3", data={"channel": "kim@acme.example"}))
    shown = {one["path"]: one["example"] for one in (await catalog(world))["x"]["properties"]}
    assert shown["channel"] is None


async def test_a_key_of_some_accounts_sees_what_they_sent(world: World) -> None:
    await send(world, cloud_event(type="x", account="harbor"), cloud_event(type="x", account="acme"))
    world.keys["some"] = {"authorization": f"Bearer {await world.make_key(KeyKind.ADMIN, 'some', [world.harbor])}"}
    (entry,) = [one for one in (await world.get(CATALOG, "some")).json()["items"] if one["type"] == "x"]
    assert (entry["events"], entry["accounts"]) == (1, 1)


async def test_an_owner_is_set_changed_and_taken_away_and_the_record_keeps_all(world: World) -> None:
    await count(world)
    told = (await world.send("PUT", OWNER, "admin", {"owner": " Dispatch team "})).json()
    assert (told["type"], told["owner"]["name"], told["owner"]["set_by"]) == (
        "job.dispatched",
        "Dispatch team",
        "key admin",
    )
    assert (await catalog(world))["job.dispatched"]["owner"] == told["owner"]
    for owner in ("Dispatch team", "Größe 📦", ""):
        await world.send("PUT", OWNER, "admin", {"owner": owner})
    assert (await catalog(world))["job.dispatched"]["owner"] is None
    async with world.databases.worker.transaction(grant_all()) as tx:
        kept = await tx.rows(text("SELECT owner FROM catalog_owner ORDER BY entry_id"))
    assert [row.owner for row in kept] == ["Dispatch team", "Größe 📦", ""]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        (f"{CATALOG}/nothing/owner", {"owner": "x"}, 404),
        (f"{CATALOG}/%00/owner", {"owner": "x"}, 404),
        (OWNER, {"owner": "x" * 201}, 400),
        (OWNER, {"owner": "a\0b"}, 400),
        (OWNER, {"owner": 5}, 400),
        (OWNER, {}, 400),
        (OWNER, {"owner": "x", "more": 1}, 400),
    ],
)
async def test_what_cannot_be_owned_is_refused(world: World, path: str, body: object, status: int) -> None:
    await count(world)
    assert (await world.send("PUT", path, "admin", body)).status_code == status


async def test_half_a_character_is_no_owner(world: World) -> None:
    await count(world)
    body = rb'{"owner": "\ud800"}'
    answer = await world.client.put(OWNER, headers=world.keys["admin"], content=body)
    assert answer.status_code == 400


@pytest.mark.parametrize("params", [{"cursor": "x"}, {"limit": 0}, {"limit": 501}, {"filter": "nothing"}])
async def test_what_cannot_be_asked_is_refused(world: World, params: dict[str, Any]) -> None:
    assert (await world.get(CATALOG, **params)).status_code == 400


@pytest.mark.parametrize("who", ["tessera", "champion", "validator", "ingest"])
async def test_it_is_for_the_supplier_alone(world: World, who: str) -> None:
    assert (await world.get(CATALOG, who)).status_code == 403
    assert (await world.send("PUT", OWNER, who, {"owner": "x"})).status_code == 403


# --- what types are worth


@pytest.fixture
async def worthy(server: Server) -> AsyncIterator[World]:
    async with a_worth_world(server) as world:
        yield world


async def test_each_type_says_what_it_is_worth_a_month_and_what_would_come(worthy: World) -> None:
    entry = (await catalog(worthy))["tracking.opened"]
    worth = entry["worth"]
    assert worth["months"] == ["2026-03-01", "2026-04-01", "2026-05-01"]
    (realized,), (potential,) = worth["realized"], worth["potential"]
    assert (realized["driver"], realized["unit"], realized["accounts"], realized["state"]) == (
        "calls",
        "USD",
        6,
        "estimated",
    )
    assert (potential["reach"], potential["basis"], potential["accounts"]) == ("more", "size", 3)
    assert 0 < Decimal(potential["low"]) < Decimal(potential["expected"]) < Decimal(potential["high"])
    paths = {one["path"]: one["worth"] for one in entry["properties"]}
    assert paths["opens"]["realized"] == worth["realized"]


async def test_a_property_that_only_cuts_has_no_worth(worthy: World) -> None:
    paths = {one["path"]: one["worth"] for one in (await catalog(worthy))["job.done"]["properties"]}
    assert paths["team"] is None
    assert paths["minutes"]["realized"]


async def test_what_cannot_be_estimated_says_why(worthy: World) -> None:
    reasons = {
        kind: [one["reason"] for one in entry["worth"]["not_estimated"]]
        for kind, entry in (await catalog(worthy)).items()
    }
    assert reasons[ODD] == ["nothing-alike"]
    assert reasons["list.done"] == ["not-looked-at"]  # three accounts send it
    assert reasons["job.done"] == ["all-send"]


async def test_by_value_the_most_comes_first_and_every_type_comes_once(worthy: World) -> None:
    names: list[str] = []
    cursor = None
    while cursor is not None or not names:
        asked: dict[str, Any] = {"sort": "value", "limit": 2} | ({"cursor": cursor} if cursor else {})
        page = (await worthy.get(CATALOG, **asked)).json()
        names += [entry["type"] for entry in page["items"]]
        cursor = page["next_cursor"]
    assert names[:2] == ["tracking.opened", "job.done"]
    assert sorted(names) == sorted(await catalog(worthy))
    assert list(await catalog(worthy, sort="value", filter="unmapped")) == names[2:]
    assert list(await catalog(worthy, sort="value", filter="mapped")) == names[:2]


async def test_types_that_no_account_sends_are_a_list_of_their_own(worthy: World) -> None:
    found = await catalog(worthy, filter="not-sent")
    assert set(found) == {"safety.checked", "incident.reported", "login", "quote.accepted"}
    entry = found["safety.checked"]
    assert (entry["events"], entry["accounts"], entry["first_seen"], entry["properties"]) == (0, 0, None, [])
    assert (entry["mapped"], entry["drivers"], entry["effort"]["size"]) == (True, ["safety"], "medium")
    page = (await worthy.get(CATALOG, filter="not-sent", limit=2)).json()
    rest = (await worthy.get(CATALOG, filter="not-sent", limit=2, cursor=page["next_cursor"])).json()
    assert [one["type"] for one in (*page["items"], *rest["items"])] == sorted(found)
    assert rest["next_cursor"] is None


async def test_amounts_are_for_keys_that_may_read_value(worthy: World) -> None:
    entries = (await worthy.get(CATALOG, "counts")).json()["items"]
    assert {entry["worth"] for entry in entries} == {None}
    assert {one["worth"] for entry in entries for one in entry["properties"]} == {None}
    assert (await worthy.get(CATALOG, "counts", sort="value")).status_code == 403
    assert (await worthy.get(f"{CATALOG}/estimates", "counts", type="job.done")).status_code == 403


async def test_a_key_of_some_accounts_sees_what_these_are_worth(worthy: World) -> None:
    (job,) = (await worthy.get(CATALOG, "some")).json()["items"]
    assert [one["accounts"] for one in job["worth"]["realized"]] == [1]
    opened = (await worthy.get(f"{CATALOG}/estimates", "some", type="tracking.opened")).json()
    assert {one["account"] for one in opened["accounts"]["items"]} == {"small"}
    assert opened["drivers"][0]["cohorts"][0]["peers"] == 6


async def test_an_estimate_opens_to_all_that_it_is_made_from(worthy: World) -> None:
    entry = (await catalog(worthy))["tracking.opened"]["worth"]
    rows: list[dict[str, Any]] = []
    cursor = None
    while cursor is not None or not rows:
        asked: dict[str, Any] = {"type": "tracking.opened", "limit": 2} | ({"cursor": cursor} if cursor else {})
        opened = (await worthy.get(f"{CATALOG}/estimates", **asked)).json()
        rows += opened["accounts"]["items"]
        cursor = opened["accounts"]["next_cursor"]
    (driver,) = opened["drivers"]
    (cohort,) = driver["cohorts"]
    more = [one for one in rows if one["part"] == "more"]
    for one in more:
        exact = Fraction(cohort["expected"]) * Fraction(one["size"]) / 3
        assert abs(Fraction(one["expected"]) - exact) <= Fraction(1, 20000)
    assert sum(Decimal(one["expected"]) for one in more) == Decimal(entry["potential"][0]["expected"])
    realized = [one for one in rows if one["part"] == "realized"]
    total = sum((Fraction(one["expected"]) for one in realized), Fraction(0)) / 3
    assert abs(Fraction(entry["realized"][0]["expected"]) - total) <= Fraction(1, 20000)
    by_month = [sum(Decimal(one["by_month"][at]) for one in realized) for at in range(3)]
    assert by_month == [Decimal(one["expected"]) for one in driver["months"][0]["months"]]


@pytest.mark.parametrize("params", [{"type": "nothing"}, {"type": ODD, "property": "x"}])
async def test_of_what_was_not_estimated_nothing_opens(worthy: World, params: dict[str, str]) -> None:
    assert (await worthy.get(f"{CATALOG}/estimates", **params)).status_code == 404


@pytest.mark.parametrize("cursor", ["x", "WyJhIl0", "Imki", "IlsxXSI"])
async def test_a_cursor_that_was_not_given_is_refused(worthy: World, cursor: str) -> None:
    answer = await worthy.get(f"{CATALOG}/estimates", type="job.done", cursor=cursor)
    assert answer.status_code == 400


async def test_before_the_first_estimate_there_is_no_worth(world: World) -> None:
    await count(world)
    assert {entry["worth"] for entry in (await catalog(world)).values()} == {None}
    assert list(await catalog(world, sort="value")) == list(await catalog(world))
    assert (await world.get(f"{CATALOG}/estimates", type="job.dispatched")).status_code == 404
