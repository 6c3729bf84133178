"""The value steward of an account: one seat, all stages."""

from typing import Final

import msgspec
from sqlalchemy import text

from valueplatform.core.database import Transaction

# The account's own attribute decides; else whoever is a steward of this very account, the longest-serving first.
_STEWARD = text("""
    SELECT u.email, u.name FROM app_user u, account a
    WHERE a.account_id = :account AND u.role = 'steward' AND u.disabled_at IS NULL
      AND (u.account_ids IS NULL OR a.account_id = ANY(u.account_ids))
    ORDER BY u.email = lower(a.attributes->>'steward') DESC NULLS LAST, u.account_ids IS NULL, u.user_id
    LIMIT 1
""")

OF_STEWARD: Final = """
    SELECT a.account_id FROM account a CROSS JOIN LATERAL (
        SELECT u.user_id FROM app_user u
        WHERE u.role = 'steward' AND u.disabled_at IS NULL
          AND (u.account_ids IS NULL OR a.account_id = ANY(u.account_ids))
        ORDER BY u.email = lower(a.attributes->>'steward') DESC NULLS LAST, u.account_ids IS NULL, u.user_id
        LIMIT 1) AS steward
    WHERE a.account_id > 0 AND steward.user_id = :user
"""
"""A query: the accounts of one steward, decided as above."""


class Steward(msgspec.Struct, frozen=True):
    email: str
    name: str


async def steward_of(tx: Transaction, account_id: int) -> Steward | None:
    """None where nobody is a steward of the account."""
    row = await tx.row(_STEWARD, {"account": account_id})
    return Steward(row.email, row.name) if row else None
