"""Amounts known within bounds, and amounts that are not there, with the reason."""

from decimal import Decimal
from typing import Final, Self

import msgspec

NULL_INPUT: Final = "null_input"
ZERO_DIVISOR: Final = "zero_divisor"
OUT_OF_RANGE: Final = "out_of_range"


class Range(msgspec.Struct, frozen=True):
    """An input known only within bounds; low <= expected <= high, which the model check sees to."""

    low: Decimal
    expected: Decimal
    high: Decimal

    @classmethod
    def point(cls, value: Decimal) -> Self:
        return cls(value, value, value)


class NoValue(msgspec.Struct, frozen=True):
    """Why there is no amount: a code, and the name or the divisor at fault (empty for out_of_range)."""

    code: str
    subject: str = ""

    @property
    def text(self) -> str:
        """`code:subject`, as a column can hold it; `no_value_of` reads it back."""
        return f"{self.code}:{self.subject}" if self.subject else self.code


class RangedValue(msgspec.Struct, frozen=True):
    """An amount with its bounds; low <= expected <= high where all three are amounts."""

    low: Decimal | NoValue
    expected: Decimal | NoValue
    high: Decimal | NoValue


def no_value_of(text: str) -> NoValue:
    code, _, subject = text.partition(":")
    return NoValue(code, subject)
