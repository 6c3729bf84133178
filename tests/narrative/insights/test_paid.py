from datetime import date, timedelta

from tests.narrative.factories import TODAY, account, admitted, contract, driver, rows, steady
from valueplatform.narrative.document import Audience
from valueplatform.narrative.facts import AccountFacts
from valueplatform.narrative.insights.paid import returns
from valueplatform.narrative.wording import render
from valueplatform.value.states import State

START = date(2026, 1, 1)
TOMORROW = TODAY + timedelta(days=1)


def _facts(amount: int, start: date = START, state: State = State.VALIDATED, currency: str = "USD") -> AccountFacts:
    return account(
        rows("a", steady(START, TOMORROW, 100), state=state),
        drivers=(driver("a"),),
        contracts=(contract(start, None, amount, currency=currency),),
    )


def test_the_return_is_counted_value_for_each_unit_paid() -> None:
    found = returns(_facts(36500))[0]
    assert found.number("times_paid").value == 1
    assert found.favorable is True


def test_getting_back_less_than_was_paid_is_bad_news() -> None:
    assert returns(_facts(73000))[0].favorable is False


def test_estimates_return_nothing() -> None:
    assert returns(_facts(36500, state=State.ESTIMATED)) == []


def test_a_free_contract_or_another_currency_has_no_return() -> None:
    assert returns(_facts(0)) == []
    assert returns(_facts(36500, currency="EUR")) == []


def test_four_weeks_must_have_been_paid_for() -> None:
    assert returns(_facts(36500, start=TODAY - timedelta(days=26))) == []
    assert returns(_facts(36500, start=TODAY - timedelta(days=27))) != []


def test_a_contract_that_has_not_begun_is_not_paid() -> None:
    assert returns(_facts(36500, start=TOMORROW)) == []


def test_less_than_what_was_paid_is_said_as_a_share_of_it() -> None:
    daily = rows("a", steady(START, TOMORROW, 1))
    facts = account(daily, drivers=(driver("a"),), contracts=(contract(START, None, 36500),))
    found = next(a for a in admitted(facts) if a.insight.kind == "return-on-paid")
    assert found.insight.number("times_paid").unit == "share"
    text = render(found, Audience.CUSTOMER).text
    assert text == "You have realized 1% of the $23.3K that you paid since 1 Jan 2026."
