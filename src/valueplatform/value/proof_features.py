"""What features are worth, worked out again, sharing nothing with `feature_worth` and what it divides by.

Uses, readings and who sent anything come from raw events, amounts from accruals by a query of its own; quartiles are
those of the standard library. What comes out are named numbers, as `verify` compares them.
"""

import statistics
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from babel.numbers import list_currencies
from sqlalchemy import text

from valueplatform.core.database import Transaction
from valueplatform.value import proof_expression as expression
from valueplatform.value.proof import provider_of, rounded
from valueplatform.value.proof_archive import kept_events, widened
from valueplatform.value.proof_bridge_steps import Cut, ProvedDay, ProvedSide, degree_of, divided_units, sum_of
from valueplatform.value.proof_record import Source
from valueplatform.value.proof_slices import inputs_in
from valueplatform.value.proof_tallies import Cuts, MeterTally, tally_cuts, together

Days = tuple[date, date]
Numbers = dict[str, Decimal | int | None]
_LEAST = 5
_AMOUNTS = text("""
    SELECT a.driver, a.provider, a.day, a.low, a.expected, a.high, b.unit, b.benefit_class, b.state, b.evidence,
           b.counted, b.formula, b.inputs::text AS inputs
    FROM accrual a JOIN basis b USING (account_id, basis_id)
    WHERE account_id = :account AND a.day >= :start AND a.day < :end AND a.expected IS NOT NULL
      AND a.driver = ANY(CAST(:drivers AS text[])) ORDER BY a.day
""")
_CURRENCY = text("""
    SELECT currency FROM account_currency WHERE account_id = :account AND effective_from < :end
    ORDER BY effective_from DESC LIMIT 1
""")
_SENT = text("SELECT time FROM event WHERE account_id = :account AND utc_day >= :start AND utc_day < :end")


@dataclass(frozen=True, slots=True)
class Part:
    """What a feature ('' = none) has of one driver in one account and standing; bounds where it has all of it."""

    account: int
    driver: str
    unit: str
    benefit_class: str
    state: str
    counted: bool
    expected: Decimal
    bounds: tuple[Decimal, Decimal] | None


@dataclass(slots=True)
class Seen:
    """What raw events and accruals say of all features in a stretch of days. `uses` by feature and account; a feature
    whose uses nothing counts is absent. `quantities` are those of the meters that hypotheses name, where days of these
    add up."""

    uses: dict[str, dict[int, int]]
    quantities: dict[str, dict[int, Fraction]]
    carried: set[str]
    parts: defaultdict[str, list[Part]] = field(default_factory=lambda: defaultdict(list))
    present: set[int] = field(default_factory=set)
    currency: dict[int, str] = field(default_factory=dict)


async def see(tx: Transaction, sources: Sequence[Source], days: Days, only: str | None = None) -> Seen:
    """Over all `sources`; `only` = of one feature alone."""
    model = sources[0].model
    features = [one for one in model.get("features", ()) if only in {None, one["slug"]}]
    serving = [one for one in model.get("drivers", ()) if one.get("features")]
    drivers = [one for one in serving if only is None or only in one["features"]]
    named = {one["slug"]: meter for one in features if (meter := _named_meter(one, model)) is not None}
    carried = {slug for slug, meter in named.items() if meter["dimensions"]}
    uses: dict[str, dict[int, int]] = {one["slug"]: {} for one in features if _is_counted(one, model)}
    seen = Seen(uses, {slug: {} for slug in named}, carried)
    for source in sources:
        await _see_account(tx, source, days, features, drivers, seen)
    return seen


async def _see_account(
    tx: Transaction,
    source: Source,
    days: Days,
    features: Sequence[Mapping[str, Any]],
    drivers: Sequence[Mapping[str, Any]],
    seen: Seen,
) -> None:
    account, model = source.account_id, source.model
    shown = [{**one, "slug": f"@{one['slug']}", "aggregation": "COUNT", "dimensions": []} for one in features]
    read = {name for one in _versions(model, drivers) for name in expression.names(one["formula"])}
    meters = [one for one in model.get("meters", ()) if one["slug"] in read]
    by = {one["slug"]: meter for one in features if (meter := _named_meter(one, model)) is not None}
    named = [{**meter, "slug": f"#{slug}"} for slug, meter in by.items()]
    tallies = await tally_cuts(tx, source, [*meters, *shown, *named], *days)
    for (slug, _, _, _), tally in ((key, one) for key, one in tallies.items() if one.events):
        if slug.startswith("@") and slug[1:] in seen.uses:
            uses = seen.uses[slug[1:]]
            uses[account] = uses.get(account, 0) + tally.events
    _add_quantities(account, by, tallies, seen)
    asked = {"account": account, "start": days[0], "end": days[1], "drivers": [one["slug"] for one in drivers]}
    groups: defaultdict[tuple[Any, ...], list[Any]] = defaultdict(list)
    for row in await tx.rows(_AMOUNTS, asked):
        standing = row.unit, row.benefit_class, row.state, row.evidence, row.counted
        groups[row.driver, row.provider, *standing].append(row)
    for rows in groups.values():
        driver = next(one for one in drivers if one["slug"] == rows[0].driver)
        for feature, expected, bounds in _given(source, driver, meters, rows, tallies):
            first = rows[0]
            part = Part(
                account, first.driver, first.unit, first.benefit_class, first.state, first.counted, expected, bounds
            )
            seen.parts[feature].append(part)
    said = await tx.scalar(_CURRENCY, {"account": account, "end": days[1]})
    seen.currency[account] = str(said or model["supplier"]["currency"])
    if groups or any(account in own for own in seen.uses.values()) or await _sent(tx, source, days):
        seen.present.add(account)


def _named_meter(feature: Mapping[str, Any], model: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The meter that the hypothesis names, cut by `feature` alone where only what carries the feature is of it; None
    where days of it do not add up, or none is named."""
    found = [one for one in model.get("meters", ()) if one["slug"] == feature.get("meter")]
    if not found or found[0]["aggregation"] not in {"COUNT", "SUM"}:
        return None
    together = [one for one in model.get("drivers", ()) if feature["slug"] in one.get("features", ())]
    shared = any(len(one["features"]) > 1 for one in together)
    return {**found[0], "dimensions": [name for name in found[0]["dimensions"] if shared and name == "feature"]}


def _add_quantities(account: int, by: Mapping[str, Mapping[str, Any]], tallies: Cuts, seen: Seen) -> None:
    for (slug, _, _, cut), tally in tallies.items():
        if slug.startswith("#") and tally.events and cut in {(), (slug[1:],)}:
            own = seen.quantities[slug[1:]]
            value = tally.value(by[slug[1:]]["aggregation"]) or Fraction(0)
            own[account] = own.get(account, Fraction(0)) + value


async def _sent(tx: Transaction, source: Source, days: Days) -> bool:
    zone, (first, last) = ZoneInfo(source.timezone), widened(*days)
    times = [row.time for row in await tx.rows(_SENT, {"account": source.account_id, "start": first, "end": last})]
    if any(days[0] <= time.astimezone(zone).date() < days[1] for time in times):
        return True
    async for event in kept_events(tx, source.account_id, None, first, last):
        if days[0] <= event.time.astimezone(zone).date() < days[1]:
            return True
    return False


def _versions(model: Mapping[str, Any], drivers: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    slugs = {one["slug"] for one in drivers}
    return [one for one in (*model.get("superseded", ()), *model.get("drivers", ())) if one["slug"] in slugs]


def _is_counted(feature: Mapping[str, Any], model: Mapping[str, Any]) -> bool:
    condition, types = feature.get("filter"), set(feature["event_types"])
    return condition is None or any(
        one.get("filter") == condition and set(one["event_types"]) == types for one in model.get("meters", ())
    )


def _divides(source: Source, driver: Mapping[str, Any], meters: Sequence[Mapping[str, Any]]) -> bool:
    """Whether it may be divided over the dimension `feature`: all it reads adds, and is kept by it."""
    versions = _versions(source.model, [driver])
    for version in versions:
        read = [one for one in meters if one["slug"] in expression.names(version["formula"])]
        if degree_of(expression.read(version["formula"]), {one["slug"] for one in read}) != 1:
            return False
        if any(one["aggregation"] not in {"COUNT", "SUM"} or "feature" not in one["dimensions"] for one in read):
            return False
    return len({provider_of(version) == "event" for version in versions}) == 1


def _given(
    source: Source,
    driver: Mapping[str, Any],
    meters: Sequence[Mapping[str, Any]],
    rows: Sequence[Any],
    tallies: Mapping[tuple[str, str, date, tuple[str | None, ...]], MeterTally],
) -> Iterator[tuple[str, Decimal, tuple[Decimal, Decimal] | None]]:
    """Which feature has how much of amounts of one standing, and its bounds."""
    worth = sum_of(row.expected for row in rows)
    bounds = sum_of(row.low for row in rows), sum_of(row.high for row in rows)
    if len(driver["features"]) == 1:
        yield driver["features"][0], worth, bounds
        return
    if not _divides(source, driver, meters):
        yield "", worth, bounds
        return
    by_day: defaultdict[date, list[tuple[str, str, Cut, MeterTally]]] = defaultdict(list)
    used = {name for one in _versions(source.model, [driver]) for name in expression.names(one["formula"])}
    names = {one["slug"]: one for one in meters if one["slug"] in used}
    for (slug, sender, day, values), tally in tallies.items():
        if slug in names and tally.events:
            by_day[day].append((slug, sender, (values[names[slug]["dimensions"].index("feature")],), tally))
    side = ProvedSide(worth=worth)
    alone = provider_of(driver) == "event"
    rounded_days: list[Decimal] = []
    for row in rows:
        own = [one for one in meters if one["slug"] in expression.names(row.formula)]
        given = inputs_in(row.inputs)
        cells: defaultdict[Cut, defaultdict[str, list[MeterTally]]] = defaultdict(lambda: defaultdict(list))
        for slug, sender, cut, tally in by_day[row.day]:
            if not alone or sender == row.provider:
                cells[cut][slug].append(tally)
        whole = Fraction(0)
        for cut, cell in cells.items():
            read = {one["slug"]: together(one, cell.get(one["slug"], ())) for one in own}
            metered = {slug: value for slug, value in read.items() if value is not None}
            side.cuts.setdefault(cut, []).append(ProvedDay(row.day, metered, given, row.formula))
            whole += expression.amount(row.formula, {**given, **metered}) or Fraction(0)
        rounded_days.append(rounded(whole))
    side.uncapped = sum_of(rounded_days)
    for (feature,), (units, _) in (divided_units(side) if side.cuts else {(None,): (_units(worth), 0)}).items():
        yield (feature if feature in driver["features"] else "") or "", rounded(Fraction(units, 10_000)), None


def _units(amount: Decimal) -> int:
    return int(Fraction(amount) * 10_000)


def _may(feature: Mapping[str, Any], source: Source) -> bool:
    segments = feature.get("eligible_segments") or ()
    return not segments or source.segment in segments


def number_of(feature: Mapping[str, Any], seen: Seen, sources: Sequence[Source]) -> Numbers:
    """Every number that is told of a feature, by name."""
    slug = feature["slug"]
    uses, parts = seen.uses.get(slug), seen.parts.get(slug, [])
    able = [one for one in sources if one.account_id in seen.present and _may(feature, one)]
    found: Numbers = {
        "eligible": len(able),
        "accounts": None if uses is None else len(uses),
        "uses": None if uses is None else sum(uses.values()),
    }
    for key in {(one.driver, one.unit, one.benefit_class, one.state) for one in parts}:
        own = [one for one in parts if (one.driver, one.unit, one.benefit_class, one.state) == key]
        at = " ".join(key)
        found[f"{at}, accounts"] = len({one.account for one in own})
        found |= _sums(at, own)
        for place, bound in enumerate(("low", "high")):
            held = [one.bounds[place] for one in own if one.bounds is not None]
            found[f"{at}, {bound}"] = sum_of(held) if len(held) == len(own) else None
    found |= _per_use(feature, seen)
    for unit, benefit_class in {(one.unit, one.benefit_class) for one in parts} if uses is not None else ():
        own = [one for one in parts if (one.unit, one.benefit_class) == (unit, benefit_class)]
        at, is_money = f"{unit} {benefit_class}", unit in list_currencies()
        by_account: defaultdict[int, list[Decimal]] = defaultdict(list)
        for one in own:
            by_account[one.account].append(one.expected)
        same = {account for account, currency in seen.currency.items() if currency == unit} if is_money else None
        found |= _unrealized(at, able, uses or {}, by_account, same)
    return found


def _per_use(feature: Mapping[str, Any], seen: Seen) -> Numbers:
    slug = feature["slug"]
    parts, quantities = seen.parts.get(slug, []), _used(slug, seen)
    found: Numbers = {}
    for unit, benefit_class in {(one.unit, one.benefit_class) for one in parts} if quantities is not None else ():
        at = f"{unit} {benefit_class}"
        number = _of_unit(unit, quantities or {}, parts, seen)
        own = [one for one in parts if (one.unit, one.benefit_class) == (unit, benefit_class)]
        found[f"{at}, uses"] = rounded(number)
        found |= {f"{name} per use": _over(amount, number) for name, amount in _sums(at, own).items()}
    if found:
        carried = ", as carried" if slug in seen.carried else ""
        meter = feature["meter"] if slug in seen.quantities else "its events"
        found[f"a use is one of {meter}{carried}"] = 1
    return found


def _used(slug: str, seen: Seen) -> Mapping[int, int | Fraction] | None:
    """What value per use of a feature is over, by account: its meter's quantity, else its events."""
    return seen.quantities.get(slug, seen.uses.get(slug))


def _of_unit(unit: str, used: Mapping[int, int | Fraction], parts: Sequence[Part], seen: Seen) -> Fraction:
    """Of the accounts that have the currency, or value in it; of what is no currency, all."""
    valued = {one.account for one in parts if one.unit == unit}
    is_money = unit in list_currencies()
    return sum(
        (Fraction(n) for a, n in used.items() if not is_money or a in valued or seen.currency[a] == unit), Fraction(0)
    )


def _sums(at: str, own: Sequence[Part]) -> Numbers:
    return {
        f"{at}, expected": sum_of(one.expected for one in own),
        f"{at}, counted": sum_of(one.expected for one in own if one.counted),
    }


def _over(amount: Decimal | int | None, number: int | Fraction) -> Decimal | None:
    return rounded(Fraction(amount or 0) / number) if number > 0 else None


def _unrealized(
    at: str,
    able: Sequence[Source],
    uses: Mapping[int, int],
    held: Mapping[int, Sequence[Decimal]],
    same: Collection[int] | None,
) -> Numbers:
    """What accounts that may use it and do not would have; `same` are those of the currency, None where it is none."""
    others = [one for one in able if not uses.get(one.account_id) and (same is None or one.account_id in same)]
    if not others:
        return {}
    peers = [
        one
        for one in able
        if uses.get(one.account_id) and (same is None or one.account_id in same or one.account_id in held)
    ]
    by_segment: defaultdict[str, list[Fraction]] = defaultdict(list)
    for one in peers:
        value = sum((Fraction(each) for each in held.get(one.account_id, ())), Fraction(0))
        for name in {"", one.segment or ""}:
            by_segment[name].append(value)
    told = {name: values for name, values in by_segment.items() if _may_be_told(values)}
    totals, compared = [Fraction(0)] * 3, 0
    for one in others:
        values = told.get(one.segment or "", told.get(""))
        if values is not None:
            compared += 1
            cuts = statistics.quantiles(values, n=4, method="inclusive")
            totals = [total + cut for total, cut in zip(totals, cuts, strict=True)]
    found: Numbers = {f"{at}, unrealized accounts": compared, f"{at}, not compared": len(others) - compared}
    for name, total in zip(("low", "expected", "high"), totals, strict=True):
        found[f"{at}, unrealized {name}"] = rounded(total) if compared else None
    return found


def _may_be_told(values: Sequence[Fraction]) -> bool:
    sizes = sorted(map(abs, values))
    return len(sizes) >= _LEAST and sizes[-1] <= sum(sizes[:-1])


def stretch_numbers(slug: str, seen: Seen, same: Collection[int], days: int) -> Numbers:
    """What `same` accounts had of a feature on one side of a release."""
    uses = {a: n for a, n in seen.uses.get(slug, {}).items() if a in same}
    counted = sum(uses.values()) if slug in seen.uses else None
    own = [one for one in seen.parts.get(slug, ()) if one.account in same]
    a_day = None if counted is None else _over(counted, days)
    found: Numbers = {"using": len(uses), "uses": counted, "uses a day": a_day}
    for unit, benefit_class in {(one.unit, one.benefit_class) for one in own}:
        parts = [one for one in own if (one.unit, one.benefit_class) == (unit, benefit_class)]
        used = {a: n for a, n in (_used(slug, seen) or {}).items() if a in same}
        at = f"{unit} {benefit_class}"
        sums = _sums(at, parts)
        found |= sums
        found[f"{at}, a day"] = _over(sums[f"{at}, expected"], days)
        found[f"{at}, per use"] = _over(sums[f"{at}, expected"], _of_unit(unit, used, own, seen))
    return found


def division_numbers(seen: Seen, model: Mapping[str, Any]) -> Numbers:
    """How drivers of several features are divided, by driver, unit, class and feature."""
    found: Numbers = {}
    for driver in model.get("drivers", ()):
        names = [*driver.get("features", ()), ""]
        of = {name: [one for one in seen.parts.get(name, ()) if one.driver == driver["slug"]] for name in names}
        for unit, kind in {(one.unit, one.benefit_class) for own in of.values() for one in own} if names[2:] else ():
            for name, own in of.items():
                parts = [one for one in own if (one.unit, one.benefit_class) == (unit, kind)]
                found |= _sums(f"{driver['slug']} {unit} {kind} {name or 'none'}", parts)
    return found
