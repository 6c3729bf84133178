"""Each dialect by the way in that it speaks on, for events that are read again, or tried before they are sent."""

from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Final

from valueplatform.telemetry import cloudevents, otlp, posthog, segment
from valueplatform.telemetry.dialect import Parsed
from valueplatform.telemetry.otlp_accounts import OtlpSection
from valueplatform.telemetry.otlp_wire import Signal

Replay = Callable[[bytes, datetime, datetime], Parsed]
"""The kept text of one event, when it came first, and the present."""


def _replay_cloudevents(body: bytes, _first_at: datetime, received_at: datetime) -> Parsed:
    return cloudevents.parse_json(body, received_at)


_REPLAYS: Final[Mapping[str, Replay]] = {
    cloudevents.ORIGIN: _replay_cloudevents,
    segment.ORIGIN: segment.replay_segment,
    posthog.ORIGIN: posthog.replay_posthog,
}


def replayed(origin: str, body: str, first_at: datetime, received_at: datetime, section: OtlpSection) -> Parsed:
    """A rejected event, read by the dialect that it came in by; rows of files are kept as CloudEvents.

    `section` is that of the model in force. Raises InvalidInputError for what never was an event.
    """
    if origin == otlp.ORIGIN:
        return otlp.parse_rejected(body, received_at, section)
    return _REPLAYS.get(origin, _replay_cloudevents)(body.encode(), first_at, received_at)


class Spoken(StrEnum):
    """What a body may be written in, as far as it is text."""

    CLOUDEVENTS = "cloudevents"
    SEGMENT = "segment"
    POSTHOG = "posthog"
    OTLP_METRICS = "otlp-metrics"
    OTLP_LOGS = "otlp-logs"

    @property
    def origin(self) -> str:
        """The way in of such bodies."""
        return _ORIGINS[self]


_ORIGINS: Final[Mapping[Spoken, str]] = {
    Spoken.CLOUDEVENTS: cloudevents.ORIGIN,
    Spoken.SEGMENT: segment.ORIGIN,
    Spoken.POSTHOG: posthog.ORIGIN,
    Spoken.OTLP_METRICS: otlp.ORIGIN,
    Spoken.OTLP_LOGS: otlp.ORIGIN,
}


def parsed_as(spoken: Spoken, body: bytes, received_at: datetime, section: OtlpSection) -> Parsed:
    """The body of a request, as its address would read it.

    Raises InvalidInputError where it is none of that dialect, TooLargeError for too many events.
    """
    match spoken:
        case Spoken.CLOUDEVENTS:
            return cloudevents.parse_json(body, received_at)
        case Spoken.SEGMENT:
            return segment.parse_segment(segment.BATCH, body, received_at).parsed
        case Spoken.POSTHOG:
            return posthog.parse_posthog(body, received_at).parsed
        case Spoken.OTLP_METRICS:
            return otlp.parse_request(Signal.METRICS, otlp.Encoding.JSON, body, received_at, section)
        case Spoken.OTLP_LOGS:
            return otlp.parse_request(Signal.LOGS, otlp.Encoding.JSON, body, received_at, section)
