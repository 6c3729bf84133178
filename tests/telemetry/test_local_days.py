from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from valueplatform.telemetry.archive_format import MOMENT
from valueplatform.telemetry.local_days import Stay, local_day_of, offsets_of, stay_of, utc_day, with_days

ZONES = sorted(available_timezones() - {"Factory", "localtime"})
anytime = st.datetimes(datetime(2, 1, 2), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - made aware


@given(anytime, st.sampled_from(ZONES))
def test_the_remembered_day_is_the_day_in_the_zone(moment: datetime, zone: str) -> None:
    assert local_day_of(moment, zone) == moment.astimezone(ZoneInfo(zone)).date()


@pytest.mark.parametrize(
    ("zone", "around"),
    [
        ("America/St_Johns", datetime(2006, 10, 29, 2, 31, tzinfo=UTC)),  # went back at 00:01, into the day before
        ("Pacific/Apia", datetime(2011, 12, 30, 10, 0, tzinfo=UTC)),  # left out a whole day
        ("Asia/Kathmandu", datetime(2026, 1, 1, 18, 15, tzinfo=UTC)),
        ("Africa/Monrovia", datetime(1971, 6, 1, 0, 44, 30, tzinfo=UTC)),  # 44 minutes and 30 seconds behind
        ("America/Sao_Paulo", datetime(2018, 11, 4, 3, 0, tzinfo=UTC)),  # midnight did not exist
        ("Europe/Amsterdam", datetime(1930, 5, 1, 23, 40, 28, tzinfo=UTC)),
    ],
)
def test_days_change_to_the_second_in_zones_of_every_kind(zone: str, around: datetime) -> None:
    moments = []
    for seconds in range(-1800, 1800):
        moment = around + timedelta(seconds=seconds)
        assert local_day_of(moment, zone) == moment.astimezone(ZoneInfo(zone)).date()
        moments.append(moment)
    assert_days_by_the_column(moments, zone)


@given(anytime, st.lists(st.integers(0, 31 * 86_400_000_000), min_size=1, max_size=20), st.sampled_from(ZONES))
def test_days_by_the_column_are_those_one_by_one(begin: datetime, after: list[int], zone: str) -> None:
    assert_days_by_the_column([begin + timedelta(microseconds=each) for each in after], zone)


def test_changes_of_a_zone_that_are_near_each_other_are_all_found() -> None:
    begin = datetime(1939, 8, 20, tzinfo=UTC)
    assert_days_by_the_column([begin + timedelta(minutes=each) for each in range(0, 30_000, 7)], "Africa/Freetown")


@pytest.mark.parametrize("second", [2, 10**12])
def test_each_account_has_the_days_of_its_zone_however_far_apart_their_ids_are(second: int) -> None:
    zones = {1: "Pacific/Kiritimati", second: "Africa/Casablanca"}
    times = [datetime(2026, 2, 1, tzinfo=UTC) + timedelta(minutes=37 * each) for each in range(2000)]
    column = pl.DataFrame(
        [(time, account) for time in times for account in zones],
        schema={"time": MOMENT, "account_id": pl.Int64},
        orient="row",
    )
    days = with_days(column.lazy(), zones, times[0], times[-1]).collect()
    for time, account, day in days.iter_rows():
        assert day == local_day_of(time, zones[account])


def assert_days_by_the_column(times: list[datetime], zone: str) -> None:
    """In the stretch of time that they span."""
    if times:
        column = pl.DataFrame({"time": times, "account_id": 1}, schema={"time": MOMENT, "account_id": pl.Int64})
        days = with_days(column.lazy(), {1: zone}, min(times).replace(microsecond=0), max(times)).collect()["day"]
        assert days.to_list() == [time.astimezone(ZoneInfo(zone)).date() for time in times]


def holds(stay: Stay, moment: datetime) -> bool:
    """As a query by the stay would find it."""
    parts = [part.strip("{[)}").split(",") for part in stay.moments.split("),")]
    inside = any(datetime.fromisoformat(since) <= moment < datetime.fromisoformat(until) for since, until in parts)
    return inside and stay.first <= utc_day(moment) <= stay.last


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        ("America/St_Johns", date(2006, 10, 28)),  # comes in two parts: an hour of it after midnight
        ("America/St_Johns", date(2006, 10, 29)),
        ("Pacific/Apia", date(2011, 12, 30)),  # was left out
        ("America/Juneau", date(1867, 10, 18)),  # came twice, all of it
        ("Asia/Kathmandu", date(2026, 1, 2)),
        ("America/Sao_Paulo", date(2018, 11, 4)),
        ("UTC", date(2026, 1, 2)),
    ],
)
def test_the_events_of_a_day_stay_where_its_zone_says_to_the_minute(zone: str, day: date) -> None:
    stay = stay_of(day, day, zone)
    around = datetime(day.year, day.month, day.day, tzinfo=UTC)
    for minute in range(-2 * 1440, 3 * 1440):
        moment = around + timedelta(minutes=minute)
        assert holds(stay, moment) is (moment.astimezone(ZoneInfo(zone)).date() == day)


@given(anytime, st.integers(0, 400), st.integers(-(10**8), 10**8), st.sampled_from(ZONES))
def test_the_events_of_some_days_stay_where_their_zone_says(begin: datetime, days: int, after: int, zone: str) -> None:
    first, last = begin.date(), begin.date() + timedelta(days=days)
    moments = [begin + timedelta(seconds=after), begin, begin + timedelta(days=days)]
    for moment in moments:
        expected = first <= moment.astimezone(ZoneInfo(zone)).date() <= last
        assert holds(stay_of(first, last, zone), moment) is expected


@pytest.mark.parametrize("zone", ["UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago", "America/Juneau"])
def test_all_of_time_has_a_stay(zone: str) -> None:
    stay = stay_of(date.min, date.max, zone)
    assert holds(stay, datetime(2, 1, 1, tzinfo=UTC))
    assert holds(stay, datetime(9999, 1, 1, tzinfo=UTC))


@given(anytime, st.integers(0, 40 * 86_400), st.sampled_from(ZONES))
def test_offsets_side_by_side_give_the_day(begin: datetime, after: int, zone: str) -> None:
    begin, moment = begin.replace(microsecond=0), begin.replace(microsecond=0) + timedelta(seconds=after)
    found = offsets_of([zone], begin, begin + timedelta(days=41))
    ahead = [ahead for _, since, until, ahead in zip(*found, strict=True) if since <= moment < until]
    assert [(moment + one).date() for one in ahead] == [moment.astimezone(ZoneInfo(zone)).date()]
