"""The meters of the model in force, ready to read events, and the supplier's zone and currency."""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from functools import lru_cache
from types import MappingProxyType
from typing import Final

import asyncpg
import msgspec

from valueplatform.core.numbers import FRACTION_DIGITS, INTEGER_DIGITS
from valueplatform.telemetry.filters import Predicate, compile_filter
from valueplatform.telemetry.homes import Home
from valueplatform.telemetry.meters import (
    LONGEST_VALUE,
    Aggregation,
    Data,
    Meter,
    MeteredValue,
    exact_number,
    member_text,
    path_reader,
    scalar_text,
    value_reader,
)
from valueplatform.telemetry.picks import Rank, rank_by


class Reading(msgspec.Struct, frozen=True):
    """One meter, compiled. `admits` is None where it takes every event of its types, `dimensions` where it has none,
    `value` where events are only counted, and `rank` unless one event stands for all (`picks`)."""

    slug: str
    rollup_name: str
    admits: Predicate | None
    dimensions: Callable[[Data], tuple[str | None, ...]] | None
    value: Callable[[Data], MeteredValue | int] | None
    rank: Rank | None = None


class MeterBook(msgspec.Struct, frozen=True):
    """`revision` 0 = no model has been applied yet; then accounts are created in UTC and USD.

    `readings` are those of the meters in force, `raised` those of all whose rollups events raise: meters that are being
    counted over history (`builds`) take new events as well, and are read by nobody yet. So do the rollups of accounts
    whose new zone is being counted: `moves` are the homes that they are to have, all of one `edition`.
    """

    revision: int
    timezone: str
    currency: str
    meters: tuple[Meter, ...]
    readings: Mapping[str, tuple[Reading, ...]]
    raised: Mapping[str, tuple[Reading, ...]]
    builds: tuple[int, ...] = ()
    edition: str | None = None
    moves: Mapping[int, Home] = MappingProxyType({})

    @property
    def counts(self) -> bool:
        """Whether anything is being counted over history."""
        return bool(self.builds or self.moves)


class _Supplier(msgspec.Struct, frozen=True):
    timezone: str
    currency: str


class _Document(msgspec.Struct, frozen=True):
    """The part of the model document that ingest needs; `value.model` owns the whole."""

    supplier: _Supplier
    meters: tuple[Meter, ...] = ()


_WHOLE: Final = 10**INTEGER_DIGITS
NO_MODEL: Final = MeterBook(0, "UTC", "USD", (), MappingProxyType({}), MappingProxyType({}))
_STATE: Final = """
    SELECT (SELECT coalesce(max(revision), 0) FROM model_revision) AS revision,
           (SELECT array_agg(build_id ORDER BY build_id) FROM meter_build) AS builds,
           (SELECT edition FROM zone_build WHERE state = 'counting' LIMIT 1) AS edition
"""
_MOVES: Final = "SELECT account_id, timezone, edition FROM zone_build WHERE state = 'counting'"
_BUILDS: Final = "SELECT meter::text AS meter FROM meter_build ORDER BY build_id"


def readings_by_type(meters: Iterable[Meter]) -> dict[str, tuple[Reading, ...]]:
    """What each event type is read by."""
    found: dict[str, tuple[Reading, ...]] = {}
    for meter in meters:
        reading = Reading(
            meter.slug,
            meter.rollup_name(),
            None if meter.filter is None else compile_filter(meter.filter),
            _dimension_reader(meter.dimensions) if meter.dimensions else None,
            _value_reader(meter),
            rank_by(meter.aggregation),
        )
        for event_type in dict.fromkeys(meter.event_types):
            found[event_type] = (*found.get(event_type, ()), reading)
    return found


@lru_cache(maxsize=4096)
def _dimension_reader(paths: tuple[str, ...]) -> Callable[[Data], tuple[str | None, ...]]:
    """`meters.dimension_reader`, with a short way for the short texts that nearly all dimension values are.

    Meters with the same dimensions have the same reader, by which `increments` knows that their cells are the same.
    """
    reads = [path_reader(path) for path in paths]

    def text_of(value: object) -> str | None:
        return value if type(value) is str and len(value) <= LONGEST_VALUE else scalar_text(value)

    def read_one(data: Data) -> tuple[str | None, ...]:
        return (text_of(read(data)),)

    (read, *others) = reads
    return (lambda data: tuple([text_of(read(data)) for read in reads])) if others else read_one


def _value_reader(meter: Meter) -> Callable[[Data], MeteredValue | int] | None:
    """`meters.value_reader`, with a short way for the numbers that nearly all events carry."""
    if meter.aggregation is Aggregation.COUNT:
        return None
    if meter.property is None:
        return value_reader(meter)
    read = path_reader(meter.property)
    if meter.aggregation is Aggregation.UNIQUE_COUNT:
        return lambda data: _member(read(data))

    def read_number(data: Data) -> MeteredValue | int:
        value = read(data)
        if type(value) is int and -_WHOLE < value < _WHOLE:
            return value
        if type(value) is Decimal and -_WHOLE < value < _WHOLE:
            exponent = value.as_tuple().exponent
            if isinstance(exponent, int) and exponent >= -FRACTION_DIGITS:
                return value
        return exact_number(value)

    return read_number


def _member(value: object) -> MeteredValue:
    """`meters.member_text`, with a short way for short texts and for integers."""
    if type(value) is str and len(value) <= LONGEST_VALUE:
        return value
    if type(value) is int and -_WHOLE < value < _WHOLE:
        return str(value)
    return member_text(value)


async def book_in_force(connection: "asyncpg.Connection[asyncpg.Record]", held: MeterBook) -> MeterBook:
    """The book of the newest revision and of what is being counted: `held` where it still is.

    The caller holds the model lock.
    """
    state = await connection.fetchrow(_STATE)
    revision, builds, edition = state["revision"], tuple(state["builds"] or ()), state["edition"]
    if (revision, builds, edition) == (held.revision, held.builds, held.edition):
        return held
    building = [msgspec.json.decode(row["meter"], type=Meter) for row in await connection.fetch(_BUILDS)]
    moves = {row[0]: Home(*row) for row in await connection.fetch(_MOVES)} if edition is not None else {}
    if revision == NO_MODEL.revision:
        raised = readings_by_type(building)
        return msgspec.structs.replace(NO_MODEL, raised=raised, builds=builds, edition=edition, moves=moves)
    text = await connection.fetchval("SELECT document::text FROM model_revision WHERE revision = $1", revision)
    document = msgspec.json.decode(text, type=_Document)
    return MeterBook(
        revision,
        document.supplier.timezone,
        document.supplier.currency,
        document.meters,
        readings_by_type(document.meters),
        readings_by_type([*document.meters, *building]),
        builds,
        edition,
        moves,
    )
