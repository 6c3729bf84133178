"""Objectives in the customer's own words (value rule 14): who answers for them, how and by when they are to be reached.

Every change is a version with its author; the newest holds. The words themselves are never changed: they name the
objective in plans, imports and the story.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Any

import msgspec
from sqlalchemy import Row, insert, select
from sqlalchemy.dialects import postgresql

from valueplatform.accounts.accounts import raise_revisions
from valueplatform.core.authorization import Side
from valueplatform.core.database import Transaction, lock_account
from valueplatform.core.errors import ConflictError, NotFoundError
from valueplatform.value.assumption_record import Author
from valueplatform.value.tables import objective, objective_version


class ObjectiveState(StrEnum):
    OPEN = "open"
    REACHED = "reached"
    DROPPED = "dropped"


class Gap(StrEnum):
    """What an open objective lacks."""

    NO_OWNER = "no-owner"
    NO_CUSTOMER_SPONSOR = "no-customer-sponsor"
    NO_SUPPLIER_SPONSOR = "no-supplier-sponsor"
    NO_DRIVER = "no-driver"
    NO_DATE = "no-date"
    DATE_PASSED = "date-passed"


class Aim(msgspec.Struct, frozen=True, kw_only=True):
    """What is said of an objective. `drivers` are those that are to reach it, beside the drivers of its targets;
    `reason` says why it was dropped, or anything else to remember."""

    owner: str | None = None
    customer_sponsor: str | None = None
    supplier_sponsor: str | None = None
    tactics: tuple[str, ...] = ()
    drivers: tuple[str, ...] = ()
    due: date | None = None
    state: ObjectiveState = ObjectiveState.OPEN
    reason: str = ""


class Objective(msgspec.Struct, frozen=True, kw_only=True):
    """What the customer wants, as they say it. `version` 0: nothing was said of it yet beyond its title."""

    objective_id: int
    title: str
    created_at: datetime
    version: int = 0
    aim: Aim = Aim()
    author: str | None = None
    author_side: Side | None = None
    known_at: datetime | None = None

    def gaps(self, targeted: Iterable[str], today: date) -> list[Gap]:
        """What it lacks; `targeted` are the drivers of its targets in force."""
        if self.aim.state is not ObjectiveState.OPEN:
            return []
        lacking = {
            Gap.NO_OWNER: not self.aim.owner,
            Gap.NO_CUSTOMER_SPONSOR: not self.aim.customer_sponsor,
            Gap.NO_SUPPLIER_SPONSOR: not self.aim.supplier_sponsor,
            Gap.NO_DRIVER: not (self.aim.drivers or set(targeted)),
            Gap.NO_DATE: self.aim.due is None,
            Gap.DATE_PASSED: self.aim.due is not None and self.aim.due < today,
        }
        return [gap for gap, lacks in lacking.items() if lacks]


async def objectives_of(tx: Transaction, account_id: int, as_of: datetime | None = None) -> list[Objective]:
    """All objectives of an account, the oldest first; or as they were known at `as_of`."""
    words, said = objective.c, objective_version.c
    titles = select(objective).where(words.account_id == account_id)
    versions = (
        select(objective_version)
        .where(said.account_id == account_id)
        .ext(postgresql.distinct_on(said.objective_id))
        .order_by(said.objective_id, said.version.desc())
    )
    if as_of is not None:
        titles, versions = titles.where(words.created_at <= as_of), versions.where(said.known_at <= as_of)
    newest = {row.objective_id: row for row in await tx.rows(versions)}
    return [_objective(row, newest.get(row.objective_id)) for row in await tx.rows(titles.order_by(words.objective_id))]


async def versions_of(tx: Transaction, account_id: int, objective_id: int) -> list[Objective]:
    """Everything that was said of one objective, the oldest first. Raises NotFoundError."""
    words, said = objective.c, objective_version.c
    title = await tx.row(select(objective).where(words.account_id == account_id, words.objective_id == objective_id))
    if title is None:
        raise NotFoundError(f"There is no objective {objective_id}.")
    query = select(objective_version).where(said.account_id == account_id, said.objective_id == objective_id)
    return [_objective(title, row) for row in await tx.rows(query.order_by(said.version))]


async def put_objective(
    tx: Transaction,
    account_id: int,
    objective_id: int,
    aim: Aim,
    author: Author,
    now: datetime,
    *,
    over: int | None = None,
) -> Objective:
    """Say something of an objective; the same said again adds no version. `over` is the version that was read: another
    one raises ConflictError. Raises NotFoundError."""
    await lock_account(tx, account_id)
    held = next((one for one in await objectives_of(tx, account_id) if one.objective_id == objective_id), None)
    if held is None:
        raise NotFoundError(f"There is no objective {objective_id}.")
    if over is not None and over != held.version:
        raise ConflictError(
            f"Objective {objective_id} is at version {held.version}, not {over}: somebody changed it; read it again."
        )
    if held.version and held.aim == aim:
        return held
    values = msgspec.structs.asdict(aim) | {
        "tactics": list(aim.tactics),
        "drivers": list(aim.drivers),
        "state": aim.state.value,
        "account_id": account_id,
        "objective_id": objective_id,
        "version": held.version + 1,
        "author": author.name,
        "author_side": author.side.value,
        "known_at": now,
    }
    await tx.execute(insert(objective_version).values(values))
    await raise_revisions(tx, [account_id])
    return (await versions_of(tx, account_id, objective_id))[-1]


def drivers_of(one: Objective, targeted: Iterable[str]) -> Sequence[str]:
    """The drivers that are to reach it: those it names, and those of its targets."""
    return sorted({*one.aim.drivers, *targeted})


def _objective(title: Row[Any], row: Row[Any] | None) -> Objective:
    named = Objective(objective_id=title.objective_id, title=title.title, created_at=title.created_at)
    if row is None:
        return named
    return msgspec.structs.replace(
        named,
        version=row.version,
        aim=Aim(
            owner=row.owner,
            customer_sponsor=row.customer_sponsor,
            supplier_sponsor=row.supplier_sponsor,
            tactics=tuple(row.tactics),
            drivers=tuple(row.drivers),
            due=row.due,
            state=ObjectiveState(row.state),
            reason=row.reason,
        ),
        author=row.author,
        author_side=Side(row.author_side),
        known_at=row.known_at,
    )
