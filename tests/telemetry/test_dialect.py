import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valueplatform.core.errors import InvalidInputError
from valueplatform.telemetry.dialect import decoded_object, json_items, json_members
from valueplatform.telemetry.payload import RefusedEventError

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
values = st.recursive(st.none() | st.integers() | texts, lambda inner: st.lists(inner) | st.dictionaries(texts, inner))


@given(st.dictionaries(texts, values, max_size=5))
def test_members_are_the_texts_of_an_object(whole: dict[str, object]) -> None:
    members = json_members(b"\xef\xbb\xbf " + json.dumps(whole).encode())
    assert {name: json.loads(text) for name, text in members.items()} == whole


@given(st.lists(values, max_size=5))
def test_items_are_the_texts_of_an_array(whole: list[object]) -> None:
    assert [json.loads(text) for text in json_items(json.dumps(whole, indent=1).encode())] == whole


def test_halves_of_surrogate_pairs_stay_in_the_member_that_holds_them() -> None:
    body = rb'{"sentAt":"x","batch":[{"a":"\ud83d"},{"a":"\ud83d\ude00"}],"writeKey":"\ude00"}'
    members = json_members(body)
    assert members["batch"] == rb'[{"a":"\ud83d"},{"a":"\ud83d\ude00"}]'
    assert json_items(members["batch"])[0] == rb'{"a":"\ud83d"}'
    assert members["writeKey"] == rb'"\ude00"'


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"5", b"{", b'{"a":1,}', b'{"a":NaN}', b"\xff", b'{"\xff":1}', b'{"a":' * 9_999]
)
def test_what_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidInputError):
        json_members(body)


@given(st.binary(max_size=60) | texts.map(str.encode))
def test_any_text_is_an_object_or_refused(text: bytes) -> None:
    try:
        found: object = decoded_object(text)
    except RefusedEventError as refusal:
        found = refusal.reason
    known = {"not_an_object", "malformed", "invalid_utf8", "number_out_of_range", "too_deep"}
    assert isinstance(found, dict) or found in known
