"""Joint amounts shared anew, for `verify`: who agreed is read from the record again, and parts are whole numbers.

Nothing here is shared with `splits.py`. A line holds once all three parties have said yes to the newest proposal of a
driver and a partner, from that day on; it ends where the next begins.
"""

from collections import Counter
from datetime import date
from typing import Any

from sqlalchemy import text

from valueplatform.core.database import Transaction

_BILLIONTHS = 10**9
_ENTRIES = text("""
    SELECT entry_id, driver, provider, action, answers, author_side, day,
           (share * 1000000000)::bigint AS share, (supplier_share * 1000000000)::bigint AS ours
    FROM split_entry WHERE account_id = :account ORDER BY entry_id
""")
_AMOUNTS = text("""
    SELECT x.driver, shown, earned, (sum(low) * 10000)::numeric(38, 0) AS low,
           (sum(expected) * 10000)::numeric(38, 0) AS expected, (sum(high) * 10000)::numeric(38, 0) AS high
    FROM (SELECT driver, day AS shown, day AS earned, basis_id, low, expected, high FROM accrual
          WHERE account_id = :account AND provider = 'joint' AND expected IS NOT NULL
            AND date_trunc('month', day)::date NOT IN (SELECT month FROM closed_month WHERE account_id = :account)
          UNION ALL
          SELECT driver, shown_day, day, basis_id, low, expected, high FROM posting
          WHERE account_id = :account AND provider = 'joint') x
    JOIN basis b ON b.account_id = :account AND b.basis_id = x.basis_id
    WHERE shown >= :start AND shown < :end
    GROUP BY x.driver, shown, earned, b.unit, b.benefit_class, b.evidence, b.state, b.counted
""")

Place = tuple[str, str, date, str]
"""Driver, party, day shown, bound."""


async def shared_anew(tx: Transaction, account_id: int, start: date, end: date) -> Counter[Place]:
    """Of each place, how many ten-thousandths; only of drivers that were ever shared."""
    lines = _lines(await tx.rows(_ENTRIES, {"account": account_id}))
    found: Counter[Place] = Counter()
    for row in await tx.rows(_AMOUNTS, {"account": account_id, "start": start, "end": end}):
        if not any(driver == row.driver for driver, _ in lines):
            continue
        held = {
            partner: [each for each in of if each[0] <= row.earned][-1:]
            for (driver, partner), of in lines.items()
            if driver == row.driver
        }
        shares = {partner: of[0][1] for partner, of in held.items() if of}
        ours = sum(of[0][2] for of in held.values() if of)
        for bound in ("low", "expected", "high"):
            amount = int(getattr(row, bound))
            left = amount
            for partner, share in shares.items():
                part = _cut_off(amount, share)
                found[row.driver, partner, row.shown, bound] += part
                left -= part
            if ours:
                mine = left if sum(shares.values()) + ours == _BILLIONTHS else _cut_off(amount, ours)
                found[row.driver, "supplier", row.shown, bound] += mine
                left -= mine
            found[row.driver, "joint", row.shown, bound] += left
    return found


def _cut_off(amount: int, billionths: int) -> int:
    part = abs(amount) * billionths // _BILLIONTHS
    return part if amount > 0 else -part


def _lines(rows: Any) -> dict[tuple[str, str], list[tuple[date, int, int]]]:
    """Of each driver and partner, from when on which shares, in the order in which they came to hold."""
    said_yes: dict[int, set[str]] = {}
    proposals: dict[int, Any] = {}
    found: dict[tuple[str, str], list[tuple[date, int, int]]] = {}
    latest: dict[str, date] = {}
    for row in rows:
        if row.action == "propose":
            proposals[row.entry_id], said_yes[row.entry_id] = row, {row.author_side}
        elif row.action == "agree":
            said_yes[row.answers].add(row.author_side)
            if len(said_yes[row.answers]) == len({"customer", "supplier", "partner"}):
                one = proposals[row.answers]
                day = latest[one.driver] = max(row.day, latest.get(one.driver, row.day))
                found.setdefault((one.driver, one.provider), []).append((day, one.share, one.ours))
    return found
