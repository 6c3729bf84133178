"""The Online Retail set by the example's own queries, against a second implementation in DuckDB: accruals, window reads
and the report agree to the last unit. Of the whole set every row is imported; a tenth of the customers are valued."""

import csv
import gzip
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from sqlalchemy import text

from tests.conftest import TEMPLATE, Databases, Server
from valueplatform.accounts.accounts import account_by_key
from valueplatform.commands.importing import import_files
from valueplatform.core.authorization import operator_scope
from valueplatform.core.clock import system_clock
from valueplatform.core.periods import Window
from valueplatform.narrative.report import Asked, read_report, report_document
from valueplatform.telemetry.importing import import_events
from valueplatform.value.applying import apply_model
from valueplatform.value.model_file import read_model
from valueplatform.value.reading import Question, read_value
from valueplatform.value.refreshing import refresh_value

EXAMPLE = Path(__file__).parents[2] / "examples" / "onlineretail"
NOW = datetime(2011, 9, 5, tzinfo=UTC)
SPAN = Question(start=date(2010, 12, 1), end=date(2011, 9, 1), window=Window.MONTH)


@pytest.fixture(scope="session")
def folder(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The lines of customers whose number ends in 7, and every tenth line without a customer."""
    made = tmp_path_factory.mktemp("retail")
    source = shared / "data" / "online-retail" / "online_retail_2010-12_2011-08.csv.gz"
    with gzip.open(source, "rt", newline="") as read, (made / "lines.csv").open("w", newline="") as written:
        lines, kept = csv.reader(read), csv.writer(written)
        kept.writerow(next(lines))
        nobody = 0
        for line in lines:
            customer = line[6]
            nobody += not customer
            if customer.endswith("7.0") or (not customer and nobody % 10 == 0):
                kept.writerow(line)
    return made


@pytest.fixture
def duck(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The second implementation: plain SQL over the raw file, by another engine."""
    connection = duckdb.connect()
    connection.execute(f"CREATE TABLE lines AS SELECT * FROM read_csv('{folder / 'lines.csv'}', all_varchar = true)")
    connection.execute("""
        CREATE VIEW worth AS
        SELECT replace(CustomerID, '.0', '') AS account, InvoiceDate::DATE AS day,
               Quantity::DECIMAL(18, 0) * UnitPrice::DECIMAL(15, 3) AS amount
        FROM lines WHERE CustomerID IS NOT NULL
    """)
    yield connection
    connection.close()


async def load(databases: Databases, folder: Path) -> Any:
    """Everything, by the queries that the example ships; the report of the events."""
    tables = {"lines": folder / "lines.csv"}
    async with databases.worker.transaction(operator_scope()) as tx:
        await apply_model(tx, read_model((EXAMPLE / "model.toml").read_text(), "model.toml"))
    await import_files(databases.worker, "accounts", tables, (EXAMPLE / "accounts.sql").read_text(), system_clock)
    report = await import_events(databases.ingest, tables, (EXAMPLE / "events.sql").read_text(), system_clock)
    async with databases.worker.transaction(operator_scope()) as tx:
        ids = [row.account_id for row in await tx.rows(text("SELECT account_id FROM account WHERE account_id > 0"))]
    for account_id in ids:
        async with databases.worker.transaction(operator_scope()) as tx:
            await refresh_value(tx, account_id, NOW)
    return report


@pytest.fixture
async def loaded(server: Server, folder: Path) -> AsyncIterator[tuple[Databases, Any]]:
    name = f"{TEMPLATE}_retail"
    report = await server.template(name, lambda databases: load(databases, folder))
    async with server.clone(name) as databases:
        yield databases, report


async def test_every_line_is_stored_once_or_rejected_for_want_of_a_customer(
    loaded: tuple[Databases, Any], duck: duckdb.DuckDBPyConnection
) -> None:
    databases, report = loaded
    ((everything, nobody),) = duck.execute("SELECT count(*), count(*) - count(CustomerID) FROM lines").fetchall()
    assert (report.received, report.stored, len(report.rejections)) == (everything, everything - nobody, nobody)
    assert (report.duplicates, report.conflicts) == (0, 0)
    async with databases.worker.transaction(operator_scope()) as tx:
        reasons = await tx.rows(text("SELECT DISTINCT code FROM rejected_event"))
    assert [row.code for row in reasons] == ["missing_account"]


async def test_accruals_agree_with_the_second_implementation_to_the_last_unit(
    loaded: tuple[Databases, Any], duck: duckdb.DuckDBPyConnection
) -> None:
    databases, _ = loaded
    query = text("""
        SELECT key, day, expected FROM accrual JOIN account USING (account_id) WHERE driver = 'goods_bought'
    """)
    async with databases.worker.transaction(operator_scope()) as tx:
        found = {(row.key, row.day): row.expected for row in await tx.rows(query)}
    expected = {
        (account, day): amount
        for account, day, amount in duck.execute("SELECT account, day, sum(amount) FROM worth GROUP BY 1, 2").fetchall()
    }
    assert found == expected
    assert min(expected.values()) < 0  # cancellations count against it
    assert len(expected) > 1_000


async def test_window_reads_agree_with_the_second_implementation_to_the_last_unit(
    loaded: tuple[Databases, Any], duck: duckdb.DuckDBPyConnection
) -> None:
    databases, _ = loaded
    months = duck.execute(
        "SELECT account, date_trunc('month', day)::DATE, sum(amount) FROM worth GROUP BY 1, 2"
    ).fetchall()
    expected = {(account, month): amount for account, month, amount in months}
    found: dict[tuple[str, date], Decimal] = {}
    async with databases.web.transaction(operator_scope()) as tx:
        for key in sorted({account for account, _ in expected})[::7]:
            read = await read_value(tx, await account_by_key(tx, key), SPAN, NOW)
            own = {row.window_start: row.realized for row in read.rows if row.groups["driver"] == "goods_bought"}
            found |= {(key, month): amount for month, amount in own.items()}
            assert read.totals.realized == sum(own.values(), Decimal(0))
    assert found == {pair: amount for pair, amount in expected.items() if pair[0] in {key for key, _ in found}}
    assert len(found) > 30


async def test_the_report_agrees_with_the_second_implementation_to_the_last_unit(
    loaded: tuple[Databases, Any], duck: duckdb.DuckDBPyConnection
) -> None:
    databases, _ = loaded
    totals = duck.execute("SELECT account, sum(amount) FROM worth GROUP BY 1 ORDER BY 2 DESC LIMIT 3").fetchall()
    asked = Asked(start=SPAN.start, end=SPAN.end)
    async with databases.web.transaction(operator_scope()) as tx:
        for key, total in totals:
            report = report_document(await read_report(tx, await account_by_key(tx, key), asked, NOW))
            rows = [row for row in report["rows"] if row["driver"] == "goods_bought"]
            assert sum((Decimal(row["realized"]) for row in rows), Decimal(0)) == total
            assert Decimal(report["totals"]["realized"]) == total
