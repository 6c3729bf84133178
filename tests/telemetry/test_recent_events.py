"""The last events of each key: written with the events, bounded, and let go of."""

from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest

from tests.conftest import Databases
from tests.telemetry.factories import (
    METERS,
    NOW,
    apply_meters,
    cloud_event,
    execute,
    make_account,
    request_of,
    rows,
    scalar,
)
from valueplatform.core.authorization import KeyKind, operator_scope
from valueplatform.core.keys import KeyGrant, create_key
from valueplatform.telemetry import recent_events, rollups
from valueplatform.telemetry.cloudevents import parse_json
from valueplatform.telemetry.group_commit import commit_requests
from valueplatform.telemetry.members import Sighting
from valueplatform.telemetry.recent_events import KEPT, MOST, prune_recent_events
from valueplatform.telemetry.requests import IngestRequest, Report, Sender
from valueplatform.telemetry.storing import Ledger


@pytest.fixture
async def key(databases: Databases) -> UUID:
    return await make_key(databases)


async def make_key(databases: Databases) -> UUID:
    async with databases.worker.transaction(operator_scope()) as tx:
        return (await create_key(tx, KeyGrant(KeyKind.INGEST, "app"))).key_id


async def give(
    databases: Databases, key: UUID, *events: object, ledger: Ledger | None = None, second: int = 0, **limits: Any
) -> Report:
    sender = Sender("http", "supplier", key, **limits)
    request = request_of(events, sender, NOW + timedelta(seconds=second))
    return (await commit_requests(databases.ingest, [request], ledger or Ledger()))[0]


async def kept(databases: Databases) -> list[dict[str, Any]]:
    return await rows(databases, "SELECT * FROM recent_event ORDER BY recent_id")


async def test_each_event_is_remembered_with_what_became_of_it(databases: Databases, key: UUID) -> None:
    await apply_meters(databases, METERS)
    event = cloud_event(id="1")
    await give(databases, key, event)
    await give(databases, key, event, event | {"data": {"minutes": 6}}, cloud_event(id="2", type=None))

    first, duplicate, conflict, rejected = await kept(databases)

    assert [row["outcome"] for row in (first, duplicate, conflict, rejected)] == [
        "stored",
        "duplicate",
        "conflict",
        "rejected",
    ]
    assert (first["type"], first["id"], first["source"], str(first["day"])) == ("job.done", "1", "/app", "2026-06-01")
    assert set(first["meters"]) == {"jobs", "minutes", "users"}
    assert not duplicate["meters"]
    assert (rejected["code"], rejected["account_id"] > 0, rejected["type"]) == ("missing_type", True, None)
    assert "set the attribute type" in rejected["message"]
    assert conflict["content_hash"] == await scalar(databases, "SELECT body_hash FROM event_conflict")
    assert rejected["content_hash"] == await scalar(databases, "SELECT content_hash FROM rejected_event")


async def test_only_meters_whose_filter_lets_it_through_were_fed(databases: Databases, key: UUID) -> None:
    await apply_meters(databases, METERS)
    await give(databases, key, cloud_event(data={"channel": "test", "minutes": 1}))
    (row,) = await kept(databases)
    assert set(row["meters"]) == {"minutes", "users"}


async def test_no_data_no_subject_and_no_body_is_copied(databases: Databases, key: UUID) -> None:
    await give(databases, key, cloud_event(subject="kim-the-subject", data={"secret": "kim-in-data"}), {"kim": 1})
    assert "kim" not in str(await kept(databases))


async def test_a_rejected_event_does_not_tell_its_key_of_accounts_out_of_reach(databases: Databases, key: UUID) -> None:
    mine, other = await make_account(databases, "mine"), await make_account(databases, "other")
    given = [cloud_event(account=name, time="soon") for name in ("mine", "other", "nobody")]
    await give(databases, key, *given, account_ids=frozenset({mine}))
    assert [row["account_id"] for row in await kept(databases)] == [mine, 0, 0]
    assert other != mine


async def test_of_a_large_group_the_last_events_of_each_key_are_remembered(databases: Databases, key: UUID) -> None:
    other = await make_key(databases)
    requests = [
        request_of([cloud_event(id=f"{name}-{number}-{n}") for n in range(50)], Sender("http", "supplier", sender))
        for number in range(3)
        for name, sender in (("a", key), ("b", other))
    ]
    await commit_requests(databases.ingest, requests, Ledger())

    found = await kept(databases)

    assert Counter(row["key_id"] for row in found) == {key: MOST, other: MOST}
    assert [row["id"] for row in found if row["key_id"] == key] == [f"a-2-{n}" for n in range(50 - MOST, 50)]


async def test_last_events_are_gathered_from_small_requests_too(databases: Databases, key: UUID) -> None:
    sender = Sender("http", "supplier", key)
    requests = [request_of([cloud_event(id=str(n))], sender) for n in range(MOST + 10)]
    await commit_requests(databases.ingest, requests, Ledger())
    assert [row["id"] for row in await kept(databases)] == [str(n) for n in range(10, MOST + 10)]


async def test_what_went_wrong_early_in_a_large_group_is_not_drowned_by_what_went_well(
    databases: Databases, key: UUID
) -> None:
    sender = Sender("http", "supplier", key)
    bad = [cloud_event(id=f"bad-{n}", time="soon") for n in range(3)]
    twice = cloud_event(id="twice")
    first = request_of([*bad, twice, twice, twice | {"data": {}}], sender)
    rest = [request_of([cloud_event() for _ in range(200)], sender) for _ in range(3)]
    await commit_requests(databases.ingest, [first, *rest], Ledger())

    found = await kept(databases)

    assert Counter(row["outcome"] for row in found) == {"stored": MOST, "duplicate": 1, "conflict": 1, "rejected": 3}
    assert [row["id"] for row in found if row["outcome"] == "rejected"] == ["bad-0", "bad-1", "bad-2"]


async def test_a_busy_key_costs_a_few_rows_a_second_and_another_key_has_its_own(
    databases: Databases, key: UUID
) -> None:
    ledger, other = Ledger(), await make_key(databases)
    for _ in range(3):
        await give(databases, key, *(cloud_event() for _ in range(15)), ledger=ledger)
    await give(databases, other, cloud_event(), ledger=ledger)
    assert Counter(row["key_id"] for row in await kept(databases)) == {key: MOST, other: 1}

    await give(databases, key, cloud_event(id="next"), ledger=ledger, second=1)
    assert (await kept(databases))[-1]["id"] == "next"


async def test_many_rejections_leave_room_for_the_first_that_is_stored(databases: Databases, key: UUID) -> None:
    ledger = Ledger()
    await give(databases, key, *(cloud_event(id=str(n), time="soon") for n in range(100)), ledger=ledger)
    await give(databases, key, cloud_event(id="good"), ledger=ledger)
    outcomes = Counter(row["outcome"] for row in await kept(databases))
    assert outcomes == {"rejected": MOST, "stored": 1}


async def test_a_group_that_is_tried_again_is_remembered_all_the_same(
    databases: Databases, key: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first try breaks after the events went in, as a deadlock does."""
    raised = rollups.raise_rollups
    tries = []

    async def breaking(*arguments: Any) -> Sighting:
        seen = await raised(*arguments)
        tries.append(1)
        if len(tries) == 1:
            async with databases.admin.transaction(operator_scope()) as tx:
                await (await tx.driver()).execute("DO $$ BEGIN RAISE SQLSTATE '40P01'; END $$")
        return seen

    monkeypatch.setattr("valueplatform.telemetry.storing.raise_rollups", breaking)
    await give(databases, key, *(cloud_event(id=str(n)) for n in range(MOST)))
    assert len(tries) == 2
    assert len(await kept(databases)) == MOST


async def test_what_files_bring_is_of_no_key(databases: Databases) -> None:
    await commit_requests(
        databases.ingest, [request_of([cloud_event(), cloud_event(time="soon")], Sender("file", "supplier"))], Ledger()
    )
    assert await kept(databases) == []


async def test_a_strict_request_that_is_refused_leaves_nothing(databases: Databases, key: UUID) -> None:
    request = request_of([cloud_event(time="soon")], Sender("http", "supplier", key), strict=True)
    with pytest.raises(Exception, match="all or nothing"):
        await commit_requests(databases.ingest, [request], Ledger())
    assert await kept(databases) == []


async def test_hostile_text_is_remembered_and_breaks_nothing(databases: Databases, key: UUID) -> None:
    hostile = 'x"\\\u2028{}$1;--'
    body = msgspec.json.encode([cloud_event(id=hostile, type=hostile), {"id": "a\0b"}, {"id": "half"}])
    parsed = parse_json(body.replace(b"half", b"\\ud800"), NOW)
    request = IngestRequest(Sender("http", "supplier", key), NOW, parsed.events, parsed.rejections)
    (report,) = await commit_requests(databases.ingest, [request], Ledger())
    assert (report.stored, len(report.rejections)) == (1, 2)
    assert (await kept(databases))[0]["id"] == hostile


async def test_the_newest_of_each_key_stay_and_the_last_that_was_taken(databases: Databases, key: UUID) -> None:
    other = await make_key(databases)
    await give(databases, key, cloud_event(id="taken-early"), cloud_event(id="taken"))
    await give(databases, other, cloud_event(id="others"))
    await execute(
        databases,
        "INSERT INTO recent_event (account_id, key_id, origin, outcome, id, content_hash, meters, received_at)"
        f" SELECT 0, '{key}', 'http', 'rejected', n::text, gen_random_uuid(), '{{}}', now()"
        f" FROM generate_series(1, {KEPT + 50}) AS n",
    )

    async with databases.worker.transaction(operator_scope()) as tx:
        assert await prune_recent_events(tx) == 51
        assert await prune_recent_events(tx) == 0

    found = await kept(databases)
    assert [row["id"] for row in found if row["key_id"] == key] == ["taken", *(str(n) for n in range(51, KEPT + 51))]
    assert [row["id"] for row in found if row["key_id"] == other] == ["others"]


async def test_fewer_than_are_kept_all_stay(databases: Databases, key: UUID) -> None:
    await give(databases, key, *(cloud_event() for _ in range(5)))
    async with databases.worker.transaction(operator_scope()) as tx:
        assert await prune_recent_events(tx) == 0


def test_what_is_kept_is_more_than_is_written_at_once() -> None:
    assert recent_events.KEPT >= 4 * recent_events.MOST
