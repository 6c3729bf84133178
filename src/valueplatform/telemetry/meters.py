"""What a meter reads from one event: whether it counts, under which dimension values, and how much.

Pure and total: bad data never raises, it is `Unmetered` with a code. A path names the key as written, dots and
all, else the nested value under its dotted parts. Text of a scalar is what PostgreSQL's `->>` gives for it.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from hashlib import blake2b
from typing import Final

import msgspec

from valueplatform.core.numbers import (
    NotANumberError,
    NumberOutOfRangeError,
    decimal_text,
    exact_decimal,
    in_wire_range,
)

LONGEST_VALUE: Final = 200
_WRITABLE_EXPONENT: Final = 400
_LONG_INTEGER: Final = 10**_WRITABLE_EXPONENT  # Python refuses to write integers of more than 4,300 digits

Data = Mapping[str, object]


class Aggregation(StrEnum):
    COUNT = "COUNT"
    SUM = "SUM"
    UNIQUE_COUNT = "UNIQUE_COUNT"
    MIN = "MIN"
    MAX = "MAX"
    AVG = "AVG"
    LATEST = "LATEST"


ADDITIVE: Final = frozenset({Aggregation.COUNT, Aggregation.SUM})
"""Aggregations whose daily values may be added; daily unique counts, averages and picks never add."""
ZERO_WHEN_ABSENT: Final = ADDITIVE | {Aggregation.UNIQUE_COUNT}
"""Without events these are 0; the others have no value."""
PICKED: Final = frozenset({Aggregation.MIN, Aggregation.MAX, Aggregation.LATEST})
"""Aggregations that show the number of one event (`telemetry.picks`)."""


class Meter(msgspec.Struct, frozen=True, kw_only=True):
    """A count or a measure over events. `slug` is its name in formulas; `property` is unset for COUNT alone.

    `stored_as` names its rollups where that is not the slug: a meter that is counted anew gets rows of its own, beside
    those that are read meanwhile (`backfilling`).
    """

    slug: str
    event_types: tuple[str, ...]
    aggregation: Aggregation
    property: str | None = None
    dimensions: tuple[str, ...] = ()
    filter: str | None = None
    title: str | None = None
    unit: str | None = None
    description: str | None = None
    version: int = 1
    stored_as: str | None = None

    def rollup_name(self) -> str:
        return self.stored_as or self.slug


class Unmetered(msgspec.Struct, frozen=True):
    """Why a matching event adds nothing to a meter: a code, never a sentence."""

    code: str


MISSING_PROPERTY: Final = Unmetered("missing_property")
NOT_A_NUMBER: Final = Unmetered("not_a_number")
NOT_A_SCALAR: Final = Unmetered("not_a_scalar")
INEXACT_NUMBER: Final = Unmetered("inexact_number")
OUT_OF_RANGE: Final = Unmetered("number_out_of_range")
_ONE: Final = Decimal(1)

MeteredValue = Decimal | str | Unmetered


def dimension_values(meter: Meter, data: Data) -> tuple[str | None, ...]:
    """The text of each dimension, in the meter's order; None where it is absent, null or not a scalar."""
    return dimension_reader(meter.dimensions)(data)


def metered_value(meter: Meter, data: Data) -> MeteredValue:
    """One for COUNT, the member's text for UNIQUE_COUNT, the number for all others, or why there is none."""
    return value_reader(meter)(data)


@lru_cache(maxsize=4096)
def path_reader(path: str) -> Callable[[Data], object]:
    """A function from data to the value at a path; None where nothing is there."""
    parts = path.split(".")

    def read_key(data: Data) -> object:
        return data.get(path)

    def read_nested(data: Data) -> object:
        if path in data:
            return data[path]
        value: object = data
        for part in parts:
            if not isinstance(value, Mapping):
                return None
            value = value.get(part)
        return value

    return read_key if len(parts) == 1 else read_nested


@lru_cache(maxsize=4096)
def dimension_reader(dimensions: tuple[str, ...]) -> Callable[[Data], tuple[str | None, ...]]:
    readers = tuple(path_reader(path) for path in dimensions)
    if not readers:
        return lambda _data: ()
    return lambda data: tuple([scalar_text(read(data)) for read in readers])


@lru_cache(maxsize=4096)
def value_reader(meter: Meter) -> Callable[[Data], MeteredValue]:
    """`metered_value` of one meter."""
    if meter.aggregation is Aggregation.COUNT or meter.property is None:
        return lambda _data: _ONE
    read = path_reader(meter.property)
    of_value = member_text if meter.aggregation is Aggregation.UNIQUE_COUNT else exact_number
    return lambda data: of_value(read(data))


def exact_number(value: object) -> Decimal | Unmetered:
    """A number, or a decimal string such as "12.50"; binary floats are refused, they are not what was sent."""
    if isinstance(value, str):
        try:
            return exact_decimal(value)
        except NotANumberError:
            return NOT_A_NUMBER
        except NumberOutOfRangeError:
            return OUT_OF_RANGE
    if value is None:
        return MISSING_PROPERTY
    if isinstance(value, Decimal | int) and not isinstance(value, bool):
        number = Decimal(value)
        if not number.is_finite():
            return NOT_A_NUMBER
        return number if in_wire_range(number) else OUT_OF_RANGE
    return INEXACT_NUMBER if isinstance(value, float) else NOT_A_NUMBER


def member_text(value: object) -> str | Unmetered:
    if value is None:
        return MISSING_PROPERTY
    text = scalar_text(value)
    return NOT_A_SCALAR if text is None else text


def scalar_text(value: object) -> str | None:
    """`json_text`, but what is longer than 200 characters ends in its hash: it fits an index, and stays distinct."""
    text = json_text(value)
    return text if text is None or len(text) <= LONGEST_VALUE else _shortened(text)


def json_text(value: object) -> str | None:
    """The JSON text of a scalar (a string is itself); None for null, objects and lists."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value) if abs(value) < _LONG_INTEGER else str(Decimal(value))
    if isinstance(value, Decimal):
        writable = value.is_finite() and abs(value.adjusted()) <= _WRITABLE_EXPONENT
        return decimal_text(value) if writable else str(value)
    return None


def _shortened(text: str) -> str:
    digest = blake2b(text.encode(errors="surrogatepass"), digest_size=16).hexdigest()
    return f"{text[: LONGEST_VALUE - len(digest) - 1]}…{digest}"
