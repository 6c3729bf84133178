"""Importing contracts."""

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import select

from tests.accounts.factories import Kept, an_account, found, imported
from tests.conftest import Databases
from valueplatform.accounts.accounts import set_currency
from valueplatform.accounts.contract_import import ContractImport
from valueplatform.accounts.contracts import BillingPeriod, Contract, ContractKind, contracts_of
from valueplatform.accounts.imports import ImportReport, Mark
from valueplatform.accounts.tables import provider
from valueplatform.core.authorization import operator_scope
from valueplatform.core.periods import Period

ROW = {
    "account": "acme",
    "id": "c1",
    "start": "2025-01-01",
    "end": "2026-01-01",
    "amount": "1200.50",
    "period": "month",
    "kind": "renewal",
    "provider": "supplier",
}


async def held(databases: Databases, account_id: int) -> list[Contract]:
    async with databases.worker.transaction(operator_scope()) as tx:
        return await contracts_of(tx, account_id)


async def test_a_contract_is_stored_as_it_was_written(databases: Databases) -> None:
    account, kept = await an_account(databases), Kept()
    assert await imported(databases, ContractImport(), [ROW], kept) == ImportReport(received=1, created=1)
    assert await held(databases, account.account_id) == [
        Contract(
            contract_id="c1",
            start=date(2025, 1, 1),
            end=date(2026, 1, 1),
            amount=Decimal("1200.50"),
            currency="EUR",
            period=BillingPeriod.MONTH,
            kind=ContractKind.RENEWAL,
            provider="supplier",
        )
    ]
    assert kept.marks == [Mark(account.account_id, Period(date(2025, 1, 1), date(2026, 1, 1)), "contract")]
    assert (await found(databases)).revision == 1


async def test_the_same_contract_again_changes_nothing_and_another_end_is_a_change(databases: Databases) -> None:
    account, kept = await an_account(databases), Kept()
    await imported(databases, ContractImport(), [ROW])
    assert await imported(databases, ContractImport(), [ROW], kept) == ImportReport(received=1, unchanged=1)
    assert kept.marks == []
    shorter = {**ROW, "end": "2025-07-01"}
    assert await imported(databases, ContractImport(), [shorter], kept) == ImportReport(received=1, changed=1)
    assert [one.end for one in await held(databases, account.account_id)] == [date(2025, 7, 1)]
    assert {mark.period for mark in kept.marks} == {
        Period(date(2025, 1, 1), date(2026, 1, 1)),
        Period(date(2025, 1, 1), date(2025, 7, 1)),
    }
    assert (await found(databases)).revision == 2


@pytest.mark.parametrize("end", ["", None, "9999-12-31"])
async def test_an_end_may_be_open(databases: Databases, end: str | None) -> None:
    account = await an_account(databases)
    await imported(databases, ContractImport(), [{**ROW, "end": end, "kind": "", "provider": ""}])
    (contract,) = await held(databases, account.account_id)
    assert (contract.end, contract.kind, contract.provider) == (None, ContractKind.NEW, "supplier")


async def test_the_same_id_in_two_accounts_is_two_contracts(databases: Databases) -> None:
    await an_account(databases)
    await an_account(databases, "globex")
    report = await imported(databases, ContractImport(), [ROW, {**ROW, "account": "globex"}])
    assert report == ImportReport(received=2, created=2)


async def test_the_currency_is_that_of_the_account_when_the_contract_starts(databases: Databases) -> None:
    account = await an_account(databases, currency="USD")
    async with databases.worker.transaction(operator_scope()) as tx:
        await set_currency(tx, account.account_id, "EUR", date(2025, 6, 1))
    rows = [ROW, {**ROW, "id": "c2", "start": "2025-06-01"}, {**ROW, "id": "c3", "currency": "GBP"}]
    await imported(databases, ContractImport(), rows)
    assert {one.contract_id: one.currency for one in await held(databases, account.account_id)} == {
        "c1": "USD",
        "c2": "EUR",
        "c3": "GBP",
    }


async def test_a_partner_becomes_known_by_its_contract(databases: Databases) -> None:
    await an_account(databases)
    await imported(databases, ContractImport(), [{**ROW, "provider": "tessera"}])
    async with databases.worker.transaction(operator_scope()) as tx:
        assert [row.slug for row in await tx.rows(select(provider))] == ["tessera"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"account": "never-was"}, "no account"),
        ({"id": ""}, "Column id is empty"),
        ({"start": ""}, "Column start is empty"),
        ({"start": "2026-02-01"}, "before column start"),
        ({"amount": "12 EUR"}, "not a decimal number"),
        ({"amount": "-5"}, "may be below zero"),
        ({"period": "week"}, "use one of month, year"),
        ({"period": ""}, "Column period is empty"),
        ({"kind": "gift"}, "use one of new, renewal"),
        ({"currency": "BTC"}, "ISO 4217"),
    ],
)
async def test_rows_that_cannot_be_a_contract(databases: Databases, change: dict[str, str], says: str) -> None:
    kept = Kept()
    await an_account(databases)
    assert (await imported(databases, ContractImport(), [{**ROW, **change}], kept)).rejected == 1
    assert says in kept.rejections[0].message


async def test_a_contraction_may_take_away(databases: Databases) -> None:
    await an_account(databases)
    row = {**ROW, "amount": "-200", "kind": "contraction"}
    assert (await imported(databases, ContractImport(), [row])).created == 1
