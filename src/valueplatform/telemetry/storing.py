"""The heart of ingest: a group of requests into the database, inside one transaction.

The order of the steps is the order in which locks are taken, the same for every writer, and within a step rows go
in sorted by key: quotas, new accounts, event keys, running totals, events, rollups, profiles. So writers wait for
each other, and never in a circle.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from operator import attrgetter
from typing import Any, Final
from uuid import UUID

import asyncpg
import msgspec

from valueplatform.core.database import MODEL_LOCK, Transaction
from valueplatform.telemetry.admission import Admitted, Entry, admit
from valueplatform.telemetry.event import Event
from valueplatform.telemetry.groups import placed
from valueplatform.telemetry.homes import Home, editions_of
from valueplatform.telemetry.increments import Increments
from valueplatform.telemetry.intake import keep_intake
from valueplatform.telemetry.local_days import local_day_of, utc_day
from valueplatform.telemetry.marks import Stretch, mark_days
from valueplatform.telemetry.members import NOTHING_SEEN, KnownMembers, Sighting
from valueplatform.telemetry.meter_book import NO_MODEL, MeterBook, book_in_force
from valueplatform.telemetry.profiles import Profile, apply_profiles
from valueplatform.telemetry.quotas import charge
from valueplatform.telemetry.recent_events import RecentEvents
from valueplatform.telemetry.rejections import keep_rejections
from valueplatform.telemetry.requests import IngestRequest, NotAllTakenError, Outcome, Report
from valueplatform.telemetry.rollups import raise_rollups
from valueplatform.telemetry.running_totals import RunningTotal, resolve_totals

CAUSE: Final = "events"

_CLAIM: Final = """
    WITH given AS (
        SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bigint[]) AS given (event_key, body_hash, account_id)
    ), claimed AS (
        INSERT INTO event_key (event_key, body_hash, account_id) SELECT * FROM given ORDER BY event_key
        ON CONFLICT DO NOTHING RETURNING event_key
    )
    SELECT event_key FROM given WHERE event_key NOT IN (SELECT event_key FROM claimed)
"""
_TAKEN: Final = "SELECT event_key, body_hash FROM event_key WHERE event_key = ANY($1::uuid[])"
_COLUMNS: Final[Mapping[str, str]] = {
    "account_id": "bigint",
    "event_key": "uuid",
    "source": "text",
    "id": "text",
    "type": "text",
    "time": "timestamptz",
    "utc_day": "date",
    "subject": "text",
    "provider": "text",
    "data": "jsonb",
    "received_at": "timestamptz",
}
_CONFLICT: Final = """
    INSERT INTO event_conflict (account_id, event_key, body_hash, source, id, body, received_at)
    SELECT * FROM unnest($1::bigint[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::jsonb[], $7::timestamptz[])
    ON CONFLICT DO NOTHING
"""
_CLAIM_COLUMNS: Final = ("event_key", "body_hash", "account_id")
_FEW: Final = 200
"""Keys up to which one statement that returns what is taken is faster than a look and a COPY."""
_BYPASSES: Final = "SELECT rolbypassrls OR rolsuper FROM pg_roles WHERE rolname = current_user"
_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")


class Ledger:
    """What one process keeps between groups: the meters last in force, the members that it need not write again,
    whether its role may COPY, and how much it has written of each key's last events.

    PostgreSQL refuses COPY under row security whatever the policy; where the role does not bypass it, events go
    in by INSERT from arrays.
    """

    def __init__(self) -> None:
        self.book = NO_MODEL
        self.members = KnownMembers()
        self.careful = 0  # groups to come that do without claiming keys by COPY
        self.may_copy: bool | None = None
        self.recent = RecentEvents()


class Stored(msgspec.Struct, frozen=True):
    """What a group has come to. Once that is committed, the ledger may remember the members that were seen."""

    reports: list[Report]
    seen: Sighting


class Sorted(msgspec.Struct):
    """A group told apart: what is new, in order of key; per request, how many are duplicates and conflicts."""

    new: Sequence[Entry]
    conflicts: Sequence[Entry]
    duplicates: Sequence[Entry]

    @property
    def by_outcome(self) -> Mapping[Outcome, Sequence[Entry]]:
        return {Outcome.STORED: self.new, Outcome.DUPLICATE: self.duplicates, Outcome.CONFLICT: self.conflicts}


_Claim = Callable[["asyncpg.Connection[Any]", Sequence[Entry]], Awaitable[dict[UUID, UUID]]]
"""Claims keys, given in order; what it could not claim, with the hashes of the bodies that have it."""


async def store(
    tx: Transaction, requests: Sequence[IngestRequest], ledger: Ledger, *, careful: bool = False, charged: bool = False
) -> Stored:
    """Store a group, inside the caller's transaction; nothing counts before that commits. `careful` as in `sort_out`.
    `charged`: it has been found to be within quotas, and is charged again because it was not stored then.

    Raises NotAllTakenError for a strict request, which must come alone, and OverQuotaError.
    """
    connection = await tx.driver()
    await charge(connection, requests, refuse=not charged)
    admitted, found = await sort_out(connection, requests, ledger, careful=careful)
    reports = _reports(requests, admitted, found)
    if requests[0].strict and not reports[0].all_taken:
        raise NotAllTakenError(reports[0])
    seen = await _store_new(connection, requests, found.new, ledger, admitted.homes) if found.new else NOTHING_SEEN
    if found.conflicts:
        await _keep_conflicts(connection, requests, found.conflicts)
    if any(admitted.refused) or any(request.replayed is not None for request in requests):
        await keep_rejections(connection, requests, admitted.refused, admitted.homes)
    await keep_intake(connection, requests, reports, admitted, found.new, (found.duplicates, found.conflicts))
    await ledger.recent.keep(connection, requests, admitted, found.by_outcome, ledger.book.readings)
    return Stored(reports, seen)


async def sort_out(
    connection: "asyncpg.Connection[Any]", requests: Sequence[IngestRequest], ledger: Ledger, *, careful: bool = True
) -> tuple[Admitted, Sorted]:
    """Tell what is new from what is not, and both from what is refused, under the model in force.

    Unless `careful`, keys of large groups are claimed by COPY, in half the time: raises UniqueViolationError where
    another claims one of them at the same moment.
    """
    await connection.execute("SELECT pg_advisory_xact_lock_shared($1)", MODEL_LOCK)
    ledger.book = await book_in_force(connection, ledger.book)
    admitted = await admit(connection, await placed(connection, requests), ledger.book)
    claim = _claim if careful or len(admitted.entries) < _FEW else _claim_by_copy
    return admitted, await _sorted(connection, admitted.entries, claim)


async def _sorted(connection: "asyncpg.Connection[Any]", entries: Sequence[Entry], claim: _Claim) -> Sorted:
    """Claim the keys for good, and tell duplicates (the same body) from conflicts. First received wins."""
    first: dict[UUID, Entry] = {}
    repeated = [entry for entry in entries if first.setdefault(entry.event.key, entry) is not entry]
    ordered = sorted(first.values(), key=_key_bytes)
    taken = await claim(connection, ordered) if ordered else {}
    if taken:
        repeated += [entry for entry in ordered if entry.event.key in taken]
        ordered = [entry for entry in ordered if entry.event.key not in taken]
    conflicts: list[Entry] = []
    duplicates: list[Entry] = []
    for entry in repeated:
        key = entry.event.key
        held = taken[key] if key in taken else first[key].event.body_hash
        (duplicates if held == entry.event.body_hash else conflicts).append(entry)
    return Sorted(ordered, conflicts, duplicates)


async def _claim(connection: "asyncpg.Connection[Any]", ordered: Sequence[Entry]) -> dict[UUID, UUID]:
    """Claim those keys that nobody has; the body hashes of the others. Waits for who claims one at the same moment."""
    keys, bodies, accounts = zip(*_claims(ordered), strict=True)
    rows = await connection.fetch(_CLAIM, keys, bodies, accounts)
    if not rows:
        return {}
    # A statement of its own: the first does not see what another transaction committed while it waited.
    known = await connection.fetch(_TAKEN, [row["event_key"] for row in rows])
    return {row["event_key"]: row["body_hash"] for row in known}


async def _claim_by_copy(connection: "asyncpg.Connection[Any]", ordered: Sequence[Entry]) -> dict[UUID, UUID]:
    """As `_claim`, where nobody else claims one of the keys at the same moment."""
    known = await connection.fetch(_TAKEN, [entry.event.key for entry in ordered])
    taken = {row["event_key"]: row["body_hash"] for row in known}
    free = [entry for entry in ordered if entry.event.key not in taken] if taken else ordered
    await connection.copy_records_to_table("event_key", records=_claims(free), columns=_CLAIM_COLUMNS)
    return taken


def _claims(entries: Sequence[Entry]) -> list[tuple[UUID, UUID, int]]:
    return [(entry.event.key, entry.event.body_hash, entry.account_id) for entry in entries]


def _key_bytes(entry: Entry) -> bytes:
    return entry.event.key.bytes


def _reports(requests: Sequence[IngestRequest], admitted: Admitted, found: Sorted) -> list[Report]:
    stored, duplicates, conflicts = (
        Counter(map(attrgetter("request"), entries)) for entries in (found.new, found.duplicates, found.conflicts)
    )
    return [
        Report(request.received, stored[number], duplicates[number], conflicts[number], admitted.refused[number])
        for number, request in enumerate(requests)
    ]


async def _store_new(
    connection: "asyncpg.Connection[Any]",
    requests: Sequence[IngestRequest],
    new: Sequence[Entry],
    ledger: Ledger,
    homes: Mapping[str, Home],
) -> Sighting:
    effects = {type(entry.event.effect) for entry in new}
    if RunningTotal in effects:
        new = await resolve_totals(connection, new)
    received = [request.received_at for request in requests]
    records = [_record(entry, entry.event, received[entry.request]) for entry in new]
    if ledger.may_copy is None:
        ledger.may_copy = bool(await connection.fetchval(_BYPASSES))
    if ledger.may_copy:
        await connection.copy_records_to_table("event", records=records, columns=list(_COLUMNS))
    else:
        arrays = ", ".join(f"${place}::{kind}[]" for place, kind in enumerate(_COLUMNS.values(), 1))
        insert = f"INSERT INTO event ({', '.join(_COLUMNS)}) SELECT * FROM unnest({arrays})"  # noqa: S608 - constants
        await connection.execute(insert, *zip(*records, strict=True))
    readings = ledger.book.raised
    increments = Increments(editions_of(homes.values()))
    increments.add_all(
        (entry.account_id, entry.day, entry.provider, event.data, readings[event.type], entry.time, event.key)
        for entry in new
        if (event := entry.event).type in readings
    )
    if ledger.book.moves:
        increments.join(_of_new_zones(new, ledger.book))
    seen = await raise_rollups(connection, increments, ledger.members)
    touched = {(entry.account_id, entry.day) for entry in new}
    await mark_days(connection, [Stretch(account_id, day, day) for account_id, day in touched], CAUSE)
    if Profile in effects:
        await apply_profiles(connection, new)
    return seen


def _of_new_zones(new: Sequence[Entry], book: MeterBook) -> Increments:
    """What events add to the rollups of zones that are being counted."""
    increments = Increments(editions_of(book.moves.values()))
    moving = [(entry, home) for entry in new if (home := book.moves.get(entry.account_id)) is not None]
    increments.add_all(
        (
            entry.account_id,
            local_day_of(entry.time, home.timezone),
            entry.provider,
            event.data,
            readings,
            entry.time,
            event.key,
        )
        for entry, home in moving
        if (readings := book.readings.get((event := entry.event).type))
    )
    return increments


def _record(entry: Entry, event: Event, received_at: object) -> tuple[object, ...]:
    """A row in the order of `_COLUMNS`."""
    return (
        entry.account_id,
        event.key,
        event.source,
        event.id,
        event.type,
        entry.time,
        utc_day(entry.time),
        event.subject,
        entry.provider,
        event.data_text,
        received_at,
    )


async def _keep_conflicts(
    connection: "asyncpg.Connection[Any]", requests: Sequence[IngestRequest], conflicts: Sequence[Entry]
) -> None:
    rows = []
    for entry in conflicts:
        event = entry.event
        body = {
            "type": event.type,
            "subject": event.subject,
            "time": entry.time,
            "provider": entry.provider,
            "data": event.data,
        }
        text = _ENCODER.encode(body).decode()
        received_at = requests[entry.request].received_at
        rows.append((entry.account_id, event.key, event.body_hash, event.source, event.id, text, received_at))
    await connection.execute(_CONFLICT, *zip(*rows, strict=True))
