import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.telemetry.captures import captured_bodies
from tests.telemetry.factories import NOW
from valueplatform.core.errors import InvalidInputError, TooLargeError
from valueplatform.telemetry.dialect import LARGEST_EVENT, MOST_EVENTS, Parsed
from valueplatform.telemetry.event import Event, Rejection
from valueplatform.telemetry.groups import NOWHERE, Unplaced
from valueplatform.telemetry.profiles import Profile
from valueplatform.telemetry.segment import BATCH, CALLS, parse_segment, replay_segment

KEY = f"vp_ingest_{'0' * 32}_{'a' * 43}"


def call(**changes: Any) -> dict[str, Any]:
    """A track call in a batch; a change to None leaves the member out."""
    message: dict[str, Any] = {
        "type": "track",
        "messageId": "m-1",
        "userId": "kim",
        "event": "Job Done",
        "timestamp": "2026-06-01T10:00:00.000Z",
        "context": {"groupId": "acme", "library": {"name": "analytics-python"}},
        "properties": {"minutes": 12.5},
    }
    return {name: value for name, value in (message | changes).items() if value is not None}


def parse(*messages: object, **members: Any) -> Parsed:
    return parse_segment(BATCH, msgspec.json.encode({"batch": messages, **members}), NOW).parsed


def one(message: object, **members: Any) -> Event:
    parsed = parse(message, **members)
    assert not parsed.rejections
    (event,) = parsed.events
    return event


def refused(message: object) -> Rejection:
    parsed = parse(message)
    assert not parsed.events
    (rejection,) = parsed.rejections
    return rejection


def test_a_track_call_is_an_event_of_its_name() -> None:
    event = one(call())
    assert (event.id, event.source, event.type) == ("m-1", "segment", "Job Done")
    assert (event.account, event.subject, event.data_text) == ("acme", "kim", '{"minutes":12.5}')
    assert event.time.isoformat() == "2026-06-01T10:00:00+00:00"
    assert event.effect is None


@pytest.mark.parametrize(
    ("changes", "kind", "data"),
    [
        ({"type": "page", "name": "Home", "properties": {"a": 1}}, "segment.page", '{"a":1,"name":"Home"}'),
        ({"type": "page", "properties": None}, "segment.page", None),
        ({"type": "screen", "name": "Home", "properties": None}, "segment.screen", '{"name":"Home"}'),
        ({"type": "identify", "traits": {"plan": "pro"}}, "segment.identify", '{"plan":"pro"}'),
        ({"type": "group", "groupId": "acme", "traits": {"seats": 5}}, "segment.group", '{"seats":5}'),
        ({"type": "alias", "previousId": "anon"}, "segment.alias", '{"previousId":"anon"}'),
    ],
)  # fmt: skip
def test_other_calls_have_a_type_of_their_own(changes: dict[str, Any], kind: str, data: str | None) -> None:
    event = one(call(**changes))
    assert (event.type, event.data_text) == (kind, data)


def test_the_account_is_the_group_of_the_context_and_of_group_calls_their_own() -> None:
    assert one(call(groupId="other")).account == "acme"
    assert one(call(context=None, groupId="own")).account == "own"
    assert one(call(type="group", groupId="own")).account == "own"
    assert one(call(type="group")).account == "acme"
    assert one(call(context={"groupId": 42})).account == "42"
    for nobody in (call(context={"groupId": None}, userId=None), call(type="group", context=None)):
        missing = refused(nobody)
        assert (missing.code, missing.id, missing.account) == ("missing_account", "m-1", None)
        assert "context.groupId" in missing.message


def test_of_a_person_without_a_group_the_account_is_yet_to_be_found() -> None:
    event = one(call(context=None))
    assert (event.account, event.effect, event.subject) == (NOWHERE, Unplaced(None), "kim")
    identify = one(call(type="identify", context=None, traits={"email": "kim@acme.example"}))
    assert identify.effect == Unplaced(Profile(email="kim@acme.example"))


def test_the_person_is_the_user_else_the_anonymous_visitor() -> None:
    assert one(call(userId=None, anonymousId="a-1")).subject == "a-1"
    assert one(call(userId="", anonymousId="a-1")).subject == "a-1"
    assert one(call(userId=7)).subject == "7"
    assert one(call(userId=None)).subject is None


def test_what_a_retry_changes_changes_nothing() -> None:
    first = one(call(), sentAt="2026-06-01T11:59:59.000Z", writeKey=KEY)
    again = one(call(), sentAt="2026-06-01T11:59:30.000Z")
    assert (first.key, first.body_hash, first.time) == (again.key, again.body_hash, again.time)
    wrong_clock = one(call(), sentAt="2026-05-31T12:00:00.000Z")
    assert (first.key, first.body_hash) == (wrong_clock.key, wrong_clock.body_hash)


def test_a_clock_that_is_wrong_is_corrected() -> None:
    hour_ahead = NOW + timedelta(hours=1)
    sent = {"sentAt": hour_ahead.isoformat()}
    done = hour_ahead - timedelta(minutes=5)
    assert one(call(timestamp=done.isoformat()), **sent).time == NOW - timedelta(minutes=5)
    assert one(call(timestamp=None, originalTimestamp=done.isoformat()), **sent).time == NOW - timedelta(minutes=5)
    both = call(timestamp=NOW.isoformat(), originalTimestamp=done.isoformat())
    assert one(both, **sent).time == NOW  # corrected before
    assert one(call(timestamp="2027-06-01T10:00:00Z"), sentAt="2027-06-01T10:00:00Z").time == NOW
    assert one(call(timestamp=None), **sent).time == NOW
    assert one(call(), sentAt="whenever").time == one(call()).time


def test_an_event_without_an_id_has_one_from_its_content() -> None:
    bare = call(messageId=None)
    first, again = one(bare, sentAt="2026-06-01T12:00:00Z"), one(bare, sentAt="2026-06-01T12:00:02Z")
    assert first.id.startswith("content-")
    assert (first.key, first.body_hash) == (again.key, again.body_hash)
    assert one(call(messageId=None, userId="lee")).key != first.key
    assert one(call(messageId=None, event="Other")).key != first.key


def test_two_events_with_neither_id_nor_time_are_two() -> None:
    bare = call(messageId=None, timestamp=None)
    events = [
        *parse(bare, bare).events,
        *parse_segment(BATCH, msgspec.json.encode({"batch": [bare]}), NOW + timedelta(seconds=1)).parsed.events,
    ]
    assert len({event.key for event in events}) == 3


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"type": None}, "invalid_type"),
        ({"type": "import"}, "invalid_type"),
        ({"type": ["track"]}, "invalid_type"),
        ({"event": None}, "missing_event"),
        ({"event": ["x"]}, "invalid_event"),
        ({"messageId": {}}, "invalid_message_id"),
        ({"userId": 1.5}, "invalid_user_id"),
        ({"userId": True}, "invalid_user_id"),
        ({"context": {"groupId": ["x"]}}, "invalid_group_id"),
        ({"context": "acme", "userId": None}, "missing_account"),
        ({"timestamp": "soon"}, "invalid_time"),
        ({"timestamp": "2026-06-02T12:00:01Z"}, "time_in_future"),
        ({"timestamp": "0001-01-01T00:00:00+10:00"}, "invalid_time"),
        ({"event": "x" * 256}, "attribute_too_long"),
        ({"messageId": "a\0"}, "invalid_attribute"),
        ({"properties": {"a": "\0"}}, "null_character"),
        ({"properties": {"a": "x" * LARGEST_EVENT}}, "too_large"),
    ],
)  # fmt: skip
def test_one_bad_event_is_rejected_with_a_code_and_the_rest_is_taken(changes: dict[str, Any], code: str) -> None:
    bad = call(**changes)
    parsed = parse(call(messageId="a"), bad, call(messageId="b"))
    assert [event.index for event in parsed.events] == [0, 2]
    (rejection,) = parsed.rejections
    assert (rejection.index, rejection.code) == (1, code)
    assert rejection.message.endswith(".")
    assert json.loads(rejection.body) == bad


@pytest.mark.parametrize(
    ("item", "code"),
    [
        (b"5", "not_an_object"),
        (b"[]", "not_an_object"),
        (b'{"messageId":"\xff"}', "invalid_utf8"),
        (rb'{"messageId":"\ud83d"}', "malformed"),
        (b'{"properties":' + b"1" * 5000 + b"}", "number_out_of_range"),
        (b'{"properties":1e999999999}', "number_out_of_range"),
        (b'{"properties":' + b"[" * 101 + b"]" * 101 + b"}", "too_deep"),
    ],
)
def test_what_no_event_could_be_is_rejected_without_its_neighbors(item: bytes, code: str) -> None:
    body = b'{"sentAt":"2026-06-01T12:00:00Z","batch":[' + item + b" , " + msgspec.json.encode(call()) + b'],"x":1}'
    parsed = parse_segment(BATCH, body, NOW).parsed
    assert [event.index for event in parsed.events] == [1]
    assert [(rejection.index, rejection.code) for rejection in parsed.rejections] == [(0, code)]
    assert parsed.rejections[0].body == item.decode(errors="backslashreplace")


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"[]", b"5", b"{", b'{"batch":{}}', b'{"batch":"x"}', b"{}", b'{"batch":[1,]}', b'{"batch":[{}]}}'),
        *(b"[" * 10_000, b'{"batch":' * 10_000, b'{"batch":[NaN]}', b"\xff", b'{"a":\xff}'),
    ],
)
def test_a_body_that_is_no_batch_is_refused_whole(body: bytes) -> None:
    with pytest.raises(InvalidInputError):
        parse_segment(BATCH, body, NOW)


def test_more_than_2500_events_are_too_many() -> None:
    assert len(parse(*[call()] * MOST_EVENTS).events) == MOST_EVENTS
    with pytest.raises(TooLargeError, match="2501 events"):
        parse(*[call()] * (MOST_EVENTS + 1))


@pytest.mark.parametrize("name", CALLS)
def test_a_single_call_is_what_its_address_says(name: str) -> None:
    body = msgspec.json.encode({**call(type=None, groupId="acme"), "writeKey": KEY, "sentAt": NOW.isoformat()})
    found = parse_segment(name, body, NOW)
    (event,) = found.parsed.events
    assert (event.type, found.write_key) == ("Job Done" if name == "track" else f"segment.{name}", KEY)
    in_batch = one(call(type=name, groupId="acme"))
    assert (event.key, event.body_hash) == (in_batch.key, in_batch.body_hash)


def test_an_empty_call_is_rejected_and_says_what_it_was() -> None:
    (rejection,) = parse_segment("identify", b" { } ", NOW).parsed.rejections
    assert (rejection.code, json.loads(rejection.body)) == ("missing_account", {"type": "identify"})


def test_a_rejected_call_is_kept_without_the_key_and_read_again_as_what_it_was() -> None:
    body = msgspec.json.encode({**call(type=None, context=None, userId=None), "writeKey": KEY})
    (rejection,) = parse_segment("track", body, NOW).parsed.rejections
    assert "a" * 43 not in rejection.body
    (again,) = replay_segment(rejection.body.encode(), NOW, NOW + timedelta(days=9)).rejections
    assert (again.code, again.body) == (rejection.code, rejection.body)
    mended = rejection.body.replace('"event"', '"userId":"kim","context":{"groupId":"acme"},"event"')
    (event,) = replay_segment(mended.encode(), NOW, NOW + timedelta(days=9)).events
    assert (event.type, event.time.isoformat()) == ("Job Done", "2026-06-01T10:00:00+00:00")
    assert (event.key, event.body_hash) == (one(call()).key, one(call()).body_hash)


def test_a_replay_keeps_the_time_and_id_of_the_first_arrival() -> None:
    bare = call(messageId=None, timestamp=None)
    first = one(bare)
    (event,) = replay_segment(msgspec.json.encode(bare), NOW, NOW + timedelta(days=9)).events
    assert (event.key, event.body_hash, event.time) == (first.key, first.body_hash, NOW)


def test_identify_and_group_calls_say_who_they_speak_of() -> None:
    group = one(call(type="group", groupId="acme", traits={"name": "Acme Inc.", "seats": 5, "gone": None}))
    assert group.effect == Profile(account_name="Acme Inc.", attributes={"seats": 5}, joins="kim")
    assert one(call(type="group", groupId="acme")).effect == Profile(joins="kim")
    assert one(call(type="group", groupId="acme", userId=None)).effect is None
    identify = one(call(type="identify", traits={"email": " Kim@Acme.Example ", "firstName": "Kim", "lastName": "Lee"}))
    assert identify.effect == Profile(email="kim@acme.example", person_name="Kim Lee")
    assert one(call(type="identify", traits={"name": "Kim"})).effect is None
    assert one(call(traits={"email": "kim@acme.example"})).effect is None


@pytest.mark.parametrize("name", ["py-segment", "py-segment-gzip", "py-segment-identify-group-track"])
def test_the_requests_of_real_clients_are_read(shared: Path, name: str) -> None:
    for body in captured_bodies(shared, name):
        found = parse_segment(BATCH, body, datetime.fromisoformat("2026-11-22T06:39:03+00:00"))
        assert (found.write_key, found.parsed.rejections) == ("wk_test_123", [])
        track = found.parsed.events[0]
        assert (track.type, track.account, track.subject) == ("Report Exported", "acme", "user-1")
        assert track.data == {"account": "acme", "minutes_saved": msgspec.json.decode(b"12.5"), "amount": 199}


def test_a_retry_of_a_real_client_is_the_same_event(shared: Path) -> None:
    *_, first, again = captured_bodies(shared, "py-segment")
    assert first != again
    (one_event,), (other,) = (parse_segment(BATCH, body, NOW).parsed.events for body in (first, again))
    assert (one_event.key, one_event.body_hash) == (other.key, other.body_hash)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
NAMES = ("messageId", "userId", "anonymousId", "event", "timestamp", "originalTimestamp", "traits", "properties")
messages = st.fixed_dictionaries(
    {"type": st.sampled_from(CALLS) | json_values},
    optional={**dict.fromkeys(NAMES, json_values), "groupId": json_values, "context": st.just({"groupId": "a"})},
)


@given(st.sampled_from([BATCH, *CALLS]), st.binary(max_size=200))
def test_any_bytes_at_all_are_events_rejections_or_refused_whole(name: str, body: bytes) -> None:
    try:
        parsed = parse_segment(name, body, NOW).parsed
    except InvalidInputError:
        return
    assert len(parsed.events) + len(parsed.rejections) == 1


@given(st.lists(messages | json_values, max_size=5), json_values)
def test_every_item_of_any_batch_is_an_event_or_a_rejection_and_can_be_read_again(
    items: list[object], sent_at: object
) -> None:
    body = json.dumps({"batch": items, "sentAt": sent_at}).encode()
    parsed = parse_segment(BATCH, body, NOW).parsed
    assert sorted([event.index for event in parsed.events] + [refusal.index for refusal in parsed.rejections]) == list(
        range(len(items))
    )
    for rejection in parsed.rejections:
        if rejection.body[:1] in {"[", "{"}:
            replay_segment(rejection.body.encode(), NOW, NOW)
