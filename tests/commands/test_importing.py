"""Imports of rows: whole, in batches, on the real rooms."""

import asyncio
from datetime import date, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.accounts.factories import NOW, an_account, found
from tests.conftest import Databases
from valueplatform.accounts.imports import ImportReport
from valueplatform.commands.importing import BATCH, KINDS, import_files, import_rows
from valueplatform.core.authorization import operator_scope
from valueplatform.core.errors import ConflictError, InvalidInputError
from valueplatform.telemetry.backfilling import counting
from valueplatform.telemetry.importing import import_events
from valueplatform.value.applying import apply_model
from valueplatform.value.model_file import read_model

MODEL = """
supplier = { name = "Fieldnote", currency = "JPY", timezone = "Asia/Tokyo" }

[[meter]]
slug = "jobs"
event = "job.done"
aggregation = "COUNT"

[[driver]]
slug = "visits"
title = "Visits"
unit = "JPY"
formula = "jobs"
"""


def now() -> datetime:
    return NOW


async def applied(databases: Databases) -> None:
    async with databases.worker.transaction(operator_scope()) as tx:
        await apply_model(tx, read_model(MODEL, "model.toml"))


async def rows_of(databases: Databases, query: str) -> list[tuple[object, ...]]:
    async with databases.worker.transaction(operator_scope()) as tx:
        return [tuple(row) for row in await tx.rows(text(query))]


def written(folder: Path, name: str, content: str) -> Path:
    path = folder / name
    path.write_text(content, encoding="utf-8")
    return path


async def test_what_a_row_does_not_say_comes_from_the_supplier_of_the_model(databases: Databases) -> None:
    await import_rows(databases.worker, "accounts", [{"key": "early"}], now)
    await applied(databases)
    await import_rows(databases.worker, "accounts", [{"key": "late"}], now)
    early, late = await found(databases, "early"), await found(databases, "late")
    assert (early.timezone, early.currency) == ("UTC", "USD")
    assert (late.timezone, late.currency) == ("Asia/Tokyo", "JPY")


async def test_drivers_that_the_model_does_not_have_cannot_be_planned(databases: Databases) -> None:
    await an_account(databases)
    await applied(databases)
    row = {"account": "acme", "id": "case", "objective": "Fewer visits", "month": "2026-06", "expected": "1"}
    rows = [{**row, "driver": "visits"}, {**row, "driver": "visit"}]
    report = await import_rows(databases.worker, "plans", rows, now)
    assert report == ImportReport(received=2, created=1, rejected=1, reasons={"invalid_value": 1})


async def test_a_new_zone_moves_events_and_rollups_to_other_days(databases: Databases, tmp_path: Path) -> None:
    await applied(databases)
    await import_rows(databases.worker, "accounts", [{"key": "acme", "timezone": "UTC"}], now)
    events = written(tmp_path, "e.csv", "id,type,account,time\n1,job.done,acme,2026-01-31T23:30:00Z\n")
    await import_events(databases.ingest, {"e": events}, "SELECT * FROM e", now)
    rollups = "SELECT day, events, total FROM rollup JOIN account USING (account_id) WHERE meter = 'jobs' || edition"
    assert await rows_of(databases, rollups) == [(date(2026, 1, 31), 1, 1)]
    async with databases.worker.transaction(operator_scope()) as tx:
        await tx.execute(text("DELETE FROM changed_day"))
    report = await import_rows(databases.worker, "accounts", [{"key": "acme", "timezone": "Asia/Tokyo"}], now)
    assert report.changed == 1
    assert await rows_of(databases, rollups) == [(date(2026, 2, 1), 1, 1)]
    assert await rows_of(databases, "SELECT count(*) FROM rollup") == [(1,)], "the old ones are gone"
    covered = "SELECT count(*) FROM changed_day WHERE day <= DATE '2026-01-31' AND through >= DATE '2026-02-01'"
    assert (await rows_of(databases, covered))[0][0] != 0


async def two_accounts_with_events(databases: Databases, folder: Path) -> None:
    await applied(databases)
    await import_rows(
        databases.worker, "accounts", [{"key": key, "timezone": "UTC"} for key in ("acme", "globex")], now
    )
    lines = [f"{n},job.done,{'acme' if n % 2 else 'globex'},2026-01-31T23:30:00Z" for n in range(7)]
    events = written(folder, "e.csv", "\n".join(["id,type,account,time", *lines, ""]))
    await import_events(databases.ingest, {"e": events}, "SELECT * FROM e", now)


MOVED = [{"key": "acme", "timezone": "Asia/Tokyo", "name": "Acme"}, {"key": "globex", "timezone": "Asia/Seoul"}]


async def zones(databases: Databases) -> list[tuple[object, ...]]:
    return await rows_of(databases, "SELECT key, name, timezone FROM account WHERE account_id > 0 ORDER BY key")


async def test_the_zones_of_accounts_with_events_change_together_and_the_same_again_changes_nothing(
    databases: Databases, tmp_path: Path
) -> None:
    await two_accounts_with_events(databases, tmp_path)
    counted: list[tuple[int, int]] = []
    report = await import_rows(databases.worker, "accounts", MOVED, now, None, lambda *told: counted.append(told))
    assert report == ImportReport(received=2, changed=2)
    assert await zones(databases) == [("acme", "Acme", "Asia/Tokyo"), ("globex", "globex", "Asia/Seoul")]
    assert counted == [(0, 7), (7, 7)]
    before = await rows_of(databases, "SELECT * FROM account ORDER BY key"), await rows_of(databases, MARKS)
    again = await import_rows(databases.worker, "accounts", MOVED, now, None, lambda *told: counted.append(told))
    assert again == ImportReport(received=2, unchanged=2)
    assert len(counted) == 2
    assert (await rows_of(databases, "SELECT * FROM account ORDER BY key"), await rows_of(databases, MARKS)) == before


MARKS = "SELECT account_id, day, through, cause FROM changed_day ORDER BY mark_id"


async def test_where_zones_cannot_change_now_all_else_is_imported_and_the_next_import_changes_them(
    databases: Databases, tmp_path: Path
) -> None:
    await two_accounts_with_events(databases, tmp_path)
    async with counting(databases.worker, operator_scope(), [], lambda *_: None):
        with pytest.raises(ConflictError, match="All is imported but the new zones of 2 accounts") as refused:
            await import_rows(databases.worker, "accounts", [*MOVED, {"key": "new"}], now)
    assert "start the command again" in refused.value.message
    assert await zones(databases) == [
        ("acme", "Acme", "UTC"),
        ("globex", "globex", "UTC"),
        ("new", "new", "Asia/Tokyo"),
    ]
    report = await import_rows(databases.worker, "accounts", MOVED, now)
    assert report == ImportReport(received=2, changed=2)
    assert [row[2] for row in await zones(databases)] == ["Asia/Tokyo", "Asia/Seoul", "Asia/Tokyo"]


async def test_of_two_imports_at_once_one_changes_the_zones_and_the_other_is_refused_or_finds_them_changed(
    databases: Databases, tmp_path: Path
) -> None:
    await two_accounts_with_events(databases, tmp_path)
    both = await asyncio.gather(
        *(import_rows(databases.worker, "accounts", MOVED, now) for _ in range(2)), return_exceptions=True
    )
    assert any(isinstance(one, ImportReport) for one in both)
    assert all(isinstance(one, ImportReport | ConflictError) for one in both)
    assert [row[2] for row in await zones(databases)] == ["Asia/Tokyo", "Asia/Seoul"]
    rollups = "SELECT key, day, events FROM rollup JOIN account USING (account_id) ORDER BY key"
    assert await rows_of(databases, rollups) == [("acme", date(2026, 2, 1), 3), ("globex", date(2026, 2, 1), 4)]


async def test_a_contract_marks_its_days_and_a_name_marks_none(databases: Databases) -> None:
    await an_account(databases)
    contract = {
        "account": "acme",
        "id": "c",
        "start": "2025-01-01",
        "end": "2025-02-01",
        "amount": 1,
        "period": "month",
    }
    await import_rows(databases.worker, "contracts", [contract], now)
    await import_rows(databases.worker, "people", [{"account": "acme", "email": "a@b"}], now)
    marks = await rows_of(databases, "SELECT day, through, cause FROM changed_day")
    assert marks == [(date(2025, 1, 1), date(2025, 1, 31), "contract")]


async def test_rejected_rows_and_lines_are_kept_once_however_often_they_come(
    databases: Databases, tmp_path: Path
) -> None:
    account = await an_account(databases)
    people = written(tmp_path, "p.csv", "account,email,role\nacme,x,\nzz,a@b,\nacme,a@b,king,9\nacme,ok@b,\nacme,x,\n")
    for created in (1, 0):
        report = await import_files(databases.worker, "people", {"p": people}, "SELECT * FROM p", now)
        assert report == ImportReport(
            received=5,
            created=created,
            unchanged=1 - created,
            rejected=4,
            reasons={"bad_line": 1, "invalid_value": 2, "unknown_account": 1},
        )
    kept = await rows_of(databases, "SELECT origin, account_id, code, body FROM rejected_event ORDER BY code")
    assert [(origin, account_id, code) for origin, account_id, code, _ in kept] == [
        ("import:people", 0, "bad_line"),
        ("import:people", account.account_id, "invalid_value"),
        ("import:people", 0, "unknown_account"),
    ]
    assert kept[0][3] == "acme,a@b,king,9"


async def test_an_import_that_is_cut_off_goes_on_where_it_stopped(databases: Databases) -> None:
    await an_account(databases)
    rows = [{"account": "acme", "email": f"p{number}@acme.example"} for number in range(3 * BATCH + 1)]
    calls = 0

    def cut_off() -> datetime:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise KeyboardInterrupt
        return NOW

    with pytest.raises(KeyboardInterrupt):
        await import_rows(databases.worker, "people", rows, cut_off)
    assert await rows_of(databases, "SELECT count(*) FROM person") == [(2 * BATCH,)]
    report = await import_rows(databases.worker, "people", rows, now)
    assert report == ImportReport(received=3 * BATCH + 1, created=BATCH + 1, unchanged=2 * BATCH)


async def test_progress_counts_every_batch(databases: Databases) -> None:
    await an_account(databases)
    rows = [{"account": "acme", "email": f"p{number}@acme.example"} for number in range(BATCH + 1)]
    seen: list[tuple[int, int]] = []
    await import_rows(databases.worker, "people", rows, now, lambda done, total: seen.append((done, total)))
    assert seen == [(BATCH, BATCH + 1), (BATCH + 1, BATCH + 1)]


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "accounts"])
async def test_a_query_without_a_column_that_is_needed_is_refused_before_anything_is_stored(
    databases: Databases, tmp_path: Path, kind: str
) -> None:
    table = written(tmp_path, "t.csv", "account,x\nacme,1\n")
    with pytest.raises(InvalidInputError, match=r"The query gives no column .*; it must give"):
        await import_files(databases.worker, kind, {"t": table}, "SELECT * FROM t", now)
    assert await rows_of(databases, "SELECT * FROM rejected_event") == []


async def test_columns_that_mean_nothing_are_named(databases: Databases, tmp_path: Path) -> None:
    await an_account(databases)
    table = written(tmp_path, "t.csv", "account,email,rol\nacme,a@b,sponsor\n")
    report = await import_files(databases.worker, "people", {"t": table}, "SELECT * FROM t", now)
    assert report.ignored == ("rol",)


async def test_every_kind_can_be_imported_from_rows(databases: Databases) -> None:
    rows: dict[str, dict[str, str]] = {
        "accounts": {"key": "acme"},
        "contracts": {"account": "acme", "id": "1", "start": "2026-01-01", "amount": "1", "period": "year"},
        "people": {"account": "acme", "email": "a@b"},
        "milestones": {"account": "acme", "id": "1", "kind": "go-live", "time": "2026-01-01"},
        "plans": {
            "account": "acme",
            "id": "1",
            "objective": "o",
            "driver": "visits",
            "month": "2026-01",
            "expected": "1",
        },
        "costs": {"id": "1", "kind": "service", "month": "2026-01", "amount": "1"},
    }
    assert tuple(rows) == KINDS
    for kind, row in rows.items():
        for report in (ImportReport(received=1, created=1), ImportReport(received=1, unchanged=1)):
            assert await import_rows(databases.worker, kind, [row], now) == report
