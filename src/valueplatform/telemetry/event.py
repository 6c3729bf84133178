"""One usage event, whatever dialect it came in, with the two hashes that make it unique and comparable."""

import re
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Final
from uuid import UUID

import msgspec
from asyncpg.pgproto import pgproto

from valueplatform.accounts.accounts import LONGEST_KEY
from valueplatform.core.keys import masked
from valueplatform.telemetry.payload import RefusedEventError, normal_form

FUTURE: Final = timedelta(hours=24)
EARLIEST: Final = datetime(2, 1, 1, tzinfo=UTC)
NO_SHIFT: Final = timedelta()
_MICROSECOND: Final = timedelta(microseconds=1)

# Lengths in characters. Type and account stand in indexes, which hold 2,700 bytes a row.
LONGEST: Final = {"id": 1024, "source": 1024, "type": 255, "account": LONGEST_KEY, "subject": 1024, "provider": 100}
_SHORTEST_LIMIT: Final = min(LONGEST.values())
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_ENCODER: Final = msgspec.json.Encoder()
_HASH: Final = blake2b(digest_size=16)


class Attributes(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Who did what, when, as its sender put it.

    `time` is None where the sender gave none, and naive where a file did not say the zone: then it is the
    account's. `provider` None = the sender itself.
    """

    id: str
    source: str
    type: str
    account: str
    time: datetime | None
    subject: str | None = None
    provider: str | None = None


class Effect(msgspec.Struct, frozen=True):
    """What a new event does beside being stored and metered. Each kind has its module; `storing` applies them."""


class Event(msgspec.Struct, frozen=True, gc=False):
    """An event fit to be stored.

    `index` is its place in the request. `time` is aware, but for files that leave the zone to the account.
    `data_text` is the normal form of `data`, None where there is none. `key` is a hash of (source, id);
    `body_hash` of type, account, subject, time as given and data: never of what the transport or the server adds.
    `raw` is the text that it was read from, for dialects whose events cannot be written anew as CloudEvents.
    """

    index: int
    id: str
    source: str
    type: str
    account: str
    time: datetime
    subject: str | None
    provider: str | None
    data: object
    data_text: str | None
    key: UUID
    body_hash: UUID
    raw: bytes | None = None
    effect: Effect | None = None


class Rejection(msgspec.Struct, frozen=True, gc=False):
    """An event that cannot be taken: `body` is what was sent, whole, `account` and `source` what it seems to be of."""

    index: int
    id: str | None
    code: str
    message: str
    body: str
    account: str | None = None
    source: str | None = None


def make_event(
    index: int, attributes: Attributes, data: object, received_at: datetime, shift: timedelta = NO_SHIFT
) -> Event:
    """The event of checked attributes and data as `payload.decode` gives it. Raises RefusedEventError.

    `shift` is added to the time that was given, else to `received_at`. It is told from when a request was sent, which
    changes from try to try, and so bodies are not compared by it.
    """
    check_attributes(attributes)
    time, given = _moment(attributes.time, received_at, shift)
    text = b"" if data is None else normal_form(data)
    body = _ENCODER.encode((attributes.type, attributes.account, attributes.subject, given))
    return Event(
        index,
        attributes.id,
        attributes.source,
        attributes.type,
        attributes.account,
        time,
        attributes.subject,
        attributes.provider,
        data,
        text.decode() if text else None,
        event_key(attributes.source, attributes.id),
        hash_id(body + text),
    )


def kept_text(raw: bytes) -> str:
    """What was sent, as it is kept: whole, but for the secrets of keys, which some dialects put into the body."""
    return masked(raw.decode(errors="backslashreplace"))


def event_key(source: str, event_id: str) -> UUID:
    """The hash that (source, id) is unique by, for ever and across accounts."""
    return hash_id(f"{len(source)}:{source}{event_id}".encode())


def hash_id(content: bytes) -> UUID:
    """16 bytes of BLAKE2b, as the driver's own UUID, which is four times as fast to make and send."""
    state = _HASH.copy()
    state.update(content)
    identity: UUID = pgproto.UUID(state.digest())
    return identity


def check_attributes(attributes: Attributes) -> None:
    """Raises RefusedEventError for what is missing, too long, or holds control characters."""
    a = attributes
    text = f"{a.id}{a.source}{a.type}{a.account}{a.subject}{a.provider}"
    if a.id and a.source and a.type and a.account and text.isprintable() and len(text) <= _SHORTEST_LIMIT:
        return
    for name, longest in LONGEST.items():
        value = getattr(attributes, name)
        if not value:
            if name in {"subject", "provider"}:
                continue
            raise missing(name)
        if len(value) > longest:
            raise RefusedEventError("attribute_too_long", f"{name} is longer than {longest} characters; shorten it.")
        if _CONTROL.search(value):
            raise RefusedEventError(
                "invalid_attribute", f"{name} holds a control character, which CloudEvents attributes may not."
            )


def missing(name: str) -> RefusedEventError:
    cure = "set the attribute account, or subject" if name == "account" else f"set the attribute {name}"
    return RefusedEventError(f"missing_{name}", f"The event has no {name}; {cure}.")


def check_future(time: datetime, received_at: datetime) -> None:
    """Raises RefusedEventError for a time more than 24 hours ahead. Any age is taken."""
    if time - received_at > FUTURE:
        raise RefusedEventError(
            "time_in_future",
            f"time is {time.isoformat()}, more than 24 hours ahead of {received_at.isoformat()}; check the clock.",
        )


def _moment(time: datetime | None, received_at: datetime, shift: timedelta) -> tuple[datetime, datetime | str | None]:
    """The time in UTC, and the form of it that the body is compared by: in UTC, or local text."""
    if time is not None and time.tzinfo is None:
        return time, time.isoformat()
    given = received_at if time is None else _in_calendar(time)
    moment = _in_calendar(given, shift) if shift else given
    if moment > received_at:
        check_future(moment, received_at)
    return moment, None if time is None else given


def _in_calendar(time: datetime, shift: timedelta = NO_SHIFT) -> datetime:
    """In UTC. Raises RefusedEventError for what the database's calendar does not hold."""
    try:
        moment = (time if time.tzinfo is UTC else time.astimezone(UTC)) + shift
    except OverflowError:
        moment = EARLIEST - _MICROSECOND
    if moment < EARLIEST:
        raise RefusedEventError("invalid_time", f"time is {time.isoformat()}, outside the calendar of the database.")
    return moment
