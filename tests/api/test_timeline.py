"""One timeline, and how long it took until value came: in one order, each told what it may be told."""

from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import text

from tests.api.test_attainment import close, dispute_everything
from tests.api.test_plan_terms import a_draft, a_target, both_sign, with_sponsor
from tests.api.world import HARBOR, World
from tests.value.three_parties import put_jobs, put_syncs
from valueplatform.core.scope import grant_accounts, grant_all
from valueplatform.value.time_to_value import NO_COHORT, NOT_FOR_PARTNERS, Step
from valueplatform.value.ways import Scope, WayFigure, Ways
from valueplatform.value.ways_store import put_ways

BASE = f"/api/v1/accounts/{HARBOR}"
MAY = date(2026, 5, 1)


async def a_history(world: World) -> None:
    await with_sponsor(world)
    async with world.databases.worker.transaction(grant_accounts([world.harbor])) as tx:
        contract = text("""
            INSERT INTO contract (account_id, contract_id, start_day, end_day, amount, currency, period, kind, provider)
            VALUES (:account, 'c1', DATE '2026-04-01', DATE '2027-04-01', 100, 'USD', 'month', 'new', 'supplier')
        """)
        await tx.execute(contract, {"account": world.harbor})
    for name, kind, time in (
        ("live", "go-live", "2026-05-02T12:00:00Z"),
        ("deal", "opportunity", "2026-05-03T12:00:00Z"),
        ("more", "rollout", "2026-05-04T12:00:00Z"),
    ):
        stone = {"kind": kind, "time": time, "title": name}
        assert (await world.send("PUT", f"{BASE}/milestones/{name}", "champion", stone)).is_success
    await a_draft(world, a_target(expected="1"))
    await both_sign(world)
    await close(world, MAY, date(2026, 6, 16))
    await put_jobs(world.databases, world.harbor, date(2026, 5, 6), 7)
    await put_syncs(world.databases, world.harbor, date(2026, 5, 6), 7)
    world.clock.now = datetime(2026, 6, 20, 16, tzinfo=UTC)
    await world.refresh(world.harbor)


async def told(world: World, who: str, **asked: Any) -> list[dict[str, Any]]:
    answer = await world.get(f"{BASE}/timeline", who, **asked)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def test_everything_stands_in_one_order(world: World) -> None:
    await a_history(world)
    found = await told(world, "sponsor")
    assert [one["time"] for one in found] == sorted(one["time"] for one in found)
    kinds = {(one["kind"], one["what"]) for one in found}
    assert kinds >= {
        ("contract", "start"),
        ("contract", "end"),
        ("milestone", "go-live"),
        ("milestone", "opportunity"),
        ("plan", "drafted"),
        ("plan", "signed"),
        ("close", "close"),
        ("assumption", "validate"),
        ("model", "applied"),
    }
    adjusted = [one for one in found if one["kind"] == "adjustment"]
    assert adjusted
    assert all(one["amount"] and one["unit"] and "May 2026" in one["title"] for one in adjusted)
    signed = [one for one in found if one["what"] == "signed"]
    assert {one["side"] for one in signed} == {"customer", "supplier"}


async def test_pages_go_on_where_the_last_one_ended(world: World) -> None:
    await a_history(world)
    whole = await told(world, "sponsor")
    got, cursor = [], None
    while True:
        asked = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = (await world.get(f"{BASE}/timeline", "sponsor", **asked)).json()
        got += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert got == whole
    assert (await world.get(f"{BASE}/timeline", "sponsor", cursor="x")).status_code == 400


async def test_kinds_are_chosen(world: World) -> None:
    await a_history(world)
    assert {one["kind"] for one in await told(world, "sponsor", kinds="plan, close")} == {"plan", "close"}
    assert (await world.get(f"{BASE}/timeline", "sponsor", kinds="plan,people")).status_code == 400


async def test_contracts_are_for_who_may_read_them(world: World) -> None:
    await a_history(world)
    assert "contract" not in {one["kind"] for one in await told(world, "champion")}
    assert await told(world, "champion", kinds="contract") == []


async def test_a_partner_sees_neither_contracts_nor_people_nor_disputes(world: World) -> None:
    await a_history(world)
    found = await told(world, "tessera")
    assert {one["kind"] for one in found} == {"milestone", "close", "adjustment"}
    assert {one["what"] for one in found if one["kind"] == "milestone"} == {"go-live", "rollout"}
    assert {one["name"] for one in found if one["kind"] == "adjustment"} == {"invoices_synced"}
    assert {one["author"] for one in found} == {None}
    for kind in ("contract", "plan", "objective", "assumption", "model"):
        assert await told(world, "tessera", kinds=kind) == []


async def test_a_partner_does_not_write_over_an_opportunity(world: World) -> None:
    await a_history(world)
    stone = {"kind": "rollout", "time": "2026-05-03T12:00:00Z"}
    assert (await world.send("PUT", f"{BASE}/milestones/deal", "tessera", stone)).status_code == 403
    assert "deal" not in {one["id"] for one in (await world.get(f"{BASE}/milestones", "tessera")).json()["items"]}


async def ways(world: World, who: str = "sponsor") -> list[dict[str, Any]]:
    answer = (await world.get(f"{BASE}/time-to-value", who)).json()
    reason = NOT_FOR_PARTNERS if who == "tessera" else NO_COHORT
    assert (answer["compared_at"], answer["comparison_reason"]) == (None, reason)
    assert all(step["compared"] is None for way in answer["ways"] for step in way["steps"])
    found: list[dict[str, Any]] = answer["ways"]
    return found


async def test_days_from_contract_to_the_committed_run_rate(world: World) -> None:
    await a_history(world)
    account, objective = await ways(world)
    steps = [(one["step"], one["day"], one["days"], one["days_in_all"]) for one in account["steps"]]
    assert steps == [
        ("contract", "2026-04-01", None, None),
        ("go-live", "2026-05-02", 31, 31),
        ("first-validated-outcome", "2026-05-04", 2, 33),
        ("committed-run-rate", "2026-05-31", 27, 60),
    ]
    assert (account["objective_id"], objective["title"]) == (None, "Wait less")
    assert objective["steps"] == account["steps"]


async def test_steps_that_are_missing_are_named(bare_world: World) -> None:
    (account,) = await ways(bare_world, "champion")
    assert [one["day"] for one in account["steps"]] == [None] * 4
    assert all(one["missing"] for one in account["steps"])


async def test_an_outcome_that_does_not_count_is_no_validated_one(world: World) -> None:
    await dispute_everything(world)
    await a_history(world)
    _, objective = await ways(world)
    assert [one["day"] for one in objective["steps"][2:]] == [None, None]
    assert "Nothing counts yet" in objective["steps"][2]["missing"]


async def test_a_month_that_brought_less_than_was_committed_has_reached_no_run_rate(world: World) -> None:
    await world.send("PUT", f"{BASE}/plans/high", "champion", [a_target(expected="1000000")])
    await a_history(world)
    account, _ = await ways(world)
    assert (account["steps"][2]["day"], account["steps"][3]["day"]) == ("2026-05-04", None)


async def test_a_month_that_is_not_over_has_reached_no_run_rate(world: World) -> None:
    world.clock.now = datetime(2026, 5, 20, 16, tzinfo=UTC)
    await world.send("PUT", f"{BASE}/plans/case", "champion", [a_target(expected="1")])
    account, _ = await ways(world, "champion")
    assert account["steps"][3]["day"] is None


async def test_a_partner_s_way_begins_at_go_live(world: World) -> None:
    await a_history(world)
    (account,) = await ways(world, "tessera")
    assert account["steps"][0]["missing"] == "Contracts are not shown to partners."
    assert account["steps"][1]["day"] == "2026-05-02"


async def test_days_stand_beside_those_of_comparable_accounts_but_not_for_partners(world: World) -> None:
    await a_history(world)
    figure = WayFigure(Scope.ACCOUNT, Step.GO_LIVE, "", accounts=6, lower=20, median=30, upper=40)
    async with world.databases.worker.transaction(grant_all()) as tx:
        await put_ways(tx, Ways((figure,)), [], world.clock.now)
    answer = (await world.get(f"{BASE}/time-to-value", "sponsor")).json()
    account, objective = answer["ways"]
    beside = {"cohort": "", "accounts": 6, "lower": 20, "median": 30, "upper": 40}
    assert [one["compared"] for one in account["steps"]] == [None, beside, None, None]
    assert [one["compared"] for one in objective["steps"]] == [None] * 4
    assert answer["compared_at"] is not None
    assert answer["comparison_reason"] == NO_COHORT
    partner = (await world.get(f"{BASE}/time-to-value", "tessera")).json()
    assert (partner["compared_at"], partner["comparison_reason"]) == (None, NOT_FOR_PARTNERS)
    assert all(step["compared"] is None for way in partner["ways"] for step in way["steps"])
