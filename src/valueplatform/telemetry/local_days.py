"""The local day of a moment, one by one and by the column. Both ways give what `zoneinfo` gives."""

from datetime import UTC, date, datetime, timedelta
from typing import Final

import polars as pl

from valueplatform.core.periods import zone

_QUARTER: Final = timedelta(minutes=15)
_SECOND: Final = timedelta(seconds=1)
_MOST_QUARTERS: Final = 200_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_days: dict[tuple[str, int], date] = {}


def local_day_of(moment: datetime, zone_name: str) -> date:
    """The day of an aware moment in a zone, remembered by quarter of an hour."""
    quarter = (moment - _EPOCH) // _QUARTER
    return _days.get((zone_name, quarter)) or _day_of_quarter(quarter, zone_name) or _day_at(moment, zone_name)


def local_days(times: pl.Series, zone_name: str) -> pl.Series:
    """The days of moments (UTC, microseconds) in a zone: each quarter of an hour is looked up once."""
    quarters = (times.dt.epoch("us") // (_QUARTER // timedelta(microseconds=1))).alias("quarter")
    distinct = quarters.unique()
    known = pl.DataFrame(
        {"quarter": distinct, "day": [_day_of_quarter(quarter, zone_name) for quarter in distinct.to_list()]},
        schema={"quarter": pl.Int64, "day": pl.Date},
    )
    days = quarters.to_frame().join(known, on="quarter", how="left", maintain_order="left")["day"]
    if not days.null_count():
        return days
    odd = days.is_null().arg_true()
    exact = [_day_at(moment, zone_name) for moment in times.gather(odd).to_list()]
    return days.scatter(odd, pl.Series(exact, dtype=pl.Date))


def _day_of_quarter(quarter: int, zone_name: str) -> date | None:
    """None where it is not of one day: a day begins in it, or a clock is set."""
    known = _days.get((zone_name, quarter))
    if known is not None:
        return known
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
