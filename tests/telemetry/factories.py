"""What tests of telemetry need: a model with meters, events as their senders write them, and a count of their own."""

import asyncio
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import text

from tests.conftest import Databases
from valueplatform.core.authorization import operator_scope
from valueplatform.telemetry.cloudevents import parse_json
from valueplatform.telemetry.group_commit import commit_requests
from valueplatform.telemetry.meters import Aggregation, Meter
from valueplatform.telemetry.requests import IngestRequest, Report, Sender
from valueplatform.telemetry.rezoning import rezone
from valueplatform.telemetry.storing import Ledger

NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
HTTP = Sender("http", "supplier")

JOBS = Meter(
    slug="jobs",
    event_types=("job.done",),
    aggregation=Aggregation.COUNT,
    dimensions=("team",),
    filter="channel <> 'test'",
)
MINUTES = Meter(slug="minutes", event_types=("job.done",), aggregation=Aggregation.SUM, property="minutes")
USERS = Meter(
    slug="users",
    event_types=("job.done", "login"),
    aggregation=Aggregation.UNIQUE_COUNT,
    property="user",
    dimensions=("team",),
)
METERS = (JOBS, MINUTES, USERS)


async def apply_meters(
    databases: Databases, meters: Sequence[Meter] = METERS, timezone: str = "UTC", currency: str = "EUR"
) -> None:
    """A revision of the model with these meters, as `model apply` leaves it."""
    supplier = {"name": "Fieldnote", "currency": currency, "timezone": timezone}
    document = msgspec.json.encode({"supplier": supplier, "meters": meters}).decode()
    async with databases.admin.transaction(operator_scope()) as tx:
        await tx.execute(
            text(
                "INSERT INTO model_revision (revision, document, fingerprint)"
                " SELECT coalesce(max(revision), 0) + 1, CAST(:document AS jsonb), 'x' FROM model_revision"
            ),
            {"document": document},
        )


async def make_account(databases: Databases, key: str, timezone: str = "UTC") -> int:
    """An account that reports in US dollars; its id."""
    statement = """
        WITH made AS (INSERT INTO account (key, name, timezone) VALUES (:key, :key, :zone) RETURNING account_id)
        INSERT INTO account_currency SELECT account_id, DATE '0001-01-01', 'USD' FROM made RETURNING account_id
    """
    return int(await scalar(databases, statement, key=key, zone=timezone))


async def to_zones(databases: Databases, zones: Mapping[str, str]) -> None:
    """Bring accounts, by their keys, to other zones."""
    found = await rows(databases, "SELECT key, account_id FROM account")
    ids = {row["key"]: row["account_id"] for row in found}
    wanted = {ids[key]: zone for key, zone in zones.items()}
    await rezone(databases.worker, operator_scope(), wanted, lambda *_: None, databases.ingest)


def cloud_event(**changes: Any) -> dict[str, Any]:
    """A CloudEvent as its sender writes it; a change to None leaves the attribute out."""
    event: dict[str, Any] = {
        "specversion": "1.0",
        "id": uuid4().hex,
        "source": "/app",
        "type": "job.done",
        "time": "2026-06-01T10:00:00Z",
        "account": "acme",
        "data": {"minutes": 5, "team": "north", "channel": "app", "user": "kim"},
    }
    return {name: value for name, value in (event | changes).items() if value is not None}


def request_of(events: Sequence[object], sender: Sender = HTTP, now: datetime = NOW, **options: Any) -> IngestRequest:
    parsed = parse_json(msgspec.json.encode(events), now)
    return IngestRequest(sender, now, parsed.events, parsed.rejections, **options)


async def send(
    databases: Databases, *events: object, sender: Sender = HTTP, now: datetime = NOW, **options: Any
) -> Report:
    """Send events in one request, on the path that all events take."""
    (report,) = await commit_requests(databases.ingest, [request_of(events, sender, now, **options)], Ledger())
    return report


async def rows(databases: Databases, query: str, **values: object) -> list[dict[str, Any]]:
    async with databases.admin.transaction(operator_scope()) as tx:
        return [dict(row._asdict()) for row in await tx.rows(text(query), values)]


async def scalar(databases: Databases, query: str, **values: object) -> Any:
    async with databases.admin.transaction(operator_scope()) as tx:
        return await tx.scalar(text(query), values)


async def execute(databases: Databases, statement: str) -> None:
    async with databases.admin.transaction(operator_scope()) as tx:
        await tx.execute(text(statement))


async def until_someone_waits(databases: Databases, how_many: int = 1) -> None:
    """Returns once so many transactions wait for a lock of another."""
    query = """
        SELECT count(activity.pid) FROM pg_sleep(0.02) LEFT JOIN pg_stat_activity AS activity
            ON wait_event_type = 'Lock' AND datname = current_database()
    """
    async with asyncio.timeout(30):
        while await scalar(databases, query) < how_many:
            pass


Rollups = dict[tuple[Any, ...], tuple[Any, ...]]
Members = set[tuple[Any, ...]]


async def stored_rollups(databases: Databases) -> tuple[Rollups, Members]:
    """(account key, meter, day, provider, dimensions) → (events, total, unmetered), and the members seen there."""
    found = await rows(databases, in_force("rollup"))
    members = await rows(databases, in_force("rollup_member"))
    return (
        {_place(row): (row["events"], Fraction(row["total"]), row["unmetered"]) for row in found},
        {(*_place(row), row["member"]) for row in members},
    )


def in_force(table: str) -> str:
    """A query of all rollups that are read: those under the editions of their accounts, which are taken off."""
    own = {"rollup": "events, total, unmetered, picked, rank, picked_key", "rollup_member": "member"}
    return f"""
        SELECT key, split_part(meter, '#', 1) AS meter, day, provider, dimensions, {own[table]}
        FROM {table} JOIN account USING (account_id) WHERE meter = split_part(meter, '#', 1) || edition
    """


def _place(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return (row["key"], row["meter"], row["day"], row["provider"], tuple(row["dimensions"]))


async def recounted(databases: Databases) -> tuple[Rollups, Members]:
    """What `stored_rollups` must be for METERS: from the raw events, in plain Python written apart from ours."""
    events = await rows(
        databases,
        "SELECT key, timezone, type, time, provider, data::text AS data FROM event JOIN account USING (account_id)",
    )
    totals: dict[tuple[Any, ...], list[Any]] = defaultdict(lambda: [0, Fraction(0), 0])
    members: Members = set()
    for event in events:
        data = plain_data(event["data"])
        day = event["time"].astimezone(ZoneInfo(event["timezone"])).date()
        for meter, dimensions, value in _counted(event["type"], data):
            place = (event["key"], meter, day, event["provider"], dimensions)
            cell = totals[place]
            cell[0] += 1
            if value is None:
                cell[2] += 1
            elif isinstance(value, str):
                members.add((*place, value))
            else:
                cell[1] += value
    return {place: (cell[0], cell[1], cell[2]) for place, cell in totals.items()}, members


def plain_data(data: str | None) -> dict[str, Any]:
    value = json.loads(data, parse_float=Decimal) if data else {}
    return value if isinstance(value, dict) else {}


def _counted(event_type: str, data: Mapping[str, Any]) -> Iterable[tuple[str, tuple[str | None, ...], Any]]:
    team = data.get("team")
    if event_type == "job.done":
        if isinstance(data.get("channel"), str) and data["channel"] != "test":
            yield "jobs", (team,), Fraction(1)
        yield "minutes", (), wire_number(data.get("minutes"))
    if event_type in {"job.done", "login"}:
        yield "users", (team,), data.get("user")


def wire_number(value: object) -> Fraction | None:
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        return None
    written = str(value)
    if not re.fullmatch(r"-?[0-9]+([.][0-9]+)?(E[+-][0-9]+)?", written):
        return None
    number = Fraction(written)
    return number if abs(number) < 10**18 and (number * 10**9).denominator == 1 else None
