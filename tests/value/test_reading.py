from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import text

from tests.conftest import Databases
from tests.value.factories import CUSTOMER, NOW, TODAY, new_account, put_model
from tests.value.three_parties import (
    THREE_PARTIES,
    commit_to,
    put_etas,
    put_jobs,
    put_syncs,
    refresh,
    validate,
)
from valueplatform.accounts.accounts import account_by_id
from valueplatform.core.errors import InvalidInputError, UnprocessableError
from valueplatform.core.periods import Period, Window, month_of
from valueplatform.core.scope import grant_accounts
from valueplatform.value import assumption_record as record
from valueplatform.value.models import NoModelError
from valueplatform.value.postings import close_month
from valueplatform.value.reading import FISCAL_MONTH, Question, ValueRead, read_value

MAY = month_of(date(2026, 5, 1))
MAY_4, MAY_5 = date(2026, 5, 4), date(2026, 5, 5)


async def ask(databases: Databases, account_id: int, now: datetime = NOW, **question: Any) -> ValueRead:
    async with databases.web.transaction(grant_accounts([account_id])) as tx:
        return await read_value(tx, await account_by_id(tx, account_id), Question(**question), now)


@pytest.fixture
async def harbor(databases: Databases) -> int:
    """Two days in May: 10 jobs and 30 syncs on the first, 10 jobs and 4 arrivals on the second; all validated."""
    await put_model(databases, THREE_PARTIES)
    account_id = await new_account(databases)
    await validate(databases, account_id)
    await put_jobs(databases, account_id, MAY_4, 10)
    await put_syncs(databases, account_id, MAY_4, 30)
    await put_jobs(databases, account_id, MAY_5, 10)
    await put_etas(databases, account_id, MAY_5, 4)
    await refresh(databases, account_id)
    return account_id


async def change(databases: Databases, statement: str, **values: object) -> None:
    async with databases.admin.transaction(grant_accounts([])) as tx:
        await tx.execute(text(statement), values)


async def a_contract(databases: Databases, account_id: int, amount: int, currency: str = "USD") -> None:
    await change(
        databases,
        "INSERT INTO contract (account_id, contract_id, start_day, amount, currency, period, kind, provider)"
        " VALUES (:account, :currency, DATE '2026-02-01', :amount, :currency, 'month', 'new', 'supplier')",
        account=account_id,
        amount=amount,
        currency=currency,
    )


async def test_without_a_model_there_is_nothing_to_read(databases: Databases) -> None:
    with pytest.raises(NoModelError, match="model apply"):
        await ask(databases, await new_account(databases))


async def test_an_account_without_value_reads_as_nothing_from_today_on(databases: Databases) -> None:
    await put_model(databases)
    read = await ask(databases, await new_account(databases))
    assert read.period == Period(TODAY, TODAY + timedelta(days=1))
    assert list(read.rows) == []
    assert read.totals.realized == 0


async def test_the_supplier_reads_every_provider_from_the_first_value_to_the_end_of_today(
    databases: Databases, harbor: int
) -> None:
    read = await ask(databases, harbor)
    assert read.period == Period(MAY_4, TODAY + timedelta(days=1))
    assert (read.totals.realized, read.totals.counted) == (Decimal(180 + 60 + 20), Decimal(260))
    assert read.totals.realized_by_class == {
        "avoidance": Decimal(20),
        "capacity": Decimal(180),
        "cashable": Decimal(60),
    }
    assert read.combined is None


async def test_a_partner_reads_its_own_rows_and_the_combined_total(databases: Databases, harbor: int) -> None:
    read = await ask(databases, harbor, provider="tessera", group_by=("driver", "provider"), end=MAY_5)
    assert [dict(row.groups) for row in read.rows] == [{"driver": "invoices_synced", "provider": "tessera"}]
    assert (read.totals.realized, read.paid) == (Decimal(60), None)
    assert read.combined is not None
    assert (read.combined.realized, str(read.combined.share)) == (Decimal(150), "0.4000")


async def test_the_dates_of_a_partner_tell_nothing_of_others(databases: Databases, harbor: int) -> None:
    await a_contract(databases, harbor, 3000)
    await commit_to(databases, harbor, "dispatch_time", date(2026, 3, 1), 100)
    assert (await ask(databases, harbor)).period.start == date(2026, 2, 1)
    assert (await ask(databases, harbor, provider="waypoint")).period.start == MAY_5
    assert (await ask(databases, harbor, provider="tessera")).period.start == MAY_4
    assert (await ask(databases, harbor, provider="nobody")).period.start == TODAY


async def test_a_partner_sees_commitments_for_its_own_drivers_alone(databases: Databases, harbor: int) -> None:
    await commit_to(databases, harbor, "dispatch_time", MAY.start, 100)
    await commit_to(databases, harbor, "arrivals_told", MAY.start, 10)
    read = await ask(databases, harbor, provider="waypoint", start=MAY.start, end=MAY.end)
    assert [(row.groups["driver"], row.committed_expected) for row in read.rows] == [("arrivals_told", Decimal(10))]
    assert read.totals.committed_expected == 10
    assert (await ask(databases, harbor)).totals.committed_expected == 110


async def test_a_partner_is_not_told_that_its_number_is_disputed(databases: Databases, harbor: int) -> None:
    async with databases.web.transaction(grant_accounts([harbor])) as tx:
        (stated, *_) = (await record.entries_of(tx, harbor))["per_sync"]
        await record.dispute(tx, harbor, stated.entry_id, CUSTOMER, NOW, "Too high")
    await refresh(databases, harbor)
    assert (await ask(databases, harbor)).totals.realized_by_state["under-review"] == 60
    read = await ask(databases, harbor, provider="tessera")
    assert read.totals.realized_by_state == {"estimated": Decimal(60)}
    assert [row.state for row in read.rows] == ["estimated"]


async def test_a_partner_cannot_cut_by_contract_years(databases: Databases, harbor: int) -> None:
    await a_contract(databases, harbor, 3000)
    with pytest.raises(UnprocessableError, match="not shown contracts"):
        await ask(databases, harbor, provider="tessera", window=Window.CONTRACT_YEAR)
    read = await ask(databases, harbor, window=Window.CONTRACT_YEAR)
    assert {row.window_start for row in read.rows} == {date(2026, 2, 1)}


async def test_what_was_paid_is_shown_to_those_who_may_see_contracts_and_never_adds_currencies(
    databases: Databases, harbor: int
) -> None:
    await a_contract(databases, harbor, 3100)
    week: dict[str, Any] = {"start": MAY.start, "end": date(2026, 5, 11)}
    assert (await ask(databases, harbor, **week)).paid == 1000
    assert (await ask(databases, harbor, shows_paid=False, **week)).paid is None
    await a_contract(databases, harbor, 3100, currency="EUR")
    assert (await ask(databases, harbor, **week)).paid is None


async def test_known_effort_stands_beside_what_was_paid_for_the_same_readers(databases: Databases, harbor: int) -> None:
    """Of a month that the days cut, by its days; what serving the account costs us is nobody's to see."""
    for kind, amount, currency in (
        ("internal", 310, "USD"),
        ("implementation", 620, "USD"),
        ("service", 9300, "USD"),
        ("internal", 9300, "EUR"),
    ):
        await change(
            databases,
            "INSERT INTO cost (cost_id, account_id, kind, month, amount, currency)"
            " VALUES (:name, :account, :kind, DATE '2026-05-01', :amount, :currency)",
            name=f"{kind} {currency}",
            account=harbor,
            kind=kind,
            amount=amount,
            currency=currency,
        )
    days: dict[str, Any] = {"start": MAY.start, "end": date(2026, 5, 11)}
    assert (await ask(databases, harbor, **days)).effort == 300
    assert (await ask(databases, harbor, shows_paid=False, **days)).effort is None
    assert (await ask(databases, harbor, provider="tessera", **days)).effort is None


async def test_as_of_a_day_only_what_was_posted_and_planned_by_then_is_known(databases: Databases, harbor: int) -> None:
    june, july = datetime(2026, 6, 10, 16, tzinfo=UTC), datetime(2026, 7, 10, 16, tzinfo=UTC)
    await commit_to(databases, harbor, "dispatch_time", MAY.start, 100, june)
    async with databases.worker.transaction(grant_accounts([harbor])) as tx:
        await close_month(tx, harbor, "America/New_York", MAY, june)
    await put_jobs(databases, harbor, MAY_4, 1)
    await refresh(databases, harbor, july)
    await commit_to(databases, harbor, "dispatch_time", MAY.start, 300, july)

    async def told(**question: Any) -> tuple[Decimal, Decimal]:
        sums = (await ask(databases, harbor, july, start=MAY.start, end=date(2026, 8, 1), **question)).totals
        return sums.realized, sums.committed_expected

    assert await told(as_of=date(2026, 6, 9)) == (Decimal(0), Decimal(0))
    assert await told(as_of=date(2026, 6, 10)) == (Decimal(260), Decimal(100))
    assert await told(as_of=date(2026, 7, 9)) == (Decimal(260), Decimal(100))
    assert await told(as_of=date(2026, 7, 10)) == (Decimal(269), Decimal(300))
    assert await told() == (Decimal(269), Decimal(300))


async def test_a_partner_has_no_combined_total_as_of_a_day(databases: Databases, harbor: int) -> None:
    read = await ask(databases, harbor, provider="tessera", end=MAY_5, as_of=TODAY)
    assert read.combined is None


async def test_the_last_moment_of_a_day_is_the_account_s_own(databases: Databases, harbor: int) -> None:
    midnight_in_new_york = datetime(2026, 6, 11, 4, tzinfo=UTC)
    async with databases.worker.transaction(grant_accounts([harbor])) as tx:
        await close_month(tx, harbor, "America/New_York", MAY, midnight_in_new_york)
    assert (await ask(databases, harbor, as_of=date(2026, 6, 10))).totals.realized == 0
    assert (await ask(databases, harbor, as_of=date(2026, 6, 11))).totals.realized == 260


@pytest.mark.parametrize(("given", "month"), [("4", 4), ("13", 1), ("x", 1)])
async def test_the_fiscal_year_begins_where_the_account_says(
    databases: Databases, harbor: int, given: str, month: int
) -> None:
    statement = f"UPDATE account SET attributes = jsonb_build_object('{FISCAL_MONTH}', CAST(:given AS text))"
    await change(databases, statement, given=given)
    read = await ask(databases, harbor, start=date(2026, 1, 1), window=Window.FISCAL_YEAR)
    assert {row.window_start for row in read.rows} == {date(2026, month, 1)}


async def test_a_period_that_ends_before_the_first_value_is_empty_and_no_error(
    databases: Databases, harbor: int
) -> None:
    read = await ask(databases, harbor, end=date(2026, 1, 1))
    assert (read.period.end, list(read.rows)) == (date(2026, 1, 1), [])
    read = await ask(databases, harbor, start=date(2027, 1, 1))
    assert (read.period.days, list(read.rows)) == (1, [])


@pytest.mark.parametrize(
    "question",
    [
        {"start": MAY_5, "end": MAY_5},
        {"start": MAY_5, "end": MAY_4},
        {"start": date.min},
        {"end": date.max},
        {"as_of": date.max},
    ],
)
def test_periods_that_cannot_be_are_refused(question: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError):
        Question(**question)
