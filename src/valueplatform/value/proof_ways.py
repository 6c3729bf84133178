"""The independent path: how long accounts took, counted again from the record, for `verify`.

Shares nothing with the code that first counted: days come from the tables by other queries, quartiles from the
standard library. Accounts whose value was worked on since the run, or just before, are not held against it, only
against what the figures were made of.
"""

import json
import statistics
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import text

from valueplatform.core.database import Transaction

LEAST: Final = 5
_NEWEST: Final = text("SELECT run, as_of, document::text AS document FROM way_run ORDER BY run DESC LIMIT 1")
_ROWS: Final = text("""
    SELECT w.account_id, w.scope, w.step, w.segment, w.halves, a.timezone FROM way_days w JOIN account a
    USING (account_id) WHERE w.run = :run
""")
_SETTLED: Final = text("""
    SELECT a.account_id, a.timezone,
           (SELECT min(c.start_day) FROM contract c WHERE c.account_id = a.account_id) AS contract,
           (SELECT min(m.at) FROM milestone m WHERE m.account_id = a.account_id AND m.kind = 'go-live') AS live
    FROM account a WHERE a.account_id > 0 AND (a.refreshed_at IS NULL OR a.refreshed_at <= :as_of)
""")
_COUNTED: Final = text("""
    SELECT account_id, min(day) AS first FROM (
        SELECT v.account_id, v.day FROM accrual v JOIN basis b USING (account_id, basis_id)
        LEFT JOIN closed_month c ON c.account_id = v.account_id AND c.month = date_trunc('month', v.day)::date
        WHERE b.counted AND v.expected > 0 AND c.month IS NULL
        UNION ALL
        SELECT p.account_id, p.shown_day FROM posting p JOIN basis b USING (account_id, basis_id)
        WHERE b.counted
        GROUP BY p.account_id, p.driver, p.provider, p.shown_day, b.unit, b.benefit_class, b.evidence, b.state
        HAVING sum(p.expected) > 0
    ) shown GROUP BY account_id
""")


@dataclass(frozen=True, slots=True)
class WayDifference:
    where: str
    stated: str
    recomputed: str


async def check_ways(tx: Transaction) -> tuple[int, list[WayDifference]]:
    """How many figures and days were checked, over all accounts, and those that differ. Days of a run-rate and of
    objectives stand on what is checked as attainment; here they are checked as what figures are made of."""
    newest = await tx.row(_NEWEST)
    if newest is None:
        return 0, []
    rows = await tx.rows(_ROWS, {"run": newest.run})
    stated = dict(_stated(json.loads(newest.document)))
    recomputed = dict(_recomputed(rows))
    count, found = await _check_days(tx, rows, newest.as_of)
    found += [
        WayDifference(where, str(stated.get(where, "none")), str(recomputed.get(where, "none")))
        for where in sorted({*stated, *recomputed})
        if stated.get(where) != recomputed.get(where)
    ]
    return count + len(stated), found


def _stated(document: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    for one in document["figures"]:
        told = None if one["withheld"] else (one["accounts"], one["lower"], one["median"], one["upper"])
        yield _place(one["scope"], one["step"], one["segment"]), told


def _recomputed(rows: Sequence[Any]) -> Iterator[tuple[str, object]]:
    groups: defaultdict[tuple[str, str, str], list[int]] = defaultdict(list)
    for row in rows:
        for segment in {"", row.segment or ""}:
            groups[row.scope, row.step, segment].append(row.halves)
    for key, halves in groups.items():
        whole = sum(map(abs, halves))
        if len(halves) < LEAST or any(2 * abs(one) > whole for one in halves):
            yield _place(*key), None
        else:
            quarters = statistics.quantiles([Fraction(one, 2) for one in halves], n=4, method="inclusive")
            yield _place(*key), (len(halves), *(round(one) for one in quarters))


def _place(scope: str, step: str, segment: str) -> str:
    return f"days to {step} of {scope}, {segment or 'all'}"


async def _check_days(tx: Transaction, rows: Sequence[Any], as_of: datetime) -> tuple[int, list[WayDifference]]:
    """From contract to go-live, and from there to the first day that counts, of accounts as a whole."""
    kept = {(row.account_id, row.step): row.halves for row in rows if row.scope == "account"}
    counted = {row.account_id: row.first for row in await tx.rows(_COUNTED)}
    count, found = 0, []
    for row in await tx.rows(_SETTLED, {"as_of": as_of - timedelta(minutes=1)}):
        zone = ZoneInfo(row.timezone)
        today = as_of.astimezone(zone).date()
        live = row.live.astimezone(zone).date() if row.live is not None and row.live <= as_of else None
        contract = row.contract if row.contract is not None and row.contract <= today else None
        first = counted.get(row.account_id)
        first = first if first is not None and first <= today else None
        for step, before, day in (("go-live", contract, live), ("first-validated-outcome", live, first)):
            count += 1
            said, again = kept.get((row.account_id, step)), _halves(before, day)
            if said != again:
                where = f"days to {step} of account {row.account_id}"
                found.append(WayDifference(where, _days(said), _days(again)))
    return count, found


def _halves(before: date | None, day: date | None) -> int | None:
    return None if before is None or day is None else 2 * (day - before).days


def _days(halves: int | None) -> str:
    return "none" if halves is None else str(Fraction(halves, 2))
