"""Users whom group calls have put into an account: calls of theirs that name none go there.

As Segment has it, a user stays in the group until a later group call. So the account of a call at a time is that of the
user's last group call at or before it, by the times of the calls and not by the order in which they came; before the
first group call, that of the first. It is told when a call is first taken, from the group calls that are known by then,
and stays: one that arrives later moves nothing.

Users are known by what their sender's provider calls them. A key that is limited to accounts knows no other groups.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any, Final
from uuid import UUID

import asyncpg
import msgspec

from valueplatform.telemetry.admission import refused_event
from valueplatform.telemetry.event import Effect, Event, Rejection
from valueplatform.telemetry.payload import RefusedEventError
from valueplatform.telemetry.profiles import Profile, member_of
from valueplatform.telemetry.requests import IngestRequest, Sender

ORIGINS: Final = frozenset({"segment"})
"""Ways in whose calls may name no account."""
NOWHERE: Final = " "
"""What stands for the account that is not known yet. Bodies are compared by it: wherever a call is placed, sent again
it is the same."""

_NEAREST: Final = """
    SELECT place, since, event_key, key
    FROM unnest($1::int[], $2::uuid[], $3::timestamptz[]) AS wanted (place, member, at)
    CROSS JOIN LATERAL (
        (SELECT account_id, since, event_key FROM group_member AS g
         WHERE g.member = wanted.member AND since <= at AND ($4::bigint[] IS NULL OR account_id = ANY($4))
         ORDER BY since DESC, event_key DESC LIMIT 1)
        UNION ALL
        (SELECT account_id, since, event_key FROM group_member AS g
         WHERE g.member = wanted.member AND since > at AND ($4::bigint[] IS NULL OR account_id = ANY($4))
         ORDER BY since, event_key LIMIT 1)
    ) AS nearest JOIN account USING (account_id)
"""
_TAKEN: Final = "SELECT event_key FROM event_key WHERE event_key = ANY($1::uuid[])"
_ACCOUNTS: Final = "SELECT key, account_id FROM account WHERE key = ANY($1::text[])"


class Unplaced(Effect, frozen=True):
    """An event of a person whose account is to be found; `then` is what the event does once it is."""

    then: Effect | None


class _Call(msgspec.Struct, frozen=True, order=True):
    """A group call; the greatest at or before a time counts."""

    since: datetime
    event_key: UUID
    account: str


class _Joining(msgspec.Struct, frozen=True):
    """A group call that comes in the same transaction. `account_id` None: the account is new."""

    member: UUID
    call: _Call
    account_id: int | None


def missing_account() -> RefusedEventError:
    return RefusedEventError(
        "missing_account",
        "The event names no account, and no group call says where its user belongs; "
        "set context.groupId to the key of the account.",
    )


async def placed(connection: "asyncpg.Connection[Any]", requests: Sequence[IngestRequest]) -> Sequence[IngestRequest]:
    """The requests with each event in an account, or refused; the same requests where nothing is to be placed."""
    waiting = [any(_waits(event) for event in _events(request)) for request in requests]
    if not any(waiting):
        return requests
    joining = await _joining(connection, requests)
    return [
        await _placed(connection, request, joining) if waits else request
        for request, waits in zip(requests, waiting, strict=True)
    ]


def _waits(event: Event) -> bool:
    return type(event.effect) is Unplaced


def _events(request: IngestRequest) -> Iterable[Event]:
    return request.events if request.sender.origin in ORIGINS else ()


async def _joining(connection: "asyncpg.Connection[Any]", requests: Sequence[IngestRequest]) -> list[_Joining]:
    """New group calls of these requests, which are not in the table yet. A repeated one says nothing."""
    calls: dict[UUID, tuple[Sender, Event, str]] = {}
    for request in requests:
        for event in _events(request):
            effect = event.effect
            if isinstance(effect, Profile) and effect.joins is not None:
                calls.setdefault(event.key, (request.sender, event, effect.joins))
    if not calls:
        return []
    taken = {row["event_key"] for row in await connection.fetch(_TAKEN, list(calls))}
    keys = {event.account for _, event, _ in calls.values()}
    ids = {row["key"]: row["account_id"] for row in await connection.fetch(_ACCOUNTS, list(keys))}
    return [
        _Joining(
            member_of(event.provider or sender.provider, joins),
            _Call(event.time, event.key, event.account),
            ids.get(event.account),
        )
        for sender, event, joins in calls.values()
        if event.key not in taken and _may_join(sender, ids.get(event.account))
    ]


def _may_join(sender: Sender, account_id: int | None) -> bool:
    return sender.account_ids is None or account_id in sender.account_ids


async def _placed(
    connection: "asyncpg.Connection[Any]", request: IngestRequest, joining: Sequence[_Joining]
) -> IngestRequest:
    sender = request.sender
    wanted = {
        place: member_of(event.provider or sender.provider, event.subject or "")
        for place, event in enumerate(request.events)
        if _waits(event)
    }
    allowed = None if sender.account_ids is None else sorted(sender.account_ids)
    times = [request.events[place].time for place in wanted]
    rows = await connection.fetch(_NEAREST, list(wanted), list(wanted.values()), times, allowed)
    known: dict[int, list[_Call]] = {place: [] for place in wanted}
    for row in rows:
        known[row["place"]].append(_Call(row["since"], row["event_key"], row["key"]))
    for place, member in wanted.items():
        known[place] += [one.call for one in joining if one.member == member and _may_join(sender, one.account_id)]
    events: list[Event] = []
    refused: list[Rejection] = []
    for place, event in enumerate(request.events):
        if place not in wanted:
            events.append(event)
        elif found := _nearest(known[place], event.time):
            events.append(_in_account(event, found.account))
        else:
            refusal = refused_event(event, missing_account())
            refused.append(msgspec.structs.replace(refusal, account=None))
    return msgspec.structs.replace(
        request, events=events, rejections=sorted([*request.rejections, *refused], key=attrgetter("index"))
    )


def _nearest(calls: Sequence[_Call], time: datetime) -> _Call | None:
    """The last at or before the time, else the first after it."""
    before = [call for call in calls if call.since <= time]
    return max(before) if before else min(calls, default=None)


def _in_account(event: Event, account: str) -> Event:
    effect = event.effect.then if isinstance(event.effect, Unplaced) else event.effect
    return msgspec.structs.replace(event, account=account, effect=effect)
