"""Attainment by separate arithmetic, for `verify`: sums of the database over whole months, against what is stated.

Shares nothing with `attainment`, `plans` and `plan_terms` but the shape of what is compared.
"""

from collections import Counter
from datetime import date, datetime, time, timedelta
from fractions import Fraction
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import text

from valueplatform.core.database import Transaction
from valueplatform.value.attainment import Attainment
from valueplatform.value.verify import Discrepancy

_BOTH: Final = text("""
    WITH done AS (
        SELECT month FROM closed_month WHERE account_id = :account AND closed_at < :until AND month >= :first
           AND month <= :day
    ), sworn AS (
        SELECT customer.plan_id, customer.version FROM plan_signature customer
        JOIN plan_signature supplier USING (account_id, plan_id, version, digest)
        WHERE account_id = :account AND customer.side = 'customer' AND supplier.side = 'supplier'
          AND customer.signed_at < :until AND supplier.signed_at < :until
    ), said AS (
        SELECT plan_id, driver, month, expected,
               row_number() OVER (PARTITION BY plan_id, objective_id, driver, month ORDER BY version DESC) AS back
        FROM plan_target WHERE account_id = :account AND known_at < :until
    ), promised AS (
        SELECT driver, sum(expected) AS amount FROM said
        WHERE back = 1 AND expected IS NOT NULL AND month IN (SELECT month FROM done)
          AND (plan_id IN (SELECT plan_id FROM sworn)
               OR plan_id NOT IN (SELECT plan_id FROM plan_terms WHERE account_id = :account AND known_at < :until))
          AND NOT EXISTS (SELECT FROM plan_terms r JOIN sworn USING (plan_id, version)
                          WHERE r.account_id = :account AND said.plan_id = ANY(r.replaces)
                            AND said.month >= r.from_month)
        GROUP BY driver
    ), come AS (
        SELECT p.driver, b.unit, b.benefit_class, sum(p.expected) AS amount
        FROM posting p JOIN basis b USING (account_id, basis_id)
        WHERE account_id = :account AND p.posted_at < :until AND b.counted
          AND date_trunc('month', p.shown_day)::date IN (SELECT month FROM done)
        GROUP BY 1, 2, 3
    )
    SELECT driver, come.amount AS come, promised.amount AS promised,
           count(*) OVER (PARTITION BY driver) AS parts
    FROM come FULL JOIN promised USING (driver)
""")


async def check_attainment(
    tx: Transaction, account_id: int, timezone: str, stated: Attainment
) -> tuple[int, list[Discrepancy]]:
    """How many ratios of drivers were recomputed at every point, and those that differ. `stated` is of whole months and
    all providers. A driver whose unit or class changed is in parts, and its parts are left to the sums."""
    count, found = 0, []
    first = stated.period.start.replace(day=1)
    for point in stated.points:
        next_day = datetime.combine(point.as_of + timedelta(days=1), time(), ZoneInfo(timezone))
        where = {"account": account_id, "until": next_day, "first": first, "day": point.as_of}
        rows = await tx.rows(_BOTH, where)
        of_drivers = [line for line in point.lines if line.scope == "driver"]
        names = Counter(line.name for line in of_drivers)
        split = {row.driver for row in rows if row.parts > 1} | {name for name in names if names[name] > 1}
        recomputed, said = {row.driver: row for row in rows}, {line.name: line for line in of_drivers}
        for driver in sorted((recomputed.keys() | said.keys()) - split):
            count += 1
            row, line = recomputed.get(driver), said.get(driver)
            before = None if line is None else (line.realized, line.committed_expected, line.attainment)
            after = None if row is None else (row.come or 0, row.promised, _ratio(row.come or 0, row.promised))
            if before != after:
                found.append(Discrepancy("attainment", f"{driver}, {_day(point.as_of)}", f"{before}", f"{after}"))
    return count, found


def _ratio(come: object, promised: object) -> Fraction | None:
    """Rounded half-even to six places, by whole numbers."""
    if promised is None or Fraction(str(promised)) <= 0:
        return None
    millionths = Fraction(str(come)) / Fraction(str(promised)) * 1_000_000
    return Fraction(round(millionths), 1_000_000)


def _day(day: date) -> str:
    return f"as known on {day}"
