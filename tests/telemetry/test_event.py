from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from tests.telemetry.factories import NOW
from valueplatform.telemetry.event import Attributes, Event, event_key, make_event
from valueplatform.telemetry.payload import RefusedEventError, decode


def event(data: str | None = None, time: datetime | None = NOW, **changes: Any) -> Event:
    attributes: dict[str, Any] = {"id": "1", "source": "/app", "type": "job.done", "account": "acme"}
    return make_event(0, Attributes(**{**attributes, **changes}, time=time), decode(data) if data else None, NOW)


def reason(**changes: Any) -> str:
    with pytest.raises(RefusedEventError) as caught:
        event(**changes)
    return caught.value.reason


def test_the_key_is_of_source_and_id_and_does_not_confuse_where_one_ends() -> None:
    assert event(source="/a", id="bc").key != event(source="/ab", id="c").key
    assert event(account="other", type="other").key == event().key == event_key("/app", "1")


def test_the_body_hash_tells_bodies_apart() -> None:
    hashes = [
        event().body_hash,
        event(type="x").body_hash,
        event(account="x").body_hash,
        event(subject="x").body_hash,
        event(time=NOW - timedelta(microseconds=1)).body_hash,
        event(time=None).body_hash,
        event('{"a":1}').body_hash,
        event('{"a":"1"}').body_hash,
        event('{"a":null}').body_hash,
    ]
    assert len(set(hashes)) == len(hashes)


def test_the_body_hash_leaves_out_what_transport_and_server_add() -> None:
    late = make_event(7, Attributes(id="1", source="/app", type="job.done", account="acme", time=None), None, NOW)
    later = NOW + timedelta(hours=3)
    again = make_event(0, Attributes(id="1", source="/app", type="job.done", account="acme", time=None), None, later)
    assert late.body_hash == again.body_hash
    assert event(provider="partner").body_hash == event().body_hash


def test_the_body_hash_is_of_meaning_not_of_spelling() -> None:
    assert event('{"n":199,"m":[1.50]}').body_hash == event('{ "m": [1.5], "n": 199.0 }').body_hash
    eastern = NOW.astimezone(timezone(timedelta(hours=-5)))
    assert event(time=eastern).body_hash == event(time=NOW).body_hash
    assert event(time=eastern).time == NOW


def test_null_data_is_no_data() -> None:
    assert event("null").body_hash == event().body_hash
    assert event("null").data_text is None


def test_text_of_any_script_is_taken() -> None:
    assert event(id="注文-٣-🌎", account="Größe & Söhne", subject="\u200bñ").id == "注文-٣-🌎"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"id": ""}, "missing_id"),
        ({"source": ""}, "missing_source"),
        ({"type": ""}, "missing_type"),
        ({"account": ""}, "missing_account"),
        ({"id": "x" * 1025}, "attribute_too_long"),
        ({"type": "x" * 256}, "attribute_too_long"),
        ({"account": "x" * 201}, "attribute_too_long"),
        ({"subject": "a\0b"}, "invalid_attribute"),
        ({"id": "a\nb"}, "invalid_attribute"),
        ({"source": "a\x85b"}, "invalid_attribute"),
    ],
)
def test_what_cannot_stand_in_an_attribute_is_refused_by_name(changes: dict[str, str], code: str) -> None:
    assert reason(**changes) == code


def test_attributes_at_their_limits_are_taken() -> None:
    longest = event(id="i" * 1024, source="s" * 1024, type="t" * 255, account="a" * 200, subject="u" * 1024)
    assert len(longest.id) == 1024


@pytest.mark.parametrize(("ahead", "taken"), [(-1, True), (0, True), (1, False)])
def test_a_time_is_taken_up_to_24_hours_ahead_to_the_second(ahead: int, *, taken: bool) -> None:
    time = NOW + timedelta(hours=24, seconds=ahead)
    if taken:
        assert event(time=time).time == time
        return
    with pytest.raises(RefusedEventError, match="24 hours ahead") as caught:
        event(time=time)
    assert caught.value.reason == "time_in_future"


def test_any_age_is_taken_but_not_before_the_calendar_begins() -> None:
    assert event(time=datetime(1583, 1, 1, tzinfo=UTC)).time.year == 1583
    for far in (datetime(1, 6, 1, tzinfo=UTC), datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=5)))):
        with pytest.raises(RefusedEventError) as caught:
            event(time=far)
        assert caught.value.reason == "invalid_time"


def test_without_a_time_an_event_happened_when_it_was_received() -> None:
    assert event(time=None).time == NOW


def test_a_local_time_is_left_to_the_account_and_compared_as_it_was_written() -> None:
    local = datetime(2026, 1, 1)  # noqa: DTZ001 - files give local times
    assert event(time=local).time == local
    assert event(time=local).body_hash != event(time=local.replace(tzinfo=UTC)).body_hash
