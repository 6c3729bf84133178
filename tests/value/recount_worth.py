"""The worth of the types of `worths.MODEL`, from raw events, by code that shares nothing with ours."""

import statistics
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from typing import Any

from sqlalchemy import text

from tests.conftest import Databases
from valueplatform.core.authorization import operator_scope

MONTHS = (3, 4, 5)
PER_MINUTE, PER_OPEN = (1, 2, 3), (1, 2, 4)
"""Low, expected and high, as the model has them."""
Bounds = tuple[Decimal, Decimal, Decimal]


def four(value: Fraction) -> Decimal:
    return (
        Decimal(value.numerator * 10**12 // value.denominator).scaleb(-12).quantize(Decimal("0.0001"), ROUND_HALF_EVEN)
    )


@dataclass
class Recounted:
    """By account key: what time and calls were worth in each month, and what it sent since March."""

    time: dict[str, dict[int, list[Fraction]]] = field(default_factory=dict)
    calls: dict[str, dict[int, list[Fraction]]] = field(default_factory=dict)
    sends: dict[str, set[str]] = field(default_factory=dict)

    def total(self, driver: str, key: str, bound: int = 1) -> Fraction:
        months: dict[int, list[Fraction]] = getattr(self, driver).get(key, {})
        return sum((months[month][bound] for month in MONTHS if month in months), Fraction(0))

    def realized_a_month(self, driver: str) -> Bounds:
        low, expected, high = (
            four(sum((self.total(driver, key, bound) for key in self.sends), Fraction(0)) / 3) for bound in range(3)
        )
        return low, expected, high

    def cohort(self) -> tuple[int, Bounds]:
        """Of tracking.opened and calls: how many peers, and the quartiles of their shares, to nine places."""
        peers = [key for key in self.calls if all(m in self.calls[key] for m in MONTHS) and self.total("time", key) > 0]
        shares = [[self.total("calls", key, b) / self.total("time", key) for key in peers] for b in range(3)]
        cuts = [statistics.quantiles(each, n=4, method="inclusive") for each in shares]
        low, expected, high = (
            Decimal(cut.numerator * 10**15 // cut.denominator).scaleb(-15).quantize(Decimal("1e-9"), ROUND_HALF_EVEN)
            for cut in (cuts[0][0], cuts[1][1], cuts[2][2])
        )
        return len(peers), (low, expected, high)

    def estimates(self) -> dict[str, Bounds]:
        _, rates = self.cohort()
        lacking = [key for key, kinds in self.sends.items() if kinds == {"job.done"}]
        found = {}
        for key in lacking:
            size = Fraction(self.total("time", key))
            low, expected, high = (four(Fraction(rate) * size / 3) for rate in rates)
            found[key] = (low, expected, high)
        return found


async def recount(databases: Databases) -> Recounted:
    query = text("""
        SELECT key, type, (time AT TIME ZONE timezone)::date AS day, data FROM event JOIN account USING (account_id)
    """)
    async with databases.admin.transaction(operator_scope()) as tx:
        rows = await tx.rows(query)
    days: defaultdict[tuple[str, str, date], list[dict[str, Any]]] = defaultdict(list)
    found = Recounted()
    for row in rows:
        days[row.key, row.type, row.day].append(row.data)
        if row.day >= date(2026, 3, 1):
            found.sends.setdefault(row.key, set()).add(row.type)
    for (key, kind, day), data in days.items():
        if kind == "job.done":
            metered = [Fraction(one["minutes"]) for one in data if one.get("channel") == "app" and "minutes" in one]
            saved = len(data) * 10 - sum(metered)
            amounts = sorted(Fraction(saved * rate) for rate in PER_MINUTE)
            _add(found.time, key, day, amounts)
        if kind == "tracking.opened":
            opened = sum(Fraction(one["opens"]) for one in data if "opens" in one)
            if any("opens" in one for one in data):
                _add(found.calls, key, day, sorted(Fraction(opened * rate) for rate in PER_OPEN))
    return found


def _add(into: dict[str, dict[int, list[Fraction]]], key: str, day: date, amounts: list[Fraction]) -> None:
    held = into.setdefault(key, {}).setdefault(day.month, [Fraction(0)] * 3)
    into[key][day.month] = [a + b for a, b in zip(held, amounts, strict=True)]
