from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from tests.narrative.factories import (
    TODAY,
    account,
    admitted,
    assumption,
    contract,
    driver,
    followed,
    harbor,
    rows,
    steady,
    targets,
)
from tests.narrative.further_accounts import cascade
from valueplatform.narrative.document import Audience, Step, StoryDocument
from valueplatform.narrative.facts import AccountFacts, Person, for_provider
from valueplatform.narrative.next_step import NOTHING
from valueplatform.narrative.since import told
from valueplatform.narrative.story import compose
from valueplatform.value.states import State

START = date(2026, 1, 1)
TOMORROW = TODAY + timedelta(days=1)


def _story(facts: AccountFacts, audience: Audience = Audience.CUSTOMER) -> StoryDocument:
    return compose(facts, admitted(facts), audience)


def _step(facts: AccountFacts, audience: Audience = Audience.CUSTOMER) -> Step:
    step = _story(facts, audience).next
    assert step is not None
    return step


def _plain(daily: list[dict[str, object]], **given: object) -> AccountFacts:
    return account(daily, drivers=(driver("a", "Visits avoided", inputs=("cost",)),), **given)


@pytest.mark.parametrize("audience", list(Audience))
def test_every_story_ends_in_one_step_without_a_number(audience: Audience) -> None:
    for facts in (harbor(), account(drivers=(driver("a"),)), _plain(rows("a", steady(START, TOMORROW, 10)))):
        own = for_provider(facts, "tessera") if audience is Audience.PARTNER else facts
        text = _step(own, audience).text
        assert text.endswith(".")
        assert not any(letter.isdigit() for letter in text)


@pytest.mark.parametrize("audience", [Audience.CUSTOMER, Audience.STEWARD, Audience.EXECUTIVE])
def test_the_step_follows_from_something_that_the_story_tells(audience: Audience) -> None:
    document = _story(harbor(), audience)
    notes = [note.insight_id for chapter in document.chapters for note in chapter.notes]
    assert document.next is not None
    assert document.next.insight_id in {*(sentence.insight_id for sentence in told(document)), *notes}


def test_each_reader_is_told_what_is_for_them_to_do() -> None:
    assert _step(harbor()).text == "Settle the question about visit cost with Fieldnote."
    assert _step(harbor(), Audience.STEWARD).text == "Settle the question about visit cost with Harbor Logistics."


def test_a_partner_is_told_nothing_of_inputs_plans_or_people() -> None:
    assert _step(for_provider(harbor(), "tessera"), Audience.PARTNER).act == NOTHING


def test_without_an_event_the_step_is_to_connect_a_source() -> None:
    facts = account(drivers=(driver("a"),))
    assert _step(facts).text == "Ask Fieldnote to connect the first source of events."
    assert _step(facts, Audience.STEWARD).act == "connect"


def test_where_nothing_comes_in_any_more_that_comes_before_all_else() -> None:
    daily = [row for slug in "ab" for row in rows(slug, steady(START, date(2026, 7, 1), 10), state=State.ESTIMATED)]
    facts = account(daily, drivers=(driver("a"), driver("b")))
    assert _step(facts).text == "Check with Fieldnote that events still arrive."


def test_where_nothing_is_validated_the_validator_is_named() -> None:
    daily = rows("a", steady(START, TOMORROW, 10), state=State.ESTIMATED)
    inputs = (assumption("cost", "5", "USD/visit", State.ESTIMATED),)
    nobody = _plain(daily, inputs=inputs)
    named = replace(nobody, people=(Person("Priya Nair", "validator"),))
    assert _step(named).text == "Ask Priya Nair to validate what the estimate rests on."
    assert _step(nobody).text == "Decide who on your side validates what the estimate rests on."


def test_an_objective_behind_plan_is_named_in_the_customers_words() -> None:
    plan = tuple(targets("Fix it once", "a", START, date(2027, 1, 1), 3000))
    facts = _plain(rows("a", steady(START, TOMORROW, 10)), targets=plan)
    assert _step(facts).text == "Agree with Fieldnote what brings “Fix it once” back to plan."


def test_value_without_a_plan_is_to_get_one() -> None:
    assert _step(_plain(rows("a", steady(START, TOMORROW, 10)))).act == "plan"


def test_a_plan_that_is_kept_asks_for_nothing() -> None:
    plan = tuple(targets("Fix it once", "a", START, date(2027, 1, 1), 305))
    facts = _plain(rows("a", steady(START, TOMORROW, 10)), targets=plan)
    assert _step(facts).text == "Nothing here waits for you."


def test_a_small_loss_comes_after_everything_else_and_is_not_forgotten() -> None:
    drivers = (driver("a", "Visits avoided"), driver("b", "Overtime"))
    daily = [*rows("a", steady(START, TOMORROW, 100)), *rows("b", steady(START, TOMORROW, -1))]
    plan = tuple(targets("Fix it once", "a", START, date(2027, 1, 1), 3050))
    facts = account(daily, drivers=drivers, targets=plan, contracts=(contract(START, None, 365),))
    assert _step(facts).text == "Ask Fieldnote what can be done about overtime."


def test_a_suggestion_that_fell_short_of_what_was_expected_is_to_be_looked_into() -> None:
    plan = tuple(targets("Fix it once", "a", START, date(2027, 1, 1), 305))
    facts = _plain(rows("a", steady(START, TOMORROW, 10)), targets=plan, followed=(followed(realized=Decimal(-9000)),))
    assert _step(facts).text == "Ask Fieldnote what keeps Automatic dispatch from bringing what was expected."
    assert _step(facts, Audience.STEWARD).text.startswith("Look with Harbor Logistics into what keeps Automatic")
    held = replace(facts, followed=(followed(),))
    assert _step(held).act == NOTHING


def test_a_pace_that_falls_short_of_a_plan_that_is_kept_so_far_asks_what_brings_it_back() -> None:
    facts = cascade(date(2026, 7, 17), planned=50000, fade="0.5")
    assert all(a.insight.terms["status"] != "behind" for a in admitted(facts) if a.insight.kind == "attainment")
    assert _step(facts).text == "Agree with Fieldnote what brings the total back to plan."
