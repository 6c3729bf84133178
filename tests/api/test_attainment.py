"""Attainment as it was known at each month's end: recomputed here from the tables by sums of its own."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import text

from tests.api.test_plan_terms import a_draft, a_target, both_sign, with_sponsor
from tests.api.world import HARBOR, World, differences
from tests.value.three_parties import put_jobs
from valueplatform.accounts.accounts import account_by_id
from valueplatform.core.periods import month_of
from valueplatform.core.scope import grant_accounts
from valueplatform.value.attainment import Asked, read_attainment
from valueplatform.value.attainment_check import check_attainment
from valueplatform.value.postings import close_month
from valueplatform.value.proof_record import read_source

BASE = f"/api/v1/accounts/{HARBOR}"
CASE = f"{BASE}/plans/case"
MAY, JUNE = date(2026, 5, 1), date(2026, 6, 1)
ZONE = "America/New_York"


async def close(world: World, month: date, on: date) -> None:
    world.clock.now = datetime(on.year, on.month, on.day, 16, tzinfo=UTC)
    await world.refresh(world.harbor)
    async with world.databases.worker.transaction(grant_accounts([world.harbor])) as tx:
        await close_month(tx, world.harbor, ZONE, month_of(month), world.clock())


async def read(world: World, who: str = "champion", **asked: Any) -> dict[str, Any]:
    answer = await world.get(f"{BASE}/attainment", who, **asked)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def unconfirmed(world: World) -> list[str]:
    """What `verify` does not confirm; these worlds have events that came by no intake."""
    found = await differences(world.databases, world.clock())
    return [one["what"] for one in found if one["what"] != "intake"]


def line(lines: list[dict[str, Any]], scope: str, name: str) -> dict[str, Any]:
    (one,) = [one for one in lines if (one["scope"], one["name"]) == (scope, name)]
    return one


async def posted(world: World, driver: str, until: str) -> Decimal:
    """What counts of a driver's postings, by a sum of its own."""
    async with world.databases.worker.transaction(grant_accounts([world.harbor])) as tx:
        query = text("""
            SELECT coalesce(sum(p.expected), 0) FROM posting p JOIN basis b USING (account_id, basis_id)
            WHERE p.account_id = :account AND p.driver = :driver AND b.counted AND p.posted_at < :until
        """)
        until_ = datetime.fromisoformat(until)
        return Decimal(await tx.scalar(query, {"account": world.harbor, "driver": driver, "until": until_}))


async def test_at_each_month_s_end_both_sides_are_of_the_months_closed_by_then(world: World) -> None:
    world.clock.now = datetime(2026, 5, 2, tzinfo=UTC)
    months = [a_target(month=f"2026-0{month}-01", expected="400", low="300", high="500") for month in (5, 6)]
    await world.send("PUT", CASE, "champion", months)
    await close(world, MAY, date(2026, 6, 10))
    world.clock.now = datetime(2026, 7, 5, 16, tzinfo=UTC)

    answer = await read(world)

    may, june = answer["points"]
    assert (may["as_of"], may["closed"], may["open"]) == ("2026-05-31", [], ["2026-05-01"])
    assert line(may["lines"], "total", "total")["reason"] == "Nothing was committed for these months."
    assert (june["as_of"], june["closed"], june["open"]) == ("2026-06-30", ["2026-05-01"], ["2026-06-01"])
    driver = line(june["lines"], "driver", "dispatch_time")
    realized = await posted(world, "dispatch_time", "2026-07-01T04:00:00+00:00")
    assert Decimal(driver["realized"]) == realized > 0
    assert (driver["committed_low"], driver["committed_expected"], driver["committed_high"]) == (
        "300.0000",
        "400.0000",
        "500.0000",
    )
    assert Decimal(driver["attainment"]) == round(realized / 400, 6)
    objective = (await world.get(f"{BASE}/objectives", "champion")).json()["items"][0]["objective_id"]
    assert line(june["lines"], "objective", str(objective))["attainment"] == driver["attainment"]
    assert [one["scope"] for one in (await read(world, objective=objective))["to_date"]] == ["objective", "driver"]
    assert await unconfirmed(world) == []


async def dispute_everything(world: World) -> None:
    """So that nothing counts any more (value rule 10)."""
    async with world.databases.worker.transaction(grant_accounts([world.harbor])) as tx:
        query = text(
            "SELECT entry_id FROM assumption_entry WHERE action IN ('estimate', 'propose') AND account_id = :a"
        )
        ids = [row.entry_id for row in await tx.rows(query, {"a": world.harbor})]
    for entry_id in ids:
        answer = await world.send("POST", f"{BASE}/assumptions/{entry_id}/dispute", "champion", {"reason": "Not so."})
        assert answer.status_code == 201, answer.text


async def test_what_does_not_count_attains_nothing(world: World) -> None:
    world.clock.now = datetime(2026, 5, 2, tzinfo=UTC)
    await world.send("PUT", CASE, "champion", [a_target(expected="400")])
    await dispute_everything(world)
    await close(world, MAY, date(2026, 6, 10))
    world.clock.now = datetime(2026, 7, 5, 16, tzinfo=UTC)
    told = await read(world)
    for lines in (told["points"][-1]["lines"], told["to_date"]):
        driver = line(lines, "driver", "dispatch_time")
        assert (driver["realized"], Decimal(driver["attainment"])) == ("0.0000", Decimal(0))
    assert await unconfirmed(world) == []


async def test_what_was_known_stays_what_was_known_whatever_comes_after(world: World) -> None:
    await with_sponsor(world)
    world.clock.now = datetime(2026, 5, 2, tzinfo=UTC)
    await world.send("PUT", CASE, "champion", [a_target(expected="400")])
    await close(world, MAY, date(2026, 6, 10))
    world.clock.now = datetime(2026, 7, 5, 16, tzinfo=UTC)
    before = await read(world, as_of="2026-06-30")
    assert before["to_date"] is None

    await put_jobs(world.databases, world.harbor, date(2026, 5, 6), 7)
    await close(world, JUNE, date(2026, 7, 10))
    later = f"{BASE}/plans/renewal"
    again = a_target(expected="100")
    await a_draft(world, again, plan=later, kind="re-plan", replaces=["case"], from_month="2026-05-01")
    await both_sign(world, later)
    await world.send("PUT", f"{BASE}/plans/more", "champion", [a_target(month="2026-06-01", expected="9")])
    world.clock.now = datetime(2026, 8, 5, 16, tzinfo=UTC)

    assert await read(world, as_of="2026-06-30") == before
    newest = (await read(world))["points"][-1]
    assert line(newest["lines"], "driver", "dispatch_time")["committed_expected"] == "109.0000"
    assert await unconfirmed(world) == []


async def test_a_line_that_was_tampered_with_is_found_by_separate_arithmetic(world: World) -> None:
    world.clock.now = datetime(2026, 5, 2, tzinfo=UTC)
    await world.send("PUT", CASE, "champion", [a_target(expected="400")])
    await close(world, MAY, date(2026, 6, 10))
    now = datetime(2026, 7, 5, 16, tzinfo=UTC)
    async with world.databases.worker.transaction(grant_accounts([world.harbor])) as tx:
        account, source = await account_by_id(tx, world.harbor), await read_source(tx, world.harbor)
        assert source is not None
        stated = await read_attainment(tx, account, Asked(), now)
        count, found = await check_attainment(tx, source, account.currency, stated)
        assert (count > 8, found) == (True, [])
        (*points, last) = stated.points
        assert stated.to_date is not None
        for field in ("realized", "committed_expected", "attainment"):
            for scope in ("driver", "objective", "total"):
                held = [(last.lines, "on 2026-06-30"), (stated.to_date, "today")]
                for lines, when in held:
                    own = [one for one in lines if one.scope == scope]
                    wrong = [replace(one, **{field: Decimal(1)}) if one is own[0] else one for one in lines]
                    forged = replace(stated, to_date=wrong)
                    if lines is last.lines:
                        forged = replace(stated, points=[*points, replace(last, lines=wrong)])
                    _, (one,) = await check_attainment(tx, source, account.currency, forged)
                    assert one.where.startswith(f"{scope} {own[0].name}")
                    assert one.where.endswith(f"as known {when}")
        without = replace(stated, points=[*points, replace(last, lines=[])])
        assert (await check_attainment(tx, source, account.currency, without))[1]


async def test_before_any_month_is_closed_what_is_known_today_is_recomputed(world: World) -> None:
    await world.send("PUT", CASE, "champion", [a_target(expected="400"), a_target(month="2026-06-01", expected="31")])
    async with world.databases.worker.transaction(grant_accounts([world.harbor])) as tx:
        account, source = await account_by_id(tx, world.harbor), await read_source(tx, world.harbor)
        assert source is not None
        stated = await read_attainment(tx, account, Asked(), world.clock.now)
        assert not any(point.closed for point in stated.points)
        count, found = await check_attainment(tx, source, account.currency, stated)
    assert (count > 3, found) == (True, [])


async def test_a_draft_is_no_commitment(world: World) -> None:
    await a_draft(world, a_target())
    total = line((await read(world))["to_date"], "total", "total")
    assert (total["committed_expected"], total["attainment"]) == (None, None)
    assert total["reason"] == "Nothing was committed for these months."
    assert Decimal(total["realized"]) > 0


async def test_nothing_can_be_a_part_of_zero_or_less(world: World) -> None:
    await world.send("PUT", CASE, "champion", [a_target(expected="0")])
    assert "not above zero" in line((await read(world))["to_date"], "driver", "dispatch_time")["reason"]
    await world.send("PUT", CASE, "champion", [a_target(expected="-5")])
    assert "not above zero" in line((await read(world))["to_date"], "driver", "dispatch_time")["reason"]


async def test_a_driver_of_two_objectives_is_not_split_between_them(world: World) -> None:
    await world.send("PUT", CASE, "champion", [a_target(), a_target(objective="Travel less")])
    lines = (await read(world))["to_date"]
    of_objectives = [one for one in lines if one["scope"] == "objective"]
    assert [(one["realized"], one["attainment"]) for one in of_objectives] == [(None, None)] * 2
    assert all("several objectives" in one["reason"] for one in of_objectives)
    assert line(lines, "driver", "dispatch_time")["committed_expected"] == "620.0000"


async def test_what_is_planned_for_later_takes_nothing_from_what_is_attained(world: World) -> None:
    later = a_target(objective="Travel less", month="2031-05-01")
    await world.send("PUT", CASE, "champion", [a_target(), later])
    of_objectives = {one["title"]: one for one in (await read(world))["to_date"] if one["scope"] == "objective"}
    assert of_objectives["Wait less"]["attainment"] is not None
    assert of_objectives["Travel less"]["reason"] == "Nothing was committed for these months."


async def test_now_is_what_the_value_read_says(world: World) -> None:
    await world.send("PUT", CASE, "champion", [a_target(), a_target(month="2026-06-01")])
    window = {"from": "2026-05-03", "to": "2026-06-10"}
    total = line((await read(world, **window))["to_date"], "total", "total")
    totals = (await world.get(f"{BASE}/value", "champion", **window)).json()["totals"]
    assert (total["realized"], total["committed_expected"]) == (totals["counted"], totals["committed_expected"])


async def test_a_partner_is_told_of_its_own_drivers(world: World) -> None:
    await world.send("PUT", CASE, "champion", [a_target(), a_target(driver="invoices_synced", objective="Invoice")])
    lines = (await read(world, "tessera"))["to_date"]
    assert {one["name"] for one in lines if one["scope"] == "driver"} == {"invoices_synced"}
    assert {one["title"] for one in lines if one["scope"] == "objective"} == {"Invoice"}
    hidden = (await world.get(f"{BASE}/objectives", "champion")).json()["items"][0]
    assert (await world.get(f"{BASE}/attainment", "tessera", objective=hidden["objective_id"])).status_code == 404


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"objective": 999999}, 404),
        ({"from": "2026-06-01", "to": "2026-06-01"}, 400),
        ({"from": "0001-01-01"}, 400),
        ({"from": "1990-01-01"}, 400),
        ({"as_of": "9999-12-31"}, 400),
        ({"from": "2030-01-01"}, 200),
        ({"as_of": "1999-01-01"}, 200),
    ],
)
async def test_windows_that_cannot_be_are_refused(world: World, asked: dict[str, Any], status: int) -> None:
    assert (await world.get(f"{BASE}/attainment", "champion", **asked)).status_code == status
