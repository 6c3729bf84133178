"""`valueplatform import`."""

import csv
import gzip
from collections import Counter, defaultdict
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.accounts.factories import found
from tests.commands.factories import run
from tests.conftest import Databases
from valueplatform.accounts.contracts import contracts_of, mrr
from valueplatform.core.authorization import operator_scope

ACCOUNTS = "id,name,country\nacme,Acme AG,DE\nglobex,Globex,US\n"
SQL = "SELECT id AS key, name, country, 'EUR' AS currency, 'Europe/Berlin' AS timezone FROM a"


def written(path: Path, content: str) -> str:
    path.write_text(content, encoding="utf-8")
    return str(path)


async def test_a_file_is_mapped_by_a_query_and_the_same_again_changes_nothing(
    databases: Databases, tmp_path: Path
) -> None:
    arguments = ("accounts", f"a={written(tmp_path / 'a.csv', ACCOUNTS)}", "--sql", written(tmp_path / "q.sql", SQL))
    first = await run(databases, "import", *arguments)
    assert (first.code, first.out, first.err) == (0, "accounts: 2 received, 2 created\n", "")
    second = await run(databases, "import", *arguments, "--json")
    assert second.json == {
        "kind": "accounts",
        "received": 2,
        "created": 0,
        "changed": 0,
        "unchanged": 2,
        "rejected": 0,
        "reasons": {},
        "ignored": [],
    }
    assert (await found(databases)).attributes == {"country": "DE"}


async def test_one_table_needs_no_query_and_may_be_compressed(databases: Databases, tmp_path: Path) -> None:
    packed = tmp_path / "accounts.ndjson.gz"
    packed.write_bytes(gzip.compress(b'{"key": "acme", "seats": 12.50, "name": "Acme"}\n'))
    assert (await run(databases, "import", "accounts", f"a={packed}")).code == 0
    assert (await found(databases)).attributes == {"seats": Decimal("12.50")}


async def test_bad_rows_do_not_fail_the_import_and_are_counted_by_reason(databases: Databases, tmp_path: Path) -> None:
    people = written(tmp_path / "p.csv", "account,email\nzz,a@b\nzz,c@d\n")
    ran = await run(databases, "import", "people", f"p={people}")
    assert (ran.code, ran.out) == (0, "people: 2 received, 2 rejected (unknown_account 2)\n")


async def test_events_are_imported_with_their_conflicts(databases: Databases, tmp_path: Path) -> None:
    events = written(
        tmp_path / "e.csv",
        "id,type,account,time,minutes\n1,job,acme,2026-01-01,5\n1,job,acme,2026-01-01,6\n2,job,,2026-01-01,7\n",
    )
    ran = await run(databases, "import", "events", f"e={events}", "--json")
    assert (ran.code, ran.err) == (0, "")
    assert {name: ran.json[name] for name in ("received", "stored", "duplicates", "conflicts", "rejected")} == {
        "received": 3,
        "stored": 1,
        "duplicates": 0,
        "conflicts": 1,
        "rejected": 1,
    }
    assert sum(ran.json["reasons"].values()) == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["accounts"], "Missing argument"),
        (["accounts", "a.csv"], "write NAME=FILE"),
        (["accounts", "a="], "write NAME=FILE"),
        (["accounts", "a=x.csv", "a=y.csv"], "a name of its own"),
        (["accounts", "a=x.csv", "b=y.csv"], "Several tables need a query"),
        (["wishes", "a=x.csv"], "'wishes' is not one of"),
        (["accounts", "a=x.csv", "--sql", "/does/not/exist"], "does not exist"),
    ],
)
async def test_misuse(databases: Databases, arguments: list[str], says: str) -> None:
    ran = await run(databases, "import", *arguments)
    assert ran.code == 2
    assert says in " ".join(ran.err.replace("│", " ").split())


@pytest.mark.parametrize(
    ("table", "query", "says"),
    [
        ("a=/does/not/exist.csv", "SELECT * FROM a", "There is no file"),
        ("a={file}", "SELEC nothing", "quer"),
        ("a={file}", "SELECT id FROM b", "quer"),
        ("a={file}", "SELECT name FROM a", "gives no column key"),
    ],
)
async def test_an_input_that_cannot_be_read_fails_and_stores_nothing(
    databases: Databases, tmp_path: Path, table: str, query: str, says: str
) -> None:
    file, sql = written(tmp_path / "a.csv", ACCOUNTS), written(tmp_path / "q.sql", query)
    ran = await run(databases, "import", "accounts", table.format(file=file), "--sql", sql)
    assert (ran.code, ran.out) == (1, "")
    assert says in ran.err
    async with databases.worker.transaction(operator_scope()) as tx:
        assert await tx.scalar(text("SELECT count(*) FROM account")) == 0


RAVENSTACK = {
    "accounts": "SELECT account_id AS key, account_name AS name, industry AS segment, 'USD' AS currency FROM a",
    "contracts": """SELECT account_id AS account, subscription_id AS id, start_date AS start, end_date AS "end",
                    mrr_amount AS amount, 'month' AS period FROM s""",
    "events": """SELECT u.usage_id AS id, 'feature.used' AS type, s.account_id AS account, u.usage_date AS time,
                 u.feature_name AS feature, u.usage_duration_secs AS seconds
                 FROM u JOIN s ON u.subscription_id = s.subscription_id""",
}


async def test_ravenstack_agrees_with_an_independent_count(databases: Databases, tmp_path: Path, shared: Path) -> None:
    folder = shared / "data" / "ravenstack"
    files = {
        "a": folder / "ravenstack_accounts.csv",
        "s": folder / "ravenstack_subscriptions.csv",
        "u": folder / "ravenstack_feature_usage.csv",
    }
    tables = {"accounts": "a", "contracts": "s", "events": "us"}
    for kind, names in tables.items():
        sql = written(tmp_path / f"{kind}.sql", RAVENSTACK[kind])
        ran = await run(databases, "import", kind, *(f"{name}={files[name]}" for name in names), "--sql", sql, "--json")
        assert (ran.code, ran.json["rejected"]) == (0, 0)
    assert (ran.json["received"], ran.json["stored"], ran.json["conflicts"]) == (25_000, 24_979, 21)
    assert await _revenue_on(databases, date(2024, 12, 31)) == _revenue_of(files["s"], "2024-12-31")
    assert await _events_by_account(databases) == _events_of(files["u"], files["s"])


async def _revenue_on(databases: Databases, day: date) -> dict[str, Decimal]:
    revenue = {}
    async with databases.worker.transaction(operator_scope()) as tx:
        for row in await tx.rows(text("SELECT account_id, key FROM account")):
            amount = mrr(await contracts_of(tx, row.account_id), day)
            if amount:
                revenue[row.key] = amount
    return revenue


def _revenue_of(file: Path, day: str) -> dict[str, Decimal]:
    revenue: defaultdict[str, Decimal] = defaultdict(Decimal)
    with file.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            if row["start_date"] <= day and (not row["end_date"] or day < row["end_date"]):
                revenue[row["account_id"]] += Decimal(row["mrr_amount"])
    return {key: amount for key, amount in revenue.items() if amount}


async def _events_by_account(databases: Databases) -> dict[str, int]:
    query = text("SELECT key, count(*) AS events FROM event JOIN account USING (account_id) GROUP BY key")
    async with databases.worker.transaction(operator_scope()) as tx:
        return {row.key: row.events for row in await tx.rows(query)}


def _events_of(usage: Path, subscriptions: Path) -> dict[str, int]:
    """Of two rows with one id the first in file order counts."""
    with subscriptions.open(encoding="utf-8", newline="") as lines:
        account_of = {row["subscription_id"]: row["account_id"] for row in csv.DictReader(lines)}
    first: dict[str, str] = {}
    with usage.open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            first.setdefault(row["usage_id"], account_of[row["subscription_id"]])
    return dict(Counter(first.values()))
