"""What meters read by day, cut by their dimensions: what value is divided by."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from fractions import Fraction
from typing import Final

from sqlalchemy import text

from valueplatform.core.database import Transaction
from valueplatform.core.periods import Period
from valueplatform.telemetry.homes import NAME, NAMES_IN_FORCE
from valueplatform.telemetry.meters import Meter
from valueplatform.value.bridge_cells import Member
from valueplatform.value.cuts import why_not_kept
from valueplatform.value.meter_days import ALL_PROVIDERS, meter_days

_CUTS: Final = text(f"""
    SELECT {NAME} AS meter, provider, day, dimensions, sum(events - unmetered)::bigint AS events, sum(total) AS total
    FROM rollup
    WHERE account_id = :account AND meter = ANY({NAMES_IN_FORCE}) AND day >= :start AND day < :end
    GROUP BY 1, provider, day, dimensions HAVING sum(events - unmetered) > 0
""")  # noqa: S608 - our own names
Readings = Mapping[tuple[str, date], Mapping[Member, Mapping[str, Fraction]]]
"""What meters read, by provider (`ALL_PROVIDERS` = together) and day, then by member and meter."""


async def readings_of(
    tx: Transaction, account_id: int, period: Period, meters: Sequence[Meter], dimensions: Sequence[str]
) -> Readings:
    found: defaultdict[tuple[str, date], defaultdict[Member, dict[str, Fraction]]] = defaultdict(
        lambda: defaultdict(dict)
    )
    if not dimensions:
        for one in await meter_days(tx, account_id, meters, period):
            found[one.provider, one.day][()][one.meter] = Fraction(one.value) / one.over
        return found
    cut = {meter.rollup_name(): meter for meter in meters if why_not_kept(meter, dimensions) is None}
    where = {"account": account_id, "meters": list(cut), "start": period.start, "end": period.end}
    for row in await tx.rows(_CUTS, where):
        meter = cut[row.meter]
        member = tuple(row.dimensions[meter.dimensions.index(path)] for path in dimensions)
        value = Fraction(row.events) if meter.aggregation == "COUNT" else Fraction(row.total)
        for provider in (row.provider, ALL_PROVIDERS):
            own = found[provider, row.day][member]
            own[meter.slug] = own.get(meter.slug, Fraction(0)) + value
    return found
