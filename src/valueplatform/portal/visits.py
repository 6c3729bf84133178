"""What a reader saw before this visit, so that a page can tell what has changed since.

Loads of one page within half an hour are one visit, and so is the whole time that it stays open.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import text

from valueplatform.core.database import Transaction
from valueplatform.narrative.document import Audience

NEW_VISIT_AFTER: Final = timedelta(minutes=30)
WORTH_WRITING: Final = timedelta(minutes=5)
"""A visit that goes on is noted this often."""

_READ: Final = text("""
    SELECT version, visited_at, before_version, before_at FROM visit
    WHERE account_id = :account AND user_id = :user AND audience = :audience
""")
# A visit that is forgotten in a crash is no loss; waiting for the disk would be.
_SOON_ENOUGH: Final = text("SET LOCAL synchronous_commit TO off")
_WRITE: Final = text("""
    INSERT INTO visit (account_id, user_id, audience, version, visited_at)
    VALUES (:account, :user, :audience, :version, :now)
    ON CONFLICT (account_id, user_id, audience) DO UPDATE
    SET before_version = CASE WHEN visit.visited_at < :ended THEN visit.version ELSE visit.before_version END,
        before_at = CASE WHEN visit.visited_at < :ended THEN visit.visited_at ELSE visit.before_at END,
        version = excluded.version, visited_at = excluded.visited_at
    RETURNING before_version, before_at
""")


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads which account's story."""

    account_id: int
    user_id: int
    audience: Audience = Audience.CUSTOMER


@dataclass(frozen=True, slots=True)
class Before:
    """The version that was seen at the end of the visit before, and when that was."""

    version: int
    at: datetime


async def note_visit(tx: Transaction, reader: Reader, version: int, now: datetime) -> Before | None:
    """Keep that the reader sees this version now. What was seen before this visit; None on the first."""
    where = {"account": reader.account_id, "user": reader.user_id, "audience": reader.audience.value}
    row = await tx.row(_READ, where)
    if row is None or row.version != version or now - row.visited_at > WORTH_WRITING:
        await tx.execute(_SOON_ENOUGH)
        row = await tx.row(_WRITE, where | {"version": version, "now": now, "ended": now - NEW_VISIT_AFTER})
    if row is None or row.before_version is None:
        return None
    return Before(row.before_version, row.before_at)
