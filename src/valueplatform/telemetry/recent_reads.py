"""Which keys send, and the last events of each with what became of them: for pages and the API.

Everything is read within the scope of the transaction: of an account out of it, not even that it sent anything is seen.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from sqlalchemy import Row, text

from valueplatform.core.database import Transaction
from valueplatform.core.errors import NotFoundError
from valueplatform.telemetry.requests import Outcome

LONGEST_SHOWN: Final = 4_000
"""Characters of a body that are read for showing it."""
_MARKED: Final = 50

# A key that is limited to accounts is there for whoever may see one of them.
_KEYS: Final = """
    SELECT k.key_id, k.name, k.provider, k.sources, k.created_at, k.revoked_at,
           (SELECT array_agg(a.key ORDER BY a.key) FROM account a WHERE a.account_id = ANY(k.account_ids)) AS accounts,
           k.account_ids, k.account_ids IS NOT NULL AS limited, last.received_at AS last_at,
           last.outcome AS last_outcome, taken.received_at AS taken_at
      FROM api_key k
      LEFT JOIN LATERAL (SELECT r.received_at, r.outcome FROM recent_event r WHERE r.key_id = k.key_id
                          ORDER BY r.recent_id DESC LIMIT 1) AS last ON true
      LEFT JOIN LATERAL (SELECT r.received_at FROM recent_event r
                          WHERE r.key_id = k.key_id AND r.outcome <> 'rejected'
                          ORDER BY r.recent_id DESC LIMIT 1) AS taken ON true
     WHERE k.kind = 'ingest'
"""
_ALL_KEYS: Final = text(f"{_KEYS} ORDER BY k.revoked_at IS NOT NULL, k.created_at DESC, k.key_id")
_ONE_KEY: Final = text(f"{_KEYS} AND k.key_id = :key")
_EVENTS: Final = text("""
    SELECT r.recent_id, r.origin, r.outcome, r.source, r.id, r.type, r.day, r.time, r.provider, r.code, r.message,
           r.meters, r.received_at, a.key AS account, e.event_key IS NOT NULL AS at_hand, e.subject,
           e.data::text AS data, x.rejected_id, x.replayed_at,
           left(coalesce(x.body, c.body::text), :longest) AS body
      FROM recent_event r
      LEFT JOIN account a ON a.account_id = r.account_id
      LEFT JOIN event e ON r.outcome IN ('stored', 'duplicate') AND e.account_id = r.account_id AND e.type = r.type
                       AND e.utc_day = (r.time AT TIME ZONE 'UTC')::date AND e.event_key = r.event_key
      LEFT JOIN event_conflict c ON r.outcome = 'conflict' AND c.account_id = r.account_id
                                AND c.event_key = r.event_key AND c.body_hash = r.content_hash
      LEFT JOIN LATERAL (SELECT x.rejected_id, x.replayed_at, x.body FROM rejected_event x
                          WHERE r.outcome = 'rejected' AND x.content_hash = r.content_hash AND x.key_id = r.key_id
                          ORDER BY x.rejected_id DESC LIMIT 1) AS x ON true
     WHERE r.key_id = :key AND r.recent_id < :before
       AND (CAST(:outcome AS text) IS NULL OR r.outcome = :outcome)
     ORDER BY r.recent_id DESC LIMIT :limit
""")
_COUNTS: Final = text("SELECT outcome, count(*) AS events FROM recent_event WHERE key_id = :key GROUP BY outcome")
# Numbers are given before a transaction commits, so a greater newest one is not the only sign of news.
_MARK: Final = text("""
    SELECT string_agg(recent_id::text, ',') FROM
        (SELECT recent_id FROM recent_event WHERE key_id = :key ORDER BY recent_id DESC LIMIT :limit) AS newest
""")
_AFTER_ALL: Final = 2**63 - 1


class IngestKey(msgspec.Struct, frozen=True):
    """A key that products send with. `accounts` and `sources` None = any. `last_at` is when its newest event that is
    remembered came, `taken_at` when the newest did that was not rejected; None = none ever."""

    key_id: UUID
    name: str
    provider: str
    accounts: Sequence[str] | None
    sources: Sequence[str] | None
    created_at: datetime
    revoked_at: datetime | None
    last_at: datetime | None
    last_outcome: Outcome | None
    taken_at: datetime | None
    account_ids: Sequence[int] | None = None


class RecentEvent(msgspec.Struct, frozen=True):
    """`meters` are those that read it when it came. `subject` and `data` are those of the stored event, where it is
    still at hand; `body` is what was sent of one that was rejected or in conflict, cut to `LONGEST_SHOWN`."""

    recent_id: int
    received_at: datetime
    origin: str
    outcome: Outcome
    source: str | None
    id: str | None
    type: str | None
    account: str | None
    day: date | None
    time: datetime | None
    provider: str | None
    code: str | None
    message: str | None
    meters: Sequence[str]
    at_hand: bool
    subject: str | None
    data: str | None
    body: str | None
    rejected_id: int | None
    replayed_at: datetime | None


async def ingest_keys(tx: Transaction) -> list[IngestKey]:
    """The keys in scope, newest first, the revoked ones last."""
    found = [_key(tx, row) for row in await tx.rows(_ALL_KEYS)]
    return [key for key in found if key is not None]


async def ingest_key(tx: Transaction, key_id: UUID) -> IngestKey:
    """Raises NotFoundError, also for a key whose accounts are all out of scope."""
    row = await tx.row(_ONE_KEY, {"key": key_id})
    found = None if row is None else _key(tx, row)
    if found is None:
        raise NotFoundError(f"There is no ingest key {key_id}.")
    return found


def _key(tx: Transaction, row: Row[Any]) -> IngestKey | None:
    if row.limited and not any(tx.scope.covers(account_id) for account_id in row.account_ids):
        return None
    return IngestKey(
        row.key_id,
        row.name,
        row.provider,
        (row.accounts or []) if row.limited else None,
        row.sources,
        row.created_at,
        row.revoked_at,
        row.last_at,
        None if row.last_outcome is None else Outcome(row.last_outcome),
        row.taken_at,
        row.account_ids,
    )


async def recent_events(
    tx: Transaction, key_id: UUID, *, outcome: Outcome | None = None, before: int | None = None, limit: int
) -> list[RecentEvent]:
    """The newest first, from before one of them."""
    where = {
        "key": key_id,
        "outcome": None if outcome is None else outcome.value,
        "before": _AFTER_ALL if before is None else before,
        "limit": limit,
        "longest": LONGEST_SHOWN,
    }
    rows = await tx.rows(_EVENTS, where)
    return [RecentEvent(**{**row._asdict(), "outcome": Outcome(row.outcome)}) for row in rows]


async def recent_counts(tx: Transaction, key_id: UUID) -> Mapping[Outcome, int]:
    """How many of each outcome are remembered."""
    held = {Outcome(row.outcome): row.events for row in await tx.rows(_COUNTS, {"key": key_id})}
    return {outcome: held.get(outcome, 0) for outcome in Outcome}


async def recent_mark(tx: Transaction, key_id: UUID) -> str:
    """Another text whenever the newest events of the key are others."""
    return str(await tx.scalar(_MARK, {"key": key_id, "limit": _MARKED}) or "")
