"""The shapes that both encodings of OTLP are read into, and what their numbers mean.

A request becomes a flat list of items: one data point or log record each, with what stands around it. An item is
read only when asked, so that one that cannot be read spoils no other, and can give itself as an OTLP/JSON request of
its own, which is how it is kept when it is refused.
"""

import math
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from decimal import Decimal
from enum import IntEnum, StrEnum
from itertools import islice
from typing import Final, TypeVar

import msgspec

from valueplatform.telemetry.dialect import MOST_EVENTS
from valueplatform.telemetry.payload import RefusedEventError, wire_number

Number = int | Decimal
Attributes = Mapping[str, object]

LARGEST: Final = 2**63 - 1
"""The largest integer; in nanoseconds since 1970, the year 2262."""
_DIGITS: Final = re.compile(r"-?[0-9]{1,20}")


class Signal(StrEnum):
    METRICS = "metrics"
    LOGS = "logs"


class Temporality(IntEnum):
    UNSPECIFIED = 0
    DELTA = 1
    CUMULATIVE = 2


class Kind(StrEnum):
    """The kinds of a metric, as OTLP/JSON names their fields."""

    SUM = "sum"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"
    EXPONENTIAL_HISTOGRAM = "exponentialHistogram"
    SUMMARY = "summary"


class Surroundings(msgspec.Struct, frozen=True):
    """The resource and the scope that an item came from."""

    resource: Attributes
    scope: Attributes
    scope_name: str
    scope_version: str


class Metric(msgspec.Struct, frozen=True):
    """What the points of a metric share. A gauge has no temporality, a summary is cumulative by definition."""

    name: str
    unit: str
    kind: Kind
    temporality: Temporality
    monotonic: bool


class Point(msgspec.Struct, frozen=True):
    """A data point. Times are nanoseconds since 1970, 0 = unknown. `value` of a histogram or summary is the sum of what
    was measured, `count` how often; a sum or gauge has no count."""

    attributes: Attributes
    start: int
    time: int
    value: Number | None
    count: int | None = None
    least: Number | None = None
    most: Number | None = None


class Record(msgspec.Struct, frozen=True):
    """A log record. `time` is when it happened, `observed` when it was seen; ids are lower-case hex, or empty."""

    attributes: Attributes
    time: int
    observed: int
    event_name: str
    severity: int
    severity_text: str
    body: object
    trace_id: str
    span_id: str


class Item(ABC):
    """One data point or log record on the wire."""

    @property
    @abstractmethod
    def size(self) -> int:
        """Bytes on the wire, without what stands around it."""

    @abstractmethod
    def surroundings(self) -> Surroundings:
        """Raises RefusedEventError where they cannot be read."""

    @abstractmethod
    def attributes(self) -> Attributes:
        """Its own. Raises RefusedEventError where they cannot be read."""

    @abstractmethod
    def alone(self) -> str:
        """The item as an OTLP/JSON request of its own."""


AnyItem = TypeVar("AnyItem", bound=Item)


class PointItem(Item):
    @abstractmethod
    def metric(self) -> Metric:
        """Raises RefusedEventError where it cannot be read."""

    @abstractmethod
    def point(self) -> Point:
        """Raises RefusedEventError where it cannot be read."""


class RecordItem(Item):
    @abstractmethod
    def record(self) -> Record:
        """Raises RefusedEventError where it cannot be read."""


def first_of(items: Iterable[AnyItem]) -> list[AnyItem]:
    """As many items as a request may have, and one: who gets that one refuses the request. So a small body of millions
    of empty points does not become millions of objects."""
    return list(islice(items, MOST_EVENTS + 1))


def from_double(value: float) -> Number:
    """A binary number as the shortest decimal that stands for it: 0.1 is 0.1. Raises RefusedEventError for NaN and the
    infinities."""
    if not math.isfinite(value):
        raise RefusedEventError("not_a_number", f"The value is {value}, which cannot be counted; send a number.")
    return wire_number(repr(value))


def attribute_double(value: float) -> Number | str:
    """A binary number of an attribute; NaN and the infinities by their names, as JSON has no number for them."""
    if math.isfinite(value):
        return wire_number(repr(value))
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def no_value() -> RefusedEventError:
    return RefusedEventError("no_value", "The data point says that it has no value, so there is nothing to count.")


def temporality_of(kind: Kind, number: object) -> Temporality:
    """Raises RefusedEventError for a sum or histogram that does not say it."""
    if kind is Kind.GAUGE:
        return Temporality.UNSPECIFIED
    if kind is Kind.SUMMARY:
        return Temporality.CUMULATIVE
    if number in {Temporality.DELTA, Temporality.CUMULATIVE}:
        return Temporality(int(str(number)))
    raise RefusedEventError(
        "unspecified_temporality",
        "The metric does not say whether its points are cumulative or deltas; set aggregationTemporality.",
    )


def time_of(value: object, name: str) -> int:
    """Nanoseconds since 1970, up to 2262. Raises RefusedEventError."""
    return _whole(value, name, 0)


def count_of(value: object) -> int:
    return _whole(value, "count", 0)


def integer_of(value: object, name: str) -> int:
    return _whole(value, name, -LARGEST - 1)


def _whole(value: object, name: str, least: int) -> int:
    """An integer, in JSON also as a string of digits. None is 0, as everywhere in this protocol."""
    if value is None:
        return 0
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= LARGEST:
        raise RefusedEventError("malformed", f"{name} is {str(value)[:40]!r}; it must be an integer of 64 bits.")
    return value
