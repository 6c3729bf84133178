"""What came in is counted with the events, by account and source, in one statement."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from tests.conftest import Databases
from tests.telemetry.factories import HTTP, NOW, cloud_event, make_account, request_of, rows, scalar, send
from valueplatform.core.scope import no_accounts
from valueplatform.telemetry.group_commit import commit_requests
from valueplatform.telemetry.intake import SLICES, key_slices
from valueplatform.telemetry.requests import NotAllTakenError, Sender
from valueplatform.telemetry.retraction import retract
from valueplatform.telemetry.segment import parse_segment
from valueplatform.telemetry.storing import Ledger

COUNTS = ("stored", "duplicates", "conflicts", "rejected")


async def came(databases: Databases) -> dict[tuple[str | None, str], dict[str, Any]]:
    """By account's key and source; of one group."""
    found = await rows(databases, "SELECT key, intake.* FROM intake LEFT JOIN account USING (account_id)")
    told = {(row["key"], row["source"]): row for row in found}
    assert len(told) == len(found)
    return told


def counts(row: dict[str, Any]) -> tuple[int, ...]:
    return tuple(row[name] for name in COUNTS)


async def test_a_group_leaves_one_row_an_account_and_source_whatever_it_holds(databases: Databases) -> None:
    await make_account(databases, "acme", "America/New_York")
    once = cloud_event(id="1", time="2026-06-01T03:00:00Z")
    groups = [
        [once, once, {**once, "type": "x"}, cloud_event(id="2"), cloud_event(id=None)],
        [cloud_event(id="3", source="/other"), cloud_event(id="4", account="globex"), cloud_event(id="5")],
    ]
    await commit_requests(databases.ingest, [request_of(events) for events in groups], Ledger())
    told = await came(databases)
    assert {place: counts(row) for place, row in told.items()} == {
        ("acme", "/app"): (3, 1, 1, 1),
        ("acme", "/other"): (1, 0, 0, 0),
        ("globex", "/app"): (1, 0, 0, 0),
    }
    assert told["acme", "/app"]["happened"] == {"2026-05-31": 1, "2026-06-01": 2}


async def test_a_group_that_is_not_stored_leaves_nothing(databases: Databases) -> None:
    with pytest.raises(NotAllTakenError):
        await send(databases, cloud_event(), cloud_event(id=None), strict=True)
    assert await came(databases) == {}
    assert await scalar(databases, "SELECT count(*) FROM key_tally") == 0


async def test_what_cannot_be_told_from_a_source_stands_under_its_way_in_and_nobodys_account(
    databases: Databases,
) -> None:
    await make_account(databases, "acme")
    nobody = cloud_event(account=None, source="made up", id="1")
    limited = Sender("http", "supplier", account_ids=frozenset({10**6}))
    await send(databases, nobody, cloud_event(source=None), "no event at all")
    assert {place: counts(row) for place, row in (await came(databases)).items()} == {
        (None, "http"): (0, 0, 0, 2),
        ("acme", "http"): (0, 0, 0, 1),
    }
    await send(databases, cloud_event(), sender=limited)
    hidden = await rows(databases, "SELECT account_id, source, rejected FROM intake ORDER BY intake_id DESC LIMIT 1")
    assert hidden == [{"account_id": 0, "source": "http", "rejected": 1}]


async def test_a_rejected_event_counts_once_however_often_it_is_replayed(databases: Databases) -> None:
    await make_account(databases, "acme")
    await send(databases, cloud_event(time="soon"), replayed=1)
    assert await came(databases) == {}


async def test_a_clock_that_is_ahead_is_told_from_events_that_came_before_they_happened(databases: Databases) -> None:
    def at(minutes: float) -> str:
        return (NOW + timedelta(minutes=minutes)).isoformat()

    await send(databases, cloud_event(time=at(3)), cloud_event(time=at(0.9)), cloud_event(time=at(-600)))
    (row,) = (await came(databases)).values()
    assert (row["stored"], row["ahead"], row["lead"]) == (3, 1, 180)


async def test_a_clock_that_was_corrected_is_told_all_the_same(databases: Databases) -> None:
    sent = (NOW + timedelta(hours=2)).isoformat()
    call = f'{{"type":"track","event":"e","userId":"u","context":{{"groupId":"acme"}},"sentAt":"{sent}"}}'
    parsed = parse_segment("track", call.encode(), NOW).parsed
    assert parsed.clock == -timedelta(hours=2)
    request = request_of([], HTTP)
    request = type(request)(HTTP, NOW, parsed.events, parsed.rejections, clock=parsed.clock)
    await commit_requests(databases.ingest, [request], Ledger())
    (row,) = (await came(databases)).values()
    assert (row["source"], row["ahead"], row["lead"]) == ("segment", 1, 7200)


async def test_a_retraction_takes_its_event_out_of_the_day_that_it_happened_on(databases: Databases) -> None:
    await send(databases, cloud_event(id="1"))
    async with databases.ingest.transaction(no_accounts()) as tx:
        await retract(tx, HTTP, "/app", "1")
    (_, back) = await rows(databases, "SELECT * FROM intake ORDER BY intake_id")
    assert (back["source"], back["happened"], back["at"], back["stored"]) == ("/app", {"2026-06-01": -1}, None, 0)


async def test_keys_are_counted_by_slice_once_each(databases: Databases) -> None:
    events = [cloud_event(id=str(number)) for number in range(300)]
    await send(databases, *events, events[0])
    await send(databases, *events)
    (slices,) = [row["slices"] for row in await rows(databases, "SELECT slices FROM key_tally")]
    held: list[int] = [0] * SLICES
    for row in await rows(databases, "SELECT event_key FROM event_key"):
        key: UUID = row["event_key"]
        held[key.bytes[0] * SLICES // 256] += 1
    assert slices == held
    assert sum(slices) == 300


async def test_many_keys_are_counted_as_few_are(databases: Databases) -> None:
    await send(databases, *[cloud_event() for _ in range(1500)])
    (slices,) = [row["slices"] for row in await rows(databases, "SELECT slices FROM key_tally")]
    first = f"get_byte(uuid_send(event_key), 0) * {SLICES} / 256"
    held = await rows(databases, f"SELECT {first} AS slice, count(*) AS keys FROM event_key GROUP BY 1")
    assert {row["slice"]: row["keys"] for row in held} == {slice_: keys for slice_, keys in enumerate(slices) if keys}


def test_no_keys_are_in_no_slice() -> None:
    assert key_slices([]) == [0] * SLICES
