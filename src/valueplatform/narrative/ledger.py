"""Sums of daily value over any stretch of days, exact: each is two lookups in running totals, however long the
stretch is."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from itertools import accumulate, pairwise
from typing import Final

import polars as pl

from valueplatform.value.derivation import Bound
from valueplatform.value.states import State, weakest_state

SCALE: Final = 10_000
"""Amounts carry four decimal places."""

_BOUNDS: Final = tuple(Bound)


@dataclass(frozen=True, slots=True)
class Line:
    """Running totals of one driver, provider and state, in units of 1/10,000; `running[b][i]` sums days before i."""

    provider: str
    counted: bool
    state: State
    days: tuple[date, ...]
    running: dict[Bound, tuple[int, ...]]

    def sum(self, start: date, end: date, bound: Bound) -> int:
        first, last = bisect_left(self.days, start), bisect_left(self.days, end)
        return self.running[bound][last] - self.running[bound][first]

    def touches(self, start: date, end: date) -> bool:
        return bisect_left(self.days, start) < bisect_left(self.days, end)


class Ledger:
    """`daily` has the columns of `facts.DAILY_SCHEMA`, one or more rows per driver, provider, state and day."""

    def __init__(self, daily: pl.DataFrame) -> None:
        keys = ["driver", "unit", "provider", "counted", "state"]
        sums = [pl.col(bound.value).sum().to_physical() for bound in _BOUNDS]
        frame = daily.group_by([*keys, "day"]).agg(sums).sort([*keys, "day"])
        self._by_day: dict[tuple[str, tuple[str, ...], bool], dict[date, int]] = {}
        self._lines: defaultdict[tuple[str, str], list[Line]] = defaultdict(list)
        for key, part in frame.partition_by(keys, as_dict=True, include_key=False).items():
            driver, unit, provider, counted, state = key
            running = {b: tuple(accumulate(part[b.value].to_list(), initial=0)) for b in _BOUNDS}
            line = Line(str(provider), bool(counted), State(str(state)), tuple(part["day"].to_list()), running)
            self._lines[str(driver), str(unit)].append(line)

    def total(
        self,
        start: date,
        end: date,
        *,
        unit: str,
        drivers: Iterable[str],
        providers: tuple[str, ...] = (),
        counted: bool = True,
        bound: Bound = Bound.EXPECTED,
    ) -> Fraction:
        """Realized value shown in [start, end)."""
        lines = self._chosen(unit, drivers, providers, counted=counted)
        return Fraction(sum(line.sum(start, end, bound) for line in lines), SCALE)

    def has_rows(self, start: date, end: date, *, unit: str, drivers: Iterable[str], counted: bool = True) -> bool:
        return any(line.touches(start, end) for line in self._chosen(unit, drivers, (), counted=counted))

    def uncounted_rows(self, start: date, end: date, *, unit: str, drivers: Iterable[str]) -> bool:
        """Whether any row of the period does not count."""
        lines = self._chosen(unit, drivers, (), counted=False)
        return any(not line.counted and line.touches(start, end) for line in lines)

    def weakest(self, start: date, end: date, *, unit: str, drivers: Iterable[str], counted: bool) -> State:
        """The weakest state of the rows in the period."""
        lines = self._chosen(unit, drivers, (), counted=counted)
        return weakest_state(line.state for line in lines if line.touches(start, end))

    def providers(self, driver: str, unit: str) -> tuple[str, ...]:
        return tuple(sorted({line.provider for line in self._lines.get((driver, unit), ())}))

    def by_day(self, unit: str, drivers: Iterable[str], *, counted: bool) -> dict[date, int]:
        """Daily value in units of 1/10,000, oldest first; days without rows are absent. Callers leave it as it is."""
        key = unit, tuple(drivers), counted
        if key not in self._by_day:
            days: defaultdict[date, int] = defaultdict(int)
            for line in self._chosen(unit, key[1], (), counted=counted):
                for day, (before, after) in zip(line.days, pairwise(line.running[Bound.EXPECTED]), strict=True):
                    days[day] += after - before
            self._by_day[key] = dict(sorted(days.items()))
        return self._by_day[key]

    def first_day(self, unit: str, drivers: Iterable[str]) -> date | None:
        return min((line.days[0] for line in self._chosen(unit, drivers, (), counted=False)), default=None)

    def _chosen(
        self, unit: str, drivers: Iterable[str], providers: tuple[str, ...], *, counted: bool
    ) -> Iterator[Line]:
        for driver in drivers:
            for line in self._lines.get((driver, unit), ()):
                if (line.counted or not counted) and (not providers or line.provider in providers):
                    yield line
