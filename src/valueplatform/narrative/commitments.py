"""Commitments summed over any stretch of days, exact: whole months by two lookups in running totals, however long the
plan is, and the months that an edge cuts by their days."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import accumulate
from typing import Final, Protocol

from valueplatform.core.numbers import AMOUNT_PLACES, round_half_even
from valueplatform.core.periods import Period, month_of
from valueplatform.value.derivation import Bound

SCALE: Final = 10**AMOUNT_PLACES


class Target(Protocol):
    """Committed value of a driver and month (`facts.Target`)."""

    @property
    def driver(self) -> str: ...
    @property
    def month(self) -> date: ...
    @property
    def low(self) -> Decimal: ...
    @property
    def expected(self) -> Decimal: ...
    @property
    def high(self) -> Decimal: ...


class _Plan:
    """The targets of one driver by month; several of one month stand side by side."""

    def __init__(self, targets: Iterable[Target]) -> None:
        held = sorted(targets, key=lambda target: target.month)
        self.spans = [month_of(target.month) for target in held]
        self.starts = [span.start for span in self.spans]
        self.ends = [span.end for span in self.spans]
        self.amounts = {bound: [_amount(target, bound) for target in held] for bound in Bound}
        self.running = {
            bound: list(accumulate((_units(amount) for amount in amounts), initial=0))
            for bound, amounts in self.amounts.items()
        }

    def units(self, period: Period, bound: Bound) -> int:
        first, last = bisect_left(self.starts, period.start), bisect_right(self.ends, period.end)
        whole = self.running[bound][last] - self.running[bound][first] if first < last else 0
        return whole + sum(
            part_of(self.amounts[bound][place], self.spans[place], period) for place in self._cut(first, last, period)
        )

    def _cut(self, first: int, last: int, period: Period) -> Iterator[int]:
        """The months that share days with the period and do not lie within it."""
        begin, end = bisect_right(self.ends, period.start), bisect_left(self.starts, period.end)
        yield from range(begin, min(first, end))
        yield from range(max(last, first, begin), end)


class Commitments:
    """Those of an account, by driver."""

    def __init__(self, targets: Iterable[Target]) -> None:
        by_driver: defaultdict[str, list[Target]] = defaultdict(list)
        for target in targets:
            by_driver[target.driver].append(target)
        self._plans: Mapping[str, _Plan] = {driver: _Plan(held) for driver, held in by_driver.items()}

    def total(self, period: Period, drivers: Iterable[str], bound: Bound) -> Fraction:
        """What these drivers, each named once, are committed to in the period."""
        plans = (self._plans[driver] for driver in drivers if driver in self._plans)
        return Fraction(sum(plan.units(period, bound) for plan in plans), SCALE)


def part_of(amount: Fraction, span: Period, period: Period) -> int:
    """What of an amount that spreads evenly over the days of `span` falls in `period`, in units of the last place: the
    difference of two running totals, each rounded once, so that parts always add up to the whole."""
    days = span.days

    def until(day: date) -> int:
        elapsed = min(max((day - span.start).days, 0), days)
        return int(round_half_even(amount.numerator * SCALE * elapsed, amount.denominator * days, 0))

    return until(period.end) - until(period.start)


def _units(amount: Fraction) -> int:
    scaled = amount * SCALE
    return int(round_half_even(scaled.numerator, scaled.denominator, 0))


def _amount(target: Target, bound: Bound) -> Fraction:
    return Fraction({Bound.LOW: target.low, Bound.EXPECTED: target.expected, Bound.HIGH: target.high}[bound])
