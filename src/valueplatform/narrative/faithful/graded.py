"""Figures of grades, read as plain data: what an accepted suggestion promised and what came of it.

What a grade holds is reckoned again from accruals, of all accounts that were compared, by `narrative.grade_check`; no
one account's proof could do it, since it may not read the others. Here is only checked that a number is what the
grade says.
"""

import json
from collections.abc import Iterable
from fractions import Fraction
from typing import Final

from sqlalchemy import text

from valueplatform.core.database import Transaction
from valueplatform.narrative.faithful.leaves import graded_in
from valueplatform.value.derivation import Derivation, Graded

# Amounts in another currency than the account's are in no story.
_GRADES: Final = text("""
    SELECT suggestion_id, horizon, version, body::text AS body FROM suggestion_grade
    WHERE account_id = :account AND suggestion_id = ANY(CAST(:ids AS text[])) AND body ->> 'outcome' = 'measured'
      AND body ->> 'unit' = coalesce(
        (SELECT currency FROM account_currency WHERE account_id = :account ORDER BY effective_from DESC LIMIT 1),
        body ->> 'unit')
""")


async def graded(tx: Transaction, account_id: int, derivations: Iterable[Derivation]) -> dict[Graded, Fraction]:
    """Each figure as the version that it names has it; what that does not have is absent."""
    asked = graded_in(derivations)
    if not asked:
        return {}
    ids = sorted({leaf.suggestion for leaf in asked})
    rows = await tx.rows(_GRADES, {"account": account_id, "ids": ids})
    kept = {(row.suggestion_id, row.horizon, row.version): json.loads(row.body, parse_float=str) for row in rows}
    found = {}
    for leaf in asked:
        grade = kept.get((leaf.suggestion, leaf.horizon, leaf.version), {})
        named = (grade.get("feature"), grade.get("start"), grade.get("end"))
        if named == (leaf.feature, leaf.start.isoformat(), leaf.end.isoformat()) and grade.get(leaf.what) is not None:
            found[leaf] = Fraction(str(grade[leaf.what]))
    return found
