import asyncio
from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import Databases
from tests.telemetry.factories import NOW, apply_meters, make_account, recounted, rows, scalar, stored_rollups
from tests.telemetry.test_profiles import SEGMENT, request_of
from valueplatform.core.scope import no_accounts
from valueplatform.telemetry.dialects import replayed
from valueplatform.telemetry.event import event_key
from valueplatform.telemetry.group_commit import commit_requests
from valueplatform.telemetry.groups import _Call, _nearest
from valueplatform.telemetry.otlp_accounts import DEFAULT_SECTION
from valueplatform.telemetry.requests import IngestRequest, Report, Sender
from valueplatform.telemetry.retraction import retract
from valueplatform.telemetry.storing import Ledger
from valueplatform.value.verify import verify_intake

NOW_KEY = event_key("segment", "g")


def at(hour: int) -> str:
    return f"2026-05-04T{hour:02}:00:00Z"


def group(message_id: str, account: str, hour: int, **more: Any) -> dict[str, Any]:
    return {
        "type": "group",
        "messageId": message_id,
        "userId": "kim",
        "groupId": account,
        "timestamp": at(hour),
        **more,
    }


def track(message_id: str, hour: int, **more: Any) -> dict[str, Any]:
    event = {"type": "track", "messageId": message_id, "userId": "kim", "event": "job.done", "timestamp": at(hour)}
    return {**event, "properties": {"minutes": 5}, **more}


async def send(databases: Databases, *messages: object, sender: Sender = SEGMENT) -> Report:
    (report,) = await commit_requests(databases.ingest, [request_of(messages, sender)], Ledger())
    return report


async def places(databases: Databases) -> dict[str, str]:
    """Where each track call is."""
    found = await rows(databases, "SELECT id, key FROM event JOIN account USING (account_id) WHERE type = 'job.done'")
    return {row["id"]: row["key"] for row in found}


def counts(report: Report) -> tuple[int, int, int, list[str]]:
    return report.stored, report.duplicates, report.conflicts, [one.code for one in report.rejections]


async def test_a_call_without_a_group_goes_to_the_account_that_its_user_was_put_into(databases: Databases) -> None:
    await send(databases, group("g", "acme", 8))
    assert counts(await send(databases, track("1", 9), track("2", 10, userId="pat"))) == (1, 0, 0, ["missing_account"])
    assert await places(databases) == {"1": "acme"}


async def test_what_a_call_names_itself_comes_first(databases: Databases) -> None:
    await send(databases, group("g", "acme", 8), track("1", 9, context={"groupId": "other"}), track("2", 9))
    assert await places(databases) == {"1": "other", "2": "acme"}


async def test_one_request_may_hold_both_in_any_order(databases: Databases) -> None:
    assert counts(await send(databases, track("1", 9), group("g", "acme", 8), track("2", 10))) == (3, 0, 0, [])
    assert await places(databases) == {"1": "acme", "2": "acme"}


async def test_the_times_of_calls_decide_and_not_the_order_in_which_they_come(databases: Databases) -> None:
    calls = [
        group("a", "acme", 8),
        group("b", "beta", 12),
        track("1", 7),
        track("2", 8),
        track("3", 11),
        track("4", 12),
    ]
    await send(databases, *calls)
    expected = {"1": "acme", "2": "acme", "3": "acme", "4": "beta"}
    assert await places(databases) == expected
    await send(databases, track("5", 10), track("6", 13), group("c", "gamma", 10), track("7", 6))
    assert await places(databases) == {**expected, "5": "gamma", "6": "beta", "7": "acme"}


async def test_a_group_call_that_comes_late_moves_nothing_that_is_stored(databases: Databases) -> None:
    await send(databases, group("a", "acme", 8), track("1", 11))
    await send(databases, group("b", "beta", 10), track("2", 11))
    assert await places(databases) == {"1": "acme", "2": "beta"}


async def test_a_retry_is_the_same_event_wherever_its_user_is_by_then(databases: Databases) -> None:
    await send(databases, group("a", "acme", 8), track("1", 11))
    again = await send(databases, group("b", "beta", 10), track("1", 11), group("a", "acme", 8))
    assert counts(again) == (1, 2, 0, [])
    assert await places(databases) == {"1": "acme"}
    assert counts(await send(databases, track("1", 11, context={"groupId": "beta"}))) == (0, 0, 1, [])


async def test_pages_and_people_go_along(databases: Databases) -> None:
    person = {"type": "identify", "messageId": "i", "userId": "kim", "traits": {"email": "kim@acme.example"}}
    await send(databases, group("g", "acme", 8), {"type": "page", "messageId": "p", "userId": "kim"}, person)
    assert await scalar(databases, "SELECT email FROM person JOIN account USING (account_id) WHERE key = 'acme'")
    assert await scalar(databases, "SELECT count(*) FROM event") == 3


async def test_a_visitor_without_a_name_is_remembered_too_and_is_nobody_else(databases: Databases) -> None:
    nobody = {"userId": None, "anonymousId": "a-1"}
    await send(databases, group("g", "acme", 8, **nobody))
    sent = await send(databases, track("1", 9, **nobody), track("2", 9, anonymousId="a-1"))
    assert counts(sent) == (1, 0, 0, ["missing_account"])
    assert await places(databases) == {"1": "acme"}


async def test_the_longest_name_of_a_user_can_be_remembered(databases: Databases) -> None:
    long = {"userId": "\N{PILE OF POO}" * 1024}
    assert counts(await send(databases, group("g", "acme", 8, **long), track("1", 9, **long))) == (2, 0, 0, [])


async def test_a_key_places_within_its_accounts_and_knows_no_other_groups(databases: Databases) -> None:
    acme, beta = await make_account(databases, "acme"), await make_account(databases, "beta")
    only = Sender("segment", "supplier", account_ids=frozenset({acme}))
    await send(databases, group("b", "beta", 9))
    assert counts(await send(databases, track("1", 10), sender=only)) == (0, 0, 0, ["missing_account"])
    own = await send(databases, group("x", "beta", 9), group("a", "acme", 8), track("2", 10), sender=only)
    assert counts(own) == (2, 0, 0, ["unknown_account"])
    assert await places(databases) == {"2": "acme"}
    assert await scalar(databases, "SELECT account_id FROM rejected_event WHERE code = 'missing_account'") == 0
    assert beta


async def test_a_limited_key_creates_no_account_by_a_group_call(databases: Databases) -> None:
    limited = Sender("segment", "supplier", account_ids=frozenset())
    sent = await send(databases, group("a", "new", 8), track("1", 9), sender=limited)
    assert counts(sent) == (0, 0, 0, ["missing_account", "unknown_account"])
    assert await scalar(databases, "SELECT count(*) FROM account WHERE key = 'new'") == 0


async def test_a_user_of_another_provider_is_another_person(databases: Databases) -> None:
    await send(databases, group("g", "acme", 8))
    partner = await send(databases, track("1", 9), sender=Sender("segment", "tessera"))
    assert counts(partner) == (0, 0, 0, ["missing_account"])


async def test_conflicts_and_refused_calls_put_nobody_anywhere(databases: Databases) -> None:
    await send(databases, group("g", "acme", 8, userId="pat"))
    late = {**group("f", "acme", 8), "timestamp": "2027-01-01T00:00:00Z"}
    sent = await send(databases, group("g", "acme", 8), late, track("1", 9))
    assert counts(sent) == (0, 0, 1, ["time_in_future", "missing_account"])
    assert await scalar(databases, "SELECT count(*) FROM group_member") == 1


async def test_what_was_rejected_is_placed_when_it_is_replayed_after_the_group_call(databases: Databases) -> None:
    await send(databases, track("1", 9))
    kept = "SELECT rejected_id, body, received_at, replayed_at FROM rejected_event"

    async def replay() -> Report:
        (event,) = await rows(databases, kept)
        parsed = replayed("segment", event["body"], event["received_at"], NOW, DEFAULT_SECTION)
        request = IngestRequest(SEGMENT, NOW, parsed.events, parsed.rejections, replayed=event["rejected_id"])
        (report,) = await commit_requests(databases.ingest, [request], Ledger())
        return report

    assert counts(await replay()) == (0, 0, 0, ["missing_account"])
    await send(databases, group("g", "acme", 8))
    assert counts(await replay()) == (1, 0, 0, [])
    assert await places(databases) == {"1": "acme"}
    assert counts(await replay()) == (0, 1, 0, [])
    assert counts(await send(databases, track("1", 9))) == (0, 1, 0, [])
    assert (await rows(databases, kept))[0]["replayed_at"] == NOW


async def test_a_group_call_that_is_taken_back_puts_nobody_anywhere(databases: Databases) -> None:
    await send(databases, group("a", "acme", 8), group("b", "beta", 9))
    async with databases.ingest.transaction(no_accounts()) as tx:
        await retract(tx, SEGMENT, "segment", "b")
    await send(databases, track("1", 10))
    assert await places(databases) == {"1": "acme"}


async def test_what_is_placed_is_metered_and_counted_as_all_else(databases: Databases) -> None:
    await apply_meters(databases)
    calls = [group(f"g{n}", f"account-{n % 3}", n + 1, userId=f"u{n % 5}") for n in range(9)]
    used = [track(f"t{n}", n % 20, userId=f"u{n % 6}") for n in range(40)]
    await send(databases, *calls[:5], *used[:20])
    await asyncio.gather(*(send(databases, *part) for part in (used[10:30], calls[3:], used[20:])))
    await send(databases, *used)
    assert await stored_rollups(databases) == await recounted(databases)
    async with databases.ingest.transaction(no_accounts(), steady=True) as tx:
        assert await verify_intake(tx) == []
    assert len(await places(databases)) == 34  # the sixth user is nowhere


@given(st.lists(st.integers(0, 20), unique=True), st.integers(0, 20))
def test_the_nearest_call_is_the_last_before_else_the_first_after(hours: list[int], hour: int) -> None:
    def call(each: int) -> _Call:
        return _Call(NOW.replace(hour=each), NOW_KEY, str(each))

    found = _nearest([call(each) for each in hours], NOW.replace(hour=hour))
    before: Sequence[int] = [each for each in hours if each <= hour]
    expected = max(before) if before else min(hours, default=None)
    assert (None if found is None else int(found.account)) == expected
