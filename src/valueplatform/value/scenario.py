"""What if: the account's own usage carried on, changed as somebody asks, and valued by the very formulas.

Usage is carried on by weekday, as the mean of the last eight weeks; how far it swings is read from the account itself
(`usage`). Every amount is computed at the low, the usual and the high of that, each with the ranges of its
assumptions; the bounds shown span all of them, so they lean to the wide side. What a scenario adds is the difference
between two worlds that share everything but the change: the same usage, the same swing, the same assumptions.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from functools import reduce
from typing import Final, NamedTuple

from valueplatform.core.errors import UnprocessableError
from valueplatform.core.numbers import AMOUNT_PLACES, scaled_decimal
from valueplatform.core.periods import Period, month_of, next_month
from valueplatform.value.accruals import Record
from valueplatform.value.adopted import Adopted, Comparable, Prospect, comparable_use, fed_meters
from valueplatform.value.levers import Change, SwitchOn
from valueplatform.value.meter_days import MeterDay
from valueplatform.value.pools import Draw
from valueplatform.value.scenario_check import MOST_MONTHS, check
from valueplatform.value.scenario_worlds import NOTHING, Sums, Worlds, plus
from valueplatform.value.usage import WEEK
from valueplatform.value.values import is_money

LEVEL: Final = timedelta(weeks=8)
"""Whose mean is carried on."""
LOOK_BACK: Final = timedelta(weeks=26)
"""Whose swings are looked at."""
_ZERO: Final = Decimal("0.0000")


class Bounds(NamedTuple):
    low: Decimal
    expected: Decimal
    high: Decimal


@dataclass(frozen=True, slots=True)
class Month:
    """Value of one month in the account's currency: carried on, with the changes, and what they add."""

    month: date
    carried_on: Bounds
    changed: Bounds
    added: Bounds


@dataclass(frozen=True, slots=True)
class DriverEffect:
    """One driver over the whole time, in its unit; `months` are the changed amounts, month by month, and what of them
    is added."""

    driver: str
    unit: str
    benefit_class: str
    carried_on: Bounds
    changed: Bounds
    added: Bounds
    months: Sequence[tuple[date, Bounds, Bounds]]


@dataclass(frozen=True, slots=True)
class Outlook:
    """`months`, `running` (up to the end of each month) and `total` sum monetized value in `currency`; `drivers` have
    all. `alone` is what each change would add by itself, in order; `together` is what the total of all is beyond the
    sum of those. `comparable`: what features that are switched on are taken to be used, and by whom."""

    currency: str
    period: Period
    months: Sequence[Month]
    running: Sequence[Month]
    total: Month
    drivers: Sequence[DriverEffect]
    alone: Sequence[Decimal]
    together: Decimal
    based_on: Period
    comparable: Sequence[Comparable] = ()


@dataclass(frozen=True, slots=True)
class Ground:
    """What a scenario starts from: the record, the usage of the `LOOK_BACK` before `today`, and how much comparable
    accounts use features; `prospect` is what the account is compared by."""

    record: Record
    days: Sequence[MeterDay]
    today: date
    currency: str
    adopted: Sequence[Adopted] = ()
    prospect: Prospect | None = None

    @property
    def based_on(self) -> Period:
        """The last whole weeks, eight at most, that have any usage."""
        first = min((day.day for day in self.days), default=self.today)
        weeks = min((self.today - first).days, LEVEL.days) // WEEK
        return Period(self.today - timedelta(days=weeks * WEEK), self.today)

    @property
    def used(self) -> frozenset[str]:
        """The meters that read anything in those weeks."""
        stretch = self.based_on
        return frozenset(day.meter for day in self.days if day.day in stretch)


def look(ground: Ground, changes: Sequence[Change], start: date, months: int) -> Outlook:
    """The value of `months` months from the month of `start` on, carried on and changed.

    Raises UnprocessableError where there is too little usage to carry on, where a change names what the model does not
    have or cannot move, and where the period is too long.
    """
    period = _period(start, months)
    based_on = ground.based_on
    check(ground.record.model, based_on, changes, period)
    comparable = _switched_on(ground, changes)
    firsts = list(_firsts(period))
    worlds = Worlds(ground.record, ground.days, based_on, [month_of(first) for first in firsts], comparable)
    carried, changed = worlds.swung(()), worlds.swung(tuple(changes))
    by_month, running = _course(
        [[_money(sums, ground.currency) for sums in world] for world in (carried, changed)], firsts
    )
    total = replace(running[-1], month=firsts[0])
    alone = [
        _expected(worlds.sums((one,)), ground.currency) - total.carried_on.expected if changes[1:] else _added(total)
        for one in changes
    ]
    return Outlook(
        currency=ground.currency,
        period=period,
        months=by_month,
        running=running,
        total=total,
        drivers=_by_driver(carried, changed, firsts),
        alone=alone,
        together=_added(total) - sum(alone, _ZERO),
        based_on=based_on,
        comparable=comparable,
    )


def _course(
    both: Sequence[Sequence[Mapping[date, Draw]]], firsts: Sequence[date]
) -> tuple[Sequence[Month], Sequence[Month]]:
    """Months alone, and up to the end of each; `both` are the worlds carried on and changed."""
    months, running = [], []
    upto = [[NOTHING for _ in world] for world in both]
    for first in firsts:
        own = [[by_month.get(first, NOTHING) for by_month in world] for world in both]
        upto = [[plus(*each) for each in zip(*pair, strict=True)] for pair in zip(upto, own, strict=True)]
        months.append(_month(first, *own))
        running.append(_month(first, *upto))
    return months, running


def _expected(sums: Sums, currency: str) -> Decimal:
    return scaled_decimal(_total(_money(sums, currency).values()).expected, AMOUNT_PLACES)


def _added(month: Month) -> Decimal:
    return month.added.expected


def _period(start: date, months: int) -> Period:
    if not 1 <= months <= MOST_MONTHS:
        raise UnprocessableError(f"A scenario looks 1 to {MOST_MONTHS} months ahead, not {months}.")
    first = month_of(start).start
    end = first
    for _ in range(months):
        end = next_month(end)
    return Period(first, end)


def _switched_on(ground: Ground, changes: Sequence[Change]) -> list[Comparable]:
    """What features that are switched on are taken to be used. Raises UnprocessableError for one that is used already,
    or of which it cannot be told."""
    model = ground.record.model
    found: dict[str, list[Comparable]] = {}
    for change in changes:
        lever = change.lever
        if not isinstance(lever, SwitchOn):
            continue
        feature = model.feature(lever.feature)
        if feature is None or ground.prospect is None:
            raise UnprocessableError(f"Feature {lever.feature!r} cannot be switched on here.")
        if lever.feature in found:
            raise UnprocessableError(f"Feature {lever.feature!r} is switched on twice; do it once.")
        if ground.used & {meter.slug for meter in fed_meters(model, lever.feature)}:
            raise UnprocessableError(
                f"Feature {lever.feature!r} is in use already; say how much more or less of it there is (`times`)."
            )
        found[lever.feature] = comparable_use(ground.adopted, model, feature, ground.prospect)
    return [one for own in found.values() for one in own]


def _firsts(period: Period) -> Iterator[date]:
    first = period.start
    while first < period.end:
        yield first
        first = next_month(first)


def _money(sums: Sums, currency: str) -> Mapping[date, Draw]:
    """What may be summed, by month."""
    found: dict[date, Draw] = {}
    for (first, _, unit, benefit_class), amount in sums.items():
        if unit == currency and is_money(unit, benefit_class):
            found[first] = plus(found.get(first, NOTHING), amount)
    return found


def _total(amounts: Iterable[Draw]) -> Draw:
    return reduce(plus, amounts, NOTHING)


def _spanned(worlds: Sequence[Draw]) -> Bounds:
    """Bounds over the low, the usual and the high usage; the usual is what is expected."""
    spanned = min(min(each) for each in worlds), worlds[1].expected, max(max(each) for each in worlds)
    return Bounds(*(scaled_decimal(units, AMOUNT_PLACES) for units in spanned))


def _difference(changed: Sequence[Draw], carried: Sequence[Draw]) -> Bounds:
    """What is added: the two worlds share usage and assumptions, so each bound is held against its like."""
    return _spanned(
        [Draw(*(a - b for a, b in zip(one, other, strict=True))) for one, other in zip(changed, carried, strict=True)]
    )


def _month(first: date, carried: Sequence[Draw], changed: Sequence[Draw]) -> Month:
    return Month(first, _spanned(carried), _spanned(changed), _difference(changed, carried))


def _by_driver(carried: Sequence[Sums], changed: Sequence[Sums], firsts: Sequence[date]) -> list[DriverEffect]:
    effects = []
    for key in sorted({key[1:] for sums in (*carried, *changed) for key in sums}):

        def amounts(worlds: Sequence[Sums], first: date, key: tuple[str, str, str] = key) -> list[Draw]:
            return [sums.get((first, *key), NOTHING) for sums in worlds]

        own, new = (
            [_total(each) for each in zip(*(amounts(worlds, first) for first in firsts), strict=True)]
            for worlds in (carried, changed)
        )
        months = [
            (first, _spanned(amounts(changed, first)), _difference(amounts(changed, first), amounts(carried, first)))
            for first in firsts
        ]
        effects.append(DriverEffect(*key, _spanned(own), _spanned(new), _difference(new, own), months))
    return effects
