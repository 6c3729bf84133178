"""Value cut by dimensions, worked out again from raw events: shares only the definition with `value.slices`.

Amounts come from accruals and postings by a query of its own, what they are divided by from raw events, formulas are
read by the proof's parser, and a last unit is given by `proof_bridge_steps`.
"""

import json
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

from sqlalchemy import text

from valueplatform.core.database import Transaction
from valueplatform.value import proof_expression as expression
from valueplatform.value.proof import drivers_named, provider_of
from valueplatform.value.proof_bridge_steps import Cut, whole_units
from valueplatform.value.proof_record import Source
from valueplatform.value.proof_tallies import Cuts, MeterTally, tally_cuts, together

_UNIT = 10_000
_AMOUNTS = text("""
    SELECT x.driver, x.provider, x.shown, x.earned, x.amount, b.formula, b.inputs::text AS inputs,
           ROW(b.unit, b.benefit_class, b.evidence, b.state)::text AS standing, b.counted
    FROM (SELECT driver, provider, day AS shown, day AS earned, basis_id, expected AS amount FROM accrual
          WHERE account_id = :account AND day >= :start AND day < :end AND expected IS NOT NULL
            AND date_trunc('month', day)::date NOT IN (SELECT month FROM closed_month WHERE account_id = :account)
          UNION ALL
          SELECT driver, provider, shown_day, day, basis_id, sum(expected) FROM posting
          WHERE account_id = :account AND shown_day >= :start AND shown_day < :end
          GROUP BY driver, provider, shown_day, day, basis_id) x
    JOIN basis b ON b.account_id = :account AND b.basis_id = x.basis_id
    WHERE x.driver = ANY(CAST(:drivers AS text[]))
""")


Tally = Callable[[Transaction, Source, Sequence[Mapping[str, Any]], date, date], Awaitable[Cuts]]


class Sliced(NamedTuple):
    """Of one driver, provider and cut: what is shown, and what of it counts."""

    realized: Decimal
    counted: Decimal


async def prove_slices(
    tx: Transaction,
    source: Source,
    days: tuple[date, date],
    drivers: Collection[str],
    dimensions: Sequence[str],
    told: Mapping[Cut, Cut],
    read: Tally = tally_cuts,
) -> dict[tuple[str, str, Cut], Sliced]:
    """What is shown of `drivers` on the days [start, end), by provider and cut. `told` are cuts that are told with
    others; of the dimension `feature` only what the driver serves is a cut of its own. `read` gives what amounts are
    divided by: raw events, unless said otherwise."""
    asked = {"account": source.account_id, "start": days[0], "end": days[1], "drivers": sorted(drivers)}
    rows = await tx.rows(_AMOUNTS, asked)
    if not rows:
        return {}
    versions = [driver for driver in drivers_named(source, drivers) if driver["slug"] in drivers]
    names = {name for driver in versions for name in expression.names(driver["formula"])}
    meters = {one["slug"]: one for one in source.model.get("meters", ()) if one["slug"] in names}
    first, last = min(row.earned for row in rows), max(row.earned for row in rows) + timedelta(days=1)
    by_day: defaultdict[date, list[tuple[str, str, Cut, MeterTally]]] = defaultdict(list)
    for (slug, sender, day, values), tally in (await read(tx, source, list(meters.values()), first, last)).items():
        paths = meters[slug].get("dimensions", ())
        cut = tuple(values[paths.index(path)] for path in dimensions)
        by_day[day].append((slug, sender, told.get(cut, cut), tally))
    groups: defaultdict[tuple[object, ...], list[Any]] = defaultdict(list)
    for row in rows:
        groups[row.driver, row.provider, row.shown, row.earned, row.standing, row.counted].append(row)
    found: defaultdict[tuple[str, str, Cut], list[Fraction]] = defaultdict(lambda: [Fraction(0), Fraction(0)])
    for own in groups.values():
        row = own[0]
        held = [one for one in versions if one["slug"] == row.driver]
        for cut, units in _over_cuts(own, held, meters, by_day[row.earned], dimensions).items():
            sums = found[row.driver, row.provider, cut]
            sums[0] += Fraction(units, _UNIT)
            sums[1] += Fraction(units, _UNIT) if row.counted else 0
    return {key: Sliced(*map(_amount, sums)) for key, sums in found.items()}


def _over_cuts(
    rows: Sequence[Any],
    versions: Sequence[Mapping[str, Any]],
    meters: Mapping[str, Mapping[str, Any]],
    tallies: Sequence[tuple[str, str, Cut, MeterTally]],
    dimensions: Sequence[str],
) -> dict[Cut, int]:
    """Amounts of one day that are shown as one, in ten-thousandths by cut."""
    earned, served = rows[0].earned.isoformat(), {name for one in versions for name in one.get("features", ())}
    alone = any(
        provider_of(one) == "event"
        and (one.get("effective_from") or "") <= earned < (one.get("effective_to") or "9999-12-31")
        for one in versions
    )
    cells: defaultdict[Cut, defaultdict[str, list[MeterTally]]] = defaultdict(lambda: defaultdict(list))
    for slug, sender, cut, tally in tallies:
        known = any(slug in expression.names(one["formula"]) for one in versions)
        if known and tally.events and (not alone or sender == rows[0].provider):
            shown = zip(dimensions, cut, strict=True)
            cells[tuple(None if name == "feature" and v not in served else v for name, v in shown)][slug].append(tally)
    exact: defaultdict[Cut, Fraction] = defaultdict(Fraction)
    for row in rows:
        given = {
            one["slug"]: Fraction(str(one["value"]["expected"])) for one in json.loads(row.inputs, parse_float=str)
        }
        worth = {cut: _worth(row.formula, given, meters, cell) for cut, cell in cells.items()}
        whole, amount = sum(worth.values(), Fraction(0)), Fraction(row.amount)
        part = Fraction(-1 if amount * whole < 0 else 1)
        if _UNIT * (abs(whole) - abs(amount)) > 1:
            part = amount / whole
        for cut, one in worth.items():
            exact[cut] += one * part
        left = amount - whole * part
        if abs(left) * _UNIT > 1:
            exact[tuple(None for _ in dimensions)] += left
    total = int(sum(Fraction(row.amount) for row in rows) * _UNIT)
    cuts = sorted(exact, key=lambda cut: [(value is not None, value or "") for value in cut])
    return dict(zip(cuts, whole_units([exact[cut] for cut in cuts], total), strict=True))


def inputs_in(basis: str) -> dict[str, Fraction]:
    """The inputs of a basis as it is stored, at their expected values."""
    return {one["slug"]: Fraction(str(one["value"]["expected"])) for one in json.loads(basis, parse_float=str)}


def _worth(
    formula: str,
    inputs: Mapping[str, Fraction],
    meters: Mapping[str, Mapping[str, Any]],
    cell: Mapping[str, Sequence[MeterTally]],
) -> Fraction:
    read = {slug: together(meter, cell.get(slug, ())) for slug, meter in meters.items()}
    values = {slug: value for slug, value in read.items() if value is not None}
    return expression.amount(formula, {**inputs, **values}) or Fraction(0)


def _amount(value: Fraction) -> Decimal:
    return Decimal(f"{int(value * _UNIT)}E-4")
