"""`verify`, the part of statements: each against its digest, and against postings summed by the database.

Shares nothing with the value read. What joint drivers' splits divide is compared in sum over providers.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime, time, timedelta
from fractions import Fraction
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import text

from valueplatform.core.database import Transaction
from valueplatform.value.verify import Discrepancy

_STATED: Final = text("SELECT * FROM value_statement WHERE account_id = :account ORDER BY statement_id")
_POSTED: Final = text("""
    SELECT p.driver, b.unit, b.benefit_class, date_trunc('month', p.shown_day)::date AS month,
           sum(p.expected) AS realized, sum(CASE WHEN b.counted THEN p.expected ELSE 0 END) AS counted
    FROM posting p JOIN basis b USING (account_id, basis_id)
    WHERE account_id = :account AND p.posted_at < :until AND p.shown_day >= :first AND p.shown_day < :end
    GROUP BY 1, 2, 3, 4
""")
_Place = tuple[str, str, str, str]


async def check_statements(tx: Transaction, account_id: int, timezone: str) -> tuple[int, list[Discrepancy]]:
    """How many amounts were compared, and what differs."""
    count, found = 0, []
    for row in await tx.rows(_STATED, {"account": account_id}):
        digest = hashlib.sha256(row.document.encode()).hexdigest()
        if digest != row.digest:
            found.append(Discrepancy("statement", f"{row.statement_id}, digest", row.digest, digest))
        stated = _stated(json.loads(row.document))
        until = datetime.combine(row.as_of + timedelta(days=1), time(), ZoneInfo(timezone))
        where = {"account": account_id, "until": until, "first": row.period_from, "end": row.period_to}
        posted = {
            (one.driver, one.unit, one.benefit_class, max(one.month, row.period_from).isoformat()): (
                Fraction(one.realized),
                Fraction(one.counted),
            )
            for one in await tx.rows(_POSTED, where)
        }
        for place in sorted(stated.keys() | posted.keys()):
            count += 1
            said, held = stated.get(place, (Fraction(0),) * 2), posted.get(place, (Fraction(0),) * 2)
            if said != held:
                where_ = f"{row.statement_id}, {', '.join(place)}"
                found.append(Discrepancy("statement", where_, _words(said), _words(held)))
    return count, found


def _stated(document: Mapping[str, Any]) -> dict[_Place, tuple[Fraction, Fraction]]:
    found: dict[_Place, tuple[Fraction, Fraction]] = {}
    for row in document["rows"]:
        place = row["driver"], row["unit"], row["benefit_class"], row["window_start"]
        realized, counted = found.get(place, (Fraction(0), Fraction(0)))
        found[place] = realized + Fraction(row["realized"]), counted + Fraction(row["counted"])
    return found


def _words(amounts: tuple[Fraction, Fraction]) -> str:
    return f"{amounts[0]}, counted {amounts[1]}"
