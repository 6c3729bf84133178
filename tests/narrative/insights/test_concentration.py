import random
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal

from tests.narrative.factories import TODAY, Wave, account, admitted, driver, record_of, rows, steady
from valueplatform.narrative.facts import AccountFacts
from valueplatform.narrative.faithful import admit, rederive_from
from valueplatform.narrative.insight import Insight
from valueplatform.narrative.insights.concentration import concentration, shifts
from valueplatform.narrative.insights.weight import Candidate
from valueplatform.value.states import State

START = date(2026, 1, 5)
TOMORROW = TODAY + timedelta(days=1)
TURN = date(2026, 5, 18)
"""Thirteen whole weeks before the running one."""


def _facts(levels: Mapping[str, int], state: State = State.VALIDATED) -> AccountFacts:
    daily = [row for slug, level in levels.items() for row in rows(slug, steady(START, TOMORROW, level), state=state)]
    return account(daily, drivers=tuple(driver(slug) for slug in levels))


def _told(facts: AccountFacts) -> dict[str, Insight]:
    return {insight.kind: insight for insight in concentration(facts)}


def test_one_driver_that_brings_half_is_told_with_its_part() -> None:
    found = _told(_facts({"a": 60, "b": 10, "c": 10, "d": 10, "e": 10}))["concentration"]
    assert found.number("share").value == Decimal("0.6")
    assert found.number("drivers").value == 5
    assert found.terms["first_name"] == "A"
    assert "second_name" not in found.terms


def test_two_that_bring_half_together_are_both_named() -> None:
    found = _told(_facts({"a": 40, "b": 20, "c": 20, "d": 10, "e": 10}))["concentration"]
    assert found.terms["first_name"] == "A"
    assert found.terms["second_name"] == "B"


def test_value_that_is_spread_is_not_concentrated() -> None:
    assert "concentration" not in _told(_facts({"a": 20, "b": 20, "c": 20, "d": 20, "e": 20}))


def test_among_four_drivers_half_is_nothing_remarkable() -> None:
    assert "concentration" not in _told(_facts({"a": 90, "b": 5, "c": 3, "d": 2}))


def test_what_takes_value_away_is_neither_small_nor_among_those_that_brought_some() -> None:
    found = _told(_facts({"a": 60, "b": 10, "c": 10, "d": 10, "e": -50}))
    assert "concentration" not in found
    assert found["bottom-contributors"].terms["first_name"] == "B"


def test_the_two_smallest_are_told_smallest_first() -> None:
    found = _told(_facts({"a": 60, "b": 7, "c": 3, "d": 30}))["bottom-contributors"]
    assert found.terms["first_name"] == "C"
    assert found.terms["second_name"] == "B"


def test_an_estimate_is_called_one() -> None:
    found = admitted(_facts({"a": 60, "b": 10, "c": 10, "d": 10, "e": 10}, State.ESTIMATED))
    told = {given.insight.kind: given.insight for given in found}
    assert told["concentration"].terms["certainty"] == "estimated"
    assert told["bottom-contributors"].terms["certainty"] == "estimated"


def _candidates(before: Mapping[str, float], now: Mapping[str, float], seed: int = 1) -> list[Candidate]:
    rng = random.Random(seed)
    daily = []
    for slug, level in before.items():
        wave = Wave(level * rng.uniform(0.99, 1.01)).days(START, TURN) | Wave(now[slug]).days(TURN, TOMORROW)
        daily += rows(slug, {day: value + rng.randint(0, 9) for day, value in wave.items()})
    return list(shifts(account(daily, drivers=tuple(driver(slug) for slug in before))))


def _shift(candidates: list[Candidate]) -> list[Insight]:
    return [insight for candidate in candidates for insight in candidate.insights]


def test_a_driver_whose_part_grew_is_told_once_with_both_parts() -> None:
    (found,) = _shift(_candidates({"a": 200, "b": 800}, {"a": 500, "b": 500}))
    assert found.terms["driver_name"] in {"A", "B"}
    shift = found.number("now").value - found.number("before").value
    assert found.number("shift").value == shift
    assert Decimal("0.25") < abs(shift) < Decimal("0.35")
    assert found.period_from == TURN


def test_a_total_that_grows_evenly_shifts_nothing() -> None:
    candidates = _candidates({"a": 200, "b": 800}, {"a": 400, "b": 1600})
    assert len(candidates) == 2, "both are tested, and count among all tests"
    assert _shift(candidates) == []


def test_a_driver_that_began_within_the_stretch_is_new_and_no_shift() -> None:
    daily = rows("a", steady(START, TOMORROW, 100)) + rows("b", steady(date(2026, 4, 1), TOMORROW, 100))
    assert list(shifts(account(daily, drivers=(driver("a"), driver("b"))))) == []


def test_twenty_five_weeks_are_too_few() -> None:
    start = date(2026, 2, 24)
    daily = rows("a", steady(start, TOMORROW, 100)) + rows("b", steady(start, TOMORROW, 100))
    assert list(shifts(account(daily, drivers=(driver("a"), driver("b"))))) == []


def test_a_part_that_the_record_does_not_bear_out_is_refused() -> None:
    facts = _facts({"a": 60, "b": 10, "c": 10, "d": 10, "e": 10})
    other = record_of(_facts({"a": 50, "b": 60, "c": 10, "d": 10, "e": 10}))
    found = _told(facts)["concentration"]
    assert admit([found], rederive_from(other, [found]))[0] == []
