from dataclasses import dataclass
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.telemetry.factories import cloud_event, request_of
from valueplatform.core.errors import OverloadedError
from valueplatform.telemetry.fair_queue import TURN, FairQueue
from valueplatform.telemetry.requests import IngestRequest, Sender

EVENT = request_of([cloud_event()]).events[0]


@dataclass
class Item:
    request: IngestRequest
    gone: bool = False

    @property
    def key(self) -> int:
        key_id = self.request.sender.key_id
        return 0 if key_id is None else key_id.int


def item(key: int, events: int = 1, size: int = 0, *, strict: bool = False, gone: bool = False) -> Item:
    asked = request_of([], Sender("http", "supplier", UUID(int=key)), size=size, strict=strict)
    return Item(msgspec.structs.replace(asked, events=[EVENT] * events), gone)


def queue_of(*items: Item, most: int = 1_000_000) -> FairQueue[Item]:
    queue: FairQueue[Item] = FairQueue(most)
    for one in items:
        queue.put(one)
    return queue


def taken(queue: FairQueue[Item], most: int) -> list[int]:
    """The keys of the next group."""
    return [one.key for one in queue.take(most)]


def test_keys_take_turns_by_events_not_by_requests() -> None:
    queue = queue_of(*[item(1, TURN) for _ in range(4)], *[item(2, TURN // 5) for _ in range(20)])
    assert taken(queue, 4 * TURN) == [1, 2, 2, 2, 2, 2, 1, 2, 2, 2, 2, 2]


def test_a_group_that_is_full_goes_on_where_it_ended() -> None:
    queue = queue_of(*[item(key, TURN) for key in (1, 2, 3) for _ in range(2)])
    assert [taken(queue, TURN) for _ in range(6)] == [[1], [2], [3], [1], [2], [3]]
    assert taken(queue, TURN) == []


def test_a_request_larger_than_a_turn_gets_through_in_the_end() -> None:
    queue = queue_of(item(1, 3 * TURN), item(2, TURN), item(2, TURN), item(2, TURN))
    assert taken(queue, 10 * TURN) == [2, 2, 1, 2]
    assert taken(queue_of(item(1, 30 * TURN)), TURN) == [1]


def test_a_strict_request_comes_alone_and_takes_the_whole_turn() -> None:
    queue = queue_of(item(1), item(1, strict=True), item(1, strict=True), item(2), item(2))
    assert [taken(queue, 100) for _ in range(3)] == [[1, 2, 2], [1], [1]]


def test_of_one_key_what_came_first_is_taken_first() -> None:
    items = [item(1, number) for number in (1, 5, 2, 9)]
    assert queue_of(*items).take(100) == items


def test_what_nobody_waits_for_any_more_is_not_taken_and_makes_room() -> None:
    queue = queue_of(item(1, 60, gone=True), item(1), most=100)
    assert taken(queue, 100) == [1]
    queue.put(item(1, 60))


def test_one_key_alone_fills_two_thirds_and_is_refused_beyond() -> None:
    queue = queue_of(*[item(1) for _ in range(66)], most=100)
    with pytest.raises(OverloadedError, match="of this key"):
        queue.put(item(1))
    queue.put(item(2))


def test_what_is_being_stored_counts_until_it_is_done() -> None:
    queue = queue_of(item(1, 66), most=100)
    (first,) = queue.take(100)
    assert len(queue) == 0
    with pytest.raises(OverloadedError):
        queue.put(item(1))
    queue.done(first.request)
    queue.put(item(1, 66))


def test_a_key_that_has_nothing_here_may_use_whatever_is_free() -> None:
    queue = queue_of(item(1, 60), most=100)
    queue.put(item(2, 40))
    with pytest.raises(OverloadedError):
        queue.put(item(3))


def test_bytes_are_shared_out_as_events_are() -> None:
    queue: FairQueue[Item] = FairQueue(1000, 100)
    queue.put(item(1, 1, size=60))
    with pytest.raises(OverloadedError):
        queue.put(item(1, 1, size=30))
    queue.put(item(2, 1, size=30))


requests = st.lists(st.tuples(st.integers(1, 5), st.integers(1, 3000), st.booleans(), st.booleans()), max_size=60)


@given(requests=requests, most=st.integers(1, 9000))
def test_everything_is_taken_once_in_groups_of_the_size_asked_for(
    requests: list[tuple[int, int, bool, bool]], most: int
) -> None:
    items = [item(key, events, strict=strict, gone=gone) for key, events, strict, gone in requests]
    queue = queue_of(*items)
    seen: list[Item] = []
    while group := queue.take(most):
        assert len(group) == 1 or sum(one.request.received for one in group) <= most
        assert len(group) == 1 or not any(one.request.strict for one in group)
        seen += group
        for one in group:
            queue.done(one.request)
    assert len(queue) == 0
    for key in range(1, 6):
        assert [one for one in seen if one.key == key] == [one for one in items if one.key == key and not one.gone]
    queue.put(item(1, 1_000_000))  # all room is free again


@given(flood=st.integers(50, 200), other=st.integers(1, 10))
def test_however_much_another_sends_a_key_waits_for_one_turn_of_it(flood: int, other: int) -> None:
    queue = queue_of(*[item(1, 500) for _ in range(flood)])
    queue.take(1000)
    for _ in range(other):
        queue.put(item(2))
    ahead = taken(queue, 1_000_000)
    assert ahead.index(2) * 500 <= TURN
    assert ahead.count(2) == other
