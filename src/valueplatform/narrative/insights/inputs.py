"""Assumptions and baselines: who validated what, what is questioned, and what waits for a validator (value rules 9
to 11).

No statistic. *Unvalidated*: an input that holds without validation, with the value that rests on it. *Under review*:
an open dispute. *Validated*: told in the margin of the drivers that rest on it. Minimum data: a driver with value
that uses the input.
"""

from collections.abc import Iterator

from valueplatform.narrative.facts import AccountFacts, InputFacts
from valueplatform.narrative.figures import held, number, realized, standing_of
from valueplatform.narrative.insight import Insight, Standing, Strength
from valueplatform.narrative.insights.weight import importance
from valueplatform.narrative.windows import StoryWindow, story_window
from valueplatform.value.states import State, is_agreed


def inputs(facts: AccountFacts) -> list[Insight]:
    window = story_window(facts)
    return [found for given in facts.inputs for found in _told(facts, window, given)]


def _told(facts: AccountFacts, window: StoryWindow, given: InputFacts) -> Iterator[Insight]:
    resting = facts.resting_on(given.slug)
    period = window.to_date
    active = tuple(
        slug
        for slug in resting
        if facts.ledger.has_rows(period.start, period.end, unit=facts.driver(slug).unit, drivers=(slug,), counted=False)
    )
    if not active:
        return
    priced = tuple(slug for slug in active if slug in facts.money_drivers)
    if given.is_questioned:
        yield _told_as(facts, window, given, "under-review", priced or active)
    elif is_agreed(given.state) and given.validated_by and given.validated_on:
        yield _told_as(facts, window, given, "validated-input", priced or active)
    elif not is_agreed(given.state):
        yield _told_as(facts, window, given, "unvalidated-input", priced or active)


def _told_as(
    facts: AccountFacts, window: StoryWindow, given: InputFacts, kind: str, drivers: tuple[str, ...]
) -> Insight:
    numbers = [number("input", held(facts, given.slug), said_unit(given.unit), _standing(given))]
    drivers = tuple(slug for slug in drivers if facts.driver(slug).unit == facts.driver(drivers[0]).unit)
    carried = realized(facts, window.to_date, drivers, counted=False)
    unit = facts.driver(drivers[0]).unit
    numbers.append(number("carried", carried, unit, standing_of(facts, window.to_date, drivers, counted=False)))
    surprise = {"under-review": 0.95, "unvalidated-input": 0.75, "validated-input": 0.3}[kind]
    return Insight(
        kind=kind,
        subject=given.slug,
        period_from=window.to_date.start,
        period_to=window.to_date.end,
        numbers=tuple(numbers),
        strength=Strength.STRONG,
        importance=importance(facts, carried.value, surprise) if unit == facts.currency else 0.2,
        terms=_terms(facts, given, kind),
        drivers=drivers,
        favorable=False if kind == "under-review" else None,
        anchor=f"{kind} since {window.start}",
    )


def said_unit(unit: str) -> str:
    """A ratio is said as a share, and so is money per money: 0.118 is 11.8 %, 0.24 USD/USD is 24 %."""
    base, *per = unit.split("/")
    if per and per[0] == base:
        return "/".join(["share", *per[1:]])
    return "/".join(["share", *per]) if base == "ratio" else unit


def _standing(given: InputFacts) -> Standing:
    if given.is_questioned:
        return Standing.UNDER_REVIEW
    return Standing.VALIDATED if is_agreed(given.state) else Standing(given.state.value)


def _terms(facts: AccountFacts, given: InputFacts, kind: str) -> dict[str, str]:
    terms = {"input_name": given.title, "state": given.state.value}
    if kind == "validated-input" and given.validated_by and given.validated_on:
        terms |= {"validator_name": given.validated_by, "validated_day": given.validated_on.isoformat()}
    elif kind == "under-review" and given.disputed_by and given.disputed_on:
        terms |= {"questioner_name": given.disputed_by, "questioned_day": given.disputed_on.isoformat()}
        terms["fallback"] = "validated" if given.state is State.VALIDATED else "none"
    elif kind == "unvalidated-input" and (validator := facts.person("validator")):
        terms["validator_name"] = validator
    return terms
