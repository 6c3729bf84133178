"""Scenarios that somebody keeps: named, compared, shared, and turned into a plan or into proposals."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple

import msgspec
from sqlalchemy import Row, func, insert, select, update

from valueplatform.accounts.accounts import Account
from valueplatform.core.authorization import Side
from valueplatform.core.database import Transaction
from valueplatform.core.errors import NotFoundError, UnprocessableError
from valueplatform.core.periods import Period, local_day
from valueplatform.telemetry.marks import append_marks
from valueplatform.value.adopted import Prospect
from valueplatform.value.assumption_record import Author, Statement, state_value
from valueplatform.value.assumptions import Action, Entry
from valueplatform.value.benchmark_store import newest_benchmarks
from valueplatform.value.levers import Change, Input, moved_drivers
from valueplatform.value.meter_days import meter_days
from valueplatform.value.plans import PlanRow, Target, put_targets, targets_in_force
from valueplatform.value.projection import scale_of
from valueplatform.value.ranges import Range
from valueplatform.value.refreshing import read_record
from valueplatform.value.scenario import LOOK_BACK, Bounds, Ground, Outlook, look
from valueplatform.value.tables import scenario

MOST_KEPT = 200
"""Scenarios of one account; a page of them is one read."""


class Draft(msgspec.Struct, frozen=True):
    """What is asked: from the month of `start` on, for `months` months."""

    name: str
    start: date
    months: int
    changes: tuple[Change, ...]


class Saved(msgspec.Struct, frozen=True):
    scenario_id: int
    draft: Draft
    author: str
    side: Side
    shared: bool
    created_at: datetime


async def ground_of(tx: Transaction, account: Account, now: datetime) -> Ground:
    """What an account's scenarios start from: its usage up to yesterday, what the record says, and how much
    comparable accounts use features."""
    record, timezone = await read_record(tx, account.account_id)
    today = local_day(now, timezone)
    days = await meter_days(tx, account.account_id, record.model.meters, Period(today - LOOK_BACK, today))
    stored = await newest_benchmarks(tx)
    prospect = Prospect(account.segment, account.currency, scale_of(account, record.model))
    return Ground(record, days, today, account.currency, stored.benchmarks.adopted if stored else (), prospect)


async def keep_scenario(tx: Transaction, account_id: int, draft: Draft, author: Author, now: datetime) -> Saved:
    """Keep it for its author alone. Raises UnprocessableError where there are too many."""
    count = select(func.count()).where(scenario.c.account_id == account_id, scenario.c.removed_at.is_(None))
    if int(await tx.scalar(count) or 0) >= MOST_KEPT:
        raise UnprocessableError(f"This account keeps {MOST_KEPT} scenarios already; remove one first.")
    values = {
        "account_id": account_id,
        "name": draft.name,
        "start_month": draft.start,
        "months": draft.months,
        "changes": msgspec.to_builtins(draft.changes),
        "author": author.name,
        "author_side": author.side,
        "shared": False,
        "created_at": now,
    }
    scenario_id = int(await tx.scalar(insert(scenario).values(values).returning(scenario.c.scenario_id)))
    return Saved(scenario_id, draft, author.name, author.side, False, now)


async def scenarios_of(tx: Transaction, account_id: int, reader: str) -> list[Saved]:
    """Those of the reader, and those that are shared, the newest first."""
    query = (
        select(scenario)
        .where(scenario.c.account_id == account_id, scenario.c.removed_at.is_(None))
        .where((scenario.c.author == reader) | scenario.c.shared)
        .order_by(scenario.c.scenario_id.desc())
    )
    return [_saved(row) for row in await tx.rows(query)]


async def all_scenarios(tx: Transaction, account_id: int) -> list[Saved]:
    """Everybody's that are not removed, for `verify`."""
    query = select(scenario).where(scenario.c.account_id == account_id, scenario.c.removed_at.is_(None))
    return [_saved(row) for row in await tx.rows(query.order_by(scenario.c.scenario_id))]


async def scenario_of(tx: Transaction, account_id: int, scenario_id: int, reader: str) -> Saved:
    """Raises NotFoundError for one that is not the reader's and not shared."""
    found = [one for one in await scenarios_of(tx, account_id, reader) if one.scenario_id == scenario_id]
    if not found:
        raise NotFoundError(f"There is no scenario {scenario_id}.")
    return found[0]


async def share_scenario(tx: Transaction, account_id: int, scenario_id: int, author: str) -> Saved:
    """Show it to all who may plan for the account; raises NotFoundError unless it is the author's."""
    return await _change(tx, account_id, scenario_id, author, {"shared": True})


async def remove_scenario(tx: Transaction, account_id: int, scenario_id: int, author: str, now: datetime) -> Saved:
    """Put it away; `restore_scenario` brings it back."""
    return await _change(tx, account_id, scenario_id, author, {"removed_at": now})


async def restore_scenario(tx: Transaction, account_id: int, scenario_id: int, author: str) -> Saved:
    return await _change(tx, account_id, scenario_id, author, {"removed_at": None})


async def _change(
    tx: Transaction, account_id: int, scenario_id: int, author: str, values: Mapping[str, object]
) -> Saved:
    own = (
        (scenario.c.account_id == account_id) & (scenario.c.scenario_id == scenario_id) & (scenario.c.author == author)
    )
    row = await tx.row(update(scenario).where(own).values(**values).returning(*scenario.c))
    if row is None:
        raise NotFoundError(f"There is no scenario {scenario_id} of yours.")
    return _saved(row)


def _saved(row: Row[tuple[object, ...]]) -> Saved:
    changes = msgspec.convert(row.changes, tuple[Change, ...])
    draft = Draft(row.name, row.start_month, row.months, changes)
    return Saved(row.scenario_id, draft, row.author, Side(row.author_side), row.shared, row.created_at)


class Planned(NamedTuple):
    """The plan that came of a scenario, its targets, and how many of them say something new."""

    plan: str
    targets: int
    changed: int


async def plan_scenario(tx: Transaction, account: Account, scenario_id: int, reader: str, now: datetime) -> Planned:
    """Put the targets of a scenario into a plan of its own. Raises NotFoundError, UnprocessableError."""
    saved = await scenario_of(tx, account.account_id, scenario_id, reader)
    ground = await ground_of(tx, account, now)
    outlook = look(ground, saved.draft.changes, saved.draft.start, saved.draft.months)
    moved = moved_drivers(ground.record.model, saved.draft.changes)
    held = await targets_in_force(tx, account.account_id)
    rows = targets_from(account.account_id, saved, outlook, moved, held)
    stored = await put_targets(tx, rows, now)
    await append_marks(tx, stored.marks)
    return Planned(plan_of(scenario_id), len(rows), len(stored.marks))


def plan_of(scenario_id: int) -> str:
    """The name of the plan that a scenario makes."""
    return f"scenario-{scenario_id}"


def targets_from(
    account_id: int, saved: Saved, outlook: Outlook, moved: Collection[str], held: Sequence[Target]
) -> list[PlanRow]:
    """A plan from the scenario: of each driver that it moves, the whole month where nothing is committed yet, else what
    comes on top, since targets of several plans add up. It goes under the objective that the driver serves already,
    else under the scenario's name.
    """
    plan_id = plan_of(saved.scenario_id)
    others = [target for target in held if target.plan_id != plan_id]
    committed = {(target.driver, target.month) for target in others}
    objectives = {target.driver: target.objective for target in others}
    rows = []
    for effect in outlook.drivers:
        if effect.driver not in moved:
            continue
        for month, changed, added in effect.months:
            value = _rising(added if (effect.driver, month) in committed else changed)
            objective = objectives.get(effect.driver, saved.draft.name)
            rows.append(PlanRow(
                account_id=account_id, plan_id=plan_id, objective=objective, driver=effect.driver, month=month,
                value=value, source=f"Scenario: {saved.draft.name}",
            ))  # fmt: skip
    return rows


def _rising(bounds: Bounds) -> Range:
    """A target's low is the least, its high the greatest."""
    return Range(min(bounds), bounds.expected, max(bounds))


async def propose_inputs(tx: Transaction, account_id: int, saved: Saved, author: Author, now: datetime) -> list[Entry]:
    """Propose the values of assumptions and baselines that the scenario changes. Raises UnprocessableError where it
    changes none."""
    record, _ = await read_record(tx, account_id)
    entries = []
    for change in saved.draft.changes:
        if isinstance(change.lever, Input):
            rate = record.model.rate(change.lever.slug)
            held = record.entries.get(change.lever.slug, ())
            unit = next((entry.unit for entry in reversed(held) if entry.unit), rate.unit if rate else None)
            stated = Statement(
                change.lever.slug, change.lever.value, unit, change.since, f"Scenario: {saved.draft.name}"
            )
            entries.append(await state_value(tx, account_id, Action.PROPOSE, stated, author, now))
    if not entries:
        raise UnprocessableError("This scenario changes no assumption and no baseline, so there is nothing to propose.")
    return entries
