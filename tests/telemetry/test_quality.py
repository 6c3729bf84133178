"""What is wrong with a source, told from its own days; a source that goes on as it was is left alone."""

from datetime import timedelta

import pytest

from tests.telemetry.intakes import TODAY, before, changed, steady
from valueplatform.telemetry.intake_sums import IntakeDay
from valueplatform.telemetry.quality import (
    NOTICE,
    WARNING,
    Found,
    clock,
    duration,
    judge_source,
    lateness,
    pause_allowed,
    shares,
    silence,
    volume,
)

RECEIVED = {"rejections": "rejected", "conflicts": "conflicts", "duplicates": "duplicates"}
NONE = {"happened": 0, "stored": 0}


def judged(days: list[IntakeDay]) -> list[Found]:
    return judge_source("segment", days, TODAY, expected=True)


def test_a_source_that_goes_on_as_it_was_is_left_alone() -> None:
    for days in (steady(140), steady(140, 100, 100), steady(30, 3), steady(2), []):
        assert judged(days) == []


def test_a_silent_source_is_one_finding_from_the_day_after_its_last_event() -> None:
    (found,) = judged(changed(steady(140, 100, 80), dict.fromkeys(range(1, 7), NONE)))
    assert found == Found(
        "freshness",
        "segment",
        "events every day",
        "no events for 6 days",
        WARNING,
        "segment",
        before(6),
        before(1),
        {"silent_days": 6, "usually_behind_days": 0},
    )


def test_today_is_not_over_and_says_nothing() -> None:
    assert TODAY not in {one.day for one in steady(140)}
    assert judged(steady(140)) == []
    assert judged(changed(steady(140), {0: {"happened": 1, "stored": 1}})) == []


def test_a_busy_source_is_silent_after_one_day_and_a_sparse_one_by_its_own_pauses() -> None:
    assert [one.what for one in judged(changed(steady(140), {1: NONE}))] == ["freshness"]
    weekly = [IntakeDay(before(ago), happened=5, stored=5) for ago in range(110, 10, -7)]
    assert weekly[-1].day == before(12)
    assert judged(weekly) == []
    assert silence("s", weekly, TODAY + timedelta(days=2)) is None
    found = silence("s", weekly, TODAY + timedelta(days=3))
    assert found is not None
    assert (found.seen, found.usual) == ("no events for 14 days", "no pause of more than 6 days")


def test_weekends_are_no_silence() -> None:
    monday = TODAY + timedelta(days=3)
    assert silence("s", [*steady(140), IntakeDay(TODAY, happened=99, stored=99)], monday) is None


def test_one_earlier_outage_does_not_make_later_ones_usual() -> None:
    days = changed(steady(140, 3, 3), dict.fromkeys((*range(60, 90), *range(1, 5)), NONE))
    assert silence("s", days, TODAY) is not None


def test_a_source_that_is_usually_behind_is_not_silent_for_that() -> None:
    """It sends a week's events each Monday."""
    days = [
        IntakeDay(one.day, happened=one.happened, stored=700 * (one.day.weekday() == 0), behind=8)
        if one.day.weekday() == 0
        else IntakeDay(one.day, happened=one.happened)
        for one in steady(140, 100, 100)
    ]
    assert lateness(days, TODAY) == 7
    for ago in range(8):
        sent = [one for one in days if one.day < before(ago)]
        assert judged(sent) == [], ago
    assert [one.what for one in judged([one for one in days if one.day < before(11)])] == ["freshness"]


def test_what_is_gone_for_long_is_no_finding_any_more() -> None:
    days = steady(140)
    assert silence("s", days, TODAY + timedelta(days=119)) is not None
    assert silence("s", days, TODAY + timedelta(days=121)) is None


def test_without_a_rhythm_there_is_no_silence() -> None:
    assert pause_allowed([]) is None
    assert pause_allowed([before(ago) for ago in range(20, 0, -1)]) is None
    assert silence("s", [IntakeDay(before(60), happened=1000)], TODAY) is None


def test_an_account_that_is_not_to_send_is_not_silent_but_its_rejections_count() -> None:
    days = changed(steady(140), {ago: NONE | {"rejected": 100} for ago in range(1, 7)})
    assert [one.what for one in judge_source("s", days, TODAY, expected=False)] == ["rejections"]


def test_a_drop_says_how_much_came_and_how_much_is_usual() -> None:
    found = volume("s", changed(steady(140, 1000), {1: {"happened": 150}, 2: {"happened": 150}}), TODAY)
    assert found is not None
    assert (found.usual, found.seen, found.severity) == ("about 2,000", "300 events in 2 days", WARNING)
    assert found.numbers == {"events": 300, "usual": 2000, "above": 0, "days": 2}
    assert (found.since, found.through) == (before(2), before(1))


def test_a_spike_is_a_notice() -> None:
    found = volume("s", changed(steady(140, 1000), {1: {"happened": 9000}}), TODAY)
    assert found is not None
    assert (found.numbers["above"], found.severity) == (1, NOTICE)


@pytest.mark.parametrize("what", RECEIVED)
def test_too_large_a_share_is_found_with_the_day_that_it_began_on(what: str) -> None:
    days = changed(steady(140, 100, 100), {ago: {RECEIVED[what]: 80} for ago in range(5)})
    (found,) = shares("s", days, TODAY)
    assert (found.what, found.since, found.through) == (what, before(4), TODAY)
    assert found.numbers == {"bad": 240, "received": 440}
    assert found.severity == (NOTICE if what == "duplicates" else WARNING)


def test_a_share_that_was_always_so_is_usual_and_a_few_are_nothing() -> None:
    always = changed(steady(140, 100, 100), {ago: {"rejected": 10, "duplicates": 60} for ago in range(140)})
    assert list(shares("s", always, TODAY)) == []
    assert list(shares("s", changed(steady(140, 3), {1: {"rejected": 20}}), TODAY)) == []
    assert list(shares("s", changed(steady(140, 900), {1: {"rejected": 9}}), TODAY)) == []


def test_a_source_of_which_all_is_rejected_is_found_without_any_history() -> None:
    (found,) = shares("s", [IntakeDay(TODAY, rejected=200)], TODAY)
    assert (found.what, found.seen, found.usual) == ("rejections", "200 of 200 received in three days", "none")


def test_a_clock_that_is_ahead_is_found_at_once() -> None:
    found = clock("s", changed(steady(30), {0: {"stored": 20, "ahead": 12, "lead": 7200}}), TODAY)
    assert found is not None
    assert found.numbers == {"ahead": 12, "stored": 220, "lead_seconds": 7200}
    assert "up to 2 hours before they came in" in found.seen
    assert clock("s", changed(steady(30, 5000), {1: {"ahead": 6, "lead": 7200}}), TODAY) is None


def test_a_clock_that_is_behind_is_told_from_delays_that_do_not_vary() -> None:
    found = clock("s", steady(30, lead=-3610), TODAY)
    assert found is not None
    assert (found.severity, found.numbers) == (NOTICE, {"behind_seconds": 3610})
    varying = changed(steady(30, lead=-3610), {2: {"lead": -9000}})
    assert clock("s", varying, TODAY) is None
    assert clock("s", steady(30, lead=-300), TODAY) is None
    assert clock("s", steady(30, 5, lead=-3610), TODAY) is None


def test_a_duration_is_told_in_a_unit_that_says_something() -> None:
    assert [duration(seconds) for seconds in (61, 119, 120, 7199, 7200, 172_800)] == [
        "61 seconds", "119 seconds", "2 minutes", "119 minutes", "2 hours", "2 days",
    ]  # fmt: skip
