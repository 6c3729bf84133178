"""Where an account stands, as machines read it."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text

from tests.api.benchmark_world import TOP, a_benchmark_world
from tests.api.world import HARBOR, World, a_world
from tests.conftest import Server
from tests.value.benchmark_worlds import PROSPECT, compare
from tests.value.worth_worlds import estimate
from valueplatform.core.scope import grant_all

PATH = "/api/v1/accounts/{}/benchmarks"


@pytest.fixture
async def world(server: Server) -> AsyncIterator[World]:
    async with a_benchmark_world(server) as world:
        yield world


async def test_an_account_reads_its_place_beside_the_quartiles_of_its_segment(world: World) -> None:
    read = (await world.get(PATH.format(TOP), "champion")).json()
    (time,) = [one for one in read["drivers"] if one["driver"] == "time"]
    assert read["months"] == ["2026-03-01", "2026-04-01", "2026-05-01"]
    assert {(one["per"], one["cohort"], one["accounts"]) for one in time["compared"]} == {
        ("account", "big", 15), ("scale", "big", 15)
    }  # fmt: skip
    for one in time["compared"]:
        assert float(one["lower"]) <= float(one["median"]) <= float(one["upper"]) <= float(one["value"])
        assert float(one["percentile"]) > 80
    assert (time["evidence"], time["benefit_class"], time["unit"]) == ("benchmark", "capacity", "USD")


async def test_what_the_top_quartile_does_comes_with_its_counts_and_interval(world: World) -> None:
    read = (await world.get(PATH.format(TOP), "champion")).json()
    (time,) = [one for one in read["drivers"] if one["driver"] == "time"]
    (named,) = time["practice"]["habits"]
    habit = named["habit"]
    assert (named["title"], habit["top_using"], habit["top"], habit["rest_using"], habit["rest"]) == (
        "Tracking", 6, 6, 0, 18,
    )  # fmt: skip
    assert 0 < float(habit["low"]) < float(habit["difference"]) <= float(habit["high"])


async def test_who_has_sent_nothing_reads_what_others_have_and_no_place_of_its_own(world: World) -> None:
    read = (await world.get(PATH.format(PROSPECT), "admin")).json()
    (time,) = [one for one in read["drivers"] if one["driver"] == "time"]
    assert {(one["value"], one["percentile"]) for one in time["compared"]} == {(None, None)}
    assert time["total"] is None


async def test_no_answer_names_another_account(world: World) -> None:
    read = (await world.get(PATH.format(TOP), "champion")).text
    assert [n for n in range(23) if f'"a{n:02}"' in read] == []


async def test_a_partner_reads_its_own_drivers_alone(world: World) -> None:
    assert (await world.get(PATH.format(TOP), "tessera")).json()["drivers"] == []


async def test_in_another_currency_there_is_no_cohort_and_the_reason_says_so(world: World) -> None:
    statement = "UPDATE account_currency SET currency = 'JPY' WHERE account_id = :account"
    async with world.databases.worker.transaction(grant_all()) as tx:
        await tx.execute(text(statement), {"account": world.globex})
    assert (await world.get(PATH.format(PROSPECT), "admin")).json()["drivers"] == []


async def test_before_accounts_were_compared_the_read_says_that(server: Server) -> None:
    async with a_world(server) as world:
        read = (await world.get(PATH.format(HARBOR))).json()
        assert (read["as_of"], read["months"], read["drivers"]) == (None, [], [])
        assert await estimate(world.databases) > 0
        await compare(world.databases)
        assert (await world.get(PATH.format(HARBOR))).json()["as_of"] is not None


async def test_an_unchanged_read_is_not_sent_again(world: World) -> None:
    first = await world.get(PATH.format(TOP), "champion")
    again = await world.client.get(
        PATH.format(TOP), headers={**world.keys["champion"], "if-none-match": first.headers["etag"]}
    )
    assert again.status_code == 304


async def test_a_prospect_reads_its_projection_with_range_cohort_and_what_it_is_made_of(world: World) -> None:
    read = (await world.get(f"/api/v1/accounts/{PROSPECT}/projection")).json()["projection"]
    assert (read["state"], read["scale"], read["months"][0]) == ("projection", "seats", "2026-03-01")
    time = read["drivers"][0]
    assert (time["state"], time["evidence"], time["cohort_title"], time["accounts"]) == (
        "projection", "benchmark", "Big", 15,
    )  # fmt: skip
    assert float(time["low"]) < float(time["expected"]) < float(time["high"])
    assert float(time["expected"]) == pytest.approx(float(time["median"]) * float(time["scale"]))


async def test_an_account_with_value_has_no_projection(world: World) -> None:
    assert (await world.get(f"/api/v1/accounts/{TOP}/projection", "champion")).json() == {
        "account": TOP, "projection": None,
    }  # fmt: skip
    assert "projection" not in (await world.get(f"/api/v1/accounts/{TOP}/value", "champion")).json()


async def test_the_report_of_a_prospect_marks_what_is_projected(world: World) -> None:
    document = (await world.get(f"/api/v1/accounts/{PROSPECT}/report")).json()
    assert (document["projection"]["state"], document["rows"]) == ("projection", [])
    lines = (await world.get(f"/api/v1/accounts/{PROSPECT}/report", format="csv")).text.splitlines()
    rows = [dict(zip(lines[0].split(","), line.split(","), strict=True)) for line in lines[1:]]
    assert [(row["driver"], row["state"], row["realized"]) for row in rows] == [
        ("time", "projection", "0.0000"), ("calls", "projection", "0.0000"),
    ]  # fmt: skip
    assert rows[0]["projected_expected"] == document["projection"]["drivers"][0]["expected"]


async def test_a_partner_reads_no_projection_of_what_is_not_its_own(world: World) -> None:
    read = (await world.get(f"/api/v1/accounts/{PROSPECT}/projection", "tessera")).json()["projection"]
    assert (read["drivers"], read["not_projected"]) == ([], [])


async def test_what_similar_accounts_validated_stands_beside_an_assumption_that_nobody_stated(world: World) -> None:
    items = (await world.get(f"/api/v1/accounts/{PROSPECT}/assumptions")).json()["items"]
    offers = {one["slug"]: one["comparable"] for one in items}
    assert offers["per_open"] is None
    assert offers["per_minute"] == {
        "cohort": "big", "cohort_title": "Big", "accounts": 5, "unit": "USD/minute", "low": "1.8", "expected": "2.2",
        "high": "3", "coverage": "0.9375", "says": "From 5 similar companies in Big",
    }  # fmt: skip
    assert {one["state"] for one in items} == {"estimated"}
    partner = (await world.get(f"/api/v1/accounts/{PROSPECT}/assumptions", "tessera")).json()["items"]
    assert [one["comparable"] for one in partner if one["comparable"]] == []


async def test_a_steward_takes_it_as_an_estimate_and_the_record_says_where_it_is_from(world: World) -> None:
    path = f"/api/v1/accounts/{PROSPECT}/assumptions/estimate-from-comparable"
    made = await world.send("POST", path, "admin", {"slug": "per_minute"})
    assert made.status_code == 201
    entry = made.json()
    assert (entry["action"], entry["side"], float(entry["expected"])) == ("estimate", "supplier", 2.2)
    assert "5 similar companies in Big" in entry["reason"]
    assert (await world.send("POST", path, "admin", {"slug": "per_minute"})).status_code == 409
    assert (await world.send("POST", path, "admin", {"slug": "per_open"})).status_code == 404
    assert (await world.send("POST", path, "tessera", {"slug": "per_minute"})).status_code == 403
