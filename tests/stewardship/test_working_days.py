from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valueplatform.stewardship.working_days import working_days_later

BERLIN = "Europe/Berlin"


def berlin(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(BERLIN)).astimezone(UTC)


@pytest.mark.parametrize(("told", "until"), [
    ("2026-06-15T10:00", "2026-06-17T10:00"),  # Monday
    ("2026-06-18T10:00", "2026-06-22T10:00"),  # Thursday, over the weekend
    ("2026-06-19T23:59", "2026-06-23T23:59"),  # Friday, late
    ("2026-06-20T10:00", "2026-06-24T00:00"),  # Saturday counts from Monday's midnight
    ("2026-06-21T23:59", "2026-06-24T00:00"),
    ("2026-03-26T02:30", "2026-03-30T02:30"),  # over the night that clocks go forward
    ("2026-10-23T02:30", "2026-10-27T02:30"),  # and back
])  # fmt: skip
def test_two_working_days_keep_the_time_of_day(told: str, until: str) -> None:
    assert working_days_later(berlin(told), 2, BERLIN) == berlin(until)


MOMENTS = st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds


@given(MOMENTS, st.sampled_from([BERLIN, "America/New_York", "Asia/Kathmandu", "Pacific/Apia", "UTC"]))
def test_it_is_never_shorter_than_two_days_nor_longer_than_a_weekend_more(moment: datetime, zone: str) -> None:
    later = working_days_later(moment, 2, zone)

    assert timedelta(hours=46) < later - moment <= timedelta(days=4, hours=2)
    assert later.astimezone(ZoneInfo(zone)).weekday() < 5


@given(MOMENTS, MOMENTS)
def test_what_was_told_earlier_is_never_held_longer(one: datetime, other: datetime) -> None:
    first, second = sorted((one, other))
    late = working_days_later(second, 2, BERLIN) + timedelta(hours=1)  # an hour that comes twice

    assert working_days_later(first, 2, BERLIN) <= late
