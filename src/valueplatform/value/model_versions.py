"""What changed between two models, and the versions that follow from it.

A version belongs to a meter, baseline, assumption or driver. It rises by one exactly when something changes that can
change a number or what the number stands for: not with titles and descriptions, nor with the spelling of a formula.
"""

import hashlib
from collections.abc import Iterable
from typing import Final, Literal, TypeVar

import msgspec

from valueplatform.telemetry.meters import Meter
from valueplatform.telemetry.otlp_accounts import DEFAULT_SECTION, OtlpSection
from valueplatform.value.formula import Formula
from valueplatform.value.model import (
    FIELD_OF_KIND,
    Assumption,
    Baseline,
    BenchmarkSection,
    Definition,
    Driver,
    Retired,
    Supplier,
    ValueModel,
    Versioned,
)

AnyVersioned = TypeVar("AnyVersioned", Meter, Baseline, Assumption, Driver)
_Section = OtlpSection | BenchmarkSection
_WORDING: Final = frozenset({"title", "description"})
# The formula says what the kind and the shares come to; where a driver stands in the library changes no number.
_IN_FORMULA: Final = frozenset(
    {"kind", "redeployment", "margin", "category", "objectives", "stages", "personas", "play"}
)
_VERSIONED: Final = ("meter", "baseline", "assumption", "driver")


class FieldChange(msgspec.Struct, frozen=True):
    """`before` and `after` are plain JSON values; None where there was, or is, nothing."""

    field: str
    before: object
    after: object


class Change(msgspec.Struct, frozen=True):
    """One definition that came, went, or changed; `kind` as in the file; `supplier`, `otlp` and `benchmark` are slugs
    too."""

    kind: str
    slug: str
    action: Literal["added", "removed", "changed"]
    fields: tuple[FieldChange, ...] = ()


def revise(previous: ValueModel | None, new: ValueModel) -> ValueModel:
    """The new model with versions that continue the previous one's, also of definitions that were once taken out."""
    if previous is None:
        return new
    before = _Before(previous)
    revised = msgspec.structs.replace(
        new,
        meters=tuple(before.revised("meter", each) for each in new.meters),
        baselines=tuple(before.revised("baseline", each) for each in new.baselines),
        assumptions=tuple(before.revised("assumption", each) for each in new.assumptions),
        drivers=tuple(before.revised("driver", each) for each in new.drivers),
    )
    return msgspec.structs.replace(
        revised, retired=before.retired_from(revised), superseded=_superseded(previous, revised.drivers)
    )


def diff(previous: ValueModel | None, new: ValueModel) -> list[Change]:
    """What to show before the new model is applied; versions aside. Nothing for an equal model in another order."""
    changes = []
    before = None if previous is None else previous.supplier
    if fields := _changed_fields(before, new.supplier):
        changes.append(Change("supplier", "supplier", "added" if before is None else "changed", fields))
    otlp = DEFAULT_SECTION if previous is None else previous.otlp
    if fields := _changed_fields(otlp, new.otlp):
        changes.append(Change("otlp", "otlp", "changed", fields))
    benchmark = BenchmarkSection() if previous is None else previous.benchmark
    if fields := _changed_fields(benchmark, new.benchmark):
        changes.append(Change("benchmark", "benchmark", "changed", fields))
    for kind in FIELD_OF_KIND:
        old = {} if previous is None else _by_slug(previous.of_kind(kind))
        now = _by_slug(new.of_kind(kind))
        for slug, definition in now.items():
            if fields := _changed_fields(old.get(slug), definition):
                changes.append(Change(kind, slug, "changed" if slug in old else "added", fields))
        changes.extend(Change(kind, slug, "removed") for slug in old if slug not in now)
    return changes


def fingerprint(model: ValueModel) -> str:
    """Equal exactly if two models say the same, in whatever order and whatever versions; hex of a SHA-256."""
    parts: dict[str, object] = {"supplier": _plain(model.supplier)}
    if model.otlp != DEFAULT_SECTION:
        parts["otlp"] = _plain(model.otlp)
    if model.benchmark != BenchmarkSection():
        parts["benchmark"] = _plain(model.benchmark)
    for kind in FIELD_OF_KIND:
        parts[kind] = {slug: _plain(definition) for slug, definition in _by_slug(model.of_kind(kind)).items()}
    return hashlib.sha256(msgspec.json.encode(parts, order="sorted")).hexdigest()


def _superseded(previous: ValueModel, drivers: Iterable[Driver]) -> tuple[Driver, ...]:
    """The versions that keep the days before their successors begin. A driver that names no such day, or an earlier
    one, speaks for all days from there on, as if it had always been so."""
    earlier: list[Driver] = []
    for driver in drivers:
        begins = driver.effective_from
        if begins is None:
            continue
        for before in previous.driver_versions:
            is_forebear = before.slug == driver.slug and before.version != driver.version
            if is_forebear and (before.effective_from is None or before.effective_from < begins):
                ends = min(before.effective_to or begins, begins)
                earlier.append(msgspec.structs.replace(before, effective_to=ends))
    return tuple(earlier)


class _Before:
    """The versions that a model and its forebears have used."""

    def __init__(self, model: ValueModel) -> None:
        self._definitions: dict[tuple[str, str], Versioned] = {}
        for kind in _VERSIONED:
            for definition in model.of_kind(kind):
                if isinstance(definition, Versioned):
                    self._definitions[kind, definition.slug] = definition
        self._last = {(gone.kind, gone.slug): gone.version for gone in model.retired}
        self._last |= {key: definition.version for key, definition in self._definitions.items()}

    def revised(self, kind: str, definition: AnyVersioned) -> AnyVersioned:
        before = self._definitions.get((kind, definition.slug))
        is_same = before is not None and _substance(before) == _substance(definition)
        version = self._last.get((kind, definition.slug), 0) + (not is_same)
        revised = msgspec.structs.replace(definition, version=version)
        if isinstance(before, Meter) and isinstance(revised, Meter):
            return msgspec.structs.replace(revised, stored_as=before.stored_as)
        return revised

    def retired_from(self, new: ValueModel) -> tuple[Retired, ...]:
        live = {(kind, definition.slug) for kind in _VERSIONED for definition in new.of_kind(kind)}
        gone = sorted(key for key in self._last if key not in live)
        return tuple(Retired(*key, self._last[key]) for key in gone)


def _substance(definition: Versioned) -> dict[str, object]:
    plain = {field: value for field, value in _plain(definition).items() if field not in _WORDING}
    if isinstance(definition, Driver):
        plain = {field: value for field, value in plain.items() if field not in _IN_FORMULA}
        plain["formula"] = Formula.parse(definition.formula).canonical
    return plain


def _plain(definition: Definition | Supplier | _Section | None) -> dict[str, object]:
    """The fields as plain JSON values, without what the product itself adds."""
    if definition is None:
        return {}
    fields: dict[str, object] = msgspec.to_builtins(definition)
    for own in ("version", "stored_as"):
        fields.pop(own, None)
    return fields


def _changed_fields(
    before: Definition | Supplier | _Section | None, after: Definition | Supplier | _Section
) -> tuple[FieldChange, ...]:
    old, new = _plain(before), _plain(after)
    return tuple(FieldChange(name, old.get(name), new[name]) for name in new if old.get(name) != new[name])


def _by_slug(definitions: tuple[Definition, ...]) -> dict[str, Definition]:
    return {definition.slug: definition for definition in definitions}
