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
from valueplatform.core.pages import DEFAULT_LIMIT, Page, checked_limit, page_of, text_position
from valueplatform.telemetry.catalog_reads import (
    Counts,
    Owner,
    PropertySeen,
    TypeSeen,
    Wanted,
    count_types,
    seen_of,
    types_seen,
)
from valueplatform.telemetry.filters import filter_paths
from valueplatform.telemetry.meters import Meter
from valueplatform.value.catalog_gaps import CatalogGap, Effort, Kind, catalog_gaps
from valueplatform.value.formula import Formula
from valueplatform.value.model import ValueModel
from valueplatform.value.type_worth import Worth, WorthBook


class Chosen(StrEnum):
    ALL = "all"
    MAPPED = "mapped"
    UNMAPPED = "unmapped"
    NOT_SENT = "not-sent"


class Order(StrEnum):
    NAME = "name"
    VALUE = "value"


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
    those whose formulas take one of its meters. The days are local to each account. `worth` is null where no meter
    needs it for its number or filter, or amounts are not for the caller."""

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
    worth: Worth | None = None


class CatalogEntry(msgspec.Struct, frozen=True):
    """An event type. `drivers` are fed through the meters, `features` show their use by it. `more_properties`: it has
    more than the 200 that are listed. Of one that no account sends there are no events, no times and no properties, and
    `effort` says what it takes to send it. `worth` is null where nothing was estimated yet, or it is not for the
    caller."""

    type: str
    mapped: bool
    events: int
    accounts: int
    first_seen: datetime | None
    last_seen: datetime | None
    meters: Sequence[str]
    drivers: Sequence[str]
    features: Sequence[str]
    owner: Owner | None
    properties: Sequence[CatalogProperty]
    more_properties: bool
    worth: Worth | None = None
    effort: Effort | None = None


class Feeds:
    """What reads events, by type. Without a model nothing does."""

    def __init__(self, model: ValueModel | None, book: WorthBook | None = None) -> None:
        self._model = model
        self._book = book
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
            properties=[self._property(seen.type, one, meters) for one in seen.properties],
            more_properties=seen.more_properties,
            worth=self._book.of(seen.type) if self._book else None,
        )

    def _property(self, event_type: str, seen: PropertySeen, meters: Sequence[str]) -> CatalogProperty:
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
            worth=self._worth_of(event_type, seen.path),
        )

    def _worth_of(self, event_type: str, path: str) -> Worth | None:
        if self._book is None or (event_type, path) not in self._book.paths.fed:
            return None
        return self._book.of(event_type, path)

    def _drivers(self, meters: Sequence[str]) -> list[str]:
        return [slug for slug, names in self._names.items() if not names.isdisjoint(meters)]


def _paths(meter: Meter) -> dict[Use, tuple[str, ...]]:
    return {
        Use.PROPERTY: (meter.property,) if meter.property is not None else (),
        Use.DIMENSION: meter.dimensions,
        Use.FILTER: filter_paths(meter.filter) if meter.filter is not None else (),
    }


class Question(msgspec.Struct, frozen=True):
    """Which types, in which order, and where the page before ended."""

    chosen: Chosen = Chosen.ALL
    order: Order = Order.NAME
    limit: int = DEFAULT_LIMIT
    cursor: str | None = None


async def catalog_page(
    tx: Transaction, model: ValueModel | None, book: WorthBook | None, asked: Question
) -> Page[CatalogEntry]:
    """Event types over the accounts in scope; with `book`, what they are worth, and in its order if that is asked for.

    Raises InvalidInputError.
    """
    wanted = checked_limit(asked.limit) + 1
    if asked.chosen is Chosen.NOT_SENT:
        return await _not_sent_page(tx, model, book, asked)
    feeds = Feeds(model, book)
    if asked.order is Order.VALUE:
        found = await _by_value(tx, feeds, book.ranked if book else (), asked)
    else:
        seen = Wanted(feeds.types, _MAPPED[asked.chosen], text_position(asked.cursor))
        found = await types_seen(tx, seen, wanted)
    return page_of([feeds.entry(one) for one in found], asked.limit, lambda one: one.type)


async def _by_value(tx: Transaction, feeds: Feeds, ranked: Sequence[str], asked: Question) -> list[TypeSeen]:
    """First those that have an amount, in their order, then all others by name. A page goes on after the type that the
    last one ended with, wherever that stands now."""
    after, mapped = text_position(asked.cursor), _MAPPED[asked.chosen]
    seen = await seen_of(tx, ranked)
    valued = [one for one in ranked if one in seen and mapped in {None, one in feeds.types}]
    begin = 0 if after is None else valued.index(after) + 1 if after in valued else len(valued)
    names = valued[begin : begin + asked.limit + 1]
    found = {one.type: one for one in await types_seen(tx, Wanted(only=names), len(names))} if names else {}
    page = [found[name] for name in names if name in found]
    if len(page) <= asked.limit:
        rest = Wanted(feeds.types, mapped, None if after in valued else after, without=valued)
        page += await types_seen(tx, rest, asked.limit + 1 - len(page))
    return page


async def _not_sent_page(
    tx: Transaction, model: ValueModel | None, book: WorthBook | None, asked: Question
) -> Page[CatalogEntry]:
    """The types that the model names, or somebody wishes for, and that no account sends; by name."""
    after = text_position(asked.cursor)
    kinds = {Kind.TYPE, Kind.WISH}
    gaps = [one for one in await catalog_gaps(tx, model, book) if one.kind in kinds and not one.sent]
    left = [one for one in sorted(gaps, key=lambda one: one.type) if after is None or one.type > after]
    return page_of([_entry_of(one, book) for one in left], asked.limit, lambda one: one.type)


def _entry_of(gap: CatalogGap, book: WorthBook | None) -> CatalogEntry:
    return CatalogEntry(
        type=gap.type,
        mapped=bool(gap.meters),
        events=0,
        accounts=0,
        first_seen=None,
        last_seen=None,
        meters=gap.meters,
        drivers=gap.drivers,
        features=gap.features,
        owner=gap.owner,
        properties=(),
        more_properties=False,
        worth=book.of(gap.type) if book else None,
        effort=gap.effort,
    )


async def catalog_counts(tx: Transaction, model: ValueModel | None) -> Counts:
    return await count_types(tx, Feeds(model).types)
