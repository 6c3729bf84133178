"""Segment: batch, track, identify, group, page, screen and alias, as its libraries send them.

The account is `context.groupId`, of group calls their own `groupId`; of a call that names none it is the one that group
calls have put its person into (`groups`). The person is `userId`, else `anonymousId`. The id is `messageId`, the source
`segment`. A track call has the name of its event as type, any other call `segment.identify`, `segment.group`,
`segment.page` and so on. Data is the properties, of identify and group calls the traits. The rest of the context
(addresses, devices, libraries) is not kept.

Times are corrected for the sender's clock: timestamp + (received - sentAt). A message with both `originalTimestamp`
and `timestamp` has been through that once, and its `timestamp` stands.
"""

from datetime import datetime
from typing import Final

import msgspec

from valueplatform.core.errors import InvalidInputError
from valueplatform.telemetry.client_time import client_time
from valueplatform.telemetry.dialect import Parsed, json_items, json_members
from valueplatform.telemetry.event import Attributes, Effect, Event, make_event
from valueplatform.telemetry.groups import NOWHERE, Unplaced, missing_account
from valueplatform.telemetry.payload import RefusedEventError
from valueplatform.telemetry.product_analytics import (
    Arrival,
    Members,
    Naming,
    id_from_content,
    name_in,
    parse_items,
    plain_value,
)
from valueplatform.telemetry.profiles import Profile, account_profile, person_profile

ORIGIN: Final = "segment"
SOURCE: Final = "segment"
BATCH: Final = "batch"
CALLS: Final = ("track", "identify", "group", "page", "screen", "alias")

_OF_THE_REQUEST: Final = frozenset({"sentAt", "writeKey", "receivedAt"})


class SegmentRequest(msgspec.Struct, frozen=True):
    """What a request holds, and the key that its body names, if any."""

    write_key: str | None
    parsed: Parsed


def parse_segment(call: str, body: bytes, received_at: datetime) -> SegmentRequest:
    """The body of a request to one of the addresses, `batch` or a call.

    Raises InvalidInputError where it is no JSON object, or a batch without events, TooLargeError for too many.
    """
    members = json_members(body)
    key = plain_value(members.get("writeKey"))
    at = Arrival.now(received_at, plain_value(members.get("sentAt")))
    if call != BATCH or ("batch" not in members and "type" in members):
        items = json_items(body)
        items = [_with_type(items[0], call)] if "type" not in members else items
    elif members.get("batch", b"")[:1] != b"[":
        raise InvalidInputError("The body has no array `batch`; nothing was stored.")
    else:
        items = json_items(members["batch"])
    return SegmentRequest(key if isinstance(key, str) else None, _parsed(items, at))


def replay_segment(body: bytes, first_at: datetime, received_at: datetime) -> Parsed:
    """A rejected event again. The clock of its sender is not corrected: when it was sent is not known any more."""
    return _parsed(json_items(body), Arrival(received_at, first_at))


def _with_type(text: bytes, call: str) -> bytes:
    """The message as it would stand in a batch: only its address said what it is."""
    rest = text[1:].lstrip()
    return f'{{"type":"{call}"'.encode() + (rest if rest[:1] == b"}" else b"," + rest)


def _parsed(items: list[bytes], at: Arrival) -> Parsed:
    def read(index: int, text: bytes, message: Members) -> Event:
        return _event(index, text, message, at)

    return parse_items(items, read, _NAMING, at.shift)


def _event(index: int, text: bytes, message: Members, at: Arrival) -> Event:
    call = message.get("type")
    if call not in CALLS:
        raise RefusedEventError("invalid_type", f"type is {str(call)[:20]!r}; use one of {', '.join(CALLS)}.")
    event_type = name_in(message, "event") if call == "track" else f"segment.{call}"
    if not event_type:
        raise RefusedEventError("missing_event", "The track call has no event; give the name of what happened.")
    account, person = _account(message), name_in(message, "userId", "anonymousId") or None
    unplaced = not account and person is not None and call != "group"
    if not account and not unplaced:
        raise missing_account()
    original, corrected = (client_time(name, message.get(name)) for name in ("originalTimestamp", "timestamp"))
    time = original or corrected
    shift = at.shift
    if original is not None and corrected is not None:
        shift = corrected - original
    if time is None:
        shift = at.first_at - at.received_at
    attributes = Attributes(
        id=name_in(message, "messageId") or id_from_content(index, message, time, _OF_THE_REQUEST, at),
        source=SOURCE,
        type=event_type,
        account=account or NOWHERE,
        time=time,
        subject=person,
    )
    event = make_event(index, attributes, _data(str(call), message), at.received_at, shift)
    effect = _effect(str(call), message, person)
    return msgspec.structs.replace(event, raw=text, effect=Unplaced(effect) if unplaced else effect)


def _account(message: Members) -> str:
    context = message.get("context")
    named = name_in(context, "groupId") if isinstance(context, dict) else ""
    own = name_in(message, "groupId")
    return (own or named) if message.get("type") == "group" else (named or own)


def _data(call: str, message: Members) -> object:
    """What the call says; pages and screens with their names beside their properties, an alias with whom it was."""
    match call:
        case "identify" | "group":
            return message.get("traits")
        case "alias":
            return _said(message, "previousId")
        case "page" | "screen":
            properties = message.get("properties")
            said = _said(message, "name", "category")
            if not said or not isinstance(properties, dict | None):
                return properties
            return {**said, **(properties or {})}
        case _:
            return message.get("properties")


def _said(message: Members, *names: str) -> dict[str, object] | None:
    return {name: message[name] for name in names if message.get(name) is not None} or None


def _effect(call: str, message: Members, person: str | None) -> Effect | None:
    match call:
        case "group":
            said = account_profile(message.get("traits"))
            return said if person is None else msgspec.structs.replace(said or Profile(), joins=person)
        case "identify":
            return person_profile(message.get("traits"))
        case _:
            return None


def _named_account(message: Members) -> object:
    try:
        return _account(message)
    except RefusedEventError:
        return None


_NAMING: Final = Naming(id=lambda message: message.get("messageId"), account=_named_account)
