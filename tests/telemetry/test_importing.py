"""Event files: order, zones, exact numbers, bad rows, and a database that dies in the middle."""

import csv
import gzip
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from tests.conftest import Databases
from tests.telemetry.factories import NOW, apply_meters, make_account, recounted, rows, scalar, stored_rollups
from valueplatform.core import migrate
from valueplatform.core.embedded import running
from valueplatform.core.errors import InvalidInputError, UnavailableError
from valueplatform.telemetry.importing import import_events
from valueplatform.telemetry.meters import Aggregation, Meter
from valueplatform.telemetry.requests import Report

ALL = "SELECT * FROM events"
ROOT = Path(__file__).parents[2]


def written(folder: Path, content: str | bytes, name: str = "events.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


async def imported(databases: Databases, tables: Mapping[str, Path], sql: str = ALL, now: datetime = NOW) -> Report:
    return await import_events(databases.ingest, tables, sql, lambda: now)


def counts(report: Report) -> tuple[int, int, int, int, int]:
    return (report.received, report.stored, report.duplicates, report.conflicts, len(report.rejections))


async def test_well_known_columns_are_attributes_and_all_others_data(databases: Databases, tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "id,type,account,time,subject,provider,source,minutes,note,empty\n"
        '1,job.done,acme,2026-01-05T10:00:00+02:00,kim,partner,crm,12.50,"a ""b"", c\nd",\n',
    )
    assert counts(await imported(databases, {"events": path})) == (1, 1, 0, 0, 0)
    (event,) = await rows(databases, "SELECT * FROM event")
    assert (event["source"], event["subject"], event["provider"]) == ("crm", "kim", "partner")
    assert event["time"] == datetime(2026, 1, 5, 8, tzinfo=UTC)
    assert event["data"] == {"minutes": "12.50", "note": 'a "b", c\nd'}


async def test_the_source_is_import_where_none_is_given(databases: Databases, tmp_path: Path) -> None:
    await imported(databases, {"events": written(tmp_path, "id,type,account,time\n1,t,acme,2026-01-05\n")})
    assert await scalar(databases, "SELECT source FROM event") == "import"


async def test_the_same_input_twice_changes_nothing(databases: Databases, tmp_path: Path) -> None:
    await apply_meters(databases)
    path = written(
        tmp_path,
        "id,type,account,time,minutes\n1,job.done,acme,2026-01-05,5\n1,job.done,acme,2026-01-05,6\n"
        "2,job.done,acme,soon,5\nragged\n2,job.done,acme,soon,5\n3,,acme,2026-01-05,5\n",
    )
    tables = ("event", "event_conflict", "rejected_event", "rollup", "changed_day", "account")
    assert counts(await imported(databases, {"events": path})) == (6, 1, 0, 1, 4)
    before = {table: await rows(databases, f"SELECT * FROM {table}") for table in tables}
    again = await imported(databases, {"events": path}, now=NOW + timedelta(days=9))
    assert counts(again) == (6, 0, 1, 1, 4)
    assert {table: await rows(databases, f"SELECT * FROM {table}") for table in tables} == before
    assert len(before["rejected_event"]) == 4  # two rows with one text are two rows


async def test_bad_rows_and_lines_are_kept_with_the_reason_and_the_rest_goes_in(
    databases: Databases, tmp_path: Path
) -> None:
    path = written(
        tmp_path,
        b"id,type,account,time\n1,t,acme,2026-01-05\n2,t,acme,2026-01-05,extra\n3,t\n4,t,acme,2026-13-01\n"
        b",t,acme,2026-01-05\n6,t,,2026-01-05\n7,t,acme,\n8,t,acme,\xff\n9,t,acme,2026-06-02T12:00:01Z\n"
        b'10,"t,acme,2026-01-05\n11,t,acme,2026-01-05\n',
    )
    report = await imported(databases, {"events": path})
    assert counts(report) == (11, 2, 0, 0, 9)
    stored = await rows(databases, "SELECT id FROM event ORDER BY id")
    assert [row["id"] for row in stored] == ["1", "11"]
    kept = await rows(databases, "SELECT code, message, body FROM rejected_event ORDER BY rejected_id")
    codes = Counter(row["code"] for row in kept)
    assert codes == {
        "bad_line": 4,
        "invalid_time": 1,
        "missing_id": 1,
        "missing_account": 1,
        "missing_time": 1,
        "time_in_future": 1,
    }
    lines = [row["message"] for row in kept if row["code"] == "bad_line"]
    assert lines[0] == "Line 3 of events has 5 cells where the header has 4."
    assert json.loads(next(row["body"] for row in kept if row["code"] == "invalid_time"))["time"] == "2026-13-01"


@pytest.mark.parametrize(
    ("written_time", "zone", "instant", "day"),
    [
        ("2026-03-08", "America/New_York", datetime(2026, 3, 8, 5, tzinfo=UTC), date(2026, 3, 8)),
        ("2026-03-08 23:30:00", "America/New_York", datetime(2026, 3, 9, 3, 30, tzinfo=UTC), date(2026, 3, 8)),
        ("2025-11-02T23:30", "America/New_York", datetime(2025, 11, 3, 4, 30, tzinfo=UTC), date(2025, 11, 2)),
        ("2026-03-08T02:30:00", "America/New_York", datetime(2026, 3, 8, 7, 30, tzinfo=UTC), date(2026, 3, 8)),
        ("2018-11-04", "America/Sao_Paulo", datetime(2018, 11, 4, 3, tzinfo=UTC), date(2018, 11, 4)),
        ("2026-01-05T00:00:00Z", "Asia/Tokyo", datetime(2026, 1, 5, tzinfo=UTC), date(2026, 1, 5)),
        ("2026-01-04T23:00:00Z", "Asia/Tokyo", datetime(2026, 1, 4, 23, tzinfo=UTC), date(2026, 1, 5)),
    ],
)
async def test_a_time_without_a_zone_is_in_the_accounts_zone(
    databases: Databases, tmp_path: Path, written_time: str, zone: str, instant: datetime, day: date
) -> None:
    await make_account(databases, "acme", zone)
    await imported(databases, {"events": written(tmp_path, f"id,type,account,time\n1,t,acme,{written_time}\n")})
    (event,) = await rows(databases, "SELECT time, utc_day FROM event")
    assert event == {"time": instant, "utc_day": instant.date()}
    assert await scalar(databases, "SELECT day FROM changed_day") == day


async def test_a_local_time_is_still_a_duplicate_after_the_account_has_moved(
    databases: Databases, tmp_path: Path
) -> None:
    path = written(tmp_path, "id,type,account,time\n1,t,acme,2026-01-05\n")
    await make_account(databases, "acme", "Asia/Tokyo")
    await imported(databases, {"events": path})
    async with databases.admin.engine.begin() as connection:
        await connection.exec_driver_sql("UPDATE account SET timezone = 'Europe/Berlin'")
    assert counts(await imported(databases, {"events": path})) == (1, 0, 1, 0, 0)


async def test_a_local_time_may_be_a_day_ahead_in_its_own_zone(databases: Databases, tmp_path: Path) -> None:
    await make_account(databases, "acme", "Pacific/Kiritimati")  # 14 hours ahead
    text = "id,type,account,time\n1,t,acme,2026-06-03T02:00:00\n2,t,acme,2026-06-03T02:00:01\n"
    report = await imported(databases, {"events": written(tmp_path, text)})
    assert counts(report) == (2, 1, 0, 0, 1)
    assert report.rejections[0].code == "time_in_future"


async def test_file_order_is_arrival_order_through_a_join(databases: Databases, tmp_path: Path) -> None:
    numbers = range(2000)
    usage = "id,sub,n\n" + "".join(f"{number % 1000},{number % 7},{number}\n" for number in numbers)
    subs = "sub,account\n" + "".join(f"{number},acme {number}\n" for number in reversed(range(7)))
    sql = """
        SELECT u.id, 't' AS type, s.account, '2026-01-05' AS time, CAST(u.n AS INT) AS n
        FROM usage u JOIN subs s ON u.sub = s.sub
    """
    tables = {"usage": written(tmp_path, usage, "u.csv"), "subs": written(tmp_path, subs, "s.csv")}
    assert counts(await imported(databases, tables, sql)) == (2000, 1000, 0, 1000, 0)
    assert await scalar(databases, "SELECT max((data ->> 'n')::int) FROM event") == 999


async def test_numbers_stay_exact_from_every_kind_of_file(databases: Databases, tmp_path: Path) -> None:
    await apply_meters(databases)
    line = '{"id": 1, "minutes": 0.1, "big": 123456789012345678.123456789, "more": {"n": [1.10, 2]}, "f": 1e3}\n'
    await imported(
        databases,
        {"events": written(tmp_path, gzip.compress(line.encode()), "e.ndjson.gz")},
        "SELECT *, 'job.done' AS type, 'ndjson' AS account, '2026-01-05' AS time FROM events",
    )
    frame = pl.DataFrame({"id": [2], "minutes": [0.1], "whole": [3.0], "day": [date(2026, 1, 5)], "yes": [True]})
    frame.write_parquet(tmp_path / "e.parquet")
    sql = "SELECT id, minutes, whole, yes, day AS time, 'job.done' AS type, 'parquet' AS account FROM events"
    await imported(databases, {"events": tmp_path / "e.parquet"}, sql)
    cast = "SELECT id, type, account, time, CAST(minutes AS DECIMAL(20, 3)) AS minutes FROM events"
    text = "id,type,account,time,minutes\n3,job.done,csv,2026-01-05,0.100\n"
    await imported(databases, {"events": written(tmp_path, text)}, cast)
    found = await rows(databases, "SELECT id, data::text AS data FROM event ORDER BY id")
    assert [row["data"] for row in found] == [
        '{"f": 1000, "big": 123456789012345678.123456789, "more": {"n": [1.1, 2]}, "minutes": 0.1}',
        '{"yes": true, "whole": 3, "minutes": 0.1}',
        '{"minutes": 0.1}',
    ]
    assert await stored_rollups(databases) == await recounted(databases)
    totals = await rows(databases, "SELECT total FROM rollup WHERE meter = 'minutes'")
    assert [row["total"] for row in totals] == [Decimal("0.1")] * 3


async def test_an_object_in_a_column_called_data_is_data_itself(databases: Databases, tmp_path: Path) -> None:
    line = '{"id":"1","type":"t","account":"acme","time":"2026-01-05T00:00:00Z","data":{"a":1,"b":null},"c":2}\n'
    await imported(databases, {"events": written(tmp_path, line, "e.json")})
    assert await scalar(databases, "SELECT data FROM event") == {"a": 1, "c": 2}


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("SELECT id, type FROM events", "gives no column account, time"),
        ("SELECT nothing FROM events", "nothing"),
        ("SELECT * FROM elsewhere", "elsewhere"),
        ("hello", "The query fails"),
        ("SELECT 'open FROM events", "cannot be read as SQL"),
    ],
)
async def test_a_query_that_cannot_serve_is_refused_before_anything_is_stored(
    databases: Databases, tmp_path: Path, sql: str, message: str
) -> None:
    path = written(tmp_path, "id,type,account,time\n1,t,acme,2026-01-05\n")
    with pytest.raises(InvalidInputError, match=message):
        await imported(databases, {"events": path}, sql)
    assert await scalar(databases, "SELECT count(*) FROM event") == 0


async def test_progress_is_told_up_to_the_last_row(databases: Databases, tmp_path: Path) -> None:
    text = "id,type,account,time\n" + "".join(f"{n},t,acme,2026-01-05\n" for n in range(12_000)) + "bad\n"
    told: list[tuple[int, int]] = []
    await import_events(
        databases.ingest,
        {"events": written(tmp_path, text)},
        ALL,
        lambda: NOW,
        lambda done, of: told.append((done, of)),
    )
    assert told == [(5000, 12_001), (10_000, 12_001), (12_000, 12_001), (12_001, 12_001)]


def many(folder: Path, count: int = 12_000) -> Path:
    lines = [
        f"{n},job.done,acme {n % 50},2026-01-{n % 28 + 1:02d},{n % 9}.25,app,t{n % 4},u{n % 5}\n" for n in range(count)
    ]
    return written(folder, "id,type,account,time,minutes,channel,team,user\n" + "".join(lines))


async def test_kill_9_of_the_database_in_the_middle_loses_and_doubles_nothing(tmp_path: Path) -> None:
    path = many(tmp_path)
    with tempfile.TemporaryDirectory(prefix="vp-") as folder, running(Path(folder)) as first:
        databases = Databases.connect(first.url)
        await migrate.upgrade(databases.admin)
        await apply_meters(databases)

        def kill_database(done: int, _of: int) -> None:
            if done == 5_000:
                pid = int((Path(folder) / "postgres/postmaster.pid").read_text(encoding="utf-8").splitlines()[0])
                os.kill(pid, signal.SIGKILL)

        with pytest.raises(UnavailableError):
            await import_events(databases.ingest, {"events": path}, ALL, lambda: NOW, kill_database)
        await databases.dispose()
        with running(Path(folder)) as second:
            databases = Databases.connect(second.url)
            held = await scalar(databases, "SELECT count(*) FROM event")
            assert held >= 5_000  # what was acknowledged is there
            assert await stored_rollups(databases) == await recounted(databases)
            report = await imported(databases, {"events": path})
            assert counts(report) == (12_000, 12_000 - held, held, 0, 0)
            assert await scalar(databases, "SELECT count(*) FROM event") == 12_000
            assert await stored_rollups(databases) == await recounted(databases)
            await databases.dispose()


DYING = """
import asyncio, os, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from valueplatform.core.database import Database, Role
from valueplatform.telemetry.importing import import_events

def die(done, of):
    if done == 5_000:
        os.kill(os.getpid(), signal.SIGKILL)

database = Database(sys.argv[1], Role.INGEST)
tables = {"events": Path(sys.argv[2])}
asyncio.run(import_events(database, tables, "SELECT * FROM events", lambda: datetime.now(UTC), die))
"""


async def test_kill_9_of_the_import_in_the_middle_loses_and_doubles_nothing(
    databases: Databases, tmp_path: Path
) -> None:
    await apply_meters(databases)
    path = many(tmp_path)
    died = subprocess.run([sys.executable, "-c", DYING, databases.url, str(path)], cwd=ROOT, check=False)  # noqa: ASYNC221 - nothing else is to be done meanwhile
    assert died.returncode == -signal.SIGKILL
    assert await scalar(databases, "SELECT count(*) FROM event") == 5_000
    assert counts(await imported(databases, {"events": path})) == (12_000, 7_000, 5_000, 0, 0)
    assert await stored_rollups(databases) == await recounted(databases)


USAGE = """
    SELECT u.usage_id AS id, 'feature.used' AS type, s.account_id AS account, u.usage_date AS time,
           u.feature_name AS feature, CAST(u.usage_count AS INT) AS uses, CAST(u.usage_duration_secs AS INT) AS seconds
    FROM usage u JOIN subscriptions s ON u.subscription_id = s.subscription_id
"""
SECONDS = Meter(
    slug="seconds",
    event_types=("feature.used",),
    aggregation=Aggregation.SUM,
    property="seconds",
    dimensions=("feature",),
)


async def test_ravenstack_usage_equals_a_plain_count_with_its_21_conflicts(databases: Databases, shared: Path) -> None:
    await apply_meters(databases, [SECONDS])
    folder = shared / "data/ravenstack"
    tables = {
        "usage": folder / "ravenstack_feature_usage.csv",
        "subscriptions": folder / "ravenstack_subscriptions.csv",
    }
    assert counts(await imported(databases, tables, USAGE)) == (25_000, 24_979, 0, 21, 0)
    accounts = {row["subscription_id"]: row["account_id"] for row in read(tables["subscriptions"])}
    seen: set[str] = set()
    expected: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    for row in read(tables["usage"]):
        if row["usage_id"] not in seen:  # the first in the file is stored
            seen.add(row["usage_id"])
            cell = expected[accounts[row["subscription_id"]], row["feature_name"]]
            cell[0] += 1
            cell[1] += int(row["usage_duration_secs"])
    found = await rows(
        databases,
        "SELECT key, dimensions[1] AS feature, sum(events) AS events, sum(total) AS seconds"
        " FROM rollup JOIN account USING (account_id) GROUP BY 1, 2",
    )
    assert {(r["key"], r["feature"]): [r["events"], r["seconds"]] for r in found} == expected
    assert counts(await imported(databases, tables, USAGE)) == (25_000, 0, 24_979, 21, 0)


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


async def test_a_github_hour_equals_a_plain_count(databases: Databases, shared: Path) -> None:
    path = shared / "data/gharchive/2015-01-01-0.json.gz"
    sql = """
        SELECT id, 'github' AS source, type, SPLIT_PART(repo -> 'name', '/', 1) AS account, created_at AS time,
               actor -> 'login' AS subject, payload -> 'size' AS commits
        FROM events
    """
    assert counts(await imported(databases, {"events": path}, sql)) == (7_702, 7_702, 0, 0, 0)
    with gzip.open(path) as file:
        events = [json.loads(line) for line in file]
    expected = Counter((event["repo"]["name"].split("/")[0], event["type"]) for event in events)
    assert len({owner for owner, _ in expected}) == 3_655
    found = await rows(
        databases, "SELECT key, type, count(*) AS n FROM event JOIN account USING (account_id) GROUP BY 1, 2"
    )
    assert {(row["key"], row["type"]): row["n"] for row in found} == expected
    commits = sum(event["payload"].get("size", 0) for event in events)
    assert await scalar(databases, "SELECT sum((data ->> 'commits')::int) FROM event") == commits
