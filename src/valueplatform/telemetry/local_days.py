"""The local day of a moment, one by one and by the column. Both ways give what `zoneinfo` gives."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final

import polars as pl

from valueplatform.core.periods import zone

_QUARTER: Final = timedelta(minutes=15)
_SECOND: Final = timedelta(seconds=1)
_HOUR: Final = timedelta(hours=1)
_MOST_QUARTERS: Final = 200_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_days: dict[tuple[str, int], date] = {}

Setting = tuple[datetime, timedelta]
"""From when on a zone is ahead of UTC by how much."""


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


def local_day(zones: Mapping[int, str], begin: datetime, end: datetime) -> pl.Expr:
    """The day of `time` in the zone of `account_id`, for moments (UTC) from `begin` to before `end`."""
    ahead = {name: settings(name, begin, end) for name in set(zones.values())}
    changes = sorted({moment for known in ahead.values() for moment, _ in known} - {begin})
    offset = _offset(zones, ahead, begin)
    for change in changes:
        offset = pl.when(pl.col("time") < change).then(offset).otherwise(_offset(zones, ahead, change))
    return (pl.col("time").dt.epoch("us") + offset).cast(pl.Datetime("us")).dt.date().alias("day")


def _offset(zones: Mapping[int, str], ahead: Mapping[str, Iterable[Setting]], moment: datetime) -> pl.Expr:
    """Microseconds by which each account's zone is ahead of UTC from a moment on, up to the next change of any."""
    by_zone = {
        name: next(offset for since, offset in reversed(list(known)) if since <= moment) // timedelta(microseconds=1)
        for name, known in ahead.items()
    }
    if len(set(by_zone.values())) == 1:
        return pl.lit(next(iter(by_zone.values())), pl.Int64)
    offsets = [by_zone[name] for name in zones.values()]
    return pl.col("account_id").replace_strict(list(zones), offsets, return_dtype=pl.Int64)


@lru_cache(maxsize=4096)
def settings(zone_name: str, begin: datetime, end: datetime) -> tuple[Setting, ...]:
    """How far a zone is ahead of UTC from `begin` to before `end`: at first, and after each change, to the second.

    Zones that change twice within an hour, and change back, are not known to exist.
    """
    tz = zone(zone_name)

    def ahead(moment: datetime) -> timedelta:
        return moment.astimezone(tz).utcoffset() or timedelta()

    found = [(begin, ahead(begin))]
    moment = begin
    while moment < end:
        following = min(moment + _HOUR, end)
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
