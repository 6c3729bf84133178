"""Each dialect by the way in that it speaks on, for events that are read again."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from valueplatform.telemetry import cloudevents, otlp, posthog, segment
from valueplatform.telemetry.dialect import Parsed
from valueplatform.telemetry.otlp_accounts import OtlpSection

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
