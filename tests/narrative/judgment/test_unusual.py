import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.narrative.judgment.noise import SEASON, counts, steady
from valueplatform.narrative.judgment.unusual import UNUSUAL, exceedance, unusual_days


@pytest.mark.parametrize(
    "values",
    [
        [],
        [1.0],
        [0.0] * 300,
        [4.0] * 299 + [1e6],
        [math.nan] * 300,
        [0.0] * 299 + [1.0],
        np.resize(SEASON, 300).tolist(),
        [*steady(60, seed=1).tolist(), 1e9],
    ],
)
def test_nothing_is_unusual_where_there_is_too_little_to_compare_with(values: list[float]) -> None:
    assert unusual_days(values) == ()


def test_a_day_far_above_its_weekday_is_unusual_and_a_record() -> None:
    days = steady(366, seed=2)
    days[-1] *= 5
    (told,) = unusual_days(days)
    assert told.day == 365
    assert told.distance > 0
    assert told.record
    assert told.usual == pytest.approx(100 * SEASON[365 % 7], rel=0.2)
    assert told.p_value <= UNUSUAL


def test_what_is_a_monday_s_usual_value_is_unusual_on_a_sunday() -> None:
    days = steady(364, seed=3, spread=0.05)
    assert 363 % 7 == 6
    days[-1] = 100.0
    (told,) = unusual_days(days)
    assert not told.record


def test_a_missing_day_is_not_unusual_and_a_holiday_left_out_is_not_learned_from() -> None:
    days = steady(366, seed=4)
    days[-1] = math.nan
    assert unusual_days(days) == ()
    days = steady(366, seed=4)
    days[100:120] = math.nan
    days[-1] *= 6
    assert len(unusual_days(days)) == 1


def test_a_day_is_judged_by_the_days_before_it_alone() -> None:
    days = steady(400, seed=5)
    days[350] *= 8
    assert unusual_days(days[:351]) == tuple(told for told in unusual_days(days, 350) if told.day == 350)


@pytest.mark.parametrize("rate", [0.1, 3.0, 100.0])
def test_steady_counts_hold_nothing_unusual_for_a_year(rate: float) -> None:
    told = sum(
        any(each.p_value <= 0.01 for each in unusual_days(counts(548, seed=seed, rate=rate), -365))
        for seed in range(20)
    )
    assert told <= 1


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([-512.0, 0.0, 4096.0]), st.sampled_from([0.25, 2.0, 64.0]))
def test_shifting_and_scaling_change_no_judgment(seed: int, shift: float, scale: float) -> None:
    days = np.round(steady(250, seed=seed))
    days[-1] += 600
    told, moved = unusual_days(days, -30), unusual_days(days * scale + shift, -30)
    assert [each.day for each in moved] == [each.day for each in told]
    assert [each.p_value for each in moved] == pytest.approx([each.p_value for each in told], rel=1e-6)


@given(st.integers(0, 10**6), st.floats(0.1, 50), st.floats(0.1, 50))
def test_what_lies_further_out_is_never_likelier(seed: int, one: float, other: float) -> None:
    past = np.random.default_rng(seed).standard_t(3, 300)
    near, far = sorted((one, other))
    assert exceedance(past, far) <= exceedance(past, near) + 1e-12


def test_the_tail_of_exponential_noise_is_read_as_no_lighter_than_it_is() -> None:
    rng = np.random.default_rng(6)
    read = [exceedance(rng.exponential(size=365), 10.0) for _ in range(200)]
    assert np.median(read) >= math.exp(-10)
    assert np.median(read) <= 100 * math.exp(-10)
