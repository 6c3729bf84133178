"""How busy a day is: the week of a trade, public holidays, the year, growth, and the first weeks after go-live."""

import math
from datetime import date, timedelta

WEEK = {
    "elevators": (1.0, 1.02, 1.0, 0.98, 0.92, 0.35, 0.0),
    "facilities": (1.04, 1.0, 0.98, 0.98, 0.95, 0.0, 0.0),
    "logistics": (1.05, 1.0, 1.0, 1.0, 1.02, 0.55, 0.0),
    "medical": (1.06, 1.03, 1.0, 0.97, 0.9, 0.0, 0.0),
    "utilities": (1.04, 1.0, 1.0, 1.0, 0.98, 0.45, 0.38),
}
"""Share of a full workday by weekday, Monday first."""

_HOLIDAYS = {(12, 25), (12, 26), (1, 1)}
_HOLIDAYS_IN_JAPAN = {(1, 1), (1, 2), (1, 3)}
_HOLIDAY_SHARE = 0.25
_RAMP_DAYS = 60
_RAMP_START = 0.35
_ADOPTION_DAYS = 35


def is_holiday(day: date, timezone: str) -> bool:
    holidays = _HOLIDAYS_IN_JAPAN if timezone == "Asia/Tokyo" else _HOLIDAYS
    return (day.month, day.day) in holidays


def next_workday(day: date, timezone: str) -> date:
    """The day itself, or the first workday after it."""
    while day.weekday() >= 5 or is_holiday(day, timezone):
        day += timedelta(days=1)
    return day


def day_weight(segment: str, day: date, timezone: str) -> float:
    """Share of a full workday that this day brings."""
    weight = WEEK[segment][day.weekday()]
    return weight * _HOLIDAY_SHARE if is_holiday(day, timezone) else weight


def weekend_share(segment: str) -> float:
    """A weekend day against a weekday."""
    week = WEEK[segment]
    return (sum(week[5:]) / 2) / (sum(week[:5]) / 5)


def of_the_year(day: date, swing: float, peak: int) -> float:
    """Factor of the time of year, 1 ± `swing`, highest on day `peak` of the year."""
    return 1 + swing * math.cos(2 * math.pi * (day.timetuple().tm_yday - peak) / 365.25)


def growth(since: date, day: date, a_year: float) -> float:
    return float((1 + a_year) ** ((day - since).days / 365))


def ramp(since: date, day: date) -> float:
    """Share of the jobs that go through the app after go-live: 0.35 rising to 1 over 60 days."""
    return min(1.0, _RAMP_START + (1 - _RAMP_START) * (day - since).days / _RAMP_DAYS)


def adoption(since: date | None, day: date) -> float:
    """Share of full use of a feature that was turned on on a day: rises to 1 over 35 days, 0 before."""
    if since is None or day < since:
        return 0.0
    return min(1.0, ((day - since).days + 5) / _ADOPTION_DAYS)
