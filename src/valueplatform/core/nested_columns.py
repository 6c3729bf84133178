"""JSON objects as typed columns, nested ones too, without losing or changing a value.

One type is found for each place over all objects. Where a place holds different kinds of scalar they become text,
and where it mixes scalars with objects or lists, JSON text. Numbers that are not all integers become decimals with
nine places, or text where one of them does not fit. Polars' own reading would make floats of them, and nulls of
values that do not fit the rest.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

import msgspec
import polars as pl

from valueplatform.core.numbers import FRACTION_DIGITS, decimal_text, in_wire_range

EXACT: Final = pl.Decimal(38, FRACTION_DIGITS)
_INT64: Final = range(-(2**63), 2**63)
_JSON: Final = msgspec.json.Encoder(decimal_format="number")
_SCALARS: Final = frozenset({"text", "bool", "int", "decimal"})

_Convert = Callable[[object], object]


@dataclass(slots=True)
class _Place:
    """What was seen at one place of the objects: kinds of value, and the places inside it."""

    kinds: set[str] = field(default_factory=set)
    fields: "dict[str, _Place]" = field(default_factory=dict)
    items: "_Place | None" = None


def exact_wire_number(text: str) -> Decimal | str:
    """A JSON number with a fraction or exponent; its own text where it has more digits than the wire may carry."""
    number = Decimal(text)
    return number if in_wire_range(number) else text


def columns_of(objects: Sequence[Mapping[str, object]]) -> pl.DataFrame:
    """A frame with a row for each object and a column for each key, in order of appearance; absent is null."""
    top = _Place()
    for whole in objects:
        _look(top, whole)
    columns = []
    for name, place in top.fields.items():
        dtype, convert = _reading(place)
        values = [None if (value := row.get(name)) is None else convert(value) for row in objects]
        columns.append(pl.Series(name, values, dtype=dtype, strict=True))
    return pl.DataFrame(columns)


def _look(place: _Place, value: object) -> None:
    if value is None:
        return
    if isinstance(value, Mapping):
        place.kinds.add("object")
        for name, inner in value.items():
            if name not in place.fields:
                place.fields[name] = _Place()
            _look(place.fields[name], inner)
    elif isinstance(value, list):
        place.kinds.add("list")
        place.items = place.items or _Place()
        for inner in value:
            _look(place.items, inner)
    else:
        place.kinds.add(_kind(value))


def _kind(value: object) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "int" if value in _INT64 else "text"
    return "decimal" if isinstance(value, Decimal) else "text"


def _reading(place: _Place) -> tuple[pl.DataType, _Convert]:
    """The type of a place, and how a value that is not null is brought into it."""
    kinds = frozenset(place.kinds)
    if kinds == {"object"} and place.fields:
        return _object_reading(place.fields)
    if kinds == {"list"} and place.items is not None:
        inner, convert = _reading(place.items)
        return pl.List(inner), lambda value: [None if item is None else convert(item) for item in _as_list(value)]
    if kinds == {"bool"}:
        return pl.Boolean(), _as_it_is
    if kinds == {"int"}:
        return pl.Int64(), _as_it_is
    if kinds and kinds <= {"int", "decimal"}:
        return EXACT, lambda value: Decimal(str(value)) if isinstance(value, int) else value
    return pl.String(), _scalar_text if kinds <= _SCALARS else _json_text


def _object_reading(fields: Mapping[str, _Place]) -> tuple[pl.DataType, _Convert]:
    readings = {name: _reading(place) for name, place in fields.items()}

    def convert(value: object) -> dict[str, object]:
        known = value if isinstance(value, Mapping) else {}
        return {
            name: None if (inner := known.get(name)) is None else convert_inner(inner)
            for name, (_, convert_inner) in readings.items()
        }

    return pl.Struct({name: dtype for name, (dtype, _) in readings.items()}), convert


def _as_list(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


def _as_it_is(value: object) -> object:
    return value


def _scalar_text(value: object) -> str:
    if isinstance(value, str):
        return value
    return decimal_text(value) if isinstance(value, Decimal) else _JSON.encode(value).decode()


def _json_text(value: object) -> str:
    return _JSON.encode(value).decode()
