from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valueplatform.accounts.holidays import country_of, days_at_rest, public_holidays
from valueplatform.core.periods import Period

WINTER = Period(date(2025, 12, 20), date(2026, 1, 10))


@pytest.mark.parametrize(
    ("attributes", "timezone", "country"),
    [
        ({}, "America/New_York", "US"),
        ({}, "US/Eastern", "US"),
        ({}, "Asia/Tokyo", "JP"),
        ({"country": "DE"}, "America/New_York", "DE"),
        ({"country": " fr "}, "UTC", "FR"),
        ({}, "UTC", None),
        ({}, "Etc/GMT+5", None),
        ({"country": "Atlantis"}, "Europe/Berlin", None),
        ({"country": ""}, "Europe/Berlin", None),
        ({"country": 7}, "Europe/Berlin", "DE"),
    ],
)
def test_the_country_is_the_account_s_own_else_that_of_its_zone(
    attributes: dict[str, object], timezone: str, country: str | None
) -> None:
    assert country_of(attributes, timezone) == country


def test_each_country_has_its_own_holidays() -> None:
    july = Period(date(2026, 7, 1), date(2026, 8, 1))
    assert public_holidays("FR", july) == {date(2026, 7, 14)}
    assert date(2026, 7, 4) in public_holidays("US", july)
    assert public_holidays(None, july) == frozenset()


def test_from_christmas_to_new_year_work_rests() -> None:
    rest = days_at_rest("DE", WINTER)
    assert min(rest) == date(2025, 12, 24)
    assert max(rest) == date(2026, 1, 2), "the Friday after a holiday on a Thursday"
    assert len(rest) == (max(rest) - min(rest)).days + 1


def test_a_lone_holiday_takes_the_day_before_with_it_and_no_more() -> None:
    labor_day = Period(date(2026, 8, 25), date(2026, 9, 20))
    assert days_at_rest("US", labor_day) == {date(2026, 9, 6), date(2026, 9, 7)}


def test_a_holiday_just_after_the_period_still_has_its_day_before() -> None:
    assert days_at_rest("US", Period(date(2026, 12, 1), date(2026, 12, 25))) == {date(2026, 12, 24)}


def test_without_a_country_no_day_is_at_rest() -> None:
    assert days_at_rest(None, WINTER) == frozenset()


@given(st.dates(date(2005, 1, 1), date(2034, 1, 1)), st.integers(0, 400), st.sampled_from(["US", "JP", "IN", None]))
def test_days_at_rest_lie_in_the_period_and_hold_every_holiday(start: date, days: int, country: str | None) -> None:
    period = Period(start, start + timedelta(days=days))
    rest = days_at_rest(country, period)
    assert all(day in period for day in rest)
    assert public_holidays(country, period) <= rest
