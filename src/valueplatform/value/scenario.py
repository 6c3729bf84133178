"""What if: the account's own usage carried on, changed as somebody asks, and valued by the very formulas.

Usage is carried on by weekday, as the mean of the last eight weeks; how far it swings is read from the account itself
(`usage`). Every amount is computed at the low, the usual and the high of that, each with the ranges of its
assumptions; the bounds shown span all of them, so they lean to the wide side. What a scenario adds is the difference
between two worlds that share everything but the change: the same usage, the same swing, the same assumptions.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Final, NamedTuple

from valueplatform.core.errors import UnprocessableError
from valueplatform.core.periods import Period, month_of, next_month
from valueplatform.value.accruals import Accrual, Record, capped, change_days, uncapped
from valueplatform.value.adopted import Adopted, Comparable, Prospect, comparable_use, fed_meters
from valueplatform.value.assumed import with_inputs
from valueplatform.value.levers import GROWS, Change, Input, SwitchOn, moved_meters
from valueplatform.value.meter_days import ALL_PROVIDERS, MeterDay
from valueplatform.value.model import SUPPLIER
from valueplatform.value.scenario_check import MOST_MONTHS, check
from valueplatform.value.usage import WEEK, carried_on, metered_decimal, swing
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


_NOTHING: Final = Bounds(_ZERO, _ZERO, _ZERO)


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


def look(ground: Ground, changes: Sequence[Change], start: date, months: int) -> Outlook:
    """The value of `months` months from the month of `start` on, carried on and changed.

    Raises UnprocessableError where there is too little usage to carry on, where a change names what the model does not
    have or cannot move, and where the period is too long.
    """
    period = _period(start, months)
    check(ground.record.model, ground.based_on, changes, period)
    worlds = _Worlds(ground, period, _switched_on(ground, changes))
    carried, changed = worlds.swung(()), worlds.swung(tuple(changes))
    currency = ground.currency
    first, *_ = firsts = list(_firsts(period))
    total = _month(first, *([_money(sums, currency) for sums in world] for world in (carried, changed)))
    alone = [
        _money(worlds.sums((one,)), currency).expected - total.carried_on.expected if changes[1:] else _added(total)
        for one in changes
    ]
    return Outlook(
        currency=currency,
        period=period,
        months=[
            _month(each, *([_money(sums, currency, each, each) for sums in world] for world in (carried, changed)))
            for each in firsts
        ],
        running=[
            _month(each, *([_money(sums, currency, first, each) for sums in world] for world in (carried, changed)))
            for each in firsts
        ],
        total=total,
        drivers=_by_driver(carried, changed, firsts),
        alone=alone,
        together=_added(total) - sum(alone, _ZERO),
        based_on=ground.based_on,
        comparable=worlds.comparable,
    )


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
    stretch = ground.based_on
    used = {day.meter for day in ground.days if day.day in stretch}
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
        if used & {meter.slug for meter in fed_meters(model, lever.feature)}:
            raise UnprocessableError(
                f"Feature {lever.feature!r} is in use already; say how much more or less of it there is (`times`)."
            )
        found[lever.feature] = comparable_use(ground.adopted, model, feature, ground.prospect)
    return [one for own in found.values() for one in own]


_Sums = Mapping[tuple[date, str, str, str], Bounds]
"""By month, driver, unit and benefit class."""


class _Worlds:
    """Amounts of the period under any changes. What is the same in several months, or worlds, is computed once."""

    def __init__(self, ground: Ground, period: Period, comparable: Sequence[Comparable]) -> None:
        self.comparable = comparable
        self._record = ground.record
        self._months = [month_of(first) for first in _firsts(period)]
        meters = {meter.slug: meter for meter in ground.record.model.meters}
        stretch = ground.based_on
        self._levels = carried_on([day for day in ground.days if day.day in stretch], stretch, meters)
        growing = [slug for slug, meter in meters.items() if meter.aggregation in GROWS]
        self._swings = {slug: swing(ground.days, slug, ground.today) for slug in growing}
        self._weeks: dict[object, list[Accrual]] = {}

    def swung(self, changes: Sequence[Change]) -> Sequence[_Sums]:
        """The period's sums at low, usual and high usage."""
        return [self.sums(changes, sign) for sign in (-1, 0, 1)]

    def sums(self, changes: Sequence[Change], sign: int = 0) -> _Sums:
        inputs = tuple(change for change in changes if isinstance(change.lever, Input))
        record = with_inputs(self._record, inputs)
        turning = change_days(record)
        found: defaultdict[tuple[date, str, str, str], Bounds] = defaultdict(lambda: _NOTHING)
        for month in self._months:
            times = self._times(changes, month.start, sign)
            begun = self._begun(changes, month, sign)
            if any(month.start < day < month.end for day in turning):
                accruals = uncapped(record, self._days(month, times, begun), month)
                _add(found, month, accruals, dict.fromkeys(month, 1))
            else:
                key = (
                    inputs,
                    tuple(sorted(times.items())),
                    tuple(sorted(begun.items())),
                    sum(day <= month.start for day in turning),
                )
                if key not in self._weeks:
                    week = Period(month.start, month.start + timedelta(days=WEEK))
                    self._weeks[key] = uncapped(record, self._days(week, times, begun), week)
                _add(found, month, self._weeks[key], Counter(day.weekday() for day in month))
        return found

    def _times(self, changes: Sequence[Change], first: date, sign: int) -> dict[str, Fraction]:
        """What each meter's usage is multiplied by in a month; meters that stay as they are do not stand here."""
        times: dict[str, Fraction] = {}
        if sign:
            times = {slug: max(1 + sign * share, Fraction(0)) for slug, share in self._swings.items() if share}
        for change in changes:
            if isinstance(change.lever, Input | SwitchOn) or first < change.since:
                continue
            done = _done(change, first)
            for slug in moved_meters(self._record.model, change.lever):
                times[slug] = times.get(slug, Fraction(1)) * (1 + (Fraction(change.lever.times) - 1) * done)
        return times

    def _begun(self, changes: Sequence[Change], month: Period, sign: int) -> dict[str, Fraction]:
        """What each meter of features that are switched on reads a day of the month."""
        begun: dict[str, Fraction] = {}
        for change in changes:
            lever = change.lever
            if isinstance(lever, SwitchOn) and month.start >= change.since:
                share = Fraction(lever.times) * _done(change, month.start) / month.days
                for one in self.comparable:
                    if one.feature == lever.feature:
                        begun[one.meter] = max(begun.get(one.meter, Fraction(0)), one.a_month(sign) * share)
        return begun

    def _days(
        self, days: Iterable[date], times: Mapping[str, Fraction], begun: Mapping[str, Fraction]
    ) -> list[MeterDay]:
        found = []
        for day in days:
            for slug, begins in begun.items():
                read = metered_decimal(begins * times.get(slug, Fraction(1)))
                if read:
                    found += [MeterDay(slug, provider, day, 1, read) for provider in (ALL_PROVIDERS, SUPPLIER)]
            for level in self._levels.get(day.weekday(), ()):
                own = times.get(level.meter)
                value = level.value if own is None else metered_decimal(Fraction(level.value) * own)
                if own != 0:
                    found.append(MeterDay(level.meter, level.provider, day, level.events, value))
        return found


def _done(change: Change, first: date) -> Fraction:
    """How far a change has got in a month at or after its first."""
    return Fraction(min(_months_between(change.since, first) + 1, change.over), change.over)


def _add(
    found: "defaultdict[tuple[date, str, str, str], Bounds]",
    month: Period,
    accruals: Sequence[Accrual],
    times: Mapping[date | int, int],
) -> None:
    """Add a month of accruals. `times` says how often each day, or each weekday of a week, is in the month."""
    if any(one.basis is not None and one.basis.cap is not None for one in accruals):
        accruals, times = list(capped(_through(accruals, month))), dict.fromkeys(month, 1)
    for one in accruals:
        if one.basis is not None and one.expected is not None and one.low is not None and one.high is not None:
            often = times.get(one.day) or times.get(one.day.weekday(), 0)
            key = month.start, one.driver, one.basis.unit, one.basis.benefit_class
            low, expected, high = found[key]
            found[key] = Bounds(low + one.low * often, expected + one.expected * often, high + one.high * often)


def _through(accruals: Sequence[Accrual], month: Period) -> Iterator[Accrual]:
    """Accruals of a week on every day of a month; those of a whole month are there already."""
    if len({one.day for one in accruals}) > WEEK:
        yield from accruals
        return
    by_weekday: defaultdict[int, list[Accrual]] = defaultdict(list)
    for accrual in accruals:
        by_weekday[accrual.day.weekday()].append(accrual)
    for day in month:
        for accrual in by_weekday[day.weekday()]:
            yield replace(accrual, day=day)


def _firsts(period: Period) -> Iterator[date]:
    first = period.start
    while first < period.end:
        yield first
        first = next_month(first)


def _months_between(one: date, other: date) -> int:
    return (other.year - one.year) * 12 + other.month - one.month


def _money(sums: _Sums, currency: str, start: date = date.min, last: date = date.max) -> Bounds:
    """What may be summed, of the months from `start` to `last`."""
    own = (
        amounts
        for (first, _, unit, benefit_class), amounts in sums.items()
        if unit == currency and is_money(unit, benefit_class) and start <= first <= last
    )
    return _total(own)


def _total(amounts: Iterable[Bounds]) -> Bounds:
    low = expected = high = _ZERO
    for one in amounts:
        low, expected, high = low + one.low, expected + one.expected, high + one.high
    return Bounds(low, expected, high)


def _spanned(worlds: Sequence[Bounds]) -> Bounds:
    """Bounds over the low, the usual and the high usage; the usual is what is expected."""
    return Bounds(min(min(each) for each in worlds), worlds[1].expected, max(max(each) for each in worlds))


def _difference(changed: Sequence[Bounds], carried: Sequence[Bounds]) -> Bounds:
    """What is added: the two worlds share usage and assumptions, so each bound is held against its like."""
    return _spanned(
        [Bounds(*(a - b for a, b in zip(one, other, strict=True))) for one, other in zip(changed, carried, strict=True)]
    )


def _month(first: date, carried: Sequence[Bounds], changed: Sequence[Bounds]) -> Month:
    return Month(first, _spanned(carried), _spanned(changed), _difference(changed, carried))


def _by_driver(carried: Sequence[_Sums], changed: Sequence[_Sums], firsts: Sequence[date]) -> list[DriverEffect]:
    effects = []
    for key in sorted({key[1:] for sums in (*carried, *changed) for key in sums}):

        def amounts(worlds: Sequence[_Sums], first: date, key: tuple[str, str, str] = key) -> list[Bounds]:
            return [sums.get((first, *key), _NOTHING) for sums in worlds]

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
