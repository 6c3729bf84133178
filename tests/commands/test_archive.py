"""`valueplatform archive`."""

from pathlib import Path

from tests.commands.factories import run
from tests.conftest import Databases
from tests.telemetry.factories import apply_meters, cloud_event, scalar, send


async def test_old_events_move_and_what_events_take_up_is_told(databases: Databases, tmp_path: Path) -> None:
    await apply_meters(databases)
    await send(databases, *(cloud_event(id=str(n), time="2025-01-10T10:00:00Z") for n in range(5)))
    moved = await run(databases, "archive", "--to", str(tmp_path), "--json")
    assert (moved.code, moved.json["moved"]["events"], moved.json["storage"]["archived"]["events"]) == (0, 5, 5)
    assert await scalar(databases, "SELECT count(*) FROM event") == 0
    assert await scalar(databases, "SELECT pg_relation_size('event')") == 0
    status = await run(databases, "archive", "--status")
    assert "5 in the archive" in status.out
    assert "bytes an event" in status.out
    verified = await run(databases, "verify")
    assert verified.code == 0, verified.out


async def test_without_a_place_the_first_run_says_what_is_missing(databases: Databases) -> None:
    refused = await run(databases, "archive")
    assert (refused.code, "--to" in refused.err) == (1, True)


async def test_moved_files_are_read_where_they_are_said_to_be(databases: Databases, tmp_path: Path) -> None:
    await send(databases, cloud_event(time="2025-01-10T10:00:00Z"))
    await run(databases, "archive", "--to", str(tmp_path / "here"))
    refused = await run(databases, "archive", "--moved-to", str(tmp_path / "there"))
    assert (refused.code, "copy them there first" in refused.err) == (1, True)
    (tmp_path / "here").rename(tmp_path / "there")
    assert (await run(databases, "archive", "--moved-to", str(tmp_path / "there"))).code == 0
    assert (await run(databases, "verify")).code == 0
