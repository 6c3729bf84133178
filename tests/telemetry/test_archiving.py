"""What is archived is read, retracted, metered anew and told apart from duplicates as if it had never moved."""

import asyncio
import os
import random
import shutil
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.conftest import Databases
from tests.telemetry.factories import apply_meters, cloud_event, execute, make_account, rows, scalar, send, to_zones
from tests.telemetry.seven_meters import SEVEN, recounted_values, stored_values
from tests.telemetry.test_catalog_count import count_all, properties, types
from tests.telemetry.test_retraction import take_back
from valueplatform.core.database import lock_model_exclusive
from valueplatform.core.errors import ConflictError, InvalidInputError, NotFoundError, UnavailableError
from valueplatform.core.scope import grant_accounts, grant_all, no_accounts
from valueplatform.telemetry import archive_format, archiving
from valueplatform.telemetry.archive_format import BUCKETS
from valueplatform.telemetry.archive_reads import ArchivedEvent, Wanted, archived_events
from valueplatform.telemetry.archiving import Archived, archive_events, relocate
from valueplatform.telemetry.local_days import utc_day
from valueplatform.telemetry.meter_reads import MeterQuestion, MeterValue, WindowSize, query_meter
from valueplatform.telemetry.rebuilding import rebuild_rollups
from valueplatform.telemetry.requests import Sender
from valueplatform.telemetry.storage import storage
from valueplatform.value.verify import Discrepancy, verify_intake

NOW = datetime(2026, 6, 20, 12, tzinfo=UTC)
ZONES = {"acme": "America/St_Johns", "other": "Asia/Kathmandu", "third": "UTC"}


async def put_away(databases: Databases, place: Path | str | None, keep: timedelta = timedelta(days=1)) -> Archived:
    where = None if place is None else str(place)
    return await archive_events(databases.worker, grant_all(), where, NOW - keep, NOW)


async def history(databases: Databases, count: int = 250) -> None:
    """Events from January 2025 to May 2026, some without a number, some of a partner, some of the same moment."""
    await apply_meters(databases, list(SEVEN.values()))
    for key, zone in ZONES.items():
        await make_account(databases, key, zone)
    draw = random.Random(5)
    events = [
        cloud_event(
            id=str(number),
            account=draw.choice(list(ZONES)),
            type=draw.choice(["job.done", "login", "unmetered"]),
            time=f"{draw.choice(['2025-01', '2025-03', '2025-11', '2026-05'])}-{draw.randint(1, 28):02d}"
            f"T{draw.randint(0, 23):02d}:{draw.choice(['00', '30', '45'])}:00Z",
            subject=draw.choice(["kim", "lee", None]),
            data={"minutes": draw.choice([1, 2.25, "x", None, 1, "7.50", -3]), "team": draw.choice(["a", "b", None])},
        )
        for number in range(count)
    ]
    await send(databases, *events[: count // 2])
    await send(databases, *events[count // 2 :], sender=Sender("http", "partner"))


async def answers(databases: Databases) -> list[Sequence[MeterValue]]:
    """What all meters say, by rollups and by events, in windows of every size."""
    spans: list[dict[str, Any]] = [
        {"start": date(2025, 1, 1), "end": date(2026, 7, 1), "group_by": ("team", "account")},
        {"start": date(2025, 1, 1), "end": date(2026, 7, 1), "size": WindowSize.MONTH, "zone_name": "Asia/Kathmandu"},
        {"start": date(2025, 3, 1), "end": date(2025, 4, 1), "size": WindowSize.HOUR},
        {"start": datetime(2025, 3, 3, 3, 30, tzinfo=UTC), "end": date(2025, 3, 20), "subjects": ("kim",)},
        {"start": date(2025, 1, 15), "end": date(2026, 7, 1), "group_by": ("subject",), "provider": "partner"},
    ]
    async with databases.web.transaction(grant_all(), steady=True) as tx:
        return [await query_meter(tx, meter, MeterQuestion(**span)) for meter in SEVEN.values() for span in spans]


async def rebuild(databases: Databases) -> None:
    async with databases.worker.transaction(grant_all()) as tx:
        await lock_model_exclusive(tx)
        await rebuild_rollups(tx, list(SEVEN.values()))


async def archived(databases: Databases, account_ids: Sequence[int] | None = None) -> list[ArchivedEvent]:
    scope = grant_all() if account_ids is None else grant_accounts(account_ids)
    async with databases.web.transaction(scope, steady=True) as tx:
        return [event async for some in archived_events(tx, Wanted()) for event in some]


async def intake(databases: Databases) -> list[Discrepancy]:
    async with databases.ingest.transaction(no_accounts(), steady=True) as tx:
        return await verify_intake(tx)


def files(place: Path) -> list[Path]:
    return sorted(place.rglob("*.parquet"))


@pytest.mark.parametrize("columns", [archive_format.MOST_COLUMNS, 1])
async def test_every_question_about_archived_events_has_the_answer_that_it_had(
    databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, columns: int
) -> None:
    """Also where most paths of the data have no column of their own."""
    monkeypatch.setattr(archive_format, "MOST_COLUMNS", columns)
    await history(databases)
    said, raised = await answers(databases), await stored_values(databases)
    done = await put_away(databases, tmp_path)
    assert (done.events, await scalar(databases, "SELECT count(*) FROM event")) == (250, 0)
    assert await answers(databases) == said
    await rebuild(databases)
    assert await stored_values(databases) == raised
    assert await answers(databases) == said
    assert await intake(databases) == []
    assert len(await archived(databases)) == 250


async def test_whole_months_before_the_hot_period_are_moved_and_no_others(databases: Databases, tmp_path: Path) -> None:
    times = ["2026-05-01T00:00:00Z", "2026-04-30T23:59:59.999999Z", "2026-04-01T00:00:00Z", "0003-02-01T00:00:00Z"]
    await send(databases, *(cloud_event(id=time, time=time) for time in times))
    await put_away(databases, tmp_path, timedelta(days=25))
    left = await rows(databases, "SELECT id FROM event")
    assert [row["id"] for row in left] == times[:1]
    months = {file.parts[-3] for file in files(tmp_path)}
    assert months == {"month=2026-04", "month=0003-02"}
    assert (await put_away(databases, None, timedelta(days=25))).events == 0


async def test_any_engine_finds_the_events_of_a_month_and_bucket_in_their_folder(
    databases: Databases, tmp_path: Path
) -> None:
    await history(databases, 40)
    await put_away(databases, tmp_path)
    frame = pl.scan_parquet(
        tmp_path, hive_partitioning=True, missing_columns="insert", extra_columns="ignore"
    ).collect()
    assert frame.height == 40
    assert (frame["time"].dt.strftime("%Y-%m") == frame["month"].cast(pl.String)).all()
    assert (frame["account_id"] % BUCKETS == frame["bucket"].cast(pl.Int64)).all()


async def test_sent_again_an_archived_event_is_a_duplicate_and_another_body_a_conflict(
    databases: Databases, tmp_path: Path
) -> None:
    await apply_meters(databases)
    event = cloud_event(id="1", time="2025-05-01T10:00:00Z")
    await send(databases, event)
    await put_away(databases, tmp_path)
    assert (await send(databases, event)).duplicates == 1
    assert (await send(databases, event | {"type": "login"})).conflicts == 1
    assert await scalar(databases, "SELECT count(*) FROM event") == 0


async def test_a_retracted_archived_event_is_gone_from_everything_and_then_from_its_file(
    databases: Databases, tmp_path: Path
) -> None:
    await history(databases)
    draw = random.Random(1)
    gone = draw.sample(range(250), 60)
    await put_away(databases, tmp_path)
    for number in gone[:50]:
        await take_back(databases, str(number))
    # The plain recount reads the database alone, so what is left is brought back for it.
    await put_away(databases, None)
    for number in gone[50:]:
        await take_back(databases, str(number))
    left = await archived(databases)
    assert {event.id for event in left} == {str(number) for number in range(250)} - {str(number) for number in gone}
    said, raised = await answers(databases), await stored_values(databases)
    await rebuild(databases)
    assert await stored_values(databases) == raised
    assert await answers(databases) == said
    await bring_back(databases, left)
    assert raised == await recounted_values(databases)


async def bring_back(databases: Databases, events: Sequence[ArchivedEvent]) -> None:
    async with databases.admin.transaction(grant_all()) as tx:
        connection = await tx.driver()
        await connection.executemany(
            "INSERT INTO event"
            " (account_id, event_key, source, id, type, time, subject, provider, data, utc_day, received_at)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, now())",
            [(*event[:-1], utc_day(event.time)) for event in events],
        )


async def test_what_is_retracted_leaves_its_file_with_the_next_run_and_the_old_file_goes_a_day_later(
    databases: Databases, tmp_path: Path
) -> None:
    await apply_meters(databases)
    await send(databases, *(cloud_event(id=str(n), time="2025-05-01T10:00:00Z", subject=f"s{n}") for n in range(3)))
    await put_away(databases, tmp_path)
    (before,) = files(tmp_path)
    await take_back(databases, "1")
    with pytest.raises(NotFoundError):
        await take_back(databases, "1")
    assert (await put_away(databases, None)).rewritten == 1
    (after,) = set(files(tmp_path)) - {before}
    assert sorted(pl.read_parquet(after, hive_partitioning=False)["id"]) == ["0", "2"]
    assert await scalar(databases, "SELECT count(*) FROM archived_retraction") == 0
    done = await archive_events(databases.worker, grant_all(), None, NOW - timedelta(days=1), NOW + timedelta(days=2))
    assert (done.swept, files(tmp_path)) == (1, [after])
    assert await intake(databases) == []


async def test_when_all_events_of_a_file_are_retracted_no_file_is_left(databases: Databases, tmp_path: Path) -> None:
    await apply_meters(databases)
    await send(databases, cloud_event(id="1", time="2025-05-01T10:00:00Z"))
    await put_away(databases, tmp_path)
    await take_back(databases, "1")
    await put_away(databases, None)
    await archive_events(databases.worker, grant_all(), None, NOW - timedelta(days=1), NOW + timedelta(days=2))
    assert files(tmp_path) == []
    assert await scalar(databases, "SELECT count(*) FROM archived_slice") == 0


async def test_a_sender_takes_back_its_own_archived_events_only(databases: Databases, tmp_path: Path) -> None:
    await apply_meters(databases)
    await send(databases, cloud_event(id="1", time="2025-05-01T10:00:00Z"), sender=Sender("http", "partner"))
    await put_away(databases, tmp_path)
    with pytest.raises(NotFoundError):
        await take_back(databases, "1", sender=Sender("http", "someone"))
    await take_back(databases, "1", sender=Sender("http", "partner"))
    assert await archived(databases) == []


async def test_late_events_join_the_month_that_is_archived_already(databases: Databases, tmp_path: Path) -> None:
    await apply_meters(databases, list(SEVEN.values()))
    for number in range(3):
        await send(databases, cloud_event(id=str(number), time=f"2025-05-0{number + 1}T10:00:00Z"))
        await put_away(databases, tmp_path)
    assert len(await archived(databases)) == 3
    assert await scalar(databases, "SELECT count(DISTINCT path) FROM archived_slice") == 1  # small files are joined
    await rebuild(databases)
    assert await scalar(databases, "SELECT sum(events) FROM rollup WHERE meter = 'count'") == 3


async def test_a_scope_reads_its_own_events_of_a_file_that_many_share(databases: Databases, tmp_path: Path) -> None:
    for number in range(2 * BUCKETS):
        await send(databases, cloud_event(account=f"a{number}", time="2025-05-01T10:00:00Z"))
    await put_away(databases, tmp_path)
    ids = [row["account_id"] for row in await rows(databases, "SELECT account_id FROM account ORDER BY account_id")]
    first, last = [identity for identity in ids if identity and identity % BUCKETS == 5][:2]
    shared = await rows(databases, "SELECT path FROM archived_slice WHERE account_id IN (:a, :b)", a=first, b=last)
    assert len({row["path"] for row in shared}) == 1
    assert {event.account_id for event in await archived(databases, [last])} == {last}
    async with databases.web.transaction(no_accounts(), steady=True) as tx:
        assert [some async for some in archived_events(tx, Wanted([first, last]))] == []
    async with databases.web.transaction(grant_accounts([last]), steady=True) as tx:
        found = [event async for some in archived_events(tx, Wanted([first, last])) for event in some]
    assert {event.account_id for event in found} == {last}


async def test_a_changed_zone_moves_archived_events_to_their_new_days(databases: Databases, tmp_path: Path) -> None:
    await history(databases)
    await put_away(databases, tmp_path)
    account_id = await scalar(databases, "SELECT account_id FROM account WHERE key = 'acme'")
    await execute(databases, "DELETE FROM changed_day")
    await to_zones(databases, {"acme": "Pacific/Kiritimati"})
    (mark,) = await rows(databases, "SELECT day, through FROM changed_day WHERE cause = 'zone'")
    left = await archived(databases)
    days = [event.day for event in left if event.account_id == account_id]
    assert mark["day"] <= min(days)
    assert mark["through"] >= max(days)
    raised = await stored_values(databases)
    await bring_back(databases, left)
    assert raised == await recounted_values(databases)


async def test_the_catalog_counts_late_events_of_archived_days_beside_the_archived(
    databases: Databases, tmp_path: Path
) -> None:
    await history(databases, 120)
    await count_all(databases)
    before = await types(databases), await properties(databases)
    await put_away(databases, tmp_path)
    assert (await types(databases), await properties(databases)) == before
    await execute(
        databases,
        "INSERT INTO catalog_due (account_id, day, through)"
        " SELECT account_id, DATE '2025-01-01', DATE '2026-05-31' FROM account WHERE account_id > 0",
    )
    assert await count_all(databases, 7) > 3
    assert (await types(databases), await properties(databases)) == before
    await send(databases, cloud_event(account="acme", time="2025-01-10T10:00:00Z", data={"fresh": 1}))
    await count_all(databases)
    after = await types(databases)
    assert after["acme", "job.done"] == before[0]["acme", "job.done"] + 1
    assert sum(after.values()) == 121


async def test_a_crash_before_the_commit_leaves_the_events_where_they_were(
    databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await history(databases, 60)
    said = await answers(databases)

    async def crash(*_: object) -> None:
        raise RuntimeError("power cut")

    with monkeypatch.context() as patch:
        patch.setattr(archiving, "tell_file", crash)
        with pytest.raises(RuntimeError):
            await put_away(databases, tmp_path)
    assert len(files(tmp_path)) == 1
    assert await scalar(databases, "SELECT count(*) FROM event") == 60
    assert await answers(databases) == said
    for file in files(tmp_path):
        long_ago = (NOW - timedelta(days=2)).timestamp()
        os.utime(file, (long_ago, long_ago))
    done = await put_away(databases, None)
    assert (done.events, done.swept) == (60, 1)
    assert await answers(databases) == said
    assert await intake(databases) == []


async def test_a_file_that_does_not_hold_what_was_written_stops_the_run(
    databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await history(databases, 10)
    monkeypatch.setattr(archiving, "parquet", lambda frame: pl_bytes(frame.head(0)))
    with pytest.raises(ConflictError, match="does not hold what was written"):
        await put_away(databases, tmp_path)
    assert await scalar(databases, "SELECT count(*) FROM event") == 10


def pl_bytes(frame: pl.DataFrame) -> bytes:
    buffer = BytesIO()
    frame.write_parquet(buffer)
    return buffer.getvalue()


async def test_events_that_are_retracted_while_they_are_archived_are_not_archived(
    databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await history(databases, 60)
    write, first = archiving._write, [True]

    def retract_meanwhile(*given: Any) -> Any:
        if first:
            first.clear()
            asyncio.run_coroutine_threadsafe(take_back(databases, "7"), loop).result()
        return write(*given)

    loop = asyncio.get_running_loop()
    monkeypatch.setattr(archiving, "_write", retract_meanwhile)
    await put_away(databases, tmp_path)
    assert {event.id for event in await archived(databases)} == {str(n) for n in range(60)} - {"7"}
    assert await intake(databases) == []


async def test_two_runs_at_once_are_one_run(databases: Databases, tmp_path: Path) -> None:
    await history(databases, 60)
    outcomes = await asyncio.gather(*(put_away(databases, tmp_path) for _ in range(3)), return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} <= {Archived, ConflictError}
    assert len(await archived(databases)) == 60
    assert await intake(databases) == []


async def test_a_lost_file_is_named_and_no_figure_is_told_without_it(databases: Databases, tmp_path: Path) -> None:
    await history(databases, 60)
    await put_away(databases, tmp_path)
    files(tmp_path)[0].unlink()
    with pytest.raises(UnavailableError, match="cannot be read"):
        await answers(databases)
    (found,) = await intake(databases)
    assert "unreadable" in found.recomputed


async def test_a_changed_file_is_a_difference(databases: Databases, tmp_path: Path) -> None:
    await history(databases, 60)
    await put_away(databases, tmp_path)
    file = max(files(tmp_path), key=lambda each: each.stat().st_size)
    pl.read_parquet(file, hive_partitioning=False).tail(-1).write_parquet(file)
    (found,) = await intake(databases)
    assert str(file) in found.where


async def test_an_archive_that_was_copied_elsewhere_is_read_there(databases: Databases, tmp_path: Path) -> None:
    await history(databases, 60)
    said = await answers(databases)
    await put_away(databases, tmp_path / "here")
    with pytest.raises(ConflictError, match="copy them there first"):
        await relocate(databases.worker, grant_all(), str(tmp_path / "there"))
    shutil.move(tmp_path / "here", tmp_path / "there")
    await relocate(databases.worker, grant_all(), str(tmp_path / "there"))
    assert await answers(databases) == said
    with pytest.raises(ConflictError, match="--moved-to"):
        await put_away(databases, tmp_path / "here")


async def test_the_first_run_must_say_where_and_the_last_day_stays(databases: Databases, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="--to"):
        await put_away(databases, None)
    with pytest.raises(InvalidInputError, match="Events of the last day"):
        await put_away(databases, tmp_path, timedelta(hours=3))
    with pytest.raises(InvalidInputError, match="no place for an archive"):
        await put_away(databases, "nowhere://x")


async def test_a_place_that_cannot_be_written_is_named_and_nothing_moves(databases: Databases, tmp_path: Path) -> None:
    await history(databases, 10)
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(UnavailableError, match="cannot be written"):
        await put_away(databases, tmp_path / "file")
    assert await scalar(databases, "SELECT count(*) FROM event") == 10


async def test_what_events_take_up_is_told_by_place(databases: Databases, tmp_path: Path) -> None:
    await history(databases, 250)
    await put_away(databases, tmp_path, timedelta(days=60))
    async with databases.ingest.transaction(no_accounts(), steady=True) as tx:
        taken = await storage(tx)
    assert (taken.hot.events + taken.archived.events, taken.keys.events) == (250, 250)
    assert taken.archived.bytes == sum(file.stat().st_size for file in files(tmp_path))
    assert taken.keys.each
    assert taken.keys.each > 48  # two hashes and a number
