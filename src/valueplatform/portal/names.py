"""What people are called: as their account knows them, else as they sign in."""

from collections.abc import Iterable
from typing import Final

from sqlalchemy import text

from valueplatform.core.database import Transaction

_NAMES: Final = text("""
    SELECT DISTINCT ON (email) email, name FROM (
        SELECT email, name, 1 AS source FROM person WHERE account_id = :account AND email = ANY(:emails)
        UNION ALL
        SELECT email, name, 2 FROM app_user WHERE email = ANY(:emails)
    ) AS known ORDER BY email, source
""")


async def names_of(tx: Transaction, account_id: int, emails: Iterable[str]) -> dict[str, str]:
    """Names by e-mail address; who is nobody here is absent (keys of machines, people who have left)."""
    where = {"account": account_id, "emails": sorted(set(emails))}
    return {row.email: row.name for row in await tx.rows(_NAMES, where)}
