from datetime import date, timedelta
from decimal import Decimal

from tests.narrative.factories import TODAY, account, assumption, driver, rows
from valueplatform.narrative.facts import AccountFacts, Adjustment, ClosedAmount
from valueplatform.narrative.insights.adjustment import adjustments

MARCH = date(2026, 3, 1)


def _facts(*given: Adjustment, said: int = 1000) -> AccountFacts:
    return account(
        rows("a", {a.shown_day: a.expected for a in given}),
        drivers=(driver("a"),),
        inputs=(assumption("hourly_cost", "41.50", "USD/hour"),),
        adjustments=given,
        closings=(ClosedAmount("a", MARCH, Decimal(said)),),
    )


def _late(amount: int, *, days_ago: int = 5, cause: str = "events") -> Adjustment:
    return Adjustment("a", MARCH, TODAY - timedelta(days=days_ago), Decimal(amount), cause)


def test_a_changed_past_is_told_with_both_values_and_the_cause() -> None:
    found = adjustments(_facts(_late(200)))[0]
    assert [found.number(name).value for name in ("said", "now", "change")] == [1000, 1200, 200]
    assert (found.terms["cause"], found.terms["month"]) == ("events", "2026-03-01")
    assert (found.period_from, found.period_to) == (MARCH, date(2026, 4, 1))


def test_what_was_said_takes_in_what_was_adjusted_long_before() -> None:
    found = adjustments(_facts(_late(500, days_ago=90), _late(200)))[0]
    assert [found.number(name).value for name in ("said", "now")] == [1500, 1700]


def test_an_adjustment_that_cancels_itself_is_not_told() -> None:
    assert adjustments(_facts(_late(200), _late(-200))) == []


def test_less_than_a_percent_is_not_told() -> None:
    assert adjustments(_facts(_late(9))) == []
    assert adjustments(_facts(_late(10))) != []


def test_after_two_months_it_is_no_news() -> None:
    assert adjustments(_facts(_late(200, days_ago=63))) == []


def test_value_taken_back_is_bad_news() -> None:
    assert adjustments(_facts(_late(-200)))[0].favorable is False


def test_an_assumption_that_caused_it_is_named() -> None:
    terms = adjustments(_facts(_late(200, cause="assumption:hourly_cost, events")))[0].terms
    assert (terms["cause"], terms["input_name"]) == ("assumption", "Hourly cost")


def test_a_cause_that_nobody_knows_is_said_to_be_the_record() -> None:
    assert adjustments(_facts(_late(200, cause="something else")))[0].terms["cause"] == "record"


def test_a_driver_that_the_model_lost_is_left_alone() -> None:
    gone = Adjustment("gone", MARCH, TODAY, Decimal(5), "events")
    assert adjustments(_facts(gone)) == []
