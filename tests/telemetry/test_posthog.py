import json
from datetime import UTC, datetime, timedelta
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
from valueplatform.telemetry.posthog import parse_posthog, replay_posthog
from valueplatform.telemetry.profiles import Profile

KEY = f"vp_ingest_{'0' * 32}_{'a' * 43}"
COMPANY = {"$groups": {"company": "acme"}}


def used(**changes: Any) -> dict[str, Any]:
    """An event in a batch; a change to None leaves the member out."""
    event: dict[str, Any] = {
        "event": "Job Done",
        "uuid": "u-1",
        "distinct_id": "kim",
        "timestamp": "2026-06-01T10:00:00.000Z",
        "properties": {"minutes": 12.5, **COMPANY},
    }
    return {name: value for name, value in (event | changes).items() if value is not None}


def parse(*events: object, **members: Any) -> Parsed:
    return parse_posthog(msgspec.json.encode({"api_key": KEY, "batch": events, **members}), NOW).parsed


def one(event: object, **members: Any) -> Event:
    parsed = parse(event, **members)
    assert not parsed.rejections
    (found,) = parsed.events
    return found


def refused(event: object) -> Rejection:
    parsed = parse(event)
    assert not parsed.events
    (rejection,) = parsed.rejections
    return rejection


def grouped(**groups: object) -> dict[str, Any]:
    return used(properties={"$groups": groups})


def test_an_event_is_what_its_name_says_with_its_properties_as_data() -> None:
    event = one(used())
    assert (event.id, event.source, event.type) == ("u-1", "posthog", "Job Done")
    assert (event.account, event.subject) == ("acme", "kim")
    assert event.data_text == '{"$groups":{"company":"acme"},"minutes":12.5}'
    assert event.time.isoformat() == "2026-06-01T10:00:00+00:00"


def test_all_forms_give_the_same_event() -> None:
    bodies = [
        {"api_key": KEY, "batch": [used()]},
        {"token": KEY, **used()},
        {"api_key": KEY, **used()},
        [{**used(), "token": KEY}],
    ]
    found = [parse_posthog(msgspec.json.encode(body), NOW) for body in bodies]
    assert {request.api_key for request in found} == {KEY}
    events = [event for request in found for event in request.parsed.events]
    assert len(events) == len(bodies)
    assert len({(event.key, event.body_hash) for event in events}) == 1


def test_the_key_among_the_properties_opens_and_is_not_stored() -> None:
    body = used(properties={"token": KEY, "n": 1, **COMPANY})
    for shape in (body, [body]):
        found = parse_posthog(msgspec.json.encode(shape), NOW)
        assert found.api_key == KEY
        assert found.parsed.events[0].data == {"n": 1, **COMPANY}
    assert one(used(properties={"token": "metro", **COMPANY})).data == {"token": "metro", **COMPANY}
    bare = used(uuid=None, properties={"token": KEY, "n": 1})
    rejection = refused(bare)
    assert (rejection.code, "a" * 43 in rejection.body) == ("missing_account", False)
    mended = rejection.body.replace('"n":1', '"n":1,"$groups":{"company":"acme"}').encode()
    (again,) = replay_posthog(mended, NOW, NOW).events
    sent = one(used(uuid=None, properties={"token": KEY, "n": 1, **COMPANY}))
    assert (again.key, again.body_hash) == (sent.key, sent.body_hash)


def test_the_account_is_a_group_of_an_account_else_the_only_one() -> None:
    assert one(grouped(project="p", organization="o", account="a", company="c")).account == "c"
    assert one(grouped(project="p", organization="o", account="a")).account == "a"
    assert one(grouped(project="p", organization="o")).account == "o"
    assert one(grouped(workspace="w")).account == "w"
    assert one(grouped(company=7)).account == "7"
    assert one(grouped(company="", workspace="", account="a")).account == "a"
    for groups in ({}, {"project": "p", "workspace": "w"}, {"company": ""}, {"company": None}):
        assert refused(used(properties={"$groups": groups})).code == "missing_account"
    assert refused(used(properties=None)).code == "missing_account"
    assert refused(used(properties={"$groups": "acme"})).code == "missing_account"


def test_the_person_is_the_distinct_id() -> None:
    assert one(used(distinct_id=9)).subject == "9"
    assert one(used(distinct_id=None, properties={"distinct_id": "lee", **COMPANY})).subject == "lee"
    assert one(used(distinct_id=None)).subject is None


def test_what_a_retry_changes_changes_nothing() -> None:
    first, again, other_clock = (
        one(used(), sent_at=f"2026-06-01T{sent}Z") for sent in ("11:59:58", "11:59:59", "10:30:00")
    )
    assert len({(event.key, event.body_hash) for event in (first, again, other_clock)}) == 1
    early, late = (one(used(timestamp=None, offset=offset)) for offset in (10, 2010))
    assert (early.key, early.body_hash) == (late.key, late.body_hash)


def test_a_clock_that_is_wrong_is_corrected_where_it_may_be() -> None:
    ahead = NOW + timedelta(hours=1)
    event = used(timestamp=(ahead - timedelta(minutes=5)).isoformat())
    assert one(event, sent_at=ahead.isoformat()).time == NOW - timedelta(minutes=5)
    old = used(timestamp="2020-01-01T00:00:00Z")
    assert one(old, sent_at="2020-01-01T00:00:00Z", historical_migration=True).time == datetime(2020, 1, 1, tzinfo=UTC)
    ignoring = used(timestamp="2020-01-01T00:00:00Z", properties={"$ignore_sent_at": True, **COMPANY})
    assert one(ignoring, sent_at="2020-01-01T00:00:00Z").time == datetime(2020, 1, 1, tzinfo=UTC)


def test_an_offset_says_how_long_ago_the_event_was() -> None:
    assert one(used(timestamp=None, offset=1500)).time == NOW - timedelta(seconds=1.5)
    assert one(used(timestamp=None, offset=0.5)).time == NOW - timedelta(microseconds=500)
    assert one(used(timestamp=None)).time == NOW
    assert one(used(offset=1500)).time.hour == 10  # a timestamp says more
    assert refused(used(timestamp=None, offset=-25 * 3_600_000)).code == "time_in_future"


def test_an_event_without_an_id_has_one_from_its_content() -> None:
    bare = used(uuid=None)
    first, again = one(bare, sent_at="2026-06-01T12:00:00Z"), one({**bare, "api_key": "x"})
    assert first.id.startswith("content-")
    assert (first.key, first.body_hash) == (again.key, again.body_hash)
    assert one(used(uuid=None, distinct_id="lee")).key != first.key
    timeless = used(uuid=None, timestamp=None)
    assert len({event.key for event in parse(timeless, timeless).events}) == 2


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"event": None}, "missing_event"),
        ({"event": {}}, "invalid_event"),
        ({"uuid": []}, "invalid_uuid"),
        ({"distinct_id": False}, "invalid_distinct_id"),
        ({"properties": ["x"]}, "invalid_properties"),
        ({"properties": {"$groups": {"company": {}}}}, "invalid_company"),
        ({"timestamp": "soon"}, "invalid_time"),
        ({"timestamp": None, "offset": "1"}, "invalid_offset"),
        ({"timestamp": None, "offset": 10**40}, "invalid_offset"),
        ({"timestamp": None, "offset": 9 * 10**13}, "invalid_time"),
        ({"timestamp": 1780401601000}, "time_in_future"),
        ({"properties": {"a": "\0", **COMPANY}}, "null_character"),
        ({"properties": {"a": "x" * LARGEST_EVENT}}, "too_large"),
    ],
)
def test_one_bad_event_is_rejected_with_a_code_and_the_rest_is_taken(changes: dict[str, Any], code: str) -> None:
    bad = used(**changes)
    parsed = parse(used(uuid="a"), bad, used(uuid="b"))
    assert [event.index for event in parsed.events] == [0, 2]
    (rejection,) = parsed.rejections
    assert (rejection.index, rejection.code) == (1, code)
    assert rejection.message.endswith(".")
    assert json.loads(rejection.body) == bad


@pytest.mark.parametrize(
    "body",
    [b"", b"5", b"{", b"{}", b'{"batch":{}}', b'{"api_key":"x"}', b'{"batch":[1,]}', b"[" * 10_000, b'{"event":NaN}'],
)
def test_a_body_that_is_none_of_the_forms_is_refused_whole(body: bytes) -> None:
    with pytest.raises(InvalidInputError):
        parse_posthog(body, NOW)


def test_more_than_2500_events_are_too_many() -> None:
    with pytest.raises(TooLargeError, match="2501 events"):
        parse(*[used()] * (MOST_EVENTS + 1))


def test_nothing_but_a_key_is_nothing() -> None:
    assert parse() == Parsed([], [])
    assert parse_posthog(b"[]", NOW).api_key is None


def test_groups_and_persons_that_are_set_say_who_they_are() -> None:
    said = {"$group_type": "company", "$group_key": "acme", "$group_set": {"name": "Acme Inc.", "seats": 5}}
    group = one(used(event="$groupidentify", properties=said))
    assert (group.account, group.type) == ("acme", "$groupidentify")
    assert group.effect == Profile(account_name="Acme Inc.", attributes={"seats": 5})
    person = Profile(email="kim@acme.example", person_name="Kim")
    traits = {"email": "Kim@acme.example", "name": "Kim"}
    for name in ("$identify", "$set"):
        assert one(used(event=name, properties={"$set": traits, **COMPANY})).effect == person
        beside = one({**used(event=name), "$set": traits})
        assert beside.effect == person
        assert isinstance(beside.data, dict)
        assert beside.data["$set"] == traits
    assert one(used(properties={"$set": traits, **COMPANY})).effect is None


def test_a_group_that_is_no_account_changes_none() -> None:
    project = {"$group_type": "project", "$group_key": "p-1", "$group_set": {"name": "P"}}
    inside = one(used(event="$groupidentify", properties={**project, "$groups": {"company": "acme", "project": "p-1"}}))
    assert (inside.account, inside.effect) == ("acme", None)
    alone = one(used(event="$groupidentify", properties=project))
    assert alone.account == "p-1"  # it is the only group that there is


def test_a_replay_keeps_the_time_and_id_of_the_first_arrival() -> None:
    timeless = used(uuid=None, timestamp=None, offset=1000)
    first = one(timeless)
    (event,) = replay_posthog(msgspec.json.encode(timeless), NOW, NOW + timedelta(days=9)).events
    assert (event.key, event.body_hash, event.time) == (first.key, first.body_hash, first.time)


@pytest.mark.parametrize("name", ["py-posthog", "py-posthog-gzip"])
def test_the_requests_of_real_clients_are_read(shared: Path, name: str) -> None:
    bodies = captured_bodies(shared, name)
    for body in bodies:
        found = parse_posthog(body, datetime.fromisoformat("2026-11-22T06:39:03+00:00"))
        assert (found.api_key, found.parsed.rejections) == ("phc_test_123", [])
        (event,) = found.parsed.events
        assert (event.type, event.account, event.subject) == ("Report Exported", "acme", "user-1")
    if len(bodies) > 1:
        (first,), (again,) = (parse_posthog(body, NOW).parsed.events for body in bodies[-2:])
        assert bodies[-1] != bodies[-2]
        assert (first.key, first.body_hash) == (again.key, again.body_hash)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
PROPERTIES = ("$groups", "$set", "$group_type", "$group_key", "$group_set", "token", "distinct_id", "x")
properties = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(PROPERTIES, json_values) | {"$groups": st.just({"a": "b"})}
)
events = st.fixed_dictionaries(
    {"event": st.sampled_from(["$identify", "$groupidentify", "$set", "x"]) | json_values},
    optional={
        **dict.fromkeys(("uuid", "distinct_id", "timestamp", "offset", "$set"), json_values),
        "properties": properties | json_values,
    },
)


@given(st.binary(max_size=200))
def test_any_bytes_at_all_are_events_rejections_or_refused_whole(body: bytes) -> None:
    try:
        parse_posthog(body, NOW)
    except InvalidInputError:
        return


@given(st.lists(events | json_values, max_size=5), json_values)
def test_every_item_of_any_form_is_an_event_or_a_rejection_and_can_be_read_again(
    items: list[object], sent_at: object
) -> None:
    for body in ({"batch": items, "sent_at": sent_at}, items):
        parsed = parse_posthog(json.dumps(body).encode(), NOW).parsed
        assert sorted(
            [event.index for event in parsed.events] + [refusal.index for refusal in parsed.rejections]
        ) == list(range(len(items)))
        for rejection in parsed.rejections:
            if rejection.body[:1] in {"[", "{"}:
                replay_posthog(rejection.body.encode(), NOW, NOW)
