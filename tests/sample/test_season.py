"""Days, weeks and years of a trade."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valueplatform.sample.season import (
    WEEK,
    adoption,
    day_weight,
    is_holiday,
    next_workday,
    of_the_year,
    ramp,
    weekend_share,
)

DAYS = st.dates(min_value=date(2020, 1, 1), max_value=date(2040, 12, 31))


def test_a_holiday_is_a_quarter_of_a_day_where_it_is_kept() -> None:
    christmas = date(2026, 12, 25)
    assert day_weight("logistics", christmas, "Europe/London") == pytest.approx(WEEK["logistics"][4] / 4)
    assert day_weight("logistics", christmas, "Asia/Tokyo") == WEEK["logistics"][4]
    assert is_holiday(date(2027, 1, 2), "Asia/Tokyo")


@given(DAYS)
def test_a_workday_follows_within_a_week_and_is_one(day: date) -> None:
    found = next_workday(day, "Asia/Tokyo")
    assert 0 <= (found - day).days <= 6
    assert found.weekday() < 5
    assert not is_holiday(found, "Asia/Tokyo")


@given(DAYS, DAYS)
def test_adoption_and_ramp_only_rise_and_end_at_one(since: date, day: date) -> None:
    assert 0 <= adoption(since, day) <= 1
    assert adoption(None, day) == 0
    if day >= since:
        assert ramp(since, day) >= 0.35
        assert adoption(since, day) >= adoption(since, since) > 0


def test_the_year_peaks_on_its_day() -> None:
    assert of_the_year(date(2026, 1, 30), 0.3, 30) == pytest.approx(1.3)
    assert of_the_year(date(2026, 7, 31), 0.3, 30) == pytest.approx(0.7, abs=0.01)


def test_weekends_differ_by_trade() -> None:
    assert weekend_share("facilities") == 0
    assert weekend_share("utilities") > 0.3
