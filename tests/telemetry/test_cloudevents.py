import base64
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.telemetry.factories import NOW, cloud_event
from valueplatform.core.errors import InvalidInputError, TooLargeError
from valueplatform.telemetry.cloudevents import parse_request
from valueplatform.telemetry.dialect import LARGEST_EVENT, MOST_EVENTS, Parsed
from valueplatform.telemetry.event import Event, Rejection

yaml = pytest.importorskip("yaml")  # comes with litestar, without types

STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
BINARY = {"ce-id": "1", "ce-source": "/app", "ce-type": "job.done", "ce-specversion": "1.0", "ce-account": "acme"}


def parse(body: object, content_type: str = STRUCTURED, headers: Mapping[str, str] | None = None) -> Parsed:
    raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
    return parse_request(content_type, headers or {}, raw, NOW)


def one(body: object, content_type: str = STRUCTURED, headers: Mapping[str, str] | None = None) -> Event:
    parsed = parse(body, content_type, headers)
    assert not parsed.rejections
    (event,) = parsed.events
    return event


def refused(
    body: bytes | object, content_type: str = STRUCTURED, headers: Mapping[str, str] | None = None
) -> Rejection:
    parsed = parse(body, content_type, headers)
    assert not parsed.events
    (rejection,) = parsed.rejections
    return rejection


def test_all_modes_give_the_same_event() -> None:
    whole = cloud_event(id="1", time="2026-05-01T00:00:00Z", data={"n": 1})
    headers = {f"ce-{name}": str(value) for name, value in whole.items() if name != "data"}
    events = [
        one(whole),
        one([whole], BATCH),
        one(whole, BATCH),
        one([whole], "application/json"),
        one(whole, "application/json"),
        one([whole], STRUCTURED),
        one(whole, "application/x-www-form-urlencoded"),
        one({**whole, "data": None, "data_base64": base64.b64encode(b'{ "n": 1.0 }').decode()}),
        one(b'{"n":1}', "application/json", headers),
        one(b"\xef\xbb\xbf" + msgspec.json.encode(whole), "application/json; charset=UTF-8"),
        one(json.dumps(whole).encode("utf-16"), f"{STRUCTURED}; charset=utf-16"),
    ]
    assert len({(event.key, event.body_hash) for event in events}) == 1


def test_the_account_is_an_attribute_else_the_subject_and_then_the_person_is_the_user() -> None:
    both = one(cloud_event(account="acme", subject="kim", data={"user": "lee"}))
    assert (both.account, both.subject) == ("acme", "kim")
    subject = one(cloud_event(account=None, subject="acme", data={"user": "lee"}))
    assert (subject.account, subject.subject) == ("acme", "lee")
    empty = one(cloud_event(account="", subject="acme", data={"user": 7}))
    assert (empty.account, empty.subject) == ("acme", "7")
    assert one(cloud_event(account=None, subject="acme", data={"user": ["x"]})).subject is None
    assert one(cloud_event(account=12)).account == "12"
    assert refused(cloud_event(account=None)).code == "missing_account"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"id": None}, "missing_id"),
        ({"source": None}, "missing_source"),
        ({"type": ""}, "missing_type"),
        ({"id": 5}, "invalid_id"),
        ({"type": ["x"]}, "invalid_type"),
        ({"subject": {}}, "invalid_subject"),
        ({"account": 1.5}, "invalid_account"),
        ({"specversion": "2.0"}, "unsupported_specversion"),
        ({"specversion": 1.0}, "invalid_specversion"),
        ({"time": "2026-01-01T00:00:00"}, "time_without_zone"),
        ({"time": "2026-01-01"}, "invalid_time"),
        ({"time": "yesterday"}, "invalid_time"),
        ({"time": "2026-02-30T00:00:00Z"}, "invalid_time"),
        ({"time": 1767225600}, "invalid_time"),
        ({"time": "2026-06-02T12:00:01Z"}, "time_in_future"),
        ({"time": "0001-01-01T00:00:00+10:00"}, "invalid_time"),
        ({"data": {"a": "\0"}}, "null_character"),
        ({"id": "a\0"}, "invalid_attribute"),
        ({"data_base64": "not base64!"}, "invalid_data_base64"),
        ({"data": None, "data_base64": base64.b64encode(b"{").decode()}, "invalid_data"),
        ({"data": {"x": "y" * LARGEST_EVENT}}, "too_large"),
    ],
)
def test_one_bad_event_is_rejected_with_a_code_and_the_rest_is_taken(changes: dict[str, Any], code: str) -> None:
    bad = {name: value for name, value in {**cloud_event(), **changes}.items() if value is not None}
    parsed = parse([cloud_event(id="a"), bad, cloud_event(id="b")], BATCH)
    assert [event.index for event in parsed.events] == [0, 2]
    (rejection,) = parsed.rejections
    assert (rejection.index, rejection.code) == (1, code)
    assert rejection.message.endswith(".")
    assert json.loads(rejection.body) == bad


@pytest.mark.parametrize(
    ("item", "code"),
    [
        (b"5", "not_an_object"),
        (b"null", "not_an_object"),
        (b"[]", "not_an_object"),
        (b'"x"', "not_an_object"),
        (b'{"id":"\xff"}', "invalid_utf8"),
        (rb'{"id":"1","data":"\ud83d"}', "malformed"),
        (rb'{"id":"\ude00\ud83d"}', "malformed"),
        (b'{"id":"1","data":' + b"1" * 5000 + b"}", "number_out_of_range"),
        (b'{"id":"1","data":1e999999999}', "number_out_of_range"),
        (b'{"id":"1","data":' + b"[" * 101 + b"]" * 101 + b"}", "too_deep"),
    ],
)
def test_what_no_event_could_be_is_rejected_without_its_neighbors(item: bytes, code: str) -> None:
    parsed = parse(b"[" + item + b"," + msgspec.json.encode(cloud_event()) + b"]", BATCH)
    assert [event.index for event in parsed.events] == [1]
    assert [(rejection.index, rejection.code) for rejection in parsed.rejections] == [(0, code)]
    assert parsed.rejections[0].body == item.decode(errors="backslashreplace")


def test_halves_of_surrogate_pairs_spoil_their_own_event_only() -> None:
    halves, whole = rb'{"id":"\ud83d","a":"\\ud83d"}', rb'{"id":"2","source":"s","type":"t","account":"\ud83d\ude00"}'
    parsed = parse(b" [" + halves + b" , " + whole + b"," + halves + b"]", BATCH)
    assert [event.account for event in parsed.events] == ["😀"]
    assert [(r.index, r.code, r.body) for r in parsed.rejections] == [
        (0, "malformed", halves.decode()),
        (2, "malformed", halves.decode()),
    ]
    assert refused(halves).code == "malformed"


def test_a_rejection_names_the_event_and_account_where_it_can() -> None:
    rejection = refused(cloud_event(id="e-1", account=None, subject="acme", time="x"))
    assert (rejection.id, rejection.account) == ("e-1", "acme")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"   ",
        b"{",
        b"[{}",
        b"[{}]]",
        b"{} {}",
        b"[NaN]",
        b"[{]}",
        b"hello",
        b'"text"',
        b"\x00",
        b"\xff\xfe",
        b"[" * 10_000 + b"]" * 10_000,
        b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    ],
)
def test_a_body_that_is_not_json_is_refused_whole(body: bytes) -> None:
    with pytest.raises(InvalidInputError):
        parse(body)


def test_a_body_in_an_unknown_charset_is_refused_whole() -> None:
    with pytest.raises(InvalidInputError, match="klingon"):
        parse(cloud_event(), f"{STRUCTURED}; charset=klingon")
    with pytest.raises(InvalidInputError, match="utf-16"):
        parse(b"\xff", f"{STRUCTURED}; charset=utf-16")


def test_more_than_2500_events_are_too_many() -> None:
    events = [cloud_event(id=str(number)) for number in range(MOST_EVENTS + 1)]
    assert len(parse(events[:-1], BATCH).events) == MOST_EVENTS
    with pytest.raises(TooLargeError, match="2501 events"):
        parse(events, BATCH)


def test_an_empty_batch_holds_nothing() -> None:
    assert parse([], BATCH) == Parsed([], [])


def test_an_event_of_exactly_64_kib_is_taken() -> None:
    empty = len(msgspec.json.encode(cloud_event(id="1", data="")))
    assert one(cloud_event(id="1", data="x" * (LARGEST_EVENT - empty))).data_text is not None
    assert refused(cloud_event(id="1", data="x" * (LARGEST_EVENT - empty + 1))).code == "too_large"


def test_binary_headers_are_percent_encoded_and_may_be_quoted() -> None:
    event = one(b"", "", {**BINARY, "ce-id": "caf%C3%A9%20%F0%9F%8C%8E", "ce-subject": '"a \\"b\\" c"'})
    assert (event.id, event.subject, event.data_text) == ("café 🌎", 'a "b" c', None)
    assert one(b"", "", {**BINARY, "ce-id": "café".encode().decode("latin-1")}).id == "café"
    assert refused(b"", "", {**BINARY, "ce-id": "%FF"}).code == "invalid_utf8"


@pytest.mark.parametrize(
    ("content_type", "body", "data"),
    [
        ("application/json", b'{"a": 1.0}', {"a": 1}),
        ("application/vnd.x+json; charset=utf-8", b"[1]", [1]),
        ("", b'{"a": 1}', {"a": 1}),
        ("text/plain; charset=us-ascii", b"Hello, World!", "Hello, World!"),
        ("text/plain; charset=iso-8859-1", b"caf\xe9", "café"),
        ("application/xml", "<msg>Hello, 🌎!</msg>".encode(), "<msg>Hello, 🌎!</msg>"),
        ("application/octet-stream", b"\x00\xff", {"data_base64": "AP8="}),
        ("text/plain", b"a\x00b", {"data_base64": "YQBi"}),
    ],
)
def test_binary_data_is_kept_by_its_media_type(content_type: str, body: bytes, data: object) -> None:
    assert one(body, content_type, BINARY).data == data


def test_bad_binary_requests_are_rejected_and_can_be_read_again() -> None:
    bad = refused(b"{", "application/json", BINARY)
    assert (bad.code, bad.id) == ("invalid_data", "1")
    again = refused(bad.body.encode())
    assert (again.code, again.id) == ("invalid_data", "1")
    assert refused(b"x" * LARGEST_EVENT, "text/plain", BINARY).code == "too_large"
    assert refused(b"", "", {**BINARY, "ce-time": "noon"}).code == "invalid_time"
    assert refused(b"[" * 200 + b"]" * 200, "application/json", BINARY).code == "too_deep"
    without = {name: value for name, value in BINARY.items() if name != "ce-id"}
    assert refused(b"{}", "application/json", without).code == "missing_id"


def test_base64_data_of_version_03_is_unpacked() -> None:
    event = cloud_event(
        specversion="0.3",
        datacontentencoding="base64",
        data=base64.b64encode(b"[1]").decode(),
        datacontenttype="a/json",
    )
    assert one(event).data == [1]


@given(st.binary(max_size=200))
def test_any_bytes_at_all_are_events_rejections_or_refused_whole(body: bytes) -> None:
    for content_type, headers in ((STRUCTURED, {}), ("application/json", BINARY)):
        try:
            parsed = parse(body, content_type, headers)
        except InvalidInputError:
            continue
        indexes = [event.index for event in parsed.events] + [rejection.index for rejection in parsed.rejections]
        assert sorted(indexes) == list(range(len(indexes)))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
NAMES = ("id", "source", "type", "time", "subject", "account", "provider", "data", "data_base64", "x")
odd_events = st.fixed_dictionaries({}, optional=dict.fromkeys(NAMES, json_values))


@given(st.lists(odd_events | json_values, max_size=6))
def test_every_item_of_any_array_is_an_event_or_a_rejection(items: list[object]) -> None:
    body = json.dumps(items).encode()
    parsed = parse(body, BATCH)
    assert len(parsed.events) + len(parsed.rejections) == len(items)


def vectors(shared: Path) -> Iterator[dict[str, Any]]:
    for path in sorted((shared / "data/cloudevents-vectors").rglob("*.yaml")):
        yield from yaml.safe_load_all(path.read_text(encoding="utf-8"))


def test_every_published_vector_is_read_in_binary_and_structured_mode(shared: Path) -> None:
    count = 0
    for vector in vectors(shared):
        attributes = {name: _written(value) for name, value in vector["ContextAttributes"].items()}
        extensions = attributes.pop("Extensions", {})
        assert isinstance(extensions, dict)
        media, content = attributes.get("datacontenttype", "application/json"), vector["Data"].encode()
        headers = {f"ce-{name}": str(value) for name, value in {**attributes, **extensions}.items()}
        binary = one(content, media, {**headers, "ce-account": "acme"})
        assert (binary.id, binary.source, binary.type) == (attributes["id"], attributes["source"], attributes["type"])
        is_json = "json" in media
        assert binary.data == (json.loads(content) if is_json else content.decode())
        data = {"data": json.loads(content)} if is_json else {"data": content.decode()}
        structured = one({**attributes, **extensions, "account": "acme", **data})
        assert (structured.key, structured.body_hash) == (binary.key, binary.body_hash)
        count += 1
    assert count == 15


def _written(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: str(inner) for name, inner in value.items()}
    return value.strftime("%Y-%m-%dT%H:%M:%SZ") if hasattr(value, "strftime") else str(value)


@pytest.mark.parametrize("media", ["application/json", "application/json; charset=utf-8"])
def test_the_conformance_scenarios_of_the_http_binding_hold(shared: Path, media: str) -> None:
    feature = (shared / "data/cloudevents-vectors/http-protocol-binding.feature").read_text(encoding="utf-8")
    assert "ce-id: 1234-1234-1234" in feature
    attributes = {
        "specversion": "1.0",
        "type": "com.example.someevent",
        "time": "2018-04-05T03:56:24Z",
        "id": "1234-1234-1234",
        "source": "/mycontext/subcontext",
    }
    data = b'{\n    "message": "Hello World!"\n}\n'
    headers = {f"ce-{name}": value for name, value in attributes.items()}
    binary = one(data, media, {**headers, "ce-account": "acme"})
    structured = one(
        {**attributes, "account": "acme", "datacontenttype": "application/json", "data": json.loads(data)},
        media.replace("application/json", STRUCTURED),
    )
    assert binary == structured
    assert binary.data == {"message": "Hello World!"}


@pytest.mark.parametrize(
    "name",
    [
        "node-cloudevents-binary",
        "node-cloudevents-structured",
        "py-openmeter-single",
        "py-openmeter-batch",
        "py-openmeter-json",
        "py-openmeter-single-via-ingest_events",
    ],
)
def test_the_requests_of_real_clients_are_read(shared: Path, name: str) -> None:
    capture = (shared / f"clients/{name}.http").read_text(encoding="utf-8").split("### request 0", 1)[1]
    head, _, rest = capture.partition("\n\n")
    headers = {k.lower(): v for k, _, v in (line.partition(": ") for line in head.splitlines()[2:])}
    parsed = parse(rest.strip().splitlines()[0].encode(), headers.get("content-type", ""), headers)
    assert not parsed.rejections
    assert {(event.account, event.data["amount"]) for event in parsed.events} == {("acme", 199)}  # type: ignore[index] # each holds an object
    assert parsed.events[0].id == "evt-1"
