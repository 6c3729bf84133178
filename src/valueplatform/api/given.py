"""Values that callers give, held to what the record can keep. All raise InvalidInputError naming the field."""

from datetime import date, datetime
from decimal import Decimal
from typing import Final

from valueplatform.core.errors import InvalidInputError
from valueplatform.core.numbers import FRACTION_DIGITS, INTEGER_DIGITS, in_wire_range
from valueplatform.value.ranges import Range
from valueplatform.value.values import FIRST_DAY, LAST_DAY

LONGEST_NAME: Final = 200
LONGEST_TEXT: Final = 4000


def text_of(given: str, name: str, longest: int = LONGEST_NAME, *, empty: str | None = None) -> str:
    """The text without blanks around it; `empty` where there is none."""
    text = given.strip()
    if "\0" in text:
        raise InvalidInputError(f"`{name}` has a zero byte in it, which the record cannot keep; take it out.")
    if len(text) > longest:
        raise InvalidInputError(f"`{name}` has {len(text):,} characters; the most is {longest:,}.")
    if text:
        return text
    if empty is None:
        raise InvalidInputError(f"`{name}` is empty; it must say something.")
    return empty


def day_of(given: date, name: str) -> date:
    if not FIRST_DAY <= given <= LAST_DAY:
        raise InvalidInputError(f"`{name}` ({given}) is out of reach; use a day between {FIRST_DAY} and {LAST_DAY}.")
    return given


def moment_of(given: datetime, name: str) -> datetime:
    if given.tzinfo is None:
        raise InvalidInputError(f"`{name}` ({given.isoformat()}) has no zone; write 2026-03-01T09:00:00+01:00.")
    day_of(given.date(), name)
    return given


def range_of(expected: Decimal, low: Decimal | None, high: Decimal | None, name: str) -> Range:
    """Without low and high it is one number."""
    value = Range(expected if low is None else low, expected, expected if high is None else high)
    if not all(map(in_wire_range, (value.low, value.expected, value.high))):
        raise InvalidInputError(
            f"{name}: a number has more than {INTEGER_DIGITS} integer or {FRACTION_DIGITS} fraction digits; "
            "use a larger or smaller unit."
        )
    if not value.low <= value.expected <= value.high:
        raise InvalidInputError(f"{name}: low, expected and high must rise.")
    return value
