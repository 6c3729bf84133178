"""Counted value of many accounts, joint drivers by party."""

from datetime import date
from decimal import Decimal

import pytest

from tests.conftest import Databases
from tests.value.factories import NOW, new_account, put_model
from tests.value.three_parties import JOINT_DRIVER, JOINTLY, agree_on, put_syncs, refresh, validate_joint
from valueplatform.accounts.exchange_rates import rates_into
from valueplatform.core.authorization import operator_scope
from valueplatform.core.periods import Period, month_of
from valueplatform.core.scope import grant_accounts
from valueplatform.stewardship.finance_ground import Question
from valueplatform.stewardship.finance_opened import by_provider, verify_finance
from valueplatform.stewardship.finance_read import read_finance, stand_of
from valueplatform.value.across import counted_by_driver, counted_by_month
from valueplatform.value.postings import close_month

MAY = date(2026, 5, 4)
YEAR = Period(date(2025, 6, 1), date(2026, 6, 1))


@pytest.fixture
async def harbor(databases: Databases) -> int:
    """Two accounts with a joint driver: 30 syncs worth 1 each here, 7 there."""
    await put_model(databases, JOINTLY)
    account_id, other = await new_account(databases), await new_account(databases, "globex")
    for each, count in ((account_id, 30), (other, 7)):
        await put_syncs(databases, each, MAY, count)
        await validate_joint(databases, each)
        await refresh(databases, each)
    return account_id


async def joint(databases: Databases) -> dict[tuple[int, str], Decimal]:
    async with databases.worker.transaction(operator_scope()) as tx:
        found = await counted_by_driver(tx, YEAR, await rates_into(tx, "USD"))
    return {(one.account_id, one.provider): one.amount for one in found if one.driver == JOINT_DRIVER}


async def test_without_a_split_it_is_joint(databases: Databases, harbor: int) -> None:
    assert await joint(databases) == {(harbor, "joint"): Decimal(30), (harbor + 1, "joint"): Decimal(7)}


async def test_each_account_is_cut_by_its_own_split(databases: Databases, harbor: int) -> None:
    await agree_on(databases, harbor, "0.333333333", "0.5", MAY)
    found = await joint(databases)
    assert found == {
        (harbor, "tessera"): Decimal("9.9999"),
        (harbor, "supplier"): Decimal(15),
        (harbor, "joint"): Decimal("5.0001"),
        (harbor + 1, "joint"): Decimal(7),
    }


async def test_what_was_earned_before_the_split_stays_joint(databases: Databases, harbor: int) -> None:
    await agree_on(databases, harbor, "0.3", "0.7", date(2026, 5, 5))
    assert await joint(databases) == {(harbor, "joint"): Decimal(30), (harbor + 1, "joint"): Decimal(7)}


async def test_by_month_it_stays_whole(databases: Databases, harbor: int) -> None:
    await agree_on(databases, harbor, "0.3", "0.5", MAY)
    async with databases.worker.transaction(operator_scope()) as tx:
        found = await counted_by_month(tx, YEAR, await rates_into(tx, "USD"))
    assert sum(one.amount for one in found if one.account_id == harbor) >= 30


async def test_finance_tells_parties_and_proves_them(databases: Databases, harbor: int) -> None:
    async with databases.worker.transaction(operator_scope()) as tx:
        before = by_provider((await stand_of(tx, Question(), NOW)).told)
    await agree_on(databases, harbor, "0.333333333", "0.5", MAY)
    async with databases.worker.transaction(grant_accounts([harbor])) as tx:
        await close_month(tx, harbor, "America/New_York", month_of(MAY), NOW)
    await put_syncs(databases, harbor, MAY, 1)
    await refresh(databases, harbor)
    async with databases.worker.transaction(operator_scope()) as tx:
        after = by_provider((await stand_of(tx, Question(end=date(2026, 6, 16)), NOW)).told)
        rows = (await read_finance(tx, Question(end=date(2026, 6, 16)), NOW)).revenue["provider"]
        count, found = await verify_finance(tx, NOW)
    assert found == []
    assert count
    assert sum(after.values()) == sum(before.values()) + 1
    assert after["tessera"] - before.get("tessera", Decimal(0)) == Decimal("10.3332")
    assert {row.name: row.value for row in rows if row.attributed} == after
