"""What could have been suggested, with which chance and in which place: kept whenever it changes, so that policies can
be compared later on what was shown and what came of it. The policy ranks without chance: what was shown, was shown for
certain.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

import msgspec
from sqlalchemy import text

from valueplatform.core.database import Transaction
from valueplatform.narrative.next_best import Situation, Suggestion
from valueplatform.narrative.next_best_likely import likely_of
from valueplatform.narrative.next_best_model import Fit
from valueplatform.narrative.offers import offers_of
from valueplatform.value.model import ValueModel

POLICY: Final = "expected-net-value-1"
"""Named anew whenever the order of suggestions is made otherwise."""

_LOG: Final = text("""
    INSERT INTO suggestion_log (account_id, logged_at, policy, fit_id, candidates)
    SELECT :account, :now, :policy, :fit, CAST(:candidates AS jsonb)
    WHERE (SELECT candidates FROM suggestion_log WHERE account_id = :account ORDER BY logged_at DESC LIMIT 1)
          IS DISTINCT FROM CAST(:candidates AS jsonb)
    ON CONFLICT DO NOTHING
""")
_LOGGED: Final = text("""
    SELECT logged_at, policy, fit_id, candidates::text AS candidates FROM suggestion_log
    WHERE account_id = :account ORDER BY logged_at
""")


class Candidate(msgspec.Struct, frozen=True):
    """What the account may have and does not use. `rank` None = not shown; `chance` of adoption, None = not known."""

    feature: str
    chance: Decimal | None
    rank: int | None
    expected: Decimal | None


class Logged(msgspec.Struct, frozen=True):
    """What could be suggested from then on, by which policy and fit."""

    logged_at: datetime
    policy: str
    fit_id: int
    candidates: tuple[Candidate, ...]


def candidates_of(
    fitted: Fit, model: ValueModel, situation: Situation, found: Sequence[Suggestion]
) -> tuple[Candidate, ...]:
    """Shown ones by rank, then the others by name."""
    chances = {slug: likely.chance for slug, likely in likely_of(fitted, situation.panel).items()}
    shown = {one.feature: one for one in found}
    others = sorted({one.slug for one in situation.candidates(offers_of(model))} - shown.keys())
    return (
        *(Candidate(one.feature, chances.get(one.feature), one.rank, one.expected) for one in found),
        *(Candidate(slug, chances.get(slug), None, None) for slug in others),
    )


async def log_candidates(
    tx: Transaction, account_id: int, fit_id: int, candidates: Sequence[Candidate], now: datetime
) -> None:
    """Where they are what they were, nothing is written."""
    body = msgspec.json.encode(candidates).decode()
    given = {"account": account_id, "now": now, "policy": POLICY, "fit": fit_id, "candidates": body}
    await tx.execute(_LOG, given)


async def logged(tx: Transaction, account_id: int) -> list[Logged]:
    """Oldest first."""
    return [
        Logged(
            row.logged_at,
            row.policy,
            row.fit_id,
            msgspec.json.decode(row.candidates, type=tuple[Candidate, ...]),
        )
        for row in await tx.rows(_LOGGED, {"account": account_id})
    ]
