"""Accounts."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from tests.accounts.factories import an_account, found
from tests.conftest import Databases
from valueplatform.accounts.accounts import (
    EVER,
    Account,
    NewAccount,
    account_by_id,
    account_by_key,
    accounts_by_keys,
    checked_currency,
    encoded_attributes,
    ensure_accounts,
    ids_of,
    list_accounts,
    raise_revisions,
    set_currency,
)
from valueplatform.core.authorization import accounts_or_all, operator_scope
from valueplatform.core.errors import InvalidInputError, NotFoundError


def new(key: str) -> NewAccount:
    return NewAccount(key=key, name=key, timezone="UTC", currency="USD")


async def test_an_account_out_of_scope_is_not_found_in_the_same_words_as_one_that_never_was(
    databases: Databases,
) -> None:
    mine, other = await an_account(databases, "acme"), await an_account(databases, "globex")
    async with databases.web.transaction(accounts_or_all([mine.account_id])) as tx:
        assert (await account_by_key(tx, "acme")).account_id == mine.account_id
        for key in ("globex", "never-was", "", "a\0b"):
            with pytest.raises(NotFoundError) as error:
                await account_by_key(tx, key)
            assert error.value.message == f"There is no account {key!r}."
        with pytest.raises(NotFoundError):
            await account_by_id(tx, other.account_id)
        assert (await account_by_id(tx, mine.account_id)).key == "acme"


async def test_attributes_keep_their_exact_numbers(databases: Databases) -> None:
    attributes = {"seats": Decimal("0.1000000001"), "many": 10**20, "plan": "Pro", "tags": ["a", None], "x": True}
    account = NewAccount(key="acme", name="Acme", timezone="UTC", currency="USD", attributes=attributes)
    async with databases.worker.transaction(operator_scope()) as tx:
        await ensure_accounts(tx, [account])
        assert (await account_by_key(tx, "acme")).attributes == attributes


async def test_only_new_accounts_are_made_and_each_gets_a_currency(databases: Databases) -> None:
    async with databases.ingest.transaction(operator_scope()) as tx:
        assert await ensure_accounts(tx, [new("b"), new("a"), new("b")]) == {"a", "b"}
        assert await ensure_accounts(tx, [new("a"), new("c")]) == {"c"}
        assert await ensure_accounts(tx, []) == set()
        accounts = await accounts_by_keys(tx, ["a", "b", "c", "d"])
    assert {key: account.currencies for key, account in accounts.items()} == dict.fromkeys("abc", ((EVER, "USD"),))


async def test_pages_of_accounts_hold_each_in_scope_once(databases: Databases) -> None:
    ids = [(await an_account(databases, key)).account_id for key in ("delta", "alpha", "echo", "bravo", "charlie")]
    keys, cursor = [], None
    async with databases.web.transaction(accounts_or_all(ids[:4])) as tx:
        while True:
            page = await list_accounts(tx, limit=2, cursor=cursor)
            keys += [account.key for account in page.items]
            cursor = page.next_cursor
            if cursor is None:
                break
        with pytest.raises(InvalidInputError):
            await list_accounts(tx, limit=2, cursor="nonsense")
        with pytest.raises(InvalidInputError):
            await list_accounts(tx, limit=0)
    assert keys == ["alpha", "bravo", "delta", "echo"]


async def test_ids_come_in_the_order_of_the_keys_and_all_unknown_ones_are_named(databases: Databases) -> None:
    acme, globex = await an_account(databases, "acme"), await an_account(databases, "globex")
    async with databases.worker.transaction(operator_scope()) as tx:
        assert await ids_of(tx, ["globex", "acme", "globex"]) == [
            globex.account_id,
            acme.account_id,
            globex.account_id,
        ]
        with pytest.raises(NotFoundError, match="'x', 'y'"):
            await ids_of(tx, ["x", "acme", "y"])


async def test_a_currency_holds_from_its_day_on(databases: Databases) -> None:
    account = await an_account(databases)
    async with databases.worker.transaction(operator_scope()) as tx:
        await set_currency(tx, account.account_id, "USD", date(2026, 1, 1))
        await set_currency(tx, account.account_id, "GBP", date(2027, 1, 1))
        await set_currency(tx, account.account_id, "CHF", date(2026, 7, 1))
    account = await found(databases)
    assert account.currencies == ((EVER, "EUR"), (date(2026, 1, 1), "USD"), (date(2026, 7, 1), "CHF"))
    assert account.currency == "CHF"
    assert [account.currency_on(date(2026, month, 1)) for month in (1, 6, 7)] == ["USD", "USD", "CHF"]
    assert account.currency_on(date(2025, 12, 31)) == "EUR"


async def test_a_currency_for_all_time_replaces_every_other_even_one_that_was_written_by_hand(
    databases: Databases,
) -> None:
    account = await an_account(databases)
    async with databases.worker.transaction(operator_scope()) as tx:
        await tx.execute(text("UPDATE account_currency SET effective_from = DATE '0001-01-01'"))
        await set_currency(tx, account.account_id, "USD", date(2026, 1, 1))
        await set_currency(tx, account.account_id, "GBP", EVER)
    assert (await found(databases)).currencies == ((EVER, "GBP"),)


@given(st.lists(st.tuples(st.dates(), st.sampled_from(["EUR", "USD", "GBP"])), max_size=4), st.dates())
def test_a_day_has_the_currency_that_was_set_last_before_it(changes: list[tuple[date, str]], day: date) -> None:
    currencies = ((EVER, "JPY"), *sorted(dict(changes).items()))
    account = Account(account_id=1, key="a", name="A", timezone="UTC", currencies=currencies)
    assert account.currency_on(day) == max(entry for entry in currencies if entry[0] <= day)[1]


async def test_revisions_count_up_once_for_each_account(databases: Databases) -> None:
    one, two = await an_account(databases, "one"), await an_account(databases, "two")
    async with databases.worker.transaction(operator_scope()) as tx:
        await raise_revisions(tx, [two.account_id, one.account_id, two.account_id])
        await raise_revisions(tx, [one.account_id])
        await raise_revisions(tx, [])
    assert ((await found(databases, "one")).revision, (await found(databases, "two")).revision) == (2, 1)


async def test_pages_may_raise_the_revision_and_change_nothing_else_of_an_account(databases: Databases) -> None:
    account = await an_account(databases)
    async with databases.web.transaction(accounts_or_all([account.account_id])) as tx:
        await raise_revisions(tx, [account.account_id])
        allowed = await tx.scalar(text("SELECT has_column_privilege('account', 'name', 'UPDATE')"))
    assert allowed is False


@pytest.mark.parametrize("code", ["usd", "US", "", "XXXX", "EURO", "€"])
def test_a_currency_is_an_iso_code(code: str) -> None:
    with pytest.raises(InvalidInputError, match="ISO 4217"):
        checked_currency(code)
    assert checked_currency("USD") == "USD"


def test_the_same_attributes_are_always_written_alike() -> None:
    assert encoded_attributes({"b": Decimal("1.50"), "a": "x"}) == encoded_attributes({"a": "x", "b": Decimal("1.50")})
    assert encoded_attributes({"b": Decimal("1.50")}) == '{"b":1.50}'
