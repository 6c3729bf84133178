"""Who may write what: brings events to their accounts and local days, or says why not. Pure but for the look-up."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, Final

import asyncpg
import msgspec

from valueplatform.core.periods import zone
from valueplatform.telemetry.event import Event, Rejection, check_future, kept_text
from valueplatform.telemetry.homes import Home
from valueplatform.telemetry.local_days import local_day_of
from valueplatform.telemetry.meter_book import MeterBook
from valueplatform.telemetry.payload import RefusedEventError
from valueplatform.telemetry.requests import IngestRequest, Sender

SUPPLIER: Final = "supplier"
_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")

_FIND: Final = "SELECT account_id, key, timezone, edition FROM account WHERE key = ANY($1::text[])"
_CREATE: Final = """
    INSERT INTO account (key, name, timezone) SELECT key, key, $2 FROM unnest($1::text[]) AS wanted (key) ORDER BY key
    ON CONFLICT (key) DO NOTHING RETURNING account_id, key, timezone, edition
"""
_CREATE_CURRENCY: Final = """
    INSERT INTO account_currency (account_id, effective_from, currency)
    SELECT account_id, DATE '0001-01-01', $2 FROM unnest($1::bigint[]) AS made (account_id)
"""


class Entry(msgspec.Struct, frozen=True, gc=False):
    """An event on its way in. `request` is the number of its request in the group."""

    event: Event
    request: int
    account_id: int
    day: date
    time: datetime
    provider: str


class Admitted(msgspec.Struct, frozen=True):
    """Entries in the order they were received; per request, what was refused."""

    entries: Sequence[Entry]
    refused: Sequence[list[Rejection]]
    homes: Mapping[str, Home]


async def admit(connection: "asyncpg.Connection[Any]", requests: Sequence[IngestRequest], book: MeterBook) -> Admitted:
    """Find the accounts of a group, creating those that are new and may be, and check each event against them."""
    wanted = {event.account for request in requests for event in request.events}
    named = {r.account for request in requests for r in request.rejections if r.account is not None}
    homes = await _find(connection, wanted | named)
    creatable = {
        event.account
        for request in requests
        if request.sender.account_ids is None
        for event in request.events
        if event.account not in homes and _refusal_of_sender(event, request.sender) is None
    }
    if creatable:
        homes |= await _create(connection, creatable, book)
    return _check(requests, homes)


async def _find(connection: "asyncpg.Connection[Any]", keys: set[str]) -> dict[str, Home]:
    rows = await connection.fetch(_FIND, list(keys))
    return {row["key"]: Home(row["account_id"], row["timezone"], row["edition"]) for row in rows}


async def _create(connection: "asyncpg.Connection[Any]", keys: set[str], book: MeterBook) -> dict[str, Home]:
    """New accounts with the supplier's zone and currency, in order of key; found again where another was faster."""
    rows = await connection.fetch(_CREATE, list(keys), book.timezone)
    if rows:
        await connection.execute(_CREATE_CURRENCY, [row["account_id"] for row in rows], book.currency)
    homes = {row["key"]: Home(row["account_id"], row["timezone"], row["edition"]) for row in rows}
    late = keys - homes.keys()
    return homes | await _find(connection, late) if late else homes


def _check(requests: Sequence[IngestRequest], homes: Mapping[str, Home]) -> Admitted:
    entries: list[Entry] = []
    refused: list[list[Rejection]] = []
    for number, request in enumerate(requests):
        refusals = list(request.rejections)
        for event in request.events:
            try:
                entries.append(_entry(event, number, request, homes.get(event.account)))
            except RefusedEventError as refusal:
                refusals.append(refused_event(event, refusal))
        refused.append(refusals)
    return Admitted(entries, refused, homes)


def _entry(event: Event, number: int, request: IngestRequest, home: Home | None) -> Entry:
    sender = request.sender
    refusal = _refusal_of_sender(event, sender)
    if refusal is not None:
        raise refusal
    if home is None or (sender.account_ids is not None and home.account_id not in sender.account_ids):
        raise RefusedEventError("unknown_account", f"This key knows no account {event.account!r}.")
    time = event.time
    if time.tzinfo is None:
        time = time.replace(tzinfo=zone(home.timezone)).astimezone(UTC)
        check_future(time, request.received_at)
    day = local_day_of(time, home.timezone)
    return Entry(event, number, home.account_id, day, time, event.provider or sender.provider)


def _refusal_of_sender(event: Event, sender: Sender) -> RefusedEventError | None:
    if sender.sources is not None and event.source not in sender.sources:
        return RefusedEventError(
            "source_not_allowed", f"This key may not write the source {event.source!r}; it is limited to its own."
        )
    if event.provider is not None and sender.provider not in {SUPPLIER, event.provider}:
        return RefusedEventError(
            "provider_not_allowed", f"This key writes events of {sender.provider!r} only, not of {event.provider!r}."
        )
    return None


def refused_event(event: Event, refusal: RefusedEventError) -> Rejection:
    """The rejection of an event that was well-formed, with its body as it came, else written anew; `effect` is for the
    replay of that."""
    if event.raw is not None:
        return Rejection(
            event.index, event.id, refusal.reason, refusal.message, kept_text(event.raw), event.account, event.source
        )
    body = {
        "specversion": "1.0",
        "id": event.id,
        "source": event.source,
        "type": event.type,
        "account": event.account,
        "subject": event.subject,
        "time": event.time.isoformat(),
        "provider": event.provider,
        "data": event.data,
        "effect": event.effect,
    }
    text = _ENCODER.encode({name: value for name, value in body.items() if value is not None}).decode()
    return Rejection(event.index, event.id, refusal.reason, refusal.message, text, event.account, event.source)
