"""The value bridge, worked out again: parts from raw events, sharing nothing with `value.bridge` but their definition.

Amounts and inputs are the proof's own (`value.proof`), formulas are read by its parser, adjustments come from postings.
Both periods are cut at the same shares of their volume, and each cut is valued anew for every step; `verify` compares
the parts of the last two whole months with those that are told, to the last unit.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from sqlalchemy import text

from valueplatform.core.database import Transaction
from valueplatform.value import proof_expression as expression
from valueplatform.value.proof import (
    ProvedAmount,
    days_needed,
    drivers_named,
    meters_of,
    prove_tallied,
    provider_of,
    rounded,
)
from valueplatform.value.proof_bridge_steps import Cut, ProvedBridge, ProvedDay, ProvedSide, split, sum_of
from valueplatform.value.proof_record import Source, input_on
from valueplatform.value.proof_tallies import Cuts, MeterTally, tally_cuts, together
from valueplatform.value.split_proof import (
    Lines,
    PartAnew,
    cut_anew,
    is_shared,
    lines_anew,
    parts_anew,
    shares_anew,
)

Days = tuple[date, date]
Key = tuple[str, str, str, Cut]
"""Driver, provider, unit, and the values of the dimensions."""

_POSTED = text("""
    SELECT p.driver, p.provider, p.day, p.shown_day, p.expected, b.unit, b.counted
    FROM posting p JOIN basis b ON b.account_id = p.account_id AND b.basis_id = p.basis_id
    WHERE p.account_id = :account AND p.day <> p.shown_day
""")
_VOLUMES = {"COUNT", "SUM", "UNIQUE_COUNT"}
_JOINT = "joint"
_UNITS = 10_000
_SHARE_READ = "_agreed_share"
_TOLD = {_SHARE_READ: "@share"}


async def prove_bridge(
    tx: Transaction,
    source: Source,
    periods: tuple[Days, Days],
    drivers: Collection[str] = (),
    dimensions: Sequence[str] = (),
    *,
    counted: bool = False,
    by_party: bool = False,
) -> dict[Key, ProvedBridge]:
    """Every part of the bridge between two periods, stretches [start, end) of local days, from raw events. `counted`:
    only from days that value rule 10 counts; `by_party`: joint drivers as they were shared."""
    lines = await lines_anew(tx, source.account_id) if by_party else {}
    wanted = drivers_named(source, drivers)  # with those that share a cap, and all versions
    meters = meters_of(source, wanted)
    spans = [await _span(tx, source, wanted, meters, span, lines, counted=counted) for span in periods]
    rows = await tx.rows(_POSTED, {"account": source.account_id})
    posted = [row for row in rows if row.counted or not counted]
    found: dict[Key, ProvedBridge] = {}
    for slug in {driver["slug"] for driver in wanted if not drivers or driver["slug"] in drivers}:
        versions = [driver for driver in wanted if driver["slug"] == slug]
        read = {name for driver in versions for name in expression.names(driver["formula"])}
        own = [meter for meter in meters if meter["slug"] in read]
        by_unit: defaultdict[str, dict[str, tuple[ProvedSide, ProvedSide]]] = defaultdict(dict)
        for at, span in enumerate(spans):
            for (provider, unit), side in _sides(source, versions, own, span, dimensions).items():
                pair = by_unit[unit].setdefault(provider, (ProvedSide(), ProvedSide()))
                pair[at].cuts, pair[at].worth, pair[at].uncapped = side.cuts, side.worth, side.uncapped
                pair[at].adjusted = side.adjusted
            for row in posted:
                divided = row.provider == _JOINT and is_shared(lines, slug)
                if row.driver == slug and not divided and (sign := _moved(row, span.days)):
                    pair = by_unit[row.unit].setdefault(row.provider, (ProvedSide(), ProvedSide()))
                    moved = row.expected if sign > 0 else row.expected.copy_negate()
                    pair[at].adjusted = sum_of([pair[at].adjusted, moved])
        volumes = {meter["slug"] for meter in own if meter["aggregation"] in _VOLUMES}
        for unit, sides in by_unit.items():
            for (provider, cut), bridge in split(sides, volumes).items():
                parts = {(kind, _TOLD.get(name, name)): amount for (kind, name), amount in bridge.parts.items()}
                found[slug, provider, unit, cut] = ProvedBridge(bridge.before, bridge.after, parts)
    return found


@dataclass(frozen=True, slots=True)
class _Span:
    """One period: what its events were tallied to, and the amounts by driver, provider and day; of joint drivers, who
    has which share and what is shown of it."""

    days: Days
    tallies: Cuts
    amounts: Mapping[tuple[str, str, date], ProvedAmount]
    lines: Lines
    parts: Sequence[PartAnew]


async def _span(
    tx: Transaction,
    source: Source,
    drivers: Sequence[Mapping[str, Any]],
    meters: Sequence[Mapping[str, Any]],
    days: Days,
    lines: Lines,
    *,
    counted: bool,
) -> _Span:
    tallies = await tally_cuts(tx, source, meters, *days_needed(source, *days))
    whole: defaultdict[tuple[str, str, date], MeterTally] = defaultdict(MeterTally)
    for (slug, sender, day, _), tally in tallies.items():
        whole[slug, sender, day].merge(tally)
    amounts = {
        (a.driver, a.provider, a.day): a
        for a in prove_tallied(source, drivers, whole)
        if a.expected is not None and days[0] <= a.day < days[1] and (a.counted or not counted)
    }
    parts = await parts_anew(tx, source.account_id, *days) if lines else []
    return _Span(days, tallies, amounts, lines, [part for part in parts if part.counted or not counted])


def _moved(row: Any, span: Days) -> int:
    """1 where an amount is shown in the days and is of others, -1 where it is of them and shown in others."""
    own, shown = (span[0] <= day < span[1] for day in (row.day, row.shown_day))
    return int(shown) - int(own)


def _sides(
    source: Source,
    versions: Sequence[Mapping[str, Any]],
    meters: Sequence[Mapping[str, Any]],
    span: _Span,
    dimensions: Sequence[str],
) -> dict[tuple[str, str], ProvedSide]:
    """What one period is worth, by provider and unit, with the days that make it."""
    slug = versions[0]["slug"]
    sides: defaultdict[tuple[str, str], ProvedSide] = defaultdict(ProvedSide)
    together_: defaultdict[tuple[str, date], dict[str, list[MeterTally]]] = defaultdict(lambda: defaultdict(list))
    for (provider, day, cut), cell in _cells(versions, meters, span, dimensions):
        amount = span.amounts.get((slug, provider, day))
        if amount is not None:
            driver = next(driver for driver in versions if _holds(driver, day))
            read = _day(source, driver, meters, day, cell)
            for party, own in _of_parties(read, span.lines, slug, provider):
                sides[party, amount.unit].cuts.setdefault(cut, []).append(own)
            for name, tallies in cell.items():
                together_[provider, day][name] += tallies
    earned: Counter[tuple[str, str]] = Counter()
    for (provider, day), whole in together_.items():
        amount = span.amounts[slug, provider, day]
        driver = next(driver for driver in versions if _holds(driver, day))
        free = _uncapped(_day(source, driver, meters, day, whole))
        divided = provider == _JOINT and is_shared(span.lines, slug)
        for party, worth in _cut(amount.expected or Decimal(0), span.lines, slug, provider, day).items():
            sides[party, amount.unit].worth = sum_of([sides[party, amount.unit].worth, worth])
            earned[party, amount.unit] += int(Fraction(worth) * _UNITS) * divided
        for party, worth in _cut(free, span.lines, slug, provider, day).items():
            sides[party, amount.unit].uncapped = sum_of([sides[party, amount.unit].uncapped, worth])
    stands: Counter[tuple[str, str]] = Counter()
    for part in span.parts:
        stands[part.party, part.unit] += part.expected * (part.driver == slug)
    for key in {key for key in {*stands, *earned} if stands[key] != earned[key]}:
        sides[key].adjusted = _of_units(stands[key] - earned[key])
    return dict(sides)


def _cells(
    versions: Sequence[Mapping[str, Any]],
    meters: Sequence[Mapping[str, Any]],
    span: _Span,
    dimensions: Sequence[str],
) -> list[tuple[tuple[str, date, Cut], dict[str, list[MeterTally]]]]:
    """What each day read by provider and cut, in the order of days."""
    cells: defaultdict[tuple[str, date, Cut], dict[str, list[MeterTally]]] = defaultdict(lambda: defaultdict(list))
    named = {meter["slug"]: meter for meter in meters}
    for (name, sender, day, values), tally in span.tallies.items():
        driver = next((driver for driver in versions if _holds(driver, day)), None)
        if driver is not None and name in named and tally.events:
            paths = named[name].get("dimensions", ())
            cut = tuple(values[paths.index(path)] if path in paths else None for path in dimensions)
            own = provider_of(driver)
            cells[sender if own == "event" else own, day, cut][name].append(tally)
    return sorted(cells.items(), key=lambda item: item[0][1])


def _uncapped(read: ProvedDay) -> Decimal:
    alone = expression.amount(read.formula, {**read.meters, **read.inputs})
    return rounded(alone if alone is not None else Fraction(0))


def _cut(amount: Decimal, lines: Lines, slug: str, provider: str, day: date) -> dict[str, Decimal]:
    """An amount by party where it is joint, else whole."""
    if provider != _JOINT or not is_shared(lines, slug):
        return {provider: amount}
    parts = cut_anew(int(Fraction(amount) * _UNITS), lines, slug, day)
    return {party: _of_units(part) for party, part in parts.items()}


def _of_parties(read: ProvedDay, lines: Lines, slug: str, provider: str) -> list[tuple[str, ProvedDay]]:
    """The day, of a joint driver once a party: with its share as one more input, by which the formula is multiplied."""
    if provider != _JOINT or not is_shared(lines, slug):
        return [(provider, read)]
    formula = f"({read.formula}) * {_SHARE_READ}"
    return [
        (party, ProvedDay(read.day, read.meters, {**read.inputs, _SHARE_READ: share}, formula))
        for party, share in shares_anew(lines, slug, read.day).items()
    ]


def _of_units(units: int) -> Decimal:
    return rounded(Fraction(units, _UNITS))


def _holds(driver: Mapping[str, Any], day: date) -> bool:
    begin, end = (driver.get(name) for name in ("effective_from", "effective_to"))
    return (begin is None or begin <= day.isoformat()) and (end is None or day.isoformat() < end)


def _day(
    source: Source,
    driver: Mapping[str, Any],
    meters: Sequence[Mapping[str, Any]],
    day: date,
    cell: Mapping[str, Sequence[MeterTally]],
) -> ProvedDay:
    read = {meter["slug"]: together(meter, cell.get(meter["slug"], ())) for meter in meters}
    given = {slug: input_on(source, slug, day) for slug in expression.names(driver["formula"]) - read.keys()}
    return ProvedDay(
        day,
        {slug: value for slug, value in read.items() if value is not None},
        {slug: one.expected for slug, one in given.items() if one is not None},
        driver["formula"],
    )
