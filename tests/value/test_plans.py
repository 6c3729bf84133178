"""Committed value."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from tests.accounts.factories import NOW, an_account
from tests.accounts.factories import found as account_found
from tests.conftest import Databases
from valueplatform.accounts.imports import Mark, Outcome, Stored
from valueplatform.core.authorization import accounts_or_all, operator_scope
from valueplatform.core.periods import Period, month_of
from valueplatform.value.derivation import Bound
from valueplatform.value.objectives import objectives_of
from valueplatform.value.plans import (
    PlanRow,
    Target,
    committed,
    ensure_objectives,
    put_targets,
    targets_in_force,
)
from valueplatform.value.ranges import Range

JUNE = date(2026, 6, 1)
LATER = NOW + timedelta(days=30)
MONTHS = st.dates(date(2023, 1, 1), date(2027, 12, 31)).map(lambda day: day.replace(day=1))
AMOUNTS = st.decimals(min_value=-(10**20), max_value=10**20, places=4, allow_nan=False, allow_infinity=False)


def a_target(month: date, amount: Decimal | str) -> Target:
    value = Decimal(amount)
    return Target(
        plan_id="case",
        objective_id=1,
        objective="Fix it on the first visit",
        driver="visits",
        month=month,
        low=value - 1,
        expected=value,
        high=value + 1,
        source="case",
        version=1,
        known_at=NOW,
    )


def a_row(account_id: int, expected: str | None = "100", **changes: object) -> PlanRow:
    value = None if expected is None else Range(Decimal(expected) - 10, Decimal(expected), Decimal(expected) + 10)
    row = PlanRow(
        account_id=account_id,
        plan_id="case",
        objective="Fix it on the first visit",
        driver="visits",
        month=JUNE,
        value=value,
        source="business case",
    )
    return msgspec.structs.replace(row, **changes)


async def put(databases: Databases, rows: Sequence[PlanRow], now: datetime = NOW) -> Stored:
    async with databases.worker.transaction(operator_scope()) as tx:
        return await put_targets(tx, rows, now)


async def in_force(databases: Databases, account_id: int, as_of: datetime | None = None) -> list[Target]:
    async with databases.web.transaction(accounts_or_all([account_id])) as tx:
        return await targets_in_force(tx, account_id, as_of)


def test_a_whole_month_is_its_target_whatever_its_length() -> None:
    for month in (date(2026, 1, 1), date(2026, 2, 1), date(2024, 2, 1), date(2026, 4, 1)):
        assert committed([a_target(month, "100.0001")], month_of(month), Bound.EXPECTED) == Decimal("100.0001")


def test_a_month_that_is_cut_counts_by_its_days() -> None:
    target = a_target(JUNE, "300")
    assert committed([target], Period(date(2026, 6, 11), date(2026, 9, 1)), Bound.EXPECTED) == Decimal("200.0000")
    assert committed([target], Period(date(2026, 6, 11), date(2026, 6, 11)), Bound.EXPECTED) == 0
    assert committed([target], Period(date(2026, 7, 1), date(2026, 8, 1)), Bound.EXPECTED) == 0
    assert committed([target], Period(date(2026, 6, 1), date(2026, 6, 16)), Bound.LOW) == Decimal("149.5000")
    assert committed([target], Period(date(2026, 6, 1), date(2026, 6, 16)), Bound.HIGH) == Decimal("150.5000")


@given(st.lists(st.tuples(MONTHS, AMOUNTS), max_size=5), st.lists(st.dates(date(2022, 11, 1), date(2028, 2, 1))))
def test_cut_windows_add_up_to_the_whole_exactly(rows: list[tuple[date, Decimal]], days: list[date]) -> None:
    targets = [a_target(month, amount) for month, amount in rows]
    cuts = [date(2022, 1, 1), *sorted(days), date(2030, 1, 1)]
    parts = [committed(targets, Period(start, end), Bound.EXPECTED) for start, end in pairwise(cuts)]
    assert sum(map(Fraction, parts)) == sum((Fraction(amount) for _, amount in rows), Fraction(0))


@given(MONTHS, AMOUNTS, st.integers(0, 31), st.integers(0, 31))
def test_a_part_of_a_month_is_right_within_one_rounding(month: date, amount: Decimal, first: int, length: int) -> None:
    window = Period(month + timedelta(days=first), month + timedelta(days=first + length))
    days = sum(day in month_of(month) for day in window)
    exact = Fraction(amount) * days / month_of(month).days
    assert abs(Fraction(committed([a_target(month, amount)], window, Bound.EXPECTED)) - exact) <= Fraction(1, 10_000)


async def test_a_target_that_says_something_new_gets_a_version_and_the_old_one_stays(databases: Databases) -> None:
    account = await an_account(databases)
    row = a_row(account.account_id)
    first, again = await put(databases, [row]), await put(databases, [row], LATER)
    assert (first.outcomes, again.outcomes) == ([Outcome.CREATED], [Outcome.UNCHANGED])
    assert again.marks == []
    assert first.marks == [Mark(account.account_id, month_of(JUNE), "plan")]
    changed = await put(databases, [a_row(account.account_id, "120")], LATER)
    assert changed.outcomes == [Outcome.CHANGED]
    (now,), (then,) = await in_force(databases, account.account_id), await in_force(databases, account.account_id, NOW)
    assert (now.version, now.expected, then.version, then.expected) == (2, Decimal(120), 1, Decimal(100))
    assert await in_force(databases, account.account_id, NOW - timedelta(seconds=1)) == []
    assert (await account_found(databases)).revision == 2


async def test_a_target_is_taken_out_by_a_version_of_its_own(databases: Databases) -> None:
    account = await an_account(databases)
    nothing = await put(databases, [a_row(account.account_id, None)])
    assert nothing.outcomes == [Outcome.UNCHANGED]
    await put(databases, [a_row(account.account_id)])
    out = await put(databases, [a_row(account.account_id, None)], LATER)
    assert out.outcomes == [Outcome.CHANGED]
    assert await in_force(databases, account.account_id) == []
    assert len(await in_force(databases, account.account_id, NOW)) == 1
    assert (await put(databases, [a_row(account.account_id, None)], LATER)).outcomes == [Outcome.UNCHANGED]
    back = await put(databases, [a_row(account.account_id)], LATER)
    assert back.outcomes == [Outcome.CHANGED]
    assert [target.version for target in await in_force(databases, account.account_id)] == [3]


async def test_a_new_source_alone_is_a_new_version(databases: Databases) -> None:
    account = await an_account(databases)
    await put(databases, [a_row(account.account_id)])
    assert (await put(databases, [a_row(account.account_id, source="renewal")])).outcomes == [Outcome.CHANGED]


async def test_plans_objectives_drivers_and_months_are_kept_apart(databases: Databases) -> None:
    one, two = await an_account(databases, "one"), await an_account(databases, "two")
    rows = [
        a_row(one.account_id),
        a_row(one.account_id, plan_id="renewal"),
        a_row(one.account_id, objective="Sell on site"),
        a_row(one.account_id, driver="quotes"),
        a_row(one.account_id, month=date(2026, 7, 1)),
        a_row(two.account_id, "7"),
    ]
    assert (await put(databases, rows)).outcomes == [Outcome.CREATED] * 6
    targets = await in_force(databases, one.account_id)
    assert len(targets) == 5
    assert {target.objective for target in targets} == {"Fix it on the first visit", "Sell on site"}
    assert committed(targets, month_of(JUNE), Bound.EXPECTED) == 400
    assert [target.expected for target in await in_force(databases, two.account_id)] == [7]


async def test_an_objective_is_made_once_and_keeps_its_id(databases: Databases) -> None:
    account = await an_account(databases)
    wanted = (account.account_id, "Fix it on the first visit")
    async with databases.web.transaction(accounts_or_all([account.account_id])) as tx:
        first = await ensure_objectives(tx, [wanted, wanted])
        assert await ensure_objectives(tx, [wanted]) == first
        assert await ensure_objectives(tx, []) == {}
        (objective,) = await objectives_of(tx, account.account_id)
    assert first == {wanted: objective.objective_id}
    assert objective.title == wanted[1]


async def test_pages_may_put_targets_into_their_own_accounts(databases: Databases) -> None:
    account = await an_account(databases)
    async with databases.web.transaction(accounts_or_all([account.account_id])) as tx:
        stored = await put_targets(tx, [a_row(account.account_id)], datetime(2026, 5, 1, tzinfo=UTC))
    assert stored.outcomes == [Outcome.CREATED]


async def test_versions_are_counted_one_by_one_when_two_write_at_once(databases: Databases) -> None:
    account = await an_account(databases)
    async with databases.worker.transaction(operator_scope()) as tx:
        await put_targets(tx, [a_row(account.account_id)], NOW)
        async with databases.web.transaction(accounts_or_all([account.account_id])) as other:
            await other.execute(text("SET LOCAL lock_timeout = '50ms'"))
            with pytest.raises(Exception, match="lock timeout"):
                await put_targets(other, [a_row(account.account_id, "120")], NOW)
