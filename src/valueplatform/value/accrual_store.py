"""Accruals in the database: what must be computed again is, and nothing else is touched."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from uuid import UUID

import msgspec
from sqlalchemy import text

from valueplatform.core.database import Transaction
from valueplatform.core.periods import Period
from valueplatform.telemetry.marks import EVENT_CAUSES
from valueplatform.value.accruals import Accrual, Record, accrue
from valueplatform.value.basis import Basis
from valueplatform.value.formula import Formula
from valueplatform.value.meter_days import meter_days
from valueplatform.value.model import BY_EVENT

LAST_DAY = date(9999, 12, 31)
BATCH = 5000


class Mark(msgspec.Struct, frozen=True):
    """First and last day that something touched, and what it was."""

    first: date
    last: date
    cause: str


class Change(msgspec.Struct, frozen=True):
    """Days whose value must be computed again, and the marks that say so."""

    period: Period
    marks: tuple[Mark, ...]

    @property
    def causes(self) -> tuple[str, ...]:
        return tuple(sorted({mark.cause for mark in self.marks}))


# The catalog is told of the days whose events have changed in the statement that takes their marks away.
_TAKE_MARKS = text("""
    WITH taken AS (
        DELETE FROM changed_day WHERE account_id = :account RETURNING account_id, day, through, cause, noted
    ), handed AS (
        INSERT INTO catalog_due (account_id, day, through)
        SELECT DISTINCT account_id, day, through FROM taken WHERE NOT noted AND cause = ANY(CAST(:events AS text[]))
    )
    SELECT day, through, cause FROM taken
""")
_DELETE = text("DELETE FROM accrual WHERE account_id = :account AND day >= :start AND day < :end")
_INSERT = text("""
    INSERT INTO accrual (account_id, driver, provider, day, basis_id, low, expected, high, reason, uncapped)
    SELECT :account, t.* FROM unnest(
        CAST(:driver AS text[]), CAST(:provider AS text[]), CAST(:day AS date[]), CAST(:basis_id AS uuid[]),
        CAST(:low AS numeric[]), CAST(:expected AS numeric[]), CAST(:high AS numeric[]), CAST(:reason AS text[]),
        CAST(:uncapped AS numeric[])
    ) AS t
""")
_INSERT_BASIS = text("""
    INSERT INTO basis (account_id, basis_id, driver, driver_version, formula, unit, benefit_class, evidence, state,
                       counted, inputs, pool, cap)
    VALUES (:account, :basis_id, :driver, :driver_version, :formula, :unit, :benefit_class, :evidence, :state,
            :counted, CAST(:inputs AS jsonb), :pool, :cap)
    ON CONFLICT DO NOTHING
""")


async def take_changes(tx: Transaction, account_id: int) -> list[Change]:
    """Take the account's marks away and merge them into separate stretches of days, oldest first.

    The caller holds the account's lock and reads only afterwards: what is marked later is marked again.
    """
    rows = await tx.rows(_TAKE_MARKS, {"account": account_id, "events": list(EVENT_CAUSES)})
    return merge_marks((row.day, row.through, row.cause) for row in rows)


def merge_marks(marks: Iterable[tuple[date, date, str]]) -> list[Change]:
    """Marks (first day, last day, cause) as changes that neither overlap nor touch."""
    changes: list[Change] = []
    for first, last, cause in sorted(marks):
        mark = Mark(first, last, cause)
        end = days_of(mark).end
        if changes and first <= changes[-1].period.end:
            before = changes.pop()
            period = Period(before.period.start, max(end, before.period.end))
            changes.append(Change(period, (*before.marks, mark)))
        else:
            changes.append(Change(Period(first, end), (mark,)))
    return changes


def days_of(mark: Mark) -> Period:
    """The days that a mark touches, as far as the calendar goes."""
    return Period(mark.first, min(mark.last, LAST_DAY - timedelta(days=1)) + timedelta(days=1))


async def recompute(tx: Transaction, account_id: int, record: Record, period: Period) -> list[Accrual]:
    """Compute the accruals of `period` again and put them in the place of those that stand."""
    used = {name for driver in record.model.driver_versions for name in Formula.parse(driver.formula).names}
    meters = [meter for meter in record.model.meters if meter.slug in used]
    by_provider = any(driver.provider == BY_EVENT for driver in record.model.driver_versions)
    days = await meter_days(tx, account_id, meters, period, by_provider=by_provider)
    accruals = accrue(record, days, period)
    await tx.execute(_DELETE, {"account": account_id, "start": period.start, "end": period.end})
    # Days share few bases: each is told apart by being the same object, and hashed once.
    bases = {id(a.basis): a.basis for a in accruals if a.basis is not None}
    ids = {place: basis.basis_id for place, basis in bases.items()}
    await _insert_bases(tx, account_id, {ids[place]: basis for place, basis in bases.items()})
    for start in range(0, len(accruals), BATCH):
        await _insert(tx, account_id, accruals[start : start + BATCH], ids)
    return accruals


async def _insert(tx: Transaction, account_id: int, accruals: Sequence[Accrual], ids: Mapping[int, UUID]) -> None:
    plain = ("driver", "provider", "day", "low", "expected", "high", "reason", "uncapped")
    columns: dict[str, object] = {name: [getattr(a, name) for a in accruals] for name in plain}
    columns["basis_id"] = [a.basis_id if a.basis is None else ids[id(a.basis)] for a in accruals]
    await tx.execute(_INSERT, {"account": account_id, **columns})


async def _insert_bases(tx: Transaction, account_id: int, bases: Mapping[UUID, Basis]) -> None:
    rows = [
        {
            "account": account_id,
            "basis_id": basis_id,
            "driver": basis.driver,
            "driver_version": basis.driver_version,
            "formula": basis.formula,
            "unit": basis.unit,
            "benefit_class": basis.benefit_class,
            "evidence": basis.evidence,
            "state": basis.state,
            "counted": basis.counted,
            "inputs": msgspec.json.encode(basis.inputs).decode(),
            "pool": basis.pool,
            "cap": basis.cap,
        }
        for basis_id, basis in bases.items()
    ]
    if rows:
        await tx.execute(_INSERT_BASIS, rows)
