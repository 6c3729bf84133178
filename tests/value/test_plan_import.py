"""Importing value plans."""

from datetime import date
from decimal import Decimal

import pytest

from tests.accounts.factories import Kept, an_account, imported
from tests.conftest import Databases
from tests.value.factories import NOW, put_model
from valueplatform.accounts.imports import ImportReport
from valueplatform.core.authorization import Side, operator_scope
from valueplatform.value.assumption_record import Author
from valueplatform.value.objectives import objectives_of
from valueplatform.value.plan_import import PlanImport
from valueplatform.value.plans import Target, targets_in_force, targets_of_plan
from valueplatform.value.signing import digest_of, plan_of, sign_plan

ROW = {
    "account": "acme",
    "id": "case",
    "objective": "Fix it on the first visit",
    "driver": "visits",
    "month": "2026-06",
    "low": "90",
    "expected": "100",
    "high": "110",
    "source": "business case",
}
PLANS = PlanImport(frozenset({"visits", "quotes"}))


async def targets(databases: Databases, account_id: int) -> list[Target]:
    async with databases.worker.transaction(operator_scope()) as tx:
        return await targets_in_force(tx, account_id)


async def test_a_plan_is_imported_once_and_again_without_effect(databases: Databases) -> None:
    account = await an_account(databases)
    rows = [ROW, {**ROW, "month": "2026-07-15", "driver": "quotes"}]
    assert await imported(databases, PLANS, rows) == ImportReport(received=2, created=2)
    assert await imported(databases, PLANS, rows) == ImportReport(received=2, unchanged=2)
    assert [(one.driver, one.month, one.version) for one in await targets(databases, account.account_id)] == [
        ("quotes", date(2026, 7, 1), 1),
        ("visits", date(2026, 6, 1), 1),
    ]


async def test_without_low_and_high_the_target_is_a_point(databases: Databases) -> None:
    account = await an_account(databases)
    row = {name: value for name, value in ROW.items() if name not in {"low", "high", "source"}}
    await imported(databases, PLANS, [row])
    (target,) = await targets(databases, account.account_id)
    assert (target.low, target.high, target.source) == (Decimal(100), Decimal(100), "import")


async def test_amounts_are_rounded_to_the_places_that_are_kept_so_that_the_next_import_finds_them_unchanged(
    databases: Databases,
) -> None:
    account = await an_account(databases)
    row = {**ROW, "low": "83.33325", "expected": "83.333349999", "high": "83.33335"}
    await imported(databases, PLANS, [row])
    (target,) = await targets(databases, account.account_id)
    assert (target.low, target.expected, target.high) == (Decimal("83.3332"), Decimal("83.3333"), Decimal("83.3334"))
    assert await imported(databases, PLANS, [row]) == ImportReport(received=1, unchanged=1)


async def test_a_target_with_all_amounts_empty_is_taken_out(databases: Databases) -> None:
    account = await an_account(databases)
    await imported(databases, PLANS, [ROW])
    empty = {**ROW, "low": "", "expected": "", "high": ""}
    assert await imported(databases, PLANS, [empty]) == ImportReport(received=1, changed=1)
    assert await targets(databases, account.account_id) == []


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"account": "never-was"}, "no account"),
        ({"objective": " "}, "Column objective is empty"),
        ({"driver": "typo"}, "use one of quotes, visits"),
        ({"month": "June"}, "write the month as 2025-12"),
        ({"expected": ""}, "leave all three empty"),
        ({"low": "120"}, "must not fall from low to high"),
        ({"high": "abc"}, "not a decimal number"),
    ],
)
async def test_rows_that_cannot_be_a_target(databases: Databases, change: dict[str, str], says: str) -> None:
    kept = Kept()
    await an_account(databases)
    assert (await imported(databases, PLANS, [{**ROW, **change}], kept)).rejected == 1
    assert says in kept.rejections[0].message


async def test_before_there_is_a_model_any_driver_may_be_planned(databases: Databases) -> None:
    await an_account(databases)
    assert (await imported(databases, PlanImport(None), [{**ROW, "driver": "to-come"}])).created == 1


async def test_rows_of_a_signed_plan_are_rejected_with_the_reason_and_the_rest_is_taken(databases: Databases) -> None:
    account = await an_account(databases)
    await put_model(databases)
    row = {**ROW, "driver": "dispatch_time"}
    plans = PlanImport(None)
    await imported(databases, plans, [row])
    await both_signed(databases, account.account_id, "case")
    changed = {**row, "expected": "105"}
    added = {**row, "month": "2026-09", "objective": "Something new"}
    other = {**row, "id": "another", "expected": "91"}
    kept = Kept()
    report = await imported(databases, plans, [row, changed | {"month": "2026-08"}, other, added], kept)
    assert (report.created, report.unchanged, report.rejected) == (1, 1, 2)
    assert report.reasons == {"plan_is_fixed": 2}
    (first, second) = kept.rejections
    assert (first.account_id, first.row_id) == (account.account_id, "case")
    assert "signed by both sides" in first.message
    assert "Something new" in second.body
    async with databases.worker.transaction(operator_scope()) as tx:
        titles = [one.title for one in await objectives_of(tx, account.account_id)]
    assert titles == [row["objective"]], "a row that is refused makes no objective"


async def both_signed(databases: Databases, account_id: int, plan_id: str) -> None:
    async with databases.worker.transaction(operator_scope()) as tx:
        plan = await plan_of(tx, account_id, plan_id)
        digest = digest_of(plan, await targets_of_plan(tx, account_id, plan_id))
        for side in (Side.CUSTOMER, Side.SUPPLIER):
            await sign_plan(tx, account_id, plan_id, digest, Author(f"{side}@example.com", side), NOW)
