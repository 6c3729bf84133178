"""Meter values per local day, as drivers take them: from rollups, one value a day."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Final

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
_EACH_TOO: Final = {
    "provider": "coalesce(provider, '')",
    "sets": "GROUPING SETS ((meter, provider, day), (meter, day))",
}
_OVER_ALL: Final = {"provider": f"'{ALL_PROVIDERS}'", "sets": "meter, day"}
_ROLLUPS: Final = f"""
    SELECT {NAME} AS meter, {{provider}} AS provider, day,
           sum(events - unmetered)::bigint AS events, sum(total) AS total
    FROM rollup
    WHERE account_id = :account AND meter = ANY({NAMES_IN_FORCE}) AND day >= :start AND day < :end
    GROUP BY {{sets}}
"""  # noqa: S608 - our own names
_PICKS: Final = f"""
    SELECT {NAME} AS meter, {{provider}} AS provider, day,
           sum(events - unmetered)::bigint AS events,
           (array_agg(picked ORDER BY rank DESC, picked_key DESC))[1] AS picked
    FROM rollup
    WHERE account_id = :account AND meter = ANY({NAMES_IN_FORCE}) AND day >= :start AND day < :end AND rank IS NOT NULL
    GROUP BY {{sets}}
"""  # noqa: S608 - our own names
_DISTINCT: Final = f"""
    SELECT {NAME} AS meter, {{provider}} AS provider, day,
           count(DISTINCT member) AS members
    FROM rollup_member
    WHERE account_id = :account AND meter = ANY({NAMES_IN_FORCE}) AND day >= :start AND day < :end
    GROUP BY {{sets}}
"""  # noqa: S608 - our own names
_STATEMENTS: Final = {
    by_provider: tuple(text(each.format_map(words)) for each in (_ROLLUPS, _PICKS, _DISTINCT))
    for by_provider, words in ((True, _EACH_TOO), (False, _OVER_ALL))
}


async def meter_days(
    tx: Transaction, account_id: int, meters: Iterable[Meter], period: Period, *, by_provider: bool = True
) -> list[MeterDay]:
    """Values of `meters` on every day of `period` that has metered events of them: over all providers of events and,
    `by_provider`, of each."""
    rollups, picks, members = _STATEMENTS[by_provider]
    found = {meter.rollup_name(): meter for meter in meters}
    where = {"account": account_id, "start": period.start, "end": period.end}
    kinds = {name: meter.aggregation for name, meter in found.items()}
    distinct = [name for name, kind in kinds.items() if kind is Aggregation.UNIQUE_COUNT]
    picked = [name for name, kind in kinds.items() if kind in PICKED]
    counted = [name for name in kinds if name not in picked]
    days = []
    metered: dict[tuple[str, str, date], int] = {}
    for name, provider, day, events, total in map(tuple, await tx.rows(rollups, {**where, "meters": counted})):
        if kinds[name] is Aggregation.UNIQUE_COUNT:
            metered[name, provider, day] = events
        elif events:
            value = Decimal(events) if kinds[name] is Aggregation.COUNT else total
            over = events if kinds[name] is Aggregation.AVG else 1
            days.append(MeterDay(found[name].slug, provider, day, events, value, over))
    picked_rows = await tx.rows(picks, {**where, "meters": picked}) if picked else ()
    for name, provider, day, events, value in map(tuple, picked_rows):
        days.append(MeterDay(found[name].slug, provider, day, events, value))
    distinct_rows = await tx.rows(members, {**where, "meters": distinct}) if distinct else ()
    for name, provider, day, count in map(tuple, distinct_rows):
        events = metered.get((name, provider, day), 0)
        days.append(MeterDay(found[name].slug, provider, day, events, Decimal(count)))
    return days
