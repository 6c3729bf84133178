"""What all JSON dialects share: the items of a body, the limits of a request, and how a refused item is kept."""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Final

import msgspec

from valueplatform.core.errors import InvalidInputError, TooLargeError
from valueplatform.telemetry.event import NO_SHIFT, Event, Rejection, kept_text
from valueplatform.telemetry.payload import RefusedEventError, check_depth, decode, too_deep

MOST_EVENTS: Final = 2_500
LARGEST_EVENT: Final = 64 * 1024
BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"

_HALVES: Final = re.compile(
    rb"\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
)
_ARRAY: Final = msgspec.json.Decoder(list[msgspec.Raw])
_OBJECT: Final = msgspec.json.Decoder(msgspec.Raw)
_MEMBERS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])


class Parsed(msgspec.Struct, frozen=True):
    """What one request holds; the indexes of both together count from 0 without a gap. `clock` is what the times of its
    sender were corrected by."""

    events: Sequence[Event]
    rejections: Sequence[Rejection]
    clock: timedelta = NO_SHIFT


def json_items(body: bytes) -> list[bytes]:
    """The text of each item of an array, or of the one object.

    Raises InvalidInputError where the body is neither, or nested too deeply.
    """
    return _parts(body, b"[{", "neither a JSON object nor an array of them", _raw_items)


def json_members(body: bytes) -> dict[str, bytes]:
    """The text of each member of the one object. Raises InvalidInputError as `json_items` does."""
    names: list[str] = []

    def members(text: bytes) -> list[bytes]:
        found = _MEMBERS.decode(text)
        names[:] = found
        return [bytes(raw) for raw in found.values()]

    texts = _parts(body, b"{", "no JSON object", members)
    return dict(zip(names, texts, strict=True))


def _parts(body: bytes, starts: bytes, kind: str, read: Callable[[bytes], list[bytes]]) -> list[bytes]:
    body = body.removeprefix(BYTE_ORDER_MARK).strip()
    if not body or body[0] not in starts:
        raise InvalidInputError(f"The body is {kind}; nothing was stored.")
    try:
        return _texts(body, read)
    except RecursionError as error:
        raise InvalidInputError(too_deep().message) from error
    except ValueError as error:
        raise InvalidInputError(f"The body is not JSON: {error}; nothing was stored.") from error


def _texts(body: bytes, read: Callable[[bytes], list[bytes]]) -> list[bytes]:
    try:
        return read(body)
    except msgspec.DecodeError:
        # Halves of surrogate pairs, as senders write that cut text in the middle of a sign, are JSON but no text, and
        # msgspec refuses the whole body for one. Without them it tells where the items are; only theirs is rejected.
        masked = _HALVES.sub(lambda match: b"\\u0000" if match[1] else match[0], body)
        if masked == body:
            raise
        items, end = [], 0
        for item in read(masked):
            start = masked.index(item, end)
            end = start + len(item)
            items.append(body[start:end])
        return items


def _raw_items(body: bytes) -> list[bytes]:
    return [bytes(raw) for raw in _ARRAY.decode(body)] if body[:1] == b"[" else [bytes(_OBJECT.decode(body))]


def check_count(events: int) -> None:
    """Raises TooLargeError for more than 2,500 events."""
    if events > MOST_EVENTS:
        raise TooLargeError(f"{events} events in one request; send at most {MOST_EVENTS}.")


def check_size(size: int) -> None:
    """Raises RefusedEventError for an event of more than 64 KiB."""
    if size > LARGEST_EVENT:
        raise RefusedEventError("too_large", f"The event has {size} bytes; send at most {LARGEST_EVENT}.")


def decoded_object(text: bytes) -> dict[str, object]:
    """The members of one event, numbers exact. Raises RefusedEventError for what no event can be."""
    check_size(len(text))
    check_depth(text)
    try:
        found = decode(text)
    except UnicodeDecodeError as error:
        raise RefusedEventError("invalid_utf8", f"The event is not UTF-8: {error.reason}.") from error
    except msgspec.ValidationError as error:
        raise RefusedEventError(
            "number_out_of_range", f"The event holds a number that cannot be read: {error}."
        ) from error
    except ValueError as error:
        raise RefusedEventError("malformed", f"The event is not well-formed: {error}.") from error
    except RecursionError as error:
        raise too_deep() from error
    if not isinstance(found, dict):
        raise RefusedEventError("not_an_object", "The event is not a JSON object.")
    return found


def rejection_of(index: int, text: bytes, refusal: RefusedEventError) -> Rejection:
    """The rejection of a CloudEvent: its id and account as far as they can be read."""
    named = members_of(text)
    account = named.get("account") or named.get("subject")
    refused = rejection(index, text, refusal, named.get("id"), account)
    return msgspec.structs.replace(refused, source=_text(named.get("source")))


def members_of(text: bytes) -> Mapping[str, object]:
    """What can be read of an event that is to be rejected; nothing, where it is no object."""
    try:
        found = decode(text)
    except (msgspec.DecodeError, ValueError, RecursionError, RefusedEventError):
        return {}
    return found if isinstance(found, dict) else {}


def rejection(
    index: int, text: bytes, refusal: RefusedEventError, event_id: object = None, account: object = None
) -> Rejection:
    return Rejection(index, _text(event_id), refusal.reason, refusal.message, kept_text(text), _text(account))


def _text(value: object) -> str | None:
    """A value as it may be shown and stored: strings and integers only, cut to size, without U+0000."""
    if isinstance(value, str | int) and not isinstance(value, bool):
        return str(value).replace("\0", "")[:1024] or None
    return None
