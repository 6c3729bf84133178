"""CloudEvents 1.0 (and 0.3) over HTTP: structured, binary, batch, and a plain JSON array, from the raw body.

One bad event never spoils its batch: it becomes a `Rejection`. Only a body that is no JSON at all is refused whole.
The account is the extension attribute `account`, else the subject; then the person is `data.user`, if any.
"""

import base64
import binascii
from collections.abc import Mapping
from datetime import datetime
from email.message import Message
from functools import lru_cache
from typing import Any, Final
from urllib.parse import unquote_to_bytes

import msgspec

from valueplatform.core.errors import InvalidInputError
from valueplatform.telemetry.dialect import BYTE_ORDER_MARK, Parsed, check_count, check_size, json_items, rejection_of
from valueplatform.telemetry.event import Attributes, Event, Rejection, make_event
from valueplatform.telemetry.payload import RefusedEventError, check_depth, decode, too_deep, wire_number

ORIGIN: Final = "http"

_VERSIONS: Final = frozenset({"1.0", "0.3"})
_SIGNS_OF_BINARY: Final = ("ce-id", "ce-source", "ce-type", "ce-specversion")
_TEXTS: Final = ("id", "source", "type", "subject", "provider", "specversion", "datacontenttype", "data_base64")


class _Envelope(msgspec.Struct, gc=False):
    """The attributes that we keep, and the data, of one event in JSON. Anything else is left out."""

    id: str | None = None
    source: str | None = None
    type: str | None = None
    time: datetime | None = None
    subject: str | None = None
    account: str | int | None = None
    provider: str | None = None
    specversion: str | None = None
    datacontenttype: str | None = None
    datacontentencoding: str | None = None
    data: Any = None
    data_base64: str | None = None


_ENVELOPE: Final = msgspec.json.Decoder(_Envelope, float_hook=wire_number)
_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")


def parse_request(content_type: str, headers: Mapping[str, str], body: bytes, received_at: datetime) -> Parsed:
    """Read the events of an HTTP request; `headers` have lower-case names.

    Raises InvalidInputError where the body is not JSON, TooLargeError for more than 2,500 events.
    """
    media = _media(content_type)
    structured = media.kind.startswith("application/cloudevents")
    if not structured and any(name in headers for name in _SIGNS_OF_BINARY):
        return _parse_binary(content_type, headers, body, received_at)
    return parse_json(_as_utf8(body, media), received_at)


def parse_json(body: bytes, received_at: datetime) -> Parsed:
    """Events in JSON: one object, or an array of them, whatever the media type says."""
    raws = json_items(body)
    check_count(len(raws))
    events: list[Event] = []
    rejections: list[Rejection] = []
    for index, text in enumerate(raws):
        try:
            events.append(_structured(index, text, received_at))
        except RefusedEventError as refusal:
            rejections.append(rejection_of(index, text, refusal))
    return Parsed(events, rejections)


def _structured(index: int, text: bytes, received_at: datetime) -> Event:
    check_size(len(text))
    check_depth(text)
    try:
        envelope = _ENVELOPE.decode(text)
    except msgspec.ValidationError as error:
        raise _misfit(text, error) from error
    except UnicodeDecodeError as error:
        raise RefusedEventError("invalid_utf8", f"The event is not UTF-8: {error.reason}.") from error
    except msgspec.DecodeError as error:
        raise RefusedEventError("malformed", f"The event is not well-formed: {error}.") from error
    except RecursionError as error:
        raise too_deep() from error
    return _event(index, envelope, received_at)


def _event(index: int, envelope: _Envelope, received_at: datetime) -> Event:
    if envelope.specversion is not None and envelope.specversion not in _VERSIONS:
        raise RefusedEventError(
            "unsupported_specversion", f"specversion is {envelope.specversion[:20]!r}; CloudEvents 1.0 is spoken here."
        )
    if envelope.time is not None and envelope.time.tzinfo is None:
        raise RefusedEventError("time_without_zone", "time has no zone; write it like 2026-01-05T10:00:00Z.")
    data = envelope.data
    if envelope.data_base64 is not None:
        data = _from_bytes(_unbase64(envelope.data_base64), envelope.datacontenttype)
    elif envelope.datacontentencoding == "base64" and isinstance(data, str):
        data = _from_bytes(_unbase64(data), envelope.datacontenttype)
    account, subject = envelope.account, envelope.subject
    if account is None or account == "":
        account, subject = subject, _person(data)
    attributes = Attributes(
        id=envelope.id or "",
        source=envelope.source or "",
        type=envelope.type or "",
        account="" if account is None else str(account),
        time=envelope.time,
        subject=subject or None,
        provider=envelope.provider or None,
    )
    return make_event(index, attributes, data, received_at)


def _person(data: object) -> str | None:
    user = data.get("user") if isinstance(data, dict) else None
    return str(user) if isinstance(user, str | int) and not isinstance(user, bool) else None


def _misfit(text: bytes, error: msgspec.ValidationError) -> RefusedEventError:
    """Which attribute is of the wrong kind."""
    try:
        found = decode(text)
    except (msgspec.DecodeError, ValueError):
        return RefusedEventError("number_out_of_range", f"The event holds a number that cannot be read: {error}.")
    if not isinstance(found, dict):
        return RefusedEventError("not_an_object", "The event is not a JSON object.")
    for name in _TEXTS:
        if not isinstance(found.get(name), str | None):
            return RefusedEventError(f"invalid_{name}", f"{name} must be a string.")
    if not isinstance(found.get("account"), str | int | None):
        return RefusedEventError("invalid_account", "account must be a string.")
    return RefusedEventError("invalid_time", "time must be an RFC 3339 string with a zone, like 2026-01-05T10:00:00Z.")


def _parse_binary(content_type: str, headers: Mapping[str, str], body: bytes, received_at: datetime) -> Parsed:
    envelope: dict[str, object] = {}
    try:
        for name, value in headers.items():
            if name.startswith("ce-"):
                envelope[name[3:]] = _header_text(value)
        if body:
            envelope |= {"datacontenttype": content_type, "data_base64": base64.b64encode(body).decode()}
            check_size(sum(map(len, headers.values())) + len(body))
            check_depth(body)
        attributes = msgspec.convert(envelope, _Envelope)
        return Parsed([_event(0, attributes, received_at)], [])
    except UnicodeDecodeError:
        refusal = RefusedEventError("invalid_utf8", "A ce- header is not percent-encoded UTF-8.")
    except msgspec.ValidationError as error:
        refusal = _misfit(_ENCODER.encode(envelope), error)
    except RefusedEventError as error:
        refusal = error
    return Parsed([], [rejection_of(0, _ENCODER.encode(envelope), refusal)])


def _header_text(value: str) -> str:
    """The attribute in a header: percent-encoded UTF-8, perhaps in double quotes."""
    if len(value) > 1 and value[0] == value[-1] == '"':
        value = value[1:-1].replace('\\"', '"').replace("\\\\", "\\")
    return unquote_to_bytes(value.encode("latin-1")).decode()


def _unbase64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise RefusedEventError("invalid_data_base64", f"The data is not base64: {error}.") from error


def _from_bytes(content: bytes, content_type: str | None) -> object:
    """Data by its media type: JSON as its value, text as a string, anything else as `{"data_base64": …}`."""
    media = _media(content_type or "application/json")
    is_json = media.kind.endswith(("/json", "+json"))
    try:
        if is_json:
            return _json_data(_as_utf8(content, media))
        text = _as_utf8(content, media).decode()
    except (InvalidInputError, UnicodeDecodeError) as error:
        if is_json:
            raise RefusedEventError("invalid_data", f"The data is not what {content_type} says: {error}.") from error
        return {"data_base64": base64.b64encode(content).decode()}
    return {"data_base64": base64.b64encode(content).decode()} if "\0" in text else text


def _json_data(content: bytes) -> object:
    check_depth(content)
    try:
        return decode(content.removeprefix(BYTE_ORDER_MARK))
    except RecursionError as error:
        raise too_deep() from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise RefusedEventError("invalid_data", f"The data is not JSON: {error}.") from error


class _Media(msgspec.Struct, frozen=True):
    kind: str
    charset: str


@lru_cache(maxsize=256)
def _media(content_type: str) -> _Media:
    message = Message()
    message["content-type"] = content_type
    return _Media(message.get_content_type(), str(message.get_param("charset", "utf-8")).lower())


def _as_utf8(body: bytes, media: _Media) -> bytes:
    if media.charset in {"utf-8", "utf8", "us-ascii"}:
        return body
    try:
        return body.decode(media.charset).encode()
    except (LookupError, UnicodeError) as error:
        raise InvalidInputError(
            f"The body is not {media.charset} as its media type says: {error}; send UTF-8."
        ) from error
