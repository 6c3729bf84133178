"""`verify` works kept scenarios out again, and finds what is off."""

import random
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text

from tests.conftest import Databases
from tests.value.factories import CUSTOMER, NOW, TODAY, new_account, put_events, put_model
from tests.value.test_scenario import CAPPED
from valueplatform.accounts.accounts import account_by_id
from valueplatform.core.scope import grant_accounts
from valueplatform.value.levers import Adoption, Change, Input, Lever, Seats, Usage
from valueplatform.value.model_file import read_model
from valueplatform.value.proof_record import read_source
from valueplatform.value.ranges import Range
from valueplatform.value.refreshing import refresh_value
from valueplatform.value.scenario_verify import verify_scenarios
from valueplatform.value.scenarios import Draft, keep_scenario
from valueplatform.value.verify import Discrepancy

JULY = date(2026, 7, 1)
MORE = """
[[meter]]
slug = "mood"
event = "mood.said"
aggregation = "AVG"
property = "of_ten"

[[driver]]
slug = "mood_kept"
unit = "USD"
benefit_class = "cashable"
formula = "mood * hourly_cost"
effective_to = 2026-09-11
"""


@pytest.fixture
async def harbor(databases: Databases) -> int:
    """Half a year of usage that swings, of two providers, with an average, distinct members and a cap."""
    model = CAPPED.replace('method = "measured-before"', 'method = "measured-before"\nexpires_on = 2026-08-16') + MORE
    await put_model(databases, read_model(model, "model.toml"))
    account_id = await new_account(databases)
    drawn = random.Random(7)
    start = datetime(2026, 1, 20, 15, tzinfo=UTC)
    days = [start + timedelta(days=number) for number in range(146) if drawn.random() < 0.8]
    for provider in ("supplier", "tessera"):
        jobs = [(day, {"minutes": drawn.randint(1, 30), "crew": f"c{drawn.randint(1, 4)}"}) for day in days]
        await put_events(databases, account_id, jobs, provider=provider)
    moods = [(day, {"of_ten": drawn.randint(1, 10)}) for day in days for _ in range(2)]
    await put_events(databases, account_id, moods, kind="mood.said")
    async with databases.worker.transaction(grant_accounts([account_id])) as tx:
        await refresh_value(tx, account_id, NOW)
    return account_id


async def keep(databases: Databases, account_id: int, changes: Sequence[Change], **asked: Any) -> None:
    draft = Draft("What if", asked.get("start", JULY), asked.get("months", 4), tuple(changes))
    async with databases.web.transaction(grant_accounts([account_id])) as tx:
        await keep_scenario(tx, account_id, draft, CUSTOMER, NOW)


async def verified(databases: Databases, account_id: int) -> tuple[int, list[Discrepancy]]:
    async with databases.worker.transaction(grant_accounts([account_id])) as tx:
        source = await read_source(tx, account_id)
        assert source is not None
        return await verify_scenarios(tx, source, await account_by_id(tx, account_id), NOW)


@pytest.mark.parametrize(
    "changes",
    [
        (),
        (Change(Seats(Decimal("1.37")), JULY, 3),),
        (Change(Usage("minutes", Decimal("0.333333333")), date(2026, 8, 1)),),
        (Change(Adoption("dispatching", Decimal(0)), date(2026, 9, 1)), Change(Usage("crews", Decimal(3)), JULY)),
        (
            Change(Input("hourly_cost", Range(Decimal(40), Decimal("61.1"), Decimal(80))), date(2026, 8, 1)),
            Change(Input("desk_cost", Range.point(Decimal(900))), JULY),
            Change(Seats(Decimal("1.1")), JULY),
        ),
    ],
)
async def test_what_a_kept_scenario_comes_to_agrees_with_raw_events(
    databases: Databases, harbor: int, changes: Sequence[Change]
) -> None:
    assert await verified(databases, harbor) == (0, [])
    await keep(databases, harbor, changes)
    count, wrong = await verified(databases, harbor)
    assert wrong == []
    assert count >= 39


async def test_one_that_begins_in_the_past_agrees_too(databases: Databases, harbor: int) -> None:
    await keep(databases, harbor, [Change(Seats(Decimal(2)), date(2026, 2, 1))], start=date(2026, 2, 1), months=6)
    assert (await verified(databases, harbor))[1] == []


FAULTS = [
    f"UPDATE rollup SET total = total + 1 WHERE meter = 'minutes' AND day = '{TODAY - timedelta(days=6)}'",
    "DELETE FROM rollup_member WHERE member = 'c1'",
    f"UPDATE rollup SET events = events + 1 WHERE meter = 'jobs' AND day < '{TODAY - timedelta(weeks=10)}'",
]


@pytest.mark.parametrize("fault", FAULTS)
async def test_what_is_off_is_found(databases: Databases, harbor: int, fault: str) -> None:
    lever: Lever = Seats(Decimal("1.5"))
    await keep(databases, harbor, [Change(lever, JULY)])
    async with databases.admin.transaction(grant_accounts([])) as tx:
        await tx.execute(text(fault))
    _, found = await verified(databases, harbor)
    assert found
    assert {one.what for one in found} == {"scenario"}
