"""How accounts compare, in the database: written whole by the worker. Figures of cohorts are for everybody, since they
name no account; where an account stands is in its own rows, in scope.

Rows of a run become visible together, when it gets its document. Where nothing is other than before, only the time
changes. Runs may overlap: the one that began last stands.
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

import msgspec
from sqlalchemy import text

from valueplatform.core.database import Transaction
from valueplatform.value.agreed_values import Validated
from valueplatform.value.benchmark import Member, Standing
from valueplatform.value.benchmarks import Benchmarks
from valueplatform.value.practice import Use

_NEWEST: Final = text("""
    SELECT run, as_of, digest, document::text AS document FROM benchmark_run
    WHERE document IS NOT NULL ORDER BY run DESC LIMIT 1
""")
_BEGIN: Final = text("INSERT INTO benchmark_run (as_of) VALUES (:as_of) RETURNING run")
_SAME: Final = text("UPDATE benchmark_run SET as_of = :as_of WHERE run = :run")
_SHOW: Final = text("""
    UPDATE benchmark_run SET digest = :digest, document = CAST(:document AS jsonb)
    WHERE run = :run AND NOT EXISTS (SELECT FROM benchmark_run c WHERE c.run > :run AND c.document IS NOT NULL)
""")
_FORGET: Final = (
    text("DELETE FROM benchmark_member WHERE run < :run"),
    text("DELETE FROM benchmark_use WHERE run < :run"),
    text("DELETE FROM benchmark_input WHERE run < :run"),
    text("DELETE FROM benchmark_run WHERE run < :run"),
)
_PUT: Final = text("""
    INSERT INTO benchmark_member (account_id, run, driver, unit, benefit_class, segment, total, scale, standings)
    SELECT account_id, :run, driver, unit, benefit_class, segment, total, scale, standings
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS given (account_id bigint, driver text, unit text,
        benefit_class text, segment text, total numeric, scale numeric, standings jsonb)
""")
_PUT_USES: Final = text("""
    INSERT INTO benchmark_use (account_id, run, feature, first_day, is_used)
    SELECT account_id, :run, feature, first, is_used FROM jsonb_to_recordset(CAST(:rows AS jsonb))
        AS given (account_id bigint, feature text, first date, is_used boolean)
""")
_PUT_INPUTS: Final = text("""
    INSERT INTO benchmark_input (account_id, run, slug, unit, segment, value)
    SELECT account_id, :run, slug, unit, segment, value FROM jsonb_to_recordset(CAST(:rows AS jsonb))
        AS given (account_id bigint, slug text, unit text, segment text, value numeric)
""")
_OWN: Final = text("""
    SELECT driver, unit, benefit_class, segment, total, scale, standings::text AS standings FROM benchmark_member
    WHERE account_id = :account AND run = :run ORDER BY driver, unit
""")


class Stored(msgspec.Struct, frozen=True):
    """The newest run; its amounts are as they stood at `as_of`."""

    run: int
    as_of: datetime
    benchmarks: Benchmarks


class Row(msgspec.Struct, frozen=True):
    """What one account brought into the cohorts of a driver, and where it stands in them."""

    account_id: int
    driver: str
    unit: str
    benefit_class: str
    segment: str | None
    total: Decimal
    scale: Decimal | None
    standings: Sequence[Standing]


class Own(msgspec.Struct, frozen=True):
    """One account's row, as it reads it."""

    driver: str
    unit: str
    benefit_class: str
    segment: str | None
    total: Decimal
    scale: Decimal | None
    standings: tuple[Standing, ...]


def row_of(member: Member, standings: Mapping[tuple[int, str], Sequence[Standing]]) -> Row:
    return Row(
        member.account_id,
        member.driver,
        member.unit,
        member.benefit_class,
        member.segment,
        member.total,
        member.scale,
        standings.get((member.account_id, member.unit), ()),
    )


def digest_of(benchmarks: Benchmarks, rows: Sequence[Row], uses: Sequence[Use], inputs: Sequence[Validated]) -> str:
    return hashlib.sha256(msgspec.json.encode((benchmarks, rows, uses, inputs), order="sorted")).hexdigest()


async def keep_same(tx: Transaction, digest: str, as_of: datetime) -> bool:
    """Whether the newest run found the same; then it is of this time now."""
    row = await tx.row(_NEWEST)
    if row is None or row.digest != digest:
        return False
    await tx.execute(_SAME, {"as_of": as_of, "run": row.run})
    return True


async def begin(tx: Transaction, as_of: datetime) -> int:
    """The number of a new run, which nobody sees yet."""
    return int(await tx.scalar(_BEGIN, {"as_of": as_of}))


async def put(tx: Transaction, run: int, rows: Sequence[Row]) -> None:
    """Write rows of some accounts; nobody sees them yet."""
    await tx.execute(_PUT, {"run": run, "rows": msgspec.json.encode(rows).decode()})


async def put_uses(tx: Transaction, run: int, uses: Sequence[Use]) -> None:
    await tx.execute(_PUT_USES, {"run": run, "rows": msgspec.json.encode(uses).decode()})


async def put_inputs(tx: Transaction, run: int, inputs: Sequence[Validated]) -> None:
    await tx.execute(_PUT_INPUTS, {"run": run, "rows": msgspec.json.encode(inputs).decode()})


async def show(tx: Transaction, run: int, benchmarks: Benchmarks, digest: str) -> bool:
    """Let readers see this run, and forget those before; False where a later one is seen already."""
    document = msgspec.json.encode(benchmarks).decode()
    shown = await tx.execute(_SHOW, {"run": run, "digest": digest, "document": document})
    for statement in _FORGET if shown else ():
        await tx.execute(statement, {"run": run})
    return bool(shown)


async def newest_benchmarks(tx: Transaction) -> Stored | None:
    """None before the first run."""
    row = await tx.row(_NEWEST)
    if row is None:
        return None
    return Stored(row.run, row.as_of, msgspec.json.decode(row.document, type=Benchmarks))


async def own_rows(tx: Transaction, run: int, account_id: int) -> list[Own]:
    """One account's, in scope."""
    return [
        Own(
            driver=row.driver,
            unit=row.unit,
            benefit_class=row.benefit_class,
            segment=row.segment,
            total=row.total,
            scale=row.scale,
            standings=msgspec.json.decode(row.standings, type=tuple[Standing, ...]),
        )
        for row in await tx.rows(_OWN, {"account": account_id, "run": run})
    ]
