"""Value statements: frozen as known, signed by both sides, and the same for ever."""

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from tests.api.test_attainment import MAY as MAY_CLOSED
from tests.api.test_attainment import close
from tests.api.test_plan_terms import with_sponsor
from tests.api.world import HARBOR, World
from valueplatform.core.scope import grant_accounts
from valueplatform.value.statement_check import check_statements

FORGED = text("""
    INSERT INTO value_statement SELECT account_id, 'forged', period_from, period_to, as_of, title, author, made_at,
        digest, replace(document, '"realized":"', '"realized":"1') FROM value_statement
""")
BASE = f"/api/v1/accounts/{HARBOR}/statements"
MAY = {"statement": "may", "start": "2026-05-01", "end": "2026-06-01", "title": "May"}


async def make(world: World, **changes: Any) -> dict[str, Any]:
    answer = await world.send("POST", BASE, "admin", MAY | changes)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def close_may(world: World) -> None:
    """The day before a statement is made: what is posted today is not yet known by the end of yesterday."""
    await close(world, MAY_CLOSED, date(2026, 6, 10))
    world.clock.now += timedelta(days=1)


async def sign(world: World, who: str, digest: str) -> Any:
    return await world.send("POST", f"{BASE}/may/sign", who, {"digest": digest})


async def test_a_statement_is_the_value_read_as_of_yesterday(world: World) -> None:
    await close_may(world)
    made = await make(world)
    asked = {"from": "2026-05-01", "to": "2026-06-01", "as_of": made["as_of"], "window": "MONTH"}
    read = (await world.get(f"/api/v1/accounts/{HARBOR}/value", "admin", group_by="driver,provider", **asked)).json()
    assert made["document"]["rows"] == read["rows"] != []
    assert made["document"]["totals"]["realized"] == read["totals"]["realized"]


async def test_it_is_signed_once_both_sides_signed_the_same(world: World) -> None:
    await with_sponsor(world)
    digest = (await make(world))["digest"]
    first = (await sign(world, "admin", digest)).json()
    assert (first["signed"], [one["side"] for one in first["signatures"]]) == (False, ["supplier"])
    second = (await sign(world, "sponsor", digest)).json()
    assert second["signed"]
    again = (await sign(world, "sponsor", digest)).json()
    assert again == second


async def test_what_was_not_read_cannot_be_signed(world: World) -> None:
    await make(world)
    assert (await sign(world, "admin", "0" * 64)).status_code == 409


async def test_a_champion_and_a_partner_do_not_sign(world: World) -> None:
    digest = (await make(world))["digest"]
    assert (await sign(world, "champion", digest)).status_code == 403
    assert (await sign(world, "tessera", digest)).status_code == 403
    assert (await world.get(BASE, "tessera")).status_code == 403


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"end": "2026-05-01"}, 400),
        ({"end": "2026-04-01"}, 400),
        ({"end": "2027-06-01"}, 422),
        ({"statement": "  "}, 400),
        ({"start": "0001-01-01"}, 400),
        ({"more": 1}, 400),
    ],
)
async def test_days_that_are_not_over_or_are_none_are_refused(
    world: World, changes: dict[str, Any], status: int
) -> None:
    answer = await world.send("POST", BASE, "admin", MAY | changes)
    assert answer.status_code == status, answer.text


async def test_a_name_is_used_once(world: World) -> None:
    await make(world)
    assert (await world.send("POST", BASE, "admin", MAY)).status_code == 409


async def test_separate_sums_of_postings_agree_and_find_what_was_tampered_with(world: World) -> None:
    await close_may(world)
    await make(world, start="2025-01-01", end="2026-06-01")
    scope = grant_accounts([world.harbor])
    async with world.databases.worker.transaction(scope) as tx:
        count, found = await check_statements(tx, world.harbor, "America/New_York")
    assert found == []
    assert count > 0
    async with world.databases.worker.transaction(scope) as tx:
        await tx.execute(FORGED)
        _, found = await check_statements(tx, world.harbor, "America/New_York")
    assert {one.where.split(",")[0] for one in found} == {"forged"}
    assert "forged, digest" in {one.where for one in found}
    assert len(found) > 1
