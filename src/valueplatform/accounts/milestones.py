"""Milestones: the spine of the timeline. `KINDS` are those that the story knows; others are shown as they are."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar, Final

import msgspec
from sqlalchemy import Row, select, tuple_

from valueplatform.accounts.accounts import raise_revisions
from valueplatform.accounts.fields import Fields
from valueplatform.accounts.imports import Mark, Stored, Surroundings, outcome_of, to_write, upsert_into
from valueplatform.accounts.tables import milestone
from valueplatform.core.database import Transaction
from valueplatform.core.periods import ONE_DAY, Period, local_day

KINDS: Final = ("purchase", "go-live", "renewal", "expansion", "review", "churn")
GO_LIVE: Final = "go-live"
OPPORTUNITY: Final = "opportunity"
BETWEEN_US: Final = (*KINDS, OPPORTUNITY)
"""For customer and supplier to say; but for go-live, not for partners to see (value rule 19)."""


class Milestone(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened, or is to happen, at an aware moment."""

    milestone_id: str
    kind: str
    at: datetime
    title: str


async def milestones_of(tx: Transaction, account_id: int) -> list[Milestone]:
    """All milestones of an account, oldest first."""
    query = select(milestone).where(milestone.c.account_id == account_id)
    return [_milestone(row) for row in await tx.rows(query.order_by(milestone.c.at, milestone.c.milestone_id))]


async def put_milestone(tx: Transaction, account_id: int, timezone: str, wanted: Milestone) -> Stored:
    """Create it, or change what is stored under its id."""
    return await MilestoneImport().store(tx, [MilestoneRow(account_id, timezone, wanted)], wanted.at)


def _milestone(row: Row[Any]) -> Milestone:
    return Milestone(milestone_id=row.milestone_id, kind=row.kind, at=row.at, title=row.title)


class MilestoneRow(msgspec.Struct, frozen=True):
    account_id: int
    timezone: str
    milestone: Milestone

    @property
    def identity(self) -> tuple[int, str]:
        return self.account_id, self.milestone.milestone_id


class MilestoneImport:
    """Without a title a milestone is called by its kind."""

    name: ClassVar[str] = "milestones"
    account_column: ClassVar[str] = "account"
    required: ClassVar[Sequence[str]] = ("account", "id", "kind", "time")
    optional: ClassVar[Sequence[str]] = ("title",)
    takes_rest: ClassVar[bool] = False

    def read(self, fields: Fields, around: Surroundings, /) -> MilestoneRow:
        account = around.account(fields)
        kind = fields.text("kind").lower()
        return MilestoneRow(
            account.account_id,
            account.timezone,
            Milestone(
                milestone_id=fields.text("id"),
                kind=kind,
                at=fields.moment("time", account.timezone),
                title=fields.optional("title") or kind,
            ),
        )

    def identity(self, value: MilestoneRow, /) -> tuple[int, str]:
        return value.identity

    async def store(self, tx: Transaction, values: Sequence[MilestoneRow], _now: datetime, /) -> Stored:
        key = tuple_(milestone.c.account_id, milestone.c.milestone_id)
        rows = await tx.rows(select(milestone).where(key.in_([value.identity for value in values])))
        held = {(row.account_id, row.milestone_id): _milestone(row) for row in rows}
        outcomes = [outcome_of(held.get(value.identity), value.milestone) for value in values]
        new = to_write(values, outcomes)
        if new:
            parameters = [{"account_id": value.account_id, **msgspec.structs.asdict(value.milestone)} for value in new]
            await tx.execute(_UPSERT, parameters)
            await raise_revisions(tx, (value.account_id for value in new))
        return Stored(outcomes, [_mark(value) for value in new])


_UPSERT: Final = upsert_into(milestone)


def _mark(value: MilestoneRow) -> Mark:
    """Its own day: amounts do not follow from milestones, but what is told of that day does."""
    day = local_day(value.milestone.at, value.timezone)
    return Mark(value.account_id, Period(day, day + ONE_DAY), f"milestone:{value.milestone.kind}")
