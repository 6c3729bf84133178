"""How often somebody who is not signed in may ask."""

import pytest

from valueplatform.core.errors import OverloadedError
from valueplatform.portal.visitors import A_MINUTE, BURST, MOST, Visitors


class Time:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_is_taken_then_one_waits_and_others_do_not() -> None:
    time = Time()
    visitors = Visitors(time)
    for _ in range(BURST):
        visitors.admit("a")
    with pytest.raises(OverloadedError) as refused:
        visitors.admit("a")
    assert refused.value.retry_after == 1
    visitors.admit("b")


def test_after_a_while_it_goes_on_and_never_beyond_a_burst() -> None:
    time = Time()
    visitors = Visitors(time)
    for _ in range(BURST):
        visitors.admit("a")
    time.now = 60 / A_MINUTE
    visitors.admit("a")
    with pytest.raises(OverloadedError):
        visitors.admit("a")
    time.now = 10_000
    for _ in range(BURST):
        visitors.admit("a")
    with pytest.raises(OverloadedError):
        visitors.admit("a")


def test_no_more_addresses_are_remembered_than_a_process_can_hold() -> None:
    visitors = Visitors(Time())
    for n in range(MOST + 50):
        visitors.admit(str(n))
    assert len(visitors._seen) == MOST
