"""Story pages that are open just now: the worker serves their accounts first."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import text

from valueplatform.core.database import Transaction

FORGOTTEN_AFTER: Final = timedelta(hours=1)
_SOON_ENOUGH: Final = text("SET LOCAL synchronous_commit TO off")
# A page whose process died is forgotten with the next one of its account.
_FORGET: Final = text("DELETE FROM open_page WHERE account_id = :account AND seen_at < :before")
_SEEN: Final = text("""
    INSERT INTO open_page (account_id, page_id, seen_at) VALUES (:account, :page, :now)
    ON CONFLICT (account_id, page_id) DO UPDATE SET seen_at = excluded.seen_at
""")
_CLOSED: Final = text("DELETE FROM open_page WHERE account_id = :account AND page_id = :page")


async def keep_open(tx: Transaction, account_id: int, page_id: UUID, now: datetime) -> None:
    await tx.execute(_SOON_ENOUGH)
    await tx.execute(_FORGET, {"account": account_id, "before": now - FORGOTTEN_AFTER})
    await tx.execute(_SEEN, {"account": account_id, "page": page_id, "now": now})


async def close_page(tx: Transaction, account_id: int, page_id: UUID) -> None:
    await tx.execute(_CLOSED, {"account": account_id, "page": page_id})
