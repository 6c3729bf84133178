from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from valueplatform.telemetry.archive_format import MOMENT
from valueplatform.telemetry.local_days import local_day_of, with_days

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
