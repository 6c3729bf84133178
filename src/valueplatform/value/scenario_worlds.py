"""The worlds that a scenario holds beside each other: usage carried on and moved, and what each month of it comes to.

What a driver comes to follows from its own meters and inputs alone, so a week of it is computed once for all months and
worlds in which those stand alike. Amounts are integers, in units of the last place, until they are told.
"""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from fractions import Fraction
from itertools import groupby
from typing import Final, NamedTuple

from valueplatform.core.numbers import amount_units
from valueplatform.core.periods import Period
from valueplatform.value.accruals import Accrual, Record, change_days, input_names, uncapped
from valueplatform.value.adopted import Comparable
from valueplatform.value.assumed import with_inputs
from valueplatform.value.basis import cap_of
from valueplatform.value.formula import Formula
from valueplatform.value.levers import GROWS, Change, Input, Lever, SwitchOn, moved_meters
from valueplatform.value.meter_days import ALL_PROVIDERS, MeterDay
from valueplatform.value.model import BY_EVENT, SUPPLIER
from valueplatform.value.pools import Draw, PoolDay, all_fit, within_cap
from valueplatform.value.ranges import NoValue
from valueplatform.value.usage import WEEK, carried_on, metered_decimal, multiplied, swing

NOTHING: Final = Draw(0, 0, 0)
Sums = Mapping[tuple[date, str, str, str], Draw]
"""By month, driver, unit and benefit class."""
_Days = Mapping[int | date, Sequence[Draw]]
"""What is drawn, provider by provider in order: on each weekday (0 = Monday) of a month, or on its days."""
_Usual = Mapping[int, Sequence[MeterDay]]
"""By weekday."""
_Times = Mapping[str, Fraction]
"""By meter."""


def plus(one: Draw, other: Draw) -> Draw:
    return Draw(one.low + other.low, one.expected + other.expected, one.high + other.high)


class _Worth(NamedTuple):
    """What amounts are summed by, and the cap of the pool that they draw on; None = nothing caps them."""

    driver: str
    unit: str
    benefit_class: str
    pool: str
    cap: int | None


class _Course(NamedTuple):
    """What a driver comes to on days that rest on alike bases."""

    worth: _Worth
    days: _Days


class _Turns(NamedTuple):
    """A driver under other inputs: the changes of those that it reads, and the days on which its amounts may turn."""

    inputs: Sequence[Change]
    days: Sequence[date]


class Worlds:
    """Amounts of `months` under any changes. `days` are metered, up to the end of `stretch`, whose usage is carried on;
    `comparable` says how much features that are switched on are used."""

    def __init__(
        self,
        record: Record,
        days: Sequence[MeterDay],
        stretch: Period,
        months: Sequence[Period],
        comparable: Sequence[Comparable],
    ) -> None:
        self._record, self._comparable = record, comparable
        self._months = [(month, _often(month)) for month in months]
        meters = {meter.slug: meter for meter in record.model.meters}
        self._usual = _by_meter(carried_on([day for day in days if day.day in stretch], stretch, meters))
        growing = [slug for slug, meter in meters.items() if meter.aggregation in GROWS]
        self._swings = _swings(days, growing, stretch.end)
        self._drivers = [
            (driver, sorted(Formula.parse(driver.formula).names & meters.keys()))
            for driver in record.model.driver_versions
        ]
        self._assumed: dict[Sequence[Change], tuple[Record, Sequence[_Turns]]] = {}
        self._reached: dict[Lever, frozenset[str]] = {}
        self._moved: dict[tuple[str, bool, Fraction], _Usual] = {}
        self._courses: dict[object, Sequence[_Course]] = {}

    def swung(self, changes: Sequence[Change]) -> Sequence[Sums]:
        """The sums at low, usual and high usage."""
        return [self.sums(changes, sign) for sign in (-1, 0, 1)]

    def sums(self, changes: Sequence[Change], sign: int = 0) -> Sums:
        record, turns = self._assuming(tuple(change for change in changes if isinstance(change.lever, Input)))
        found: dict[tuple[date, str, str, str], Draw] = {}
        for month, often in self._months:
            moves = self._times(changes, month.start, sign), self._begun(changes, month, sign)
            courses = [
                course
                for number, turn in enumerate(turns)
                for course in self._courses_of(number, record, turn, month, moves)
            ]
            for worth, amount in _counted(courses, often):
                key = month.start, worth.driver, worth.unit, worth.benefit_class
                found[key] = plus(found.get(key, NOTHING), amount)
        return found

    def _assuming(self, inputs: Sequence[Change]) -> tuple[Record, Sequence[_Turns]]:
        """The record under the inputs, and when each driver's amounts turn."""
        if inputs not in self._assumed:
            record = with_inputs(self._record, inputs)
            turns = []
            for driver, _ in self._drivers:
                names = input_names(record.model, driver)
                own = tuple(one for one in inputs if isinstance(one.lever, Input) and one.lever.slug in names)
                turns.append(_Turns(own, change_days(record, driver)))
            self._assumed[inputs] = record, turns
        return self._assumed[inputs]

    def _times(self, changes: Sequence[Change], first: date, sign: int) -> _Times:
        """What each meter's usage is multiplied by in a month; meters that stay as they are do not stand here."""
        times: dict[str, Fraction] = {}
        if sign:
            times = {slug: max(1 + sign * share, Fraction(0)) for slug, share in self._swings.items() if share}
        for change in changes:
            if isinstance(change.lever, Input | SwitchOn) or first < change.since:
                continue
            factor = 1 + (Fraction(change.lever.times) - 1) * _done(change, first)
            for slug in self._reach(change.lever):
                times[slug] = times[slug] * factor if slug in times else factor
        return times

    def _reach(self, lever: Lever) -> frozenset[str]:
        if lever not in self._reached:
            self._reached[lever] = moved_meters(self._record.model, lever)
        return self._reached[lever]

    def _begun(self, changes: Sequence[Change], month: Period, sign: int) -> _Times:
        """What each meter of features that are switched on reads a day of the month."""
        begun: dict[str, Fraction] = {}
        for change in changes:
            lever = change.lever
            if isinstance(lever, SwitchOn) and month.start >= change.since:
                share = Fraction(lever.times) * _done(change, month.start) / month.days
                for one in self._comparable:
                    if one.feature == lever.feature:
                        begun[one.meter] = max(begun.get(one.meter, Fraction(0)), one.a_month(sign) * share)
        return begun

    def _courses_of(
        self, number: int, record: Record, turns: _Turns, month: Period, moves: tuple[_Times, _Times]
    ) -> Sequence[_Course]:
        """What a driver comes to in the month: on its weekdays, or on each day where its amounts turn within."""
        driver, meters = self._drivers[number]
        times, begun = ({slug: moved[slug] for slug in meters if slug in moved} for moved in moves)
        turning = any(month.start < day < month.end for day in turns.days)
        since = month.start if turning else bisect_right(turns.days, month.start)
        key = (
            number,
            turns.inputs,
            since,
            *(tuple((slug, *each.as_integer_ratio()) for slug, each in moved.items()) for moved in (times, begun)),
        )
        if key not in self._courses:
            days = month if turning else Period(month.start, month.start + timedelta(days=WEEK))
            by_event = driver.provider == BY_EVENT
            usual = [self._used(slug, times.get(slug), by_event=by_event) for slug in meters]
            used = [*_begun_days(days, times, begun, SUPPLIER if by_event else ALL_PROVIDERS), *_on(days, usual)]
            self._courses[key] = _courses(uncapped(record, used, days, [driver]), by_weekday=not turning)
        return self._courses[key]

    def _used(self, slug: str, times: Fraction | None, *, by_event: bool) -> _Usual:
        """A meter's usual days, multiplied: those of each provider, or of all together. None where it is switched
        off."""
        usual = self._usual.get((slug, by_event), {})
        if times is None or not times:
            return usual if times is None else {}
        if (slug, by_event, times) not in self._moved:
            self._moved[slug, by_event, times] = {
                weekday: [
                    MeterDay(slug, one.provider, one.day, one.events, multiplied(one.value, times)) for one in own
                ]
                for weekday, own in usual.items()
            }
        return self._moved[slug, by_event, times]


def _by_meter(usual: _Usual) -> Mapping[tuple[str, bool], _Usual]:
    """By meter, and by whether it is of one provider."""
    found: defaultdict[tuple[str, bool], defaultdict[int, list[MeterDay]]] = defaultdict(lambda: defaultdict(list))
    for weekday, own in usual.items():
        for one in own:
            found[one.meter, one.provider != ALL_PROVIDERS][weekday].append(one)
    return found


def _begun_days(days: Period, times: _Times, begun: _Times, provider: str) -> Iterator[MeterDay]:
    for slug, begins in begun.items():
        read = metered_decimal(begins * times.get(slug, Fraction(1)))
        if read:
            yield from (MeterDay(slug, provider, day, 1, read) for day in days)


def _on(days: Period, usual: Sequence[_Usual]) -> Iterator[MeterDay]:
    for day in days:
        for own in usual:
            for one in own.get(day.weekday(), ()):
                yield MeterDay(one.meter, one.provider, day, one.events, one.value)


def _swings(days: Iterable[MeterDay], meters: Iterable[str], today: date) -> _Times:
    own: defaultdict[str, list[MeterDay]] = defaultdict(list)
    for day in days:
        if day.provider == ALL_PROVIDERS:
            own[day.meter].append(day)
    return {slug: swing(own[slug], slug, today) for slug in meters}


def _done(change: Change, first: date) -> Fraction:
    """How far a change has got in a month at or after its first."""
    months = (first.year - change.since.year) * 12 + first.month - change.since.month
    return Fraction(min(months + 1, change.over), change.over)


def _courses(accruals: Iterable[Accrual], *, by_weekday: bool) -> list[_Course]:
    """Those that have an amount, and may have it: not where the cap of their pool cannot be told."""
    found: defaultdict[_Worth, defaultdict[int | date, list[Draw]]] = defaultdict(lambda: defaultdict(list))
    ordered = sorted(accruals, key=lambda one: (one.day, one.provider))
    for basis, own in groupby(ordered, key=lambda one: one.basis):
        cap = cap_of(basis) if basis else None
        if basis is None or isinstance(cap, NoValue):
            continue
        limit = None if cap is None else max(amount_units(cap), 0)
        worth = _Worth(basis.driver, basis.unit, basis.benefit_class, basis.pool or "", limit)
        for one in own:
            if one.low is not None and one.expected is not None and one.high is not None:
                at = one.day.weekday() if by_weekday else one.day
                found[worth][at].append(Draw(*map(amount_units, (one.low, one.expected, one.high))))
    return [_Course(worth, days) for worth, days in found.items()]


def _often(month: Period) -> Mapping[int | date, int]:
    """How often each weekday, and each day, is in a month."""
    return {**Counter(day.weekday() for day in month), **dict.fromkeys(month, 1)}


def _counted(courses: Iterable[_Course], often: Mapping[int | date, int]) -> Iterator[tuple[_Worth, Draw]]:
    """What of the courses counts in a month, in parts: all of it, or as far as the cap of its pool goes."""
    pools: defaultdict[tuple[str, str], list[_Course]] = defaultdict(list)
    for course in courses:
        if course.worth.cap is None:
            yield course.worth, _whole(course, often)
        else:
            pools[course.worth.pool, course.worth.unit].append(course)
    for drawn in pools.values():
        draws = ((draw, often[at]) for course in drawn for at, own in course.days.items() for draw in own)
        if all_fit(draws, min(course.worth.cap or 0 for course in drawn)):
            yield from ((course.worth, _whole(course, often)) for course in drawn)
        else:
            yield from _within_cap(sorted(drawn, key=lambda course: course.worth.driver), often)


def _whole(course: _Course, often: Mapping[int | date, int]) -> Draw:
    low = expected = high = 0
    for at, draws in course.days.items():
        times = often[at]
        for draw in draws:
            low, expected, high = low + times * draw.low, expected + times * draw.expected, high + times * draw.high
    return Draw(low, expected, high)


def _within_cap(courses: Sequence[_Course], often: Mapping[int | date, int]) -> Iterator[tuple[_Worth, Draw]]:
    """Day by day, since what counts depends on what came before."""
    drawn = [
        [
            (course.worth, draw)
            for course in courses
            for draw in course.days.get(day.weekday()) or course.days.get(day, ())
        ]
        for day in often
        if isinstance(day, date)
    ]
    days = [own for own in drawn if own]
    counted = within_cap([PoolDay(own[0][0].cap or 0, [draw for _, draw in own]) for own in days])
    for own, amounts in zip(days, counted, strict=True):
        for (worth, _), amount in zip(own, amounts, strict=True):
            yield worth, amount
