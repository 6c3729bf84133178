"""A driver of the library, opened: its versions by the day they were applied, which accounts use it and how much."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

import msgspec
from sqlalchemy import text

from valueplatform.core.database import Transaction
from valueplatform.value.bridge_cells import added
from valueplatform.value.cohorts import COHORT, is_masked
from valueplatform.value.driver_library import LibraryDriver, driver_of, library_driver
from valueplatform.value.model import Evidence, ValueModel, weakest
from valueplatform.value.model_versions import FieldChange
from valueplatform.value.states import State, weakest_state
from valueplatform.value.worth_store import newest

_VERSIONS: Final = text("""
    WITH held AS (
        SELECT revision, applied_at, (SELECT one FROM jsonb_array_elements(document->'drivers') AS one
                                      WHERE one->>'slug' = :slug LIMIT 1) AS driver
        FROM model_revision
    ), moved AS (SELECT *, lag(driver) OVER (ORDER BY revision) AS before FROM held)
    SELECT revision, applied_at, driver::text AS driver, before::text AS before FROM moved
    WHERE driver IS DISTINCT FROM before ORDER BY revision DESC
""")
_USES: Final = text("""
    SELECT r.driver, a.key, a.name, r.unit, r.benefit_class, r.low, r.expected, r.high, r.counted, r.evidence, r.state
    FROM catalog_realized r JOIN account a ON a.account_id = r.account_id
    WHERE r.run = :run AND (CAST(:driver AS text) IS NULL OR r.driver = :driver)
    ORDER BY r.driver, r.expected DESC, a.key, r.unit
""")
MASKED: Final = (
    f"Told of {COHORT} accounts or more, none of them more than half of the total; there are not enough of them."
)


class DriverVersion(msgspec.Struct, frozen=True):
    """What a revision of the model said of the driver, the newest first: `action` added, changed or removed. `version`
    rises only with what changes a number; `effective_from` and `effective_to` are days, null for all of them."""

    revision: int
    version: int
    action: str
    applied_at: datetime
    effective_from: date | None
    effective_to: date | None
    changes: Sequence[FieldChange]


class AccountUse(msgspec.Struct, frozen=True):
    """What the driver brought to one account in the months. `counted` is what value rule 10 counts of `expected`."""

    account: str
    name: str
    unit: str
    low: Decimal
    expected: Decimal
    high: Decimal
    counted: Decimal
    evidence: Evidence
    state: State


class UseTotal(msgspec.Struct, frozen=True):
    """Over the accounts in scope, in one unit. Null where that would tell of a single account; then `withheld` says
    so."""

    driver: str
    unit: str
    accounts: int | None
    low: Decimal | None
    expected: Decimal | None
    high: Decimal | None
    counted: Decimal | None
    evidence: Evidence | None
    state: State | None
    withheld: str | None


class Uses(msgspec.Struct, frozen=True):
    """`as_of` null: amounts of months have not been summed up yet. `accounts` are empty for whoever may not open
    accounts, and then totals keep to cohorts."""

    as_of: datetime | None
    months: Sequence[date]
    totals: Sequence[UseTotal] = ()
    accounts: Sequence[AccountUse] = ()


async def driver_versions(tx: Transaction, slug: str) -> list[DriverVersion]:
    """Every revision of the model that says something else of the driver than the one before it."""
    rows = await tx.rows(_VERSIONS, {"slug": slug})
    return [_version(row) for row in rows]


def _version(row: Any) -> DriverVersion:
    before, after = (None if one is None else msgspec.json.decode(one) for one in (row.before, row.driver))
    said: Mapping[str, Any] = after or before or {}
    return DriverVersion(
        revision=row.revision,
        version=int(said["version"]),
        action="added" if before is None else "removed" if after is None else "changed",
        applied_at=row.applied_at,
        effective_from=_day(said.get("effective_from")),
        effective_to=_day(said.get("effective_to")),
        changes=list(_changes(before, after)) if before and after else [],
    )


def _day(said: str | None) -> date | None:
    return None if said is None else date.fromisoformat(said)


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[FieldChange]:
    for name in dict.fromkeys((*before, *after)):
        if name != "version" and before.get(name) != after.get(name):
            yield FieldChange(name, before.get(name), after.get(name))


async def uses_of(tx: Transaction, driver: str | None, *, may_open: bool) -> Uses:
    """Of one driver, or of all of them (None). `may_open`: the reader may see single accounts."""
    stored = await newest(tx)
    if stored is None:
        return Uses(None, ())
    rows = await tx.rows(_USES, {"run": stored.run, "driver": driver})
    groups: dict[tuple[str, str], list[Any]] = {}
    for row in rows:
        groups.setdefault((row.driver, row.unit), []).append(row)
    totals = [_total(name, unit, own, may_open=may_open) for (name, unit), own in groups.items()]
    return Uses(stored.as_of, stored.estimates.months, totals, [_use(row) for row in rows] if may_open else ())


def _use(row: Any) -> AccountUse:
    amounts = (row.low, row.expected, row.high, row.counted)
    return AccountUse(row.key, row.name, row.unit, *amounts, Evidence(row.evidence), State(row.state))


def _total(driver: str, unit: str, rows: Sequence[Any], *, may_open: bool) -> UseTotal:
    if not may_open and is_masked([Fraction(row.expected) for row in rows]):
        return UseTotal(driver, unit, None, None, None, None, None, None, None, MASKED)
    return UseTotal(
        driver=driver,
        unit=unit,
        accounts=len({row.key for row in rows}),
        low=added(row.low for row in rows),
        expected=added(row.expected for row in rows),
        high=added(row.high for row in rows),
        counted=added(row.counted for row in rows),
        evidence=weakest(Evidence(row.evidence) for row in rows),
        state=weakest_state(State(row.state) for row in rows),
        withheld=None,
    )


async def opened_driver(tx: Transaction, model: ValueModel, slug: str) -> tuple[LibraryDriver, list[DriverVersion]]:
    """Raises NotFoundError for a driver that the model does not have."""
    driver = library_driver(model, driver_of(model, slug))
    return driver, await driver_versions(tx, slug)
