import random
from datetime import date

from tests.conftest import Databases
from tests.telemetry.factories import (
    JOBS,
    METERS,
    MINUTES,
    USERS,
    apply_meters,
    cloud_event,
    execute,
    recounted,
    rows,
    scalar,
    send,
    stored_rollups,
    to_zones,
)
from valueplatform.core.authorization import operator_scope
from valueplatform.core.database import lock_model_exclusive
from valueplatform.telemetry.marks import Stretch
from valueplatform.telemetry.rebuilding import clear_rollups, rebuild_rollups


async def history(databases: Databases) -> None:
    draw = random.Random(7)
    events = [
        cloud_event(
            account=draw.choice(["acme", "other"]),
            type=draw.choice(["job.done", "login"]),
            time=f"2026-03-{draw.randint(1, 9):02d}T{draw.randint(0, 23):02d}:30:00Z",
            data={
                "minutes": draw.choice([1, 2.25, "x", None]),
                "team": draw.choice("ab"),
                "user": draw.choice("klm"),
                "channel": draw.choice(["app", "test"]),
            },
        )
        for _ in range(300)
    ]
    await send(databases, *events)


async def test_rollups_made_anew_equal_those_that_ingest_raised(databases: Databases) -> None:
    await apply_meters(databases)
    await history(databases)
    raised = await stored_rollups(databases)
    reasons = await rows(databases, "SELECT * FROM rollup_unmetered ORDER BY account_id, meter, day, provider, code")
    await execute(databases, "UPDATE rollup SET total = total + 1, events = events + 1")
    await execute(databases, "DELETE FROM rollup_member WHERE member = 'k'")
    async with databases.worker.transaction(operator_scope()) as tx:
        await lock_model_exclusive(tx)
        await rebuild_rollups(tx, METERS)
    assert await stored_rollups(databases) == raised == await recounted(databases)
    again = await rows(databases, "SELECT * FROM rollup_unmetered ORDER BY account_id, meter, day, provider, code")
    assert again == reasons


async def test_a_new_meter_is_counted_over_what_is_stored_and_the_others_are_left_alone(databases: Databases) -> None:
    await apply_meters(databases, [JOBS])
    await history(databases)
    await execute(databases, "UPDATE rollup SET total = -1")
    async with databases.worker.transaction(operator_scope()) as tx:
        stretches = await rebuild_rollups(tx, [MINUTES, USERS])
    stored, members = await stored_rollups(databases)
    expected, expected_members = await recounted(databases)
    assert {place: cell for place, cell in stored.items() if place[1] != "jobs"} == {
        place: cell for place, cell in expected.items() if place[1] != "jobs"
    }
    assert members == expected_members
    assert {cell[1] for place, cell in stored.items() if place[1] == "jobs"} == {-1}
    assert [stretch.first for stretch in stretches] == [date(2026, 3, 1)] * 2
    assert [stretch.last for stretch in stretches] == [date(2026, 3, 9)] * 2


async def test_one_account_is_rebuilt_without_touching_another(databases: Databases) -> None:
    await apply_meters(databases)
    await history(databases)
    acme = await scalar(databases, "SELECT account_id FROM account WHERE key = 'acme'")
    await execute(databases, "UPDATE rollup SET total = -1")
    async with databases.worker.transaction(operator_scope()) as tx:
        assert await rebuild_rollups(tx, METERS, [acme]) == [Stretch(acme, date(2026, 3, 1), date(2026, 3, 9))]
    stored, _ = await stored_rollups(databases)
    expected, _ = await recounted(databases)
    assert {p: c for p, c in stored.items() if p[0] == "acme"} == {p: c for p, c in expected.items() if p[0] == "acme"}
    assert {cell[1] for place, cell in stored.items() if place[0] == "other"} == {-1}


async def test_meters_that_are_gone_are_cleared(databases: Databases) -> None:
    await apply_meters(databases)
    await history(databases)
    async with databases.worker.transaction(operator_scope()) as tx:
        await clear_rollups(tx, ["users", "minutes"])
    assert {row["meter"] for row in await rows(databases, "SELECT meter FROM rollup")} == {"jobs"}
    assert await scalar(databases, "SELECT count(*) FROM rollup_member") == 0


async def test_when_an_account_moves_to_another_zone_its_days_follow(databases: Databases) -> None:
    await apply_meters(databases)
    await history(databases)
    await execute(databases, "DELETE FROM changed_day")
    acme = await scalar(databases, "SELECT account_id FROM account WHERE key = 'acme'")
    before = {p: c for p, c in (await stored_rollups(databases))[0].items() if p[0] == "other"}
    await to_zones(databases, {"acme": "Pacific/Kiritimati"})
    stored = await stored_rollups(databases)
    assert stored == await recounted(databases)
    assert {p: c for p, c in stored[0].items() if p[0] == "other"} == before
    (mark,) = await rows(databases, "SELECT account_id, day, through, cause FROM changed_day")
    assert mark == {"account_id": acme, "day": date.min, "through": date.max, "cause": "zone"}
    # What is sent from now on falls on the new days too.
    await send(databases, cloud_event(time="2026-03-05T11:00:00Z"))
    assert await stored_rollups(databases) == await recounted(databases)
