"""Meter values per local day, as drivers take them: from rollups, one value a day."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal

import msgspec
from sqlalchemy import text

from valueplatform.core.database import Transaction
from valueplatform.core.periods import Period
from valueplatform.telemetry.meters import Aggregation, Meter

ALL_PROVIDERS = ""
"""The provider of values that are taken over all providers of events."""


class MeterDay(msgspec.Struct, frozen=True):
    """One meter on one local day that has metered events: over all event providers together (`ALL_PROVIDERS`), or
    of one of them."""

    meter: str
    provider: str
    day: date
    events: int
    value: Decimal


# GROUPING SETS give the value over all providers beside each provider's own; distinct members never add.
_ADDITIVE = text("""
    SELECT meter, coalesce(provider, '') AS provider, day,
           sum(events - unmetered)::bigint AS events, sum(total) AS total
    FROM rollup
    WHERE account_id = :account AND meter = ANY(:meters) AND day >= :start AND day < :end
    GROUP BY GROUPING SETS ((meter, provider, day), (meter, day))
""")
_DISTINCT = text("""
    SELECT meter, coalesce(provider, '') AS provider, day,
           sum(events)::bigint AS events, count(DISTINCT member) AS members
    FROM rollup_member
    WHERE account_id = :account AND meter = ANY(:meters) AND day >= :start AND day < :end AND events > 0
    GROUP BY GROUPING SETS ((meter, provider, day), (meter, day))
""")


async def meter_days(tx: Transaction, account_id: int, meters: Iterable[Meter], period: Period) -> list[MeterDay]:
    """Values of `meters` on every day of `period` that has metered events of them."""
    meters = list(meters)
    where = {"account": account_id, "start": period.start, "end": period.end}
    distinct = [m.slug for m in meters if m.aggregation is Aggregation.UNIQUE_COUNT]
    counts = {m.slug for m in meters if m.aggregation is Aggregation.COUNT}
    additive = [m.slug for m in meters if m.aggregation is not Aggregation.UNIQUE_COUNT]
    days = []
    for row in await tx.rows(_ADDITIVE, {**where, "meters": additive}):
        if row.events:
            value = Decimal(row.events) if row.meter in counts else row.total
            days.append(MeterDay(row.meter, row.provider, row.day, row.events, value))
    members = await tx.rows(_DISTINCT, {**where, "meters": distinct})
    return days + [MeterDay(row.meter, row.provider, row.day, row.events, Decimal(row.members)) for row in members]
