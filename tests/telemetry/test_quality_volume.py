"""Volume against its own weekly season: steady noise opens nothing, what is planted is found."""

import random
from collections.abc import Callable
from datetime import date, timedelta

import pytest

from tests.telemetry.intakes import MONDAY, NOISES, course, noisy
from valueplatform.telemetry.quality_volume import Run, volume_runs

WEEK = [100, 110, 105, 95, 100, 10, 5]


def runs(counts: dict[date, int], days: int) -> list[Run]:
    return list(volume_runs(counts, MONDAY, MONDAY + timedelta(days=days - 1)))


def weekly(weeks: int, change: Callable[[int, int], int] = lambda _, count: count) -> dict[date, int]:
    return course(change(number, WEEK[number % 7]) for number in range(weeks * 7))


@pytest.mark.parametrize("noise", NOISES)
def test_at_most_one_in_a_hundred_weeks_of_a_thousand_steady_accounts_opens_a_finding(noise: str) -> None:
    draw = random.Random(2026)
    weeks = opened = 0
    for _ in range(1000):
        counts = noisy(draw, 26 * 7, noise)
        first = min(day for day, count in counts.items() if count) if any(counts.values()) else MONDAY
        opened += len(list(volume_runs(counts, first, max(counts))))
        weeks += 26 - 7
    assert opened / weeks <= 0.01


@pytest.mark.parametrize(
    ("noise", "factor", "days", "caught"),
    [
        ("counts", 0, 1, 0.97),
        ("counts", 0, 3, 0.97),
        ("counts", 0.3, 3, 0.97),
        ("counts", 0.5, 7, 0.85),
        ("counts", 3, 3, 0.97),
        ("counts", 10, 1, 0.97),
        ("lognormal", 0, 1, 0.9),
        ("lognormal", 0, 3, 0.97),
        ("lognormal", 0.3, 7, 0.8),
        ("lognormal", 3, 3, 0.9),
        ("lognormal", 10, 1, 0.9),
    ],
)
def test_outages_drops_and_spikes_are_caught(noise: str, factor: float, days: int, caught: float) -> None:
    """Planted in the last days up to a Thursday of sources with at least 20 events a day."""
    draw = random.Random(7)
    planted = found = 0
    while planted < 200:
        counts = noisy(draw, 137, noise)
        if sum(counts.values()) < 20 * 137:
            continue
        last = max(counts)
        for number in range(days):
            counts[last - timedelta(days=number)] = round(counts[last - timedelta(days=number)] * factor)
        open_runs = [one for one in volume_runs(counts, MONDAY, last) if one.is_open]
        planted += 1
        found += any(one.above is (factor > 1) for one in open_runs)
    assert found / planted >= caught


def test_a_run_says_from_when_to_when_how_much_and_how_much_is_usual() -> None:
    counts = weekly(12, lambda number, count: 0 if number in {79, 80, 81} else count)
    (run,) = runs(counts, 82)
    assert (run.since, run.through) == (MONDAY + timedelta(days=79), MONDAY + timedelta(days=81))
    assert (run.above, run.events, run.is_open) == (False, 0, True)
    assert run.usual == pytest.approx(300, abs=1)


def test_it_ends_with_the_first_usual_day_and_weekends_in_between_say_nothing() -> None:
    # From Thursday to Tuesday; of the weekend between nothing much was to be expected.
    counts = weekly(12, lambda number, count: count // 10 if 73 <= number <= 78 else count)
    (run,) = runs(counts, 84)
    assert (run.since, run.through) == (MONDAY + timedelta(days=73), MONDAY + timedelta(days=78))
    assert not run.is_open


def test_a_public_holiday_is_none() -> None:
    counts = weekly(16, lambda number, count: count // 4 if number in {70, 88} else count)
    assert runs(counts, 112) == []


def test_below_seven_weeks_nothing_is_said() -> None:
    for days in range(49):
        counts = weekly(7)
        counts[MONDAY + timedelta(days=days)] = 0
        assert runs(counts, days + 1) == []
    assert len(runs(weekly(8, lambda number, count: 0 if number == 50 else count), 51)) == 1


def test_steady_growth_is_usual_and_a_new_level_becomes_so_after_four_weeks() -> None:
    growing = course(round(200 * 1.01**number) for number in range(140))
    assert runs(growing, 140) == []
    counts = weekly(24, lambda number, count: count * 5 if number >= 70 else count)
    assert runs(counts, 90)[-1].is_open
    assert [one for one in runs(counts, 168) if one.is_open] == []


def test_a_source_that_sends_in_rare_batches_is_usual_to_itself() -> None:
    draw = random.Random(3)
    counts = course(draw.choice([0, 0, 0, 0, 0, 400]) for _ in range(200))
    assert runs(counts, 200) == []


def test_counts_near_zero_open_nothing() -> None:
    assert runs(course([1, 0, 2, 0, 0, 1, 0] * 20), 140) == []
    assert runs(course([0] * 140), 140) == []
    assert runs(course([3] * 100 + [0] * 3), 103) == []
