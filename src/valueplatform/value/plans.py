"""The value plan: objectives in the customer's own words, and what was committed to by driver and month.

Every version of a target is kept; the newest is in force, where its plan counts (`plan_terms`). Targets of different
plans for the same driver and month add. A month that a window cuts counts by its days, rounded cumulatively from the
first of the month, half-even to 4 places, so that the windows of any cut add up to the target exactly.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Final

import msgspec
from sqlalchemy import func, insert, select, tuple_
from sqlalchemy.dialects import postgresql

from valueplatform.accounts.accounts import raise_revisions
from valueplatform.accounts.imports import Mark, Outcome, Stored
from valueplatform.core.database import Transaction, lock_account
from valueplatform.core.errors import ConflictError, InvalidInputError
from valueplatform.core.numbers import AMOUNT_PLACES, round_half_even, scaled_decimal
from valueplatform.core.periods import Period, month_of
from valueplatform.value.derivation import Bound
from valueplatform.value.plan_terms import PlanState, counting, plans_of
from valueplatform.value.ranges import Range
from valueplatform.value.tables import objective, plan_target

TargetKey = tuple[int, str, int, str, date]
"""(account id, plan id, objective id, driver, month): what versions are counted for."""


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """Committed value of one driver in one month, in the driver's unit. `month` is its first day."""

    plan_id: str
    objective_id: int
    objective: str
    driver: str
    month: date
    low: Decimal
    expected: Decimal
    high: Decimal
    source: str
    version: int
    known_at: datetime

    def bound(self, bound: Bound) -> Decimal:
        return {Bound.LOW: self.low, Bound.EXPECTED: self.expected, Bound.HIGH: self.high}[bound]


class PlanRow(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody says of one target. `value` None takes the target out again."""

    account_id: int
    plan_id: str
    objective: str
    driver: str
    month: date
    value: Range | None
    source: str

    @property
    def identity(self) -> tuple[int, str, str, str, date]:
        return self.account_id, self.plan_id, self.objective, self.driver, self.month


def committed(targets: Iterable[Target], period: Period, bound: Bound) -> Decimal:
    """What the targets commit to in the period."""
    units = 0
    for target in targets:
        month = month_of(target.month)
        shared = month.intersect(period)
        if shared is not None:
            amount = target.bound(bound)
            units += _units_before(amount, month, shared.end) - _units_before(amount, month, shared.start)
    return scaled_decimal(units, AMOUNT_PLACES)


def _units_before(amount: Decimal, month: Period, day: date) -> int:
    """The amount's part of the days before `day`, in units of the last place."""
    share = Fraction(amount) * 10**AMOUNT_PLACES * (day - month.start).days / month.days
    return int(round_half_even(share.numerator, share.denominator, 0))


async def ensure_objectives(tx: Transaction, wanted: Iterable[tuple[int, str]]) -> dict[tuple[int, str], int]:
    """The id of each objective by (account id, title), made where it is new."""
    titles = sorted(set(wanted))
    if not titles:
        return {}
    values = [{"account_id": account_id, "title": title} for account_id, title in titles]
    await tx.execute(postgresql.insert(objective).values(values).on_conflict_do_nothing())
    return await _objective_ids(tx, titles)


async def _objective_ids(tx: Transaction, titles: Collection[tuple[int, str]]) -> dict[tuple[int, str], int]:
    """Of those that there are."""
    key = tuple_(objective.c.account_id, objective.c.title)
    rows = await tx.rows(
        select(objective.c.account_id, objective.c.title, objective.c.objective_id).where(key.in_(titles))
    )
    return {(row.account_id, row.title): row.objective_id for row in rows}


async def targets_in_force(tx: Transaction, account_id: int, as_of: datetime | None = None) -> list[Target]:
    """The newest version of each target, or the newest known at `as_of`; without those that were taken out, those of
    drafts, and those whose place a re-plan has taken."""
    counts = counting(await plans_of(tx, account_id, as_of))
    return [one for one in await newest_targets(tx, account_id, as_of) if counts(one.plan_id, one.month)]


async def targets_of_plan(tx: Transaction, account_id: int, plan_id: str) -> list[Target]:
    """What one plan says, whether or not it counts."""
    return [one for one in await newest_targets(tx, account_id) if one.plan_id == plan_id]


async def newest_targets(tx: Transaction, account_id: int, as_of: datetime | None = None) -> list[Target]:
    """The newest version of each target of any plan, drafts too; without those that were taken out."""
    held = plan_target.c
    query = (
        select(plan_target, objective.c.title)
        .join(
            objective,
            (objective.c.account_id == held.account_id) & (objective.c.objective_id == held.objective_id),
        )
        .where(held.account_id == account_id)
        .ext(postgresql.distinct_on(held.plan_id, held.objective_id, held.driver, held.month))
        .order_by(held.plan_id, held.objective_id, held.driver, held.month, held.version.desc())
    )
    rows = await tx.rows(query if as_of is None else query.where(held.known_at <= as_of))
    return [
        Target(
            plan_id=row.plan_id,
            objective_id=row.objective_id,
            objective=row.title,
            driver=row.driver,
            month=row.month,
            low=row.low,
            expected=row.expected,
            high=row.high,
            source=row.source,
            version=row.version,
            known_at=row.known_at,
        )
        for row in rows
        if row.expected is not None
    ]


class FixedPlanError(InvalidInputError):
    """The row would change a plan that stays as it is."""

    code = "plan_is_fixed"


async def put_targets(tx: Transaction, rows: Sequence[PlanRow], now: datetime) -> Stored:
    """Add a version of each target that says something new; the same said again adds nothing.

    `rows` speak of different targets. Holds the lock of their accounts, so that versions are counted one by one.
    Raises ConflictError for a change of a plan that both sides signed, or that was withdrawn.
    """
    stored = await take_targets(tx, rows, now)
    for refused in stored.refused.values():
        raise ConflictError(refused.message)
    return stored


async def take_targets(tx: Transaction, rows: Sequence[PlanRow], now: datetime) -> Stored:
    """As `put_targets`, but refuses single rows of plans that stay as they are, and takes the rest."""
    for account_id in sorted({row.account_id for row in rows}):
        await lock_account(tx, account_id)
    fixed = await _fixed(tx, {row.account_id for row in rows})
    open_rows = [row for row in rows if (row.account_id, row.plan_id) not in fixed]
    await ensure_objectives(tx, ((row.account_id, row.objective) for row in open_rows))
    ids = await _objective_ids(tx, {(row.account_id, row.objective) for row in rows})
    keys = [_key(row, ids.get((row.account_id, row.objective), 0)) for row in rows]
    held = await _newest(tx, keys)
    outcomes, refused, changed = [], {}, []
    for place, (key, row) in enumerate(zip(keys, rows, strict=True)):
        outcome = _outcome(held.get(key), row)
        why = fixed.get(key[:2])
        if why is not None and outcome is not Outcome.UNCHANGED:
            refused[place] = FixedPlanError(why)
            continue
        outcomes.append(outcome)
        if outcome is not Outcome.UNCHANGED:
            changed.append((key, row))
    if changed:
        await tx.execute(insert(plan_target), [_columns(key, row, held.get(key), now) for key, row in changed])
        await raise_revisions(tx, (row.account_id for _, row in changed))
    return Stored(outcomes, [Mark(row.account_id, month_of(row.month), "plan") for _, row in changed], refused)


_FIXED: Final = {
    PlanState.SIGNED: "is signed by both sides and stays as it is; make a re-plan from a month on.",
    PlanState.WITHDRAWN: "was withdrawn; state its terms again first.",
}


async def _fixed(tx: Transaction, accounts: Collection[int]) -> Mapping[tuple[int, str], str]:
    """The plans whose targets stay as they are, and why."""
    return {
        (account_id, plan.plan_id): f"Plan {plan.plan_id!r} {_FIXED[plan.state]}"
        for account_id in sorted(accounts)
        for plan in await plans_of(tx, account_id)
        if plan.state in _FIXED
    }


class _Version(msgspec.Struct, frozen=True):
    number: int
    value: Range | None
    source: str


def _key(row: PlanRow, objective_id: int) -> TargetKey:
    return row.account_id, row.plan_id, objective_id, row.driver, row.month


def _outcome(held: _Version | None, row: PlanRow) -> Outcome:
    if held is None:
        return Outcome.UNCHANGED if row.value is None else Outcome.CREATED
    return Outcome.UNCHANGED if (held.value, held.source) == (row.value, row.source) else Outcome.CHANGED


async def _newest(tx: Transaction, keys: Sequence[TargetKey]) -> Mapping[TargetKey, _Version]:
    held = plan_target.c
    columns = (held.account_id, held.plan_id, held.objective_id, held.driver, held.month)
    newest = select(*columns, func.max(held.version)).where(tuple_(*columns).in_(keys)).group_by(*columns)
    rows = await tx.rows(select(plan_target).where(tuple_(*columns, held.version).in_(newest)))
    return {
        (row.account_id, row.plan_id, row.objective_id, row.driver, row.month): _Version(
            row.version, None if row.expected is None else Range(row.low, row.expected, row.high), row.source
        )
        for row in rows
    }


def _columns(key: TargetKey, row: PlanRow, held: _Version | None, now: datetime) -> dict[str, object]:
    value = row.value
    low, expected, high = (None, None, None) if value is None else (value.low, value.expected, value.high)
    columns = dict(zip(("account_id", "plan_id", "objective_id", "driver", "month"), key, strict=True))
    return columns | {
        "version": 1 if held is None else held.number + 1,
        "low": low,
        "expected": expected,
        "high": high,
        "source": row.source,
        "known_at": now,
    }
