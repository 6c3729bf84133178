"""Dated exchange rates: said, never unsaid, and in force from their day on."""

from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from tests.accounts.factories import Kept, imported
from tests.conftest import Databases
from valueplatform.accounts.exchange_rates import (
    ExchangeRate,
    NoRateError,
    RateImport,
    Rates,
    known_rates,
    rates_into,
    record_rate,
)
from valueplatform.accounts.imports import ImportReport
from valueplatform.core.authorization import operator_scope
from valueplatform.core.errors import InvalidInputError
from valueplatform.core.periods import Period

JANUARY, MARCH = date(2026, 1, 1), date(2026, 3, 1)
NOW = datetime(2026, 6, 1, tzinfo=UTC)
ROW = {"currency": "EUR", "day": "2026-01-01", "rate": "1.08", "source": "ECB"}


def euro(day: date = JANUARY, rate: str = "1.08", **given: str) -> ExchangeRate:
    fields = {"currency": "EUR", "target": "USD", "source": "ECB"} | given
    return ExchangeRate(day=day, rate=Decimal(rate), **fields)


def test_a_rate_holds_from_its_day_until_the_next_and_not_before() -> None:
    rates = Rates("USD", [euro(MARCH, "1.1"), euro(JANUARY, "1.08")])
    assert rates.on("EUR", date(2026, 2, 28)) == Fraction("1.08")
    assert rates.on("EUR", MARCH) == Fraction("1.1")
    assert rates.on("EUR", date(2099, 1, 1)) == Fraction("1.1")
    with pytest.raises(NoRateError, match="no rate of EUR on 2025-12-31"):
        rates.on("EUR", date(2025, 12, 31))


def test_the_supplier_s_own_currency_needs_no_rate_and_another_is_never_guessed() -> None:
    assert Rates("USD").on("USD", date(1970, 1, 1)) == 1
    with pytest.raises(NoRateError):
        Rates("EUR", [euro(target="EUR", currency="USD")]).on("GBP", MARCH)


def test_of_two_entries_for_one_day_the_newer_holds() -> None:
    assert Rates("USD", [euro(rate="1.08"), euro(rate="1.09")]).on("EUR", JANUARY) == Fraction("1.09")


def test_the_rates_that_a_period_needs_are_those_in_force_in_it() -> None:
    rates = Rates("USD", [euro(JANUARY), euro(MARCH), euro(date(2026, 4, 1)), euro(JANUARY, currency="GBP")])
    used = rates.used(["EUR"], Period(date(2026, 2, 1), date(2026, 3, 2)))
    assert [one.day for one in used] == [JANUARY, MARCH]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"currency": "XXY"}, "no currency"),
        ({"currency": "USD"}, "needs no rate"),
        ({"rate": "0"}, "above zero"),
        ({"rate": "-1.1"}, "above zero"),
        ({"rate": "1,08"}, "rate"),
        ({"rate": "1.0000000001"}, "fraction digits"),
        ({"day": "January"}, "2025-12-31"),
        ({"source": " "}, "source"),
    ],
)
async def test_rows_that_cannot_be_a_rate_are_kept_with_the_reason(
    databases: Databases, change: dict[str, str], says: str
) -> None:
    kept = Kept()
    report = await imported(databases, RateImport(), [{**ROW, **change}, {**ROW, "day": "2026-02-01"}], kept)
    assert (report.created, report.rejected) == (1, 1)
    assert says in kept.rejections[0].message


async def test_the_same_rates_again_change_nothing_and_another_is_added_to_the_record(databases: Databases) -> None:
    assert await imported(databases, RateImport(), [ROW]) == ImportReport(received=1, created=1)
    assert (await imported(databases, RateImport(), [{**ROW, "rate": "1.0800"}])).unchanged == 1
    assert (await imported(databases, RateImport(), [{**ROW, "rate": "1.09"}])).changed == 1
    async with databases.web.transaction(operator_scope()) as tx:
        assert [one.rate.rate for one in await known_rates(tx, "USD")] == [Decimal("1.08"), Decimal("1.09")]
        assert (await rates_into(tx, "USD")).on("EUR", JANUARY) == Fraction("1.09")


async def test_a_rate_says_who_said_it_and_when(databases: Databases) -> None:
    async with databases.web.transaction(operator_scope()) as tx:
        await record_rate(tx, euro(source=" ECB "), "fin@fieldnote.example", NOW)
        with pytest.raises(InvalidInputError, match="above zero"):
            await record_rate(tx, euro(rate="0"), "fin@fieldnote.example", NOW)
    async with databases.worker.transaction(operator_scope()) as tx:
        (known,) = await known_rates(tx, "USD")
    assert (known.author, known.known_at, known.rate.source) == ("fin@fieldnote.example", NOW, "ECB")


@pytest.mark.parametrize(
    "change", ["UPDATE exchange_rate SET rate = 2", "DELETE FROM exchange_rate", "TRUNCATE exchange_rate"]
)
async def test_what_was_said_is_refused_to_be_changed_even_to_the_database_s_owner(
    databases: Databases, change: str
) -> None:
    await imported(databases, RateImport(), [ROW])
    with pytest.raises(DBAPIError, match="append-only"):
        async with databases.admin.transaction(operator_scope()) as tx:
            await tx.execute(text(change))
