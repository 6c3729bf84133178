"""What events hold: every property path with the kinds of its values, and which of them may be shown. Pure and total.

A path is spelled as meters spell it: keys joined by dots. It is read to a depth of three; lists are not entered. A
tally says the same in whatever order events and tallies come together, so it may be counted in pieces.

No example is personal data, as far as rules can tell. A value may be shown only if it looks like a code (one short
word with few digits, a number below a million), its path names nothing of a person, all values of the path are so, and
they are few. Whoever shows one also asks that several accounts have sent it (`catalog_reads`).
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from heapq import nsmallest
from typing import Final

import msgspec

from valueplatform.telemetry.meters import exact_number, json_text

DEEPEST: Final = 3
MOST_PATHS: Final = 200
"""Of one event type: the first ones by name, so that it does not matter in which order they came."""
MOST_SAMPLES: Final = 12
"""Values of a path; with more of them it is no code, and none is shown."""
LONGEST_NAME: Final = 100
HIDDEN: Final = "…"
_LARGEST_SHOWN: Final = 1_000_000
_LONGEST_NUMBER: Final = 60
_CODE: Final = re.compile(r"[A-Za-z][A-Za-z_.:/-]*\d{0,3}[A-Za-z_.:/-]*", re.ASCII)
_LONGEST_CODE: Final = 40
_WORDS: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_NUMBER_LIKE: Final = frozenset("0123456789+-.")
_OF_PERSONS: Final = re.compile(
    "address|assignee|author|birth|birthday|birthdate|by|card|city|contact|customer|driver|email|employee|first|family|"
    "given|iban|id|ip|key|last|login|mail|mobile|name|names|nick|operator|owner|password|patient|person|phone|postal|"
    "secret|sender|session|ssn|street|surname|tel|token|user|username|users|worker|zip",
    re.IGNORECASE,
)
"""Words in a path whose values may be a person's, or a secret."""


class Property(msgspec.Struct):
    """`samples` None: values that may not be shown are among them."""

    events: int = 0
    kinds: set[str] = msgspec.field(default_factory=set)
    samples: set[str] | None = msgspec.field(default_factory=set)

    def add(self, path: str, value: object) -> None:
        self.events += 1
        self.kinds.add(kind_of(value))
        if self.samples is not None and not (value is None or isinstance(value, Mapping | list)):
            shown = sample_of(path, value)
            self.samples = None if shown is None else _few({*self.samples, shown})

    def merge(self, other: "Property") -> None:
        self.events += other.events
        self.kinds |= other.kinds
        either = self.samples is None or other.samples is None
        self.samples = None if either else _few((self.samples or set()) | (other.samples or set()))


class Tally(msgspec.Struct):
    """Events of one type. `crowded`: there are more paths than the ones that are kept."""

    events: int = 0
    first: datetime | None = None
    last: datetime | None = None
    properties: dict[str, Property] = msgspec.field(default_factory=dict)
    crowded: bool = False

    def add(self, time: datetime, data: object) -> None:
        self.events += 1
        self._span(time, time)
        for path, value in properties_of(data).items():
            if path not in self.properties:
                self.properties[path] = Property()
            self.properties[path].add(path, value)
        if len(self.properties) > 2 * MOST_PATHS:
            self.trim()

    def merge(self, other: "Tally") -> None:
        self.events += other.events
        if other.first is not None and other.last is not None:
            self._span(other.first, other.last)
        for path, seen in other.properties.items():
            if path not in self.properties:
                self.properties[path] = Property()
            self.properties[path].merge(seen)
        self.crowded |= other.crowded
        self.trim()

    def trim(self) -> None:
        """Keep the first paths by name. One that goes never was among them, so what stays is counted in full."""
        if len(self.properties) > MOST_PATHS:
            self.crowded = True
            self.properties = {path: self.properties[path] for path in nsmallest(MOST_PATHS, self.properties)}

    def _span(self, first: datetime, last: datetime) -> None:
        self.first = first if self.first is None else min(self.first, first)
        self.last = last if self.last is None else max(self.last, last)


def properties_of(data: object) -> dict[str, object]:
    """The values by path; nothing where data is no object. As for meters, a key with dots goes before a nested one."""
    found: dict[str, object] = {}
    if isinstance(data, Mapping):
        for path, value in _walk(data, "", DEEPEST):
            found.setdefault(path, value)
        found.update((_name(key), value) for key, value in data.items())
    return found


def _walk(data: Mapping[str, object], before: str, depth: int) -> Iterator[tuple[str, object]]:
    for key, value in data.items():
        path = f"{before}{_name(key)}"
        yield path, value
        if depth > 1 and isinstance(value, Mapping):
            yield from _walk(value, f"{path}.", depth - 1)


def _name(key: str) -> str:
    """A key as it may be listed: what looks like an e-mail address is not, and a long one is cut."""
    if "@" in key:
        return HIDDEN
    return key if len(key) <= LONGEST_NAME else f"{key[: LONGEST_NAME - 1]}…"


def kind_of(value: object) -> str:
    """JSON's kind; a text that meters read as a number is told from other text."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int() | Decimal():
            return "number"
        case str():
            return "number as text" if _is_number(value) else "text"
        case list():
            return "list"
        case _:
            return "object"


def _is_number(value: str) -> bool:
    if not value or len(value) > _LONGEST_NUMBER or value[0] not in _NUMBER_LIKE:
        return False
    return isinstance(exact_number(value), Decimal)


def sample_of(path: str, value: object) -> str | None:
    """The text of a value that may be shown; None for one that may not."""
    if isinstance(value, bool):
        return json_text(value)
    if is_of_persons(path):
        return None
    if isinstance(value, Decimal | int):
        return json_text(value) if abs(Decimal(value)) < _LARGEST_SHOWN else None
    fits = isinstance(value, str) and len(value) <= _LONGEST_CODE and _CODE.fullmatch(value) is not None
    return value if fits and isinstance(value, str) else None


def is_of_persons(path: str) -> bool:
    """Whether the values of a path may be a person's, or a secret, by its name."""
    return HIDDEN in path or any(_OF_PERSONS.fullmatch(word) for word in _WORDS.findall(path))


def _few(samples: set[str]) -> set[str] | None:
    return samples if len(samples) <= MOST_SAMPLES else None
