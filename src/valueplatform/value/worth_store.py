"""What event types are worth, in the database: written whole by the worker, read in scope.

Rows of a run become visible together, when it gets its document. Where nothing is other than before, only the time
changes. Runs may overlap: the one that began last stands.
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

import msgspec
from sqlalchemy import text

from valueplatform.core.database import Transaction
from valueplatform.value.model import Evidence, weakest
from valueplatform.value.states import State, weakest_state
from valueplatform.value.uncaptured import Gap
from valueplatform.value.worth import Basis, Estimate, Reach, Standing, Verdict

_NEWEST: Final = text("""
    SELECT run, as_of, digest, document::text AS document FROM catalog_estimate
    WHERE document IS NOT NULL ORDER BY run DESC LIMIT 1
""")
_VERSION: Final = text("""
    SELECT concat_ws(' ', (SELECT max(as_of) FROM catalog_estimate WHERE document IS NOT NULL),
                     (SELECT max(revision) FROM model_revision), (SELECT max(entry_id) FROM catalog_owner),
                     (SELECT max(entry_id) FROM catalog_effort), (SELECT max(entry_id) FROM catalog_wish))
""")
_BEGIN: Final = text("INSERT INTO catalog_estimate (as_of) VALUES (:as_of) RETURNING run")
_SHOW: Final = text("""
    UPDATE catalog_estimate SET digest = :digest, document = CAST(:document AS jsonb)
    WHERE run = :run AND NOT EXISTS (SELECT FROM catalog_estimate c WHERE c.run > :run AND c.document IS NOT NULL)
""")
_SAME: Final = text("UPDATE catalog_estimate SET as_of = :as_of WHERE run = :run")
_FORGET: Final = tuple(
    text(f"DELETE FROM {table} WHERE run < :run")  # noqa: S608 - the names stand here
    for table in ("catalog_realized", "catalog_potential", "catalog_gap", "catalog_estimate")
)
_PUT_REALIZED: Final = text("""
    INSERT INTO catalog_realized (account_id, run, driver, unit, benefit_class, low, expected, high, counted, evidence,
                                  state, by_month)
    SELECT account_id, :run, driver, unit, benefit_class, low, expected, high, counted, evidence, state, by_month
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS given (account_id bigint, driver text, unit text,
        benefit_class text, low numeric, expected numeric, high numeric, counted numeric, evidence text, state text,
        by_month numeric[])
""")
_PUT_POTENTIAL: Final = text("""
    INSERT INTO catalog_potential (account_id, run, type, path, driver, unit, benefit_class, reach, basis, segment,
                                   size, low, expected, high, needs)
    SELECT account_id, :run, type, path, driver, unit, benefit_class, reach, basis, segment, size, low, expected, high,
           needs
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS given (account_id bigint, type text, path text, driver text,
        unit text, benefit_class text, reach text, basis text, segment text, size numeric, low numeric,
        expected numeric, high numeric, needs text[])
""")
_PUT_GAPS: Final = text("""
    INSERT INTO catalog_gap (account_id, run, type, path, code, connected, events)
    SELECT account_id, :run, type, path, code, connected, events
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS given (account_id bigint, type text, path text, code text,
        connected boolean, events bigint)
""")
_REALIZED: Final = text("""
    SELECT driver, unit, benefit_class, count(*) AS accounts, sum(low) AS low, sum(expected) AS expected,
           sum(high) AS high, sum(counted) AS counted, array_agg(DISTINCT evidence) AS evidence,
           array_agg(DISTINCT state) AS states
    FROM catalog_realized WHERE run = :run GROUP BY driver, unit, benefit_class ORDER BY driver, unit, benefit_class
""")
_POTENTIAL: Final = text("""
    SELECT type, path, driver, unit, benefit_class, reach, basis, count(*) AS accounts, sum(low) AS low,
           sum(expected) AS expected, sum(high) AS high, count(*) FILTER (WHERE needs <> '{}') AS needing
    FROM catalog_potential WHERE run = :run
    GROUP BY type, path, driver, unit, benefit_class, reach, basis
    ORDER BY type, path, driver, unit, reach
""")
_GAPS: Final = text("""
    SELECT type, path, code, count(*) AS accounts, count(*) FILTER (WHERE connected) AS connected,
           sum(events)::bigint AS events
    FROM catalog_gap WHERE run = :run GROUP BY type, path, code ORDER BY type, path, code
""")


class Estimates(msgspec.Struct, frozen=True):
    """Of which months, of which types that no meter reads, what was found, and where types come from; no account.
    `occasional` are types that most of those who send them do not send in every month."""

    months: tuple[date, ...]
    unmapped: tuple[str, ...]
    verdicts: tuple[Verdict, ...]
    sources: Mapping[str, str]
    occasional: tuple[str, ...] = ()


class Stored(msgspec.Struct, frozen=True):
    """The newest run."""

    run: int
    as_of: datetime
    estimates: Estimates


class Total(msgspec.Struct, frozen=True):
    """Of one driver, unit and class over the accounts in scope and all months."""

    driver: str
    unit: str
    benefit_class: str
    accounts: int
    low: Decimal
    expected: Decimal
    high: Decimal
    counted: Decimal
    evidence: Evidence
    state: State


class PotentialTotal(msgspec.Struct, frozen=True):
    """Of one month, over the accounts in scope. `needing`: so many of them would have to send other types too."""

    type: str
    path: str
    driver: str
    unit: str
    benefit_class: str
    reach: Reach
    basis: Basis
    accounts: int
    low: Decimal
    expected: Decimal
    high: Decimal
    needing: int


class GapTotal(msgspec.Struct, frozen=True):
    """Over the accounts in scope: how many, how many of them are connected, and events that could not be metered."""

    type: str
    path: str
    code: str
    accounts: int
    connected: int
    events: int


class Findings(msgspec.Struct, frozen=True):
    """All that a run found."""

    estimates: Estimates
    standings: Sequence[Standing]
    potential: Sequence[Estimate]
    gaps: Sequence[Gap]

    @property
    def digest(self) -> str:
        parts = (self.estimates, _realized_rows(self.standings), self.potential, self.gaps)
        return hashlib.sha256(msgspec.json.encode(parts, order="sorted")).hexdigest()


def _realized_rows(standings: Sequence[Standing]) -> list[dict[str, object]]:
    return [
        {
            "account_id": one.account_id,
            "driver": driver,
            "unit": unit,
            **{name: getattr(amount, name) for name in _FIELDS_OF_SUM},
        }
        for one in standings
        for (driver, unit), amount in sorted(one.realized.items())
    ]


_FIELDS_OF_SUM: Final = ("benefit_class", "low", "expected", "high", "counted", "evidence", "state", "by_month")


async def keep_same(tx: Transaction, digest: str, as_of: datetime) -> bool:
    """Whether the newest run found the same; then it is of this time now."""
    row = await tx.row(_NEWEST)
    if row is None or row.digest != digest:
        return False
    await tx.execute(_SAME, {"as_of": as_of, "run": row.run})
    return True


async def catalog_version(tx: Transaction) -> str:
    """Another whenever the worker has estimated anew, which is whenever it has counted, or a person has said something.
    Cheap: it reads no account."""
    return str(await tx.scalar(_VERSION))


async def begin(tx: Transaction, as_of: datetime) -> int:
    """The number of a new run, which nobody sees yet."""
    return int(await tx.scalar(_BEGIN, {"as_of": as_of}))


async def put(tx: Transaction, run: int, part: Findings) -> None:
    """Write the rows of some accounts; nobody sees them yet."""
    await _put(tx, _PUT_REALIZED, run, _realized_rows(part.standings))
    await _put(tx, _PUT_POTENTIAL, run, part.potential)
    await _put(tx, _PUT_GAPS, run, part.gaps)


async def _put(tx: Transaction, statement: Any, run: int, rows: Sequence[object]) -> None:
    if rows:
        await tx.execute(statement, {"run": run, "rows": msgspec.json.encode(rows).decode()})


async def show(tx: Transaction, run: int, found: Findings, digest: str) -> bool:
    """Let readers see this run, and forget those before; False where a later one is seen already."""
    document = msgspec.json.encode(found.estimates).decode()
    shown = await tx.execute(_SHOW, {"run": run, "digest": digest, "document": document})
    for statement in _FORGET if shown else ():
        await tx.execute(statement, {"run": run})
    return bool(shown)


async def newest(tx: Transaction) -> Stored | None:
    """None before the first run."""
    row = await tx.row(_NEWEST)
    if row is None:
        return None
    return Stored(row.run, row.as_of, msgspec.json.decode(row.document, type=Estimates))


async def realized_totals(tx: Transaction, run: int) -> list[Total]:
    return [
        Total(
            driver=row.driver,
            unit=row.unit,
            benefit_class=row.benefit_class,
            accounts=row.accounts,
            low=row.low,
            expected=row.expected,
            high=row.high,
            counted=row.counted,
            evidence=weakest(Evidence(one) for one in row.evidence),
            state=weakest_state(State(one) for one in row.states),
        )
        for row in await tx.rows(_REALIZED, {"run": run})
    ]


async def potential_totals(tx: Transaction, run: int) -> list[PotentialTotal]:
    return [
        PotentialTotal(**{**row._asdict(), "reach": Reach(row.reach), "basis": Basis(row.basis)})
        for row in await tx.rows(_POTENTIAL, {"run": run})
    ]


async def gap_totals(tx: Transaction, run: int) -> list[GapTotal]:
    return [GapTotal(**row._asdict()) for row in await tx.rows(_GAPS, {"run": run})]
