import random
from datetime import date, timedelta

from tests.narrative.factories import Wave, account, driver, rows, steady, workdays
from valueplatform.narrative.facts import AccountFacts
from valueplatform.narrative.insight import Insight, Standing
from valueplatform.narrative.insights.presence import presence, stalled_since
from valueplatform.value.states import State

START = date(2026, 1, 1)
TODAY = date(2026, 8, 21)
TOMORROW = TODAY + timedelta(days=1)


def _told(facts: AccountFacts) -> dict[str, Insight]:
    return {insight.kind: insight for insight in presence(facts)}


def test_a_driver_that_works_on_weekdays_is_not_stalled_on_sunday() -> None:
    sunday = date(2026, 8, 23)
    facts = account(rows("a", workdays(START, sunday, 5)), drivers=(driver("a"),), today=sunday)
    assert stalled_since(facts, "a") is None


def test_a_daily_driver_is_stalled_after_more_than_a_week_of_nothing() -> None:
    daily = rows("a", steady(START, date(2026, 8, 12), 5))
    on_the_eighth_day = account(daily, drivers=(driver("a"),), today=date(2026, 8, 20))
    assert stalled_since(on_the_eighth_day, "a") == date(2026, 8, 12)
    on_the_seventh = account(daily, drivers=(driver("a"),), today=date(2026, 8, 19))
    assert stalled_since(on_the_seventh, "a") is None


def test_a_driver_that_pauses_often_is_given_more_time() -> None:
    monthly = {START + timedelta(days=20 * i): 5 for i in range(9)}
    facts = account(rows("a", monthly), drivers=(driver("a"),), today=START + timedelta(days=160 + 39))
    assert stalled_since(facts, "a") is None
    later = account(rows("a", monthly), drivers=(driver("a"),), today=START + timedelta(days=160 + 40))
    assert stalled_since(later, "a") is not None


def test_too_few_days_make_no_rhythm() -> None:
    facts = account(rows("a", steady(START, START + timedelta(days=7), 5)), drivers=(driver("a"),))
    assert presence(facts) == []


def test_a_stalled_driver_says_what_it_brought_before() -> None:
    found = _told(account(rows("a", steady(START, date(2026, 8, 1), 5)), drivers=(driver("a"),)))["stalled-driver"]
    assert found.number("before").value == 140
    assert found.number("since").value == 0
    assert found.terms["stopped_day"] == "2026-08-01"
    assert found.favorable is False


def test_an_account_from_which_nothing_comes_is_silent_as_a_whole() -> None:
    until = date(2026, 8, 1)
    both = [*rows("a", steady(START, until, 5)), *rows("b", steady(START, until, 5))]
    found = presence(account(both, drivers=(driver("a"), driver("b"))))
    assert [(insight.kind, insight.subject) for insight in found] == [("silent-account", "account")]
    assert found[0].number("before").value == 280


def test_rows_of_zero_after_the_stop_keep_their_own_state() -> None:
    until = date(2026, 8, 1)
    zeros = {until + timedelta(days=1): 0}
    ended = [*rows("a", steady(START, until, 5)), *rows("a", zeros, state=State.ESTIMATED)]
    one = _told(account(ended, drivers=(driver("a"),)))["stalled-driver"]
    both = [*ended, *rows("b", steady(START, until, 5))]
    whole = _told(account(both, drivers=(driver("a"), driver("b"))))["silent-account"]
    for found in (one, whole):
        assert found.number("before").standing is Standing.VALIDATED
        assert found.number("since").standing is Standing.ESTIMATED


def test_an_account_without_priced_drivers_falls_silent_too() -> None:
    until = date(2026, 8, 1)
    both = [*rows("a", steady(START, until, 5), unit="job"), *rows("b", steady(START, until, 5), unit="call")]
    facts = account(both, drivers=(driver("a", unit="job"), driver("b", unit="call")))
    assert _told(facts)["silent-account"].number("before").value == 0


def test_the_only_driver_of_an_account_where_nothing_counts_is_silence_once_it_is_lost() -> None:
    def kinds(days: int, state: State) -> list[str]:
        daily = rows("a", steady(START, TODAY - timedelta(days=days), 5), state=state)
        return [insight.kind for insight in presence(account(daily, drivers=(driver("a"),)))]

    assert kinds(91, State.ESTIMATED) == ["silent-account"]
    assert kinds(89, State.ESTIMATED) == ["stalled-driver"]
    assert kinds(91, State.VALIDATED) == ["lost-driver"]


def test_one_driver_that_goes_on_breaks_the_silence() -> None:
    daily = [*rows("a", steady(START, date(2026, 8, 1), 5)), *rows("b", steady(START, TOMORROW, 5))]
    found = presence(account(daily, drivers=(driver("a"), driver("b"))))
    assert [(insight.kind, insight.subject) for insight in found] == [("stalled-driver", "a")]


def test_a_driver_that_only_took_value_away_is_not_new() -> None:
    both = [*rows("a", steady(START, TOMORROW, 5)), *rows("b", {date(2026, 8, 1): -5})]
    assert "new-driver" not in _told(account(both, drivers=(driver("a"), driver("b"))))


def test_a_lost_week_is_told_as_missing() -> None:
    gap = {date(2026, 6, 9) + timedelta(days=i) for i in range(9)}
    daily = {d: v for d, v in Wave(10).days(START, TOMORROW).items() if d not in gap}
    found = _told(account(rows("a", daily), drivers=(driver("a"),)))["missing-days"]
    assert found.terms["first_day"] == "2026-06-09"
    assert found.terms["last_day"] == "2026-06-17"


def test_a_weekend_is_not_missing() -> None:
    assert _told(account(rows("a", workdays(START, TOMORROW, 5)), drivers=(driver("a"),))) == {}


def test_a_pause_of_long_ago_is_not_told() -> None:
    gap = {date(2025, 3, 9) + timedelta(days=i) for i in range(9)}
    daily = {d: v for d, v in Wave(10).days(date(2025, 1, 1), TOMORROW).items() if d not in gap}
    assert _told(account(rows("a", daily), drivers=(driver("a"),))) == {}


def test_a_first_driver_is_not_new_but_a_later_one_is() -> None:
    both = [*rows("a", steady(START, TOMORROW, 5)), *rows("b", steady(date(2026, 7, 20), TOMORROW, 5))]
    facts = account(both, drivers=(driver("a"), driver("b")))
    found = [insight for insight in presence(facts) if insight.kind == "new-driver"]
    assert [insight.subject for insight in found] == ["b"]
    assert found[0].number("earlier").value == 0


def test_a_driver_is_new_for_sixty_days() -> None:
    both = [*rows("a", steady(START, TOMORROW, 5)), *rows("b", steady(date(2026, 6, 1), TOMORROW, 5))]
    assert "new-driver" not in _told(account(both, drivers=(driver("a"), driver("b"))))


def test_a_driver_that_stopped_ninety_days_ago_is_lost() -> None:
    stop = date(2026, 5, 23)
    daily = rows("a", steady(START, stop, 5)) + rows("b", steady(START, TOMORROW, 5))
    facts = account(daily, drivers=(driver("a"), driver("b")))
    found = _told(facts)["lost-driver"]
    assert found.number("since").value == 0
    assert found.number("quiet").value == (TOMORROW - stop).days
    later = account(daily, drivers=(driver("a"), driver("b")), today=TODAY - timedelta(days=1))
    assert "stalled-driver" in _told(later)


def test_days_that_bring_value_by_chance_now_and_then_make_no_stop() -> None:
    told = 0
    for seed in range(20):
        rng = random.Random(seed)
        days = {START + timedelta(days=i): 5 for i in range(365) if rng.random() < 0.08}
        for end in range(120, 365, 5):
            today = START + timedelta(days=end)
            known = {day: value for day, value in days.items() if day <= today}
            facts = account(rows("a", known), drivers=(driver("a"),), today=today)
            told += stalled_since(facts, "a") is not None
    assert told <= 5


def test_a_week_of_rest_around_holidays_is_neither_missing_nor_a_stop() -> None:
    rest = {date(2026, 6, 9) + timedelta(days=i) for i in range(9)}
    daily = {d: v for d, v in Wave(10).days(START, TOMORROW).items() if d not in rest}
    assert "missing-days" not in _told(account(rows("a", daily), drivers=(driver("a"),), at_rest=frozenset(rest)))
    ended = {d: v for d, v in daily.items() if d < date(2026, 6, 9)}
    asked = {"drivers": (driver("a"),), "today": date(2026, 6, 18)}
    assert stalled_since(account(rows("a", ended), **asked), "a") is not None
    assert stalled_since(account(rows("a", ended), at_rest=frozenset(rest), **asked), "a") is None


def test_of_two_gaps_the_one_that_is_no_holiday_is_told() -> None:
    rest = {date(2026, 4, 1) + timedelta(days=i) for i in range(12)}
    gap = {date(2026, 6, 9) + timedelta(days=i) for i in range(9)}
    daily = {d: v for d, v in Wave(10).days(START, TOMORROW).items() if d not in rest | gap}
    found = _told(account(rows("a", daily), drivers=(driver("a"),), at_rest=frozenset(rest)))["missing-days"]
    assert found.terms["first_day"] == "2026-06-09"
