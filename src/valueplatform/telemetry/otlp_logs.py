"""OTLP log records as events. The type is the event's name (the field, else the attribute `event.name`), else
`otlp.log`; the time is when it happened, else when it was observed.

`data` is flat, as that of data points: attributes of resource, scope and record, and `body`, `severity` (the text),
`severity_number`, `trace_id`, `span_id` where the record has them; an attribute that has one of these names is found
under `attribute.` and its name. The id is a hash of all that the record says, and of how many records of the request
said the same before it: so a clock that stands still between two clicks does not make one of them, and a request that
is sent again is known again.
"""

from collections import Counter
from typing import Final

from valueplatform.telemetry.event import Attributes, Event, hash_id, make_event
from valueplatform.telemetry.otlp_events import Reader, flat, moment, source_of
from valueplatform.telemetry.otlp_wire import Record, RecordItem
from valueplatform.telemetry.payload import RefusedEventError, normal_form

UNNAMED: Final = "otlp.log"
SAID: Final = frozenset({"body", "severity", "severity_number", "trace_id", "span_id"})


class LogReader:
    """Reads the records of one request. `equal_before` counts equal records that came before the request."""

    def __init__(self, reader: Reader, equal_before: int = 0) -> None:
        self._reader = reader
        self._equal_before = equal_before
        self._seen: Counter[bytes] = Counter()
        self._before = 0

    def event(self, index: int, item: RecordItem) -> Event:
        """Raises RefusedEventError for a record that cannot be taken."""
        self._before = 0
        around, record = item.surroundings(), item.record()
        time = record.time or record.observed
        if not time:
            raise RefusedEventError("missing_time", "The log record has no time; set timeUnixNano.")
        attributes = flat(around, record.attributes, SAID)
        kind = _type(record)
        data = attributes | _said(record)
        scope = [around.scope_name, around.scope_version, around.scope]
        content = normal_form(
            [around.resource, scope, record.attributes, kind, record.time, record.observed, _said(record)]
        )
        before = self._before = self._equal_before + self._seen[content]
        self._seen[content] += 1
        identity = hash_id(content + f" {before}".encode() if before else content)
        return make_event(
            index,
            Attributes(
                id=identity.hex,
                source=source_of(around),
                type=kind,
                account=self._reader.account(attributes),
                time=moment(time),
                subject=self._reader.person(attributes),
            ),
            data,
            self._reader.received_at,
        )

    def alone(self, item: RecordItem) -> str:
        """The record that was read last, as it is kept: with how many were equal to it before, so that each is kept."""
        text = item.alone()
        return f'{text[:-1]},"equalBefore":{self._before}}}' if self._before else text


def _type(record: Record) -> str:
    named = record.event_name or record.attributes.get("event.name")
    return named if isinstance(named, str) and named else UNNAMED


def _said(record: Record) -> dict[str, object]:
    found = {
        "body": record.body,
        "severity": record.severity_text or None,
        "severity_number": record.severity or None,
        "trace_id": record.trace_id or None,
        "span_id": record.span_id or None,
    }
    return {name: value for name, value in found.items() if value is not None}
