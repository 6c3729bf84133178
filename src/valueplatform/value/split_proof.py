"""Joint amounts shared anew, for `verify`: who agreed is read from the record again, and parts are whole numbers.

Nothing here is shared with `splits.py`. A line holds once all three parties have said yes to the newest proposal of a
driver and a partner, from that day on; it ends where the next begins.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from fractions import Fraction
from typing import Any, NamedTuple

from sqlalchemy import text

from valueplatform.core.database import Transaction

_BILLIONTHS = 10**9
_ENTRIES = text("""
    SELECT entry_id, driver, provider, action, answers, author_side, day,
           (share * 1000000000)::bigint AS share, (supplier_share * 1000000000)::bigint AS ours
    FROM split_entry WHERE account_id = :account ORDER BY entry_id
""")
_AMOUNTS = text("""
    SELECT x.driver, shown, earned, b.unit, b.benefit_class, b.counted, (sum(low) * 10000)::numeric(38, 0) AS low,
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


Lines = Mapping[tuple[str, str], Sequence[tuple[date, int, int]]]
"""Of each driver and partner, from when on which shares of partner and supplier in billionths, in order."""


async def lines_anew(tx: Transaction, account_id: int) -> Lines:
    """Every line that ever held of an account, read from what was said."""
    return _lines(await tx.rows(_ENTRIES, {"account": account_id}))


def is_shared(lines: Lines, driver: str) -> bool:
    """Whether a driver was ever shared."""
    return any(own == driver for own, _ in lines)


def shares_anew(lines: Lines, driver: str, earned: date) -> dict[str, Fraction]:
    """The share of every party that ever had one, of the supplier and of what stays joint; they add up to 1."""
    shares, ours = _held(lines, driver, earned)
    partners = {partner: shares.get(partner, 0) for shared, partner in lines if shared == driver}
    whole = {**partners, "supplier": ours, "joint": _BILLIONTHS - ours - sum(partners.values())}
    return {party: Fraction(share, _BILLIONTHS) for party, share in whole.items()}


def cut_anew(amount: int, lines: Lines, driver: str, earned: date) -> dict[str, int]:
    """A joint amount in ten-thousandths by party, as agreed for the day that it was earned on; they add up to it."""
    shares, ours = _held(lines, driver, earned)
    parts = {partner: _cut_off(amount, share) for partner, share in shares.items()}
    left = amount - sum(parts.values())
    if ours:
        parts["supplier"] = left if sum(shares.values()) + ours == _BILLIONTHS else _cut_off(amount, ours)
        left -= parts["supplier"]
    return {**parts, "joint": left}


def _held(lines: Lines, driver: str, earned: date) -> tuple[dict[str, int], int]:
    """Who has which share on a day, in billionths, and the supplier's."""
    held = {
        partner: [each for each in of if each[0] <= earned][-1:]
        for (shared, partner), of in lines.items()
        if shared == driver
    }
    return {partner: of[0][1] for partner, of in held.items() if of}, sum(of[0][2] for of in held.values() if of)


class PartAnew(NamedTuple):
    """What one party has of what is shown of a joint driver on a day, in ten-thousandths."""

    driver: str
    party: str
    shown: date
    unit: str
    benefit_class: str
    counted: bool
    low: int
    expected: int
    high: int


async def parts_anew(tx: Transaction, account_id: int, start: date, end: date) -> list[PartAnew]:
    """Of the drivers that were ever shared, what is shown on the days of [start, end)."""
    lines = await lines_anew(tx, account_id)
    found = []
    for row in await tx.rows(_AMOUNTS, {"account": account_id, "start": start, "end": end}) if lines else ():
        if is_shared(lines, row.driver):
            bounds = (int(row.low), int(row.expected), int(row.high))
            low, expected, high = (cut_anew(amount, lines, row.driver, row.earned) for amount in bounds)
            found += [
                PartAnew(
                    row.driver, party, row.shown, row.unit, row.benefit_class, row.counted,
                    low.get(party, 0), expected.get(party, 0), high.get(party, 0),
                )
                for party in dict.fromkeys((*low, *expected, *high))
            ]  # fmt: skip
    return found


async def shared_anew(tx: Transaction, account_id: int, start: date, end: date) -> Counter[Place]:
    """Of each place, how many ten-thousandths; only of drivers that were ever shared."""
    found: Counter[Place] = Counter()
    for part in await parts_anew(tx, account_id, start, end):
        for bound in ("low", "expected", "high"):
            found[part.driver, part.party, part.shown, bound] += getattr(part, bound)
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
