from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from tests.api.world import HARBOR, World
from tests.value.three_parties import put_jobs, put_syncs

BRIDGE = f"/api/v1/accounts/{HARBOR}/bridge"
MAY = {"from": "2026-05-01", "to": "2026-06-01"}


@pytest.fixture
def world(read_only_world: World) -> World:
    return read_only_world


def assert_adds_up(part: Mapping[str, Any]) -> None:
    assert sum(map(Decimal, part["parts"].values())) == Decimal(part["change"])
    assert Decimal(part["after"]) - Decimal(part["before"]) == Decimal(part["change"])


async def test_the_default_is_the_last_whole_month_against_the_one_before(world: World) -> None:
    answer = await world.get(BRIDGE)
    assert answer.status_code == 200
    body = answer.json()
    assert (body["from"], body["to"], body["against_from"], body["against_to"]) == (
        "2026-05-01", "2026-06-01", "2026-04-01", "2026-05-01",
    )  # fmt: skip
    assert [row["driver"] for row in body["rows"]] == [
        "arrivals_told", "crews_reached", "dispatch_time", "invoices_synced",
    ]  # fmt: skip
    for row in body["rows"]:
        assert_adds_up(row)
        assert row["parts"]["new"] == row["after"]
    assert_adds_up(body["totals"])
    assert body["totals"]["after"] == "260.0000"


async def test_both_ends_are_those_of_the_value_read(world: World) -> None:
    days = {"from": "2026-05-05", "to": "2026-05-06", "against_from": "2026-05-04", "against_to": "2026-05-05"}
    body = (await world.get(BRIDGE, **days)).json()
    value = f"/api/v1/accounts/{HARBOR}/value"
    for end, first, last in (("after", "from", "to"), ("before", "against_from", "against_to")):
        rows = (await world.get(value, **{"from": days[first], "to": days[last]})).json()["rows"]
        told = {row["driver"]: row[end] for row in body["rows"] if Decimal(row[end])}
        assert told == {row["driver"]: row["realized"] for row in rows}


async def test_it_may_be_cut_and_narrowed(world: World) -> None:
    body = (await world.get(BRIDGE, by="provider,system", driver="invoices_synced")).json()
    (row,) = body["rows"]
    assert (row["provider"], row["members"], row["change"]) == ("tessera", {"system": "sage"}, "60.0000")
    assert "driver" not in row


@pytest.mark.parametrize(
    ("query", "status", "says"),
    [
        ({"by": "team"}, 422, "or a dimension of the meters (system)"),
        ({"by": "system"}, 422, "driver=invoices_synced"),
        ({"driver": "none"}, 422, "There is no driver 'none'"),
        ({"from": "2026-05-01"}, 400, "belong together"),
        ({"from": "2026-05-02", "to": "2026-05-01"}, 400, "must be after"),
        ({"from": "soon", "to": "2026-05-01"}, 400, "from"),
    ],
)
async def test_what_cannot_be_answered_is_a_problem_with_its_cure(
    world: World, query: dict[str, str], status: int, says: str
) -> None:
    answer = await world.get(BRIDGE, **query)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert says in answer.text


async def test_a_partner_reads_its_own_rows_and_nothing_of_others(world: World) -> None:
    body = (await world.get(BRIDGE, who="waypoint")).json()
    assert [row["driver"] for row in body["rows"]] == ["arrivals_told"]
    assert body["totals"]["after"] == "20.0000"
    other = await world.get(BRIDGE, who="waypoint", driver="dispatch_time")
    unknown = await world.get(BRIDGE, who="waypoint", driver="none")
    assert other.json()["detail"].replace("dispatch_time", "none") == unknown.json()["detail"]


async def test_what_has_not_changed_is_not_sent_again(world: World) -> None:
    first = await world.get(BRIDGE)
    again = await world.client.get(BRIDGE, headers={**world.keys["admin"], "if-none-match": first.headers["etag"]})
    assert again.status_code == 304


async def test_parts_of_two_months(own_world: World) -> None:
    await put_jobs(own_world.databases, own_world.harbor, date(2026, 4, 7), 30)
    await put_syncs(own_world.databases, own_world.harbor, date(2026, 4, 7), 10)
    await own_world.refresh(own_world.harbor)
    body = (await own_world.get(BRIDGE, **MAY)).json()
    told = {row["driver"]: {name: part for name, part in row["parts"].items() if Decimal(part)} for row in body["rows"]}
    assert told == {
        "arrivals_told": {"new": "20.0000"},
        "crews_reached": {"volume": "1.0000"},
        "dispatch_time": {"volume": "-90.0000"},
        "invoices_synced": {"volume": "40.0000"},
    }
    volume = next(row["volume"] for row in body["rows"] if row["driver"] == "dispatch_time")
    assert volume == {"meter": "jobs", "before": "30", "after": "20", "days_before": 1, "days_after": 2}
