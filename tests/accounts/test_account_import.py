"""Importing accounts."""

from datetime import date
from decimal import Decimal

import pytest

from tests.accounts.factories import DEFAULTS, Kept, an_account, found, imported, imported_accounts
from tests.conftest import Databases
from valueplatform.accounts.account_import import ALL_TIME
from valueplatform.accounts.accounts import EVER
from valueplatform.accounts.contract_import import ContractImport
from valueplatform.accounts.imports import ImportReport, Mark
from valueplatform.core.periods import Period

ACME = {
    "key": "acme",
    "name": "Acme AG",
    "currency": "EUR",
    "timezone": "Europe/Berlin",
    "segment": "mid",
    "stage": "customer",
    "seats": "120",
}
TODAY = date(2026, 3, 2)
CONTRACT = {"account": "acme", "id": "c1", "start": "2025-01-01", "amount": "100", "period": "month"}


async def test_an_account_is_made_of_its_columns_and_the_rest_is_attributes(databases: Databases) -> None:
    kept = Kept()
    assert await imported_accounts(databases, [ACME], kept) == ImportReport(received=1, created=1)
    account = await found(databases)
    assert (account.name, account.currency, account.timezone) == ("Acme AG", "EUR", "Europe/Berlin")
    assert (account.segment, account.stage, account.attributes) == ("mid", "customer", {"seats": "120"})
    # It is marked once, so that its story is composed even before its first event.
    assert kept.marks == [Mark(account.account_id, Period(TODAY, date(2026, 3, 3)), "account:created")]
    assert kept.zones == {}


async def test_a_key_alone_is_enough(databases: Databases) -> None:
    await imported_accounts(databases, [{"key": "bare"}])
    account = await found(databases, "bare")
    assert (account.name, account.currency, account.timezone) == ("bare", DEFAULTS.currency, DEFAULTS.timezone)
    assert (account.segment, account.attributes) == (None, {})


async def test_absent_columns_leave_what_is_stored_and_empty_cells_take_away_what_may_be_empty(
    databases: Databases,
) -> None:
    await imported_accounts(databases, [ACME])
    assert await imported_accounts(databases, [{"key": "acme"}]) == ImportReport(received=1, unchanged=1)
    emptied = dict.fromkeys(ACME, "") | {"key": "acme"}
    assert await imported_accounts(databases, [emptied]) == ImportReport(received=1, changed=1)
    account = await found(databases)
    assert (account.name, account.currency, account.timezone) == ("Acme AG", "EUR", "Europe/Berlin")
    assert (account.segment, account.stage, account.attributes) == (None, None, {})
    assert account.revision == 1


async def test_attributes_of_other_inputs_stay(databases: Databases) -> None:
    await imported_accounts(databases, [ACME])
    await imported_accounts(databases, [{"key": "acme", "industry": "elevators", "size": Decimal("1.50")}])
    report = await imported_accounts(databases, [{"key": "acme", "size": Decimal("1.5")}])
    assert report == ImportReport(received=1, unchanged=1)
    assert (await found(databases)).attributes == {
        "seats": "120",
        "industry": "elevators",
        "size": Decimal("1.50"),
    }


async def test_a_new_zone_moves_all_days_and_a_new_segment_all_assumptions(databases: Databases) -> None:
    kept = Kept()
    await imported_accounts(databases, [ACME])
    await imported_accounts(databases, [{"key": "acme", "timezone": "Asia/Tokyo", "segment": "large"}], kept)
    account_id = (await found(databases)).account_id
    assert kept.zones == {}
    assert (await found(databases)).timezone == "Asia/Tokyo"
    assert kept.marks == [
        Mark(account_id, ALL_TIME, "account:timezone"),
        Mark(account_id, ALL_TIME, "account:segment"),
    ]


async def test_the_new_zone_of_an_account_with_events_waits_and_all_else_does_not(databases: Databases) -> None:
    await imported_accounts(databases, [ACME, {"key": "globex"}])
    held = await found(databases)
    kept = Kept(busy={held.account_id})
    rows = [{"key": "acme", "timezone": "Asia/Tokyo", "segment": "large"}, {"key": "globex", "timezone": "Asia/Tokyo"}]
    assert await imported_accounts(databases, rows, kept) == ImportReport(received=2, changed=2)
    assert kept.zones == {held.account_id: "Asia/Tokyo"}
    after = await found(databases)
    assert (after.timezone, after.segment) == (held.timezone, "large")
    assert Mark(held.account_id, ALL_TIME, "account:segment") in kept.marks
    assert Mark(held.account_id, ALL_TIME, "account:timezone") not in kept.marks
    once_more = [{"key": "acme", "timezone": "Asia/Tokyo", "segment": "large"}]
    assert await imported_accounts(databases, once_more, kept) == ImportReport(received=1, changed=1), "still waiting"


async def test_a_new_name_marks_nothing(databases: Databases) -> None:
    kept = Kept()
    await imported_accounts(databases, [ACME])
    report = await imported_accounts(databases, [{"key": "acme", "name": "Acme SE"}], kept)
    assert report == ImportReport(received=1, changed=1)
    assert kept.marks == []


async def test_a_currency_given_by_default_is_corrected_for_all_time(databases: Databases) -> None:
    kept = Kept()
    account = await an_account(databases, currency="USD")
    await imported_accounts(databases, [{"key": "acme", "currency": "EUR"}], kept)
    assert (await found(databases)).currencies == ((EVER, "EUR"),)
    assert kept.marks == [Mark(account.account_id, Period(EVER, date.max), "account:currency")]


async def test_once_something_was_agreed_a_currency_changes_from_today_on(databases: Databases) -> None:
    kept = Kept()
    account = await an_account(databases, currency="USD")
    await imported(databases, ContractImport(), [CONTRACT])
    for _ in range(2):
        await imported_accounts(databases, [{"key": "acme", "currency": "EUR"}], kept)
    assert (await found(databases)).currencies == ((EVER, "USD"), (TODAY, "EUR"))
    assert kept.marks == [Mark(account.account_id, Period(TODAY, date.max), "account:currency")]


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({"key": ""}, "Column key is empty"),
        ({"name": "No key"}, "Column key is empty"),
        ({"key": "k" * 201}, "use a shorter key"),
        ({"key": "acme", "currency": "EURO"}, "ISO 4217"),
        ({"key": "acme", "timezone": "Berlin"}, "IANA name"),
        ({"key": "acme", "note": {"deep": ["zero\0byte"]}}, "zero byte"),
    ],
)
async def test_rows_that_cannot_be_an_account(databases: Databases, row: dict[str, object], says: str) -> None:
    kept = Kept()
    assert (await imported_accounts(databases, [row], kept)).rejected == 1
    assert says in kept.rejections[0].message


async def test_an_account_with_the_text_of_a_zero_byte_is_fine(databases: Databases) -> None:
    await imported_accounts(databases, [{"key": "acme", "note": r"\u0000 is how JSON writes it"}])
    assert (await found(databases)).attributes == {"note": r"\u0000 is how JSON writes it"}
