from datetime import date
from typing import Any

from tests.narrative.factories import account, admitted, assumption, driver, rows
from valueplatform.narrative.facts import AccountFacts, Person
from valueplatform.narrative.insight import Insight, Standing
from valueplatform.narrative.insights.inputs import inputs
from valueplatform.value.states import State

DAY = date(2026, 8, 1)


def _facts(state: State, value_state: State | None = None, unit: str = "USD/hour", **given: Any) -> AccountFacts:
    return account(
        rows("a", {DAY: 100}, state=value_state or state),
        drivers=(driver("a", inputs=("hourly_cost",)), driver("b", inputs=("hourly_cost",))),
        inputs=(assumption("hourly_cost", "41.50", unit, state, **given),),
        people=(Person("Priya Nair", "validator"),),
    )


def _one(facts: AccountFacts) -> Insight:
    found = inputs(facts)
    assert len(found) == 1
    return found[0]


def test_an_estimate_asks_for_the_validator_and_says_what_rests_on_it() -> None:
    found = _one(_facts(State.ESTIMATED))
    assert found.kind == "unvalidated-input"
    assert found.terms["validator_name"] == "Priya Nair"
    assert found.number("carried").value == 100
    assert found.number("input").standing is Standing.ESTIMATED


def test_a_validated_input_names_who_and_when() -> None:
    found = _one(_facts(State.VALIDATED))
    assert (found.kind, found.terms["validator_name"]) == ("validated-input", "Priya Nair")
    assert found.terms["validated_day"] == "2025-11-14"


def test_a_dispute_is_told_though_the_last_validated_value_holds() -> None:
    found = _one(_facts(State.VALIDATED, disputed_by="Daniel Reyes", disputed_on=DAY))
    assert (found.kind, found.terms["fallback"]) == ("under-review", "validated")
    assert found.number("input").standing is Standing.UNDER_REVIEW


def test_a_dispute_without_a_validated_value_leaves_nothing_to_fall_back_on() -> None:
    found = _one(_facts(State.UNDER_REVIEW, disputed_by="Daniel Reyes", disputed_on=DAY))
    assert found.terms["fallback"] == "none"


def test_an_input_that_carries_no_value_is_not_told() -> None:
    facts = account(rows("c", {DAY: 1}), drivers=(driver("c"),), inputs=(assumption("hourly_cost", "1", "USD/hour"),))
    assert inputs(facts) == []


def test_a_rate_is_said_as_a_share() -> None:
    assert _one(_facts(State.ESTIMATED, unit="ratio")).number("input").unit == "share"
    assert _one(_facts(State.ESTIMATED, unit="ratio/year")).number("input").unit == "share/year"
    assert _one(_facts(State.ESTIMATED, unit="rations")).number("input").unit == "rations"


def test_money_for_money_is_a_share_too() -> None:
    assert _one(_facts(State.ESTIMATED, unit="USD/USD")).number("input").unit == "share"
    assert _one(_facts(State.ESTIMATED, unit="USD/USD/year")).number("input").unit == "share/year"
    assert _one(_facts(State.ESTIMATED, unit="USD/USDC")).number("input").unit == "USD/USDC"


def test_every_said_unit_is_borne_out_by_the_record() -> None:
    for unit in ("ratio", "ratio/year", "USD/USD", "USD/USD/year", "USD/hour"):
        assert "unvalidated-input" in {a.insight.kind for a in admitted(_facts(State.ESTIMATED, unit=unit))}
