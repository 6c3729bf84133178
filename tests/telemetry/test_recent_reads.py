"""The last events of a key as they are shown."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from tests.conftest import Databases
from tests.telemetry.factories import METERS, NOW, apply_meters, cloud_event, make_account, request_of, send
from valueplatform.core.authorization import KeyKind, accounts_or_all, operator_scope
from valueplatform.core.errors import NotFoundError
from valueplatform.core.keys import KeyGrant, create_key, revoke_key
from valueplatform.telemetry.group_commit import commit_requests
from valueplatform.telemetry.recent_reads import (
    LONGEST_SHOWN,
    IngestKey,
    RecentEvent,
    ingest_key,
    ingest_keys,
    recent_counts,
    recent_events,
    recent_mark,
)
from valueplatform.telemetry.requests import Outcome, Sender
from valueplatform.telemetry.retraction import retract
from valueplatform.telemetry.storing import Ledger


async def make_key(databases: Databases, name: str = "app", **grant: object) -> Sender:
    async with databases.worker.transaction(operator_scope()) as tx:
        made = await create_key(tx, KeyGrant(KeyKind.INGEST, name, **grant))  # type: ignore[arg-type]  # given by name
    return Sender("http", "supplier", made.key_id)


@pytest.fixture
async def sender(databases: Databases) -> Sender:
    return await make_key(databases)


def key_of(sender: Sender) -> UUID:
    assert sender.key_id is not None
    return sender.key_id


async def read(
    databases: Databases, sender: Sender, scope: list[int] | None = None, **more: object
) -> list[RecentEvent]:
    async with databases.web.transaction(accounts_or_all(scope)) as tx:
        return await recent_events(tx, key_of(sender), **{"limit": 50, **more})  # type: ignore[arg-type]  # given by name


async def keys(databases: Databases, scope: list[int] | None = None) -> list[IngestKey]:
    async with databases.web.transaction(accounts_or_all(scope)) as tx:
        return await ingest_keys(tx)


async def test_the_newest_comes_first_with_all_that_is_kept_of_it(databases: Databases, sender: Sender) -> None:
    await apply_meters(databases, METERS)
    event = cloud_event(id="1", subject="kim")
    await send(databases, event, sender=sender)
    await send(databases, event, event | {"data": {"n": 1}}, cloud_event(id="2", type=None), sender=sender)

    rejected, conflict, duplicate, stored = await read(databases, sender)

    assert (stored.outcome, stored.account, stored.subject, stored.at_hand) == (Outcome.STORED, "acme", "kim", True)
    assert set(stored.meters) == {"jobs", "minutes", "users"}
    assert '"minutes": 5' in (stored.data or "")
    assert (duplicate.outcome, duplicate.at_hand) == (Outcome.DUPLICATE, True)
    assert (conflict.outcome, conflict.data) == (Outcome.CONFLICT, None)
    assert '"n": 1' in (conflict.body or "")
    assert (rejected.outcome, rejected.code, rejected.account) == (Outcome.REJECTED, "missing_type", "acme")
    assert rejected.rejected_id is not None
    assert '"id":"2"' in (rejected.body or "")


async def test_what_is_retracted_is_gone_from_here_too(databases: Databases, sender: Sender) -> None:
    await send(databases, cloud_event(id="1", subject="kim"), sender=sender)
    async with databases.ingest.transaction(accounts_or_all([])) as tx:
        await retract(tx, sender, "/app", "1")
    (event,) = await read(databases, sender)
    assert (event.at_hand, event.subject, event.data) == (False, None, None)
    assert event.id == "1"


async def test_pages_follow_each_other_and_filters_count_what_they_list(databases: Databases, sender: Sender) -> None:
    for second in range(3):
        batch = [cloud_event(id=f"{second}-{n}") for n in range(4)] + [cloud_event(id=f"bad-{second}", time="soon")]
        await send(databases, *batch, sender=sender, now=NOW + timedelta(seconds=second))
    first = await read(databases, sender, limit=6)
    rest = await read(databases, sender, before=first[-1].recent_id)
    assert len({event.recent_id for event in [*first, *rest]}) == 15
    async with databases.web.transaction(accounts_or_all(None)) as tx:
        counts = await recent_counts(tx, key_of(sender))
    assert counts == {Outcome.STORED: 12, Outcome.DUPLICATE: 0, Outcome.CONFLICT: 0, Outcome.REJECTED: 3}
    assert {event.id for event in await read(databases, sender, outcome=Outcome.REJECTED)} == {
        "bad-0",
        "bad-1",
        "bad-2",
    }


async def test_another_account_s_events_are_not_there(databases: Databases, sender: Sender) -> None:
    acme, globex = await make_account(databases, "acme"), await make_account(databases, "globex")
    await send(
        databases, cloud_event(account="acme"), cloud_event(account="globex"), cloud_event(time=1), sender=sender
    )
    assert [event.account for event in await read(databases, sender, [acme])] == ["acme"] * 2
    assert [event.account for event in await read(databases, sender, [globex])] == ["globex"]
    assert await read(databases, sender, []) == []
    assert len(await read(databases, sender)) == 3


async def test_a_key_waits_until_something_of_it_was_taken(databases: Databases, sender: Sender) -> None:
    (key,) = await keys(databases)
    assert (key.last_at, key.taken_at) == (None, None)
    await send(databases, cloud_event(time="soon"), sender=sender)
    (key,) = await keys(databases)
    assert (key.last_at, key.last_outcome, key.taken_at) == (NOW, Outcome.REJECTED, None)
    await send(databases, cloud_event(), sender=sender, now=NOW + timedelta(seconds=3))
    (key,) = await keys(databases)
    assert (key.last_outcome, key.taken_at) == (Outcome.STORED, NOW + timedelta(seconds=3))


async def test_keys_of_accounts_out_of_scope_are_as_keys_that_are_not_there(databases: Databases) -> None:
    acme, globex = await make_account(databases, "acme"), await make_account(databases, "globex")
    every = await make_key(databases, "every")
    limited = await make_key(databases, "limited", account_ids=[acme, globex], sources=["/app"])
    async with databases.worker.transaction(operator_scope()) as tx:
        await revoke_key(tx, key_of(every), lambda: NOW)
        await create_key(tx, KeyGrant(KeyKind.ADMIN, "no ingest key"))

    assert [(key.name, key.accounts) for key in await keys(databases)] == [
        ("limited", ["acme", "globex"]),
        ("every", None),
    ]
    assert [(key.name, key.accounts) for key in await keys(databases, [acme])] == [
        ("limited", ["acme"]),
        ("every", None),
    ]
    other = await make_account(databases, "other")
    assert [key.name for key in await keys(databases, [other])] == ["every"]
    async with databases.web.transaction(accounts_or_all([other])) as tx:
        for unknown in (key_of(limited), uuid4()):
            with pytest.raises(NotFoundError, match="There is no ingest key"):
                await ingest_key(tx, unknown)


async def test_the_mark_changes_with_a_row_that_is_not_the_newest(databases: Databases, sender: Sender) -> None:
    """As where a transaction commits after one that began later: its numbers are the lower ones."""

    async def mark() -> str:
        async with databases.web.transaction(accounts_or_all(None)) as tx:
            return await recent_mark(tx, key_of(sender))

    assert await mark() == ""
    await send(databases, cloud_event(id="late"), sender=sender)
    await send(databases, cloud_event(id="first"), sender=sender)
    both = await mark()
    async with databases.admin.transaction(operator_scope()) as tx:
        connection = await tx.driver()
        await connection.execute("UPDATE recent_event SET key_id = gen_random_uuid() WHERE id = 'late'")
    assert await mark() != both


async def test_a_long_body_is_cut(databases: Databases, sender: Sender) -> None:
    await send(databases, cloud_event(time="soon", data={"x": "y" * 10_000}), sender=sender)
    (event,) = await read(databases, sender)
    assert len(event.body or "") == LONGEST_SHOWN


async def test_a_replayed_event_says_so(databases: Databases, sender: Sender) -> None:
    await send(databases, cloud_event(id="1", time="soon"), sender=sender)
    (event,) = await read(databases, sender)
    good = request_of([cloud_event(id="1")], sender, replayed=event.rejected_id)
    await commit_requests(databases.ingest, [good], Ledger())
    stored, rejected = await read(databases, sender)
    assert stored.outcome is Outcome.STORED
    assert rejected.replayed_at == NOW
