from datetime import timedelta

import msgspec
import pytest

from tests.telemetry.factories import NOW, cloud_event
from tests.telemetry.test_otlp import metrics, point
from tests.telemetry.test_posthog import used
from tests.telemetry.test_segment import call
from valueplatform.core.errors import InvalidInputError
from valueplatform.telemetry.dialects import Spoken, parsed_as, replayed
from valueplatform.telemetry.otlp_accounts import DEFAULT_SECTION

LATER = NOW + timedelta(days=3)


@pytest.mark.parametrize(
    ("origin", "body", "source"),
    [
        ("http", cloud_event(), "/app"),
        ("import", cloud_event(), "/app"),
        ("segment", call(), "segment"),
        ("posthog", used(), "posthog"),
        ("otlp", metrics("gauge", point(asInt=1, timeUnixNano=str(int(NOW.timestamp()) * 10**9))), "otlp/app"),
    ],
)
def test_an_event_is_read_again_by_the_dialect_that_it_came_in_by(origin: str, body: object, source: str) -> None:
    parsed = replayed(origin, msgspec.json.encode(body).decode(), NOW, LATER, DEFAULT_SECTION)
    assert [event.source for event in parsed.events] == [source]
    assert not parsed.rejections


@pytest.mark.parametrize(("origin", "early"), [("segment", call), ("posthog", used)])
def test_what_came_too_early_is_taken_once_its_time_has_come(origin: str, early: object) -> None:
    assert callable(early)
    body = msgspec.json.encode(early(timestamp="2026-06-04T10:00:00Z")).decode()
    (refused,) = replayed(origin, body, NOW, NOW, DEFAULT_SECTION).rejections
    assert refused.code == "time_in_future"
    (event,) = replayed(origin, body, NOW, LATER, DEFAULT_SECTION).events
    assert event.time.day == 4


@pytest.mark.parametrize("origin", ["http", "import", "segment", "posthog", "otlp"])
def test_what_never_was_an_event_cannot_be_read_again(origin: str) -> None:
    with pytest.raises(InvalidInputError):
        replayed(origin, "a,b", NOW, LATER, DEFAULT_SECTION)


NANOSECONDS = str(int(NOW.timestamp()) * 10**9)
RECORD = {
    "timeUnixNano": NANOSECONDS,
    "eventName": "job.done",
    "attributes": [{"key": "account", "value": {"stringValue": "acme"}}],
}


@pytest.mark.parametrize(
    ("spoken", "body", "source"),
    [
        (Spoken.CLOUDEVENTS, cloud_event(), "/app"),
        (Spoken.CLOUDEVENTS, [cloud_event()], "/app"),
        (Spoken.SEGMENT, call(), "segment"),
        (Spoken.SEGMENT, {"batch": [call()]}, "segment"),
        (Spoken.POSTHOG, used(), "posthog"),
        (Spoken.OTLP_METRICS, metrics("gauge", point(asInt=1, timeUnixNano=NANOSECONDS)), "otlp/app"),
        (Spoken.OTLP_LOGS, {"resourceLogs": [{"scopeLogs": [{"logRecords": [RECORD]}]}]}, "otlp"),
    ],
)
def test_a_body_is_read_as_its_address_would_read_it(spoken: Spoken, body: object, source: str) -> None:
    parsed = parsed_as(spoken, msgspec.json.encode(body), NOW, DEFAULT_SECTION)
    assert [event.source for event in parsed.events] == [source]
    assert not parsed.rejections
    assert spoken.origin in {"http", "segment", "posthog", "otlp"}


@pytest.mark.parametrize("spoken", Spoken)
def test_what_is_no_body_of_its_dialect_is_refused_in_words(spoken: Spoken) -> None:
    with pytest.raises(InvalidInputError, match="body"):
        parsed_as(spoken, b"<xml>", NOW, DEFAULT_SECTION)
