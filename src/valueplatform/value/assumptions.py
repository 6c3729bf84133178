"""What was said about an assumption, a baseline or a driver, and what holds on a day (value rules 9 to 11).

The record is append-only. An *entry* either states a value (estimate, propose) or answers an earlier entry
(validate, dispute, withdraw). What holds on a day, as known at a moment, follows from the entries alone:

1. the validated, undisputed value with the latest effective day, if there is one;
2. else, where the latest statement is disputed, that statement, *under review*;
3. else the latest proposal, *proposed*; else the latest estimate, else the model's default, *estimated*.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from enum import StrEnum

import msgspec

from valueplatform.core.authorization import Side
from valueplatform.value.ranges import Range
from valueplatform.value.states import State

EVER = date(1, 1, 1)
"""Effective from the beginning: what holds for all days."""


class Action(StrEnum):
    ESTIMATE = "estimate"
    PROPOSE = "propose"
    VALIDATE = "validate"
    DISPUTE = "dispute"
    WITHDRAW = "withdraw"


STATING = frozenset({Action.ESTIMATE, Action.PROPOSE})
"""The actions that state a value; the others answer one."""


class Entry(msgspec.Struct, frozen=True):
    """One line of the record. `value` is None for disputes and withdrawals; of a driver it is its version."""

    entry_id: int
    slug: str
    action: Action
    answers: int | None
    value: Range | None
    unit: str | None
    effective_from: date
    author: str
    side: Side
    reason: str
    known_at: datetime


class Default(msgspec.Struct, frozen=True):
    """What the value model says where nobody said anything for the account."""

    value: Range
    unit: str


class Holding(msgspec.Struct, frozen=True):
    """What holds on a day: `entry` states the value (None = the model's default), `settled_by` validated it.

    `pending` are newer proposals that wait for a validator; `disputed_by` is the dispute that it stands under or
    that a fallback answers to.
    """

    value: Range
    unit: str
    state: State
    entry: Entry | None = None
    settled_by: Entry | None = None
    disputed_by: Entry | None = None
    pending: tuple[Entry, ...] = ()


class Stated(msgspec.Struct, frozen=True):
    """A stated value that stands, with the answers that it has got. Validated and not disputed is settled; it holds
    from the earliest day that a validation of it named, so that settling a dispute restates nothing."""

    entry: Entry
    validation: Entry | None
    dispute: Entry | None
    since: date

    @property
    def is_settled(self) -> bool:
        return self.validation is not None and self.dispute is None


def driver_slug(driver: str) -> str:
    """The slug under which a driver itself is validated; drivers may share a name with an assumption. What is stated
    of a driver is its version, so a validation holds for the formula that was validated and for no other."""
    return f"driver:{driver}"


def known(entries: Iterable[Entry], at: datetime | None) -> list[Entry]:
    """Entries known at a moment, oldest first."""
    return sorted((e for e in entries if at is None or e.known_at <= at), key=lambda e: e.entry_id)


def statements(entries: Sequence[Entry]) -> list[Stated]:
    """What was stated and not withdrawn, oldest first. `entries` are of one slug, oldest first."""
    withdrawn = {e.answers for e in entries if e.action is Action.WITHDRAW}
    answers = [e for e in entries if e.entry_id not in withdrawn]
    validations = {e.answers: e for e in answers if e.action is Action.VALIDATE}
    disputes = {e.answers: e for e in answers if e.action is Action.DISPUTE}
    standing = []
    for entry in entries:
        if entry.value is None or entry.entry_id in withdrawn or entry.action not in STATING:
            continue
        validation, dispute = validations.get(entry.entry_id), disputes.get(entry.entry_id)
        if validation and dispute and validation.entry_id > dispute.entry_id:
            dispute = None  # a validation settles the dispute that came before it
        agreed = [e.effective_from for e in answers if e.action is Action.VALIDATE and e.answers == entry.entry_id]
        standing.append(Stated(entry, validation, dispute, min(agreed, default=entry.effective_from)))
    return standing


def holding(entries: Sequence[Entry], default: Default | None, day: date) -> Holding | None:
    """What holds on `day` by `entries` (of one slug, as from `known`); None where there is no value at all."""
    stated = statements(entries)
    begun = [s for s in stated if s.since <= day]
    disputed = [s for s in begun if s.dispute]
    agreed = [s for s in begun if s.validation and not s.dispute]
    if agreed:
        best = max(agreed, key=lambda s: (s.since, s.entry.entry_id))
        pending = tuple(
            s.entry for s in stated if not s.validation and s.entry.entry_id > best.entry.entry_id and not s.dispute
        )
        newer = [s for s in disputed if s.entry.entry_id > best.entry.entry_id]
        return _held(best, State.VALIDATED, pending, newer[-1].dispute if newer else None)
    if disputed:
        last = disputed[-1]
        pending = tuple(s.entry for s in stated if s.entry.entry_id > last.entry.entry_id and not s.dispute)
        return _held(last, State.UNDER_REVIEW, pending, last.dispute)
    proposed = [s for s in begun if s.entry.action is Action.PROPOSE]
    if proposed:
        return _held(proposed[-1], State.PROPOSED, (proposed[-1].entry,), None)
    if begun:
        return _held(begun[-1], State.ESTIMATED, (), None)
    if default is not None:
        return Holding(default.value, default.unit, State.ESTIMATED)
    return None


def _held(statement: Stated, state: State, pending: tuple[Entry, ...], dispute: Entry | None) -> Holding:
    entry = statement.entry
    assert entry.value is not None  # noqa: S101 - `statements` takes none without
    return Holding(entry.value, entry.unit or "", state, entry, statement.validation, dispute, pending)


def change_days(entries: Iterable[Entry]) -> set[date]:
    """The days on which what holds may change."""
    return {e.effective_from for e in entries if e.action is not Action.WITHDRAW}


def validation_takes_effect(proposal: Entry, today: date) -> date:
    """From which day a validated value holds (rule 11).

    A value agreed between supplier and customer holds from the day that its proposal names. One that the customer's
    side, or a partner, proposed changes nothing before today: the supplier has not consented to restate.
    """
    if proposal.side is Side.SUPPLIER:
        return proposal.effective_from
    return max(proposal.effective_from, today)
