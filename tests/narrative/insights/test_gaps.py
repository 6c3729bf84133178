from datetime import date, timedelta

import pytest

from tests.narrative.factories import TODAY, account, assumption, driver, rows, steady, targets
from valueplatform.narrative.facts import Gap
from valueplatform.narrative.insights.gaps import gaps

START = date(2026, 1, 1)
DAYS = tuple(START + timedelta(days=i) for i in range(3))


def test_an_account_without_value_says_so() -> None:
    found = gaps(account(drivers=(driver("a"),)))
    assert [(i.subject, i.terms["reason"]) for i in found] == [("account", "no-value")]


def test_an_account_without_a_plan_says_so() -> None:
    found = gaps(account(rows("a", {START: 1}), drivers=(driver("a"),)))
    assert [i.terms["reason"] for i in found] == ["no-plan"]


@pytest.mark.parametrize("unit", ["visit", "EUR"])
def test_an_account_in_whose_currency_nothing_is_priced_says_so_with_or_without_a_plan(unit: str) -> None:
    plan = tuple(targets("o", "a", START, date(2027, 1, 1), 10))
    for given in ((), plan):
        facts = account(rows("a", {START: 1}, unit=unit), drivers=(driver("a", unit=unit),), targets=given)
        assert [i.terms["reason"] for i in gaps(facts)] == ["no-price"]


def test_a_plan_leaves_nothing_to_say() -> None:
    plan = tuple(targets("o", "a", START, date(2027, 1, 1), 10))
    assert gaps(account(rows("a", {START: 1}), drivers=(driver("a"),), targets=plan)) == []


def test_a_driver_that_never_had_an_amount_names_what_is_missing() -> None:
    facts = account(
        rows("b", steady(START, TODAY, 1)),
        drivers=(driver("a"), driver("b")),
        inputs=(assumption("hourly_cost", "1", "USD/hour"),),
        gaps=tuple(Gap("a", day, "no_input:hourly_cost") for day in DAYS),
    )
    found = next(i for i in gaps(facts) if i.subject == "a")
    assert found.kind == "insufficient-data"
    assert (found.terms["reason"], found.terms["missing_name"]) == ("no_input", "Hourly cost")


def test_single_days_without_an_amount_are_a_caveat() -> None:
    facts = account(
        rows("a", steady(START, TODAY, 1)),
        drivers=(driver("a"),),
        gaps=tuple(Gap("a", day, "zero_divisor:jobs") for day in DAYS),
    )
    found = next(i for i in gaps(facts) if i.subject == "a")
    assert found.kind == "days-without-amount"
    assert (found.terms["first_day"], found.terms["last_day"]) == ("2026-01-01", "2026-01-03")
    assert "missing_name" not in found.terms


def test_the_commonest_reason_is_told() -> None:
    facts = account(
        rows("a", steady(START, TODAY, 1)),
        drivers=(driver("a"),),
        gaps=(Gap("a", DAYS[0], "out_of_range"), *(Gap("a", day, "zero_divisor") for day in DAYS[1:])),
    )
    assert next(i for i in gaps(facts) if i.subject == "a").terms["reason"] == "zero_divisor"


def test_a_reason_that_nobody_knows_is_not_repeated_as_it_is() -> None:
    facts = account(rows("b", {START: 1}), drivers=(driver("a"), driver("b")), gaps=(Gap("a", DAYS[0], "<b>odd</b>"),))
    assert next(i for i in gaps(facts) if i.subject == "a").terms["reason"] == "no-amount"
