"""The independent path: amounts recomputed from raw events with fractions, for proof and for `verify`.

Nothing here is shared with the code that first computed the amounts: events are read anew (day from time and zone,
meters from data), assumptions are resolved anew from the record, formulas are read by another parser
(`proof_expression`). Import-linter keeps it so. What it computes must agree exactly.
"""

import itertools
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from babel.numbers import list_currencies
from sqlalchemy import text

from valueplatform.core.database import Transaction
from valueplatform.value import proof_expression as expression
from valueplatform.value import proof_pools
from valueplatform.value.proof_archive import raw_events, widened

LARGEST = 10**34
"""Amounts have 38 digits, four of them after the point; what is larger has no amount."""

_ENTRIES = text("""
    SELECT entry_id, slug, action, answers, low, expected, high, unit, effective_from FROM assumption_entry
    WHERE account_id = :account ORDER BY entry_id
""")
_ACCOUNT = text("SELECT timezone, segment FROM account WHERE account_id = :account")
_MODEL = text("SELECT document::text FROM model_revision ORDER BY revision DESC LIMIT 1")


@dataclass(frozen=True, slots=True)
class ProvedInput:
    """An input as the proof finds it in force: three fractions, a state, the entry it came from (None = default)."""

    slug: str
    low: Fraction
    expected: Fraction
    high: Fraction
    unit: str
    state: str
    entry_id: int | None


@dataclass(frozen=True, slots=True)
class ProvedAmount:
    """One driver, provider and day, recomputed. Amounts are None where the formula has no value."""

    driver: str
    provider: str
    day: date
    low: Decimal | None
    expected: Decimal | None
    high: Decimal | None
    unit: str
    counted: bool
    events: int
    pool: str | None = None


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


@dataclass(frozen=True, slots=True)
class Source:
    """Everything that the proof of one account reads beside events, as plain data."""

    account_id: int
    timezone: str
    segment: str | None
    model: Mapping[str, Any]
    entries: Mapping[str, Sequence[Mapping[str, Any]]]


async def read_source(tx: Transaction, account_id: int) -> Source | None:
    """None where there is no value model or no such account."""
    document = await tx.scalar(_MODEL)
    account = await tx.row(_ACCOUNT, {"account": account_id})
    if document is None or account is None:
        return None
    entries: defaultdict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for row in await tx.rows(_ENTRIES, {"account": account_id}):
        entries[row.slug].append(dict(row._mapping))  # noqa: SLF001 - SQLAlchemy's public name for a row as a mapping
    model = json.loads(document, parse_float=Decimal)
    return Source(account_id, account.timezone, account.segment, model, dict(entries))


async def prove_days(
    tx: Transaction, source: Source, start: date, end: date, drivers: Iterable[str] = ()
) -> list[ProvedAmount]:
    """Amounts of every driver (or of `drivers`) on the days of [start, end), from raw events."""
    wanted = drivers_named(source, drivers)
    first, last = days_needed(source, start, end)
    proved = prove_tallied(source, wanted, await tally_events(tx, source, meters_of(source, wanted), first, last))
    return [amount for amount in proved if start <= amount.day < end]


def drivers_named(source: Source, slugs: Iterable[str]) -> list[Mapping[str, Any]]:
    """The model's drivers of these slugs in all versions, and those that share a capped benefit with them; all drivers
    where none is named."""
    chosen = set(slugs)
    drivers = [*source.model.get("superseded", ()), *source.model.get("drivers", ())]
    pools = {driver.get("pool") for driver in drivers if driver["slug"] in chosen} & caps_of(source).keys()
    return [d for d in drivers if not chosen or d["slug"] in chosen or d.get("pool") in pools]


def caps_of(source: Source) -> dict[str, str]:
    """The formulas that cap benefit pools, by pool."""
    return {pool["slug"]: pool["cap"] for pool in source.model.get("pools", ()) if pool.get("cap")}


def days_needed(source: Source, start: date, end: date) -> tuple[date, date]:
    """The days whose events the amounts of [start, end) follow from: whole months, where something is capped."""
    return proof_pools.whole_months(start, end) if caps_of(source) else (start, end)


def meters_of(source: Source, drivers: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The meters that the drivers' formulas read."""
    needed = {name for driver in drivers for name in expression.names(driver["formula"])}
    return [meter for meter in source.model.get("meters", ()) if meter["slug"] in needed]


def prove_tallied(source: Source, drivers: Iterable[Mapping[str, Any]], tallies: "Tallies") -> list[ProvedAmount]:
    """Amounts of `drivers` from what their meters' events were tallied to, of all `days_needed`."""
    proved: list[ProvedAmount] = []
    for driver in drivers:
        proved += _prove_driver(source, driver, meters_of(source, [driver]), tallies)
    return sorted(_capped(source, proved), key=lambda p: (p.driver, p.provider, p.day))


def _capped(source: Source, proved: Iterable[ProvedAmount]) -> Iterator[ProvedAmount]:
    """What the caps of benefit pools leave of the amounts."""
    caps = caps_of(source)
    drawn: defaultdict[tuple[str, str, date], list[ProvedAmount]] = defaultdict(list)
    for amount in proved:
        if amount.pool not in caps or amount.expected is None:
            yield amount
        elif _cap_on(source, caps[amount.pool], amount.day) is None:
            yield replace(amount, low=None, expected=None, high=None)
        else:
            drawn[amount.pool, amount.unit, amount.day.replace(day=1)].append(amount)
    for (pool, _, _), amounts in drawn.items():
        amounts.sort(key=lambda a: (a.day, a.driver, a.provider))
        days = {amount.day: _cap_on(source, caps[pool], amount.day) or Fraction(0) for amount in amounts}
        bounds = [(Fraction(a.low or 0), Fraction(a.expected or 0), Fraction(a.high or 0)) for a in amounts]
        left = proof_pools.keep_to_caps([(amount.day, *own) for amount, own in zip(amounts, bounds, strict=True)], days)
        for amount, own in zip(amounts, left, strict=True):
            low, expected, high = map(rounded, own)
            yield replace(amount, low=low, expected=expected, high=high)


def _cap_on(source: Source, cap: str, day: date) -> Fraction | None:
    """The cap of a day's month, rounded as amounts are; None where it cannot be told."""
    given = {slug: input_on(source, slug, day) for slug in expression.names(cap)}
    amount = expression.amount(cap, {slug: each.expected for slug, each in given.items() if each is not None})
    if amount is None or abs(amount) >= LARGEST:
        return None
    return max(Fraction(rounded(amount)), Fraction(0))


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


def provider_of(driver: Mapping[str, Any]) -> str:
    return str(driver.get("provider", "supplier"))


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


def _prove_driver(
    source: Source, driver: Mapping[str, Any], meters: Sequence[Mapping[str, Any]], tallies: Tallies
) -> list[ProvedAmount]:
    used = expression.names(driver["formula"])
    own = [meter for meter in meters if meter["slug"] in used]
    by_event = provider_of(driver) == "event"
    cells: defaultdict[tuple[str, date], dict[str, list[MeterTally]]] = defaultdict(lambda: defaultdict(list))
    for (slug, provider, day), tally in tallies.items():
        if slug in used and tally.events and _in_force(driver, day):
            cells[provider if by_event else provider_of(driver), day][slug].append(tally)
    return [_prove_cell(source, driver, own, provider, day, cell) for (provider, day), cell in cells.items()]


def _in_force(driver: Mapping[str, Any], day: date) -> bool:
    start, end = driver.get("effective_from"), driver.get("effective_to")
    return (start is None or date.fromisoformat(start) <= day) and (end is None or day < date.fromisoformat(end))


def _prove_cell(
    source: Source,
    driver: Mapping[str, Any],
    meters: Sequence[Mapping[str, Any]],
    provider: str,
    day: date,
    cell: Mapping[str, Sequence[MeterTally]],
) -> ProvedAmount:
    found_values = {meter["slug"]: together(meter, cell.get(meter["slug"], ())) for meter in meters}
    values = {slug: value for slug, value in found_values.items() if value is not None}
    slugs = sorted(expression.names(driver["formula"]) - found_values.keys())
    inputs = [input_on(source, slug, day) for slug in slugs]
    cap = caps_of(source).get(driver.get("pool") or "")
    capping = [input_on(source, slug, day) for slug in sorted(expression.names(cap))] if cap else []
    events = sum(tally.events for tallies in cell.values() for tally in tallies)
    found = [given for given in inputs if given is not None]
    resting = [*found, *(given for given in capping if given is not None)]
    unit = unit_of(driver, resting)
    if len(resting) < len(inputs) + len(capping) or unit is None:
        return ProvedAmount(
            driver["slug"], provider, day, None, None, None, driver["unit"], counted=False, events=events
        )
    expected = expression.amount(driver["formula"], {**values, **{g.slug: g.expected for g in found}})
    corners = [
        expression.amount(driver["formula"], {**values, **dict(zip([g.slug for g in found], corner, strict=True))})
        for corner in itertools.product(*({g.low, g.high} for g in found))
    ]
    points = [point for point in (expected, *corners) if point is not None]
    fits = all(abs(point) < LARGEST for point in points)
    whole = expected is not None and len(points) == len(corners) + 1 and fits
    return ProvedAmount(
        driver=driver["slug"],
        provider=provider,
        day=day,
        low=rounded(min(points)) if whole else None,
        expected=rounded(expected) if whole and expected is not None else None,
        high=rounded(max(points)) if whole else None,
        unit=unit,
        counted=_counts(source, driver, resting, day),
        events=events,
        pool=driver.get("pool"),
    )


def together(meter: Mapping[str, Any], tallies: Iterable[MeterTally]) -> Fraction | None:
    """The meter's value over several days or providers."""
    whole = MeterTally()
    for tally in tallies:
        whole.merge(tally)
    return whole.value(meter["aggregation"])


def rounded(value: Fraction, places: int = 4) -> Decimal:
    """Half to even, once. `Fraction.__round__` is exact, and the context is wide enough not to round again."""
    with localcontext(prec=400):
        return Decimal(round(value * 10**places)).scaleb(-places)


def unit_of(driver: Mapping[str, Any], inputs: Sequence[ProvedInput]) -> str | None:
    """The currency that the inputs state, else the driver's unit; None where they state several."""
    stated = {word for given in inputs for word in _currency_words(given.unit)}
    if len(stated) > 1:
        return None
    return stated.pop() if stated and _currency_words(driver["unit"]) else str(driver["unit"])


def _currency_words(unit: str) -> set[str]:
    letters = "".join(letter if letter.isascii() and letter.isalpha() else " " for letter in unit)
    return {word for word in letters.split() if word in list_currencies()}


def input_on(source: Source, slug: str, day: date) -> ProvedInput | None:
    """What the record, else the model's default, says of an assumption or baseline on a day."""
    stated = _stated_on(source.entries.get(slug, ()), day)
    if stated is not None:
        entry, state = stated
        low, expected, high = (Fraction(entry[bound]) for bound in ("low", "expected", "high"))
        return ProvedInput(slug, low, expected, high, entry["unit"] or "", state, entry["entry_id"])
    return _default(source, slug)


def _default(source: Source, slug: str) -> ProvedInput | None:
    for given in (*source.model.get("assumptions", ()), *source.model.get("baselines", ())):
        if given["slug"] == slug:
            own = [rate["value"] for rate in given.get("segments", ()) if rate["segment"] == source.segment]
            value = own[0] if own else given.get("default")
            if value is None:
                return None
            low, expected, high = (Fraction(str(value[bound])) for bound in ("low", "expected", "high"))
            return ProvedInput(slug, low, expected, high, given["unit"], "estimated", None)
    return None


def _stated_on(entries: Sequence[Mapping[str, Any]], day: date) -> tuple[Mapping[str, Any], str] | None:
    """The entry whose value holds on `day`, and its state (value rules 9 to 11)."""
    undone = {e["answers"] for e in entries if e["action"] == "withdraw"}
    standing = [e for e in entries if e["entry_id"] not in undone]
    held: dict[str, tuple[tuple[date, int], Mapping[str, Any]]] = {}
    for entry in standing:
        if entry["action"] not in {"estimate", "propose"}:
            continue
        state, since = _verdict(entry, [e for e in standing if e["answers"] == entry["entry_id"]])
        order = (since if state == "validated" else date.min, entry["entry_id"])
        if since <= day and (state not in held or held[state][0] < order):
            held[state] = (order, entry)
    for state in ("validated", "under-review", "proposed", "estimated"):
        if state in held:
            return held[state][1], state
    return None


def _verdict(entry: Mapping[str, Any], answers: Sequence[Mapping[str, Any]]) -> tuple[str, date]:
    """The state of a stated value by the last of its answers, and the day from which it holds."""
    days = [answer["effective_from"] for answer in answers if answer["action"] == "validate"]
    since = min(days) if days else entry["effective_from"]
    if not answers:
        return ("proposed" if entry["action"] == "propose" else "estimated"), since
    return ("validated" if answers[-1]["action"] == "validate" else "under-review"), since


def _counts(source: Source, driver: Mapping[str, Any], inputs: Sequence[ProvedInput], day: date) -> bool:
    """Value rule 10: everything that it rests on is validated, and a vendor's own word is validated too."""
    said = _stated_on(source.entries.get(f"driver:{driver['slug']}", ()), day)
    state = said[1] if said else None
    if said and said[0]["expected"] != driver.get("version", 1) and state == "validated":
        state = None  # what was validated is another formula than the one in force
    vendor_word = driver.get("evidence", "vendor-estimate") in {"vendor-estimate", "customer-validated"}
    if state == "under-review" or (vendor_word and state != "validated"):
        return False
    lapses = [driver.get("sunset"), *(_expiry(source, given.slug) for given in inputs)]
    if any(lapse is not None and day >= date.fromisoformat(lapse) for lapse in lapses):
        return False
    return all(given.state == "validated" for given in inputs)


def _expiry(source: Source, slug: str) -> str | None:
    """The day from which a baseline counts no longer, as the model writes it."""
    return next((b.get("expires_on") for b in source.model.get("baselines", ()) if b["slug"] == slug), None)
