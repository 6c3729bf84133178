"""An archive in an object store is read, rewritten, erased from and swept as one in a folder is; and says what is wrong
where the store cannot be reached."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.request import Request, urlopen
from uuid import uuid4

import moto.settings
import pytest
from moto.server import ThreadedMotoServer

from tests.conftest import Databases
from tests.telemetry import test_erasure
from tests.telemetry.factories import apply_meters, cloud_event, rows, scalar, send
from tests.telemetry.seven_meters import stored_values
from tests.telemetry.test_archiving import answers, archived, history, intake, put_away, rebuild
from tests.telemetry.test_backfilling import Act, assert_exact, count
from tests.telemetry.test_retraction import take_back
from valueplatform.core.errors import ConflictError, UnavailableError
from valueplatform.core.scope import grant_all
from valueplatform.telemetry.archive_store import ArchiveStore
from valueplatform.telemetry.archiving import Archived, archive_events, relocate
from valueplatform.telemetry.storage import storage

KEYS = "AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION and AWS_ENDPOINT_URL"


@pytest.fixture(scope="module")
def object_store() -> Iterator[str]:
    """The address of an S3 store."""
    store = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    store.start()
    host, port = store.get_host_and_port()
    yield f"http://{host}:{port}"
    store.stop()


@pytest.fixture
def place(object_store: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A folder of a bucket that is of this test alone: Polars remembers stores by their address."""
    for name, value in {
        "ACCESS_KEY_ID": "someone",
        "SECRET_ACCESS_KEY": "a secret",
        "REGION": "us-east-1",
        "ENDPOINT_URL": object_store,
        "ALLOW_HTTP": "true",
    }.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    bucket = f"archive-{uuid4().hex}"
    urlopen(Request(f"{object_store}/{bucket}", method="PUT")).close()  # noqa: S310 - our own server
    return f"s3://{bucket}/events"


def kept(place: str) -> list[str]:
    return sorted(file.path for file in ArchiveStore(place).files())


async def later(databases: Databases) -> Archived:
    """The next run, when the files that nothing names are old enough to go."""
    return await archive_events(
        databases.worker, grant_all(), None, datetime(2026, 6, 19, tzinfo=UTC), datetime.now(UTC) + timedelta(days=2)
    )


async def test_every_figure_proof_and_count_is_the_same_from_an_object_store(databases: Databases, place: str) -> None:
    await history(databases)
    said, raised = await answers(databases), await stored_values(databases)
    done = await put_away(databases, place)
    assert (done.events, done.root, done.files) == (250, place, len(kept(place)))
    assert await scalar(databases, "SELECT count(*) FROM event") == 0
    assert await answers(databases) == said
    assert await intake(databases) == []
    await rebuild(databases)
    assert await stored_values(databases) == raised
    async with databases.ingest.transaction(grant_all(), steady=True) as tx:
        taken = await storage(tx)
    assert (taken.archive, taken.archived.events, taken.archived.bytes) == (place, 250, done.bytes)
    await assert_exact(databases, await count(databases, databases.ingest))


async def test_a_retracted_event_leaves_its_file_with_the_next_run_and_the_old_file_goes_later(
    databases: Databases, place: str
) -> None:
    await apply_meters(databases)
    await send(databases, *(cloud_event(id=str(number), time="2025-05-01T10:00:00Z") for number in range(3)))
    await put_away(databases, place)
    (before,) = kept(place)
    await take_back(databases, "1")
    assert (await put_away(databases, None)).rewritten == 1
    (after,) = set(kept(place)) - {before}
    assert sorted(ArchiveStore(place).read(after)["id"]) == ["0", "2"]
    assert (await later(databases)).swept == 1
    assert kept(place) == [after]
    assert sorted(event.id for event in await archived(databases)) == ["0", "2"]


async def test_files_that_nothing_names_are_swept_and_those_beside_the_archive_stay(
    databases: Databases, place: str
) -> None:
    await apply_meters(databases)
    await send(databases, cloud_event(time="2025-05-01T10:00:00Z"))
    await put_away(databases, place)
    (named,) = kept(place)
    ArchiveStore(place).put("month=2025-05/bucket=01/crashed.parquet", b"half of it")
    above = place.removesuffix("/events")
    ArchiveStore(above).put("events-of-others/file", b"theirs")
    assert (await later(databases)).swept == 1
    assert kept(above) == ["events-of-others/file", f"events/{named}"]


async def test_an_erased_person_is_in_no_file_any_more(databases: Databases, place: str) -> None:
    await test_erasure.history(databases)
    before = await test_erasure.numbers(databases)
    await put_away(databases, place)
    erased = await test_erasure.erase(databases)
    assert erased.archived > 0
    assert kept(place)
    for path in kept(place):
        frame = ArchiveStore(place).read(path)
        ours = frame.filter(frame["account_id"] == await test_erasure.acme(databases))
        assert test_erasure.KIM not in str(ours.to_dicts())
    assert await test_erasure.numbers(databases) == before
    assert await intake(databases) == []


async def test_an_archive_is_read_at_a_store_once_its_files_are_there(
    databases: Databases, place: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    await history(databases, 30)
    folder = tmp_path_factory.mktemp("archive")
    await put_away(databases, folder)
    said = await answers(databases)
    with pytest.raises(ConflictError, match="copy them there first"):
        await relocate(databases.worker, grant_all(), place)
    for file in ArchiveStore(str(folder)).files():
        ArchiveStore(place).put(file.path, (folder / file.path).read_bytes())
    await relocate(databases.worker, grant_all(), place)
    assert await answers(databases) == said


async def test_keys_that_the_store_does_not_know_are_told_with_the_place_and_the_cure(
    databases: Databases, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await history(databases, 20)
    await put_away(databases, place, timedelta(days=100))
    left = await rows(databases, "SELECT event_key FROM event ORDER BY event_key")
    assert left
    monkeypatch.setattr(moto.settings, "INITIAL_NO_AUTH_ACTION_COUNT", 0.0)
    wrong = f"InvalidAccessKeyId, The AWS Access Key Id .*{KEYS} are those of this store"
    acts: dict[str, Act] = {
        "written": lambda: put_away(databases, None),
        "read": lambda: archived(databases),
        "listed": lambda: relocate(databases.worker, grant_all(), place),
    }
    for verb, act in acts.items():
        with pytest.raises(UnavailableError, match=rf"{place}.*{wrong}" if verb != "read" else wrong) as told:
            await act()
        assert verb in str(told.value)
        assert place in str(told.value)
    with pytest.raises(UnavailableError, match=f"deleted: {wrong}"):
        ArchiveStore(place).delete(["a file"])
    assert await rows(databases, "SELECT event_key FROM event ORDER BY event_key") == left


async def test_a_bucket_that_is_not_there_is_told(databases: Databases, place: str) -> None:
    await send(databases, cloud_event(time="2025-05-01T10:00:00Z"))
    with pytest.raises(UnavailableError, match=rf"NoSuchBucket.*Check that the bucket exists and that {KEYS}"):
        await put_away(databases, "s3://nobodys-bucket/events")
    assert await scalar(databases, "SELECT count(*) FROM event") == 1


async def test_a_store_that_is_away_stops_runs_and_reads_and_loses_nothing(
    databases: Databases, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await apply_meters(databases)
    await send(databases, *(cloud_event(id=str(month), time=f"2025-0{month}-01T10:00:00Z") for month in range(1, 4)))
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    with pytest.raises(UnavailableError, match=rf"{place}/month=2025-01.* cannot be written: .*{KEYS}"):
        await put_away(databases, place)
    assert await scalar(databases, "SELECT count(*) FROM event") == 3
