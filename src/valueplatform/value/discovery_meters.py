"""Meters that the catalog suggests: of types that no meter reads, and of numbers in events that none reads. Pure.

How a number is summed up follows from how it behaves. One that never falls within an account, and rises, is a level
reached so far (MAX). One named as a rate, one between 0 and 1 with fractions, and one that may be negative, is a rate
or a level (AVG). All else adds up (SUM). A property that is a number in some events only is no number.
"""

import re
import unicodedata
from collections.abc import Collection, Sequence
from decimal import Decimal
from hashlib import blake2b
from itertools import pairwise
from typing import Final

import msgspec

from valueplatform.telemetry.catalog import HIDDEN, is_of_persons
from valueplatform.telemetry.meters import Aggregation, Meter
from valueplatform.value.model import ValueModel
from valueplatform.value.model_check import is_usable_name

LEAST_NUMBERS: Final = 20
FEW: Final = 12
"""Distinct values of a dimension, at most; at least two."""
_LEAST_IN_ACCOUNT: Final = 5
_LONGEST_SLUG: Final = 60
_NUMERIC: Final = frozenset({"number", "number as text"})
_CODES: Final = frozenset({"text", "boolean", "null"})
_RATES: Final = frozenset(
    [
        "average",
        "avg",
        "level",
        "mean",
        "pct",
        "per",
        "percent",
        "percentage",
        "rate",
        "ratio",
        "score",
        "share",
        "temperature",
    ]
)
_MEMBERS: Final = frozenset(
    [
        "user",
        "users",
        "customer",
        "contact",
        "driver",
        "employee",
        "operator",
        "technician",
        "worker",
        "member",
        "agent",
    ]
)
_ID: Final = frozenset({"id", "key", "uuid", "ref", "code", "no", "number"})
_NAMING: Final = frozenset(
    ["address", "email", "first", "last", "mail", "mobile", "name", "names", "phone", "surname", "tel"]
)
_WORDS: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


class Field(msgspec.Struct, frozen=True):
    """A property of a type. `values`: its distinct shown values over all accounts, None where they may not be shown;
    `numbers`: recent ones by account, in the order of time."""

    path: str
    kinds: frozenset[str]
    accounts: int
    events: int
    values: frozenset[str] | None = None
    numbers: tuple[tuple[Decimal, ...], ...] = ()


class Kind(msgspec.Struct, frozen=True):
    """An event type that is sent."""

    type: str
    accounts: int
    events: int
    fields: tuple[Field, ...] = ()


class Found(msgspec.Struct, frozen=True):
    """A meter, the path that it reads ('' = none), and why it is proposed."""

    meter: Meter
    path: str
    why: str


def meters_for(kind: Kind, model: ValueModel, taken: Collection[str]) -> list[Found]:
    """What no meter of the model reads yet; slugs are free of those that are taken."""
    held = {(meter.aggregation, meter.property) for meter in model.meters if kind.type in meter.event_types}
    names = {*taken}
    dimensions = tuple(field.path for field in kind.fields if is_dimension(field))
    wanted = [_count(kind)] if not held else []
    for field in kind.fields:
        if (aggregation := aggregation_of(field)) is not None and not any(path == field.path for _, path in held):
            wanted.append((aggregation, field.path, _why(aggregation)))
        elif is_member(field) and (Aggregation.UNIQUE_COUNT, field.path) not in held:
            wanted.append((Aggregation.UNIQUE_COUNT, field.path, _why(Aggregation.UNIQUE_COUNT)))
    found = []
    for aggregation, path, why in wanted:
        slug = free_slug(f"{kind.type} {path}", names)
        names.add(slug)
        meter = Meter(
            slug=slug,
            event_types=(kind.type,),
            aggregation=aggregation,
            property=path or None,
            dimensions=tuple(one for one in dimensions if one != path),
            title=title_of(kind.type, path),
            unit=unit_of(path, aggregation),
        )
        found.append(Found(meter, path, why))
    return found


def _count(kind: Kind) -> tuple[Aggregation, str, str]:
    return Aggregation.COUNT, "", f"No meter reads {kind.type}."


def _why(aggregation: Aggregation) -> str:
    return {
        Aggregation.SUM: "A number that no meter reads, and that adds up.",
        Aggregation.AVG: "A number that no meter reads, and that is a rate or a level: it is averaged.",
        Aggregation.MAX: "A number that no meter reads, and that never falls within an account: the highest counts.",
        Aggregation.UNIQUE_COUNT: "It tells members apart, so that distinct ones can be counted; it is never shown.",
    }[aggregation]


def aggregation_of(field: Field) -> Aggregation | None:
    """How its numbers are summed up; None where it is no number, or too few of them are known."""
    if not field.kinds & _NUMERIC or field.kinds - _NUMERIC - {"null"} or not _is_plain(field.path):
        return None
    words = set(words_of(field.path))
    numbers = [number for own in field.numbers for number in own]
    if words & (_ID | _NAMING) or len(numbers) < LEAST_NUMBERS:
        return None
    if _only_rises(field.numbers):
        return Aggregation.MAX
    share = all(0 <= one <= 1 for one in numbers) and any(one != int(one) for one in numbers)
    if words & _RATES or share or any(one < 0 for one in numbers):
        return Aggregation.AVG
    return Aggregation.SUM


def _only_rises(numbers: Sequence[Sequence[Decimal]]) -> bool:
    long = [own for own in numbers if len(own) >= _LEAST_IN_ACCOUNT]
    return bool(long) and all(
        all(before <= after for before, after in pairwise(own)) and own[0] < own[-1] for own in long
    )


def is_dimension(field: Field) -> bool:
    """Few codes, in every account such that they may be shown; never what may name a person."""
    if field.kinds - _CODES or not field.kinds - {"null"} or not _is_plain(field.path) or is_of_persons(field.path):
        return False
    return field.values is not None and 2 <= len(field.values) <= FEW


def is_member(field: Field) -> bool:
    """An identifier of a member, by its name; never what names or reaches a person."""
    words = set(words_of(field.path))
    if field.kinds - _NUMERIC - {"text", "null"} or words & _NAMING or not _is_plain(field.path):
        return False
    return bool(words & _MEMBERS) and bool(words & _ID)


def _is_plain(path: str) -> bool:
    return "@" not in path and HIDDEN not in path


def words_of(text: str) -> tuple[str, ...]:
    """Words of a name, small: parts of paths, of camelCase, of snake_case."""
    return tuple(word.lower() for word in _WORDS.findall(_ascii(text)))


def singular(word: str) -> str:
    if word.endswith("ies") and len(word) > len("ties"):
        return f"{word[:-3]}y"
    return word[:-1] if word.endswith("s") and not word.endswith("ss") and len(word) > len("gas") else word


def free_slug(text: str, taken: Collection[str]) -> str:
    """A name for formulas, made of the words of a type and path; of a text without any, from what it is."""
    words = list(dict.fromkeys(words_of(text)))
    base = "_".join(words)[:_LONGEST_SLUG].strip("_")
    if not base or not base[0].isalpha():
        digest = blake2b(text.encode(), digest_size=3).hexdigest()
        base = f"seen_{base or digest}"
    slug = base if is_usable_name(base) else f"{base}_seen"
    number = 2
    while slug in taken:
        slug, number = f"{base}_{number}", number + 1
    return slug


def title_of(kind: str, path: str) -> str:
    """Checklist completed: minutes spent."""
    of, what = (" ".join(words_of(text)) or text for text in (kind, path))
    return f"{of.capitalize()}: {what}" if path else of.capitalize()


def unit_of(path: str, aggregation: Aggregation) -> str | None:
    """A word for one of what adds up, or of the members; a COUNT counts events, whatever they are of."""
    if aggregation not in {Aggregation.SUM, Aggregation.UNIQUE_COUNT}:
        return None
    words = [word for word in words_of(path) if word.isalpha() and word not in _ID]
    return singular(words[-1]) if words else None


def _ascii(text: str) -> str:
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
