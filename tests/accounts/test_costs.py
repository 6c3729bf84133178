"""Costs of the supplier."""

from datetime import date
from decimal import Decimal

import pytest

from tests.accounts.factories import Kept, an_account, imported
from tests.conftest import Databases
from valueplatform.accounts.costs import Cost, CostImport, CostKind, all_costs, costs_of
from valueplatform.accounts.imports import ImportReport
from valueplatform.core.authorization import accounts_or_all, operator_scope
from valueplatform.core.periods import Period

OWN = {"account": "acme", "id": "k1", "kind": "service", "month": "2025-06", "amount": "99.5"}
SHARED = {**OWN, "account": "", "id": "k2"}


async def test_a_cost_is_in_the_currency_of_its_account_and_a_shared_one_in_that_of_the_supplier(
    databases: Databases,
) -> None:
    account = await an_account(databases)
    assert await imported(databases, CostImport(), [OWN, SHARED]) == ImportReport(received=2, created=2)
    async with databases.worker.transaction(operator_scope()) as tx:
        (own,), (shared,) = await costs_of(tx, account.account_id), await costs_of(tx, None)
    assert own == Cost(
        cost_id="k1",
        account_id=account.account_id,
        kind=CostKind.SERVICE,
        month=date(2025, 6, 1),
        amount=Decimal("99.5"),
        currency="EUR",
    )
    assert (shared.account_id, shared.currency) == (None, "USD")


async def test_the_same_costs_again_change_nothing(databases: Databases) -> None:
    await an_account(databases)
    await imported(databases, CostImport(), [OWN, SHARED])
    again = [{**OWN, "amount": "99.50"}, {**SHARED, "amount": "100"}]
    assert await imported(databases, CostImport(), again) == ImportReport(received=2, unchanged=1, changed=1)


@pytest.mark.parametrize(
    ("change", "says"),
    [({"account": "never-was"}, "no account"), ({"kind": "party"}, "use one of"), ({"month": "June"}, "2025-12")],
)
async def test_rows_that_cannot_be_a_cost(databases: Databases, change: dict[str, str], says: str) -> None:
    kept = Kept()
    await an_account(databases)
    assert (await imported(databases, CostImport(), [{**OWN, **change}], kept)).rejected == 1
    assert says in kept.rejections[0].message


YEAR = Period(date(2025, 1, 1), date(2026, 1, 1))


async def test_pages_read_costs_in_the_scope_of_all_accounts_and_only_where_they_read_finance(
    databases: Databases,
) -> None:
    account = await an_account(databases)
    await imported(databases, CostImport(), [OWN, SHARED])
    async with databases.web.transaction(operator_scope()) as tx:
        assert await costs_of(tx, None) == []
        assert [one.cost_id for one in await all_costs(tx, YEAR)] == ["k1", "k2"]
        assert await costs_of(tx, account.account_id) == []  # what was said is taken back
    async with databases.web.transaction(accounts_or_all([account.account_id])) as tx:
        assert await all_costs(tx, YEAR) == []


async def test_costs_of_a_month_that_the_period_cuts_are_among_them_and_those_of_others_are_not(
    databases: Databases,
) -> None:
    await an_account(databases)
    rows = [{**OWN, "id": month, "month": month} for month in ("2025-05", "2025-06", "2025-07", "2025-08")]
    await imported(databases, CostImport(), rows)
    async with databases.worker.transaction(operator_scope()) as tx:
        cut = Period(date(2025, 6, 30), date(2025, 7, 2))
        assert [one.cost_id for one in await all_costs(tx, cut)] == ["2025-06", "2025-07"]
