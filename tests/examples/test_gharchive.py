"""One hour of GH Archive by the example's own query, against an independent count in plain Python."""

import gzip
import json
from collections import Counter
from pathlib import Path

from sqlalchemy import text

from tests.conftest import Databases
from valueplatform.core.authorization import operator_scope
from valueplatform.core.clock import system_clock
from valueplatform.telemetry.importing import import_events
from valueplatform.value.applying import apply_model
from valueplatform.value.model_file import read_model

EXAMPLE = Path(__file__).parents[2] / "examples" / "gharchive"


async def test_an_hour_of_gh_archive_equals_an_independent_count_and_leaves_personal_data_out(
    databases: Databases, shared: Path
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
        commits = await tx.rows(
            text("""
            SELECT key, sum(total) AS n FROM rollup JOIN account USING (account_id)
            WHERE meter = 'commits_pushed' GROUP BY 1
        """)
        )
        leaked = await tx.scalar(text("SELECT count(*) FROM event WHERE data::text ~ '@|author'"))
    owners = [(line["repo"]["name"].split("/")[0], line) for line in lines]
    assert len({owner for owner, _ in owners}) == 3_655
    assert counted == Counter((owner, line["type"]) for owner, line in owners)
    pushed: Counter[str] = Counter()
    for owner, line in owners:
        if line["type"] == "PushEvent":
            pushed[owner] += line["payload"]["size"]
    assert {row.key: int(row.n) for row in commits} == dict(pushed)
    assert leaked == 0
