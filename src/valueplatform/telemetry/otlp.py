"""OpenTelemetry over HTTP: metrics and logs, protobuf or JSON, one event for each data point and log record.

One bad point never spoils its request: it becomes a `Rejection`, which holds it as an OTLP/JSON request of its own.
Only a body that is no export request at all is refused whole.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Final

import msgspec

from valueplatform.core.errors import InvalidInputError, TooLargeError
from valueplatform.telemetry import cloudevents, otlp_json, otlp_protobuf
from valueplatform.telemetry.dialect import Parsed, check_count, check_size
from valueplatform.telemetry.event import Event, Rejection
from valueplatform.telemetry.otlp_accounts import DEFAULT_SECTION, OtlpSection
from valueplatform.telemetry.otlp_events import Reader, with_effect
from valueplatform.telemetry.otlp_logs import LogReader
from valueplatform.telemetry.otlp_metrics import metric_event
from valueplatform.telemetry.otlp_wire import AnyItem, Signal
from valueplatform.telemetry.payload import RefusedEventError
from valueplatform.telemetry.running_totals import RunningTotal

ORIGIN: Final = "otlp"
MOST_UNFOLDED: Final = 16 * 1024 * 1024
"""Bytes of all events of a request together: what stands around the points is repeated in each of them."""


class Encoding(StrEnum):
    PROTOBUF = "application/x-protobuf"
    JSON = "application/json"


class _Kept(msgspec.Struct, rename="camel"):
    """What a kept body says beside what was sent: `effect` of an event that `admission` refused, `equal_before` of a
    log record."""

    effect: RunningTotal | None = None
    equal_before: int = 0


_KEPT: Final = msgspec.json.Decoder(_Kept)


def parse_request(
    signal: Signal,
    encoding: Encoding,
    body: bytes,
    received_at: datetime,
    section: OtlpSection = DEFAULT_SECTION,
    *,
    equal_before: int = 0,
) -> Parsed:
    """The events of an export request. `equal_before`: how many log records were equal to each of these before them.

    Raises InvalidInputError where the body is none, TooLargeError for more than 2,500 events or 16 MiB of them.
    """
    reader = Reader(section, received_at)
    if signal is Signal.METRICS:
        points = otlp_json.metric_points(body) if encoding is Encoding.JSON else otlp_protobuf.metric_points(body)
        return _parsed(points, reader, lambda index, item: metric_event(index, item, reader), lambda item: item.alone())
    records = otlp_json.log_records(body) if encoding is Encoding.JSON else otlp_protobuf.log_records(body)
    log = LogReader(reader, equal_before)
    return _parsed(records, reader, log.event, log.alone)


def parse_rejected(body: str, received_at: datetime, section: OtlpSection = DEFAULT_SECTION) -> Parsed:
    """The event of a rejected body, to be tried again: a point or record as it was sent, or an event that was
    well-formed and could not be admitted. `section` is that of the model in force.

    Raises InvalidInputError where the body cannot be read.
    """
    content = body.encode()
    try:
        kept = _KEPT.decode(content)
    except (ValueError, RecursionError) as error:
        raise InvalidInputError(f"The body cannot be read: {error}.") from error
    for signal, field in ((Signal.METRICS, '{"resourceMetrics":'), (Signal.LOGS, '{"resourceLogs":')):
        if body.startswith(field):
            before = kept.equal_before
            return parse_request(signal, Encoding.JSON, content, received_at, section, equal_before=before)
    parsed = cloudevents.parse_json(content, received_at)
    effect = kept.effect
    return Parsed([with_effect(event, effect) if effect else event for event in parsed.events], parsed.rejections)


def _parsed(
    items: Sequence[AnyItem], reader: Reader, read: Callable[[int, AnyItem], Event], keep: Callable[[AnyItem], str]
) -> Parsed:
    check_count(len(items))
    events: list[Event] = []
    rejections: list[Rejection] = []
    size = 0
    for index, item in enumerate(items):
        try:
            check_size(item.size)
            event = read(index, item)
            unfolded = len(event.data_text or "")
            check_size(unfolded)
            events.append(event)
        except RefusedEventError as refusal:
            kept = keep(item)
            unfolded = len(kept)
            account = reader.seeming_account(item)
            rejections.append(Rejection(index, None, refusal.reason, refusal.message, kept, account))
        size += unfolded
        if size > MOST_UNFOLDED:
            raise TooLargeError(f"The events hold more than {MOST_UNFOLDED} bytes together; send fewer at a time.")
    return Parsed(events, rejections)
