"""Meter values by window, as OpenMeter answers.

Read from daily rollups where those are enough: whole local days of the accounts' own zones, all subjects together.
Hours, other zones, times within a day and subjects are read from events, a bounded number of them. A window and group
without anything metered has no row. All seven aggregations are exact, but for averages, which are rounded once.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Final, NamedTuple
from uuid import UUID

import msgspec
import polars as pl
from sqlalchemy import Row, TextClause, text

from valueplatform.core.database import Transaction
from valueplatform.core.errors import InvalidInputError, NotFoundError
from valueplatform.core.periods import Window, day_start, local_hour, window_start, zone
from valueplatform.telemetry.archive_reads import Wanted, archived_parts
from valueplatform.telemetry.filters import compile_filter
from valueplatform.telemetry.meter_tally import WindowTally
from valueplatform.telemetry.meters import (
    PICKED,
    Aggregation,
    Meter,
    Unmetered,
    path_reader,
    scalar_text,
    value_reader,
)
from valueplatform.telemetry.payload import decode
from valueplatform.telemetry.picks import Pick, rank_by

MOST_EVENTS: Final = 200_000
"""So many events one query reads."""

ACCOUNT: Final = "account"
SUBJECT: Final = "subject"
_FIRST: Final = date(1000, 1, 1)
_LAST: Final = date(9000, 1, 1)

Instant = date | datetime
"""An aware time, or a date: its first moment in the zone that is asked for, else in each account's own."""


def checked_instant(given: Instant) -> Instant:
    """Raises InvalidInputError near the ends of the calendar, where zones and windows would reach beyond it."""
    day = given.date() if isinstance(given, datetime) else given
    if not _FIRST <= day <= _LAST:
        raise InvalidInputError(f"{day} is out of reach; ask for times between {_FIRST} and {_LAST}.")
    return given


class WindowSize(StrEnum):
    HOUR = "HOUR"
    DAY = "DAY"
    WEEK = "WEEK"
    MONTH = "MONTH"


class MeterQuestion(msgspec.Struct, frozen=True):
    """`end` is exclusive; `size` None = one window for all. `zone_name` None = each account's own zone. `group_by` are
    dimensions of the meter, `subject` or `account`. `accounts` None = all in scope. `provider` keeps to its events."""

    start: Instant
    end: Instant
    size: WindowSize | None = None
    zone_name: str | None = None
    group_by: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()
    accounts: tuple[str, ...] | None = None
    provider: str | None = None

    def __post_init__(self) -> None:
        checked_instant(self.start)
        checked_instant(self.end)
        start, end = self.moments("UTC")
        if start >= end:
            raise InvalidInputError("`to` must be after `from`.")

    def moments(self, own_zone: str) -> tuple[datetime, datetime]:
        """From when to when, in UTC, for accounts of a zone."""
        name = self.zone_name or own_zone
        return _moment(self.start, name), _moment(self.end, name)

    @property
    def dimensions(self) -> tuple[str, ...]:
        """What is grouped by, but for the subject, which has a place of its own in the answer."""
        return tuple(group for group in self.group_by if group != SUBJECT)


class MeterValue(msgspec.Struct, frozen=True, rename="camel"):
    """One window and group, in OpenMeter's words. The value is a JSON number, and exact; an average is rounded half to
    even to 9 places."""

    value: Annotated[Decimal, msgspec.Meta(extra_json_schema={"extra": {"type": "number"}})]
    window_start: datetime
    window_end: datetime
    subject: str | None
    group_by: Mapping[str, str | None]


@dataclass(frozen=True, slots=True, order=True)
class _Cell:
    """Where a value belongs. Windows are in UTC; without windows, None stands for the whole time."""

    window: tuple[datetime, datetime] | None
    subject: str | None
    dimensions: tuple[str | None, ...]


class _Alike(NamedTuple):
    """Accounts of one zone whose rollups are of one edition (`homes`): ids and keys."""

    own_zone: str
    edition: str
    keys: Mapping[int, str]


class _Event(NamedTuple):
    """What is read of an event, stored or archived."""

    account_id: int
    event_key: UUID
    time: datetime
    subject: str | None
    data: str | None


_COLUMNS: Final = _Event._fields
_Found = Iterable[tuple[_Cell, WindowTally]]
_ACCOUNTS: Final = text("""
    SELECT timezone, edition, array_agg(account_id) AS ids, array_agg(key) AS account_keys FROM account
    WHERE account_id > 0 AND (CAST(:keys AS text[]) IS NULL OR key = ANY(:keys)) GROUP BY timezone, edition
    ORDER BY timezone, edition
""")
_EVENTS: Final = text("""
    SELECT e.account_id, e.event_key, e.time, e.subject, e.data::text AS data
    FROM event e
    WHERE e.account_id = ANY(:ids) AND e.type = ANY(:types) AND e.utc_day >= :first AND e.utc_day <= :last
      AND e.time >= :start AND e.time < :end
      AND (cardinality(CAST(:subjects AS text[])) = 0 OR e.subject = ANY(:subjects))
      AND (CAST(:provider AS text) IS NULL OR e.provider = :provider)
    LIMIT :limit
""")
_WINDOWS: Final[Mapping[WindowSize | None, str]] = {
    None: "NULL::date",
    WindowSize.DAY: "r.day",
    WindowSize.WEEK: "date_trunc('week', r.day)::date",
    WindowSize.MONTH: "date_trunc('month', r.day)::date",
}

_NO_PICK: Final = "NULL::numeric AS picked, NULL::numeric AS rank, NULL::uuid AS picked_key"
_SUMMED: Final = f"sum(r.events - r.unmetered)::bigint AS events, sum(r.total) AS total, 0 AS members, {_NO_PICK}"
_DISTINCT: Final = (
    f"count(*) AS events, 0::numeric AS total, count(DISTINCT (r.account_id, r.member)) AS members, {_NO_PICK}"
)
_PICKED: Final = "r.events, 0::numeric AS total, 0 AS members, r.picked, r.rank, r.picked_key"
_FIXED: Final = 7
"""Columns of a rollup query before the groups."""


async def query_meter(tx: Transaction, meter: Meter, question: MeterQuestion) -> list[MeterValue]:
    """Values of the meter over the accounts in scope, by window and group, oldest first.

    Unique members count once in each account. Raises InvalidInputError for a group that the meter does not have, or
    more events than one query reads, and NotFoundError for an account that is not in scope.
    """
    _check(meter, question)
    rows = await tx.rows(_ACCOUNTS, {"keys": None if question.accounts is None else list(question.accounts)})
    unknown = set(question.accounts or ()) - {key for row in rows for key in row.account_keys}
    if unknown:
        raise NotFoundError(f"There is no account {', '.join(map(repr, sorted(unknown)))}.")
    tallies: defaultdict[_Cell, WindowTally] = defaultdict(WindowTally)
    spans: list[tuple[datetime, datetime]] = []
    for row in rows:
        spans.append(question.moments(row.timezone))
        read = _from_rollups if _days_are_enough(question, row.timezone) else _from_events
        alike = _Alike(row.timezone, row.edition, dict(zip(row.ids, row.account_keys, strict=True)))
        for cell, tally in await read(tx, meter, question, alike):
            tallies[cell].merge(tally)
    found = ((cell, tallies[cell].value(meter.aggregation)) for cell in sorted(tallies, key=_order))
    return [_value(question, spans, cell, value) for cell, value in found if value is not None]


def _check(meter: Meter, question: MeterQuestion) -> None:
    known = {*meter.dimensions, SUBJECT, ACCOUNT}
    for group in question.group_by:
        if group not in known:
            raise InvalidInputError(
                f"Meter {meter.slug!r} cannot be grouped by {group!r}; it has {', '.join(sorted(known))}."
            )


def _value(
    question: MeterQuestion, spans: Sequence[tuple[datetime, datetime]], cell: _Cell, total: Decimal
) -> MeterValue:
    begin, end = cell.window or (min(start for start, _ in spans), max(end for _, end in spans))
    groups = dict(zip(question.dimensions, cell.dimensions, strict=True))
    return MeterValue(total, begin, end, cell.subject, groups)


def _order(cell: _Cell) -> tuple[object, ...]:
    """Absent values come first."""
    parts = [(part is not None, part or "") for part in (cell.subject, *cell.dimensions)]
    return (*(cell.window or ()), *parts)


def _moment(given: Instant, zone_name: str) -> datetime:
    return (given if isinstance(given, datetime) else day_start(given, zone_name)).astimezone(UTC)


def _days_are_enough(question: MeterQuestion, own_zone: str) -> bool:
    if question.size is WindowSize.HOUR or question.subjects or SUBJECT in question.group_by:
        return False
    if question.size is not None and question.zone_name not in {None, own_zone}:
        return False
    return all(_starts_a_day(moment, own_zone) for moment in question.moments(own_zone))


def _starts_a_day(moment: datetime, zone_name: str) -> bool:
    # Compared in UTC: a time that clocks skip or repeat equals none of another zone.
    return day_start(moment.astimezone(zone(zone_name)).date(), zone_name).astimezone(UTC) == moment


async def _from_rollups(tx: Transaction, meter: Meter, question: MeterQuestion, alike: _Alike) -> _Found:
    own_zone = alike.own_zone
    start, end = (moment.astimezone(zone(own_zone)).date() for moment in question.moments(own_zone))
    where = {
        "ids": list(alike.keys),
        "meter": meter.rollup_name() + alike.edition,
        "start": start,
        "end": end,
        "provider": question.provider,
    }
    rows = await tx.rows(_rollup_query(meter, question), where)
    return [
        (
            _Cell(_local_window(row.first, question.size, own_zone), None, tuple(row[_FIXED:])),
            WindowTally(row.events, row.total, _pick(row), row.members),
        )
        for row in rows
    ]


def _pick(row: Row[Any]) -> Pick | None:
    return None if row.rank is None else Pick(row.rank, row.picked_key.bytes, row.picked)


def _rollup_query(meter: Meter, question: MeterQuestion) -> TextClause:
    """Put together from constants and the numbers of columns alone. Columns: `first`, six that make a tally, groups."""
    groups = [
        "a.key" if group == ACCOUNT else f"r.dimensions[{meter.dimensions.index(group) + 1}]"
        for group in question.dimensions
    ]
    by = ", ".join(str(place) for place in (1, *range(_FIXED + 1, _FIXED + 1 + len(groups))))
    tally, table, once, rest = _SUMMED, "rollup", "", f"GROUP BY {by} HAVING sum(r.events - r.unmetered) > 0"
    if meter.aggregation is Aggregation.UNIQUE_COUNT:
        tally, table, rest = _DISTINCT, "rollup_member", f"GROUP BY {by}"
    elif meter.aggregation in PICKED:
        first = ", ".join([_WINDOWS[question.size], *groups])
        tally, once = _PICKED, f"DISTINCT ON ({first})"
        rest = f"AND r.rank IS NOT NULL ORDER BY {first}, r.rank DESC, r.picked_key DESC"
    columns = ", ".join([f"{_WINDOWS[question.size]} AS first", tally, *groups])
    return text(f"""
        SELECT {once} {columns} FROM {table} r JOIN account a USING (account_id)
        WHERE r.account_id = ANY(:ids) AND r.meter = :meter AND r.day >= :start AND r.day < :end
          AND (CAST(:provider AS text) IS NULL OR r.provider = :provider)
        {rest}
    """)  # noqa: S608 - see above


def _local_window(first: date | None, size: WindowSize | None, zone_name: str) -> tuple[datetime, datetime] | None:
    if first is None or size is None:
        return None
    return day_start(first, zone_name).astimezone(UTC), day_start(_next(first, size), zone_name).astimezone(UTC)


def _next(first: date, size: WindowSize) -> date:
    if size is WindowSize.MONTH:
        return (first + timedelta(days=31)).replace(day=1)
    return first + timedelta(days=7 if size is WindowSize.WEEK else 1)


async def _from_events(tx: Transaction, meter: Meter, question: MeterQuestion, alike: _Alike) -> _Found:
    start, end = question.moments(alike.own_zone)
    where = {
        "ids": list(alike.keys),
        "types": list(meter.event_types),
        "start": start,
        "end": end,
        "first": start.date(),
        "last": end.date(),
        "subjects": list(question.subjects),
        "provider": question.provider,
        "limit": MOST_EVENTS + 1,
    }
    rows: list[_Event] = list(map(_Event._make, await tx.rows(_EVENTS, where)))
    rows += await _archived(tx, meter, question, (start, end), list(alike.keys), MOST_EVENTS + 1 - len(rows))
    if len(rows) > MOST_EVENTS:
        raise InvalidInputError(
            f"The query reads more than {MOST_EVENTS:,} events; ask for a shorter time, for one account, "
            "or for whole days without subjects and in the accounts' own zones."
        )
    return _tallied(
        meter,
        ((_cell(question, alike, row, data), row, value) for row, data, value in _metered(meter, rows)),
    )


async def _archived(
    tx: Transaction,
    meter: Meter,
    question: MeterQuestion,
    span: tuple[datetime, datetime],
    ids: Sequence[int],
    limit: int,
) -> list[_Event]:
    """Archived events of the query, up to a limit."""
    condition = pl.col("time").is_between(*span, closed="left")
    if question.subjects:
        condition &= pl.col("subject").is_in(list(question.subjects))
    if question.provider is not None:
        condition &= pl.col("provider") == question.provider
    wanted = Wanted(ids, meter.event_types, span[0].date() - timedelta(days=1), span[1].date() + timedelta(days=1))
    found: list[_Event] = []
    for part in await archived_parts(tx, wanted):
        frame = await asyncio.to_thread(part.read, _COLUMNS, (), condition)
        rows = frame.head(limit - len(found)).select(_COLUMNS).iter_rows()
        found += [_Event(account, UUID(bytes=key), *rest) for account, key, *rest in rows]
        if len(found) >= limit:
            break
    return found


def _tallied(meter: Meter, metered: Iterable[tuple[_Cell, _Event, Decimal | str]]) -> _Found:
    rank = rank_by(meter.aggregation)
    tallies: defaultdict[_Cell, WindowTally] = defaultdict(WindowTally)
    members: set[tuple[_Cell, int, str]] = set()
    for cell, row, value in metered:
        if isinstance(value, str):
            members.add((cell, row.account_id, value))
        else:
            pick = rank and Pick(rank(value, row.time), row.event_key.bytes, value)
            tallies[cell].merge(WindowTally(1, value, pick))
    for cell, _, _ in members:
        tallies[cell].members += 1
    return tallies.items()


def _metered(meter: Meter, rows: Iterable[_Event]) -> Iterator[tuple[_Event, Mapping[str, object], Decimal | str]]:
    admits, read = compile_filter(meter.filter), value_reader(meter)
    for row in rows:
        decoded = None if row.data is None else decode(row.data)
        data: Mapping[str, object] = decoded if isinstance(decoded, dict) else {}
        value = read(data) if admits(data) else Unmetered("filtered")
        if not isinstance(value, Unmetered):
            yield row, data, value


def _cell(question: MeterQuestion, alike: _Alike, row: _Event, data: Mapping[str, object]) -> _Cell:
    values = [
        alike.keys[row.account_id] if group == ACCOUNT else scalar_text(path_reader(group)(data))
        for group in question.dimensions
    ]
    subject = row.subject if SUBJECT in question.group_by else None
    return _Cell(_window_of(question, row.time, question.zone_name or alike.own_zone), subject, tuple(values))


def _window_of(question: MeterQuestion, moment: datetime, zone_name: str) -> tuple[datetime, datetime] | None:
    """An hour is a local hour: where clocks go back there are two of one name, or a part of one."""
    if question.size is None:
        return None
    if question.size is WindowSize.HOUR:
        return local_hour(moment, zone_name)
    day = moment.astimezone(zone(zone_name)).date()
    return _local_window(window_start(day, Window(question.size.value)), question.size, zone_name)
