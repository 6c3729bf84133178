"""Working days: Monday to Friday where the account is. There is no calendar of holidays."""

from datetime import UTC, datetime, time, timedelta
from typing import Final

from valueplatform.core.periods import ONE_DAY, zone

_SATURDAY: Final = 5


def working_days_later(moment: datetime, days: int, timezone: str) -> datetime:
    """The same time of day `days` working days later, in UTC; what falls on a weekend counts from Monday's midnight."""
    local = moment.astimezone(zone(timezone))
    day, clock = local.date(), local.timetz().replace(tzinfo=None)
    if day.weekday() >= _SATURDAY:
        day, clock = day + timedelta(days=7 - day.weekday()), time()
    for _ in range(days):
        day += ONE_DAY if day.weekday() < _SATURDAY - 1 else timedelta(days=7 - day.weekday())
    return datetime.combine(day, clock, zone(timezone)).astimezone(UTC)
