"""A loss in what came in is found by the round whose turn it is, and ends only when looked for again and gone."""

from datetime import timedelta

from tests.conftest import Databases
from tests.telemetry.factories import NOW, cloud_event, execute, make_account, rows, scalar, send
from valueplatform.core.scope import grant_accounts, grant_all
from valueplatform.telemetry.intake import SLICES
from valueplatform.telemetry.intake_check import REPORTS, check_intake, check_keys, place_of, slice_of
from valueplatform.telemetry.quality import Found

OPEN = "SELECT place, stated, recomputed FROM quality_finding WHERE ended_at IS NULL ORDER BY place"


async def whole_round(databases: Databases, start: int = 0) -> list[Found]:
    """Every slice once."""
    return [one for number in range(SLICES) for one in await one_round(databases, start + number)]


async def one_round(databases: Databases, minute: int) -> list[Found]:
    now = NOW + timedelta(minutes=minute)
    return await check_intake(databases.ingest, databases.worker, grant_all(), now)


async def fill(databases: Databases) -> None:
    events = [cloud_event(id=str(number)) for number in range(400)]
    await send(databases, *events[:300], events[0], cloud_event(id=None))
    await send(databases, *events, {**events[0], "type": "x"})


async def test_what_is_whole_is_found_whole(databases: Databases) -> None:
    await fill(databases)
    assert await whole_round(databases) == []
    assert await scalar(databases, "SELECT count(*) FROM key_tally") == 1
    await send(databases, *[cloud_event() for _ in range(100)])
    assert await whole_round(databases) == []
    assert await scalar(databases, "SELECT count(*) FROM quality_finding") == 0


async def test_with_nothing_at_all_nothing_is_found(databases: Databases) -> None:
    assert await whole_round(databases) == []
    assert await scalar(databases, "SELECT count(*) FROM key_tally") == 0


async def test_a_lost_key_is_found_when_its_part_has_its_turn_and_ends_when_it_has_it_again(
    databases: Databases,
) -> None:
    await fill(databases)
    (lost,) = await rows(databases, "SELECT * FROM event_key ORDER BY event_key LIMIT 1")
    number = lost["event_key"].bytes[0] * SLICES // 256
    await execute(databases, f"DELETE FROM event_key WHERE event_key = '{lost['event_key']}'")
    found = await whole_round(databases)
    assert [one.place for one in found] == [place_of(number)]
    (row,) = await rows(databases, OPEN)
    assert int(row["stated"].split()[0]) == int(row["recomputed"].split()[0]) + 1
    values = f"'{lost['event_key']}', '{lost['body_hash']}', {lost['account_id']}"
    await execute(databases, f"INSERT INTO event_key VALUES ({values})")
    turn = (number - slice_of(NOW)) % SLICES
    await one_round(databases, turn + 1)
    assert len(await rows(databases, OPEN)) == 1, "another part was looked at"
    await one_round(databases, turn)
    assert await rows(databases, OPEN) == []


async def test_a_key_that_nobody_stored_is_found(databases: Databases) -> None:
    await fill(databases)
    await execute(databases, "INSERT INTO event_key SELECT gen_random_uuid(), gen_random_uuid(), 1")
    assert len(await whole_round(databases)) == 1


async def test_a_report_that_does_not_add_up_is_found_in_every_round(databases: Databases) -> None:
    await fill(databases)
    await execute(databases, "UPDATE ingest_tally SET received = received + 2 WHERE duplicates = 1")
    for minute in (0, 1):
        (found,) = await one_round(databases, minute)
        assert (found.place, found.usual, found.seen) == (REPORTS, "304 received", "302 accounted for")
    await execute(databases, "UPDATE ingest_tally SET received = received - 2 WHERE duplicates = 1")
    assert await one_round(databases, 2) == []
    assert await rows(databases, OPEN) == []


async def test_an_event_without_its_key_is_found_with_its_account(databases: Databases) -> None:
    acme, globex = [await make_account(databases, key) for key in ("acme", "globex")]
    await send(databases, cloud_event(id="1"), cloud_event(id="2"), cloud_event(id="3", account="globex"))
    since = NOW.date()

    async def check(account_id: int) -> list[Found]:
        scope = grant_accounts([account_id])
        return await check_keys(databases.ingest, databases.worker, scope, account_id, since, NOW)

    assert await check(acme) == []
    await execute(databases, "DELETE FROM event_key WHERE event_key = (SELECT event_key FROM event WHERE id = '2')")
    await execute(databases, f"UPDATE event_key SET account_id = {acme} WHERE account_id = {globex}")
    assert [one.place for one in await check(acme)] == ["event /app 2"]
    assert [one.place for one in await check(globex)] == ["event /app 3"]
    since += timedelta(days=1)
    assert await check(acme) == []


async def test_what_a_retraction_left_is_no_loss(databases: Databases) -> None:
    await fill(databases)
    await execute(databases, "DELETE FROM event WHERE id = '7'")
    assert await whole_round(databases) == []
