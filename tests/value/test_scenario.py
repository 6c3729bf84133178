"""What if: an account's usage carried on, changed, and valued by the formulas of the model."""

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.value.factories import MODEL, a_model
from valueplatform.core.errors import UnprocessableError
from valueplatform.core.periods import Period, month_of
from valueplatform.value.accruals import Record, accrue
from valueplatform.value.levers import Adoption, Change, Input, Lever, Seats, Usage
from valueplatform.value.meter_days import ALL_PROVIDERS, MeterDay
from valueplatform.value.ranges import Range
from valueplatform.value.scenario import Bounds, Ground, Outlook, look
from valueplatform.value.usage import carried_on, swing

TODAY = date(2026, 6, 15)  # a Monday
JULY = date(2026, 7, 1)
WEEK = timedelta(days=7)
NOTHING = Bounds(Decimal(0), Decimal(0), Decimal(0))
FEATURE = """
[[feature]]
slug = "dispatching"
event = "job.dispatched"
"""


def a_ground(*, weeks: int = 8, text: str = MODEL + FEATURE, jobs: int = 10, minutes: int = 20) -> Ground:
    """Every day `jobs` and `minutes`, all over the same weeks: nothing swings."""
    days = []
    for back in range(1, weeks * 7 + 1):
        day = TODAY - timedelta(days=back)
        for provider in (ALL_PROVIDERS, "supplier"):
            days += [MeterDay("jobs", provider, day, jobs, Decimal(jobs))]
            days += [MeterDay("minutes", provider, day, jobs, Decimal(minutes))]
            days += [MeterDay("crews", provider, day, jobs, Decimal(3))]
    return Ground(Record(a_model(text), None, {}), days, TODAY, "USD")


def asked(*levers: Lever, since: date = JULY, over: int = 1) -> list[Change]:
    return [Change(lever, since, over) for lever in levers]


def expected_of(outlook: Outlook, driver: str = "dispatch_time") -> Bounds:
    return next(each.added for each in outlook.drivers if each.driver == driver)


def test_nothing_changed_adds_nothing() -> None:
    outlook = look(a_ground(), [], JULY, 3)
    assert outlook.total.added == NOTHING
    assert outlook.total.changed == outlook.total.carried_on
    assert [month.month for month in outlook.months] == [JULY, date(2026, 8, 1), date(2026, 9, 1)]


def test_what_is_carried_on_is_worth_what_the_same_days_were_worth() -> None:
    ground = a_ground()
    outlook = look(ground, [], JULY, 1)
    past = [a for a in accrue(ground.record, ground.days, ground.based_on) if a.driver == "dispatch_time"]
    a_day = past[0].expected
    assert a_day is not None
    assert outlook.total.carried_on.expected == a_day * 31


def test_more_usage_is_worth_more_by_the_formula() -> None:
    # (10 * 14 - 20) / 60 * 45 = 90 a day; with a tenth more of all of it, 99.
    outlook = look(a_ground(), asked(Seats(Decimal("1.1"))), JULY, 1)
    assert outlook.total.carried_on.expected == 90 * 31
    assert outlook.total.added.expected == 9 * 31


def test_a_feature_that_is_switched_off_takes_its_value_away() -> None:
    outlook = look(a_ground(), asked(Adoption("dispatching", Decimal(0))), JULY, 2)
    assert outlook.total.changed == NOTHING
    assert outlook.total.added.expected == -outlook.total.carried_on.expected


def test_one_meter_can_move_alone_and_for_the_worse() -> None:
    outlook = look(a_ground(), asked(Usage("minutes", Decimal(8))), JULY, 1)
    # (140 - 160) / 60 * 45 = -15 a day, 105 less than before.
    assert outlook.total.changed.expected == -15 * 31
    assert outlook.total.added.expected == -105 * 31


def test_an_assumption_holds_from_its_month_on_with_its_own_range() -> None:
    value = Range(Decimal(40), Decimal(60), Decimal(80))
    outlook = look(a_ground(), asked(Input("hourly_cost", value), since=date(2026, 8, 1)), JULY, 2)
    july, august = outlook.months
    assert july.added == NOTHING
    assert august.changed.expected == 120 * 31
    assert august.added.expected == 30 * 31


def test_usage_gets_there_step_by_step() -> None:
    outlook = look(a_ground(), asked(Seats(Decimal("1.4")), over=4), JULY, 5)
    added = [month.added.expected / days for month, days in zip(outlook.months, (31, 31, 30, 31, 30), strict=True)]
    assert added == [9, 18, 27, 36, 36]


def test_what_each_change_adds_alone_and_all_together_add_up() -> None:
    levers = (Seats(Decimal("1.5")), Input("hourly_cost", Range.point(Decimal(90))))
    outlook = look(a_ground(), asked(*levers), JULY, 1)
    assert list(outlook.alone) == [45 * 31, 90 * 31]
    assert outlook.together == 45 * 31  # half as much again, at twice the cost
    assert sum(outlook.alone) + outlook.together == outlook.total.added.expected


def test_a_single_change_adds_all_of_it() -> None:
    outlook = look(a_ground(), asked(Seats(Decimal(2))), JULY, 1)
    assert list(outlook.alone) == [outlook.total.added.expected]
    assert outlook.together == 0


def test_strategic_value_is_in_no_total() -> None:
    outlook = look(a_ground(), asked(Usage("crews", Decimal(2))), JULY, 1)
    assert outlook.total.added == NOTHING
    assert expected_of(outlook, "crews_reached").expected == 3 * 31


def test_a_day_on_which_a_baseline_expires_is_looked_at_day_by_day() -> None:
    expiring = (MODEL + FEATURE).replace(
        'method = "measured-before"', 'method = "measured-before"\nexpires_on = 2026-07-16'
    )
    plain, ending = (look(a_ground(text=text), [], JULY, 1) for text in (MODEL + FEATURE, expiring))
    assert plain.total.carried_on == ending.total.carried_on


CAPPED = (
    (MODEL + FEATURE)
    .replace('pool = "hours"\nunit = "USD"', 'pool = "desk"\nunit = "USD"')
    .replace('pool = "hours"\nunit = "crews"', 'unit = "crews"')
    + """
[[pool]]
slug = "desk"
unit = "USD"
cap = "desk_cost"

[[assumption]]
slug = "desk_cost"
unit = "USD"
default = "3000"
"""
)


def test_a_capped_benefit_stays_within_its_cap_in_every_month() -> None:
    outlook = look(a_ground(text=CAPPED), asked(Seats(Decimal(3))), JULY, 3)
    assert [month.changed.expected for month in outlook.months] == [3000, 3000, 3000]
    assert all(month.changed.high <= 3000 for month in outlook.months)
    assert outlook.months[0].added.expected == 3000 - 90 * 31


def test_usage_that_swings_widens_the_bounds_and_not_what_is_expected() -> None:
    steady, uneven = a_ground(weeks=24), a_ground(weeks=24)
    days = [
        day
        if (TODAY - day.day).days // 28 % 2
        else MeterDay(day.meter, day.provider, day.day, day.events, day.value * 2)
        for day in uneven.days
    ]
    uneven = Ground(uneven.record, days, TODAY, "USD")
    one, other = (look(each, asked(Seats(Decimal(2))), JULY, 1).total for each in (steady, uneven))
    assert other.changed.high - other.changed.low > one.changed.high - one.changed.low
    assert other.added.low <= other.added.expected <= other.added.high


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (asked(Usage("nothing", Decimal(2))), "The model has no meter 'nothing' whose usage could grow."),
        (asked(Adoption("nothing", Decimal(2))), "The model has no feature 'nothing'"),
        (asked(Input("nothing", Range.point(Decimal(2)))), "no assumption or baseline 'nothing'; it has hourly_cost"),
        (asked(Input("hourly_cost", Range(Decimal(3), Decimal(2), Decimal(1)))), "low, expected and high must rise"),
        (asked(Seats(Decimal(-1))), "There is no usage times -1; write 0 or more."),
        (asked(Seats(Decimal(2)), since=date(2026, 6, 1)), "A change begins with a month from 2026-07-01"),
        (asked(Seats(Decimal(2)), since=date(2026, 7, 2)), "A change begins with a month"),
        (asked(Seats(Decimal(2)), over=0), "1 to 36 months to get there, not 0"),
    ],
)
def test_what_cannot_be_moved_is_refused_with_the_reason(changes: list[Change], message: str) -> None:
    with pytest.raises(UnprocessableError, match=message.replace("'", "'")):
        look(a_ground(), changes, JULY, 3)


@pytest.mark.parametrize("months", [0, 37, -1])
def test_no_one_looks_further_than_three_years(months: int) -> None:
    with pytest.raises(UnprocessableError, match="1 to 36 months ahead"):
        look(a_ground(), [], JULY, months)


@pytest.mark.parametrize("weeks", [0, 1])
def test_too_little_usage_is_not_carried_on(weeks: int) -> None:
    with pytest.raises(UnprocessableError, match="days of usage in whole weeks"):
        look(a_ground(weeks=weeks), [], JULY, 1)


def test_a_day_without_usage_counts_in_the_mean_of_what_adds_up() -> None:
    stretch = Period(TODAY - 2 * WEEK, TODAY)
    meters = {meter.slug: meter for meter in a_model().meters}
    usual = carried_on([MeterDay("jobs", "", stretch.start, 10, Decimal(10))], stretch, meters)
    assert [(each.meter, each.value) for each in usual[stretch.start.weekday()]] == [("jobs", Decimal(5))]
    assert not usual.get((stretch.start.weekday() + 1) % 7)


def test_a_swing_is_told_from_three_whole_four_weeks_at_least() -> None:
    assert swing(a_ground(weeks=11).days, "jobs", TODAY) == 0
    days = [MeterDay("jobs", "", TODAY - timedelta(days=1 + 28 * n), 1, Decimal(v)) for n, v in enumerate((8, 10, 12))]
    days.append(MeterDay("jobs", "", TODAY - timedelta(days=84), 1, Decimal(0)))
    assert swing(days, "jobs", TODAY) == Fraction(1645, 1000) * Fraction(2, 10)
    assert swing([], "jobs", TODAY) == 0


LEVERS: Any = st.one_of(
    st.builds(Seats, st.decimals(0, 5, places=2)),
    st.builds(Usage, st.sampled_from(["jobs", "minutes"]), st.decimals(0, 5, places=2)),
    st.builds(Input, st.just("hourly_cost"), st.integers(0, 500).map(lambda n: Range.point(Decimal(n)))),
)


@given(st.lists(LEVERS, max_size=4), st.integers(1, 14), st.integers(1, 6))
def test_months_and_drivers_add_up_to_the_total_whatever_is_asked(levers: list[Lever], months: int, over: int) -> None:
    outlook = look(a_ground(weeks=3), asked(*levers, over=over), JULY, months)
    for name in ("carried_on", "changed", "added"):
        total = getattr(outlook.total, name).expected
        assert total == sum(getattr(month, name).expected for month in outlook.months)
        assert total == sum(getattr(each, name).expected for each in outlook.drivers if each.unit == "USD")
    assert outlook.total.changed.expected - outlook.total.carried_on.expected == outlook.total.added.expected
    assert outlook.total.added.low <= outlook.total.added.expected <= outlook.total.added.high
    assert sum(outlook.alone) + outlook.together == outlook.total.added.expected


@given(st.integers(1, 9), st.sampled_from([JULY, date(2027, 2, 1), date(2028, 2, 1)]))
def test_weeks_that_stand_for_a_month_give_what_its_days_would(times: int, first: date) -> None:
    """Against the formulas on every single day."""
    ground = a_ground(weeks=3)
    outlook = look(ground, asked(Seats(Decimal(times)), since=first), first, 1)
    stretch = ground.based_on
    usual = carried_on(
        [day for day in ground.days if day.day in stretch], stretch, {m.slug: m for m in ground.record.model.meters}
    )
    days = [
        MeterDay(each.meter, each.provider, day, 1, each.value * times)
        for day in month_of(first)
        for each in usual[day.weekday()]
    ]
    found = [a for a in accrue(ground.record, days, month_of(first)) if a.driver == "dispatch_time"]
    assert sum(a.expected or 0 for a in found) == outlook.total.changed.expected
