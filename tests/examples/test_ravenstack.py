"""The RavenStack set by the example's own queries, against an independent count with DuckDB."""

import csv
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from sqlalchemy import text

from tests.conftest import TEMPLATE, Databases, Server
from valueplatform.accounts.accounts import account_by_key
from valueplatform.accounts.contracts import contracts_of, mrr
from valueplatform.commands.importing import import_files
from valueplatform.core.authorization import operator_scope
from valueplatform.core.clock import system_clock
from valueplatform.core.periods import Window
from valueplatform.narrative.report import Asked, read_report, report_csv
from valueplatform.telemetry.importing import import_events
from valueplatform.value.applying import apply_model
from valueplatform.value.model_file import read_model
from valueplatform.value.proof_record import read_source
from valueplatform.value.reading import Question, read_value
from valueplatform.value.refreshing import refresh_value
from valueplatform.value.verify import verify_account, verify_intake
from valueplatform.worker import Worker

EXAMPLE = Path(__file__).parents[2] / "examples" / "ravenstack"
LAST = date(2024, 12, 31)
NOW = datetime(2025, 1, 15, tzinfo=UTC)


@pytest.fixture
def folder(shared: Path) -> Path:
    return shared / "data" / "ravenstack"


@pytest.fixture
def duck(folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The same files read by another engine."""
    connection = duckdb.connect()
    for name, file in (("usage", "feature_usage"), ("subscriptions", "subscriptions"), ("accounts", "accounts")):
        path = folder / f"ravenstack_{file}.csv"
        connection.execute(f"CREATE TABLE {name} AS SELECT * FROM read_csv('{path}', all_varchar = true)")
    connection.execute("ALTER TABLE usage ADD COLUMN place BIGINT")
    connection.execute("UPDATE usage SET place = rowid")
    yield connection
    connection.close()


async def load(databases: Databases, folder: Path) -> Any:
    """Everything, by the queries that the example ships; the report of the events."""
    files = {name: folder / f"ravenstack_{name}.csv" for name in ("accounts", "subscriptions")}
    async with databases.worker.transaction(operator_scope()) as tx:
        await apply_model(tx, read_model((EXAMPLE / "model.toml").read_text(), "model.toml"))
    for kind, table in (("accounts", "accounts"), ("contracts", "subscriptions")):
        sql = (EXAMPLE / f"{kind}.sql").read_text()
        report = await import_files(databases.worker, kind, {table: files[table]}, sql, system_clock)
        assert report.rejected == 0
    tables = {"usage": folder / "ravenstack_feature_usage.csv", "subscriptions": files["subscriptions"]}
    return await import_events(databases.ingest, tables, (EXAMPLE / "events.sql").read_text(), system_clock)


@dataclass(frozen=True)
class Loaded:
    """A database of its own with everything in it, and the report of the events."""

    databases: Databases
    report: Any


@pytest.fixture
async def loaded(server: Server, folder: Path) -> AsyncIterator[Loaded]:
    name = f"{TEMPLATE}_ravenstack"
    report = await server.template(name, lambda databases: load(databases, folder))
    async with server.clone(name) as databases:
        yield Loaded(databases, report)


FIRST_OF_EACH_ID = """
    SELECT s.account_id, u.* FROM (
        SELECT *, row_number() OVER (PARTITION BY usage_id ORDER BY place) AS nth FROM usage
    ) u JOIN subscriptions s USING (subscription_id) WHERE nth = 1
"""


async def test_ravenstack_counts_sums_and_conflicts_equal_an_independent_count(
    loaded: Loaded, duck: duckdb.DuckDBPyConnection
) -> None:
    report = loaded.report
    assert (report.received, report.stored, report.duplicates, report.conflicts) == (25_000, 24_979, 0, 21)

    async with loaded.databases.worker.transaction(operator_scope()) as tx:
        rows = await tx.rows(text("SELECT key, count(*) AS n FROM event JOIN account USING (account_id) GROUP BY key"))
        per_account = {row.key: row.n for row in rows}
        rows = await tx.rows(
            text("""
            SELECT key, meter, dimensions[1] AS feature, sum(total) AS total FROM rollup JOIN account USING (account_id)
            WHERE meter IN ('uses', 'seconds_in_use') GROUP BY 1, 2, 3
        """)
        )
        per_feature = {(row.key, row.meter, row.feature): int(row.total) for row in rows}
        kept = await tx.rows(
            text("SELECT c.id, key, c.body::text AS body FROM event_conflict c JOIN account USING (account_id)")
        )
        stored = {
            row.id: row.key for row in await tx.rows(text("SELECT id, key FROM event JOIN account USING (account_id)"))
        }
    expected = duck.execute(f"SELECT account_id, count(*) FROM ({FIRST_OF_EACH_ID}) GROUP BY 1").fetchall()
    assert per_account == dict(expected)
    counted: dict[tuple[str, str, str], int] = {}
    for meter, column in (("uses", "usage_count"), ("seconds_in_use", "usage_duration_secs")):
        sums = f"SELECT account_id, feature_name, sum({column}::BIGINT) FROM ({FIRST_OF_EACH_ID}) GROUP BY 1, 2"
        counted |= {(account, meter, feature): int(total) for account, feature, total in duck.execute(sums).fetchall()}
    assert per_feature == counted
    doubled = duck.execute("""
        SELECT usage_id, first(account_id ORDER BY place), last(account_id ORDER BY place)
        FROM usage JOIN subscriptions USING (subscription_id) GROUP BY 1 HAVING count(*) > 1
    """).fetchall()
    assert len(doubled) == 21
    assert sorted((row.id, row.key) for row in kept) == sorted((usage, last) for usage, _, last in doubled)
    assert all(stored[usage] == first for usage, first, _ in doubled)


async def test_ravenstack_mrr_at_the_end_of_2024_equals_an_independent_sum(
    loaded: Loaded, duck: duckdb.DuckDBPyConnection
) -> None:
    expected = dict(
        duck.execute("""
        SELECT account_id, sum(CASE WHEN start_date <= '2024-12-31' AND (end_date IS NULL OR end_date > '2024-12-31')
                                    THEN mrr_amount::DECIMAL(18, 4) ELSE 0 END)
        FROM subscriptions GROUP BY 1
    """).fetchall()
    )
    async with loaded.databases.web.transaction(operator_scope()) as tx:
        for key, amount in expected.items():
            account = await account_by_key(tx, key)
            assert mrr(await contracts_of(tx, account.account_id), LAST) == Decimal(amount), key


async def test_importing_ravenstack_again_changes_nothing_and_its_stories_verify(loaded: Loaded, folder: Path) -> None:
    databases = loaded.databases
    again = await load(databases, folder)
    assert (again.stored, again.duplicates, again.conflicts) == (0, 24_979, 21)
    worker = Worker(databases.worker)
    async with databases.worker.transaction(operator_scope()) as tx:
        chosen = await tx.rows(text("SELECT account_id, key FROM account WHERE account_id > 0 ORDER BY key LIMIT 3"))
    for row in chosen:
        assert await worker.serve(row.account_id)
        async with databases.worker.transaction(operator_scope()) as tx:
            source = await read_source(tx, row.account_id)
            assert source is not None
            checked = await verify_account(tx, source, date(2023, 1, 1), date(2025, 1, 1))
            story = await tx.scalar(
                text("SELECT document->'headline' FROM story WHERE account_id = :a AND audience = 'customer'"),
                {"a": row.account_id},
            )
        assert checked.discrepancies == ()
        assert checked.accruals > 0
        assert story["spans"]
    async with databases.ingest.transaction(operator_scope()) as tx:
        assert await verify_intake(tx) == []


# Amounts of the model's two drivers in units of the last place, by integers alone: rounded once, half to even.
_ROUNDED = """
    SELECT account_id, day, CASE WHEN whole < 0 THEN -1 ELSE 1 END * (abs(whole) // {over} + CASE
        WHEN 2 * (abs(whole) % {over}) > {over} THEN 1
        WHEN 2 * (abs(whole) % {over}) = {over} THEN (abs(whole) // {over}) % 2 ELSE 0 END) AS units
    FROM (SELECT account_id, usage_date::DATE AS day, sum({formula})::HUGEINT * 10000 AS whole
          FROM ({rows}) GROUP BY 1, 2)
"""
_DRIVERS = {
    "work_saved": ("(usage_count::HUGEINT * 600 - usage_duration_secs::HUGEINT) * 48", 3600),
    "errors_met": ("-error_count::HUGEINT * 4 * 48", 60),
}


async def refreshed(databases: Databases, count: int) -> list[str]:
    """The keys of the first accounts, whose value has been computed."""
    async with databases.worker.transaction(operator_scope()) as tx:
        chosen = await tx.rows(
            text("SELECT account_id, key FROM account WHERE account_id > 0 ORDER BY key LIMIT :count"), {"count": count}
        )
    for row in chosen:
        async with databases.worker.transaction(operator_scope()) as tx:
            await refresh_value(tx, row.account_id, NOW)
    return [row.key for row in chosen]


def worth(duck: duckdb.DuckDBPyConnection, driver: str, keys: list[str]) -> dict[tuple[str, date], Decimal]:
    """What a driver is worth to accounts on each day, by the other engine."""
    formula, over = _DRIVERS[driver]
    sums = _ROUNDED.format(formula=formula, over=over, rows=FIRST_OF_EACH_ID)
    rows = duck.execute(f"SELECT * FROM ({sums}) WHERE list_contains(?, account_id)", [keys]).fetchall()
    return {(account, day): Decimal(int(units)).scaleb(-4) for account, day, units in rows}


async def test_accruals_of_ravenstack_agree_with_a_second_implementation_to_the_last_unit(
    loaded: Loaded, duck: duckdb.DuckDBPyConnection
) -> None:
    databases = loaded.databases
    keys = await refreshed(databases, 60)
    query = text("SELECT key, day, expected FROM accrual JOIN account USING (account_id) WHERE driver = :driver")
    for driver in _DRIVERS:
        async with databases.worker.transaction(operator_scope()) as tx:
            found = {(row.key, row.day): row.expected for row in await tx.rows(query, {"driver": driver})}
        assert found == worth(duck, driver, keys)
        assert len(found) > 2_000


async def test_window_reads_and_the_report_of_ravenstack_agree_with_it_too(
    loaded: Loaded, duck: duckdb.DuckDBPyConnection
) -> None:
    databases = loaded.databases
    keys = await refreshed(databases, 8)
    expected: defaultdict[tuple[str, str, date], Decimal] = defaultdict(Decimal)
    for driver in _DRIVERS:
        for (key, day), amount in worth(duck, driver, keys).items():
            expected[key, driver, day.replace(day=1)] += amount
    start, end = date(2023, 1, 1), date(2025, 1, 1)
    read: dict[tuple[str, str, date], Decimal] = {}
    reported: dict[tuple[str, str, date], Decimal] = {}
    async with databases.web.transaction(operator_scope()) as tx:
        for key in keys:
            account = await account_by_key(tx, key)
            months = await read_value(tx, account, Question(start, end, window=Window.MONTH), NOW)
            read |= {(key, row.groups["driver"], row.window_start): row.realized for row in months.rows}
            lines = report_csv(await read_report(tx, account, Asked(start, end), NOW)).decode().splitlines()
            for row in csv.DictReader(lines):
                reported[key, row["driver"], date.fromisoformat(row["window_start"])] = Decimal(row["realized"])
    assert read == reported == expected
    assert len(read) > 200
