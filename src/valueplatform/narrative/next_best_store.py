"""Fits and suggestions in the database. What a customer decided outlives every fit; what is open follows the newest.

States: open → accepted → done; open or accepted → dismissed; a dismissal or an acceptance may be undone. A dismissed
suggestion comes back after 90 days. An accepted one keeps the numbers that it was accepted with, to be graded by.
"""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final

import msgspec
from sqlalchemy import Row, text

from valueplatform.core.database import Database, Transaction, lock_account
from valueplatform.core.errors import ConflictError, NotFoundError
from valueplatform.core.scope import Scope
from valueplatform.narrative.grade_run import grade_due, read_lived
from valueplatform.narrative.next_best import IN_USE_DAYS, Emptiness, Suggestion, suggest, why_none
from valueplatform.narrative.next_best_correction import Track
from valueplatform.narrative.next_best_data import read_panel, read_situation
from valueplatform.narrative.next_best_log import candidates_of, log_candidates
from valueplatform.narrative.next_best_model import Fit, fit, from_document, to_document
from valueplatform.narrative.offers import offers_of
from valueplatform.value.models import newest_model, stored_model

TRAINED_EVERY: Final = timedelta(days=1)


class State(StrEnum):
    OPEN = "open"
    ACCEPTED = "accepted"
    DONE = "done"
    DISMISSED = "dismissed"


class Decision(StrEnum):
    ACCEPT = "accept"
    DISMISS = "dismiss"
    DONE = "done"
    UNDO = "undo"


_RULES: Final[Mapping[Decision, tuple[State, frozenset[State]]]] = {
    Decision.ACCEPT: (State.ACCEPTED, frozenset({State.OPEN})),
    Decision.DISMISS: (State.DISMISSED, frozenset({State.OPEN, State.ACCEPTED})),
    Decision.DONE: (State.DONE, frozenset({State.OPEN, State.ACCEPTED})),
    Decision.UNDO: (State.OPEN, frozenset({State.ACCEPTED, State.DISMISSED})),
}
"""Where each decision leads, and from where."""


class StoredSuggestion(msgspec.Struct, frozen=True):
    """A suggestion and what became of it. `decided_*` are None while it is open."""

    suggestion: Suggestion
    state: State
    suggested_at: datetime
    decided_at: datetime | None = None
    decided_by: str | None = None


class Advice(msgspec.Struct, frozen=True):
    """All suggestions of an account, open ones first, best first; `empty` says why none is open."""

    suggestions: tuple[StoredSuggestion, ...]
    empty: Emptiness | None = None


_NEWEST_FIT = text("SELECT document::text AS document, fit_id FROM next_best_fit ORDER BY fit_id DESC LIMIT 1")
_TRACKS = text("SELECT (document -> 'tracks')::text FROM next_best_fit ORDER BY fit_id DESC LIMIT 1")
_DUE = text("SELECT NOT EXISTS (SELECT FROM next_best_fit WHERE fitted_at > :before)")
_STORE_FIT = text("INSERT INTO next_best_fit (fitted_at, document) VALUES (:now, CAST(:document AS jsonb))")
# A decision that was taken in the meantime stands.
_STORE = text("""
    INSERT INTO suggestion (account_id, suggestion_id, feature, rank, unit, low, expected, high, state, body,
                            suggested_at)
    VALUES (:account, :id, :feature, :rank, :unit, :low, :expected, :high, 'open', CAST(:body AS jsonb), :now)
    ON CONFLICT (account_id, suggestion_id) DO UPDATE
    SET rank = excluded.rank, unit = excluded.unit, low = excluded.low, expected = excluded.expected,
        high = excluded.high, body = excluded.body, state = 'open', decided_at = NULL, decided_by = NULL,
        suggested_at = CASE suggestion.state WHEN 'open' THEN suggestion.suggested_at ELSE excluded.suggested_at END
    WHERE suggestion.state = 'open' OR (suggestion.state = 'dismissed' AND suggestion.decided_at <= :dismissed_until)
""")
_DROP = text("""
    DELETE FROM suggestion WHERE account_id = :account AND state = 'open' AND suggestion_id <> ALL(:kept)
""")
_SELECT = """
    SELECT suggestion_id, body::text AS body, state, suggested_at, decided_at, decided_by
    FROM suggestion WHERE account_id = :account
"""
_ALL = text(f"{_SELECT} ORDER BY array_position(ARRAY['open', 'accepted', 'done', 'dismissed'], state), rank, feature")
_ONE = text(f"{_SELECT} AND suggestion_id = :id FOR UPDATE")
_DECIDE = text("""
    UPDATE suggestion SET state = :state, decided_at = :at, decided_by = :by
    WHERE account_id = :account AND suggestion_id = :id
""")


async def newest_fit(tx: Transaction) -> Fit | None:
    """The fit in force; None before the first."""
    document = await tx.scalar(_NEWEST_FIT)
    return None if document is None else _read(document)


@lru_cache(maxsize=4)
def _read(document: str) -> Fit:
    """A fit never changes once made, and each account asks for the same one."""
    return from_document(document)


async def newest_tracks(tx: Transaction) -> tuple[Track, ...]:
    """How predictions turned out over all accounts, as of the fit in force."""
    tracks = await tx.scalar(_TRACKS)
    return () if tracks is None else msgspec.json.decode(tracks, type=tuple[Track, ...])


async def is_training_due(tx: Transaction, now: datetime) -> bool:
    """There is a value model, and no fit of the last day."""
    return await stored_model(tx) is not None and bool(await tx.scalar(_DUE, {"before": now - TRAINED_EVERY}))


async def train(worker: Database, scope: Scope, now: datetime) -> Fit:
    """Grade what is due, then fit the model on the accounts in scope and their grades, and put it in force. Raises
    NoModelError before a value model is applied.

    No transaction is open while the model is computed.
    """
    async with worker.transaction(scope) as tx:
        model = await newest_model(tx)
        offers = offers_of(model)
        panel = await read_panel(tx, offers, now)
    await grade_due(worker, scope, model, panel.usage, now)
    async with worker.transaction(scope) as tx:
        lived = await read_lived(tx)
    fitted = await asyncio.to_thread(fit, panel, offers, lived)
    async with worker.transaction(scope) as tx:
        await tx.execute(_STORE_FIT, {"now": now, "document": to_document(fitted).decode()})
    return fitted


async def refresh_suggestions(tx: Transaction, account_id: int, now: datetime) -> tuple[Suggestion, ...]:
    """Compute an account's suggestions by the newest fit and keep them; what was decided stays. Without a fit nothing
    changes."""
    await lock_account(tx, account_id)
    newest = await tx.row(_NEWEST_FIT)
    if newest is None:
        return ()
    fitted, model = from_document(newest.document), await newest_model(tx)
    situation = await read_situation(tx, account_id, model, now)
    found = suggest(fitted, model, situation)
    await log_candidates(tx, account_id, newest.fit_id, candidates_of(fitted, model, situation, found), now)
    await tx.execute(_DROP, {"account": account_id, "kept": [suggestion.id for suggestion in found]})
    for suggestion in found:
        await tx.execute(_STORE, _values(account_id, suggestion, now))
    return found


async def suggestions_of(tx: Transaction, account_id: int) -> tuple[StoredSuggestion, ...]:
    """Open ones first, best first; then accepted, done and dismissed ones."""
    return tuple(_stored(row) for row in await tx.rows(_ALL, {"account": account_id}))


async def advice_of(tx: Transaction, account_id: int, now: datetime) -> Advice:
    """Suggestions as they stand and, where none is open, why."""
    stored = await suggestions_of(tx, account_id)
    if any(one.state is State.OPEN for one in stored):
        return Advice(stored)
    model = await newest_model(tx)
    return Advice(stored, why_none(await newest_fit(tx), model, await read_situation(tx, account_id, model, now)))


async def decide(
    tx: Transaction, account_id: int, suggestion_id: str, decision: Decision, *, by: str, now: datetime
) -> StoredSuggestion:
    """Take a decision; taking it again changes nothing. `by` is the author as the record names people.

    Raises NotFoundError, or ConflictError where the suggestion's state does not allow it.
    """
    row = await tx.row(_ONE, {"account": account_id, "id": suggestion_id})
    if row is None:
        raise NotFoundError(f"There is no suggestion {suggestion_id!r}.")
    stored = _stored(row)
    target, allowed = _RULES[decision]
    if stored.state is target:
        return stored
    if stored.state not in allowed:
        raise ConflictError(
            f"{decision.value.capitalize()} is not possible: suggestion {suggestion_id} is {stored.state.value}; "
            f"it would have to be {' or '.join(sorted(state.value for state in allowed))}.",
            {"state": stored.state.value},
        )
    at, author = (None, None) if target is State.OPEN else (now, by)
    await tx.execute(
        _DECIDE, {"account": account_id, "id": suggestion_id, "state": target.value, "at": at, "by": author}
    )
    return msgspec.structs.replace(stored, state=target, decided_at=at, decided_by=author)


def _values(account_id: int, suggestion: Suggestion, now: datetime) -> dict[str, Any]:
    return {
        "account": account_id,
        "id": suggestion.id,
        "feature": suggestion.feature,
        "rank": suggestion.rank,
        "unit": suggestion.unit,
        "low": suggestion.low,
        "expected": suggestion.expected,
        "high": suggestion.high,
        "body": msgspec.json.encode(suggestion).decode(),
        "now": now,
        "dismissed_until": now - timedelta(days=IN_USE_DAYS),
    }


def _stored(row: Row[Any]) -> StoredSuggestion:
    return StoredSuggestion(
        suggestion=msgspec.json.decode(row.body, type=Suggestion),
        state=State(row.state),
        suggested_at=row.suggested_at,
        decided_at=row.decided_at,
        decided_by=row.decided_by,
    )
