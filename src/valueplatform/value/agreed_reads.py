"""Which inputs accounts have validated, read from their records by the worker."""

from collections.abc import Sequence
from datetime import date
from typing import Final

from sqlalchemy import text

from valueplatform.core.database import Transaction
from valueplatform.value.agreed_values import Validated
from valueplatform.value.assumption_record import entries_by_account
from valueplatform.value.assumptions import holding
from valueplatform.value.model import ValueModel
from valueplatform.value.states import State

_SEGMENTS: Final = text(
    "SELECT account_id, segment FROM account WHERE account_id > :after ORDER BY account_id LIMIT :most"
)


async def validated_of(
    tx: Transaction, model: ValueModel, today: date, after: int, most: int
) -> tuple[Sequence[Validated], int | None]:
    """Of the next accounts by id, and the last of them; None where there are no more."""
    rows = await tx.rows(_SEGMENTS, {"after": after, "most": most})
    if not rows:
        return [], None
    slugs = {rate.slug for rate in (*model.assumptions, *model.baselines)}
    records = await entries_by_account(tx, [row.account_id for row in rows])
    found = []
    for row in rows:
        for slug, entries in sorted(records.get(row.account_id, {}).items()):
            held = holding(entries, None, today) if slug in slugs else None
            if held is not None and held.state is State.VALIDATED:
                found.append(Validated(row.account_id, slug, held.unit, row.segment, held.value.expected))
    return found, rows[-1].account_id
