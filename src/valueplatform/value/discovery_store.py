"""Proposals and what was decided of them, in the database: found anew by the worker, decisions appended by whoever
decides. The newest decision holds; a suggestion decides nothing."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

import msgspec
from sqlalchemy import Row, text

from valueplatform.core.database import Transaction
from valueplatform.core.errors import NotFoundError
from valueplatform.value.discovery import Parts, Proposal, changed_much

_ALL: Final = """
    SELECT p.proposal_id, p.document::text AS document, p.place, p.as_of, p.found, p.counted, p.total FROM proposal p
"""
_LIST: Final = text(f"{_ALL} ORDER BY p.place, p.proposal_id")
_ONE: Final = text(f"{_ALL} WHERE p.proposal_id = :id")
_DECISIONS: Final = text("""
    SELECT proposal_id, entry_id, action, author, at, reason, parts::text AS parts, before::text AS before,
           document::text AS document, revision
    FROM proposal_decision WHERE CAST(:id AS text) IS NULL OR proposal_id = :id ORDER BY entry_id
""")
_PUT: Final = text("""
    INSERT INTO proposal (proposal_id, document, place, as_of, found)
    SELECT given.id, given.document, given.place, :as_of, true
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS given (id text, document jsonb, place integer)
    ON CONFLICT (proposal_id) DO UPDATE SET document = excluded.document, place = excluded.place,
        as_of = excluded.as_of, found = true
""")
_GONE: Final = (
    text("UPDATE proposal SET found = false WHERE NOT proposal_id = ANY(CAST(:ids AS text[])) AND found"),
    text("""
        DELETE FROM proposal p WHERE NOT p.found
            AND NOT EXISTS (SELECT FROM proposal_decision d WHERE d.proposal_id = p.proposal_id)
    """),
)
_DECIDE: Final = text("""
    INSERT INTO proposal_decision (proposal_id, action, author, at, reason, parts, before, document, revision)
    VALUES (:id, :action, :author, :at, :reason, CAST(:parts AS jsonb), CAST(:before AS jsonb),
            CAST(:document AS jsonb), :revision)
""")
_LOCK: Final = text("SELECT pg_advisory_xact_lock(hashtextextended('proposal ' || :id, 0))")
_PROGRESS: Final = text("UPDATE proposal SET counted = :counted, total = :total WHERE proposal_id = :id")
_VERSION: Final = text("""
    SELECT concat_ws(' ', (SELECT max(as_of) FROM proposal), (SELECT max(entry_id) FROM proposal_decision),
                     (SELECT sum(counted) FROM proposal), (SELECT max(revision) FROM model_revision))
""")


class Act(StrEnum):
    """What can be said of a proposal."""

    SUGGESTED = "suggested"
    """To whoever may change the model."""
    ACCEPTED = "accepted"
    """To be put in force, as edited: the worker counts its meters first."""
    APPLIED = "applied"
    REFUSED = "refused"
    """The model would not take it, for the reason given."""
    REJECTED = "rejected"
    WITHDRAWING = "withdrawing"
    """To be taken out of the model again."""
    WITHDRAWN = "withdrawn"
    KEPT = "kept"
    """It could not be taken out, for the reason given."""


class State(StrEnum):
    OPEN = "open"
    ACCEPTED = "accepted"
    """Meters are being counted, or about to be."""
    IN_FORCE = "in-force"
    REJECTED = "rejected"
    WITHDRAWING = "withdrawing"
    WITHDRAWN = "withdrawn"


_STATES: Final = {
    Act.ACCEPTED: State.ACCEPTED,
    Act.APPLIED: State.IN_FORCE,
    Act.KEPT: State.IN_FORCE,
    Act.REFUSED: State.OPEN,
    Act.REJECTED: State.REJECTED,
    Act.WITHDRAWING: State.WITHDRAWING,
    Act.WITHDRAWN: State.WITHDRAWN,
}


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """`parts` are what was accepted, as edited; `before` what stood in the place of these; `revision` of the model."""

    action: Act
    author: str
    at: datetime
    reason: str = ""
    parts: Parts | None = None
    before: Parts | None = None
    revision: int | None = None
    entry_id: int = 0


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A proposal with its state. `found`: the last look made it again. `counted` of `total` events are behind it while
    its meters are counted."""

    id: str
    proposal: Proposal
    state: State
    as_of: datetime
    found: bool
    counted: int | None
    total: int | None
    decisions: tuple[Decision, ...]

    @property
    def last(self) -> Decision | None:
        """What decided its state, if anything did."""
        return next((one for one in reversed(self.decisions) if one.action in _STATES), None)

    @property
    def accepted_parts(self) -> Parts:
        """As accepted, else as proposed."""
        held = (one.parts for one in reversed(self.decisions) if one.action is Act.ACCEPTED and one.parts)
        return next(held, self.proposal.parts)


async def proposals(tx: Transaction) -> list[Kept]:
    """All that are kept, by their order."""
    held: dict[str, list[Row[Any]]] = {}
    for row in await tx.rows(_DECISIONS, {"id": None}):
        held.setdefault(row.proposal_id, []).append(row)
    return [_kept(row, held.get(row.proposal_id, ())) for row in await tx.rows(_LIST)]


async def proposal_of(tx: Transaction, proposal_id: str, *, lock: bool = False) -> Kept:
    """Raises NotFoundError. `lock`: nobody else decides of it meanwhile."""
    if "\0" not in proposal_id:
        if lock:
            await tx.scalar(_LOCK, {"id": proposal_id})
        row = await tx.row(_ONE, {"id": proposal_id})
        if row is not None:
            return _kept(row, await tx.rows(_DECISIONS, {"id": proposal_id}))
    raise NotFoundError(f"There is no proposal {proposal_id!r}; GET /api/v1/proposals lists them.")


async def keep(tx: Transaction, found: Sequence[Proposal], as_of: datetime) -> None:
    """Put what was found, in this order, in the place of what was found before; what was decided stays."""
    rows = [{"id": one.id, "document": one, "place": place} for place, one in enumerate(found)]
    await tx.execute(_PUT, {"rows": msgspec.json.encode(rows).decode(), "as_of": as_of})
    for statement in _GONE:
        await tx.execute(statement, {"ids": [one.id for one in found]} if statement is _GONE[0] else {})


async def decide(tx: Transaction, kept: Kept, made: Decision) -> None:
    """Append a decision, with the proposal as it was then."""
    await tx.execute(
        _DECIDE,
        {
            "id": kept.id,
            "action": made.action.value,
            "author": made.author,
            "at": made.at,
            "reason": made.reason,
            "parts": None if made.parts is None else msgspec.json.encode(made.parts).decode(),
            "before": None if made.before is None else msgspec.json.encode(made.before).decode(),
            "document": msgspec.json.encode(kept.proposal).decode(),
            "revision": made.revision,
        },
    )


async def tell_progress(tx: Transaction, proposal_id: str, counted: int | None, total: int | None) -> None:
    await tx.execute(_PROGRESS, {"id": proposal_id, "counted": counted, "total": total})


async def proposals_version(tx: Transaction) -> str:
    """Another whenever something of the list is."""
    return str(await tx.scalar(_VERSION))


def _kept(row: Row[Any], decided: Sequence[Row[Any]]) -> Kept:
    proposal = msgspec.json.decode(row.document, type=Proposal)
    decisions = tuple(_decision(one) for one in decided)
    return Kept(
        id=row.proposal_id,
        proposal=proposal,
        state=_state(proposal, decided),
        as_of=row.as_of,
        found=row.found,
        counted=row.counted,
        total=row.total,
        decisions=decisions,
    )


def _state(proposal: Proposal, decided: Sequence[Row[Any]]) -> State:
    """A rejected one is open again once its evidence changed much."""
    last = next((row for row in reversed(decided) if Act(row.action) in _STATES), None)
    if last is None:
        return State.OPEN
    state = _STATES[Act(last.action)]
    if state is State.REJECTED:
        then = msgspec.json.decode(last.document, type=Proposal)
        return State.OPEN if changed_much(then.evidence, proposal.evidence) else state
    return state


def _decision(row: Row[Any]) -> Decision:
    return Decision(
        entry_id=row.entry_id,
        action=Act(row.action),
        author=row.author,
        at=row.at,
        reason=row.reason,
        parts=None if row.parts is None else msgspec.json.decode(row.parts, type=Parts),
        before=None if row.before is None else msgspec.json.decode(row.before, type=Parts),
        revision=row.revision,
    )
