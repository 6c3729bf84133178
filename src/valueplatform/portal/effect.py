"""What a proposed value would change, before anybody proposes it. Pure: the rules of accrual over stored meter values,
once as the record stands and once as it would stand if a validator accepted the value."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final

import msgspec

from valueplatform.core.authorization import Side
from valueplatform.core.periods import Period
from valueplatform.value.accruals import Accrual, Record, accrue, in_whole_months, input_names
from valueplatform.value.assumptions import Action, Entry, validation_takes_effect
from valueplatform.value.meter_days import MeterDay
from valueplatform.value.ranges import Range

LOOK_BACK: Final = timedelta(days=28)
"""Where a value holds from today on only, its effect is told on the last four weeks."""
_NEXT: Final = 1 << 62
"""An entry that is not in the record comes after all that are."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A value that somebody may propose: by which side, and from which day it is meant to hold."""

    slug: str
    value: Range
    unit: str
    side: Side
    effective_from: date


@dataclass(frozen=True, slots=True)
class Change:
    """Realized value of one driver over the period: every state, and what counts (value rule 10)."""

    driver: str
    unit: str
    before: Decimal
    after: Decimal
    counted_before: Decimal
    counted_after: Decimal


@dataclass(frozen=True, slots=True)
class Effect:
    """`from_day` is when the value would hold if it were validated on `today`; it changes no day before that.

    `period` is what `changes` speak of: the story's days, or the last four weeks as if the value had held in them.
    """

    from_day: date
    restates: bool
    period: Period
    changes: tuple[Change, ...]

    @property
    def moves(self) -> bool:
        return any(c.before != c.after or c.counted_before != c.counted_after for c in self.changes)


def affected_drivers(record: Record, slug: str) -> list[str]:
    """Drivers whose amounts rest on the input, and those that share a capped benefit with one that does."""
    model = record.model
    resting = [driver for driver in model.drivers if slug in input_names(model, driver)]
    pools = {driver.pool for driver in resting if model.cap_of(driver)}
    return [driver.slug for driver in model.drivers if driver in resting or (driver.pool and driver.pool in pools)]


def effect_of(record: Record, days: Sequence[MeterDay], period: Period, proposal: Proposal, now: datetime) -> Effect:
    """`period` ends with today; `days` are the meter values of it, and of the four weeks before its end."""
    today = period.end - timedelta(days=1)
    stated = _entry(proposal, Action.PROPOSE, proposal.effective_from, now)
    from_day = validation_takes_effect(stated, today)
    restates = from_day < today
    shown = period if restates else Period(period.end - LOOK_BACK, period.end)
    begins = from_day if restates else shown.start
    own = _only(record, affected_drivers(record, proposal.slug))
    validated = _entry(proposal, Action.VALIDATE, begins, now)
    entries = [*own.entries.get(proposal.slug, ()), stated, validated]
    changed = replace(own, entries={**own.entries, proposal.slug: entries})
    whole = in_whole_months(record.model, shown)
    before, after = (_sums(a for a in accrue(each, days, whole) if a.day in shown) for each in (own, changed))
    return Effect(from_day, restates, shown, tuple(_changes(before, after)))


def _entry(proposal: Proposal, action: Action, day: date, now: datetime) -> Entry:
    answers = _NEXT if action is Action.VALIDATE else None
    number = _NEXT + 1 if action is Action.VALIDATE else _NEXT
    return Entry(number, proposal.slug, action, answers, proposal.value, proposal.unit, day, "", proposal.side, "", now)


def _only(record: Record, drivers: Sequence[str]) -> Record:
    model = record.model
    kept, earlier = (
        tuple(driver for driver in versions if driver.slug in drivers) for versions in (model.drivers, model.superseded)
    )
    return replace(record, model=msgspec.structs.replace(model, drivers=kept, superseded=earlier))


_Sums = Mapping[tuple[str, str], tuple[Decimal, Decimal]]


def _sums(accruals: Iterable[Accrual]) -> _Sums:
    """By driver and unit: all of it, and what counts."""
    sums: defaultdict[tuple[str, str], tuple[Decimal, Decimal]] = defaultdict(lambda: (Decimal(0), Decimal(0)))
    for accrual in accruals:
        if accrual.expected is not None and accrual.basis is not None:
            key = accrual.driver, accrual.basis.unit
            everything, counted = sums[key]
            sums[key] = everything + accrual.expected, counted + (accrual.expected if accrual.basis.counted else 0)
    return sums


def _changes(before: _Sums, after: _Sums) -> list[Change]:
    nothing = Decimal(0), Decimal(0)
    return [
        Change(
            driver,
            unit,
            before.get((driver, unit), nothing)[0],
            after.get((driver, unit), nothing)[0],
            before.get((driver, unit), nothing)[1],
            after.get((driver, unit), nothing)[1],
        )
        for driver, unit in sorted({*before, *after})
    ]
