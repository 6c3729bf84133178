"""Grading accepted suggestions when their days have passed. Repeating it writes nothing new; where the record that a
grade rests on has changed since, a further version is written."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

import msgspec
import polars as pl
from sqlalchemy import Row, text

from valueplatform.core.database import Database, Transaction
from valueplatform.core.periods import local_day
from valueplatform.core.scope import Scope
from valueplatform.narrative.grades import Grade, GradeInput
from valueplatform.narrative.grading import (
    BEFORE_DAYS,
    HORIZONS,
    TAKE_UP_DAYS,
    Compared,
    Outcome,
    Promise,
    comparable,
    reckon,
)
from valueplatform.narrative.next_best import Suggestion
from valueplatform.narrative.next_best_correction import Lived
from valueplatform.narrative.next_best_data import read_first_use
from valueplatform.narrative.offers import features_in, offer
from valueplatform.value.model import Feature, ValueModel

SETTLED: Final = timedelta(days=3)
"""Late events have had so long."""
FINAL: Final = timedelta(days=120)
"""After so long a grade is not looked at again."""

_DECIDED: Final = text("""
    SELECT s.account_id, s.suggestion_id, s.feature, s.body::text AS body, s.suggested_at, s.decided_at, a.timezone
    FROM suggestion s JOIN account a USING (account_id)
    WHERE s.state IN ('accepted', 'done') ORDER BY s.account_id, s.suggestion_id
""")
# Strategic value never enters a sum of money (value rule 4).
_SUMS: Final = text("""
    SELECT a.account_id, a.segment, c.currency AS unit,
           coalesce(sum(v.expected) FILTER (WHERE v.day < :start), 0) AS before,
           coalesce(sum(v.expected) FILTER (WHERE v.day >= :start), 0) AS after
    FROM account a
    JOIN LATERAL (SELECT currency FROM account_currency
                  WHERE account_id = a.account_id AND effective_from <= :start
                  ORDER BY effective_from DESC LIMIT 1) c ON true
    JOIN accrual v ON v.account_id = a.account_id AND v.day >= :before AND v.day < :end AND v.expected IS NOT NULL
    JOIN basis b ON b.account_id = v.account_id AND b.basis_id = v.basis_id
                AND b.benefit_class <> 'strategic' AND b.unit = c.currency
    WHERE a.account_id > 0
      AND EXISTS (SELECT FROM accrual e WHERE e.account_id = a.account_id AND e.day <= :before)
    GROUP BY a.account_id, a.segment, c.currency
    HAVING sum(v.expected) FILTER (WHERE v.day < :start) > 0
    ORDER BY a.account_id
""")
_STORED: Final = text("""
    SELECT DISTINCT ON (g.account_id, g.suggestion_id, g.horizon) g.account_id, g.suggestion_id, g.horizon, g.version,
           g.body::text AS grade, i.body::text AS given
    FROM suggestion_grade g JOIN suggestion_grade_input i USING (account_id, suggestion_id, horizon, version)
    ORDER BY g.account_id, g.suggestion_id, g.horizon, g.version DESC
""")
_INSERT: Final = text("""
    INSERT INTO suggestion_grade (account_id, suggestion_id, horizon, version, body, graded_at)
    VALUES (:account, :id, :horizon, :version, CAST(:grade AS jsonb), :now) ON CONFLICT DO NOTHING
    RETURNING version
""")
_INSERT_INPUT: Final = text("""
    INSERT INTO suggestion_grade_input (account_id, suggestion_id, horizon, version, body)
    VALUES (:account, :id, :horizon, :version, CAST(:given AS jsonb))
""")


@dataclass(frozen=True)
class _Step:
    """A suggestion that was accepted, as of the account's local day."""

    account_id: int
    suggestion: Suggestion
    since: date
    decided_at: datetime
    today: date

    @property
    def stated(self) -> Promise | None:
        """Before costs."""
        given = self.suggestion
        if given.low is None or given.expected is None or given.high is None:
            return None
        cost = sum((cost.amount for cost in given.costs), Decimal(0)) if given.net else Decimal(0)
        return Promise(given.low + cost, given.expected + cost, given.high + cost)


async def grade_due(worker: Database, scope: Scope, model: ValueModel, usage: pl.DataFrame, now: datetime) -> int:
    """Grade what is due, a transaction a suggestion; how many grades were written. `usage` is a panel's of all accounts
    in scope."""
    async with worker.transaction(scope) as tx:
        steps = [_step(row, now) for row in await tx.rows(_DECIDED)]
        stored = await read_lived(tx) if steps else []
    known = {(one.account_id, one.grade.suggestion_id, one.grade.horizon): one for one in stored}
    written = 0
    for step in steps:
        offered = offer(model, step.suggestion.feature)
        if offered is None:
            continue
        features = features_in(offered, model.features)
        async with worker.transaction(scope) as tx:
            written += await _grade_step(tx, step, features, _Ground(usage, known, now))
    return written


async def read_lived(tx: Transaction) -> list[Lived]:
    """The newest version of every grade in the scope of the transaction, with what it rests on."""
    return [
        Lived(
            row.account_id,
            msgspec.json.decode(row.grade, type=Grade),
            msgspec.json.decode(row.given, type=GradeInput),
        )
        for row in await tx.rows(_STORED)
    ]


@dataclass(frozen=True)
class _Ground:
    """What all steps are graded from."""

    usage: pl.DataFrame
    known: Mapping[tuple[int, str, int], Lived]
    now: datetime

    def users(self, feature: str, start: date, end: date) -> set[int]:
        """Accounts that used the feature in a month of the days."""
        rows = self.usage.filter(
            (pl.col("feature") == feature) & (pl.col("last_day") >= start) & (pl.col("month") < end)
        )
        return set(rows["account_id"].to_list())


async def _grade_step(tx: Transaction, step: _Step, features: Sequence[Feature], ground: _Ground) -> int:
    start = await read_first_use(tx, step.account_id, features, step.since, ground.now)
    written = 0
    for horizon in _due(step, start, ground):
        grade, given = await _graded(tx, step, start, horizon, ground)
        before = ground.known.get((step.account_id, step.suggestion.id, horizon))
        if before is not None and (before.given, _undated(before.grade)) == (given, _undated(grade)):
            continue
        version = 1 if before is None else before.grade.version + 1
        written += await _write(tx, step.account_id, msgspec.structs.replace(grade, version=version), given)
    return written


def _due(step: _Step, start: date | None, ground: _Ground) -> Iterator[int]:
    """Horizons whose days have passed, and that are not final yet."""
    if start is None:
        if ground.now - step.decided_at >= timedelta(days=TAKE_UP_DAYS) + SETTLED:
            yield TAKE_UP_DAYS
        return
    for horizon in HORIZONS:
        settled = start + timedelta(days=horizon) + SETTLED
        is_known = (step.account_id, step.suggestion.id, horizon) in ground.known
        if settled <= step.today and not (is_known and settled + FINAL < step.today):
            yield horizon


async def _graded(
    tx: Transaction, step: _Step, start: date | None, horizon: int, ground: _Ground
) -> tuple[Grade, GradeInput]:
    given = step.suggestion
    bare = Grade(given.id, given.feature, given.title, horizon, 0, Outcome.NOT_TAKEN_UP, step.decided_at, ground.now,
                 given.unit, chance=given.chance)  # fmt: skip
    if start is None:
        return bare, GradeInput(step.stated, None, ())
    end, before = start + timedelta(days=horizon), start - timedelta(days=BEFORE_DAYS)
    bare = msgspec.structs.replace(bare, start=start, end=end)
    rows = await tx.rows(_SUMS, {"start": start, "end": end, "before": before})
    accounts = {row.account_id: Compared(row.account_id, row.segment, row.unit, row.before, row.after) for row in rows}
    own = accounts.get(step.account_id)
    if own is None:
        return msgspec.structs.replace(bare, outcome=Outcome.SHORT_RECORD), GradeInput(step.stated, None, ())
    users = ground.users(given.feature, before, end) | {step.account_id}
    compared = comparable(own, [one for account, one in accounts.items() if account not in users])
    stated = step.stated if own.unit == given.unit else None
    return _reckoned(bare, GradeInput(stated, own, compared))


def _reckoned(bare: Grade, given: GradeInput) -> tuple[Grade, GradeInput]:
    if given.own is None or not given.compared:
        return msgspec.structs.replace(bare, outcome=Outcome.FEW_COMPARABLE), given
    found = reckon(given.own, given.compared, given.stated, bare.horizon)
    promised = found.promised
    segments = {one.segment for one in given.compared}
    grade = msgspec.structs.replace(
        bare,
        outcome=Outcome.MEASURED if promised else Outcome.NOT_PRICED,
        unit=given.own.unit,
        low=promised and promised.low,
        expected=promised and promised.expected,
        high=promised and promised.high,
        range_low=found.range_low,
        range_high=found.range_high,
        realized=found.realized,
        without=found.without,
        is_within=found.is_within,
        compared=len(given.compared),
        segment=given.own.segment if segments == {given.own.segment} else None,
    )
    return grade, given


async def _write(tx: Transaction, account_id: int, grade: Grade, given: GradeInput) -> int:
    """0 where another worker was first."""
    key = {"account": account_id, "id": grade.suggestion_id, "horizon": grade.horizon, "version": grade.version}
    body = {"grade": msgspec.json.encode(grade).decode(), "now": grade.graded_at}
    if await tx.scalar(_INSERT, {**key, **body}) is None:
        return 0
    await tx.execute(_INSERT_INPUT, {**key, "given": msgspec.json.encode(given).decode()})
    return 1


def _step(row: Row[Any], now: datetime) -> _Step:
    return _Step(
        account_id=row.account_id,
        suggestion=msgspec.json.decode(row.body, type=Suggestion),
        since=local_day(row.suggested_at, row.timezone),
        decided_at=row.decided_at,
        today=local_day(now, row.timezone),
    )


def _undated(grade: Grade) -> Sequence[object]:
    """All that makes a further version worth writing."""
    return msgspec.structs.astuple(msgspec.structs.replace(grade, version=0, graded_at=grade.decided_at))
