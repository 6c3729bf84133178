"""Times as product analytics clients write them, and what their clocks are off by."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

from valueplatform.telemetry.event import NO_SHIFT
from valueplatform.telemetry.payload import RefusedEventError

ON_THE_WAY: Final = timedelta(minutes=1)
"""A request is sent and received that far apart without anybody's clock being wrong."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_MILLISECONDS: Final = 10**11
"""Numbers from here on are milliseconds: in March 1973. As seconds they would be in the year 5138."""
_NUMBER: Final = re.compile(r"-?\d{1,20}(?:\.\d{1,20})?", re.ASCII)


def client_time(name: str, value: object) -> datetime | None:
    """ISO 8601, in UTC where it has no zone; or since 1970, as a number or text: seconds, milliseconds from 10¹¹ on.

    None for null and an empty text. Raises RefusedEventError for anything else, which `name` names.
    """
    if value is None or value == "":
        return None
    try:
        if not isinstance(value, bool) and isinstance(value, int | Decimal):
            return _since_epoch(value)
        if isinstance(value, str):
            text = value.strip()
            return _since_epoch(Decimal(text)) if _NUMBER.fullmatch(text) else _in_utc(datetime.fromisoformat(text))
    except (ValueError, OverflowError):
        pass
    raise RefusedEventError(
        "invalid_time",
        f"{name} is {str(value)[:40]!r}; write a time such as 2026-01-05T10:00:00Z, or milliseconds since 1970.",
    )


def clock_shift(sent_at: datetime | None, received_at: datetime) -> timedelta:
    """What is to be added to the sender's times: `received_at - sent_at`, as the Segment and PostHog pipelines do.

    Nothing within a minute. That is how long requests travel, not how wrong clocks are; and so an event has the same
    time, to the microsecond, whichever of its tries arrives first.
    """
    shift = NO_SHIFT if sent_at is None else received_at - sent_at
    return shift if abs(shift) > ON_THE_WAY else NO_SHIFT


def _since_epoch(number: int | Decimal) -> datetime:
    scale = 1_000_000 if -_FIRST_MILLISECONDS < number < _FIRST_MILLISECONDS else 1_000
    return _EPOCH + timedelta(microseconds=int(number * scale))


def _in_utc(time: datetime) -> datetime:
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time
