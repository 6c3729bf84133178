"""Imports of everything but events: rows into the rooms, batch by batch, each batch one transaction.

Rejected rows are kept beside rejected events, once for each content; days whose value they touch are marked.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any, Final

import msgspec

from valueplatform.accounts.account_import import AccountImport
from valueplatform.accounts.contract_import import ContractImport
from valueplatform.accounts.costs import CostImport
from valueplatform.accounts.exchange_rates import RateImport
from valueplatform.accounts.fields import Row
from valueplatform.accounts.imports import (
    NO_ACCOUNT,
    Defaults,
    Importable,
    Importer,
    ImportReport,
    Ports,
    Rejection,
)
from valueplatform.accounts.milestones import MilestoneImport
from valueplatform.accounts.people import PeopleImport
from valueplatform.core.authorization import operator_scope
from valueplatform.core.clock import Clock
from valueplatform.core.database import Database, Transaction
from valueplatform.core.errors import ConflictError, InvalidInputError
from valueplatform.core.tabular import BadLine, read_mapped
from valueplatform.telemetry.event import hash_id
from valueplatform.telemetry.marks import append_marks
from valueplatform.telemetry.meter_book import NO_MODEL
from valueplatform.telemetry.rezoning import rezone, with_events
from valueplatform.value.model import ValueModel
from valueplatform.value.models import NoModelError, newest_model
from valueplatform.value.plan_import import PlanImport

BATCH: Final = 1000
KINDS: Final = ("accounts", "contracts", "people", "milestones", "plans", "costs", "rates")

Progress = Callable[[int, int], None]
"""Called with how many rows, or events, are done, and of how many."""

_KEEP: Final = """
    INSERT INTO rejected_event (account_id, origin, id, code, message, body, content_hash, received_at)
    SELECT DISTINCT ON (content_hash) account_id, $2, id, code, message, body, content_hash, now()
    FROM unnest($1::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::uuid[])
        AS new (account_id, id, code, message, body, content_hash)
    WHERE NOT EXISTS (SELECT FROM rejected_event AS held WHERE held.content_hash = new.content_hash)
"""
_ENCODER: Final = msgspec.json.Encoder()


async def import_files(  # noqa: PLR0913 - what is imported, and how zones that change with it are counted
    database: Database,
    kind: str,
    tables: Mapping[str, Path],
    sql: str,
    clock: Clock,
    progress: Progress | None = None,
    counted: Progress | None = None,
    *,
    copier: Database | None = None,
) -> ImportReport:
    """Files as tables, mapped by a query that gives the columns of `kind`; `database` is in the worker role.

    Where accounts with events get other zones, `counted` hears of the events that are counted for that, beside ingest,
    once all rows are in; `copier` is in the ingest role, in which their sums can be copied in. Raises InvalidInputError
    where a file cannot be read at all, or the query does not give what is required, ConflictError where zones cannot be
    changed now.
    """
    mapped = read_mapped(tables, sql)
    importable, defaults = await _importable(database, kind)
    ignored = _unused_columns(importable, mapped.typed.columns)
    total = mapped.typed.height + len(mapped.bad_lines)
    report = await _import(database, Importer(importable, defaults, PORTS), mapped.rows(), clock, _of(total, progress))
    report = replace(report, ignored=ignored) + await _keep_bad_lines(database, kind, mapped.bad_lines)
    await _change_zones(database, importable, counted, copier)
    return report


async def import_rows(
    database: Database,
    kind: str,
    rows: Sequence[Row],
    clock: Clock,
    progress: Progress | None = None,
    counted: Progress | None = None,
) -> ImportReport:
    """Rows that are in memory already, each with the columns of `kind`; all else as `import_files` does."""
    importable, defaults = await _importable(database, kind)
    importer = Importer(importable, defaults, PORTS)
    report = await _import(database, importer, iter(rows), clock, _of(len(rows), progress))
    await _change_zones(database, importable, counted)
    return report


async def _change_zones(
    database: Database, importable: Importable[Any], counted: Progress | None, copier: Database | None = None
) -> None:
    """Raises ConflictError, which says what is imported all the same."""
    zones = importable.zones if isinstance(importable, AccountImport) else {}
    if not zones:
        return
    try:
        await rezone(database, operator_scope(), zones, counted or _nobody, copier)
    except ConflictError as conflict:
        raise ConflictError(
            f"All is imported but the new zones of {len(zones):,} accounts with events: {conflict.message} "
            "What is imported already will not change again."
        ) from conflict


def _nobody(_done: int, _total: int) -> None:
    """Hears nothing of progress."""


async def _import(
    database: Database, importer: Importer[Any], rows: Iterator[Row], clock: Clock, progress: Callable[[int], None]
) -> ImportReport:
    report = ImportReport()
    while batch := list(islice(rows, BATCH)):
        async with database.transaction(operator_scope()) as tx:
            report += await importer.take(tx, batch, clock())
        progress(report.received)
    return report


def _of(total: int, progress: Progress | None) -> Callable[[int], None]:
    return lambda done: None if progress is None else progress(done, total)


async def _importable(database: Database, kind: str) -> tuple[Importable[Any], Defaults]:
    async with database.transaction(operator_scope()) as tx:
        model = await _model(tx)
    supplier = NO_MODEL if model is None else model.supplier
    defaults = Defaults(supplier.timezone, supplier.currency)
    drivers = None if model is None else frozenset(driver.slug for driver in model.drivers)
    kinds: dict[str, Importable[Any]] = {
        "accounts": AccountImport(defaults, with_events),
        "contracts": ContractImport(),
        "people": PeopleImport(),
        "milestones": MilestoneImport(),
        "plans": PlanImport(drivers),
        "costs": CostImport(),
        "rates": RateImport(),
    }
    return kinds[kind], defaults


async def _model(tx: Transaction) -> ValueModel | None:
    try:
        return await newest_model(tx)
    except NoModelError:
        return None


def _unused_columns(importable: Importable[Any], columns: Sequence[str]) -> tuple[str, ...]:
    """Columns that mean nothing to the kind. Raises InvalidInputError where one that it needs is missing."""
    known = (*importable.required, *importable.optional)
    lacking = [name for name in importable.required if name not in columns]
    if lacking:
        raise InvalidInputError(
            f"The query gives no column {', '.join(lacking)}; it must give {', '.join(importable.required)}, "
            f"and may give {', '.join(importable.optional)}."
        )
    return () if importable.takes_rest else tuple(name for name in columns if name not in known)


async def keep_rejections(tx: Transaction, origin: str, rejections: Sequence[Rejection]) -> None:
    """Keep rows that were not taken, each content once."""
    if rejections:
        driver = await tx.driver()
        await driver.execute(
            _KEEP,
            [one.account_id for one in rejections],
            origin,
            [one.row_id for one in rejections],
            [one.code for one in rejections],
            [one.message for one in rejections],
            [one.body for one in rejections],
            [hash_id(_ENCODER.encode((origin, one.body))) for one in rejections],
        )


PORTS: Final = Ports(keep_rejections, append_marks)


async def _keep_bad_lines(database: Database, kind: str, lines: Sequence[BadLine]) -> ImportReport:
    """Lines that were no rows at all."""
    if not lines:
        return ImportReport()
    rejections = [
        Rejection(NO_ACCOUNT, None, "bad_line", f"Line {line.line_number} of {line.table} {line.reason}.", line.text)
        for line in lines
    ]
    async with database.transaction(operator_scope()) as tx:
        await keep_rejections(tx, f"import:{kind}", rejections)
    return ImportReport(received=len(lines), rejected=len(lines), reasons={"bad_line": len(lines)})
