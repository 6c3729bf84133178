"""What the dialects of product analytics share: arrival, ids that are told from content, names, one bad event."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from valueplatform.telemetry.client_time import client_time, clock_shift
from valueplatform.telemetry.dialect import Parsed, check_count, decoded_object, members_of, rejection
from valueplatform.telemetry.event import NO_SHIFT, Event, Rejection, hash_id
from valueplatform.telemetry.payload import RefusedEventError, decode, normal_form

_CAPITAL: Final = re.compile("[A-Z]")
Members = Mapping[str, object]


class Arrival(msgspec.Struct, frozen=True):
    """When a request came, and what its sender's clock is off by.

    `first_at` is when an event came first: `received_at`, but for one that was rejected and is replayed.
    """

    received_at: datetime
    first_at: datetime
    shift: timedelta = NO_SHIFT

    @classmethod
    def now(cls, received_at: datetime, sent_at: object) -> "Arrival":
        """`sent_at` is what the request says of itself; what is no time says nothing."""
        try:
            sent = client_time("sentAt", sent_at)
        except RefusedEventError:
            sent = None
        return cls(received_at, received_at, clock_shift(sent, received_at))


class Naming(msgspec.Struct, frozen=True):
    """Where a dialect keeps the id and the account of an event, for the rejection of one that is no good."""

    id: Callable[[Members], object]
    account: Callable[[Members], object]


def parse_items(
    items: Sequence[bytes], read: Callable[[int, bytes, Members], Event], naming: Naming, clock: timedelta
) -> Parsed:
    """Each item as an event, or rejected whole. Raises TooLargeError for more than 2,500."""
    check_count(len(items))
    events: list[Event] = []
    rejections: list[Rejection] = []
    for index, text in enumerate(items):
        try:
            events.append(read(index, text, decoded_object(text)))
        except RefusedEventError as refusal:
            found = members_of(text)
            rejections.append(rejection(index, text, refusal, naming.id(found), naming.account(found)))
    return Parsed(events, rejections, clock)


def plain_value(text: bytes | None) -> object:
    """A member of the request beside its events; None where it is not there, or cannot be read."""
    if text is None:
        return None
    try:
        return decode(text)
    except (ValueError, RecursionError, RefusedEventError):
        return None


def name_in(members: Members, *names: str) -> str:
    """The first of these members that says something, as text; "" where none does. Numbers count as names."""
    for name in names:
        value = members.get(name)
        if value is None or value == "":
            continue
        if isinstance(value, bool) or not isinstance(value, str | int):
            code = _CAPITAL.sub(r"_\g<0>", name.strip("$")).lower()
            raise RefusedEventError(f"invalid_{code}", f"{name} must be a string.")
        return str(value)
    return ""


def id_from_content(index: int, members: Members, time: datetime | None, ignored: Collection[str], at: Arrival) -> str:
    """An id for an event that has none: the same for the same content, whatever a retry changes (`ignored`).

    An event with neither id nor time is a new one each time it comes: nothing tells a repetition from the next use.
    """
    content = {name: value for name, value in members.items() if name not in ignored}
    text = normal_form(content if time is not None else [content, at.first_at.isoformat(), index])
    return f"content-{hash_id(text).hex}"
