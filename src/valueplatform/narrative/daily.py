"""The days of an account by the column: one row a line of values comes from the database, however many days it has, so
that years of history cost little more than months.

What is read is what `value.shown` and `value.meter_days` read row by row; postings of one day stay several rows.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any

import polars as pl
from sqlalchemy import text

from valueplatform.core.database import Transaction
from valueplatform.narrative.facts import DAILY_SCHEMA, METER_SCHEMA
from valueplatform.telemetry.homes import NAME, NAMES_IN_FORCE
from valueplatform.telemetry.meters import Aggregation, Meter

_KEYS = ("driver", "provider", "counted", "state", "evidence", "benefit_class", "unit")
_BOUNDS = ("low", "expected", "high")
# All aggregates of a line take its rows in one order, whichever: they stay side by side.
_SHOWN = text("""
    WITH closed AS MATERIALIZED (
        SELECT month FROM closed_month WHERE account_id = :account
    ), shown AS (
        SELECT a.driver, a.provider, a.day, a.basis_id, a.low, a.expected, a.high FROM accrual a
        WHERE a.account_id = :account AND a.day < :end AND a.expected IS NOT NULL
          AND date_trunc('month', a.day)::date NOT IN (SELECT month FROM closed)
        UNION ALL
        SELECT driver, provider, shown_day, basis_id, low, expected, high FROM posting
        WHERE account_id = :account AND shown_day < :end
    ), line AS (
        SELECT driver, provider, basis_id, array_agg(day - DATE '1970-01-01') AS days,
               string_agg(low::text, ' ') AS low, string_agg(expected::text, ' ') AS expected,
               string_agg(high::text, ' ') AS high
        FROM shown GROUP BY 1, 2, 3
    )
    SELECT driver, provider, counted, state, evidence, benefit_class, b.unit, days, low, expected, high
    FROM line JOIN basis b USING (basis_id, driver) WHERE b.account_id = :account
""")
_METERED = text(f"""
    WITH daily AS (
        SELECT {NAME} AS meter, day, sum(events - unmetered) AS events, sum(total) AS total FROM rollup
        WHERE account_id = :account AND meter = ANY({NAMES_IN_FORCE}) AND day < :end
        GROUP BY 1, 2 HAVING sum(events - unmetered) <> 0
    )
    SELECT meter, array_agg(day - DATE '1970-01-01') AS days,
           CASE WHEN meter = ANY(CAST(:counts AS text[])) THEN string_agg(events::text, ' ')
                ELSE string_agg(total::text, ' ') END AS totals
    FROM daily GROUP BY 1
""")  # noqa: S608 - our own names


async def shown_days(tx: Transaction, account_id: int, end: date) -> pl.DataFrame:
    """Realized value as it is shown on the days before `end`, as `DAILY_SCHEMA`, by day, driver and provider."""
    rows = await tx.rows(_SHOWN, {"account": account_id, "end": end})
    if not rows:
        return pl.DataFrame(schema=DAILY_SCHEMA)
    lengths = [len(row.days) for row in rows]
    columns: dict[str, pl.Series] = {"day": _days([row.days for row in rows])}
    columns |= {name: _repeated([getattr(row, name) for row in rows], lengths) for name in _KEYS}
    columns |= {name: _decimals([getattr(row, name) for row in rows], pl.Decimal(38, 4)) for name in _BOUNDS}
    frame = pl.DataFrame({name: columns[name] for name in DAILY_SCHEMA}, schema=DAILY_SCHEMA)
    return frame.sort("day", "driver", "provider", maintain_order=True)


async def metered_days(tx: Transaction, account_id: int, meters: Sequence[Meter], end: date) -> pl.DataFrame:
    """Daily totals over all providers before `end`, of meters that add, as `METER_SCHEMA`."""
    names = {meter.rollup_name(): meter for meter in meters}
    counts = [name for name, meter in names.items() if meter.aggregation is Aggregation.COUNT]
    where = {"account": account_id, "meters": list(names), "counts": counts, "end": end}
    rows = await tx.rows(_METERED, where) if names else ()
    if not rows:
        return pl.DataFrame(schema=METER_SCHEMA)
    columns = {
        "meter": _repeated([names[row.meter].slug for row in rows], [len(row.days) for row in rows]),
        "day": _days([row.days for row in rows]),
        "total": _decimals([row.totals for row in rows], pl.Decimal(38, 9)),
    }
    return pl.DataFrame(columns, schema=METER_SCHEMA)


def _days(found: Sequence[Sequence[int]]) -> pl.Series:
    return pl.Series([day for days in found for day in days], dtype=pl.Int32).cast(pl.Date)


def _decimals(found: Sequence[str], kind: pl.Decimal) -> pl.Series:
    """Numbers that are told as texts, one line each, exactly."""
    return pl.Series([number for line in found for number in line.split(" ")], dtype=pl.String()).cast(kind)


def _repeated(values: Sequence[Any], lengths: Sequence[int]) -> pl.Series:
    """Each value as often as its line is long."""
    return pl.Series([value for value, length in zip(values, lengths, strict=True) for _ in range(length)])
