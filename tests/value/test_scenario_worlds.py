"""Worlds are computed by weeks that are alike; here against the accrual of every single day of every month."""

from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.value.factories import MODEL, a_model
from tests.value.test_scenario import CAPPED, FEATURE, JULY, TODAY, a_ground
from valueplatform.core.periods import Period, month_of
from valueplatform.value.accruals import Record, accrue
from valueplatform.value.assumed import with_inputs
from valueplatform.value.levers import Change, Input, Lever, Seats, Usage
from valueplatform.value.meter_days import ALL_PROVIDERS, MeterDay
from valueplatform.value.ranges import Range
from valueplatform.value.scenario import Ground
from valueplatform.value.scenario_worlds import Sums, Worlds
from valueplatform.value.usage import carried_on, metered_decimal, multiplied

MONTHS = [month_of(date(2026, 7 + number, 1)) for number in range(4)]
EXPIRING = CAPPED.replace('method = "measured-before"', 'method = "measured-before"\nexpires_on = 2026-08-16')
TWO_ON_A_DESK = (
    CAPPED
    + """
[[driver]]
slug = "calls_avoided"
title = "Calls avoided"
benefit_class = "capacity"
evidence = "measured"
pool = "desk"
unit = "USD"
formula = "jobs * hourly_cost / 9"
provider = "event"
"""
)


def worlds_of(ground: Ground, months: Sequence[Period] = MONTHS) -> Worlds:
    return Worlds(ground.record, ground.days, ground.based_on, months, ())


def day_by_day(ground: Ground, changes: Sequence[Change]) -> Sums:
    """The same usage on every day, accrued with its months' caps by the code that accrues what has happened."""
    record = with_inputs(ground.record, changes)
    meters = {meter.slug: meter for meter in record.model.meters}
    usual = carried_on([day for day in ground.days if day.day in ground.based_on], ground.based_on, meters)
    units: Counter[tuple[date, str, str, str, int]] = Counter()
    for month in MONTHS:
        days = [
            MeterDay(one.meter, one.provider, day, 1, metered_decimal(Fraction(one.value) * times))
            for day in month
            for one in usual[day.weekday()]
            if (times := times_of(changes, one.meter, month.start))
        ]
        for one in accrue(record, days, month):
            if one.basis and one.low is not None and one.expected is not None and one.high is not None:
                for bound, amount in enumerate((one.low, one.expected, one.high)):
                    key = month.start, one.driver, one.basis.unit, one.basis.benefit_class, bound
                    units[key] += int(amount * 10**4)
    keys = {key[:4] for key in units}
    return {key: tuple(units[*key, bound] for bound in range(3)) for key in keys}  # type: ignore[misc] # equal to a Draw


def times_of(changes: Sequence[Change], meter: str, first: date) -> Fraction:
    times = Fraction(1)
    for change in changes:
        lever = change.lever
        if first >= change.since and (isinstance(lever, Seats) or (isinstance(lever, Usage) and lever.meter == meter)):
            done = min((first.year - change.since.year) * 12 + first.month - change.since.month + 1, change.over)
            times *= 1 + (Fraction(lever.times) - 1) * Fraction(done, change.over)
    return times


def values(slug: str, most: int) -> Any:
    three = st.lists(st.decimals(0, most, places=2), min_size=3, max_size=3).map(sorted)
    return three.map(lambda each: Input(slug, Range(*each)))


LEVERS: Any = st.one_of(
    st.builds(Seats, st.decimals(0, 4, places=2)),
    st.builds(Usage, st.sampled_from(["jobs", "minutes", "crews"]), st.decimals(0, 4, places=2)),
    values("hourly_cost", 200),
    values("desk_cost", 9000),
    values("manual_minutes", 30),
)
CHANGES: Any = st.lists(
    st.builds(Change, LEVERS, st.sampled_from([month.start for month in MONTHS]), st.integers(1, 3)), max_size=4
)


@given(CHANGES, st.sampled_from([CAPPED, EXPIRING, TWO_ON_A_DESK]), st.integers(0, 60))
def test_whatever_is_moved_each_month_comes_to_what_its_days_do(changes: list[Change], text: str, jobs: int) -> None:
    ground = a_ground(weeks=3, text=text, jobs=jobs, minutes=jobs * 3)
    assert dict(worlds_of(ground).sums(changes)) == day_by_day(ground, changes)


def test_one_world_is_not_told_by_what_another_has_left_behind() -> None:
    ground = a_ground(text=TWO_ON_A_DESK)
    dear = [Change(Input("desk_cost", Range.point(Decimal(500))), date(2026, 8, 1))]
    busy = [Change(Seats(Decimal(2)), date(2026, 8, 1), 3)]
    alone = [worlds_of(ground).sums(each) for each in ([], dear, busy, dear + busy)]
    worlds = worlds_of(ground)
    assert [worlds.sums(each) for each in ([], dear, busy, dear + busy)] == alone


def test_low_and_high_usage_lie_around_the_usual_one() -> None:
    uneven = [
        MeterDay(meter, ALL_PROVIDERS, day, 1, Decimal(10 + 10 * ((TODAY - day).days // 28 % 2)))
        for meter in ("jobs", "minutes")
        for day in (TODAY - timedelta(days=back) for back in range(1, 169))
    ]
    ground = Ground(Record(a_model(MODEL + FEATURE), None, {}), uneven, TODAY, "USD")
    key = JULY, "dispatch_time", "USD", "capacity"
    low, usual, high = (sums[key].expected for sums in worlds_of(ground, MONTHS[:1]).swung(()))
    assert low < usual < high
    assert usual - low == high - usual


LEVER_WITHOUT_EFFECT: list[Lever] = [Seats(Decimal(1)), Usage("jobs", Decimal(1))]


def test_times_one_is_as_today_to_the_last_unit() -> None:
    ground = a_ground(text=TWO_ON_A_DESK)
    worlds = worlds_of(ground)
    for lever in LEVER_WITHOUT_EFFECT:
        assert worlds.sums([Change(lever, JULY)]) == worlds.sums([])


@given(st.decimals(0, 10**18, places=9), st.fractions(0, 40))
def test_a_reading_is_multiplied_exactly_and_rounded_once(value: Decimal, times: Fraction) -> None:
    assert multiplied(value, times) == metered_decimal(Fraction(value) * times)
