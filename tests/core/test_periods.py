"""Calendar arithmetic, its nasty days first."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valueplatform.core.errors import InvalidInputError
from valueplatform.core.periods import (
    ONE_DAY,
    Period,
    Window,
    day_start,
    local_day,
    local_hour,
    month_of,
    months_between,
    next_month,
    window_start,
    years_later,
    zone,
)

DAYS = st.dates(date(1990, 1, 1), date(2060, 12, 31))
# Half hours, dates that never were (Samoa), midnights that do not exist (Beirut, Santiago), no summer time (Tokyo).
ZONES = st.sampled_from(
    [
        "America/New_York",
        "America/Santiago",
        "America/St_Johns",
        "Asia/Beirut",
        "Asia/Kathmandu",
        "Asia/Tokyo",
        "Australia/Lord_Howe",
        "Europe/Berlin",
        "Pacific/Kiritimati",
        "UTC",
    ]
)
MOMENTS = st.datetimes(datetime(1990, 1, 1), datetime(2036, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis takes naive bounds


def periods() -> st.SearchStrategy[Period]:
    return st.tuples(DAYS, st.integers(0, 1500)).map(lambda pair: Period(pair[0], pair[0] + timedelta(pair[1])))


@pytest.mark.parametrize(
    ("zone_name", "day", "hours"),
    [
        ("Europe/Berlin", date(2025, 3, 30), 23),
        ("Europe/Berlin", date(2025, 10, 26), 25),
        ("America/New_York", date(2025, 3, 9), 23),
        ("Asia/Beirut", date(2025, 3, 30), 23),  # midnight itself does not exist
        ("America/Santiago", date(2025, 9, 7), 23),
        ("Asia/Tokyo", date(2025, 3, 30), 24),
        ("Pacific/Apia", date(2011, 12, 29), 24),  # the day before the one that never was
    ],
)
def test_a_local_day_lasts_as_long_as_its_zone_says(zone_name: str, day: date, hours: int) -> None:
    after = day + ONE_DAY if zone_name != "Pacific/Apia" else date(2011, 12, 31)
    lasts = day_start(after, zone_name).astimezone(UTC) - day_start(day, zone_name).astimezone(UTC)
    assert lasts == timedelta(hours=hours)


def test_the_hour_that_comes_twice_belongs_to_the_same_day() -> None:
    first, second = datetime(2025, 10, 26, 0, 30, tzinfo=UTC), datetime(2025, 10, 26, 1, 30, tzinfo=UTC)
    assert local_day(first, "Europe/Berlin") == local_day(second, "Europe/Berlin") == date(2025, 10, 26)


def test_one_moment_falls_on_different_days_in_different_zones() -> None:
    moment = datetime(2025, 1, 1, 3, tzinfo=UTC)
    assert local_day(moment, "America/New_York") == date(2024, 12, 31)
    assert local_day(moment, "Asia/Tokyo") == date(2025, 1, 1)


@given(MOMENTS, ZONES)
def test_every_moment_lies_within_its_own_local_day(moment: datetime, zone_name: str) -> None:
    day = local_day(moment, zone_name)
    assert day_start(day, zone_name).astimezone(UTC) <= moment < day_start(day + ONE_DAY, zone_name).astimezone(UTC)


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "../etc/passwd", "Europe", "\0"])
def test_a_zone_that_does_not_exist_is_named_with_the_cure(name: str) -> None:
    with pytest.raises(InvalidInputError, match=r"use an IANA name such as Europe/Berlin"):
        zone(name)


def test_a_period_cannot_end_before_it_starts() -> None:
    with pytest.raises(InvalidInputError, match="cannot end"):
        Period(date(2025, 2, 1), date(2025, 1, 31))
    assert Period(date(2025, 2, 1), date(2025, 2, 1)).days == 0


@pytest.mark.parametrize(
    ("zone_name", "moment", "begin", "end"),
    [
        ("America/New_York", "2026-03-08T06:59:59.999999", "06:00", "07:00"),  # 01:59, and then it is 03:00
        ("America/New_York", "2025-11-02T05:30:00", "05:00", "06:00"),  # 01:30, the first
        ("America/New_York", "2025-11-02T06:30:00", "06:00", "07:00"),  # 01:30, the second
        ("Asia/Kathmandu", "2026-04-05T00:00:00", "23:15", "00:15"),
        ("Australia/Lord_Howe", "2026-04-04T14:59:59", "14:00", "15:00"),  # 01:59, and then it is 01:30
        ("Australia/Lord_Howe", "2026-04-04T15:00:00", "15:00", "15:30"),
        ("Australia/Lord_Howe", "2025-10-04T15:29:00", "14:30", "15:30"),  # 01:59, and then it is 02:30
        ("Australia/Lord_Howe", "2025-10-04T15:30:00", "15:30", "16:00"),
    ],
)
def test_a_local_hour_is_cut_where_clocks_change_within_it(zone_name: str, moment: str, begin: str, end: str) -> None:
    found = local_hour(datetime.fromisoformat(moment).replace(tzinfo=UTC), zone_name)
    assert [edge.strftime("%H:%M") for edge in found] == [begin, end]


@given(
    MOMENTS | st.datetimes(timezones=st.just(UTC)).filter(lambda moment: 1880 < moment.year < 2100),
    st.sampled_from(["Europe/Amsterdam", "Australia/Lord_Howe", "Africa/Monrovia", "Pacific/Apia", "Asia/Kathmandu"]),
)
def test_local_hours_hold_their_moment_and_meet_the_next(moment: datetime, zone_name: str) -> None:
    begin, end = local_hour(moment, zone_name)
    assert begin <= moment < end <= begin + timedelta(hours=1)
    assert local_hour(begin, zone_name) == local_hour(end - timedelta(microseconds=1), zone_name) == (begin, end)
    assert local_hour(end, zone_name)[0] == end


@given(periods(), periods())
def test_days_of_an_intersection_are_the_days_of_both(one: Period, other: Period) -> None:
    common = one.intersect(other)
    assert set(common or ()) == set(one) & set(other)


@given(periods())
def test_months_between_cover_the_period_without_gap_or_overlap(period: Period) -> None:
    months = list(months_between(period.start, period.end))
    assert all(before.end == after.start for before, after in pairwise(months))
    assert all(month == month_of(month.start) for month in months)
    assert all(month.intersect(period) for month in months)
    assert sum((month.intersect(period) or Period(period.start, period.start)).days for month in months) == period.days


@pytest.mark.parametrize(("year", "days"), [(2023, 28), (2024, 29), (1900, 28), (2000, 29)])
def test_february_knows_leap_years(year: int, days: int) -> None:
    assert month_of(date(year, 2, 14)).days == days


def test_december_is_followed_by_january() -> None:
    assert next_month(date(2025, 12, 31)) == date(2026, 1, 1)


def test_29_february_becomes_28_february_where_there_is_none() -> None:
    assert years_later(date(2024, 2, 29), 1) == date(2025, 2, 28)
    assert years_later(date(2024, 2, 29), 4) == date(2028, 2, 29)


@pytest.mark.parametrize(
    ("window", "start"),
    [
        (Window.DAY, date(2024, 2, 29)),
        (Window.WEEK, date(2024, 2, 26)),
        (Window.MONTH, date(2024, 2, 1)),
        (Window.QUARTER, date(2024, 1, 1)),
        (Window.YEAR, date(2024, 1, 1)),
        (Window.FISCAL_YEAR, date(2023, 4, 1)),
        (Window.CONTRACT_YEAR, date(2023, 7, 15)),
        (Window.TOTAL, date.min),
    ],
)
def test_windows_of_29_february_2024(window: Window, start: date) -> None:
    assert window_start(date(2024, 2, 29), window, fiscal_month=4, contract_start=date(2020, 7, 15)) == start


def test_contract_years_of_a_contract_that_starts_on_29_february() -> None:
    def start_of(day: date) -> date:
        return window_start(day, Window.CONTRACT_YEAR, contract_start=date(2024, 2, 29))

    assert start_of(date(2025, 2, 27)) == date(2024, 2, 29)
    assert start_of(date(2025, 2, 28)) == date(2025, 2, 28)
    assert start_of(date(2028, 2, 28)) == date(2027, 2, 28)
    assert start_of(date(2028, 2, 29)) == date(2028, 2, 29)


def test_contract_years_need_a_contract() -> None:
    with pytest.raises(InvalidInputError, match="no contract"):
        window_start(date(2025, 1, 1), Window.CONTRACT_YEAR)


@given(DAYS, st.sampled_from(Window), st.integers(1, 12), DAYS)
def test_a_window_starts_on_or_before_its_days_and_is_its_own_window(
    day: date, window: Window, fiscal_month: int, contract_start: date
) -> None:
    start = window_start(day, window, fiscal_month=fiscal_month, contract_start=contract_start)
    assert start <= day
    if window is not Window.TOTAL:
        again = window_start(start, window, fiscal_month=fiscal_month, contract_start=contract_start)
        assert again == start
        assert (day - start).days < 366


@given(DAYS, st.sampled_from([w for w in Window if w is not Window.TOTAL]), st.integers(1, 12), DAYS)
def test_windows_follow_one_another_without_overlap(
    day: date, window: Window, fiscal_month: int, contract_start: date
) -> None:
    today = window_start(day, window, fiscal_month=fiscal_month, contract_start=contract_start)
    tomorrow = window_start(day + ONE_DAY, window, fiscal_month=fiscal_month, contract_start=contract_start)
    assert tomorrow in {today, day + ONE_DAY}
