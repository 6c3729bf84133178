"""Reading one imported row: each column as what it means, or the reason why not.

Cells come from CSV (text), NDJSON and Parquet (numbers, truth values, lists); an absent, empty or blank cell is the
same thing. A date or time without a zone is in the account's zone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final, TypeVar

from valueplatform.core.errors import InvalidInputError
from valueplatform.core.numbers import decimal_text, exact_decimal
from valueplatform.core.periods import local_day, month_start, zone

Row = Mapping[str, object]
Choice = TypeVar("Choice", bound=StrEnum)

LONGEST_TEXT: Final = 10_000
FIRST_DAY: Final = date(1970, 1, 1)
LAST_DAY: Final = date(2999, 12, 31)


class MissingValueError(InvalidInputError):
    """A column that must have a value has none."""

    code = "missing_value"


class InvalidValueError(InvalidInputError):
    """A column has a value that cannot be meant."""

    code = "invalid_value"


class UnknownAccountError(InvalidInputError):
    """The row speaks of an account that is not there."""

    code = "unknown_account"


@dataclass(frozen=True, slots=True)
class Fields:
    """One row. Every reader raises InvalidInputError naming the column, its value and the cure."""

    row: Row

    def has(self, column: str) -> bool:
        """Whether the input has this column at all, empty or not."""
        return column in self.row

    def optional(self, column: str) -> str | None:
        """The trimmed text; None where it is absent or blank."""
        value = self.row.get(column)
        if value is None:
            return None
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, int | Decimal):
            return decimal_text(value)
        if not isinstance(value, str):
            raise InvalidValueError(f"Column {column} holds a list or an object; make it a single value in the query.")
        text = value.strip()
        if "\0" in text or len(text) > LONGEST_TEXT:
            raise InvalidValueError(f"Column {column} is over {LONGEST_TEXT} characters, or holds a zero byte.")
        return text or None

    def text(self, column: str) -> str:
        value = self.optional(column)
        if value is None:
            raise MissingValueError(f"Column {column} is empty; every row needs it.")
        return value

    def choice(self, column: str, kind: type[Choice], default: Choice | None = None) -> Choice:
        value = self.optional(column)
        if value is None and default is not None:
            return default
        value = self.text(column)
        try:
            return kind(value.lower())
        except ValueError as error:
            raise InvalidValueError(f"Column {column} is {value!r}; use one of {', '.join(kind)}.") from error

    def day(self, column: str, zone_name: str, *, last: date = LAST_DAY) -> date:
        """A date up to `last`; of a moment with a zone, the day in the account's zone."""
        value = self.text(column)
        moment = _moment(value)
        if moment is None:
            raise InvalidValueError(f"Column {column} is {value!r}; write the day as 2025-12-31.")
        return _sane(column, moment.date() if moment.tzinfo is None else local_day(moment, zone_name), last)

    def optional_day(self, column: str, zone_name: str, *, last: date = LAST_DAY) -> date | None:
        return None if self.optional(column) is None else self.day(column, zone_name, last=last)

    def month(self, column: str) -> date:
        """The first day of a month, from `2025-12` or any day in it."""
        value = self.text(column)
        moment = _moment(f"{value}-01" if len(value) == len("2025-12") else value)
        if moment is None:
            raise InvalidValueError(f"Column {column} is {value!r}; write the month as 2025-12.")
        return month_start(_sane(column, moment.date()))

    def moment(self, column: str, zone_name: str) -> datetime:
        """An aware moment."""
        value = self.text(column)
        moment = _moment(value)
        if moment is None:
            raise InvalidValueError(f"Column {column} is {value!r}; write the time as 2025-12-31T09:30:00+01:00.")
        _sane(column, moment.date())
        return moment if moment.tzinfo is not None else moment.replace(tzinfo=zone(zone_name))

    def amount(self, column: str) -> Decimal:
        """A number as it was written, of at most 18 integer and 9 fraction digits."""
        value = self.text(column)
        try:
            return exact_decimal(value)
        except InvalidInputError as error:
            raise InvalidValueError(f"Column {column}: {error.message}.") from error

    def optional_amount(self, column: str) -> Decimal | None:
        return None if self.optional(column) is None else self.amount(column)


def _moment(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _sane(column: str, day: date, last: date = LAST_DAY) -> date:
    if not FIRST_DAY <= day <= last:
        raise InvalidValueError(f"Column {column} is in the year {day.year}; that cannot be meant.")
    return day
