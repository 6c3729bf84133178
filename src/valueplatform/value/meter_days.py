"""Meter values per local day, as drivers take them: from rollups, one value a day."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

import msgspec
from sqlalchemy import text

from valueplatform.core.database import Transaction
from valueplatform.core.periods import Period
from valueplatform.telemetry.homes import NAME, NAMES_IN_FORCE
from valueplatform.telemetry.meters import PICKED, Aggregation, Meter

ALL_PROVIDERS = ""
"""The provider of values that are taken over all providers of events."""


class MeterDay(msgspec.Struct, frozen=True):
    """One meter on one local day that has metered events: over all event providers together (`ALL_PROVIDERS`), or
    of one of them. The value is `value / over`, exactly; `over` is 1 but for AVG."""

    meter: str
    provider: str
    day: date
    events: int
    value: Decimal
    over: int = 1


# GROUPING SETS give the value over all providers beside each provider's own; distinct members never add.
_ROLLUPS = text(f"""
    SELECT {NAME} AS meter, coalesce(provider, '') AS provider, day,
           sum(events - unmetered)::bigint AS events, sum(total) AS total
    FROM rollup
    WHERE account_id = :account AND meter = ANY({NAMES_IN_FORCE}) AND day >= :start AND day < :end
    GROUP BY GROUPING SETS ((meter, provider, day), (meter, day))
""")  # noqa: S608 - our own names
_PICKS = text(f"""
    SELECT {NAME} AS meter, coalesce(provider, '') AS provider, day,
           sum(events - unmetered)::bigint AS events,
           (array_agg(picked ORDER BY rank DESC, picked_key DESC))[1] AS picked
    FROM rollup
    WHERE account_id = :account AND meter = ANY({NAMES_IN_FORCE}) AND day >= :start AND day < :end AND rank IS NOT NULL
    GROUP BY GROUPING SETS ((meter, provider, day), (meter, day))
""")  # noqa: S608 - our own names
_DISTINCT = text(f"""
    SELECT {NAME} AS meter, coalesce(provider, '') AS provider, day,
           count(DISTINCT member) AS members
    FROM rollup_member
    WHERE account_id = :account AND meter = ANY({NAMES_IN_FORCE}) AND day >= :start AND day < :end
    GROUP BY GROUPING SETS ((meter, provider, day), (meter, day))
""")  # noqa: S608 - our own names


async def meter_days(tx: Transaction, account_id: int, meters: Iterable[Meter], period: Period) -> list[MeterDay]:
    """Values of `meters` on every day of `period` that has metered events of them."""
    found = {meter.rollup_name(): meter for meter in meters}
    where = {"account": account_id, "start": period.start, "end": period.end}
    kinds = {name: meter.aggregation for name, meter in found.items()}
    distinct = [name for name, kind in kinds.items() if kind is Aggregation.UNIQUE_COUNT]
    picked = [name for name, kind in kinds.items() if kind in PICKED]
    counted = [name for name in kinds if name not in picked]
    days = []
    metered: dict[tuple[str, str, date], int] = {}
    for name, provider, day, events, total in map(tuple, await tx.rows(_ROLLUPS, {**where, "meters": counted})):
        if kinds[name] is Aggregation.UNIQUE_COUNT:
            metered[name, provider, day] = events
        elif events:
            value = Decimal(events) if kinds[name] is Aggregation.COUNT else total
            over = events if kinds[name] is Aggregation.AVG else 1
            days.append(MeterDay(found[name].slug, provider, day, events, value, over))
    picks = await tx.rows(_PICKS, {**where, "meters": picked}) if picked else ()
    for name, provider, day, events, value in map(tuple, picks):
        days.append(MeterDay(found[name].slug, provider, day, events, value))
    for name, provider, day, members in map(tuple, await tx.rows(_DISTINCT, {**where, "meters": distinct})):
        events = metered.get((name, provider, day), 0)
        days.append(MeterDay(found[name].slug, provider, day, events, Decimal(members)))
    return days
