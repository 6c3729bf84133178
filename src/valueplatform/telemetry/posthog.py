"""PostHog: a batch, a single event, or an array of events, as its libraries send them.

The account is a group of the event: of `properties.$groups` the one of type company, account or organization, else the
only one; of a `$groupidentify` the group that it speaks of. The person is `distinct_id`. The id is `uuid`, the source
`posthog`, the type the name of the event as it is, and the data its properties, without the key.

Times are corrected for the sender's clock, as PostHog does: timestamp + (received - sent_at), unless it is a
historical migration or says `$ignore_sent_at`; an `offset` says how many milliseconds ago the event was.
"""

import re
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

import msgspec

from valueplatform.core.errors import InvalidInputError
from valueplatform.telemetry.client_time import client_time
from valueplatform.telemetry.dialect import BYTE_ORDER_MARK, Parsed, json_items, json_members, members_of
from valueplatform.telemetry.event import NO_SHIFT, Attributes, Effect, Event, make_event
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
from valueplatform.telemetry.profiles import account_profile, person_profile

ORIGIN: Final = "posthog"
SOURCE: Final = "posthog"
ACCOUNT_GROUPS: Final = ("company", "account", "organization")

_OF_THE_REQUEST: Final = frozenset({"sent_at", "api_key", "token", "offset", "historical_migration"})
_KEY: Final = re.compile("vp_(?:ingest|partner|admin)_")
"""Also of a key whose secret was taken out, in the text of a rejected event."""
_GROUP: Final = "$groupidentify"
_LONGEST_OFFSET: Final = 10**14  # milliseconds; more than the calendar holds
_PERSON: Final = frozenset({"$identify", "$set"})


class PostHogRequest(msgspec.Struct, frozen=True):
    """What a request holds, and the key that its body names, if any."""

    api_key: str | None
    parsed: Parsed


def parse_posthog(body: bytes, received_at: datetime) -> PostHogRequest:
    """The body of a request to any of the addresses.

    Raises InvalidInputError where it is no JSON, or a batch that is no array, TooLargeError for too many events.
    """
    if body.removeprefix(BYTE_ORDER_MARK).lstrip()[:1] == b"[":
        items = json_items(body)
        key = _key_in(members_of(items[0])) if items else None
        return PostHogRequest(key, _parsed(items, Arrival.now(received_at, None)))
    members = json_members(body)
    if "batch" in members:
        if members["batch"][:1] != b"[":
            raise InvalidInputError("`batch` is no array; nothing was stored.")
        items = json_items(members["batch"])
    elif "event" in members:
        items = json_items(body)
    else:
        raise InvalidInputError("The body has neither `batch` nor `event`; nothing was stored.")
    historical = plain_value(members.get("historical_migration")) is True
    at = Arrival.now(received_at, None if historical else plain_value(members.get("sent_at")))
    named = {name: plain_value(members.get(name)) for name in ("api_key", "token", "properties")}
    return PostHogRequest(_key_in(named), _parsed(items, at))


def replay_posthog(body: bytes, first_at: datetime, received_at: datetime) -> Parsed:
    """A rejected event again. The clock of its sender is not corrected: when it was sent is not known any more."""
    return _parsed(json_items(body), Arrival(received_at, first_at))


def _key_in(members: Members) -> str | None:
    """Where libraries put the key; in a browser among the properties."""
    properties = members.get("properties")
    places = (members.get("api_key"), members.get("token"), _object(properties).get("token"))
    return next((key for key in places if isinstance(key, str) and key), None)


def _object(value: object) -> Members:
    return value if isinstance(value, dict) else {}


def _parsed(items: list[bytes], at: Arrival) -> Parsed:
    def read(index: int, text: bytes, members: Members) -> Event:
        return _event(index, text, members, at)

    return parse_items(items, read, _NAMING, at.shift)


def _event(index: int, text: bytes, members: Members, at: Arrival) -> Event:
    name = name_in(members, "event")
    if not name:
        raise RefusedEventError("missing_event", "The event has no name; set event.")
    properties = members.get("properties")
    if not isinstance(properties, dict | None):
        raise RefusedEventError("invalid_properties", "properties must be an object.")
    said = _object(properties)
    account = _account(name, said)
    if not account:
        raise RefusedEventError(
            "missing_account", "The event names no account; set a group of type company to the key of the account."
        )
    time = client_time("timestamp", members.get("timestamp"))
    data = _data(properties, members)
    content = {**members, "properties": data}
    attributes = Attributes(
        id=name_in(members, "uuid") or id_from_content(index, content, time, _OF_THE_REQUEST, at),
        source=SOURCE,
        type=name,
        account=account,
        time=time,
        subject=name_in(members, "distinct_id") or name_in(said, "distinct_id") or None,
    )
    event = make_event(index, attributes, data, at.received_at, _shift(time, members, said, at))
    return msgspec.structs.replace(event, raw=text, effect=_effect(name, account, said, members))


def _account(event: str, properties: Members) -> str:
    described = name_in(properties, "$group_type") if event == _GROUP else ""
    if described in ACCOUNT_GROUPS:
        return name_in(properties, "$group_key")
    groups = _object(properties.get("$groups"))
    kind = next((kind for kind in ACCOUNT_GROUPS if groups.get(kind) not in (None, "")), None)
    if kind is not None:
        return name_in(groups, kind)
    if len(groups) == 1:
        return name_in(groups, *groups)
    return name_in(properties, "$group_key") if described and not groups else ""


def _shift(time: datetime | None, members: Members, properties: Members, at: Arrival) -> timedelta:
    if time is not None:
        return NO_SHIFT if properties.get("$ignore_sent_at") is True else at.shift
    offset = members.get("offset")
    if offset is None:
        return at.first_at - at.received_at
    if isinstance(offset, bool) or not isinstance(offset, int | Decimal):
        raise RefusedEventError("invalid_offset", "offset must be a number of milliseconds.")
    if not -_LONGEST_OFFSET < offset < _LONGEST_OFFSET:
        raise RefusedEventError("invalid_offset", "offset reaches beyond the calendar.")
    return at.first_at - at.received_at - timedelta(microseconds=int(offset * 1000))


def _data(properties: Members | None, members: Members) -> object:
    """The properties without the key that libraries for browsers put there, and with what older ones put beside."""
    set_beside = members.get("$set")
    if properties is None:
        return None if set_beside is None else {"$set": set_beside}
    data = {} if set_beside is None else {"$set": set_beside}
    data.update(properties)
    token = data.get("token")
    if isinstance(token, str) and _KEY.match(token):
        del data["token"]
    return data


def _effect(event: str, account: str, properties: Members, members: Members) -> Effect | None:
    if event == _GROUP:
        own = str(properties.get("$group_key")) == account
        return account_profile(properties.get("$group_set")) if own else None
    if event in _PERSON:
        return person_profile(properties.get("$set", members.get("$set")))
    return None


def _named_account(members: Members) -> object:
    try:
        return _account(str(members.get("event")), _object(members.get("properties")))
    except RefusedEventError:
        return None


_NAMING: Final = Naming(id=lambda members: members.get("uuid"), account=_named_account)
