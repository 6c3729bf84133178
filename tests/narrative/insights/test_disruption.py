from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal

import pytest

from tests.narrative.factories import TODAY, account, driver, rows, steady, summit
from valueplatform.narrative.facts import AccountFacts
from valueplatform.narrative.insights.disruption import disruptions
from valueplatform.value.states import State

START = date(2026, 1, 1)
TOMORROW = TODAY + timedelta(days=1)


def _facts(taken: Mapping[date, Decimal | int], state: State = State.VALIDATED) -> AccountFacts:
    daily = rows("a", steady(START, TOMORROW, 100)) + rows("outages", taken, state=state)
    return account(daily, drivers=(driver("a"), driver("outages")))


def test_days_close_to_each_other_are_one_episode() -> None:
    (found,) = disruptions(_facts({date(2026, 7, 6): -300, date(2026, 7, 10): -100}))
    assert found.terms["first_day"] == "2026-07-06"
    assert found.terms["last_day"] == "2026-07-10"
    assert found.number("cost").value == -400
    assert found.number("days").value == 5
    assert found.favorable is False


def test_four_days_between_make_two_episodes_of_which_the_costlier_is_told() -> None:
    (found,) = disruptions(_facts({date(2026, 7, 6): -40, date(2026, 7, 11): -300}))
    assert found.number("cost").value == -300
    assert found.number("whole").value == -340
    assert found.terms["length"] == "day"


def test_a_cost_that_goes_on_all_the_time_is_no_episode() -> None:
    assert disruptions(_facts(steady(START, TOMORROW, -5))) == []
    assert disruptions(_facts(steady(date(2026, 7, 1), date(2026, 8, 1), -5))) != []
    assert disruptions(_facts(steady(date(2026, 7, 1), date(2026, 8, 2), -5))) == [], "32 days"


def test_what_is_long_past_is_not_told_again() -> None:
    ago = TODAY - timedelta(days=91)
    assert disruptions(_facts({ago: -300})) != []
    assert disruptions(_facts({ago - timedelta(days=1): -300})) == []


@pytest.mark.parametrize("other", [-76, 500])
def test_an_episode_that_is_not_most_of_it_is_left_to_the_whole(other: int) -> None:
    assert disruptions(_facts({date(2026, 7, 6): -300, date(2026, 3, 1): other})) == []


def test_what_nobody_agreed_to_is_an_estimate() -> None:
    (found,) = disruptions(_facts({date(2026, 7, 6): -300}, State.ESTIMATED))
    assert found.terms["certainty"] == "estimated"


def test_an_account_that_lost_nothing_has_none() -> None:
    assert disruptions(_facts({})) == []
    assert [insight.subject for insight in disruptions(summit())] == ["overtime"]
