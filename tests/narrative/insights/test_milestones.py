from datetime import date, timedelta

from tests.narrative.factories import TODAY, account, contract, driver, rows, steady
from valueplatform.narrative.facts import AccountFacts, Contract, Milestone
from valueplatform.narrative.insight import Insight
from valueplatform.narrative.insights.milestones import milestones

START = date(2025, 12, 1)
TOMORROW = TODAY + timedelta(days=1)


def _facts(*given: Milestone, contracts: tuple[Contract, ...]) -> AccountFacts:
    daily = rows("a", steady(START, TOMORROW, 10))
    return account(daily, drivers=(driver("a"),), milestones=given, contracts=contracts)


def _told(*given: Milestone, end: date | None = date(2027, 6, 1)) -> dict[str, Insight]:
    return {i.kind: i for i in milestones(_facts(*given, contracts=(contract(START, end, 100),)))}


def test_go_live_inside_the_contract_year_is_told_with_what_came_since() -> None:
    found = _told(Milestone("m", "go-live", date(2026, 2, 1), "Go-live"))["go-live"]
    assert found.number("since").value == 10 * (TOMORROW - date(2026, 2, 1)).days


def test_go_live_before_the_story_begins_is_not_told_again() -> None:
    assert _told(Milestone("m", "go-live", date(2025, 11, 1), "Go-live")) == {}


def test_other_milestones_are_told_for_six_weeks() -> None:
    assert "milestone" in _told(Milestone("m", "rollout", TODAY - timedelta(days=45), "Reno went live"))
    assert "milestone" not in _told(Milestone("m", "rollout", TODAY - timedelta(days=46), "Reno went live"))


def test_what_is_still_ahead_has_not_happened() -> None:
    assert _told(Milestone("m", "rollout", TODAY + timedelta(days=1), "Reno goes live")) == {}


def test_a_renewal_is_told_within_four_months() -> None:
    assert "renewal-ahead" in _told(end=TODAY + timedelta(days=120))
    assert "renewal-ahead" not in _told(end=TODAY + timedelta(days=121))
    assert "renewal-ahead" not in _told(end=None)


def test_the_last_day_of_the_contract_is_said_not_the_day_after() -> None:
    assert _told(end=date(2026, 10, 1))["renewal-ahead"].terms["end_day"] == "2026-09-30"


def test_a_contract_that_is_renewed_already_needs_no_telling() -> None:
    ending = contract(START, date(2026, 10, 1), 100)
    following = contract(date(2026, 10, 1), date(2027, 10, 1), 100)
    assert milestones(_facts(contracts=(ending, following))) == []


def test_a_free_contract_has_no_return() -> None:
    found = milestones(_facts(contracts=(contract(START, date(2026, 10, 1), 0),)))
    assert found[0].terms["cost"] == "unknown"
    assert [number.name for number in found[0].numbers] == ["since"]
