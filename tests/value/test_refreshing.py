"""From events to amounts on the real database: accruals, closing, adjusting, and the independent path beside them."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import msgspec
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from tests.conftest import Databases
from tests.value.factories import (
    CUSTOMER,
    MODEL,
    NOW,
    SUPPLIER,
    TODAY,
    VALIDATOR,
    a_model,
    mark,
    new_account,
    put_events,
    put_model,
)
from valueplatform.core.errors import ConflictError, ForbiddenError, UnprocessableError
from valueplatform.core.periods import Period, month_of
from valueplatform.core.scope import grant_accounts
from valueplatform.value import assumption_record as record
from valueplatform.value.accrual_store import merge_marks
from valueplatform.value.assumption_record import Statement
from valueplatform.value.assumptions import EVER, Action, Default, driver_slug
from valueplatform.value.basis import driver_statement
from valueplatform.value.calendar import close_due_months, mark_month_ends
from valueplatform.value.postings import close_month
from valueplatform.value.proof_record import read_source
from valueplatform.value.ranges import Range
from valueplatform.value.refreshing import refresh_value
from valueplatform.value.shown import adjustments, gaps, shown_values
from valueplatform.value.verify import Checked, verify_account

ALL = Period(date(2026, 1, 1), date(2026, 12, 31))
MAY = month_of(date(2026, 5, 1))
NOON = datetime(2026, 5, 4, 16, tzinfo=UTC)


async def refresh(databases: Databases, account_id: int, now: datetime = NOW) -> None:
    async with databases.worker.transaction(grant_accounts([account_id])) as tx:
        await refresh_value(tx, account_id, now)


async def amounts(databases: Databases, account_id: int, driver: str = "dispatch_time") -> dict[date, Decimal]:
    async with databases.web.transaction(grant_accounts([account_id])) as tx:
        values = await shown_values(tx, account_id, ALL)
    return {value.day: value.expected for value in values if value.driver == driver}


async def verified(databases: Databases, account_id: int) -> Checked:
    async with databases.worker.transaction(grant_accounts([account_id])) as tx:
        source = await read_source(tx, account_id)
        assert source is not None
        return await verify_account(tx, source, ALL.start, ALL.end)


async def validate_everything(databases: Databases, account_id: int, now: datetime = NOW) -> None:
    async with databases.web.transaction(grant_accounts([account_id])) as tx:
        for slug, value, unit in (("manual_minutes", 14, "minute/job"), ("hourly_cost", 45, "USD/hour")):
            default = Default(Range.point(Decimal(value)), unit)
            await record.validate_stated(tx, account_id, slug, default, VALIDATOR, now, TODAY)


async def test_a_day_is_worth_what_its_formula_says_rounded_once(databases: Databases) -> None:
    account_id = await new_account(databases)
    await put_model(databases)
    jobs: list[tuple[datetime, dict[str, object]]] = [
        (NOON, {"minutes": Decimal("3.10"), "crew": "a"}),
        (NOON, {"minutes": "2.05", "crew": "b"}),
    ]
    await put_events(databases, account_id, jobs)
    await refresh(databases, account_id)
    assert await amounts(databases, account_id) == {date(2026, 5, 4): Decimal("17.1375")}  # (2*14 - 5.15)/60*45
    async with databases.web.transaction(grant_accounts([account_id])) as tx:
        (value,) = [v for v in await shown_values(tx, account_id, ALL) if v.driver == "dispatch_time"]
    assert (value.low, value.high) == (Decimal("10.6717"), Decimal("23.2700"))
    assert (value.state, value.evidence, value.counted) == ("estimated", "vendor-estimate", False)
    checked = await verified(databases, account_id)
    assert checked.discrepancies == ()
    assert checked.accruals == 2


async def test_a_day_belongs_to_the_account_s_zone_and_a_filtered_event_counts_for_no_minutes(
    databases: Databases,
) -> None:
    account_id = await new_account(databases)
    await put_model(databases)
    late_evening = datetime(2026, 5, 5, 3, 30, tzinfo=UTC)  # 4 May in New York
    await put_events(databases, account_id, [(late_evening, {"minutes": 6, "channel": "desk"})])
    await refresh(databases, account_id)
    assert await amounts(databases, account_id) == {date(2026, 5, 4): Decimal("10.5000")}
    assert (await verified(databases, account_id)).discrepancies == ()


async def test_distinct_members_count_once_a_day_for_each_provider_of_events(databases: Databases) -> None:
    account_id = await new_account(databases)
    await put_model(databases)
    crews = [(NOON + timedelta(minutes=i), {"crew": crew}) for i, crew in enumerate(["a", "a", "b"])]
    await put_events(databases, account_id, crews, kind="crew.checked_in", provider="tessera")
    await put_events(databases, account_id, [(NOON, {"crew": "a"})], kind="crew.checked_in", provider="waypoint")
    await refresh(databases, account_id)
    async with databases.web.transaction(grant_accounts([account_id])) as tx:
        values = await shown_values(tx, account_id, ALL)
    assert {v.provider: v.expected for v in values if v.driver == "crews_reached"} == {
        "tessera": Decimal(2),
        "waypoint": Decimal(1),
    }
    assert (await verified(databases, account_id)).discrepancies == ()


async def test_only_changed_days_are_computed_again(databases: Databases) -> None:
    account_id = await new_account(databases)
    await put_model(databases)
    await put_events(databases, account_id, [(NOON, {"minutes": 1}), (NOON + timedelta(days=9), {"minutes": 1})])
    await refresh(databases, account_id)
    async with databases.admin.engine.begin() as connection:
        await connection.execute(text("UPDATE accrual SET expected = 1 WHERE day = '2026-05-04'"))
    await put_events(databases, account_id, [(NOON + timedelta(days=9), {"minutes": 2})])
    await refresh(databases, account_id)
    found = await amounts(databases, account_id)
    assert found[date(2026, 5, 4)] == 1
    assert found[date(2026, 5, 13)] == Decimal("18.7500")


async def test_a_zero_divisor_is_a_recorded_gap_and_no_amount(databases: Databases) -> None:
    account_id = await new_account(databases)
    model = a_model(MODEL.replace("/ 60 * hourly_cost", "/ (minutes - minutes) * hourly_cost"))
    await put_model(databases, model)
    await put_events(databases, account_id, [(NOON, {"minutes": 1})])
    await refresh(databases, account_id)
    async with databases.web.transaction(grant_accounts([account_id])) as tx:
        (gap,) = await gaps(tx, account_id)
    assert gap.driver == "dispatch_time"
    assert gap.reason.startswith("zero_divisor")
    assert await amounts(databases, account_id) == {}
    assert (await verified(databases, account_id)).discrepancies == ()


async def test_value_counts_once_every_input_is_validated_by_a_named_validator(databases: Databases) -> None:
    account_id = await new_account(databases)
    await put_model(databases)
    await put_events(databases, account_id, [(NOON, {"minutes": 1})])
    await validate_everything(databases, account_id)
    await refresh(databases, account_id)
    async with databases.web.transaction(grant_accounts([account_id])) as tx:
        (value,) = [v for v in await shown_values(tx, account_id, ALL) if v.driver == "dispatch_time"]
    assert (value.state, value.evidence, value.counted) == ("validated", "customer-validated", True)
    assert (await verified(databases, account_id)).discrepancies == ()


async def test_what_is_estimated_or_proposed_stands_beside_and_does_not_count(databases: Databases) -> None:
    account_id = await new_account(databases)
    await put_model(databases)
    await put_events(databases, account_id, [(NOON, {"minutes": 1})])
    await refresh(databases, account_id)

    async def standing() -> tuple[str, bool]:
        async with databases.web.transaction(grant_accounts([account_id])) as tx:
            (value,) = [v for v in await shown_values(tx, account_id, ALL) if v.driver == "dispatch_time"]
        return value.state, value.counted

    assert await standing() == ("estimated", False)
    async with databases.web.transaction(grant_accounts([account_id])) as tx:
        for slug, unit in (("manual_minutes", "minute/job"), ("hourly_cost", "USD/hour")):
            statement = Statement(slug, Range.point(Decimal(20)), unit, EVER, "As we measured.")
            await record.state_value(tx, account_id, Action.PROPOSE, statement, SUPPLIER, NOW)
    await refresh(databases, account_id)
    assert await standing() == ("proposed", False)


async def test_a_vendor_estimate_counts_only_once_the_driver_is_validated(databases: Databases) -> None:
    account_id = await new_account(databases)
    await put_model(databases, a_model(MODEL.replace('evidence = "measured"', 'evidence = "vendor-estimate"', 1)))
    await put_events(databases, account_id, [(NOON, {"minutes": 1})])
    await validate_everything(databases, account_id)
    await refresh(databases, account_id)

    async def counted() -> bool:
        async with databases.web.transaction(grant_accounts([account_id])) as tx:
            return next(v for v in await shown_values(tx, account_id, ALL) if v.driver == "dispatch_time").counted

    assert not await counted()
    async with databases.web.transaction(grant_accounts([account_id])) as tx:
        driver = a_model().driver("dispatch_time")
        assert driver is not None
        slug, stated = driver_slug(driver.slug), driver_statement(driver)
        await record.validate_stated(tx, account_id, slug, stated, VALIDATOR, NOW, TODAY)
    await refresh(databases, account_id)
    assert await counted()
    assert (await verified(databases, account_id)).discrepancies == ()


async def test_the_supplier_and_the_proposer_can_never_validate(databases: Databases) -> None:
    account_id = await new_account(databases)
    statement = Statement("hourly_cost", Range.point(Decimal(50)), "USD/hour", EVER, "Payroll of 2025.")
    async with databases.web.transaction(grant_accounts([account_id])) as tx:
        entry = await record.state_value(tx, account_id, Action.PROPOSE, statement, VALIDATOR, NOW)
        with pytest.raises(ForbiddenError, match="named validator"):
            await record.validate(tx, account_id, entry.entry_id, SUPPLIER, NOW, TODAY)
        by_mistake = msgspec.structs.replace(SUPPLIER, validates=True)
        with pytest.raises(ForbiddenError, match="named validator"):
            await record.validate(tx, account_id, entry.entry_id, by_mistake, NOW, TODAY)
        with pytest.raises(ForbiddenError, match="named validator"):
            await record.validate(tx, account_id, entry.entry_id, CUSTOMER, NOW, TODAY)
        with pytest.raises(ForbiddenError, match="another validator"):
            await record.validate(tx, account_id, entry.entry_id, VALIDATOR, NOW, TODAY)


async def test_a_settled_proposal_cannot_be_settled_twice(databases: Databases) -> None:
    account_id = await new_account(databases)
    statement = Statement("hourly_cost", Range.point(Decimal(50)), "USD/hour", EVER, "Payroll of 2025.")
    async with databases.web.transaction(grant_accounts([account_id])) as tx:
        entry = await record.state_value(tx, account_id, Action.PROPOSE, statement, SUPPLIER, NOW)
        await record.validate(tx, account_id, entry.entry_id, VALIDATOR, NOW, TODAY)
        with pytest.raises(ConflictError, match="settled already"):
            await record.validate(tx, account_id, entry.entry_id, VALIDATOR, NOW, TODAY)


async def test_a_currency_that_the_inputs_state_is_the_amount_s_and_two_are_a_gap(databases: Databases) -> None:
    account_id = await new_account(databases, currency="EUR")
    await put_model(databases)
    await put_events(databases, account_id, [(NOON, {"minutes": 1})])
    statement = Statement("hourly_cost", Range.point(Decimal(40)), "EUR/hour", EVER, "Tariff.")
    async with databases.web.transaction(grant_accounts([account_id])) as tx:
        await record.state_value(tx, account_id, Action.PROPOSE, statement, SUPPLIER, NOW)
    await refresh(databases, account_id)
    async with databases.web.transaction(grant_accounts([account_id])) as tx:
        (value,) = [v for v in await shown_values(tx, account_id, ALL) if v.driver == "dispatch_time"]
    assert (value.unit, value.state) == ("EUR", "estimated")  # the baseline is a default
    assert (await verified(databases, account_id)).discrepancies == ()


async def test_a_closed_month_stands_and_later_change_is_an_adjustment_shown_today(databases: Databases) -> None:
    account_id = await new_account(databases)
    await put_model(databases)
    await put_events(databases, account_id, [(NOON, {"minutes": 2})])
    await refresh(databases, account_id)
    async with databases.worker.transaction(grant_accounts([account_id])) as tx:
        assert await close_month(tx, account_id, "America/New_York", MAY, NOW) == 1
        assert await close_month(tx, account_id, "America/New_York", MAY, NOW) is None
    await put_events(databases, account_id, [(NOON, {"minutes": 2})])
    await refresh(databases, account_id)
    assert await amounts(databases, account_id) == {date(2026, 5, 4): Decimal("9.0000"), TODAY: Decimal("9.0000")}
    async with databases.web.transaction(grant_accounts([account_id])) as tx:
        (told,) = await adjustments(tx, account_id)
        before = await shown_values(tx, account_id, ALL, as_of=NOW - timedelta(seconds=1))
        after = await shown_values(tx, account_id, ALL, as_of=NOW)
    assert (told.month, told.shown_day, told.expected, told.cause) == (MAY.start, TODAY, Decimal("9.0000"), "events")
    assert before == []
    assert sum(v.expected for v in after if v.unit == "USD") == Decimal("18.0000")
    assert (await verified(databases, account_id)).discrepancies == ()


async def test_validating_after_the_close_moves_posted_value_from_estimated_to_counted(databases: Databases) -> None:
    account_id = await new_account(databases)
    await put_model(databases)
    await put_events(databases, account_id, [(NOON, {"minutes": 2})])
    await refresh(databases, account_id)
    async with databases.worker.transaction(grant_accounts([account_id])) as tx:
        await close_month(tx, account_id, "America/New_York", MAY, NOW)
    await validate_everything(databases, account_id)
    await refresh(databases, account_id)
    async with databases.web.transaction(grant_accounts([account_id])) as tx:
        values = [v for v in await shown_values(tx, account_id, ALL) if v.unit == "USD"]
    assert sum(v.expected for v in values) == Decimal("9.0000")
    assert sum(v.expected for v in values if v.counted) == Decimal("9.0000")
    assert (await verified(databases, account_id)).discrepancies == ()


async def test_a_month_that_is_not_over_in_the_account_s_zone_cannot_close(databases: Databases) -> None:
    account_id = await new_account(databases)
    still_may = datetime(2026, 6, 1, 3, 59, tzinfo=UTC)
    async with databases.worker.transaction(grant_accounts([account_id])) as tx:
        with pytest.raises(UnprocessableError, match="not over yet"):
            await close_month(tx, account_id, "America/New_York", MAY, still_may)


async def test_the_schedule_closes_months_from_go_live_on_and_leaves_imported_history_alone(
    databases: Databases,
) -> None:
    account_id = await new_account(databases)
    await put_model(databases)
    await put_events(databases, account_id, [(NOON, {"minutes": 2}), (NOON - timedelta(days=60), {"minutes": 2})])
    async with databases.admin.engine.begin() as connection:
        await connection.execute(text("UPDATE account SET created_at = '2026-05-20'"))
        await connection.execute(
            text("INSERT INTO milestone VALUES (:a, 'm1', 'go-live', '2026-02-01', 'Go-live')"), {"a": account_id}
        )
    ninth, tenth = datetime(2026, 6, 9, 23, tzinfo=UTC), datetime(2026, 6, 10, 12, tzinfo=UTC)
    await refresh(databases, account_id, ninth)
    async with databases.worker.transaction(grant_accounts([account_id])) as tx:
        assert await mark_month_ends(tx, ninth) == 0
        assert await close_due_months(tx, account_id, ninth) == 0
        assert await mark_month_ends(tx, tenth) == 1
        assert await mark_month_ends(tx, tenth) == 0
        assert await close_due_months(tx, account_id, tenth) == 1
        months = await tx.rows(text("SELECT month FROM closed_month"))
        await tx.execute(text("DELETE FROM changed_day"))
        assert await mark_month_ends(tx, tenth) == 0
    assert [row.month for row in months] == [MAY.start]


async def test_an_adjustment_names_the_causes_of_its_own_day_only(databases: Databases) -> None:
    account_id = await new_account(databases)
    await put_model(databases)
    await put_events(databases, account_id, [(NOON, {"minutes": 2}), (NOON + timedelta(days=1), {"minutes": 2})])
    await refresh(databases, account_id)
    async with databases.worker.transaction(grant_accounts([account_id])) as tx:
        await close_month(tx, account_id, "America/New_York", MAY, NOW)
    async with databases.worker.transaction(grant_accounts([account_id])) as tx:
        await mark(tx, account_id, date(2026, 5, 5), "retraction")
    await put_events(databases, account_id, [(NOON, {"minutes": 2})])
    await refresh(databases, account_id)
    async with databases.web.transaction(grant_accounts([account_id])) as tx:
        assert [told.cause for told in await adjustments(tx, account_id)] == ["events"]


@pytest.mark.parametrize("table", ["posting", "assumption_entry", "basis"])
async def test_what_was_written_once_cannot_be_changed_even_by_its_owner(databases: Databases, table: str) -> None:
    account_id = await new_account(databases)
    await put_model(databases)
    await put_events(databases, account_id, [(NOON, {"minutes": 2})])
    await validate_everything(databases, account_id)
    await refresh(databases, account_id)
    async with databases.worker.transaction(grant_accounts([account_id])) as tx:
        await close_month(tx, account_id, "America/New_York", MAY, NOW)
    for statement in (f"DELETE FROM {table}", f"UPDATE {table} SET account_id = account_id", f"TRUNCATE {table}"):
        with pytest.raises(DBAPIError, match="append-only"):
            async with databases.admin.engine.begin() as connection:
                await connection.execute(text(statement))


@pytest.mark.parametrize(
    "fault",
    [
        "UPDATE accrual SET expected = expected + 0.0001",
        "UPDATE accrual SET low = low - 1",
        "UPDATE accrual SET day = day + 1",
        "DELETE FROM accrual",
        "UPDATE rollup SET total = total + 1 WHERE meter = 'minutes'",
        "UPDATE rollup SET events = events + 1 WHERE meter = 'jobs'",
        "UPDATE rollup_member SET member = 'z'; DELETE FROM rollup_member",
        "UPDATE event SET time = time - interval '1 day'",
        "DELETE FROM event",
    ],
)
async def test_a_fault_planted_in_the_record_is_found_and_named(databases: Databases, fault: str) -> None:
    account_id = await new_account(databases)
    await put_model(databases)
    await put_events(databases, account_id, [(NOON, {"minutes": 2, "crew": "a"})])
    await refresh(databases, account_id)
    assert (await verified(databases, account_id)).discrepancies == ()
    async with databases.admin.engine.begin() as connection:
        for statement in fault.split(";"):
            await connection.execute(text(statement))
    found = (await verified(databases, account_id)).discrepancies
    assert found
    assert "2026-05-0" in found[0].where


def test_marks_that_touch_are_one_change_and_those_apart_are_two() -> None:
    marks = [
        (date(2026, 5, 3), date(2026, 5, 4), "events"),
        (date(2026, 5, 5), date(2026, 5, 5), "plan"),
        (date(2026, 5, 9), date(9999, 12, 31), "model:2"),
    ]
    changes = merge_marks(marks)
    assert [(c.period.start, c.period.end, c.causes) for c in changes] == [
        (date(2026, 5, 3), date(2026, 5, 6), ("events", "plan")),
        (date(2026, 5, 9), date(9999, 12, 31), ("model:2",)),
    ]
