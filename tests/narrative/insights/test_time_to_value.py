from datetime import date, timedelta

from tests.narrative.factories import TODAY, account, admitted, contract, driver, rows, steady
from tests.narrative.further_accounts import delmar
from valueplatform.narrative.document import Audience
from valueplatform.narrative.facts import AccountFacts, Milestone, Person
from valueplatform.narrative.insights.time_to_value import time_to_value
from valueplatform.narrative.wording import render
from valueplatform.value.states import State

BEGUN = date(2026, 5, 1)
TOMORROW = TODAY + timedelta(days=1)


def _facts(first: date, state: State = State.VALIDATED, **given: object) -> AccountFacts:
    fields: dict[str, object] = {"contracts": (contract(BEGUN, None, 100),)}
    daily = rows("a", steady(first, TOMORROW, 10), state=state)
    return account(daily, drivers=(driver("a"),), **(fields | given))


def test_days_are_counted_from_the_contract_to_the_first_value_that_counts() -> None:
    (found,) = time_to_value(_facts(BEGUN + timedelta(days=40)))
    assert found.terms["step"] == "reached"
    assert found.number("days").value == 40
    assert found.number("first").value == 10


def test_without_a_contract_they_are_counted_from_go_live() -> None:
    live = Milestone("m", "go-live", BEGUN, "Go-live")
    (found,) = time_to_value(_facts(BEGUN + timedelta(days=40), contracts=(), milestones=(live,)))
    assert found.terms["milestone_day"] == "2026-05-01"


def test_without_either_there_is_nothing_to_count_from() -> None:
    assert time_to_value(_facts(BEGUN, contracts=())) == []


def test_an_estimate_is_waiting_and_says_who_can_change_that() -> None:
    validator = (Person("Ana Silva", "validator"),)
    (found,) = time_to_value(_facts(BEGUN, State.ESTIMATED, people=validator))
    assert found.terms["step"] == "waiting"
    assert found.number("days").value == (TODAY - BEGUN).days
    assert found.terms["validator_name"] == "Ana Silva"


def test_waiting_is_told_from_the_sixtieth_day() -> None:
    begun = TODAY - timedelta(days=59)
    assert time_to_value(_facts(begun, State.ESTIMATED, contracts=(contract(begun, None, 100),))) == []


def test_before_there_is_anything_to_validate_nobody_waits() -> None:
    assert time_to_value(account(drivers=(driver("a"),), contracts=(contract(BEGUN, None, 100),))) == []


def test_value_before_the_contract_took_no_time() -> None:
    assert time_to_value(_facts(BEGUN)) == []
    assert time_to_value(_facts(BEGUN - timedelta(days=20))) == []


def test_it_is_told_for_four_months() -> None:
    begun = contract(TODAY - timedelta(days=200), None, 100)
    assert time_to_value(_facts(TODAY - timedelta(days=120), contracts=(begun,))) != []
    assert time_to_value(_facts(TODAY - timedelta(days=121), contracts=(begun,))) == []


def test_it_is_said_in_days() -> None:
    (found,) = [given for given in admitted(delmar()) if given.insight.kind == "time-to-value"]
    assert render(found, Audience.EXECUTIVE).text.replace("\N{NO-BREAK SPACE}", " ") == (
        "It took 59 days from the start of the contract on 4 May 2026 to the first value that counts, on 2 Jul 2026."
    )
