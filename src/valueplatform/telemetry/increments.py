"""What a set of events adds to the daily rollups, or takes away: summed exactly, column by column. Pure."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, localcontext
from itertools import compress, repeat
from typing import Any, Final
from uuid import UUID

import polars as pl

from valueplatform.telemetry.meter_book import Reading
from valueplatform.telemetry.meters import Data, MeteredValue, Unmetered
from valueplatform.telemetry.picks import Pick
from valueplatform.telemetry.rollup_frames import cells, merged

Metering = tuple[int, date, str, object, Sequence[Reading], datetime, UUID]
"""An event to meter: account id, local day, provider, data, the readings of its type, time, key."""
Dimensions = tuple[str | None, ...]
CellKey = tuple[int, str, date, str, Dimensions]
"""A row of `rollup`: account id, name of the meter's rollups in the account, local day, provider, dimension values."""

NO_EDITIONS: Final[Mapping[int, str]] = {}
_Place = tuple[int, date, str]
_SUM_DIGITS: Final = 60  # 27 digits an event leave room for more events than there will ever be
_NO_DATA: Final[Data] = {}


class PickCell:
    """Events of one rollup row of a MIN, MAX or LATEST: how many come or go, the pick of those that come, the keys of
    those that go."""

    __slots__ = ("events", "gone", "pick", "unmetered")

    def __init__(self) -> None:
        self.events = 0
        self.unmetered = 0
        self.pick: Pick | None = None
        self.gone: list[UUID] = []


class Increments:
    """`rollups`: events, total and unmetered events by row; `sums`: more of them, as `rollup_frames`. `members`: what
    UNIQUE_COUNT has seen, or may have lost. `editions` by account, where that is not the first (`homes`)."""

    def __init__(self, editions: Mapping[int, str] = NO_EDITIONS) -> None:
        self.editions = editions
        self.rollups: dict[CellKey, list[Any]] = {}
        self.sums: list[pl.DataFrame] = []
        self.picks: dict[CellKey, PickCell] = {}
        self.members: dict[CellKey, set[str]] = {}
        self.unmetered: dict[tuple[int, str, date, str, str], int] = {}

    @property
    def days(self) -> set[tuple[int, date]]:
        """Every (account id, day) that something is added to."""
        found = {(key[0], key[2]) for keys in (self.rollups, self.picks) for key in keys}
        for frame in self.sums:
            found.update(frame.select("account_id", "day").unique().iter_rows())
        return found

    def gather(self) -> None:
        """Take `sums` into `rollups`."""
        with localcontext(prec=_SUM_DIGITS):
            for frame in merged(self.sums):
                for key, added in cells(frame):
                    held = self.rollups.setdefault(key, [0, 0, 0])
                    held[:] = [one + other for one, other in zip(held, added, strict=True)]
        self.sums = []

    def name_of(self, account_id: int, rollup_name: str) -> str:
        """What the rollups of a meter are called in an account."""
        return rollup_name + self.editions.get(account_id, "")

    def join(self, other: "Increments") -> None:
        """Take in what is of other rows altogether."""
        self.rollups |= other.rollups
        self.sums += other.sums
        self.picks |= other.picks
        self.members |= other.members
        self.unmetered |= other.unmetered

    def add_all(self, events: Iterable[Metering], sign: int = 1) -> None:
        by_readings: dict[int, list[Metering]] = {}
        for event in events:
            by_readings.setdefault(id(event[4]), []).append(event)
        with localcontext(prec=_SUM_DIGITS):
            for alike in by_readings.values():
                columns = _columns(alike)
                for reading in alike[0][4]:
                    self._read(reading, columns if reading.admits is None else columns.admitted(reading.admits), sign)

    def _read(self, reading: Reading, columns: "_Columns", sign: int) -> None:
        cells, cell_of = columns.cells(reading.dimensions)
        name = reading.rollup_name
        if self.editions:
            keys = [(place[0], self.name_of(place[0], name), *place[1:], dims) for place, dims in cells]
        else:
            keys = [(account_id, name, day, provider, dims) for (account_id, day, provider), dims in cells]
        if reading.value is None:
            self._count(keys, cell_of, sign)
        elif reading.rank is None:
            self._sum(keys, cell_of, list(map(reading.value, columns.data)), sign)
        else:
            self._pick(reading, keys, cell_of, columns, sign)

    def _count(self, keys: Sequence[CellKey], cell_of: Sequence[int], sign: int) -> None:
        for cell, events in Counter(cell_of).items():
            held = self.rollups.setdefault(keys[cell], [0, 0, 0])
            held[0] += sign * events
            held[1] += sign * events

    def _sum(
        self, keys: Sequence[CellKey], cell_of: Sequence[int], values: Sequence[MeteredValue | int], sign: int
    ) -> None:
        totals: list[Decimal | int] = [0] * len(keys)
        unmetered: Counter[int] = Counter()
        for cell, value in zip(cell_of, values, strict=True):
            kind = type(value)
            if kind is int or kind is Decimal:
                totals[cell] += value  # type: ignore[operator]  # by its kind; isinstance takes three times as long
            elif isinstance(value, Unmetered):
                unmetered[cell] += 1
                self._reason(keys[cell], value, sign)
            else:
                self.members.setdefault(keys[cell], set()).add(value)  # type: ignore[arg-type]  # as above
        for cell, events in Counter(cell_of).items():
            held = self.rollups.setdefault(keys[cell], [0, 0, 0])
            held[0] += sign * events
            held[1] += sign * totals[cell]
            held[2] += sign * unmetered[cell]

    def _pick(
        self, reading: Reading, keys: Sequence[CellKey], cell_of: Sequence[int], columns: "_Columns", sign: int
    ) -> None:
        for row, cell in enumerate(cell_of):
            held = self.picks.get(keys[cell])
            if held is None:
                held = self.picks[keys[cell]] = PickCell()
            held.events += sign
            value = None if reading.value is None else reading.value(columns.data[row])
            if isinstance(value, Unmetered):
                held.unmetered += sign
                self._reason(keys[cell], value, sign)
            elif sign < 0:
                held.gone.append(columns.event_keys[row])
            elif reading.rank is not None and isinstance(value, Decimal | int):
                pick = Pick(reading.rank(value, columns.times[row]), columns.event_keys[row].bytes, value)
                held.pick = pick if held.pick is None else max(held.pick, pick)

    def _reason(self, key: CellKey, unmetered: Unmetered, sign: int) -> None:
        reason = (*key[:4], unmetered.code)
        self.unmetered[reason] = self.unmetered.get(reason, 0) + sign


@dataclass(slots=True)
class _Columns:
    """Events that the same meters read. Meters with the same dimensions share the numbering of their rollup rows."""

    places: Sequence[_Place]
    data: Sequence[Data]
    times: Sequence[datetime]
    event_keys: Sequence[UUID]
    _cells: dict[object, tuple[list[tuple[_Place, Dimensions]], list[int]]] = field(default_factory=dict)

    def admitted(self, admits: Callable[[Data], bool]) -> "_Columns":
        """Those of the events that a filter lets through."""
        let = [admits(data) for data in self.data]
        return _Columns(
            list(compress(self.places, let)),
            list(compress(self.data, let)),
            list(compress(self.times, let)),
            list(compress(self.event_keys, let)),
        )

    def cells(
        self, dimensions: Callable[[Data], Dimensions] | None
    ) -> tuple[list[tuple[_Place, Dimensions]], list[int]]:
        """The rollup rows of the events, and for each event the number of its row."""
        known = self._cells.get(dimensions)
        if known is None:
            values: Iterable[Dimensions] = repeat(()) if dimensions is None else map(dimensions, self.data)
            numbers: defaultdict[tuple[_Place, Dimensions], int] = defaultdict()
            numbers.default_factory = numbers.__len__
            cell_of = list(map(numbers.__getitem__, zip(self.places, values, strict=False)))
            known = self._cells[dimensions] = list(numbers), cell_of
        return known


def _columns(events: Iterable[Metering]) -> _Columns:
    accounts, days, providers, data, _, times, event_keys = zip(*events, strict=True)
    fields = [each if isinstance(each, dict) else _NO_DATA for each in data]
    return _Columns(list(zip(accounts, days, providers, strict=True)), fields, times, event_keys)
