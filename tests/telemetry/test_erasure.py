"""An erased person is nowhere any more, and every number stays."""

from pathlib import Path

import pytest

from tests.commands.factories import run
from tests.conftest import Databases
from tests.telemetry.factories import METERS, apply_meters, cloud_event, make_account, rows, scalar, send
from tests.telemetry.test_archiving import archived, files, intake, put_away
from tests.telemetry.test_catalog_count import count_all
from tests.telemetry.test_retraction import take_back
from valueplatform.core.database import lock_model_exclusive
from valueplatform.core.errors import InvalidInputError
from valueplatform.core.scope import grant_all
from valueplatform.telemetry.archive_format import BUCKETS
from valueplatform.telemetry.erasure import Erased, erase_person
from valueplatform.telemetry.rebuilding import rebuild_rollups

KIM = "kim.o'hara@acme.example"
EVERYWHERE = (
    "event", "rollup", "rollup_member", "rejected_event", "event_conflict", "catalog_day", "catalog_property",
    "recent_event", "group_member",
)  # fmt: skip


async def acme(databases: Databases) -> int:
    return int(await scalar(databases, "SELECT account_id FROM account WHERE key = 'acme'"))


async def erase(databases: Databases, name: str = KIM) -> Erased:
    return await erase_person(databases.worker, grant_all(), await acme(databases), name)


async def traces(databases: Databases, name: str, place: Path) -> list[str]:
    """Where the name still stands, in the tables that hold what was sent and in the archive's files."""
    found = [
        table
        for table in EVERYWHERE
        if await scalar(databases, f"SELECT count(*) FROM {table} t WHERE strpos(t::text, :name) > 0", name=name)
    ]
    return found + [str(file) for file in files(place) if name.encode() in file.read_bytes()]


async def history(databases: Databases) -> None:
    await apply_meters(databases)
    await make_account(databases, "acme", "America/St_Johns")
    data = {"minutes": 5, "team": KIM, "user": KIM, "note": f"called by {KIM}, twice", "channel": "app", KIM: [KIM, 1]}
    for number, time in enumerate(["2025-03-01T03:00:00Z", "2025-03-09T05:00:00Z", "2026-05-28T10:00:00Z"]):
        await send(
            databases,
            cloud_event(id=f"a{number}", time=time, data=data, subject=KIM),
            cloud_event(id=f"b{number}", time=time),
            cloud_event(id=f"c{number}", time=time, account="other", data=data | {"minutes": 7}, subject="lee"),
        )
    await send(databases, cloud_event(id="a0", data={"user": KIM}))  # a conflict
    await send(databases, cloud_event(id="r", time="2030-01-01T00:00:00Z", data=data))  # rejected
    await count_all(databases)


async def numbers(databases: Databases) -> list[dict[str, object]]:
    return await rows(
        databases,
        "SELECT meter, day, sum(events)::int AS events, sum(total)::text AS total, sum(unmetered)::int AS unmetered"
        " FROM rollup GROUP BY 1, 2 ORDER BY 1, 2",
    )


@pytest.mark.parametrize("archive", [False, True])
async def test_nothing_names_the_person_any_more_and_every_number_stays(
    databases: Databases,
    tmp_path: Path,
    archive: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    await history(databases)
    if archive:
        await put_away(databases, tmp_path)
    before = await numbers(databases)
    members = await scalar(databases, "SELECT count(*) FROM rollup_member")
    assert await erase(databases) == Erased(0 if archive else 3, 3 if archive else 0, rejected=1, conflicts=1)
    assert await numbers(databases) == before
    assert await scalar(databases, "SELECT count(*) FROM rollup_member") == members
    async with databases.worker.transaction(grant_all()) as tx:
        await lock_model_exclusive(tx)
        await rebuild_rollups(tx, METERS)
    assert await numbers(databases) == before
    assert await intake(databases) == []
    assert await scalar(databases, "SELECT count(*) FROM changed_day WHERE cause = 'erasure'") == 1


async def test_another_account_keeps_its_own(databases: Databases, tmp_path: Path) -> None:
    await history(databases)
    await put_away(databases, tmp_path)
    await erase(databases)
    other = await scalar(databases, "SELECT account_id FROM account WHERE key = 'other'")
    held = [event for event in await archived(databases) if event.account_id == other]
    assert len(held) == 3
    assert all(event.data is not None and KIM in event.data for event in held)


async def test_what_others_took_back_stays_gone_from_a_file_that_is_written_anew(
    databases: Databases, tmp_path: Path
) -> None:
    await history(databases)
    for number in range(BUCKETS):  # one of them shares its files with acme
        await send(databases, cloud_event(id=f"n{number}", account=f"neighbor-{number}", time="2025-03-01T03:00:00Z"))
    await put_away(databases, tmp_path)
    for number in range(BUCKETS):
        await take_back(databases, f"n{number}")
    before = len(await archived(databases))
    await erase(databases)
    assert len(await archived(databases)) == before
    assert not [event for event in await archived(databases) if event.id.startswith("n")]


async def test_no_table_and_no_file_has_a_trace(databases: Databases, tmp_path: Path) -> None:
    await history(databases)
    await put_away(databases, tmp_path)
    async with databases.admin.transaction(grant_all()) as tx:  # the other account named the same person
        other = "(SELECT account_id FROM account WHERE key = 'other')"
        for table in EVERYWHERE:
            await (await tx.driver()).execute(f"DELETE FROM {table} WHERE account_id = {other}")
    assert await traces(databases, KIM, tmp_path)
    other_id = await scalar(databases, "SELECT account_id FROM account WHERE key = 'other'")
    await erase_person(databases.worker, grant_all(), other_id, KIM)
    await erase(databases)
    await count_all(databases)
    assert await traces(databases, KIM, tmp_path) == []


async def test_sent_again_the_events_are_duplicates(databases: Databases) -> None:
    await history(databases)
    await erase(databases)
    event = cloud_event(id="b0", time="2025-03-01T03:00:00Z")
    assert (await send(databases, event)).duplicates == 1
    again = await send(databases, cloud_event(id="a1", time="2025-03-09T05:00:00Z", subject=KIM))
    assert (again.stored, again.conflicts) == (0, 1)


async def test_an_id_is_replaced_where_it_stands_for_itself_only(databases: Databases) -> None:
    await apply_meters(databases)
    data = {"user": "4711", "order": "47110", "minutes": 4711, "note": "4711 is a number too"}
    await send(databases, cloud_event(id="x", subject="4711", data=data))
    assert (await erase(databases, "4711")).events == 1
    (event,) = await rows(databases, "SELECT subject, data FROM event")
    assert event["subject"].startswith("erased-")
    assert event["data"] == data | {"user": event["subject"]}


async def test_who_is_in_no_event_leaves_all_as_it_was(databases: Databases) -> None:
    await history(databases)
    before = await rows(databases, "SELECT * FROM event ORDER BY event_key")
    assert await erase(databases, "nobody@acme.example") == Erased(0, 0, 0, 0)
    assert await rows(databases, "SELECT * FROM event ORDER BY event_key") == before
    with pytest.raises(InvalidInputError, match="too short"):
        await erase(databases, "ki")


async def test_the_command_asks_first(databases: Databases) -> None:
    await history(databases)
    refused = await run(databases, "erase", "other", "lee")
    assert refused.code == 1
    assert await scalar(databases, "SELECT count(*) FROM event WHERE subject = 'lee'") == 3
    done = await run(databases, "erase", "other", "lee", "--yes", "--json")
    assert (done.code, done.json["events"]) == (0, 3)
    assert await scalar(databases, "SELECT count(*) FROM event WHERE subject = 'lee'") == 0
    verified = await run(databases, "verify")
    assert verified.code == 0, verified.out
