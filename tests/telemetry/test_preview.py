"""What events would become; the way of ingest, of which nothing stays."""

import asyncio
from datetime import date

import msgspec
import pytest

from tests.conftest import Databases
from tests.telemetry.factories import NOW, apply_meters, cloud_event, make_account, request_of, rows
from valueplatform.core.errors import OverloadedError, UnavailableError
from valueplatform.core.scope import no_accounts
from valueplatform.telemetry.cloudevents import parse_json
from valueplatform.telemetry.dialects import Spoken, parsed_as
from valueplatform.telemetry.group_commit import commit_requests
from valueplatform.telemetry.meters import Aggregation, Meter
from valueplatform.telemetry.otlp_accounts import DEFAULT_SECTION
from valueplatform.telemetry.preview import Measured, Previewer, preview
from valueplatform.telemetry.requests import IngestRequest, Outcome, Sender
from valueplatform.telemetry.storing import Ledger

MINUTES = Meter(
    slug="minutes", event_types=("job.done",), aggregation=Aggregation.SUM, property="minutes", dimensions=("team",)
)
USERS = Meter(slug="users", event_types=("job.done",), aggregation=Aggregation.UNIQUE_COUNT, property="user")
APP_JOBS = Meter(slug="app_jobs", event_types=("job.done",), aggregation=Aggregation.COUNT, filter="channel = 'app'")
TABLES = ("event", "event_key", "event_conflict", "rejected_event", "rollup", "changed_day", "ingest_tally")


async def contents(databases: Databases) -> list[int]:
    found = [await rows(databases, f"SELECT count(*) AS n FROM {table}") for table in (*TABLES, "account")]
    return [counted["n"] for ((counted),) in found]


async def test_nothing_is_kept_whatever_the_verdict(databases: Databases) -> None:
    await apply_meters(databases, (MINUTES,))
    stored = cloud_event(id="1")
    await commit_requests(databases.ingest, [request_of([stored])], Ledger())
    before = await contents(databases)
    given = [cloud_event(id="new", account="globex"), stored, stored | {"data": {}}, cloud_event(type=None)]

    found = await preview(databases.ingest, request_of(given))

    assert [one.outcome for one in found] == [Outcome.STORED, Outcome.DUPLICATE, Outcome.CONFLICT, Outcome.REJECTED]
    assert [one.index for one in found] == [0, 1, 2, 3]
    assert [one.new_account for one in found] == [True, False, False, False]
    assert found[3].code == "missing_type"
    assert await contents(databases) == before
    report = (await commit_requests(databases.ingest, [request_of(given)], Ledger()))[0]
    assert (report.stored, report.duplicates, report.conflicts, len(report.rejections)) == (1, 1, 1, 1)


async def test_each_meter_says_what_it_would_read_or_why_it_would_not(databases: Databases) -> None:
    await apply_meters(databases, (MINUTES, USERS, APP_JOBS))
    given = [
        cloud_event(data={"minutes": "12.50", "team": "north", "user": "kim", "channel": "app"}),
        cloud_event(data={"minutes": "many", "channel": "web"}),
        cloud_event(type="nobody.asked"),
    ]

    first, second, third = await preview(databases.ingest, request_of(given))

    assert {one.meter: one.unmetered for one in second.meters} == {
        "minutes": "not_a_number",
        "users": "missing_property",
    }
    told = {one.meter: one for one in first.meters}
    assert str(told["minutes"].value) == "12.50"
    assert told["minutes"].dimensions == {"team": "north"}
    assert told["users"] == Measured("users", {}, "kim")
    assert told["app_jobs"] == Measured("app_jobs", {}, 1)
    assert not third.meters


async def test_the_day_is_that_of_the_account(databases: Databases) -> None:
    await make_account(databases, "acme", timezone="America/New_York")
    (one,) = await preview(databases.ingest, request_of([cloud_event(time="2026-06-01T03:30:00Z")]))
    assert one.day == date(2026, 5, 31)


async def test_what_a_key_may_not_write_is_said_before_it_is_sent(databases: Databases) -> None:
    parsed = parse_json(b'[{"id":"1","source":"/other","type":"x","account":"acme"}]', NOW)
    sender = Sender("http", "supplier", sources=frozenset({"/app"}))
    (one,) = await preview(databases.ingest, IngestRequest(sender, NOW, parsed.events, parsed.rejections))
    assert (one.outcome, one.code) == (Outcome.REJECTED, "source_not_allowed")


async def test_a_preview_does_not_keep_a_sender_from_sending(databases: Databases) -> None:
    event = cloud_event(id="1")
    for _ in range(2):
        (one,) = await preview(databases.ingest, request_of([event]))
        assert one.outcome is Outcome.STORED


async def held_key(databases: Databases, ended: asyncio.Event) -> asyncio.Task[None]:
    """A transaction that has claimed the key of event 1 and stays open until `ended`: previews of it wait."""
    claimed = asyncio.Event()
    key = request_of([cloud_event(id="1")]).events[0].key

    async def hold() -> None:
        async with databases.ingest.transaction(no_accounts()) as tx:
            connection = await tx.driver()
            await connection.execute("INSERT INTO event_key VALUES ($1, $1, 1)", key)
            claimed.set()
            await ended.wait()

    task = asyncio.create_task(hold())
    await claimed.wait()
    return task


async def test_more_previews_than_may_wait_are_told_to_come_back(databases: Databases) -> None:
    ended = asyncio.Event()
    holding = await held_key(databases, ended)
    previewer = Previewer(databases.ingest, at_once=1, waiting=1)
    asked = [asyncio.create_task(previewer.preview(request_of([cloud_event(id="1")]))) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(OverloadedError) as told:
        await previewer.preview(request_of([cloud_event(id="2")]))
    assert told.value.retry_after == 1
    ended.set()
    await holding
    assert [[one.outcome for one in await each] for each in asked] == [[Outcome.CONFLICT], [Outcome.CONFLICT]]
    assert len(await previewer.preview(request_of([cloud_event(id="2")]))) == 1


async def test_a_preview_that_waits_too_long_is_told_to_come_back_and_holds_nothing(databases: Databases) -> None:
    ended = asyncio.Event()
    holding = await held_key(databases, ended)
    previewer = Previewer(databases.ingest, at_once=1, waiting=0)
    with pytest.raises(UnavailableError):
        await previewer.preview(request_of([cloud_event(id="1")]), patience=0.2)
    (other,) = await previewer.preview(request_of([cloud_event(id="2")]))
    assert other.outcome is Outcome.STORED
    ended.set()
    await holding


async def test_a_counter_of_opentelemetry_is_previewed_by_what_it_would_add(databases: Databases) -> None:
    added = Meter(slug="added", event_types=("jobs",), aggregation=Aggregation.SUM, property="delta")
    await apply_meters(databases, (added,))
    point = {"asInt": "7", "startTimeUnixNano": "1780308000000000000", "timeUnixNano": "1780308060000000000"}
    metric = {
        "name": "jobs",
        "sum": {"dataPoints": [point], "aggregationTemporality": 2, "isMonotonic": True},
    }
    account = {"key": "account.id", "value": {"stringValue": "acme"}}
    body = {"resourceMetrics": [{"resource": {"attributes": [account]}, "scopeMetrics": [{"metrics": [metric]}]}]}
    parsed = parsed_as(Spoken.OTLP_METRICS, msgspec.json.encode(body), NOW, DEFAULT_SECTION)
    (one,) = await preview(
        databases.ingest, IngestRequest(Sender("otlp", "supplier"), NOW, parsed.events, parsed.rejections)
    )
    assert [(read.meter, str(read.value)) for read in one.meters] == [("added", "7")]
    assert await rows(databases, "SELECT * FROM running_total") == []
