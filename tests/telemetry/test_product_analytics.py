from datetime import timedelta

import pytest

from tests.telemetry.factories import NOW
from valueplatform.telemetry.event import NO_SHIFT
from valueplatform.telemetry.payload import RefusedEventError
from valueplatform.telemetry.product_analytics import Arrival, id_from_content, name_in, plain_value


def test_names_are_texts_or_numbers_and_the_first_that_says_something_counts() -> None:
    assert name_in({"a": "", "b": None, "c": 7}, "a", "b", "c") == "7"
    assert not name_in({}, "a")
    with pytest.raises(RefusedEventError, match="groupId must be") as refused:
        name_in({"groupId": [1], "b": "x"}, "groupId", "b")
    assert refused.value.reason == "invalid_group_id"


def test_a_request_says_when_it_was_sent_or_nothing() -> None:
    assert Arrival.now(NOW, None).shift == NO_SHIFT
    assert Arrival.now(NOW, {"when": "?"}).shift == NO_SHIFT
    assert Arrival.now(NOW, (NOW - timedelta(hours=3)).isoformat()).shift == timedelta(hours=3)


def test_an_id_from_content_leaves_out_what_a_retry_changes() -> None:
    at = Arrival.now(NOW, None)
    first = id_from_content(0, {"event": "x", "sentAt": 1}, NOW, {"sentAt"}, at)
    assert id_from_content(5, {"sentAt": 2, "event": "x"}, NOW, {"sentAt"}, at) == first
    assert id_from_content(0, {"event": "y"}, NOW, {"sentAt"}, at) != first
    timeless = {id_from_content(index, {"event": "x"}, None, (), at) for index in range(3)}
    assert len(timeless) == 3


@pytest.mark.parametrize(("text", "value"), [(None, None), (b"{", None), (b'"a"', "a"), (b"1e999999999", None)])
def test_what_stands_beside_the_events_never_spoils_them(text: bytes | None, value: object) -> None:
    assert plain_value(text) == value
