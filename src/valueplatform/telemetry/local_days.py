"""The local day of a moment: one by one, by the column, and in queries. All ways give what `zoneinfo` gives.

Events are kept by their day in UTC, which is at most a day away from any local day.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Final, NamedTuple

import polars as pl

from valueplatform.core.periods import ONE_DAY, zone

_QUARTER: Final = timedelta(minutes=15)
_SECOND: Final = timedelta(seconds=1)
_STEP: Final = timedelta(days=1)
_MOST_QUARTERS: Final = 200_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DAY: Final = timedelta(days=1) // timedelta(microseconds=1)
_NEVER: Final = 2**62
_days: dict[tuple[str, int], date] = {}

_FIRST: Final = date(1, 1, 4)
_LAST: Final = date(9999, 12, 27)
_NEAR: Final = 2 * ONE_DAY

Setting = tuple[datetime, timedelta]
"""From when on a zone is ahead of UTC by how much."""


class Stay(NamedTuple):
    """Where the events of some local days are kept: from which day of UTC to which, and at what moments of them, as the
    text of a `tstzmultirange`."""

    first: date
    last: date
    moments: str


class Offsets(NamedTuple):
    """How far zones are ahead of UTC, from when until before when; side by side, for `unnest`."""

    zones: list[str]
    since: list[datetime]
    until: list[datetime]
    ahead: list[timedelta]


def utc_day(moment: datetime) -> date:
    """The day by which an event of this aware moment is kept."""
    return (moment if moment.tzinfo is UTC else moment.astimezone(UTC)).date()


def local_day_of(moment: datetime, zone_name: str) -> date:
    """The day of an aware moment in a zone, remembered by quarter of an hour."""
    quarter = (moment - _EPOCH) // _QUARTER
    return _days.get((zone_name, quarter)) or _day_of_quarter(quarter, zone_name) or _day_at(moment, zone_name)


def _day_of_quarter(quarter: int, zone_name: str) -> date | None:
    """None where it is not of one day: a day begins in it, or a clock is set."""
    if len(_days) >= _MOST_QUARTERS:
        _days.clear()
    begin = _EPOCH + quarter * _QUARTER
    first, last = (moment.astimezone(zone(zone_name)) for moment in (begin, begin + _QUARTER - _SECOND))
    if first.utcoffset() != last.utcoffset() or first.date() != last.date():
        return None
    _days[zone_name, quarter] = first.date()
    return first.date()


def _day_at(moment: datetime, zone_name: str) -> date:
    return moment.astimezone(zone(zone_name)).date()


def with_days(events: pl.LazyFrame, zones: Mapping[int, str], begin: datetime, end: datetime) -> pl.LazyFrame:
    """The same events with `day`, that of `time` in the zone of `account_id`; all are from `begin` to before `end`
    (UTC).

    Each zone's offset at the beginning is looked up, and what its changes add to it from then on is added.
    """
    known = {name: settings(name, begin, end) for name in set(zones.values())}
    told = {account: known[name] for account, name in zones.items()}
    clock = pl.col("time").dt.epoch("us")
    ahead = _of_account({account: _microseconds(own[0][1]) for account, own in told.items()})
    for change in range(1, max(map(len, known.values()), default=1)):
        own = {account: each[change - 1 : change + 1] for account, each in told.items()}
        since = {account: _microseconds(each[1][0] - _EPOCH) if each[1:] else _NEVER for account, each in own.items()}
        more = {account: _microseconds(each[1][1] - each[0][1]) if each[1:] else 0 for account, each in own.items()}
        ahead += pl.when(clock >= _of_account(since)).then(_of_account(more)).otherwise(0)
    return events.with_columns(((clock + ahead) // _DAY).cast(pl.Int32).cast(pl.Date).alias("day"))


def _of_account(told: Mapping[int, int]) -> pl.Expr:
    """What is told of an event's account: at its place in a list, if that need not be much longer than what is told."""
    low, high = min(told, default=0), max(told, default=0)
    if high - low > 10 * len(told) + 10_000:
        return pl.col("account_id").replace_strict(list(told), list(told.values()), return_dtype=pl.Int64)
    places = pl.Series([told.get(account) for account in range(low, high + 1)], dtype=pl.Int64)
    return pl.lit(places).gather((pl.col("account_id") - low).cast(pl.UInt32))


def _microseconds(span: timedelta) -> int:
    return span // timedelta(microseconds=1)


@lru_cache(maxsize=4096)
def stay_of(first: date, last: date, zone_name: str) -> Stay:
    """Where the events of the local days from `first` to `last`, both included, are kept.

    Where clocks are set back over midnight, a day comes in two parts.
    """
    begin, end = (_midnight(day) for day in (max(first, _FIRST), min(last, _LAST) + ONE_DAY))
    parts = []
    if end - begin > 2 * _NEAR:
        parts.append((begin + _NEAR, end - _NEAR))
        around = [(begin - _NEAR, begin + _NEAR), (end - _NEAR, end + _NEAR)]
    else:
        around = [(begin - _NEAR, end + _NEAR)]
    for since, until, ahead in (piece for span in around for piece in _pieces(zone_name, *span)):
        parts.append((max(since, begin - ahead), min(until, end - ahead)))
    parts = [(since, until) for since, until in parts if since < until] or [(begin, begin)]
    moments = ",".join(f"[{since.isoformat()},{until.isoformat()})" for since, until in parts)
    return Stay(min(parts)[0].date(), max(until for _, until in parts).date(), f"{{{moments}}}")


def offsets_of(zone_names: Iterable[str], begin: datetime, end: datetime) -> Offsets:
    """Those of the zones from `begin` to before `end` (UTC)."""
    found = Offsets([], [], [], [])
    for name in sorted(set(zone_names)):
        for since, until, ahead in _pieces(name, begin, end):
            found.zones.append(name)
            found.since.append(since)
            found.until.append(until)
            found.ahead.append(ahead)
    return found


def _pieces(zone_name: str, begin: datetime, end: datetime) -> Iterator[tuple[datetime, datetime, timedelta]]:
    """From when until before when a zone is ahead of UTC by how much."""
    found = settings(zone_name, begin, end)
    for (since, ahead), (until, _) in pairwise((*found, (end, timedelta()))):
        yield since, until, ahead


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


@lru_cache(maxsize=4096)
def settings(zone_name: str, begin: datetime, end: datetime) -> tuple[Setting, ...]:
    """How far a zone is ahead of UTC from `begin` to before `end`: at first, and after each change, to the second.

    No zone is known to change twice within a day; the nearest changes, of Freetown in 1939, are four days apart.
    """
    tz = zone(zone_name)

    def ahead(moment: datetime) -> timedelta:
        return moment.astimezone(tz).utcoffset() or timedelta()

    found = [(begin, ahead(begin))]
    moment = begin
    while moment < end:
        following = min(moment + _STEP, end)
        if ahead(following) != found[-1][1]:
            found.append(_change(moment, following, ahead))
        moment = following
    return tuple(found)


def _change(before: datetime, after: datetime, ahead: Callable[[datetime], timedelta]) -> Setting:
    """The second at which the zone of `before` becomes that of `after`; clocks are set on whole seconds."""
    old = ahead(before)
    while after - before > _SECOND:
        middle = before + (after - before) // 2 // _SECOND * _SECOND
        if ahead(middle) == old:
            before = middle
        else:
            after = middle
    return after, ahead(after)
