"""Realized value as computed now: one amount per driver, provider and local day (flow 2 of the architecture).

Only days that are asked for are computed again. Everything here is a function of the model, the record of
assumptions and the meters of those days; `value.proof` recomputes the same amounts from raw events by other code.
"""

import uuid
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import MAXYEAR, date
from decimal import Decimal
from fractions import Fraction
from itertools import chain, groupby
from typing import Any

import polars as pl

from valueplatform.core.numbers import AMOUNT_PLACES, amount_units, scaled_decimal
from valueplatform.core.periods import ONE_DAY, Period, month_of
from valueplatform.telemetry.meters import ZERO_WHEN_ABSENT, Aggregation, Meter
from valueplatform.value.assumptions import Default, Entry, Holding, driver_slug, holding
from valueplatform.value.assumptions import change_days as days_said
from valueplatform.value.basis import Basis, build_basis, cap_of
from valueplatform.value.formula import FEWEST_IN_BULK, Formula
from valueplatform.value.formula_exact import Values
from valueplatform.value.formula_frame import OVER
from valueplatform.value.meter_days import ALL_PROVIDERS, MeterDay
from valueplatform.value.model import BY_EVENT, Driver, ValueModel
from valueplatform.value.pools import Draw, PoolDay, within_cap
from valueplatform.value.ranges import NoValue, Range, RangedValue

_Row = tuple[str, date, Mapping[str, MeterDay]]
"""The provider shown, the day, and the meters that have events on it."""


@dataclass(frozen=True, slots=True)
class Accrual:
    """`low`, `expected`, `high` are None together, and then `reason` says why (a `NoValue` text).

    `basis` is None where the driver has no basis on that day. `uncapped` is what was expected before the cap of its
    benefit pool took some of it; None where that took nothing.
    """

    driver: str
    provider: str
    day: date
    basis: Basis | None
    low: Decimal | None
    expected: Decimal | None
    high: Decimal | None
    reason: str | None
    uncapped: Decimal | None = None

    @property
    def basis_id(self) -> uuid.UUID:
        return self.basis.basis_id if self.basis else uuid.UUID(int=0)


@dataclass(frozen=True, slots=True)
class Record:
    """What an account's amounts depend on beside its meters. `entries` by slug, oldest first."""

    model: ValueModel
    segment: str | None
    entries: Mapping[str, Sequence[Entry]]

    def defaults(self) -> dict[str, Default]:
        """The model's rates for the account's segment; a rate without a default is not among them."""
        rates = (*self.model.assumptions, *self.model.baselines)
        chosen = [(rate, rate.for_segment(self.segment)) for rate in rates]
        return {rate.slug: Default(value, rate.unit) for rate, value in chosen if value is not None}


def accrue(record: Record, days: Iterable[MeterDay], period: Period) -> list[Accrual]:
    """Every accrual of the days in `period`, ordered by driver, provider and day.

    Where a benefit pool has a cap, the period is one of whole months, by which caps are told: `in_whole_months`.
    A day counts for a driver only if one of its meters has events on it. Meters without events on such a day
    are 0 where they count or sum; an average, extreme or latest is null, and so is an amount that needs it.
    """
    return sorted(capped(uncapped(record, days, period)), key=lambda a: (a.driver, a.provider, a.day))


def uncapped(
    record: Record, days: Iterable[MeterDay], period: Period, drivers: Iterable[Driver] | None = None
) -> list[Accrual]:
    """The same before the caps of benefit pools, in no order; of some versions of `drivers`, or of all."""
    values: defaultdict[tuple[str, date], dict[str, MeterDay]] = defaultdict(dict)
    for meter_day in days:
        if meter_day.day in period:
            values[meter_day.provider, meter_day.day][meter_day.meter] = meter_day
    accruals: list[Accrual] = []
    for driver in record.model.driver_versions if drivers is None else drivers:
        accruals += _accrue_driver(record, driver, values)
    return accruals


def in_whole_months(model: ValueModel, period: Period) -> Period:
    """The days that must be known for the amounts of `period`: with capped pools, those of its months."""
    if period.end <= period.start or not any(pool.cap for pool in model.pools):
        return period
    last = period.end - ONE_DAY
    return Period(month_of(period.start).start, month_of(last).end if last.year < MAXYEAR else period.end)


def _accrue_driver(
    record: Record, driver: Driver, values: Mapping[tuple[str, date], Mapping[str, MeterDay]]
) -> list[Accrual]:
    formula = Formula.parse(driver.formula)
    meters = [meter for meter in record.model.meters if meter.slug in formula.names]
    rows: defaultdict[int, list[_Row]] = defaultdict(list)
    boundaries = _boundaries(record, driver)
    for (provider, day), metered in values.items():
        if (provider != ALL_PROVIDERS) is not (driver.provider == BY_EVENT):
            continue
        if driver.in_force(day) and any(meter.slug in metered for meter in meters):
            shown = driver.provider if provider == ALL_PROVIDERS else provider
            rows[bisect_right(boundaries, day)].append((shown, day, metered))
    accruals: list[Accrual] = []
    for stretch in rows.values():
        accruals += _accrue_stretch(record, driver, formula, meters, stretch)
    return accruals


def input_names(model: ValueModel, driver: Driver) -> frozenset[str]:
    """The assumptions and baselines that the driver's amounts rest on: its formula's, and those of its pool's cap."""
    cap = model.cap_of(driver)
    names = Formula.parse(driver.formula).names | (Formula.parse(cap).names if cap else frozenset())
    return names - {meter.slug for meter in model.meters}


def _boundaries(record: Record, driver: Driver) -> list[date]:
    """The days on which the driver's basis may change; between two of them it is one."""
    inputs = input_names(record.model, driver)
    slugs = [*inputs, driver_slug(driver.slug)]
    said = {day for slug in slugs for day in days_said(record.entries.get(slug, ()))}
    return sorted(said | set(_lapses(record, driver, inputs)))


def change_days(record: Record, driver: Driver) -> list[date]:
    """The days on which anything but usage may change the driver's amounts."""
    windows = {day for day in (driver.effective_from, driver.effective_to) if day}
    return sorted(windows.union(_boundaries(record, driver)))


def _lapses(record: Record, driver: Driver, inputs: Iterable[str]) -> list[date]:
    """The days from which the driver's value is an estimate again: a baseline expires, or its sunset passes."""
    expiring = [b.expires_on for b in record.model.baselines if b.slug in set(inputs) and b.expires_on is not None]
    return [*expiring, *([driver.sunset] if driver.sunset else [])]


def basis_on(record: Record, driver: Driver, day: date) -> Basis | NoValue:
    """What the driver's amount rests on, on one day."""
    inputs = input_names(record.model, driver)
    defaults = record.defaults()
    holdings: dict[str, Holding | None] = {
        slug: holding(record.entries.get(slug, ()), defaults.get(slug), day) for slug in inputs
    }
    methods = {baseline.slug: baseline.method for baseline in record.model.baselines if baseline.slug in inputs}
    driver_holding = holding(record.entries.get(driver_slug(driver.slug), ()), None, day)
    lapsed = any(day >= lapse for lapse in _lapses(record, driver, inputs))
    return build_basis(driver, holdings, methods, driver_holding, lapsed=lapsed, cap=record.model.cap_of(driver))


def _accrue_stretch(
    record: Record,
    driver: Driver,
    formula: Formula,
    meters: Sequence[Meter],
    rows: Sequence[_Row],
) -> list[Accrual]:
    """Accruals of days that share one basis."""
    basis = basis_on(record, driver, rows[0][1])
    if isinstance(basis, NoValue):
        return [Accrual(driver.slug, provider, day, None, None, None, None, basis.text) for provider, day, _ in rows]
    if len(rows) < FEWEST_IN_BULK:
        evaluate = formula.within({given.slug: given.value for given in basis.inputs})
        return [
            _single(driver.slug, provider, day, basis, evaluate(_values(meters, metered)))
            for provider, day, metered in rows
        ]
    columns = [column for meter in meters for column in _metered_columns(meter, rows)]
    inputs = {
        name: pl.lit(value, pl.Decimal(27, 9))
        for given in basis.inputs
        for name, value in _columns_of(given.slug, given.value)
    }
    frame = pl.DataFrame(columns).with_columns(**inputs)
    result = formula.evaluate_range_frame(frame, [given.slug for given in basis.inputs])
    return [
        _accrual(driver.slug, provider, day, basis, amounts)
        for (provider, day, _), amounts in zip(rows, result.iter_rows(named=True), strict=True)
    ]


def _metered_columns(meter: Meter, rows: Sequence[_Row]) -> list[pl.Series]:
    """A meter's values by row; those of an average as sums, with a column of the counts to divide them by."""
    found = [metered.get(meter.slug) for _, _, metered in rows]
    absent = Decimal(0) if meter.aggregation in ZERO_WHEN_ABSENT else None
    values = pl.Series(meter.slug, [day.value if day else absent for day in found], pl.Decimal(38, 9))
    if meter.aggregation is not Aggregation.AVG:
        return [values]
    return [values, pl.Series(f"{meter.slug}{OVER}", [day.over if day else 1 for day in found], pl.Int64)]


def _values(meters: Sequence[Meter], metered: Mapping[str, MeterDay]) -> Values:
    """The meters of one day, averages as fractions."""
    values: dict[str, Decimal | Fraction | int | None] = {}
    for meter in meters:
        day = metered.get(meter.slug)
        if day is None:
            values[meter.slug] = 0 if meter.aggregation in ZERO_WHEN_ABSENT else None
        else:
            values[meter.slug] = day.value if day.over == 1 else Fraction(day.value) / day.over
    return values


def _single(driver: str, provider: str, day: date, basis: Basis, found: RangedValue) -> Accrual:
    match found:
        case RangedValue(low=Decimal() as low, expected=Decimal() as expected, high=Decimal() as high):
            return Accrual(driver, provider, day, basis, low, expected, high, None)
        case RangedValue(expected=NoValue() as lacking) | RangedValue(low=NoValue() as lacking):
            return Accrual(driver, provider, day, basis, None, None, None, lacking.text)
    raise TypeError(f"{found} is neither an amount nor the lack of one")


def _columns_of(slug: str, value: Range) -> list[tuple[str, Decimal]]:
    """The columns that the bulk evaluation reads a ranged input from."""
    return [(slug, value.expected), (f"{slug}.low", value.low), (f"{slug}.high", value.high)]


def _accrual(driver: str, provider: str, day: date, basis: Basis, amounts: Mapping[str, Any]) -> Accrual:
    """An amount whose bounds have no value is not shown either: a range is part of every amount."""
    reason = amounts["reason"] or amounts["range_reason"]
    if reason is not None:
        return Accrual(driver, provider, day, basis, None, None, None, reason)
    return Accrual(driver, provider, day, basis, amounts["low"], amounts["expected"], amounts["high"], None)


def capped(accruals: Iterable[Accrual]) -> Iterator[Accrual]:
    """The same accruals, those of capped pools as far as the months' caps go. No cap, no amount."""
    pools: defaultdict[tuple[str, str, date], list[Accrual]] = defaultdict(list)
    for accrual in accruals:
        if accrual.basis is None or accrual.basis.cap is None or accrual.expected is None:
            yield accrual
        elif isinstance(cap := cap_of(accrual.basis), NoValue):
            yield replace(accrual, low=None, expected=None, high=None, reason=cap.text)
        else:
            pools[accrual.basis.pool or "", accrual.basis.unit, month_of(accrual.day).start].append(accrual)
    for drawn in pools.values():
        yield from _share_pool(sorted(drawn, key=lambda a: (a.day, a.driver, a.provider)))


def _share_pool(drawn: Sequence[Accrual]) -> Iterator[Accrual]:
    """One pool in one month; `drawn` in order of day, driver and provider."""
    days = [list(each) for _, each in groupby(drawn, key=lambda a: a.day)]
    counted = within_cap([PoolDay(_day_cap(each[0]), [_draw(one) for one in each]) for each in days])
    for accrual, own in zip(drawn, chain.from_iterable(counted), strict=True):
        if own == _draw(accrual):
            yield accrual
            continue
        low, expected, high = (scaled_decimal(units, AMOUNT_PLACES) for units in own)
        uncapped = None if expected == accrual.expected else accrual.expected
        yield replace(accrual, low=low, expected=expected, high=high, uncapped=uncapped)


def _day_cap(accrual: Accrual) -> int:
    """The cap is the same for all that draw on a pool on a day, since they read the same record."""
    cap = cap_of(accrual.basis) if accrual.basis else None
    return max(amount_units(cap), 0) if isinstance(cap, Decimal) else 0


def _draw(accrual: Accrual) -> Draw:
    low, expected, high = (
        amount_units(amount or Decimal(0)) for amount in (accrual.low, accrual.expected, accrual.high)
    )
    return Draw(low, expected, high)
