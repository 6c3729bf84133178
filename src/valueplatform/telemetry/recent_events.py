"""The last events of each key with what became of them, so that whoever connects a product sees what arrives.

Written in the transaction that decides over the events, never in their stead: of each key and outcome, a process writes
at most `MOST` events of a second, the last ones of the group that it has at hand. So a sender that has just begun
finds every event, and one that sends thousands a second pays for a few. Appended only, since a row that every group
updates would make writers wait for each other; the worker keeps the newest `KEPT` of each key, and the newest that was
taken.

A row holds no data, no subject and no body: those are read where they are kept, so that what is retracted is gone.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from heapq import nlargest
from typing import Any, Final
from uuid import UUID

import asyncpg
import msgspec
from sqlalchemy import text

from valueplatform.core.database import Transaction
from valueplatform.telemetry.admission import Admitted, Entry
from valueplatform.telemetry.event import Rejection
from valueplatform.telemetry.meter_book import Reading
from valueplatform.telemetry.meters import Data
from valueplatform.telemetry.rejections import content_hash, home_of
from valueplatform.telemetry.requests import IngestRequest, Outcome

MOST: Final = 20
KEPT: Final = 200
_NO_DATA: Final[Data] = {}
_ENCODER: Final = msgspec.json.Encoder()

_KEEP: Final = """
    INSERT INTO recent_event (account_id, key_id, origin, outcome, source, id, type, event_key, content_hash, day, time,
        provider, code, message, meters, received_at)
    SELECT account_id, key_id, origin, outcome, source, id, type, event_key, content_hash, day, time, provider, code,
        message, meters, received_at
    FROM json_to_recordset($1::json) AS kept (account_id bigint, key_id uuid, origin text, outcome text, source text,
        id text, type text, event_key uuid, content_hash uuid, day date, time timestamptz, provider text, code text,
        message text, meters text[], received_at timestamptz)
"""
_PRUNE: Final = text("""
    DELETE FROM recent_event AS gone USING (
        SELECT k.key_id,
               (SELECT r.recent_id FROM recent_event r WHERE r.key_id = k.key_id
                 ORDER BY r.recent_id DESC OFFSET :kept - 1 LIMIT 1) AS oldest,
               (SELECT r.recent_id FROM recent_event r WHERE r.key_id = k.key_id AND r.outcome <> 'rejected'
                 ORDER BY r.recent_id DESC LIMIT 1) AS taken
          FROM api_key k
    ) AS held
    WHERE gone.key_id = held.key_id AND gone.recent_id < held.oldest AND gone.recent_id IS DISTINCT FROM held.taken
""")


class _Recent(msgspec.Struct, gc=False, kw_only=True):
    """A row. `content_hash` leads to the body of a conflict, or of a rejected event."""

    account_id: int
    key_id: UUID
    origin: str
    outcome: Outcome
    content_hash: UUID
    received_at: datetime
    source: str | None = None
    id: str | None = None
    type: str | None = None
    event_key: UUID | None = None
    day: date | None = None
    time: datetime | None = None
    provider: str | None = None
    code: str | None = None
    message: str | None = None
    meters: Sequence[str] = ()


class RecentEvents:
    """What one process still writes of each key in the present second."""

    def __init__(self) -> None:
        self._second = 0
        self._spent: defaultdict[tuple[UUID, Outcome], int] = defaultdict(int)

    async def keep(
        self,
        connection: "asyncpg.Connection[Any]",
        requests: Sequence[IngestRequest],
        admitted: Admitted,
        told: Mapping[Outcome, Sequence[Entry]],
        readings: Mapping[str, Sequence[Reading]],
    ) -> None:
        """Write what there is room for. The last step of a transaction: what is tried again must find its room."""
        self._begin(int(requests[-1].received_at.timestamp()))
        rows = [
            _row_of_entry(requests[entry.request], entry, outcome, readings)
            for outcome, entries in told.items()
            for entry in self._late_entries(requests, entries, outcome)
        ]
        rows += [
            _row_of_rejection(request, rejection, admitted)
            for request, rejection in self._late_rejections(requests, admitted.refused)
        ]
        if rows:
            await connection.execute(_KEEP, _ENCODER.encode(rows).decode())

    def _begin(self, second: int) -> None:
        if second != self._second:
            self._second = second
            self._spent.clear()

    def _room(self, key_id: UUID, outcome: Outcome) -> int:
        return MOST - self._spent[key_id, outcome]

    def _late_entries(
        self, requests: Sequence[IngestRequest], entries: Sequence[Entry], outcome: Outcome
    ) -> Iterator[Entry]:
        """The last entries of each key that there is room for, in the order in which they came."""
        if not entries:
            return
        late = self._late_requests(requests, outcome) if outcome is Outcome.STORED else range(len(requests))
        by_key: defaultdict[UUID, list[Entry]] = defaultdict(list)
        for entry in entries:
            if entry.request in late:
                key_id = requests[entry.request].sender.key_id
                if key_id is not None:
                    by_key[key_id].append(entry)
        for key_id, own in by_key.items():
            chosen = nlargest(self._room(key_id, outcome), own, key=_place)
            self._spent[key_id, outcome] += len(chosen)
            yield from reversed(chosen)

    def _late_requests(self, requests: Sequence[IngestRequest], outcome: Outcome) -> set[int]:
        """The numbers of the last requests of each key that hold as many events as there is room for: of thousands of
        events that were stored, few need be looked at."""
        late: set[int] = set()
        held: defaultdict[UUID, int] = defaultdict(int)
        for number in range(len(requests) - 1, -1, -1):
            key_id = requests[number].sender.key_id
            if key_id is not None and held[key_id] < self._room(key_id, outcome):
                held[key_id] += len(requests[number].events)
                late.add(number)
        return late

    def _late_rejections(
        self, requests: Sequence[IngestRequest], refused: Sequence[Sequence[Rejection]]
    ) -> Iterator[tuple[IngestRequest, Rejection]]:
        found: list[tuple[IngestRequest, Rejection]] = []
        for number in range(len(requests) - 1, -1, -1):
            request, rejections = requests[number], refused[number]
            key_id = request.sender.key_id
            if key_id is None or not rejections:
                continue
            chosen = nlargest(self._room(key_id, Outcome.REJECTED), rejections, key=_index)
            self._spent[key_id, Outcome.REJECTED] += len(chosen)
            found += [(request, rejection) for rejection in chosen]
        yield from reversed(found)


def _place(entry: Entry) -> tuple[int, int]:
    return entry.request, entry.event.index


def _index(rejection: Rejection) -> int:
    return rejection.index


def _row_of_entry(
    request: IngestRequest, entry: Entry, outcome: Outcome, readings: Mapping[str, Sequence[Reading]]
) -> _Recent:
    event, sender = entry.event, request.sender
    data = event.data if isinstance(event.data, dict) else _NO_DATA
    of_type = readings.get(event.type, ()) if outcome is Outcome.STORED else ()
    assert sender.key_id is not None  # noqa: S101 - only what has a key is chosen
    return _Recent(
        account_id=entry.account_id,
        key_id=sender.key_id,
        origin=sender.origin,
        outcome=outcome,
        received_at=request.received_at,
        source=event.source,
        id=event.id,
        type=event.type,
        event_key=event.key,
        content_hash=event.body_hash,
        day=entry.day,
        time=entry.time,
        provider=entry.provider,
        meters=[one.slug for one in of_type if one.admits is None or one.admits(data)],
    )


def _row_of_rejection(request: IngestRequest, rejection: Rejection, admitted: Admitted) -> _Recent:
    sender = request.sender
    assert sender.key_id is not None  # noqa: S101 - as above
    return _Recent(
        account_id=home_of(sender, rejection, admitted.homes),
        key_id=sender.key_id,
        origin=sender.origin,
        outcome=Outcome.REJECTED,
        received_at=request.received_at,
        id=rejection.id,
        content_hash=content_hash(sender, rejection),
        code=rejection.code,
        message=rejection.message.replace("\0", "\\x00"),
    )


async def prune_recent_events(tx: Transaction) -> int:
    """Let go of what is older than the newest `KEPT` of its key; how many. The newest that was taken stays."""
    return await tx.execute(_PRUNE, {"kept": KEPT})
