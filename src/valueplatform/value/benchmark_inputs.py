"""What cohorts are made of, read from the record by the worker, driver by driver."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final

import msgspec
from sqlalchemy import text

from valueplatform.core.database import Transaction
from valueplatform.value.benchmark import Member
from valueplatform.value.worth_store import newest

# What is no positive number tells no scale.
_MEMBERS: Final = text("""
    SELECT account_id, driver, unit, benefit_class, segment, total, nullif(scale, 0) AS scale FROM (
        SELECT r.account_id, r.driver, r.unit, r.benefit_class, a.segment, r.expected AS total,
               CASE WHEN a.attributes ->> CAST(:scale AS text) ~ '^[0-9]{1,18}([.][0-9]{1,9})?$'
                    THEN CAST(a.attributes ->> CAST(:scale AS text) AS numeric) END AS scale
        FROM catalog_realized r JOIN account a ON a.account_id = r.account_id
        WHERE r.run = :run AND r.driver = :driver
          AND cardinality(r.by_month) = :months AND array_position(r.by_month, NULL) IS NULL
    ) own ORDER BY account_id, unit
""")


class Ground(msgspec.Struct, frozen=True):
    """The amounts that accounts are compared by: those that the worth of event types was made from."""

    run: int
    months: tuple[date, ...]
    as_of: datetime


async def ground_of(tx: Transaction) -> Ground | None:
    """None before amounts of months were summed up."""
    stored = await newest(tx)
    return None if stored is None else Ground(stored.run, stored.estimates.months, stored.as_of)


async def members_of(tx: Transaction, ground: Ground, driver: str, scale: str | None) -> Sequence[Member]:
    """Accounts that had an amount of the driver in every month."""
    asked = {"run": ground.run, "driver": driver, "months": len(ground.months), "scale": scale}
    return [
        Member(row.account_id, row.driver, row.unit, row.benefit_class, row.segment, row.total, row.scale)
        for row in await tx.rows(_MEMBERS, asked)
    ]
