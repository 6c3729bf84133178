from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from tests.narrative.factories import TODAY, account, contract, driver, record_of, rows, steady, summit
from valueplatform.accounts.costs import Cost, CostKind
from valueplatform.narrative.facts import AccountFacts, Contract
from valueplatform.narrative.faithful import admit, rederive_from
from valueplatform.narrative.insight import Insight
from valueplatform.narrative.insights.payback import payback
from valueplatform.value.states import State

START = date(2026, 1, 1)
TOMORROW = TODAY + timedelta(days=1)
YEAR = contract(START, date(2027, 1, 1), 36500)
"""A hundred a day."""


def _facts(amount: int, *contracts: Contract, state: State = State.VALIDATED, start: date = START) -> AccountFacts:
    daily = rows("a", steady(start, TOMORROW, amount), state=state)
    return account(daily, drivers=(driver("a"),), contracts=contracts or (YEAR,))


def _told(facts: AccountFacts) -> dict[str, Insight]:
    return {insight.kind: insight for insight in payback(facts)}


def test_the_day_on_which_the_whole_year_was_earned_back_is_told() -> None:
    found = _told(_facts(182, YEAR))["payback"]
    assert found.number("cost").value == 36500
    assert found.number("days").value == 201, "200 days bring 36,400"
    assert found.terms["payback_day"] == "2026-07-20"
    assert found.number("short").value == -100
    assert found.number("beyond").value == 82


def test_a_day_on_which_it_is_reached_exactly_counts() -> None:
    found = _told(_facts(250, YEAR))["payback"]
    assert found.number("days").value == 146
    assert found.number("beyond").value == 0


def test_a_year_that_is_not_earned_back_has_no_such_day() -> None:
    assert "payback" not in _told(_facts(150, YEAR))


def test_an_estimate_earns_nothing_back() -> None:
    assert "payback" not in _told(_facts(400, YEAR, state=State.ESTIMATED))


def test_value_that_fell_below_it_again_is_not_called_earned() -> None:
    facts = _facts(182, YEAR)
    taken = rows("b", {date(2026, 8, 1): -9000})
    lower = account([*facts.daily.to_dicts(), *taken], drivers=(driver("a"), driver("b")), contracts=(YEAR,))
    assert "payback" not in _told(lower)


def test_it_is_told_for_four_months() -> None:
    assert "payback" in _told(_facts(325, YEAR)), "on the 113th day, 120 days ago"
    assert "payback" not in _told(_facts(400, YEAR)), "on the 92nd day, 142 days ago"


def test_a_free_contract_is_never_earned_back() -> None:
    assert _told(_facts(100, contract(START, None, 0))) == {}


def test_what_came_since_the_first_contract_is_told_in_its_later_years() -> None:
    first = contract(date(2024, 8, 1), date(2025, 8, 1), 36500)
    second = contract(date(2025, 8, 1), None, 36500)
    found = _told(_facts(50, first, second, start=date(2024, 8, 1)))["since-purchase"]
    assert found.terms["contract_day"] == "2024-08-01"
    assert found.number("since").value == 50 * (TOMORROW - date(2024, 8, 1)).days
    assert found.number("times_paid").value == Decimal("0.5000")
    assert found.favorable is False


def test_in_its_first_year_the_story_tells_it_already() -> None:
    assert "since-purchase" not in _told(_facts(50, YEAR))


def test_value_that_is_on_record_only_from_later_on_is_not_set_against_all_that_was_paid() -> None:
    first, second = contract(date(2024, 8, 1), date(2025, 8, 1), 36500), contract(date(2025, 8, 1), None, 36500)
    assert "since-purchase" not in _told(_facts(50, first, second, start=date(2025, 1, 1)))


def _with_effort(facts: AccountFacts, month: date, amount: int) -> AccountFacts:
    cost = Cost(cost_id="k", account_id=1, kind=CostKind.INTERNAL, month=month, amount=Decimal(amount), currency="USD")
    return replace(facts, efforts=(cost,))


def test_known_effort_of_the_year_is_to_be_earned_back_too() -> None:
    found = _told(_with_effort(_facts(182, YEAR), START, 1820))["payback"]
    assert [found.number(name).value for name in ("cost", "effort")] == [38320, 1820]
    assert found.number("days").value == 211, "ten days more"
    assert found.terms["counts"] == "contracts-and-effort"
    assert _told(_facts(182, YEAR))["payback"].terms["counts"] == "contracts"
    assert "payback" not in _told(_with_effort(_facts(182, YEAR), START, 36500))


def test_effort_before_the_story_s_year_is_in_what_was_put_in_since_the_purchase() -> None:
    first, second = contract(date(2024, 8, 1), date(2025, 8, 1), 36500), contract(date(2025, 8, 1), None, 36500)
    facts = _facts(50, first, second, start=date(2024, 8, 1))
    found = _told(_with_effort(facts, date(2024, 9, 1), 75100))["since-purchase"]
    paid = found.number("paid").value
    assert found.number("put_in").value == paid + 75100
    assert found.number("times_paid").value == round(found.number("since").value / (paid + 75100), 4)


def test_a_payback_that_the_record_does_not_bear_out_is_refused() -> None:
    facts = summit()
    found = _told(facts)["payback"]
    assert admit([found], rederive_from(record_of(facts), [found]))[0]
    assert admit([found], rederive_from(record_of(summit(TODAY - timedelta(days=14))), [found]))[0] == []
