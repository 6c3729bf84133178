"""What a proposed value would change: the same accrual as the worker's, before anything is written."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from tests.value.factories import a_model
from valueplatform.core.authorization import Side
from valueplatform.core.periods import Period
from valueplatform.portal.effect import Effect, Proposal, affected_drivers, effect_of
from valueplatform.value.accruals import Record
from valueplatform.value.assumptions import EVER, Action, Entry
from valueplatform.value.meter_days import ALL_PROVIDERS, MeterDay
from valueplatform.value.ranges import Range

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
TODAY = date(2026, 6, 15)
PERIOD = Period(date(2026, 6, 1), date(2026, 6, 16))
RECORD = Record(a_model(), None, {})


def metered(*days: date, jobs: int = 60, minutes: int = 0) -> list[MeterDay]:
    return [
        MeterDay(meter, ALL_PROVIDERS, day, 1, Decimal(value))
        for day in days
        for meter, value in (("jobs", jobs), ("minutes", minutes))
    ]


def proposal(value: str = "90", side: Side = Side.SUPPLIER, since: date = EVER) -> Proposal:
    return Proposal("hourly_cost", Range.point(Decimal(value)), "USD/hour", side, since)


def effect(given: Proposal, *days: date, record: Record = RECORD) -> Effect:
    return effect_of(record, metered(*days), PERIOD, given, NOW)


def validated(record: Record, slug: str, value: str, unit: str) -> Record:
    amount = Range.point(Decimal(value))
    stated = Entry(1, slug, Action.ESTIMATE, None, amount, unit, EVER, "maya", Side.SUPPLIER, "", NOW)
    settled = Entry(2, slug, Action.VALIDATE, 1, amount, unit, EVER, "vera", Side.CUSTOMER, "", NOW)
    return replace(record, entries={**record.entries, slug: [stated, settled]})


def test_only_drivers_that_use_the_input_are_affected() -> None:
    assert affected_drivers(RECORD, "hourly_cost") == ["dispatch_time"]
    assert affected_drivers(RECORD, "manual_minutes") == ["dispatch_time"]
    assert affected_drivers(RECORD, "unknown") == []


def test_a_value_of_both_sides_restates_every_day() -> None:
    found = effect(proposal("90"), date(2026, 6, 2), date(2026, 6, 3))

    assert (found.restates, found.period) == (True, PERIOD)
    (change,) = found.changes
    assert (change.driver, change.unit) == ("dispatch_time", "USD")
    assert (change.before, change.after) == (Decimal("1260.0000"), Decimal("2520.0000"))  # 2 days of 60 * 14 / 60 hours


def test_what_the_customer_alone_says_changes_no_day_before_today() -> None:
    found = effect(proposal("90", Side.CUSTOMER, TODAY), date(2026, 5, 1), date(2026, 5, 25), TODAY)

    assert (found.restates, found.from_day) == (False, TODAY)
    assert found.period == Period(date(2026, 5, 19), date(2026, 6, 16))
    (change,) = found.changes
    assert (change.before, change.after) == (Decimal("1260.0000"), Decimal("2520.0000"))  # 25 May and today


def test_a_value_counts_only_once_everything_beneath_it_is_validated() -> None:
    beside = effect(proposal("45"), date(2026, 6, 2))
    agreed = validated(RECORD, "manual_minutes", "14", "minute/job")
    alone = effect(proposal("45"), date(2026, 6, 2), record=agreed)

    assert (beside.changes[0].counted_before, beside.changes[0].counted_after) == (Decimal(0), Decimal(0))
    assert not beside.moves
    assert (alone.changes[0].counted_before, alone.changes[0].counted_after) == (Decimal(0), Decimal("630.0000"))
    assert alone.moves


def test_without_anything_metered_nothing_changes() -> None:
    assert effect(proposal("90")).changes == ()
    assert not effect(proposal("90")).moves


def test_days_outside_the_story_are_not_told() -> None:
    found = effect(proposal("90"), date(2026, 5, 31), date(2026, 6, 16))

    assert found.changes == ()


@given(value=st.decimals(min_value=0, max_value=10_000, places=2), jobs=st.integers(0, 10_000))
def test_amounts_move_in_proportion_to_an_hourly_cost(value: Decimal, jobs: int) -> None:
    days = metered(date(2026, 6, 2), jobs=jobs)
    (change,) = effect_of(RECORD, days, PERIOD, proposal(str(value)), NOW).changes

    assert change.before == Decimal(jobs) * 14 * 45 / 60
    assert abs(change.after - Decimal(jobs) * 14 * value / 60) <= Decimal("0.0001")


def test_the_present_value_proposed_again_changes_no_amount() -> None:
    found = effect(proposal("45"), *(date(2026, 6, 1) + timedelta(days=n) for n in range(15)))

    assert all(change.before == change.after for change in found.changes)
