"""The catalog against the value model: what each event type and property feeds, and what is sent and not used.

A type is mapped where a meter reads it, a property where a meter reads it as its property, a dimension or in its
filter; drivers follow through their formulas, features through the types that show their use.
"""

from collections.abc import Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Final

import msgspec

from valueplatform.core.database import Transaction
from valueplatform.core.pages import Page, checked_limit, page_of, text_position
from valueplatform.telemetry.catalog_reads import Counts, Owner, PropertySeen, TypeSeen, count_types, types_seen
from valueplatform.telemetry.filters import filter_paths
from valueplatform.telemetry.meters import Meter
from valueplatform.value.formula import Formula
from valueplatform.value.model import ValueModel


class Chosen(StrEnum):
    ALL = "all"
    MAPPED = "mapped"
    UNMAPPED = "unmapped"


_MAPPED: Final = {Chosen.ALL: None, Chosen.MAPPED: True, Chosen.UNMAPPED: False}


class Use(StrEnum):
    """As what a meter reads a property."""

    PROPERTY = "property"
    DIMENSION = "dimension"
    FILTER = "filter"


class MeterUse(msgspec.Struct, frozen=True):
    meter: str
    used_as: Use


class CatalogProperty(msgspec.Struct, frozen=True):
    """`example` is null where the values may be personal or are too many; then `kinds` say what they are. `drivers` are
    those whose formulas take one of its meters. The days are local to each account."""

    path: str
    kinds: Sequence[str]
    example: str | None
    events: int
    accounts: int
    first_day: date
    last_day: date
    mapped: bool
    meters: Sequence[MeterUse]
    drivers: Sequence[str]


class CatalogEntry(msgspec.Struct, frozen=True):
    """An event type that was seen. `drivers` are fed through the meters, `features` show their use by it.
    `more_properties`: it has more than the 200 that are listed."""

    type: str
    mapped: bool
    events: int
    accounts: int
    first_seen: datetime
    last_seen: datetime
    meters: Sequence[str]
    drivers: Sequence[str]
    features: Sequence[str]
    owner: Owner | None
    properties: Sequence[CatalogProperty]
    more_properties: bool


class Feeds:
    """What reads events, by type. Without a model nothing does."""

    def __init__(self, model: ValueModel | None) -> None:
        self._model = model
        self._meters = model.meters if model else ()
        drivers = model.drivers if model else ()
        self._names = {driver.slug: Formula.parse(driver.formula).names for driver in drivers}
        self._paths = {meter.slug: _paths(meter) for meter in self._meters}
        self.types = frozenset(one for meter in self._meters for one in meter.event_types)

    def entry(self, seen: TypeSeen) -> CatalogEntry:
        meters = [meter.slug for meter in self._meters if seen.type in meter.event_types]
        features = self._model.features if self._model else ()
        return CatalogEntry(
            type=seen.type,
            mapped=bool(meters),
            events=seen.events,
            accounts=seen.accounts,
            first_seen=seen.first_seen,
            last_seen=seen.last_seen,
            meters=meters,
            drivers=self._drivers(meters),
            features=[feature.slug for feature in features if seen.type in feature.event_types],
            owner=seen.owner,
            properties=[self._property(one, meters) for one in seen.properties],
            more_properties=seen.more_properties,
        )

    def _property(self, seen: PropertySeen, meters: Sequence[str]) -> CatalogProperty:
        uses = [
            MeterUse(slug, use) for slug in meters for use, paths in self._paths[slug].items() if seen.path in paths
        ]
        return CatalogProperty(
            path=seen.path,
            kinds=seen.kinds,
            example=seen.example,
            events=seen.events,
            accounts=seen.accounts,
            first_day=seen.first_day,
            last_day=seen.last_day,
            mapped=bool(uses),
            meters=uses,
            drivers=self._drivers([use.meter for use in uses]),
        )

    def _drivers(self, meters: Sequence[str]) -> list[str]:
        return [slug for slug, names in self._names.items() if not names.isdisjoint(meters)]


def _paths(meter: Meter) -> dict[Use, tuple[str, ...]]:
    return {
        Use.PROPERTY: (meter.property,) if meter.property is not None else (),
        Use.DIMENSION: meter.dimensions,
        Use.FILTER: filter_paths(meter.filter) if meter.filter is not None else (),
    }


async def catalog_page(
    tx: Transaction, model: ValueModel | None, *, chosen: Chosen, limit: int, cursor: str | None
) -> Page[CatalogEntry]:
    """Event types by name, over the accounts in scope."""
    feeds, after = Feeds(model), text_position(cursor)
    wanted = checked_limit(limit) + 1
    found = await types_seen(tx, feeds.types, mapped=_MAPPED[chosen], after=after, limit=wanted)
    return page_of([feeds.entry(one) for one in found], limit, lambda one: one.type)


async def catalog_counts(tx: Transaction, model: ValueModel | None) -> Counts:
    return await count_types(tx, Feeds(model).types)
