"""Costs of the supplier."""

from datetime import date
from decimal import Decimal

import pytest

from tests.accounts.factories import Kept, an_account, imported
from tests.conftest import Databases
from valueplatform.accounts.accounts import account_by_id
from valueplatform.accounts.costs import (
    KNOWN_EFFORT,
    Cost,
    CostImport,
    CostKind,
    all_costs,
    costs_of,
    effort_in,
    known_effort,
)
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


KINDS = [{**OWN, "id": kind.value, "kind": kind.value} for kind in CostKind]


async def test_an_account_reads_its_own_known_effort_and_nothing_else_of_costs(databases: Databases) -> None:
    account = await an_account(databases)
    other = await an_account(databases, key="other")
    shared = {**KINDS[-1], "account": "", "id": "shared"}
    theirs = [{**one, "account": "other", "id": f"other {one['id']}"} for one in KINDS]
    await imported(databases, CostImport(), [*KINDS, *theirs, shared])
    for scope in (accounts_or_all([account.account_id]), operator_scope()):
        async with databases.web.transaction(scope) as tx:
            assert {one.kind for one in await known_effort(tx, account.account_id)} == set(KNOWN_EFFORT)
            assert {one.kind for one in await costs_of(tx, account.account_id)} == set(KNOWN_EFFORT)
            assert await costs_of(tx, None) == []
    async with databases.web.transaction(accounts_or_all([account.account_id])) as tx:
        assert await costs_of(tx, other.account_id) == []
    async with databases.web.transaction(accounts_or_all([])) as tx:
        assert await costs_of(tx, account.account_id) == []


async def test_known_effort_that_changes_has_the_account_s_return_told_anew(databases: Databases) -> None:
    """What serving an account costs touches nothing that it is told, nor does what was there already."""
    account = await an_account(databases)
    kept = Kept()
    internal = {**OWN, "id": "k3", "kind": "internal"}
    await imported(databases, CostImport(), [OWN, SHARED, internal], kept)
    assert [(one.account_id, one.period.start, one.cause) for one in kept.marks] == [
        (account.account_id, date(2025, 6, 1), "effort")
    ]
    await imported(databases, CostImport(), [OWN, internal], kept)
    assert len(kept.marks) == 1
    await imported(databases, CostImport(), [{**internal, "month": "2025-09"}], kept)
    assert [one.period.start.month for one in kept.marks] == [6, 6, 9]
    async with databases.worker.transaction(operator_scope()) as tx:
        assert (await account_by_id(tx, account.account_id)).revision == account.revision + 2


def effort(month: date, amount: str, kind: CostKind = CostKind.INTERNAL, currency: str = "USD") -> Cost:
    return Cost(cost_id="k", account_id=1, kind=kind, month=month, amount=Decimal(amount), currency=currency)


def test_effort_of_a_month_counts_by_its_days() -> None:
    leap, march = effort(date(2028, 2, 1), "29"), effort(date(2028, 3, 1), "31")
    assert effort_in([leap, march], Period(date(2028, 2, 29), date(2028, 3, 3)), "USD") == 3
    assert effort_in([leap, march], Period(date(2028, 4, 1), date(2028, 5, 1)), "USD") == 0
    assert effort_in([leap], Period(date(2028, 2, 1), date(2028, 3, 1)), "EUR") == 0


def test_each_kind_of_effort_is_rounded_once() -> None:
    """A third of a unit of the last place three times is one unit of it; of another kind it is none."""
    month = Period(date(2026, 6, 1), date(2026, 6, 11))
    parts = [effort(date(2026, 6, 1), "0.0001")] * 3
    assert effort_in(parts, month, "USD") == Decimal("0.0001")
    assert effort_in([*parts[:1], effort(date(2026, 6, 1), "0.0001", CostKind.IMPLEMENTATION)], month, "USD") == 0


async def test_costs_of_a_month_that_the_period_cuts_are_among_them_and_those_of_others_are_not(
    databases: Databases,
) -> None:
    await an_account(databases)
    rows = [{**OWN, "id": month, "month": month} for month in ("2025-05", "2025-06", "2025-07", "2025-08")]
    await imported(databases, CostImport(), rows)
    async with databases.worker.transaction(operator_scope()) as tx:
        cut = Period(date(2025, 6, 30), date(2025, 7, 2))
        assert [one.cost_id for one in await all_costs(tx, cut)] == ["2025-06", "2025-07"]
