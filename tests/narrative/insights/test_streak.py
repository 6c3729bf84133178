import random
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from tests.narrative.factories import TODAY, account, driver, record_of, rows, steady, targets
from valueplatform.narrative.facts import AccountFacts, Adjustment
from valueplatform.narrative.faithful import admit, rederive_from
from valueplatform.narrative.insight import Insight
from valueplatform.narrative.insights.streak import LEAST_WEEKS, streaks
from valueplatform.value.states import State

START = date(2026, 1, 1)
TOMORROW = TODAY + timedelta(days=1)
PLAN = targets("Save", "a", START, date(2027, 1, 1), 3100)
"""A hundred a day in months of 31 days, a little more in others."""


def _facts(daily: Mapping[date, Decimal | int], state: State = State.VALIDATED, **given: object) -> AccountFacts:
    return account(rows("a", daily, state=state), drivers=(driver("a"),), targets=tuple(PLAN), **given)


def _told(facts: AccountFacts) -> list[Insight]:
    return [insight for candidate in streaks(facts) for insight in candidate.insights]


def _from(week: int, before: int, after: int) -> dict[date, Decimal]:
    """One amount a day, and another in the last `week` whole weeks and the running one."""
    turn = date(2026, 8, 17) - timedelta(weeks=week)
    return steady(START, turn, before) | steady(turn, TOMORROW, after)


def test_weeks_above_the_commitment_are_counted_with_what_they_brought_beyond_it() -> None:
    (found,) = _told(_facts(_from(16, 60, 150)))
    assert found.number("weeks").value == 16
    assert found.terms["side"] == "above"
    assert found.period_from == date(2026, 4, 27)
    assert found.period_to == date(2026, 8, 17), "the running week is not over"
    assert Decimal(5000) < found.number("beyond").value < 50 * 112
    assert found.favorable


def test_weeks_below_are_bad_news_of_the_same_size() -> None:
    (found,) = _told(_facts(_from(16, 150, 60)))
    assert (found.terms["side"], found.favorable) == ("below", False)
    assert found.number("beyond").value < 0


def test_twelve_weeks_may_be_chance_in_one_of_a_years_looks() -> None:
    assert _told(_facts(_from(LEAST_WEEKS - 1, 60, 150))) == []
    assert len(_told(_facts(_from(LEAST_WEEKS, 60, 150)))) == 1


def test_a_single_week_on_the_other_side_ends_it() -> None:
    daily = _from(16, 60, 150) | steady(date(2026, 7, 6), date(2026, 7, 13), 20)
    assert _told(_facts(daily)) == []


def test_what_does_not_count_makes_no_streak() -> None:
    assert _told(_facts(_from(16, 60, 150), State.ESTIMATED)) == []


def test_a_week_that_shows_an_adjustment_of_other_days_is_no_part_of_it() -> None:
    late = Adjustment("a", date(2026, 3, 1), date(2026, 7, 8), Decimal(9000), "late-events")
    assert _told(_facts(_from(16, 60, 150), adjustments=(late,))) == []


def test_a_commitment_that_has_ended_makes_no_streak_any_more() -> None:
    ended = tuple(target for target in PLAN if target.month < date(2026, 7, 1))
    assert _told(replace(_facts(_from(30, 150, 150)), targets=ended)) == []


def test_noise_around_the_commitment_is_no_streak() -> None:
    told = 0
    for seed in range(60):
        rng = random.Random(seed)
        days = [START + timedelta(days=i) for i in range((TOMORROW - START).days)]
        daily = {d: Decimal(round(rng.gauss(102, 30), 2)).quantize(Decimal("0.01")) for d in days}
        told += len(_told(_facts(daily)))
    assert told <= 2


def test_a_streak_that_the_record_does_not_bear_out_is_refused() -> None:
    facts, other = _facts(_from(16, 60, 150)), _facts(_from(14, 60, 150))
    (found,) = _told(facts)
    assert admit([found], rederive_from(record_of(facts), [found]))[0]
    assert admit([found], rederive_from(record_of(other), [found]))[0] == []


def test_of_several_on_one_side_the_one_that_matters_most_is_told() -> None:
    high, higher = _from(16, 60, 150), _from(16, 60, 300)
    plan = (*PLAN, *targets("Save", "b", START, date(2027, 1, 1), 3100))
    daily = [*rows("a", high), *rows("b", higher)]
    facts = account(daily, drivers=(driver("a"), driver("b")), targets=plan)
    assert [insight.subject for insight in _told(facts)] == ["b"]
    assert len(list(streaks(facts))) == 2, "both are tests"
