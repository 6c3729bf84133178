"""What raw events say of each meter and local day, read anew: the day from time and zone, the meter from the data."""

import json
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from valueplatform.core.database import Transaction
from valueplatform.value import proof_expression as expression
from valueplatform.value.proof_archive import raw_events, widened
from valueplatform.value.proof_record import Source


@dataclass(slots=True)
class MeterTally:
    """What the raw events of one meter say about one day: how many were metered, their sum, least, greatest and latest
    number, their members. Of events at one time, the one with the greater key is later."""

    events: int = 0
    unmetered: int = 0
    total: Fraction = Fraction(0)
    least: Fraction | None = None
    greatest: Fraction | None = None
    latest: tuple[datetime, bytes, Fraction] | None = None
    members: set[str] = field(default_factory=set)

    def take(self, number: Fraction, time: datetime, key: bytes) -> None:
        """One event that carries a number."""
        self.merge(MeterTally(1, 0, number, number, number, (time, key, number)))

    def merge(self, other: "MeterTally") -> None:
        self.events += other.events
        self.unmetered += other.unmetered
        self.total += other.total
        self.members |= other.members
        self.least = min((n for n in (self.least, other.least) if n is not None), default=None)
        self.greatest = max((n for n in (self.greatest, other.greatest) if n is not None), default=None)
        self.latest = max((n for n in (self.latest, other.latest) if n is not None), default=None)

    def value(self, aggregation: str) -> Fraction | None:
        """None where there is no number: an average, extreme or latest of no events. Averages are not rounded."""
        match aggregation:
            case "COUNT":
                return Fraction(self.events)
            case "SUM":
                return self.total
            case "UNIQUE_COUNT":
                return Fraction(len(self.members))
            case "AVG":
                return self.total / self.events if self.events else None
            case "MIN":
                return self.least
            case "MAX":
                return self.greatest
            case "LATEST":
                return self.latest[2] if self.latest else None
        raise ValueError(f"no proof of the aggregation {aggregation}")


Tallies = Mapping[tuple[str, str, date], MeterTally]
Cuts = Mapping[tuple[str, str, date, tuple[str | None, ...]], MeterTally]


async def tally_events(
    tx: Transaction, source: Source, meters: Sequence[Mapping[str, Any]], start: date, end: date
) -> Tallies:
    """What raw events say of each (meter, event provider, local day)."""
    tallies: defaultdict[tuple[str, str, date], MeterTally] = defaultdict(MeterTally)
    async for meter, day, event, data in _metered_events(tx, source, meters, start, end):
        _add(tallies[meter["slug"], event.provider, day], meter, data, event)
    return tallies


async def tally_cuts(
    tx: Transaction, source: Source, meters: Sequence[Mapping[str, Any]], start: date, end: date
) -> Cuts:
    """The same by dimension values too, as rollups are kept."""
    tallies: defaultdict[tuple[str, str, date, tuple[str | None, ...]], MeterTally] = defaultdict(MeterTally)
    async for meter, day, event, data in _metered_events(tx, source, meters, start, end):
        cut = tuple(expression.dimension_text(value_at(data, path)) for path in meter.get("dimensions", ()))
        _add(tallies[meter["slug"], event.provider, day, cut], meter, data, event)
    return tallies


async def _metered_events(
    tx: Transaction, source: Source, meters: Sequence[Mapping[str, Any]], start: date, end: date
) -> AsyncIterator[tuple[Mapping[str, Any], date, Any, object]]:
    """Each meter with each event that it takes, its local day and data. Events are read as a stream: memory grows with
    the days, not with the events."""
    types = sorted({kind for meter in meters for kind in meter["event_types"]})
    zone = ZoneInfo(source.timezone)
    # The day in UTC only narrows the search; the day that counts is told from the time again.
    first, last = widened(start, end)
    where = {"account": source.account_id, "types": types, "start": first, "end": last}
    async for row in raw_events(tx, where):
        data = json.loads(row.data, parse_float=Decimal) if row.data is not None else None
        day = row.time.astimezone(zone).date()
        if not start <= day < end:
            continue
        for meter in meters:
            if row.type in meter["event_types"] and _passes(meter, data):
                yield meter, day, row, data


def _passes(meter: Mapping[str, Any], data: object) -> bool:
    condition = meter.get("filter")
    return condition is None or expression.admits(condition, lambda path: value_at(data, path))


def _add(tally: MeterTally, meter: Mapping[str, Any], data: object, event: Any) -> None:
    aggregation = meter["aggregation"]
    value = value_at(data, meter["property"]) if meter.get("property") else None
    if aggregation == "COUNT":
        tally.events += 1
    elif aggregation == "UNIQUE_COUNT":
        member = expression.scalar_text(value)
        tally.merge(MeterTally(unmetered=1) if member is None else MeterTally(1, members={member}))
    elif (number := expression.wire_number(value)) is not None:
        tally.take(number, event.time, event.event_key.bytes)
    else:
        tally.unmetered += 1


def value_at(data: object, path: str) -> object:
    """The value under a key written exactly so, else under its dotted parts; None where nothing is there."""
    if not isinstance(data, dict):
        return None
    if path in data:
        return data[path]
    value: object = data
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def together(meter: Mapping[str, Any], tallies: Iterable[MeterTally]) -> Fraction | None:
    """The meter's value over several days or providers."""
    whole = MeterTally()
    for tally in tallies:
        whole.merge(tally)
    return whole.value(meter["aggregation"])
