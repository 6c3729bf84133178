"""Meters are counted over all history while events come in, go, move and are archived; then they are exact."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import polars as pl
import pytest

from tests.conftest import Databases
from tests.telemetry.factories import apply_meters, cloud_event, make_account, rows, scalar, send
from tests.telemetry.seven_meters import SEVEN, recounted_values, stored_values
from tests.telemetry.test_archiving import archived, bring_back, files
from tests.telemetry.test_retraction import take_back
from valueplatform.core.database import Database, lock_model_exclusive
from valueplatform.core.errors import ConflictError, UnavailableError
from valueplatform.core.scope import grant_all
from valueplatform.telemetry import history as counts
from valueplatform.telemetry import rebuilding
from valueplatform.telemetry.archiving import archive_events
from valueplatform.telemetry.backfilling import counting, settle
from valueplatform.telemetry.increments import Increments
from valueplatform.telemetry.meters import Aggregation, Meter
from valueplatform.telemetry.rollups import raise_rollups

NOW = datetime(2026, 6, 20, 12, tzinfo=UTC)
METERS = list(SEVEN.values())
Act = Callable[[], Awaitable[object]]


def an_event(draw: random.Random, number: int) -> dict[str, object]:
    return cloud_event(
        id=str(number),
        account=draw.choice(["acme", "other"]),
        type=draw.choice(["job.done", "login", "unmetered"]),
        time=f"2026-0{draw.randint(1, 5)}-{draw.randint(1, 28):02d}T{draw.randint(0, 23):02d}:30:00Z",
        data={"minutes": draw.choice([1, 2.25, "x", None, 7, "7.50"]), "team": draw.choice(["a", None])},
    )


async def history(databases: Databases, meters: Sequence[Meter] = (), count: int = 200) -> None:
    await apply_meters(databases, meters)
    await make_account(databases, "acme", "America/New_York")
    draw = random.Random(3)
    await send(databases, *(an_event(draw, number) for number in range(count)))


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counts, "CHUNK", 20)
    monkeypatch.setattr(rebuilding, "MOST_AT_ONCE", 10)


async def count(databases: Databases, copier: Database | None = None) -> list[Meter]:
    """All seven, and in force."""
    async with counting(databases.worker, grant_all(), METERS, lambda *_: None, copier) as counted:
        async with databases.worker.transaction(grant_all()) as tx:
            await lock_model_exclusive(tx)
            await settle(tx, counted)
        await apply_meters(databases, counted)
    return counted


async def assert_exact(databases: Databases, counted: Sequence[Meter]) -> None:
    """The rollups say what a plain recount of all events says, those of the archive too."""
    async with databases.admin.transaction(grant_all()) as tx:
        connection = await tx.driver()
        for table in ("rollup", "rollup_member"):
            await connection.execute(f"DELETE FROM {table} WHERE meter <> ALL($1)", [m.rollup_name() for m in counted])
            await connection.execute(f"UPDATE {table} SET meter = split_part(meter, '@', 1)")
    await bring_back(databases, await archived(databases))
    assert await stored_values(databases) == await recounted_values(databases)


async def test_history_is_counted_under_names_that_nobody_reads_before(databases: Databases) -> None:
    await history(databases, METERS)
    before = await rows(databases, "SELECT * FROM rollup ORDER BY account_id, meter, day, provider, dimensions")
    async with counting(databases.worker, grant_all(), METERS, lambda *_: None) as counted:
        assert all(meter.rollup_name() != meter.slug for meter in counted)
        kept = "SELECT * FROM rollup WHERE meter !~ '@' ORDER BY account_id, meter, day, provider, dimensions"
        assert await rows(databases, kept) == before
        assert await scalar(databases, "SELECT count(*) FROM rollup") == 2 * len(before)
    assert await scalar(databases, "SELECT count(*) FROM rollup") == len(before)  # it was not put in force
    assert await scalar(databases, "SELECT count(*) FROM meter_build") == 0


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("seed", range(6))
async def test_whatever_happens_meanwhile_the_count_is_exact(
    databases: Databases, seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await history(databases, METERS if seed % 2 else ())
    draw = random.Random(seed)
    numbers = iter(range(1000, 2000))
    if seed % 3:
        await archive_events(databases.worker, grant_all(), str(tmp_path), NOW - timedelta(days=60), NOW)

    async def come() -> None:
        await send(databases, *(an_event(draw, next(numbers)) for _ in range(3)))

    async def go() -> None:
        left = await rows(databases, "SELECT id FROM event")
        kept = [row["id"] for row in left] + [event.id for event in await archived(databases)]
        await take_back(databases, draw.choice(kept))

    async def put_away() -> None:
        await archive_events(databases.worker, grant_all(), str(tmp_path), NOW - timedelta(days=1), NOW)

    async def raise_and_more(writer: counts.Writer, increments: Increments) -> None:
        for act in draw.sample(acts, 2):
            await asyncio.wait_for(act(), 30)
        await write(writer, increments)

    acts: list[Act] = [come, come, go, go, put_away]
    write = counts.Writer.write
    monkeypatch.setattr(counts.Writer, "write", raise_and_more)
    counted = await count(databases, databases.ingest if seed > 1 else None)
    await come()
    await go()
    await assert_exact(databases, counted)


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("role", ["ingest", "worker"])
async def test_rows_are_copied_in_where_none_of_them_is_there_and_the_role_may(
    databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, role: str
) -> None:
    """Else they are raised: here those of a month that late events came in of."""
    await history(databases, count=200)
    await archive_events(databases.worker, grant_all(), str(tmp_path), NOW - timedelta(days=1), NOW)
    copied = copies(databases, monkeypatch)
    counted = await count(databases, getattr(databases, role))
    assert set(copied) == ({True, False} if role == "ingest" else {False})
    await assert_exact(databases, counted)


def copies(databases: Databases, monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Hears of each frame whether it was copied in. Before the first, events of all of January come late."""
    copied: list[bool] = []

    async def copy(writer: counts.Writer, sums: pl.DataFrame) -> bool:
        if not copied:
            late = [
                cloud_event(
                    id=f"{day} {team}", account="acme", time=f"2026-01-{day:02d}T12:00:00Z", data={"team": team}
                )
                for day in range(1, 29)
                for team in ("a", None)
            ]
            await send(databases, *late)
        copied.append(await held(writer, sums))
        return copied[-1]

    held = counts.Writer._copied
    monkeypatch.setattr(counts.Writer, "_copied", copy)
    return copied


async def test_events_of_meters_that_are_counted_are_not_shown_as_metered_twice(databases: Databases) -> None:
    """One event type that a meter in force and its successor both read."""
    await history(databases, METERS, count=0)
    async with counting(databases.worker, grant_all(), METERS, lambda *_: None):
        await send(databases, cloud_event(id="1", account="acme"))
        await take_back(databases, "1")
    assert await scalar(databases, "SELECT count(*) FROM rollup") == 0


async def test_a_run_that_crashed_is_cleared_away_by_the_next(databases: Databases) -> None:
    await history(databases)
    wrong = Meter(slug="count", event_types=("login",), aggregation=Aggregation.COUNT, stored_as="count@1")
    async with databases.worker.transaction(grant_all()) as tx:
        meter = msgspec.json.encode(wrong).decode()
        await (await tx.driver()).execute("INSERT INTO meter_build (meter) VALUES ($1)", meter)
        increments = Increments()
        increments.rollups[1, wrong.rollup_name(), NOW.date(), "supplier", ()] = [5, 5, 0]
        await raise_rollups(await tx.driver(), increments)
    await send(databases, cloud_event(id="more", account="acme", type="login", time="2026-05-01T10:00:00Z"))
    counted = await count(databases)
    assert await scalar(databases, "SELECT count(*) FROM rollup WHERE meter = 'count@1'") == 0
    await assert_exact(databases, counted)


@pytest.mark.usefixtures("small_chunks")
async def test_files_that_cannot_be_read_leave_nothing_of_the_count(databases: Databases, tmp_path: Path) -> None:
    await history(databases)
    await archive_events(databases.worker, grant_all(), str(tmp_path), NOW - timedelta(days=1), NOW)
    files(tmp_path)[-1].unlink()
    with pytest.raises(UnavailableError, match="cannot be read"):
        await count(databases, databases.ingest)
    for table in ("rollup", "rollup_member", "rollup_unmetered", "meter_build"):
        assert await scalar(databases, f"SELECT count(*) FROM {table}") == 0


async def test_two_counts_at_once_are_refused(databases: Databases) -> None:
    await history(databases, count=10)
    async with counting(databases.worker, grant_all(), METERS, lambda *_: None):
        with pytest.raises(ConflictError, match="counted over history already"):
            async with counting(databases.worker, grant_all(), METERS, lambda *_: None):
                pass
    async with counting(databases.worker, grant_all(), METERS, lambda *_: None):
        pass


@pytest.mark.usefixtures("small_chunks")
async def test_progress_is_told_from_nothing_to_all_of_both_places(databases: Databases, tmp_path: Path) -> None:
    await history(databases, count=90)
    await archive_events(databases.worker, grant_all(), str(tmp_path), NOW - timedelta(days=80), NOW)
    told: list[tuple[int, int]] = []
    async with counting(databases.worker, grant_all(), METERS, lambda done, total: told.append((done, total))):
        pass
    metered = await scalar(databases, "SELECT count(*) FROM event WHERE type <> 'unmetered'") + sum(
        event.type != "unmetered" for event in await archived(databases)
    )
    assert told[0] == (0, metered)
    assert told[-1] == (metered, metered)
    assert len(told) > 2
    assert [done for done, _ in told] == sorted(done for done, _ in told)
