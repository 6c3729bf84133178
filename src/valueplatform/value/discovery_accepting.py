"""Putting what was accepted in force, and taking it out again: through the same check as a model file, as a revision of
the model, its meters counted over history while events come in (`applying`).

Who decides writes a decision; the worker acts on it, since counting may take long, and writes how it ended.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final, Self

import msgspec
from sqlalchemy import text

from valueplatform.core.clock import Clock
from valueplatform.core.database import Database, Transaction
from valueplatform.core.errors import ConflictError, InvalidInputError, ProblemError
from valueplatform.core.scope import Scope
from valueplatform.telemetry.history import MeanwhileError
from valueplatform.telemetry.meters import Meter
from valueplatform.value.applying import apply_counted
from valueplatform.value.discovery import Parts, Proposal
from valueplatform.value.discovery_store import (
    Act,
    Decision,
    Kept,
    State,
    decide,
    proposal_of,
    proposals,
    tell_progress,
)
from valueplatform.value.model import (
    FIELD_OF_KIND,
    Assumption,
    Baseline,
    Definition,
    Driver,
    SegmentRate,
    ValueModel,
)
from valueplatform.value.model_check import errors_in
from valueplatform.value.model_reader import NAME
from valueplatform.value.model_versions import Change, diff, revise
from valueplatform.value.models import newest_model
from valueplatform.value.ranges import Range

WORKER: Final = "worker"
# One at a time: the letters "vp propo".
_LOCK: Final = 0x7670_2070_726F_706F
_TRY_LOCK: Final = text("SELECT pg_try_advisory_xact_lock(:lock)")
LONGEST_REASON: Final = 1000
LONGEST_TITLE: Final = 200
REPORTED: Final = 1.0
"""Seconds between two reports of how far counting has come."""


class Edits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a person changes of a proposal; None leaves it. `slug` and `title` are of what the proposal is about, and
    `formula` of its driver; the values are of a baseline or an assumption, all three together."""

    slug: str | None = None
    title: str | None = None
    formula: str | None = None
    low: Decimal | None = None
    expected: Decimal | None = None
    high: Decimal | None = None


class Preview(msgspec.Struct, frozen=True):
    """What accepting changes, by the model as it is now."""

    parts: Parts
    changes: Sequence[Change]


def edited(proposal: Proposal, edits: Edits) -> Parts:
    """The definitions as edited. Raises InvalidInputError for an edit that the proposal has no place for."""
    parts = proposal.parts
    kind, main = parts.all[-1]
    if edits.title is not None and not 0 < len(edits.title.strip()) <= LONGEST_TITLE:
        raise InvalidInputError(f"`title` must have 1 to {LONGEST_TITLE} characters.")
    if edits.slug is not None and not NAME.fullmatch(edits.slug):
        raise InvalidInputError(
            f"`slug` {edits.slug!r} cannot be a slug: start with a small letter, then small letters, digits and _ "
            "(at most 63)."
        )
    if edits.slug is not None and kind in {"baseline", "assumption"} and edits.slug != main.slug:
        raise InvalidInputError(f"`slug`: the {kind} {main.slug!r} is in the model already, and keeps its name.")
    if edits.formula is not None and kind != "driver":
        raise InvalidInputError(f"`formula`: a {kind} has none.")
    changed = {
        name: value
        for name, value in (("slug", edits.slug), ("title", edits.title), ("formula", edits.formula))
        if value is not None
    }
    return _with_main(parts, kind, msgspec.structs.replace(_valued(main, edits, proposal), **changed))


def _valued(main: Definition, edits: Edits, proposal: Proposal) -> Definition:
    given = (edits.low, edits.expected, edits.high)
    if given == (None, None, None):
        return main
    if not isinstance(main, Baseline | Assumption):
        raise InvalidInputError("`low`, `expected` and `high` are of baselines and assumptions alone.")
    low, expected, high = given
    if low is None or expected is None or high is None:
        raise InvalidInputError("`low`, `expected` and `high` belong together: give all three.")
    value = Range(low, expected, high)
    segment = proposal.evidence.cohort.segment if proposal.evidence.cohort else ""
    if not segment:
        return msgspec.structs.replace(main, default=value)
    others = tuple(one for one in main.segments if one.segment != segment)
    return msgspec.structs.replace(main, segments=(*others, SegmentRate(segment, value)))


def _with_main(parts: Parts, kind: str, main: Definition) -> Parts:
    field = FIELD_OF_KIND[kind]
    return msgspec.structs.replace(parts, **{field: (*getattr(parts, field)[:-1], main)})


def extended(model: ValueModel, parts: Parts) -> ValueModel:
    """The model with these definitions. Raises ConflictError where a slug of a meter or driver is taken."""
    for kind, one in parts.all:
        field = FIELD_OF_KIND[kind]
        held: tuple[Definition, ...] = getattr(model, field)
        there = next((other for other in held if other.slug == one.slug), None)
        if isinstance(one, Baseline | Assumption):
            kept = tuple(one if other.slug == one.slug else other for other in held)
            model = msgspec.structs.replace(model, **{field: kept if there is not None else (*held, one)})
        elif there is None:
            model = msgspec.structs.replace(model, **{field: (*held, one)})
        elif not _is_there(one, there):
            raise ConflictError(f"The model has a {kind} {one.slug!r} already; choose another slug.")
    return model


def _is_there(one: Definition, there: Definition) -> bool:
    """Whether a meter reads what the other reads, or a driver is the other."""
    if isinstance(one, Meter) and isinstance(there, Meter):
        first, second = ((x.event_types, x.aggregation, x.property, x.filter) for x in (one, there))
        return first == second
    return isinstance(one, Driver) and msgspec.structs.replace(one, version=getattr(there, "version", 1)) == there


def checked(model: ValueModel, parts: Parts) -> Preview:
    """Raises ConflictError, and InvalidInputError with all that the model check finds."""
    wanted = extended(model, parts)
    if found := errors_in(wanted):
        problems = [{"path": str(one.place), "message": one.message, "cure": one.cure} for one in found]
        raise InvalidInputError("; ".join(str(one) for one in found), {"problems": problems})
    return Preview(parts, diff(model, revise(model, wanted)))


def without(model: ValueModel, parts: Parts, before: Parts) -> ValueModel:
    """The model without what was accepted, and with what stood there before. Raises ConflictError where something else
    reads one of them by now."""
    old = {(kind, one.slug): one for kind, one in before.all}
    for kind, one in parts.all:
        field = FIELD_OF_KIND[kind]
        held: tuple[Definition, ...] = getattr(model, field)
        was = old.get((kind, one.slug))
        left = tuple(was if was is not None and other.slug == one.slug else other for other in held)
        if was is None:
            left = tuple(other for other in held if other.slug != one.slug)
        model = msgspec.structs.replace(model, **{field: left})
    if found := errors_in(model):
        raise ConflictError("; ".join(str(one) for one in found))
    return model


def _stood_before(model: ValueModel, parts: Parts) -> Parts:
    """Meters that are there already, and the values in whose place others come."""
    slugs = {(kind, one.slug) for kind, one in parts.all}
    return Parts(
        meters=tuple(one for one in model.meters if ("meter", one.slug) in slugs),
        baselines=tuple(one for one in model.baselines if ("baseline", one.slug) in slugs),
        assumptions=tuple(one for one in model.assumptions if ("assumption", one.slug) in slugs),
    )


def require_reason(reason: str) -> str:
    reason = reason.strip()
    if not reason or len(reason) > LONGEST_REASON or "\0" in reason:
        raise InvalidInputError(f"`reason` must have 1 to {LONGEST_REASON} characters, without zero bytes.")
    return reason


async def preview(tx: Transaction, kept: Kept, edits: Edits) -> Preview:
    return checked(await newest_model(tx), edited(kept.proposal, edits))


async def accept(tx: Transaction, proposal_id: str, edits: Edits, author: str, now: datetime) -> Kept:
    """Raises NotFoundError, ConflictError for one that is not open, and as `checked` does."""
    kept = await _open(tx, proposal_id)
    made = await preview(tx, kept, edits)
    await decide(tx, kept, Decision(action=Act.ACCEPTED, author=author, at=now, parts=made.parts))
    return await proposal_of(tx, proposal_id)


async def reject(tx: Transaction, proposal_id: str, reason: str, author: str, now: datetime) -> Kept:
    """It is not proposed again unless its evidence changes much. Raises as `accept` does."""
    kept = await _open(tx, proposal_id)
    await decide(tx, kept, Decision(action=Act.REJECTED, author=author, at=now, reason=require_reason(reason)))
    return await proposal_of(tx, proposal_id)


async def suggest(tx: Transaction, proposal_id: str, reason: str, author: str, now: datetime) -> Kept:
    """Bring it to whoever may change the model; it stays open. Raises as `reject` does."""
    kept = await _open(tx, proposal_id)
    await decide(tx, kept, Decision(action=Act.SUGGESTED, author=author, at=now, reason=require_reason(reason)))
    return await proposal_of(tx, proposal_id)


async def withdraw(tx: Transaction, proposal_id: str, reason: str, author: str, now: datetime) -> Kept:
    """Take what was accepted out of the model again. Raises ConflictError for what is not in force."""
    kept = await proposal_of(tx, proposal_id, lock=True)
    if kept.state is not State.IN_FORCE:
        raise ConflictError(f"Proposal {proposal_id} is not in force: {kept.state}.")
    await decide(tx, kept, Decision(action=Act.WITHDRAWING, author=author, at=now, reason=require_reason(reason)))
    return await proposal_of(tx, proposal_id)


async def _open(tx: Transaction, proposal_id: str) -> Kept:
    kept = await proposal_of(tx, proposal_id, lock=True)
    if kept.state is not State.OPEN:
        raise ConflictError(f"Proposal {proposal_id} is not open any more: {kept.state}.")
    return kept


async def carry_out(database: Database, scope: Scope, clock: Clock, copier: Database | None = None) -> int:
    """Act on what was decided, one proposal after the other (worker role); how many. One worker at a time; where meters
    are being counted or another model is applied, what is left waits for the next time."""
    done = 0
    async with database.transaction(scope) as guard:
        if not await guard.scalar(_TRY_LOCK, {"lock": _LOCK}):
            return 0
        async with database.transaction(scope) as tx:
            waiting = [one for one in await proposals(tx) if one.state in {State.ACCEPTED, State.WITHDRAWING}]
        for kept in sorted(waiting, key=_asked_at):
            try:
                await _carry_out(database, scope, clock, copier, kept)
            except MeanwhileError:
                break
            done += 1
    return done


def _asked_at(kept: Kept) -> int:
    return kept.last.entry_id if kept.last else 0


async def _carry_out(database: Database, scope: Scope, clock: Clock, copier: Database | None, kept: Kept) -> None:
    taking = kept.state is State.ACCEPTED
    async with database.transaction(scope) as tx:
        model = await newest_model(tx)
    before = _stood_before(model, kept.accepted_parts) if taking else None
    progress = _Progress(database, scope, kept.id)
    act, reason, revision = Act.APPLIED if taking else Act.WITHDRAWN, "", None
    try:
        wanted = _wanted(model, kept)
        async with progress:
            revision = (await apply_counted(database, scope, wanted, progress.told, copier)).revision
    except MeanwhileError:
        raise
    except ProblemError as error:
        act, reason, before = Act.REFUSED if taking else Act.KEPT, str(error), None
    async with database.transaction(scope) as tx:
        await decide(
            tx, kept, Decision(action=act, author=WORKER, at=clock(), reason=reason, before=before, revision=revision)
        )


def _wanted(model: ValueModel, kept: Kept) -> ValueModel:
    if kept.state is State.WITHDRAWING:
        return without(model, kept.accepted_parts, _before_of(kept))
    checked(model, kept.accepted_parts)
    return extended(model, kept.accepted_parts)


def _before_of(kept: Kept) -> Parts:
    held = (one.before for one in reversed(kept.decisions) if one.action is Act.APPLIED and one.before)
    return next(held, Parts())


class _Progress:
    """Keeps how many events are counted where pages read it, while the counting goes on."""

    def __init__(self, database: Database, scope: Scope, proposal_id: str) -> None:
        self._database, self._scope, self._id = database, scope, proposal_id
        self._counted: tuple[int, int] | None = None
        self._task: asyncio.Task[None] | None = None

    def told(self, counted: int, total: int) -> None:
        self._counted = counted, total

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._report())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        await self._keep(None)

    async def _report(self) -> None:
        while True:
            await asyncio.sleep(REPORTED)
            await self._keep(self._counted)

    async def _keep(self, counted: tuple[int, int] | None) -> None:
        async with self._database.transaction(self._scope) as tx:
            await tell_progress(tx, self._id, *(counted or (None, None)))
