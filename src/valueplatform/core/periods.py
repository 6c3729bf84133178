"""Calendar arithmetic: local days of a zone, months, and the windows that values are read by.

A day belongs to an account's zone: it starts at local midnight and may last 23 or 25 hours. Every period is a pair
of days, the end exclusive.
"""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from valueplatform.core.errors import InvalidInputError

ONE_DAY = timedelta(days=1)


class Window(StrEnum):
    DAY = "DAY"
    WEEK = "WEEK"
    MONTH = "MONTH"
    QUARTER = "QUARTER"
    YEAR = "YEAR"
    FISCAL_YEAR = "FISCAL_YEAR"
    CONTRACT_YEAR = "CONTRACT_YEAR"
    TOTAL = "TOTAL"


@dataclass(frozen=True, slots=True)
class Period:
    """Days from `start` up to but not including `end`."""

    start: date
    end: date

    def __post_init__(self) -> None:
        if self.end < self.start:
            raise InvalidInputError(f"A period cannot end ({self.end}) before it starts ({self.start}).")

    @property
    def days(self) -> int:
        return (self.end - self.start).days

    def __contains__(self, day: date) -> bool:
        return self.start <= day < self.end

    def __iter__(self) -> Iterator[date]:
        return (self.start + timedelta(days=offset) for offset in range(self.days))

    def intersect(self, other: "Period") -> "Period | None":
        start, end = max(self.start, other.start), min(self.end, other.end)
        return Period(start, end) if start < end else None


_NOT_EVERYWHERE = frozenset({"localtime", "posixrules", "Factory"})


@lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo:
    """The IANA zone called `name`; InvalidInputError where there is none."""
    if name in _NOT_EVERYWHERE or name.startswith(("posix/", "right/")):
        raise InvalidInputError(f"{name!r} means another zone on each machine; use an IANA name such as Europe/Berlin.")
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise InvalidInputError(f"There is no time zone {name!r}; use an IANA name such as Europe/Berlin.") from error


def local_day(moment: datetime, zone_name: str) -> date:
    """The day that an aware `moment` falls on in the zone."""
    return moment.astimezone(zone(zone_name)).date()


def day_start(day: date, zone_name: str) -> datetime:
    """The first moment of `day` in the zone (fold 0; where midnight does not exist, the moment after the gap)."""
    return datetime(day.year, day.month, day.day, tzinfo=zone(zone_name))


def local_hour(moment: datetime, zone_name: str) -> tuple[datetime, datetime]:
    """The local hour that holds an aware moment, from and until when in UTC.

    It lasts an hour, but where clocks change within it, it begins or ends with the change: hours never overlap.
    """
    tz = zone(zone_name)
    local = moment.astimezone(tz)
    offset = local.utcoffset()
    within = int(moment.timestamp() // 1)
    begin = within - local.minute * 60 - local.second
    end = begin + 3600

    def holds(second: int) -> bool:
        return datetime.fromtimestamp(second, tz).utcoffset() == offset

    if not holds(begin):
        begin += bisect_left(range(begin, within + 1), True, key=holds)
    if not holds(end - 1):
        end = within + bisect_left(range(within, end), True, key=lambda second: not holds(second))
    return datetime.fromtimestamp(begin, UTC), datetime.fromtimestamp(end, UTC)


def month_start(day: date) -> date:
    return day.replace(day=1)


def next_month(day: date) -> date:
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)


def month_of(day: date) -> Period:
    return Period(month_start(day), next_month(day))


def months_between(start: date, end: date) -> Iterator[Period]:
    """The calendar months that share a day with [start, end)."""
    month = month_start(start)
    while max(month, start) < end:
        yield Period(month, next_month(month))
        month = next_month(month)


def years_later(day: date, years: int) -> date:
    """The same day in another year; 29 February becomes 28 February where there is none."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)


def window_start(day: date, window: Window, *, fiscal_month: int = 1, contract_start: date | None = None) -> date:
    """The first day of the window that holds `day`. Weeks start on Monday; TOTAL has no start of its own.

    Raises InvalidInputError for CONTRACT_YEAR without a contract start.
    """
    match window:
        case Window.DAY:
            return day
        case Window.WEEK:
            return day - timedelta(days=day.weekday())
        case Window.MONTH:
            return month_start(day)
        case Window.QUARTER:
            return date(day.year, (day.month - 1) // 3 * 3 + 1, 1)
        case Window.YEAR:
            return date(day.year, 1, 1)
        case Window.FISCAL_YEAR:
            return date(day.year if day.month >= fiscal_month else day.year - 1, fiscal_month, 1)
        case Window.CONTRACT_YEAR:
            return _contract_year_start(day, contract_start)
        case Window.TOTAL:
            return date.min


def _contract_year_start(day: date, contract_start: date | None) -> date:
    if contract_start is None:
        raise InvalidInputError("This account has no contract, so it has no contract years; choose another window.")
    years = day.year - contract_start.year
    start = years_later(contract_start, years)
    return start if start <= day else years_later(contract_start, years - 1)
