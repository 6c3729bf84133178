"""Writes a value model as the TOML file that `read_model` reads back to the same model (versions aside)."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import TypeVar

import msgspec
import tomlkit
from tomlkit.items import AoT, InlineTable, Table

from valueplatform.core.numbers import decimal_text
from valueplatform.telemetry.otlp_accounts import DEFAULT_SECTION
from valueplatform.value.driver_kinds import BY_METER, DriverKind, Plain, tag_of
from valueplatform.value.model import (
    FIELD_OF_KIND,
    Assumption,
    Baseline,
    BenchmarkSection,
    Definition,
    Driver,
    ValueModel,
)
from valueplatform.value.ranges import Range

Container = TypeVar("Container", Table, InlineTable)

_KEYS: Mapping[str, str] = {
    "event_types": "event",
    "features": "feature",
    "objectives": "objective",
    "stages": "stage",
    "personas": "persona",
}
_NOT_WRITTEN = frozenset({"version", "stored_as", "segments", "kind"})


def export_model(model: ValueModel) -> str:
    document = tomlkit.document()
    supplier = tomlkit.inline_table()
    supplier.update(msgspec.to_builtins(model.supplier))
    document["supplier"] = supplier
    if model.otlp != DEFAULT_SECTION:
        section = tomlkit.table()
        section.add("account", _value(model.otlp.account))
        document["otlp"] = section
    if model.benchmark != BenchmarkSection():
        document["benchmark"] = _section(model.benchmark)
    for kind in FIELD_OF_KIND:
        if definitions := model.of_kind(kind):
            document[kind] = _array(kind, definitions)
    return tomlkit.dumps(document)


def _section(benchmark: BenchmarkSection) -> Table:
    section = tomlkit.table()
    if benchmark.scale is not None:
        section.add("scale", benchmark.scale)
    if not benchmark.public_estimate:
        section.add("public_estimate", False)
    return section


def _array(kind: str, definitions: tuple[Definition, ...]) -> AoT:
    array = tomlkit.aot()
    for definition in definitions:
        array.append(_table(kind, definition))
    return array


def _table(kind: str, definition: Definition) -> Table:
    table = tomlkit.table()
    for field in msgspec.structs.fields(definition):
        value = getattr(definition, field.name)
        if isinstance(value, DriverKind):
            table.add(tag_of(value), _kind(value))
        if field.name in _NOT_WRITTEN or value in (None, ()) or (field.name == "formula" and _is_made(definition)):
            continue
        key = "type" if kind == "event_type" and field.name == "slug" else _KEYS.get(field.name, field.name)
        table.add(key, _value(value))
    if isinstance(definition, Baseline | Assumption) and definition.segments:
        segments = tomlkit.table(is_super_table=True)
        for rate in definition.segments:
            segments.add(rate.segment, _bounds(rate.value, tomlkit.table()))
        table.add("segment", segments)
    return table


def _is_made(definition: Definition) -> bool:
    """Whether the formula follows from what is written instead of it."""
    return isinstance(definition, Driver) and definition.kind is not None


def _kind(kind: DriverKind) -> object:
    """What is written under the name of the kind: a table, or the formula itself."""
    if isinstance(kind, Plain):
        return kind.formula
    pairs = getattr(kind, BY_METER[tag_of(kind)]) if tag_of(kind) in BY_METER else msgspec.structs.asdict(kind).items()
    table = tomlkit.inline_table()
    for key, part in pairs:
        if part is not None:
            table.add(key, part)
    return table


def _value(value: object) -> object:
    match value:
        case Range():
            return _bounds(value, tomlkit.inline_table())
        case Decimal():
            return decimal_text(value)
        case bool() | date():
            return value
        case (str() as only,):
            return str(only)
        case tuple():
            return [str(each) for each in value]
        case _:
            return str(value)


def _bounds(value: Range, container: Container) -> Container:
    for bound in ("low", "expected", "high"):
        container.add(bound, decimal_text(getattr(value, bound)))
    return container
