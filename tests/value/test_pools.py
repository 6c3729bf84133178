"""What drivers of one benefit come to in a month never exceeds its cap, and nothing is lost below it."""

from datetime import date, timedelta
from fractions import Fraction
from itertools import accumulate
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valueplatform.value.pools import Draw, PoolDay, all_fit, within_cap
from valueplatform.value.proof_pools import keep_to_caps, whole_months

AMOUNTS = st.integers(-(10**7), 10**8)
DRAWS = st.tuples(AMOUNTS, AMOUNTS, AMOUNTS).map(lambda three: Draw(*sorted(three)))
DAYS = st.lists(st.lists(DRAWS, max_size=4), max_size=31)
MAY = date(2026, 5, 1)


def totals(counted: list[list[Draw]]) -> Draw:
    return Draw(*(sum(draw[bound] for day in counted for draw in day) for bound in range(3)))


def test_amounts_below_the_cap_are_left_alone() -> None:
    days = [PoolDay(100, [Draw(1, 20, 30), Draw(0, 30, 40)]), PoolDay(100, [Draw(10, 20, 30)])]
    assert within_cap(days) == [list(day.draws) for day in days]


def test_the_day_that_uses_the_cap_up_is_shared_in_proportion_and_later_days_get_nothing() -> None:
    days = [PoolDay(100, [Draw(60, 60, 60)]), PoolDay(100, [Draw(60, 60, 60), Draw(20, 20, 20)])]
    days += [PoolDay(100, [Draw(5, 5, 5)])]
    assert within_cap(days) == [[Draw(60, 60, 60)], [Draw(30, 30, 30), Draw(10, 10, 10)], [Draw(0, 0, 0)]]


def test_the_last_unit_is_neither_lost_nor_invented() -> None:
    three = [Draw(100, 100, 100)] * 3
    (shares,) = within_cap([PoolDay(100, three)])
    assert [share.expected for share in shares] == [33, 33, 34]


def test_what_takes_away_gives_room_back() -> None:
    days = [PoolDay(10, [Draw(10, 10, 10)]), PoolDay(10, [Draw(-4, -4, -4), Draw(9, 9, 9)])]
    assert within_cap(days) == [[Draw(10, 10, 10)], [Draw(-4, -4, -4), Draw(4, 4, 4)]]


def test_a_cap_that_falls_takes_nothing_back_and_gives_nothing_more() -> None:
    days = [PoolDay(100, [Draw(80, 80, 80)]), PoolDay(50, [Draw(30, 30, 30)])]
    assert within_cap(days) == [[Draw(80, 80, 80)], [Draw(0, 0, 0)]]


def test_a_cap_of_nothing_leaves_nothing() -> None:
    assert within_cap([PoolDay(0, [Draw(5, 6, 7)])]) == [[Draw(0, 0, 0)]]


def test_a_high_that_would_pass_the_cap_is_brought_down_to_it() -> None:
    days = [PoolDay(100, [Draw(30, 40, 90)]), PoolDay(100, [Draw(30, 40, 90)])]
    assert within_cap(days) == [[Draw(30, 40, 50)], [Draw(30, 40, 50)]]


def test_a_low_above_what_counts_comes_down_with_it() -> None:
    assert within_cap([PoolDay(10, [Draw(20, 30, 40)])]) == [[Draw(10, 10, 10)]]


def test_no_days_are_no_amounts() -> None:
    assert within_cap([]) == []
    assert keep_to_caps([], {}) == []


@given(st.integers(0, 10**9), DAYS)
def test_under_one_cap_no_month_exceeds_it_whatever_the_amounts(cap: int, draws: list[list[Draw]]) -> None:
    counted = within_cap([PoolDay(cap, each) for each in draws])
    assert totals(counted).expected <= cap
    assert totals(counted).high <= cap
    running = accumulate(sum(draw.expected for draw in day) for day in counted)
    assert all(total <= cap for total in running)
    for before, after in zip(draws, counted, strict=True):
        for one, other in zip(before, after, strict=True):
            assert other.low <= other.expected <= other.high
            assert min(one.expected, 0) <= other.expected <= one.expected
            assert other.high <= one.high


@given(st.lists(st.tuples(st.integers(0, 10**9), st.lists(DRAWS, max_size=4)), max_size=31))
def test_a_cap_that_moves_is_never_passed_by_more_than_stood_before(days: list[tuple[int, list[Draw]]]) -> None:
    counted = within_cap([PoolDay(*day) for day in days])
    used = 0
    for (cap, _), draws in zip(days, counted, strict=True):
        total = used + sum(draw.expected for draw in draws)
        assert total <= max(cap, used)
        used = total


def test_ten_thousand_random_pools_keep_to_their_caps_and_the_independent_path_agrees() -> None:
    draw = Random(20_26)
    capped = 0
    for _ in range(10_000):
        cap = draw.choice([0, 1, 999, 10**4, 10**6])
        days = []
        for _ in range(draw.randrange(1, 8)):
            today = [
                Draw(*sorted(draw.randrange(-2_000, 9_000) for _ in range(3))) for _ in range(draw.randrange(1, 5))
            ]
            days.append(PoolDay(draw.choice([cap, cap, cap, cap + 50, cap // 2]), today))
        counted = within_cap(days)
        highest = max(day.cap for day in days)
        assert totals(counted).expected <= highest
        assert totals(counted).high <= highest
        capped += any(own != list(day.draws) for own, day in zip(counted, days, strict=True))
        assert proved(days) == [tuple(one) for each in counted for one in each]
    assert capped > 3_000


def proved(days: list[PoolDay]) -> list[tuple[int, int, int]]:
    """The same by the code of the proof, which works with fractions."""
    scale = 10_000
    amounts = []
    for number, day in enumerate(days):
        for one in day.draws:
            low, expected, high = (Fraction(bound, scale) for bound in one)
            amounts.append((MAY + timedelta(days=number), low, expected, high))
    caps = {MAY + timedelta(days=number): Fraction(day.cap, scale) for number, day in enumerate(days)}
    return [(int(low * scale), int(own * scale), int(high * scale)) for low, own, high in keep_to_caps(amounts, caps)]


@pytest.mark.parametrize(
    ("start", "end", "months"),
    [
        (date(2026, 5, 31), date(2026, 6, 1), (date(2026, 5, 1), date(2026, 6, 1))),
        (date(2026, 5, 31), date(2026, 6, 2), (date(2026, 5, 1), date(2026, 7, 1))),
        (date(2026, 12, 31), date(2027, 1, 1), (date(2026, 12, 1), date(2027, 1, 1))),
        (date(2026, 5, 3), date(2026, 5, 3), (date(2026, 5, 3), date(2026, 5, 3))),
        (date(1, 1, 1), date(9999, 12, 31), (date(1, 1, 1), date(9999, 12, 31))),
    ],
)
def test_the_months_of_a_period_are_whole(start: date, end: date, months: tuple[date, date]) -> None:
    assert whole_months(start, end) == months


@given(DAYS, st.integers(-10, 10**9))
def test_where_all_fit_nothing_is_taken_in_any_order_of_days(days: list[list[Draw]], cap: int) -> None:
    fits = all_fit(((draw, 2) for day in days for draw in day), cap)
    for order in (days + days, [*reversed(days), *days]):
        kept = within_cap([PoolDay(cap, day) for day in order]) == order
        assert kept or not fits


def test_all_fit_up_to_the_cap_itself_and_counts_a_draw_as_often_as_it_is_drawn() -> None:
    assert all_fit([(Draw(1, 5, 10), 2)], 20)
    assert not all_fit([(Draw(1, 5, 10), 2)], 19)
    assert not all_fit([(Draw(-30, 15, 15), 1), (Draw(-30, -10, -10), 1)], 14)
