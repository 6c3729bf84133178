from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.api.world import GLOBEX, HARBOR, World
from tests.value.factories import put_events, put_model
from tests.value.seven_meters import SEVEN

NOON = datetime(2026, 5, 4, 16, tzinfo=UTC)
MAY = {"from": "2026-05-01", "to": "2026-06-01"}


@pytest.fixture
def world(read_only_world: World) -> World:
    return read_only_world


async def query(world: World, meter: str = "jobs", who: str = "admin", **params: Any) -> Any:
    return await world.get(f"/api/v1/meters/{meter}/query", who, **params)


async def test_meters_are_described_in_openmeter_s_words(world: World) -> None:
    found = {one["slug"]: one for one in (await world.get("/api/v1/meters", "tessera")).json()["items"]}
    assert found["minutes"] == {
        "slug": "minutes",
        "title": "minutes",
        "aggregation": "SUM",
        "eventTypes": ["job.dispatched"],
        "valueProperty": "minutes",
        "groupBy": [],
        "filter": "channel = 'app' or channel is null",
    }


async def test_values_come_by_local_day_as_exact_numbers(world: World) -> None:
    answer = await query(world, "minutes", windowSize="DAY", account=HARBOR, **MAY)
    assert answer.json() == {
        "from": "2026-05-01",
        "to": "2026-06-01",
        "windowSize": "DAY",
        "data": [
            {
                "value": 20,
                "windowStart": f"2026-05-{day:02}T04:00:00Z",
                "windowEnd": f"2026-05-{day + 1:02}T04:00:00Z",
                "subject": None,
                "groupBy": {},
            }
            for day in (4, 5)
        ],
    }


async def test_groups_may_be_listed_or_repeated(world: World) -> None:
    listed = (await query(world, "syncs", groupBy="system,account", **MAY)).json()["data"]
    repeated = (await query(world, "syncs", groupBy=["system", "account"], **MAY)).json()["data"]
    assert listed == repeated
    assert [(one["value"], one["groupBy"]) for one in listed] == [(30, {"system": "sage", "account": HARBOR})]


async def test_without_times_the_last_thirty_days_are_read(world: World) -> None:
    assert (await query(world)).json()["data"] == []  # May is longer ago
    answer = (await query(world, to="2026-05-06")).json()
    assert (answer["from"], answer["data"][0]["value"]) == ("2026-04-06", 20)


async def test_a_partner_reads_its_own_events(world: World) -> None:
    assert (await query(world, "syncs", "tessera", **MAY)).json()["data"][0]["value"] == 30
    for meter in ("jobs", "etas"):
        assert (await query(world, meter, "tessera", **MAY)).json()["data"] == []


async def test_subjects_need_the_right_to_single_events(world: World) -> None:
    for params in ({"groupBy": "subject"}, {"subject": "truck-1"}):
        assert (await query(world, who="champion", **MAY, **params)).json()["missing"] == "events:read"
        assert (await query(world, who="validator", **MAY, **params)).status_code == 200


async def test_an_account_out_of_scope_is_not_there(world: World) -> None:
    for key in (GLOBEX, "nobody"):
        assert (await query(world, who="champion", account=key, **MAY)).status_code == 404


async def test_averages_extremes_and_the_latest_come_in_the_same_shape(own_world: World) -> None:
    databases = own_world.databases
    await put_model(databases, SEVEN)
    for number, minutes in enumerate(("1", "1", "0", None)):
        data = {"minutes": minutes, "channel": "app"}
        await put_events(databases, own_world.globex, [(NOON + timedelta(minutes=number), data)])
    asked = {"windowSize": "HOUR", "windowTimeZone": "Asia/Kathmandu", "account": GLOBEX, **MAY}
    for meter, value in (("mean", "0.666666667"), ("least", "0"), ("most", "1"), ("level", "0")):
        answer = await query(own_world, meter, **asked)
        assert f'"value":{value},' in answer.text
        (one,) = answer.json()["data"]
        assert set(one) == {"value", "windowStart", "windowEnd", "subject", "groupBy"}
        assert (one["windowStart"], one["windowEnd"]) == ("2026-05-04T15:15:00Z", "2026-05-04T16:15:00Z")


@pytest.mark.parametrize(
    ("params", "status"),
    [
        ({"from": "2026-05-01", "to": "2026-05-01"}, 400),
        ({"from": "May"}, 400),
        ({"from": "0001-01-01"}, 400),
        ({"to": "9999-12-31T23:59:59-14:00"}, 400),
        ({"from": "2026-05-01T00:00:00+01:00", "to": "2026-05-02"}, 200),
        ({"windowSize": "YEAR"}, 400),
        ({"windowTimeZone": "Mars/Olympus"}, 400),
        ({"windowTimeZone": "../etc/passwd"}, 400),
        ({"windowTimeZone": "a\0"}, 400),
        ({"groupBy": "nothing"}, 400),
        ({"account": "a\0b"}, 400),
        ({"subject": "a\0b"}, 400),
    ],
)
async def test_what_cannot_be_asked_is_refused(world: World, params: dict[str, str], status: int) -> None:
    assert (await query(world, "minutes", **params)).status_code == status


async def test_a_meter_that_the_model_lacks_is_not_there(world: World) -> None:
    assert (await query(world, "nothing")).status_code == 404
