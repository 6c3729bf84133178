"""What all JSON dialects share: the items of a body, the limits of a request, and how a refused item is kept."""

import re
from collections.abc import Sequence
from typing import Final

import msgspec

from valueplatform.core.errors import InvalidInputError, TooLargeError
from valueplatform.telemetry.event import Event, Rejection
from valueplatform.telemetry.payload import RefusedEventError, decode, too_deep

MOST_EVENTS: Final = 2_500
LARGEST_EVENT: Final = 64 * 1024
BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"

_HALVES: Final = re.compile(
    rb"\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
)
_ARRAY: Final = msgspec.json.Decoder(list[msgspec.Raw])
_OBJECT: Final = msgspec.json.Decoder(msgspec.Raw)


class Parsed(msgspec.Struct, frozen=True):
    """What one request holds; the indexes of both together count from 0 without a gap."""

    events: Sequence[Event]
    rejections: Sequence[Rejection]


def json_items(body: bytes) -> list[bytes]:
    """The text of each item of an array, or of the one object.

    Raises InvalidInputError where the body is neither, or nested too deeply.
    """
    try:
        return _items(body.removeprefix(BYTE_ORDER_MARK).strip())
    except RecursionError as error:
        raise InvalidInputError(too_deep().message) from error
    except ValueError as error:
        raise InvalidInputError(f"The body is not JSON: {error}; nothing was stored.") from error


def _items(body: bytes) -> list[bytes]:
    if body[:1] not in {b"[", b"{"}:
        raise InvalidInputError("The body is neither a JSON object nor an array of them; send CloudEvents as JSON.")
    try:
        return _raw_items(body)
    except msgspec.DecodeError:
        # Halves of surrogate pairs, as senders write that cut text in the middle of a sign, are JSON but no text, and
        # msgspec refuses the whole body for one. Without them it tells where the items are; only theirs is rejected.
        masked = _HALVES.sub(lambda match: b"\\u0000" if match[1] else match[0], body)
        if masked == body:
            raise
        items, end = [], 0
        for item in _raw_items(masked):
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


def rejection_of(index: int, text: bytes, refusal: RefusedEventError) -> Rejection:
    try:
        found = decode(text)
    except (msgspec.DecodeError, ValueError, RecursionError, RefusedEventError):
        found = None
    named: dict[str, object] = found if isinstance(found, dict) else {}
    account = named.get("account") or named.get("subject")
    return Rejection(
        index,
        _text(named.get("id")),
        refusal.reason,
        refusal.message,
        text.decode(errors="backslashreplace"),
        _text(account),
    )


def _text(value: object) -> str | None:
    """A value as it may be shown and stored: strings and integers only, cut to size, without U+0000."""
    if isinstance(value, str | int) and not isinstance(value, bool):
        return str(value).replace("\0", "")[:1024] or None
    return None
