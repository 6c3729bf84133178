"""Estimates from comparable accounts: offered where an account has no value, taken only by a steward, never counted."""

from decimal import Decimal

import pytest
from sqlalchemy import text

from tests.conftest import Databases
from tests.value.benchmark_worlds import NOW, PROSPECT, agree, compare, compared
from tests.value.factories import CUSTOMER, SUPPLIER, TODAY
from tests.value.test_benchmark_run import differing
from valueplatform.accounts.accounts import account_by_key
from valueplatform.core.authorization import accounts_or_all
from valueplatform.core.errors import ConflictError, ForbiddenError, NotFoundError
from valueplatform.core.scope import grant_all
from valueplatform.value import assumption_record as record
from valueplatform.value.assumption_record import Author
from valueplatform.value.assumptions import Action, Entry, holding
from valueplatform.value.comparable_values import (
    Comparable,
    comparable_values,
    estimate_from_comparable,
    unit_in,
)
from valueplatform.value.ranges import Range
from valueplatform.value.refreshing import read_record
from valueplatform.value.states import State


@pytest.fixture
async def ids(databases: Databases) -> dict[str, int]:
    found = await compared(databases)
    await agree(databases, found)
    return found


async def offered(databases: Databases, key: str) -> dict[str, Comparable]:
    async with databases.web.transaction(accounts_or_all(None)) as tx:
        account = await account_by_key(tx, key)
        facts, _ = await read_record(tx, account.account_id)
        return dict(await comparable_values(tx, account, facts))


async def take(databases: Databases, key: str, slug: str = "per_minute", author: Author = SUPPLIER) -> Entry:
    async with databases.worker.transaction(grant_all()) as tx:
        return await estimate_from_comparable(tx, await account_by_key(tx, key), slug, author, NOW)


async def test_what_five_validated_is_offered_to_who_has_nothing_and_to_nobody_else(
    databases: Databases, ids: dict[str, int]
) -> None:
    offer = (await offered(databases, PROSPECT))["per_minute"]
    assert (offer.expected, offer.low, offer.high, offer.accounts) == (
        Decimal("2.2"), Decimal("1.8"), Decimal(3), 5,
    )  # fmt: skip
    assert offer.says == "From 5 similar companies in Big"
    assert "per_minute" not in await offered(databases, "a10")
    assert "per_open" not in await offered(databases, PROSPECT)


async def test_an_offer_changes_nothing_until_it_is_taken_and_then_is_an_estimate_that_says_so(
    databases: Databases, ids: dict[str, int]
) -> None:
    await offered(databases, PROSPECT)
    async with databases.worker.transaction(grant_all()) as tx:
        assert (await record.entries_of(tx, ids[PROSPECT])).get("per_minute") is None
    entry = await take(databases, PROSPECT)
    assert (entry.action, entry.author, entry.value) == (
        Action.ESTIMATE, SUPPLIER.name, Range(Decimal("1.8"), Decimal("2.2"), Decimal(3)),
    )  # fmt: skip
    assert entry.reason.startswith("From 5 similar companies in Big: the median")
    assert "93.8%" in entry.reason
    async with databases.worker.transaction(grant_all()) as tx:
        held = holding((await record.entries_of(tx, ids[PROSPECT]))["per_minute"], None, TODAY)
    assert held is not None
    assert held.state is State.ESTIMATED


async def test_it_is_taken_once_and_never_over_a_value_of_the_account(
    databases: Databases, ids: dict[str, int]
) -> None:
    await take(databases, PROSPECT)
    for key in (PROSPECT, "a10"):
        with pytest.raises(ConflictError):
            await take(databases, key)


async def test_nobody_but_the_supplier_takes_it(databases: Databases, ids: dict[str, int]) -> None:
    with pytest.raises(ForbiddenError):
        await take(databases, PROSPECT, author=CUSTOMER)


@pytest.mark.parametrize("slug", ["per_open", "nothing", "driver:time"])
async def test_what_no_cohort_validated_cannot_be_taken(databases: Databases, ids: dict[str, int], slug: str) -> None:
    with pytest.raises(NotFoundError):
        await take(databases, PROSPECT, slug)


async def test_what_is_disputed_or_only_proposed_is_not_validated(databases: Databases, ids: dict[str, int]) -> None:
    async with databases.worker.transaction(grant_all()) as tx:
        (entry,) = [e for e in (await record.entries_of(tx, ids["a10"]))["per_minute"] if e.action is Action.PROPOSE]
        await record.dispute(tx, ids["a10"], entry.entry_id, CUSTOMER, NOW, "Payroll changed")
    await compare(databases)
    assert await offered(databases, PROSPECT) == {}


async def test_in_another_currency_nothing_is_offered(databases: Databases, ids: dict[str, int]) -> None:
    async with databases.worker.transaction(grant_all()) as tx:
        statement = text("UPDATE account_currency SET currency = 'EUR' WHERE account_id = :account")
        await tx.execute(statement, {"account": ids[PROSPECT]})
    assert await offered(databases, PROSPECT) == {}


async def test_verify_reads_the_records_again_and_finds_what_is_changed_by_hand(
    databases: Databases, ids: dict[str, int]
) -> None:
    async with databases.worker.transaction(grant_all()) as tx:
        await tx.execute(text("UPDATE benchmark_run SET as_of = as_of + interval '1 day'"))
    assert await differing(databases) == []
    async with databases.worker.transaction(grant_all()) as tx:
        await tx.execute(text("UPDATE benchmark_input SET value = 99 WHERE account_id = :id"), {"id": ids["a10"]})
    assert [one for one in await differing(databases) if "validated" in one] != []


def test_units_are_in_the_account_s_own_currency() -> None:
    assert [unit_in(one, "EUR") for one in ("USD/hour", "USD/USD/year", "minute/job")] == [
        "EUR/hour", "EUR/EUR/year", "minute/job",
    ]  # fmt: skip
