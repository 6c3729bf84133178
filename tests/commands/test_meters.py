"""`valueplatform meters backfill`, and what `model apply` counts."""

from pathlib import Path

from tests.commands.factories import run
from tests.conftest import Databases
from tests.telemetry.factories import cloud_event, rows, send

MODEL = """
supplier = { name = "Fieldnote", currency = "USD", timezone = "America/New_York" }

[[meter]]
slug = "jobs"
event = "job.done"
aggregation = "COUNT"
"""


async def test_history_from_before_the_model_is_counted_in_the_database_and_the_archive(
    databases: Databases, tmp_path: Path
) -> None:
    times = ["2024-03-10T10:00:00Z", "2024-03-11T10:00:00Z", "2026-05-01T10:00:00Z"]
    await send(databases, *(cloud_event(id=time, time=time) for time in times))
    assert (await run(databases, "archive", "--to", str(tmp_path / "archive"))).code == 0
    (tmp_path / "model.toml").write_text(MODEL)
    applied = await run(databases, "model", "apply", str(tmp_path / "model.toml"))
    assert (applied.code, "Revision 1 is in force" in applied.out) == (0, True)
    counted = await rows(databases, "SELECT sum(events)::int AS events, count(*) AS days FROM rollup")
    assert counted == [{"events": 3, "days": 3}]
    again = await run(databases, "meters", "backfill", "jobs", "--json")
    assert (again.code, again.json) == (0, {"meter": "jobs", "events": 3, "revision": 2})
    assert await rows(databases, "SELECT sum(events)::int AS events, count(*) AS days FROM rollup") == counted
    verified = await run(databases, "verify")
    assert verified.code == 0, verified.out
    exported = await run(databases, "model", "export")
    assert "stored_as" not in exported.out


async def test_a_meter_that_the_model_does_not_have_is_refused_with_those_it_has(
    databases: Databases, tmp_path: Path
) -> None:
    (tmp_path / "model.toml").write_text(MODEL)
    await run(databases, "model", "apply", str(tmp_path / "model.toml"))
    refused = await run(databases, "meters", "backfill", "minutes")
    assert (refused.code, "it has jobs" in refused.err) == (1, True)
    assert (await run(databases, "meters", "backfill", "jobs", "--engine", "abacus")).code == 2
