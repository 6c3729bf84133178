import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.narrative.judgment.noise import SEASON, counts, steady
from valueplatform.narrative.judgment.shifts import CONFIRMED, LOOKS, looks, shifts


@pytest.mark.parametrize(
    "values",
    [
        [],
        [1.0],
        [0.0] * 200,
        [5.0] * 200,
        [math.nan] * 200,
        [1.0, 2.0] * 20,
        [0.0] * 199 + [1e9],
        [math.nan] * 100 + [3.0] * 41,
        np.resize(SEASON, 300).tolist(),
    ],
)
def test_nothing_is_told_of_a_series_that_is_empty_short_constant_or_only_a_season(values: list[float]) -> None:
    assert shifts(values) == ()


def test_a_shift_is_told_on_the_fourteenth_day_and_no_sooner() -> None:
    days = steady(300, seed=1)
    days[200:] *= 1.6
    assert shifts(days[:213]) == ()
    (told,) = shifts(days[:214])
    assert abs(told.day - 200) <= 3
    assert told.holds
    assert told.confirmed_on == 213
    assert told.before == pytest.approx(81, rel=0.1)
    assert told.after == pytest.approx(81 * 1.6, rel=0.1)


@pytest.mark.parametrize("factor", [0.5, 0.7, 1.4])
def test_a_planted_shift_is_told_once_four_weeks_confirm_it(factor: float) -> None:
    days = steady(300, seed=2)
    days[272:] *= factor
    (told,) = shifts(days)
    assert abs(told.day - 272) <= 4
    assert told.holds
    assert (told.after > told.before) == (factor > 1)


def test_a_shift_that_goes_back_is_withdrawn() -> None:
    days = steady(300, seed=3)
    days[200:216] *= 1.8
    assert [told.holds for told in shifts(days[:215])] == [True]
    later = shifts(days[:260])
    assert later
    assert not any(told.holds and told.after > told.before for told in later)


def test_one_wild_fortnight_day_is_no_shift() -> None:
    days = steady(300, seed=4)
    days[290] = 1e12
    assert shifts(days) == ()


def test_what_came_later_changes_no_look() -> None:
    days = steady(260, seed=5)
    early, _ = looks(days[:200])
    late, _ = looks(days)
    for row, length in enumerate(LOOKS):
        assert late[row, : 200 - length + 1].tolist() == early[row, : 200 - length + 1].tolist()


def test_an_outage_and_a_holiday_left_out_are_no_shift_and_hide_none() -> None:
    days = steady(300, seed=6)
    days[230:240] = math.nan
    days[285] = math.nan
    assert shifts(days) == ()
    days[260:] *= 0.5
    (told,) = shifts(days)
    assert abs(told.day - 260) <= 4


def test_with_most_of_the_days_missing_nothing_is_told() -> None:
    days = steady(300, seed=7)
    days[260:] *= 3
    days[260::2] = math.nan
    assert shifts(days) == ()


def test_a_shift_of_counts_near_zero_is_told_once_there_are_enough_of_them() -> None:
    few = np.concatenate([counts(200, seed=8, rate=0.3), counts(60, seed=9, rate=4)])
    assert [abs(told.day - 200) <= 5 and told.holds for told in shifts(few)] == [True]
    assert shifts(np.where(np.arange(260) % 20 == 0, 1.0, 0.0)) == ()


def test_days_that_hang_together_are_no_shift() -> None:
    alarms = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        noise = rng.normal(size=300)
        for day in range(1, 300):
            noise[day] += 0.4 * noise[day - 1]
        corrected, _ = looks(100 + 10 * noise)
        alarms += bool(corrected.min() <= CONFIRMED)
    assert alarms <= 3


@pytest.mark.parametrize("rate", [0.1, 1.0, 50.0])
def test_steady_counts_are_left_alone_all_year(rate: float) -> None:
    alarms = sum(looks(counts(480, seed=seed, rate=rate))[0].min() <= CONFIRMED for seed in range(20))
    assert alarms <= 1


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([-512.0, 0.0, 4096.0]), st.sampled_from([0.25, 2.0, 64.0]))
def test_shifting_and_scaling_change_levels_alone(seed: int, shift: float, scale: float) -> None:
    days = np.round(steady(200, seed=seed))
    days[170:] += 40
    given_shifts, moved = shifts(days), shifts(days * scale + shift)
    assert [told.day for told in moved] == [told.day for told in given_shifts]
    assert [told.p_value for told in moved] == pytest.approx([told.p_value for told in given_shifts])
    assert [told.after for told in moved] == pytest.approx([told.after * scale + shift for told in given_shifts])


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6))
def test_mirrored_days_tell_the_mirrored_shift(seed: int) -> None:
    days = np.round(steady(200, seed=seed))
    days[170:] += 40
    assert [(t.day, -t.before, -t.after) for t in shifts(-days)] == [(t.day, t.before, t.after) for t in shifts(days)]


def test_the_corrected_chance_under_chance_alone_is_as_stated() -> None:
    """Of 100 days of pure noise looked at, at most one in twenty would fall below 5 % if it were corrected for one look
    only; it is corrected for three looks a day of a year, so that none may come near."""
    rng = np.random.default_rng(3)
    least = [looks(rng.normal(size=200))[0].min() for _ in range(40)]
    assert np.mean(np.array(least) <= CONFIRMED) <= CONFIRMED
