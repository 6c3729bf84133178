"""One hour of GH Archive by the example's own query, against an independent count in plain Python: as it is, again in
another order, and counted anew from the archive."""

import gzip
import json
import random
from collections import Counter
from pathlib import Path

from sqlalchemy import text

from tests.conftest import Databases
from valueplatform.accounts.accounts import account_by_key
from valueplatform.core.authorization import operator_scope
from valueplatform.core.clock import system_clock
from valueplatform.core.database import lock_account
from valueplatform.narrative.document import Audience
from valueplatform.narrative.story_read import read_story
from valueplatform.telemetry.archiving import HOT, archive_events
from valueplatform.telemetry.importing import import_events
from valueplatform.value.applying import apply_model, count_anew
from valueplatform.value.model_file import read_model
from valueplatform.worker import refresh_account

EXAMPLE = Path(__file__).parents[2] / "examples" / "gharchive"


async def test_an_hour_of_gh_archive_equals_an_independent_count_however_often_it_comes_and_wherever_it_is_kept(
    databases: Databases, shared: Path, tmp_path: Path
) -> None:
    path = shared / "data" / "gharchive" / "2015-01-01-0.json.gz"
    with gzip.open(path, "rt", encoding="utf-8") as file:
        lines = [json.loads(line) for line in file]
    async with databases.worker.transaction(operator_scope()) as tx:
        await apply_model(tx, read_model((EXAMPLE / "model.toml").read_text(), "model.toml"))
    sql = (EXAMPLE / "events.sql").read_text()
    report = await import_events(databases.ingest, {"events": path}, sql, system_clock)
    assert (report.received, report.stored, report.conflicts) == (7_702, 7_702, 0)
    async with databases.worker.transaction(operator_scope()) as tx:
        rows = await tx.rows(
            text("SELECT key, type, count(*) AS n FROM event JOIN account USING (account_id) GROUP BY 1, 2")
        )
        counted = {(row.key, row.type): row.n for row in rows}
        leaked = await tx.scalar(text("SELECT count(*) FROM event WHERE data::text ~ '@|author'"))
    owners = [(line["repo"]["name"].split("/")[0], line) for line in lines]
    assert len({owner for owner, _ in owners}) == 3_655
    assert counted == Counter((owner, line["type"]) for owner, line in owners)
    pushed: Counter[str] = Counter()
    for owner, line in owners:
        if line["type"] == "PushEvent":
            pushed[owner] += line["payload"]["size"]
    assert await _commits(databases) == dict(pushed)
    assert leaked == 0

    random.Random(15).shuffle(lines)
    shuffled = tmp_path / "shuffled.json.gz"
    shuffled.write_bytes(gzip.compress("".join(json.dumps(line) + "\n" for line in lines).encode()))
    again = await import_events(databases.ingest, {"events": shuffled}, sql, system_clock)
    assert (again.received, again.duplicates, again.stored, again.conflicts) == (7_702, 7_702, 0, 0)
    assert await _commits(databases) == dict(pushed)

    now = system_clock()
    moved = await archive_events(databases.worker, operator_scope(), str(tmp_path / "archive"), now - HOT, now)
    assert moved.events == 7_702
    last = await import_events(databases.ingest, {"events": shuffled}, sql, system_clock)
    assert (last.duplicates, last.stored) == (7_702, 0)
    await count_anew(databases.worker, operator_scope(), "commits_pushed", lambda *_: None)
    assert await _commits(databases) == dict(pushed)


async def test_names_and_addresses_inside_payloads_reach_no_story(databases: Databases, shared: Path) -> None:
    path = shared / "data" / "gharchive" / "2015-01-01-0.json.gz"
    with gzip.open(path, "rt", encoding="utf-8") as file:
        pushes = [line for line in map(json.loads, file) if line["type"] == "PushEvent"]
    owners = Counter(line["repo"]["name"].split("/")[0] for line in pushes if line["payload"]["commits"])
    busiest = sorted(owners, key=lambda owner: (-owners[owner], owner))[:3]
    own = [line for line in pushes if line["repo"]["name"].split("/")[0] in busiest]
    authors = [commit["author"] for line in own for commit in line["payload"]["commits"]]
    private = {author["email"] for author in authors} | {a["name"] for a in authors if " " in a["name"]}
    assert any("@" in text for text in private)
    async with databases.worker.transaction(operator_scope()) as tx:
        await apply_model(tx, read_model((EXAMPLE / "model.toml").read_text(), "model.toml"))
    kept_whole = (EXAMPLE / "events.sql").read_text().replace("payload->'size'", "payload, payload->'size'")
    names = ", ".join(f"'{owner}'" for owner in busiest)
    sql = f"SELECT * FROM ({kept_whole}) WHERE account IN ({names})"
    await import_events(databases.ingest, {"events": path}, sql, system_clock)
    async with databases.worker.transaction(operator_scope()) as tx:
        assert await tx.scalar(text("SELECT count(*) FROM event WHERE data::text LIKE '%@%'"))
    now = system_clock()
    for key in busiest:
        async with databases.worker.transaction(operator_scope()) as tx:
            account = await account_by_key(tx, key)
            await lock_account(tx, account.account_id)
            await refresh_account(tx, account.account_id, now)
            stories = [(await read_story(tx, account, audience, now)).json for audience in Audience]
            insights = await tx.rows(text("SELECT body::text AS body FROM insight"))
        told = json.dumps(stories, default=str, ensure_ascii=False) + "".join(row.body for row in insights)
        assert "commits" in told
        assert {said for said in private if said in told} == set()


async def _commits(databases: Databases) -> dict[str, int]:
    async with databases.worker.transaction(operator_scope()) as tx:
        rows = await tx.rows(
            text("""
                SELECT key, sum(total)::int AS n FROM rollup JOIN account USING (account_id)
                WHERE meter ~ '^commits_pushed' GROUP BY 1
            """)
        )
    return {row.key: row.n for row in rows}
