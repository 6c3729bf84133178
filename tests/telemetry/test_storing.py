"""Exactly once, first received wins, and all of it in one transaction."""

import asyncio
import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from tests.conftest import Databases
from tests.telemetry.factories import (
    METERS,
    NOW,
    apply_meters,
    cloud_event,
    execute,
    make_account,
    recounted,
    request_of,
    rows,
    scalar,
    send,
    stored_rollups,
    until_someone_waits,
)
from valueplatform.core.authorization import operator_scope
from valueplatform.core.database import lock_model_exclusive
from valueplatform.core.scope import no_accounts
from valueplatform.telemetry.group_commit import commit_requests
from valueplatform.telemetry.requests import NotAllTakenError, Report, Sender
from valueplatform.telemetry.storing import Ledger, store


def counts(report: Report) -> tuple[int, int, int, int, int]:
    return (report.received, report.stored, report.duplicates, report.conflicts, len(report.rejections))


async def test_an_event_is_stored_whole(databases: Databases) -> None:
    report = await send(databases, cloud_event(id="1", subject="kim", data={"n": 12.50, "big": 10**20}))
    assert counts(report) == (1, 1, 0, 0, 0)
    (stored,) = await rows(
        databases, "SELECT event.*, key, data::text AS data FROM event JOIN account USING (account_id)"
    )
    assert (stored["source"], stored["id"], stored["type"], stored["key"]) == ("/app", "1", "job.done", "acme")
    assert (stored["subject"], stored["provider"]) == ("kim", "supplier")
    assert (stored["time"], stored["received_at"]) == (datetime(2026, 6, 1, 10, tzinfo=UTC), NOW)
    assert stored["data"] == '{"n": 12.5, "big": 100000000000000000000}'


async def test_a_duplicate_is_counted_once_within_and_across_requests(databases: Databases) -> None:
    await apply_meters(databases)
    event = cloud_event(id="1")
    assert counts(await send(databases, event, event, event)) == (3, 1, 2, 0, 0)
    assert counts(await send(databases, event)) == (1, 0, 1, 0, 0)
    assert await scalar(databases, "SELECT sum(events) FROM rollup WHERE meter = 'jobs'") == 1
    assert await scalar(databases, "SELECT count(*) FROM changed_day") == 1


async def test_the_same_body_in_another_spelling_is_a_duplicate(databases: Databases) -> None:
    await send(databases, cloud_event(id="1", time="2026-06-01T10:00:00Z", data={"a": 199, "b": [1.5]}))
    again = cloud_event(
        id="1", time="2026-06-01T12:00:00.000+02:00", data={"b": [1.50], "a": 199.0}, datacontenttype="x"
    )
    assert counts(await send(databases, again, now=NOW + timedelta(days=3))) == (1, 0, 1, 0, 0)


async def test_another_body_under_a_taken_key_is_kept_as_a_conflict_of_its_sender(databases: Databases) -> None:
    await apply_meters(databases)
    first, second = cloud_event(id="1"), cloud_event(id="1", account="other", data={"minutes": 9})
    report = await send(databases, first, second, first, second)
    assert counts(report) == (4, 1, 1, 2, 0)
    assert counts(await send(databases, second)) == (1, 0, 0, 1, 0)
    (conflict,) = await rows(databases, "SELECT key, id, body FROM event_conflict JOIN account USING (account_id)")
    assert (conflict["key"], conflict["id"], conflict["body"]["data"]) == ("other", "1", {"minutes": 9})
    assert await scalar(databases, "SELECT sum(total) FROM rollup WHERE meter = 'minutes'") == 5
    assert await rows(databases, "SELECT 1 FROM rollup JOIN account USING (account_id) WHERE key = 'other'") == []


async def test_first_received_wins_across_the_requests_of_a_group(databases: Databases) -> None:
    requests = [request_of([cloud_event(id="1", data={"minutes": number})]) for number in (1, 2, 3)]
    reports = await commit_requests(databases.ingest, requests, Ledger())
    assert [counts(report)[1:4] for report in reports] == [(1, 0, 0), (0, 0, 1), (0, 0, 1)]
    assert await scalar(databases, "SELECT data ->> 'minutes' FROM event") == "1"


async def test_one_id_of_two_sources_is_two_events(databases: Databases) -> None:
    assert counts(await send(databases, cloud_event(id="1", source="a"), cloud_event(id="1", source="b")))[1] == 2


async def test_an_unknown_account_is_made_with_the_suppliers_zone_and_currency(databases: Databases) -> None:
    await apply_meters(databases, timezone="Asia/Tokyo", currency="JPY")
    await send(databases, cloud_event(account="注文 株式会社"))
    (made,) = await rows(databases, "SELECT * FROM account JOIN account_currency USING (account_id)")
    assert (made["key"], made["name"], made["timezone"]) == ("注文 株式会社", "注文 株式会社", "Asia/Tokyo")
    assert (made["currency"], made["effective_from"]) == ("JPY", date(1, 1, 1))


@pytest.mark.parametrize(
    ("time", "day"),
    [
        ("2026-03-08T04:59:59Z", date(2026, 3, 7)),
        ("2026-03-08T05:00:00Z", date(2026, 3, 8)),
        ("2026-03-09T03:59:59Z", date(2026, 3, 8)),  # the day of 23 hours ends an hour early
        ("2026-03-09T04:00:00Z", date(2026, 3, 9)),
        ("2025-11-02T03:59:59Z", date(2025, 11, 1)),
        ("2025-11-02T04:00:00Z", date(2025, 11, 2)),
        ("2025-11-03T04:59:59Z", date(2025, 11, 2)),  # the day of 25 hours
        ("2025-11-03T05:00:00Z", date(2025, 11, 3)),
    ],
)
async def test_a_day_is_the_accounts_own_even_of_23_or_25_hours(databases: Databases, time: str, day: date) -> None:
    await apply_meters(databases)
    await make_account(databases, "acme", "America/New_York")
    await send(databases, cloud_event(time=time))
    assert await scalar(databases, "SELECT utc_day::text FROM event") == time[:10]
    assert await scalar(databases, "SELECT day FROM rollup WHERE meter = 'jobs'") == day
    (mark,) = await rows(databases, "SELECT day, through, cause FROM changed_day")
    assert mark == {"day": day, "through": day, "cause": "events"}


async def test_zero_negative_huge_and_unreadable_numbers_are_each_what_they_are(databases: Databases) -> None:
    await apply_meters(databases)
    values: list[Any] = [0, -5.25, "12.50", 10**18 - 1, 10**18, 1e-10, "many", None, True, [1], "NaN"]
    events = [cloud_event(data={"minutes": value}) for value in values]
    assert counts(await send(databases, *events))[1] == len(values)
    (row,) = await rows(databases, "SELECT events, total, unmetered FROM rollup WHERE meter = 'minutes'")
    assert (row["events"], row["unmetered"]) == (len(values), 7)
    assert row["total"] == Decimal("7.25") + 10**18 - 1
    reasons = await rows(databases, "SELECT code, events FROM rollup_unmetered WHERE meter = 'minutes' ORDER BY code")
    assert sum(row["events"] for row in reasons) == 7
    assert {"missing_property", "not_a_number", "number_out_of_range"} <= {row["code"] for row in reasons}


async def test_sums_of_the_largest_numbers_are_exact(databases: Databases) -> None:
    await apply_meters(databases)
    largest = "999999999999999999.999999999"
    await send(databases, *[cloud_event(data={"minutes": largest}) for _ in range(1000)])
    await send(databases, cloud_event(data={"minutes": "0.000000001"}))
    total = await scalar(databases, "SELECT total FROM rollup WHERE meter = 'minutes'")
    assert total == Decimal("999999999999999999999.999999001")


async def test_an_event_of_any_age_is_taken_onto_its_own_day(databases: Databases) -> None:
    await apply_meters(databases)
    await send(databases, cloud_event(time="2025-04-27T10:00:00Z"), cloud_event(time="1999-12-31T23:59:59.999999Z"))
    assert {row["day"] for row in await rows(databases, "SELECT day FROM rollup WHERE meter = 'jobs'")} == {
        date(2025, 4, 27),
        date(1999, 12, 31),
    }


async def test_an_event_that_no_meter_counts_is_stored_and_marked_all_the_same(databases: Databases) -> None:
    await apply_meters(databases)
    await send(databases, cloud_event(type="other"), cloud_event(data={"channel": "test"}))
    assert await scalar(databases, "SELECT count(*) FROM event") == 2
    assert await rows(databases, "SELECT 1 FROM rollup WHERE meter = 'jobs'") == []
    assert await scalar(databases, "SELECT count(*) FROM changed_day") == 1


async def test_a_member_is_kept_once_however_many_events_name_it(databases: Databases) -> None:
    await apply_meters(databases)
    await send(databases, *[cloud_event(data={"user": user, "team": "a"}) for user in ("kim", "lee", "kim")])
    await send(databases, cloud_event(data={"user": "kim", "team": "a"}))
    _, members = await stored_rollups(databases)
    assert sorted(place[-1] for place in members) == ["kim", "lee"]


async def test_dimension_values_of_any_text_are_told_apart(databases: Databases) -> None:
    await apply_meters(databases)
    teams: list[Any] = [
        "",
        "NULL",
        "null",
        None,
        'a"b',
        "a\\b",
        "{a,b}",
        "a,b",
        " ",
        "é",
        "e\u0301",
        "🌎",
        1,
        True,
        {"x": 1},
    ]
    await send(databases, *[cloud_event(data={"team": team, "channel": "app"}) for team in teams])
    found = await rows(databases, "SELECT dimensions[1] AS team, events FROM rollup WHERE meter = 'jobs'")
    expected: dict[str | None, int] = {team: 1 for team in teams if isinstance(team, str)}
    expected |= {None: 2, "1": 1, "true": 1}
    assert {row["team"]: row["events"] for row in found} == expected


async def test_a_new_revision_of_the_model_counts_from_the_next_request_on(databases: Databases) -> None:
    ledger = Ledger()
    await commit_requests(databases.ingest, [request_of([cloud_event()])], ledger)
    assert await scalar(databases, "SELECT count(*) FROM rollup") == 0
    await apply_meters(databases)
    await commit_requests(databases.ingest, [request_of([cloud_event()])], ledger)
    assert await scalar(databases, "SELECT sum(events) FROM rollup WHERE meter = 'jobs'") == 1
    await apply_meters(databases, METERS[1:])
    await commit_requests(databases.ingest, [request_of([cloud_event()])], ledger)
    assert await scalar(databases, "SELECT sum(events) FROM rollup WHERE meter = 'jobs'") == 1


async def test_ingest_waits_for_whoever_changes_the_model(databases: Databases) -> None:
    waiting = text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
    async with databases.worker.transaction(operator_scope()) as tx:
        await lock_model_exclusive(tx)
        sending = asyncio.create_task(send(databases, cloud_event()))
        async with asyncio.timeout(20):
            while not await tx.scalar(waiting):
                assert not sending.done()
    assert counts(await sending) == (1, 1, 0, 0, 0)


async def test_a_key_limited_to_accounts_makes_none_and_sees_no_other(databases: Databases) -> None:
    acme = await make_account(databases, "acme")
    await make_account(databases, "other")
    sender = Sender("http", "supplier", account_ids=frozenset({acme}))
    report = await send(databases, *[cloud_event(account=key) for key in ("acme", "other", "new")], sender=sender)
    assert counts(report) == (3, 1, 0, 0, 2)
    assert {rejection.code for rejection in report.rejections} == {"unknown_account"}
    assert await scalar(databases, "SELECT count(*) FROM account") == 2
    assert {row["account_id"] for row in await rows(databases, "SELECT account_id FROM rejected_event")} == {0}


async def test_a_key_limited_to_sources_writes_only_those(databases: Databases) -> None:
    sender = Sender("http", "supplier", sources=frozenset({"/app"}))
    report = await send(databases, cloud_event(), cloud_event(source="/other", account="new"), sender=sender)
    assert counts(report) == (2, 1, 0, 0, 1)
    assert (report.rejections[0].code, report.rejections[0].index) == ("source_not_allowed", 1)
    assert await scalar(databases, "SELECT count(*) FROM account") == 1  # nothing is made for what is refused


async def test_a_partners_key_writes_its_own_events_only(databases: Databases) -> None:
    partner = Sender("http", "partner-a")
    report = await send(databases, cloud_event(), cloud_event(provider="partner-b"), sender=partner)
    assert [rejection.code for rejection in report.rejections] == ["provider_not_allowed"]
    await send(databases, cloud_event(provider="partner-c"))
    found = await rows(databases, "SELECT provider FROM event ORDER BY provider")
    assert [row["provider"] for row in found] == ["partner-a", "partner-c"]


async def test_rejected_events_are_kept_once_under_the_account_they_name(databases: Databases) -> None:
    acme = await make_account(databases, "acme")
    bad = cloud_event(id="1", time="yesterday")
    for _ in range(3):
        assert counts(await send(databases, bad, cloud_event(id="2"))) in {(2, 1, 0, 0, 1), (2, 0, 1, 0, 1)}
    (kept,) = await rows(databases, "SELECT * FROM rejected_event")
    assert (kept["account_id"], kept["id"], kept["code"], kept["origin"]) == (acme, "1", "invalid_time", "http")


async def test_a_strict_request_is_all_or_nothing(databases: Databases) -> None:
    await send(databases, cloud_event(id="1"))
    conflict = cloud_event(id="1", data={})
    for bad in (conflict, cloud_event(time="x")):
        with pytest.raises(NotAllTakenError, match="nothing was stored"):
            await send(databases, cloud_event(id="2", account="new"), bad, strict=True)
    assert await scalar(databases, "SELECT count(*) FROM event") == 1
    assert await scalar(databases, "SELECT count(*) FROM account") == 1
    assert await scalar(databases, "SELECT count(*) FROM rejected_event") == 0
    taken = await send(databases, cloud_event(id="1"), cloud_event(id="2"), strict=True)
    assert counts(taken) == (2, 1, 1, 0, 0)


async def test_the_tally_adds_up(databases: Databases) -> None:
    event = cloud_event(id="1")
    await send(databases, event, event, cloud_event(id="1", type="x"), cloud_event(id=None))
    (tally,) = await rows(databases, "SELECT * FROM ingest_tally")
    names = ("received", "stored", "duplicates", "conflicts", "rejected")
    assert [tally[name] for name in names] == [4, 1, 1, 1, 1]


async def test_without_the_right_to_bypass_row_security_events_go_in_all_the_same(databases: Databases) -> None:
    await apply_meters(databases)
    ledger = Ledger()
    ledger.may_copy = False
    (report,) = await commit_requests(
        databases.ingest, [request_of([cloud_event(), cloud_event(subject="kim")])], ledger
    )
    assert counts(report) == (2, 2, 0, 0, 0)
    assert await stored_rollups(databases) == await recounted(databases)


async def test_the_web_role_sees_nothing_without_scope_and_never_a_key(databases: Databases) -> None:
    await apply_meters(databases)
    await send(databases, cloud_event(id="1"), cloud_event(id="1", type="x"), cloud_event(id=None))
    tables = ("event", "event_conflict", "rejected_event", "rollup", "rollup_member", "changed_day", "account")
    async with databases.web.transaction(no_accounts()) as tx:
        for table in tables:
            assert await tx.scalar(text(f"SELECT count(*) FROM {table}")) == 0
    async with databases.web.transaction(operator_scope()) as tx:
        for table in tables:
            assert await tx.scalar(text(f"SELECT count(*) FROM {table}")) > 0
    with pytest.raises(ProgrammingError, match="permission denied for table event_key"):
        async with databases.web.transaction(operator_scope()) as tx:
            await tx.rows(text("SELECT * FROM event_key"))
    with pytest.raises(ProgrammingError, match="permission denied"):
        async with databases.web.transaction(operator_scope()) as tx:
            await tx.execute(text("DELETE FROM event"))


HOT_TABLES = (
    "event",
    "event_key",
    "event_conflict",
    "rejected_event",
    "rollup",
    "rollup_member",
    "rollup_unmetered",
    "ingest_tally",
)
history = st.lists(
    st.fixed_dictionaries(
        {
            "id": st.sampled_from("abcdef"),
            "account": st.sampled_from(["acme", "umbrella", ""]),
            "type": st.sampled_from(["job.done", "login", "other"]),
            "time": st.sampled_from(["2026-03-08T04:59:59Z", "2026-03-08T05:00:00Z", "2025-11-02T05:30:00Z", "bad"]),
            "data": st.fixed_dictionaries(
                {},
                optional={
                    "minutes": st.sampled_from([0, -1, 2.5, "3", "x", None, 10**18]),
                    "team": st.sampled_from(["n", "s", None]),
                    "user": st.sampled_from(["kim", "lee"]),
                    "channel": st.sampled_from(["app", "test"]),
                },
            ),
        }
    ),
    max_size=25,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=history, seed=st.integers(0, 5), cuts=st.lists(st.integers(0, 25), max_size=3))
async def test_any_history_adds_up_and_its_rollups_equal_a_recount(
    databases: Databases, events: list[dict[str, Any]], seed: int, cuts: list[int]
) -> None:
    await execute(databases, f"TRUNCATE {', '.join(HOT_TABLES)}")
    if not await scalar(databases, "SELECT max(revision) FROM model_revision"):
        await apply_meters(databases, timezone="America/New_York")
    random.Random(seed).shuffle(events)
    edges = [0, *sorted(min(cut, len(events)) for cut in cuts), len(events)]
    reports = [await send(databases, *events[start:end]) for start, end in pairwise(edges) if end > start]
    for report in reports:
        received, *parts = counts(report)
        assert received == sum(parts)
    assert sum(report.received for report in reports) == len(events)
    assert sum(report.stored for report in reports) == await scalar(databases, "SELECT count(*) FROM event")
    stored, members = await stored_rollups(databases)
    expected, expected_members = await recounted(databases)
    assert (stored, members) == (expected, expected_members)


async def stored_at_once(databases: Databases, *groups: list[dict[str, Any]]) -> list[Report]:
    """Each group in a transaction of its own, all begun together, as separate processes would."""
    stored = await asyncio.gather(
        *(commit_requests(databases.ingest, [request_of(group)], Ledger()) for group in groups)
    )
    return [report for (report,) in stored]


MANY = [cloud_event(id=str(number), data={"user": f"u{number % 7}"}) for number in range(600)]


async def test_large_groups_tell_new_from_known_and_from_conflicts_too(databases: Databases) -> None:
    await apply_meters(databases)
    await send(databases, *MANY[:100])
    conflicts = [event | {"subject": "other"} for event in MANY[:10]]
    report = await send(databases, *MANY[:400], *conflicts, *MANY[350:], MANY[500] | {"subject": "other"})
    assert counts(report) == (661, 500, 150, 11, 0)
    assert counts(await send(databases, *MANY)) == (600, 0, 600, 0, 0)
    assert await stored_rollups(databases) == await recounted(databases)


async def test_large_groups_that_claim_the_same_keys_at_once_store_each_once(databases: Databases) -> None:
    await apply_meters(databases)
    reports = await stored_at_once(databases, MANY[:400], MANY[::-1], MANY[200:], MANY[300:] + MANY[:300])
    assert sum(report.stored for report in reports) == len(MANY)
    for report in reports:
        received, stored, duplicates, *rest = counts(report)
        assert (received, rest) == (stored + duplicates, [0, 0])
    assert await stored_rollups(databases) == await recounted(databases)


async def test_a_claim_that_comes_between_is_seen_once_it_has_committed(databases: Databases) -> None:
    await apply_meters(databases)
    other = MANY[:1]
    async with databases.ingest.transaction(no_accounts()) as tx:
        await store(tx, [request_of(other)], Ledger())
        behind = asyncio.create_task(send(databases, *MANY))
        await until_someone_waits(databases)
    assert counts(await behind) == (600, 599, 1, 0, 0)
    assert await scalar(databases, "SELECT count(*) FROM event") == len(MANY)
