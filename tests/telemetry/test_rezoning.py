"""Accounts get other zones while events come in, go, are erased and archived; then all is exact by the new days."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.conftest import Databases
from tests.telemetry.factories import (
    apply_meters,
    cloud_event,
    execute,
    make_account,
    rows,
    scalar,
    send,
    stored_rollups,
    to_zones,
)
from tests.telemetry.seven_meters import SEVEN, recounted_values, stored_values
from tests.telemetry.test_archiving import archived, bring_back
from tests.telemetry.test_backfilling import copies
from tests.telemetry.test_catalog_count import count_all
from tests.telemetry.test_retraction import take_back
from valueplatform.core.errors import ConflictError
from valueplatform.core.scope import grant_all
from valueplatform.telemetry import history as counts
from valueplatform.telemetry import rebuilding, retraction, rezoning, storing
from valueplatform.telemetry.archiving import archive_events
from valueplatform.telemetry.backfilling import counting
from valueplatform.telemetry.erasure import erase_person
from valueplatform.telemetry.increments import Increments
from valueplatform.telemetry.intake_sums import sum_intake
from valueplatform.telemetry.meter_reads import MeterQuestion, WindowSize, query_meter
from valueplatform.telemetry.meters import Aggregation
from valueplatform.telemetry.quality_looks import examine
from valueplatform.telemetry.rezoning import rezone

NOW = datetime(2026, 6, 20, 12, tzinfo=UTC)
METERS = list(SEVEN.values())
BACK = ("02:25", "02:45", "03:20", "03:40")
"""On 29 October 2006 clocks in Newfoundland went from 0:01 (2:31 in UTC) back into the day before."""
Act = Callable[[], Awaitable[object]]


def an_event(draw: random.Random, number: int) -> dict[str, object]:
    time = f"2026-0{draw.randint(1, 5)}-{draw.randint(1, 28):02d}T{draw.randint(0, 23):02d}:30:00Z"
    return cloud_event(
        id=str(number),
        account=draw.choice(["acme", "other"]),
        source=draw.choice(["/app", "/job"]),
        type=draw.choice(["job.done", "login", "unmetered"]),
        time=draw.choice([time, time, time, f"2006-10-29T{draw.choice(BACK)}:00Z"]),
        subject=f"person-{number % 7}",
        data={"minutes": draw.choice([1, 2.25, "x", None, 7, "7.50"]), "team": draw.choice(["a", None])},
    )


async def history(databases: Databases, count: int = 160) -> None:
    await apply_meters(databases, METERS)
    await make_account(databases, "acme", "America/New_York")
    draw = random.Random(3)
    await send(databases, *(an_event(draw, number) for number in range(count)))


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counts, "CHUNK", 20)
    monkeypatch.setattr(rebuilding, "MOST_AT_ONCE", 10)


def meanwhile(monkeypatch: pytest.MonkeyPatch, act: Act) -> None:
    """Have something done each time before what was counted is added."""
    write = counts.Writer.write

    async def act_and_write(writer: counts.Writer, increments: Increments) -> None:
        await asyncio.wait_for(act(), 30)
        await write(writer, increments)

    monkeypatch.setattr(counts.Writer, "write", act_and_write)


async def assert_exact(databases: Databases) -> None:
    """The rollups say what a plain recount of all events says, those of the archive too, and nothing is left over."""
    editions = (
        "SELECT count(*) FROM {} JOIN account USING (account_id) WHERE meter <> split_part(meter, '#', 1) || edition"
    )
    for table in ("rollup", "rollup_member", "rollup_unmetered"):
        assert await scalar(databases, editions.format(table)) == 0
    for table in ("zone_build", "build_due"):
        assert await scalar(databases, f"SELECT count(*) FROM {table}") == 0
    await bring_back(databases, await archived(databases))
    assert await stored_values(databases) == await recounted_values(databases)


async def happened(databases: Databases) -> Mapping[tuple[str, str, date], int]:
    """(account key, source, local day) → how many events happened, as what came in is summed."""
    async with databases.worker.transaction(grant_all()) as tx:
        while await sum_intake(tx):
            pass
    query = "SELECT key, source, day, happened FROM intake_day JOIN account USING (account_id) WHERE happened <> 0"
    return {(row["key"], row["source"], row["day"]): row["happened"] for row in await rows(databases, query)}


async def really_happened(databases: Databases) -> Mapping[tuple[str, str, date], int]:
    """The same from the events that are kept for it: a little more than a year's."""
    query = "SELECT key, timezone, source, time FROM event JOIN account USING (account_id)"
    found = Counter(
        (row["key"], row["source"], row["time"].astimezone(ZoneInfo(row["timezone"])).date())
        for row in await rows(databases, query)
    )
    return {place: events for place, events in found.items() if place[2].year > 2006}


async def zone_of(databases: Databases, key: str) -> object:
    return await scalar(databases, "SELECT timezone FROM account WHERE key = :key", key=key)


@pytest.mark.parametrize("seed", range(8))
async def test_whatever_happens_meanwhile_the_days_are_exact(
    databases: Databases, seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await history(databases)
    draw = random.Random(seed)
    numbers = iter(range(1000, 2000))
    with_archive = seed % 2 == 1
    if with_archive:
        await archive_events(databases.worker, grant_all(), str(tmp_path), NOW - timedelta(days=60), NOW)

    async def come() -> None:
        await send(databases, *(an_event(draw, next(numbers)) for _ in range(3)))

    async def go() -> None:
        left = await rows(databases, "SELECT source, id FROM event")
        kept = [(one["source"], one["id"]) for one in left] + [(e.source, e.id) for e in await archived(databases)]
        source, event_id = draw.choice(kept)
        await take_back(databases, event_id, source)

    async def erase() -> None:
        account = await scalar(databases, "SELECT account_id FROM account WHERE key = 'acme'")
        await erase_person(databases.worker, grant_all(), account, f"person-{draw.randrange(7)}")

    async def put_away() -> None:
        await archive_events(databases.worker, grant_all(), str(tmp_path), NOW - timedelta(days=1), NOW)

    async def some() -> None:
        for act in draw.sample([come, come, go, go, put_away if with_archive else erase], 2):
            await act()

    meanwhile(monkeypatch, some)
    for zones in ({"acme": "America/St_Johns"}, {"acme": "Asia/Tokyo", "other": "Pacific/Kiritimati"}):
        await to_zones(databases, zones)
        await come()
        await go()
    assert await zone_of(databases, "other") == "Pacific/Kiritimati"
    said = {place: events for place, events in (await happened(databases)).items() if place[2].year > 2006}
    await assert_exact(databases)
    assert said == await really_happened(databases)


async def come_and_go(databases: Databases) -> None:
    """While a count is under way: an event comes, and one goes that may be counted already."""
    await send(databases, cloud_event(id="new", time="2026-04-10T01:30:00Z"))
    await take_back(databases, "old")


async def one_move(databases: Databases, monkeypatch: pytest.MonkeyPatch) -> None:
    await history(databases, 40)
    await send(databases, cloud_event(id="old", time="2026-02-02T23:30:00Z"))
    acts = iter([come_and_go])

    async def once() -> None:
        for act in acts:
            await act(databases)
            return

    meanwhile(monkeypatch, once)
    await to_zones(databases, {"acme": "Asia/Tokyo"})


async def test_what_comes_and_what_goes_meanwhile_is_on_its_new_day(
    databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    await one_move(databases, monkeypatch)
    await assert_exact(databases)


async def test_the_test_finds_new_events_that_do_not_raise_the_new_days(
    databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storing, "_of_new_zones", lambda *_: Increments())
    await one_move(databases, monkeypatch)
    with pytest.raises(AssertionError):
        await assert_exact(databases)


async def test_the_test_finds_days_that_are_not_counted_again(
    databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def forget(*_: object) -> None:
        pass

    monkeypatch.setattr(retraction, "count_again", forget)
    await one_move(databases, monkeypatch)
    with pytest.raises(AssertionError):
        await assert_exact(databases)


@pytest.mark.parametrize("role", ["ingest", "worker"])
async def test_rows_of_the_new_days_are_copied_in_where_none_of_them_is_there_and_the_role_may(
    databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, role: str
) -> None:
    """Of an account that has changed its zone before, and of one that has not."""
    await history(databases)
    await to_zones(databases, {"acme": "Europe/Berlin"})
    await archive_events(databases.worker, grant_all(), str(tmp_path), NOW - timedelta(days=1), NOW)
    copied = copies(databases, monkeypatch)
    accounts = await rows(databases, "SELECT account_id FROM account WHERE account_id > 0")
    zones = {row["account_id"]: "Asia/Tokyo" for row in accounts}
    await rezone(databases.worker, grant_all(), zones, lambda *_: None, getattr(databases, role))
    assert set(copied) == ({True, False} if role == "ingest" else {False})
    await assert_exact(databases)


async def test_ingest_is_answered_and_readers_see_the_old_days_whole_until_the_new_ones(
    databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    await history(databases)
    numbers = iter(range(1000, 2000))
    answered: list[int] = []

    async def send_and_look() -> None:
        for account in ("acme", "other"):
            report = await send(databases, cloud_event(id=str(next(numbers)), account=account))
            answered.append(report.stored)
        assert await stored_values(databases) == await recounted_values(databases)
        assert await daily(databases) == await daily_recounted(databases, "America/New_York")

    meanwhile(monkeypatch, send_and_look)
    await to_zones(databases, {"acme": "Asia/Tokyo"})
    assert len(answered) > 4
    assert set(answered) == {1}
    assert await daily(databases) == await daily_recounted(databases, "Asia/Tokyo")
    await assert_exact(databases)


async def daily(databases: Databases) -> Mapping[datetime, int]:
    """What a meter query says of the account's days."""
    question = MeterQuestion(date(2000, 1, 1), date(2027, 1, 1), WindowSize.DAY, accounts=("acme",))
    async with databases.web.transaction(grant_all(), steady=True) as tx:
        found = await query_meter(tx, SEVEN[Aggregation.COUNT], question)
    return {value.window_start: int(value.value) for value in found}


async def daily_recounted(databases: Databases, name: str) -> Mapping[datetime, int]:
    query = "SELECT time FROM event JOIN account USING (account_id) WHERE key = 'acme' AND type <> 'unmetered'"
    times = [row["time"].astimezone(ZoneInfo(name)) for row in await rows(databases, query)]
    return Counter(time.replace(hour=0, minute=0, second=0, fold=0).astimezone(UTC) for time in times)


async def crash(*_: object) -> None:
    raise RuntimeError("the process has died")


async def nothing(*_: object) -> None:
    """What a process that is gone does."""


async def test_after_a_crash_nothing_has_changed_and_the_next_run_changes_it(
    databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    await history(databases)
    before = await stored_values(databases)
    with monkeypatch.context() as broken:
        meanwhile(broken, crash)
        broken.setattr(counts, "_clear_away", nothing)
        with pytest.raises(RuntimeError):
            await to_zones(databases, {"acme": "Asia/Tokyo"})
    assert await stored_values(databases) == before
    assert await zone_of(databases, "acme") == "America/New_York"
    await send(databases, cloud_event(id="between"))
    await to_zones(databases, {"acme": "Europe/Berlin"})
    assert await zone_of(databases, "acme") == "Europe/Berlin"
    await assert_exact(databases)


async def test_after_a_crash_behind_the_change_the_worker_and_the_next_run_see_to_what_is_left(
    databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    await history(databases)
    await happened(databases)
    with monkeypatch.context() as broken:
        broken.setattr(counts, "_clear_away", nothing)
        await to_zones(databases, {"acme": "Asia/Tokyo"})
    assert await stored_values(databases) == await recounted_values(databases)
    account = await scalar(databases, "SELECT account_id FROM account WHERE key = 'acme'")
    async with databases.worker.transaction(grant_all()) as tx:
        await examine(tx, account, NOW)
    said = {place: events for place, events in (await happened(databases)).items() if place[2].year > 2006}
    assert said == await really_happened(databases)
    await to_zones(databases, {"other": "Asia/Tokyo"})
    await assert_exact(databases)


async def test_one_count_at_a_time_of_meters_or_zones(databases: Databases, monkeypatch: pytest.MonkeyPatch) -> None:
    await history(databases)
    refused: list[str] = []

    async def try_others() -> None:
        with pytest.raises(ConflictError, match="counted over history already") as zones:
            await to_zones(databases, {"other": "Asia/Tokyo"})
        with pytest.raises(ConflictError, match="counted over history already") as meters:
            async with counting(databases.worker, grant_all(), METERS, lambda *_: None):
                pass
        refused.extend((str(zones.value), str(meters.value)))

    async with counting(databases.worker, grant_all(), METERS, lambda *_: None):
        with pytest.raises(ConflictError, match="start the command again"):
            await to_zones(databases, {"acme": "Asia/Tokyo"})
    meanwhile(monkeypatch, try_others)
    await to_zones(databases, {"acme": "Asia/Tokyo"})
    assert refused
    assert await zone_of(databases, "other") == "UTC"
    await assert_exact(databases)


async def test_other_meters_that_are_put_in_force_meanwhile_end_the_count(
    databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    await history(databases)

    async def other_meters() -> None:
        await apply_meters(databases, METERS[:3])

    meanwhile(monkeypatch, other_meters)
    with pytest.raises(ConflictError, match="start the command again"):
        await to_zones(databases, {"acme": "Asia/Tokyo"})
    assert await zone_of(databases, "acme") == "America/New_York"
    assert await scalar(databases, "SELECT count(*) FROM zone_build") == 0


@pytest.mark.parametrize("with_archive", [False, True])
async def test_a_meter_is_counted_under_the_edition_of_each_account(
    databases: Databases, tmp_path: Path, *, with_archive: bool
) -> None:
    await history(databases)
    if with_archive:
        await archive_events(databases.worker, grant_all(), str(tmp_path), NOW - timedelta(days=60), NOW)
    await to_zones(databases, {"acme": "Asia/Tokyo"})
    async with counting(databases.worker, grant_all(), METERS, lambda *_: None, databases.ingest):
        await send(databases, cloud_event(id="new"))
        found = await rows(databases, "SELECT DISTINCT key, meter FROM rollup JOIN account USING (account_id)")
        editions = {(row["key"], "#" in row["meter"]) for row in found}
        assert editions == {("acme", True), ("other", False)}
        rollups, members = await stored_rollups(databases)
        for said in (rollups, dict.fromkeys(members)):
            in_force = {place: cell for place, cell in said.items() if "@" not in place[1]}
            beside = {(place[0], place[1].split("@")[0], *place[2:]): said[place] for place in said.keys() - in_force}
            assert beside == in_force


async def test_an_account_that_has_its_zone_already_is_left_alone(databases: Databases) -> None:
    await history(databases)
    await execute(databases, "DELETE FROM changed_day")
    before = await rows(databases, "SELECT * FROM account ORDER BY account_id")
    await to_zones(databases, {"acme": "America/New_York"})
    assert await rows(databases, "SELECT * FROM account ORDER BY account_id") == before
    assert await scalar(databases, "SELECT count(*) FROM changed_day") == 0


async def test_many_accounts_are_counted_together_and_progress_is_told_of_their_events(databases: Databases) -> None:
    await apply_meters(databases, METERS)
    for number in range(40):
        await send(
            databases, *(cloud_event(account=f"a{number}", time=f"2026-03-0{n + 1}T23:30:00Z") for n in range(3))
        )
    found = await rows(databases, "SELECT account_id FROM account WHERE account_id > 0 ORDER BY account_id LIMIT 30")
    told: list[tuple[int, int]] = []
    zones = {row["account_id"]: "Asia/Tokyo" for row in found}
    await rezone(databases.worker, grant_all(), zones, lambda done, total: told.append((done, total)))
    assert told == [(0, 90), *((done, 90) for done in range(20, 90, 20)), (90, 90)]
    assert await scalar(databases, "SELECT count(*) FROM changed_day WHERE cause = 'zone'") == 30
    assert await scalar(databases, "SELECT count(DISTINCT edition) FROM account") == 2
    assert await scalar(databases, "SELECT count(*) FROM account WHERE revision = 1") == 30
    await assert_exact(databases)


async def test_the_catalog_follows_to_the_new_days_one_event_at_a_time(databases: Databases, tmp_path: Path) -> None:
    await history(databases, 60)
    await count_all(databases)
    await archive_events(databases.worker, grant_all(), str(tmp_path), NOW - timedelta(days=60), NOW)
    await to_zones(databases, {"acme": "America/St_Johns", "other": "Asia/Tokyo"})
    await count_all(databases, 7)
    tallied = await rows(
        databases,
        "SELECT key, type, day, (tally->>'events')::int AS events FROM catalog_day JOIN account USING (account_id)",
    )
    await bring_back(databases, await archived(databases))
    query = "SELECT key, type, timezone, time FROM event JOIN account USING (account_id)"
    expected = Counter(
        (row["key"], row["type"], row["time"].astimezone(ZoneInfo(row["timezone"])).date())
        for row in await rows(databases, query)
    )
    assert {(row["key"], row["type"], row["day"]): row["events"] for row in tallied} == expected


async def test_a_switch_waits_for_no_event(databases: Databases, monkeypatch: pytest.MonkeyPatch) -> None:
    """Putting a count in force reads no event where none has gone meanwhile."""
    await history(databases)

    async def read(*_: object) -> None:
        raise AssertionError("events are read under the lock")

    monkeypatch.setattr(rezoning, "count_days", read)
    await to_zones(databases, {"acme": "Asia/Tokyo"})
    await assert_exact(databases)
