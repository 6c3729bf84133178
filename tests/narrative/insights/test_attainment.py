from datetime import date, timedelta
from typing import Any

import pytest

from tests.narrative.factories import TODAY, account, contract, driver, harbor, rows, steady, targets
from valueplatform.narrative.facts import AccountFacts, Person
from valueplatform.narrative.insight import Insight
from valueplatform.narrative.insights.attainment import attainment, objectives
from valueplatform.value.states import State

START = date(2026, 1, 1)
END = date(2027, 1, 1)
TOMORROW = TODAY + timedelta(days=1)


def _facts(daily: list[dict[str, object]], plan: list[Any], *slugs: str, **given: Any) -> AccountFacts:
    drivers = tuple(driver(slug) for slug in slugs)
    return account(daily, drivers=drivers, targets=tuple(plan), contracts=(contract(START, END, 1),), **given)


def _one(facts: AccountFacts, subject: str, kind: str = "attainment") -> Insight | None:
    return next((i for i in attainment(facts) if (i.kind, i.subject) == (kind, subject)), None)


@pytest.mark.parametrize(
    ("daily", "status"), [(117, "ahead"), (114, "on-plan"), (100, "on-plan"), (86, "on-plan"), (84, "behind")]
)
def test_the_standing_follows_the_committed_range(daily: int, status: str) -> None:
    """Committed 100 a day, 15 either side; months differ in length, so amounts are set by the month's days."""
    plan = [
        target
        for month in range(1, 13)
        for target in targets("o", "a", date(2026, month, 1), date(2026, month, 2), 100 * _length(month))
    ]
    found = _one(_facts(rows("a", steady(START, TOMORROW, daily)), plan, "a"), "account")
    assert found is not None
    assert found.terms["status"] == status


def _length(month: int) -> int:
    return (date(2026 + month // 12, month % 12 + 1, 1) - date(2026, month, 1)).days


def test_value_that_does_not_count_attains_nothing() -> None:
    daily = rows("a", steady(START, TOMORROW, 100), state=State.ESTIMATED)
    assert attainment(_facts(daily, targets("o", "a", START, END, 3000), "a")) == []


def test_a_commitment_of_less_than_two_weeks_is_not_judged() -> None:
    begun = TODAY - timedelta(days=5)
    daily = rows("a", steady(START, TOMORROW, 100))
    facts = _facts(daily, targets("o", "a", begun.replace(day=1), END, 3000), "a", today=date(2026, 8, 10))
    assert attainment(facts) == []


def test_a_commitment_of_nothing_is_not_judged() -> None:
    daily = rows("a", steady(START, TOMORROW, 100))
    assert attainment(_facts(daily, targets("o", "a", START, END, 0), "a")) == []


def test_value_before_the_first_target_is_not_set_against_it() -> None:
    daily = rows("a", steady(START, TOMORROW, 100))
    found = _one(_facts(daily, targets("o", "a", date(2026, 8, 1), END, 3100), "a"), "a")
    assert found is not None
    assert found.number("realized").value == 2100


def test_what_takes_value_away_is_in_the_total_though_nobody_planned_it() -> None:
    daily = [*rows("a", steady(START, TOMORROW, 100)), *rows("outage", {START: -5000})]
    found = _one(_facts(daily, targets("o", "a", START, END, 3000), "a", "outage"), "account")
    assert found is not None
    days = (TOMORROW - START).days
    assert found.number("realized").value == days * 100 - 5000


def test_an_objective_of_several_drivers_stands_for_itself() -> None:
    found = _one(harbor(), "objective:Dispatch without waiting")
    assert found is not None
    assert set(found.drivers) == {"dispatch_time", "penalties"}
    assert found.terms["objective_name"] == "Dispatch without waiting"


def test_a_driver_of_two_objectives_belongs_to_the_first() -> None:
    plan = [*targets("first", "a", START, END, 10), *targets("second", "a", date(2026, 2, 1), END, 10)]
    assert objectives(_facts([], plan, "a")) == {"first": ("a",)}


def test_a_driver_that_is_behind_because_it_stopped_says_so() -> None:
    daily = rows("a", steady(START, date(2026, 5, 1), 100))
    found = _one(_facts(daily, targets("o", "a", START, END, 3000), "a"), "a")
    assert found is not None
    assert found.terms["cause"] == "stalled"
    assert found.terms["stopped_day"] == "2026-05-01"


def test_a_driver_that_is_behind_because_nobody_validated_it_names_who_can() -> None:
    daily = [
        *rows("a", steady(START, TOMORROW, 50)),
        *rows("a", steady(START, TOMORROW, 40), state=State.PROPOSED, provider="other"),
    ]
    people = (Person("Priya Nair", "validator"),)
    found = _one(_facts(daily, targets("o", "a", START, END, 3000), "a", people=people), "a")
    assert found is not None
    assert (found.terms["cause"], found.terms["validator_name"]) == ("waiting", "Priya Nair")
    assert found.number("waiting").value == 40 * (TOMORROW - START).days


def test_a_driver_that_began_late_says_when() -> None:
    daily = rows("a", steady(date(2026, 5, 1), TOMORROW, 50))
    found = _one(_facts(daily, targets("o", "a", START, END, 3000), "a"), "a")
    assert found is not None
    assert (found.terms["cause"], found.terms["first_day"]) == ("late-start", "2026-05-01")


def test_the_worst_driver_is_named_beside_the_best() -> None:
    daily = [*rows("a", steady(START, TOMORROW, 200)), *rows("b", steady(START, TOMORROW, 20))]
    plan = [*targets("o", "a", START, END, 3000), *targets("p", "b", START, END, 3000)]
    found = _one(_facts(daily, plan, "a", "b"), "account", "plan-standing")
    assert found is not None
    assert found.terms["shape"] == "behind-ahead1"
    assert (found.terms["behind_name"], found.terms["ahead1_name"]) == ("B", "A")


def test_drivers_that_all_keep_to_plan_need_no_naming() -> None:
    daily = [*rows("a", steady(START, TOMORROW, 100)), *rows("b", steady(START, TOMORROW, 100))]
    plan = [*targets("o", "a", START, END, 3050), *targets("p", "b", START, END, 3050)]
    assert _one(_facts(daily, plan, "a", "b"), "account", "plan-standing") is None
