from datetime import date

from tests.narrative.factories import account, driver, harbor, rows
from valueplatform.narrative.facts import AccountFacts, for_provider
from valueplatform.narrative.insight import Insight
from valueplatform.narrative.insights.contribution import contribution
from valueplatform.value.states import State

DAY = date(2026, 8, 1)


def _told(facts: AccountFacts) -> dict[tuple[str, str], Insight]:
    return {(insight.kind, insight.subject): insight for insight in contribution(facts)}


def test_one_driver_has_no_contributors() -> None:
    assert _told(account(rows("a", {DAY: 5}), drivers=(driver("a"),))) == {}


def test_the_two_largest_are_named_with_their_shares() -> None:
    daily = [*rows("a", {DAY: 10}), *rows("b", {DAY: 60}), *rows("c", {DAY: 30})]
    found = _told(account(daily, drivers=(driver("a"), driver("b"), driver("c"))))["top-contributors", "account"]
    assert [found.terms["first_name"], found.terms["second_name"]] == ["B", "C"]
    assert str(found.number("first_share").value) == "0.6000"


def test_no_shares_of_a_total_that_is_not_positive() -> None:
    daily = [*rows("a", {DAY: 10}), *rows("b", {DAY: 5}), *rows("c", {DAY: -30})]
    facts = account(daily, drivers=(driver("a"), driver("b"), driver("c")))
    assert ("top-contributors", "account") not in _told(facts)


def test_every_driver_that_takes_value_away_is_shown() -> None:
    daily = [*rows("a", {DAY: 10_000}), *rows("outage", {DAY: -1})]
    found = _told(account(daily, drivers=(driver("a"), driver("outage"))))["detractor", "outage"]
    assert found.number("realized").value == -1
    assert found.favorable is False


def test_classes_are_told_apart_where_there_are_two() -> None:
    found = _told(harbor())["benefit-classes", "account"]
    assert [number.name for number in found.numbers] == ["capacity", "cashable", "avoidance", "revenue"]


def test_estimates_are_parts_of_an_estimate_not_of_the_total() -> None:
    daily = [*rows("a", {DAY: 10}), *rows("b", {DAY: 60}, state=State.ESTIMATED)]
    facts = account(daily, drivers=(driver("a"), driver("b")))
    assert ("top-contributors", "account") not in _told(facts)


def test_a_partner_is_named_with_its_part() -> None:
    found = _told(harbor())["partner-contribution", "invoicing/tessera"]
    assert found.terms["part_name"] == "Tessera Integrations"


def test_a_partner_is_not_told_of_its_own_part_as_news() -> None:
    assert not any(kind == "partner-contribution" for kind, _ in _told(for_provider(harbor(), "tessera")))
