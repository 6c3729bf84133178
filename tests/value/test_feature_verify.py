"""`verify` works out again what features are worth, and finds what is off."""

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import text

from tests.conftest import Databases
from tests.value.factories import CUSTOMER, NOW, TODAY
from tests.value.test_feature_worth_read import MODEL, WORLD
from tests.value.worth_worlds import install, work
from valueplatform.core.scope import grant_accounts, grant_all
from valueplatform.value import assumption_record as record
from valueplatform.value.assumption_record import Statement
from valueplatform.value.assumptions import Action
from valueplatform.value.feature_verify import verify_features
from valueplatform.value.ranges import Range
from valueplatform.value.verify import Discrepancy

EVER = date(1, 1, 2)


async def verified(databases: Databases, since: date = EVER) -> tuple[int, list[Discrepancy]]:
    async with databases.worker.transaction(grant_all(), steady=True) as tx:
        return await verify_features(tx, TODAY, since)


@pytest.fixture
async def world(databases: Databases) -> dict[str, int]:
    """Eight accounts, one of them in euro, with shared drivers, filters, releases and accounts that miss features."""
    ids = await install(databases, WORLD, MODEL, h="EUR")
    async with databases.web.transaction(grant_accounts([ids["h"]])) as tx:
        said = Statement("cost", Range.point(Decimal("133.3333")), "EUR/visit", date(2020, 1, 1), "in euro")
        await record.state_value(tx, ids["h"], Action.PROPOSE, said, CUSTOMER, NOW)
    await work(databases, ids.values())
    return ids


@pytest.mark.usefixtures("world")
async def test_everything_that_is_told_of_features_agrees_with_raw_events(databases: Databases) -> None:
    count, wrong = await verified(databases)
    assert wrong == []
    assert count > 100
    assert await verified(databases, since=date(2026, 6, 1)) == (0, [])


@pytest.mark.parametrize(
    ("fault", "named"),
    [
        ("UPDATE rollup SET total = total + 50 WHERE meter = 'visits' AND dimensions[2] = 'lists'", "division repeats"),
        ("UPDATE rollup SET events = events + 1 WHERE meter = 'won'", "quotes USD cashable, unrealized expected"),
        ("UPDATE rollup SET events = events + 1 WHERE meter = 'won'", "quotes uses"),
        ("UPDATE rollup SET events = events + 1 WHERE meter = 'won'", "quotes USD cashable, uses"),
        (
            "UPDATE rollup SET total = total + 5 WHERE meter = 'visits' AND dimensions[2] = 'reports'",
            "reports USD cashable, uses",
        ),
        (
            "DELETE FROM rollup WHERE meter = 'visits' AND dimensions[2] = 'reports' AND day > '2026-05-01'",
            "reports USD cashable, expected per use",
        ),
        ("UPDATE catalog_day SET tally = jsonb_set(tally, '{events}', '7') WHERE type = 'list.done'", "lists uses"),
        ("DELETE FROM catalog_day WHERE type = 'login'", "eligible"),
        ("UPDATE rollup SET total = total + 900 WHERE meter = 'visits' AND day < '2026-04-01'", "two before"),
    ],
)
async def test_what_is_off_is_found(databases: Databases, world: dict[str, int], fault: str, named: str) -> None:
    async with databases.admin.transaction(grant_accounts([])) as tx:
        await tx.execute(text(fault))
        if "unrealized" in named:
            await tx.execute(text("DELETE FROM rollup WHERE meter = 'won' AND account_id = :one"), {"one": world["a"]})
    _, found = await verified(databases)
    assert any(named in one.where for one in found), found


@pytest.mark.usefixtures("world")
async def test_nothing_is_held_against_uses_that_wait_to_be_counted(databases: Databases) -> None:
    async with databases.admin.transaction(grant_accounts([])) as tx:
        waiting = "SELECT account_id, '2026-05-01', '2026-05-01', 'events' FROM account LIMIT 1"
        await tx.execute(text(f"INSERT INTO changed_day (account_id, day, through, cause) {waiting}"))
    assert await verified(databases) == (0, [])
