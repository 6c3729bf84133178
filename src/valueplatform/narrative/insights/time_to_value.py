"""Time to value (value rule 16): how long it took from the contract to the first validated outcome, or how long it has
been taking.

*Reached*: days from the start of the first contract (or go-live, where no contract is on record) to the first day on
which something counts; told for 120 days after it. *Waiting*: 60 days and more after the start nothing counts, though
there is an estimate that could. No statistic: days of the record. Minimum data: the start, and one row of value in the
account's currency. No cohort is compared: few accounts began at one time.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final

from valueplatform.core.periods import ONE_DAY, Period
from valueplatform.narrative.facts import AccountFacts
from valueplatform.narrative.figures import days, number, realized, standing_of
from valueplatform.narrative.insight import Insight, Number, Strength
from valueplatform.narrative.insights.milestones import GO_LIVE
from valueplatform.narrative.insights.standing import ACCOUNT

TOLD_FOR: Final = timedelta(days=120)
WAITING_AFTER: Final = timedelta(days=60)
EVER: Final = date(1, 1, 1)


def time_to_value(facts: AccountFacts) -> list[Insight]:
    begun = _begun(facts)
    if begun is None or not facts.money_drivers:
        return []
    first = _first_counted(facts)
    return list(_waiting(facts, *begun) if first is None else _reached(facts, *begun, first))


def _begun(facts: AccountFacts) -> tuple[str, date] | None:
    """What it is counted from, as a term names it."""
    starts = [contract.start for contract in facts.contracts if contract.start <= facts.today]
    live = [one.day for one in facts.milestones if one.kind == GO_LIVE and one.day <= facts.today]
    if starts:
        return "contract_day", min(starts)
    return ("milestone_day", min(live)) if live else None


def _first_counted(facts: AccountFacts) -> date | None:
    counted = facts.ledger.by_day(facts.currency, facts.money_drivers, counted=True)
    return next((day for day, value in counted.items() if value and day <= facts.today), None)


def _reached(facts: AccountFacts, term: str, begun: date, first: date) -> Iterator[Insight]:
    drivers, day = facts.money_drivers, Period(first, first + ONE_DAY)
    value = realized(facts, day, drivers)
    if first <= begun or first < facts.today - TOLD_FOR or value.value <= 0:
        return
    numbers = (
        number("days", days(Period(begun, first)), "day"),
        number("first", value, facts.currency, standing_of(facts, day, drivers)),
        number("earlier", realized(facts, Period(EVER, first), drivers), facts.currency),
    )
    yield _insight(facts, numbers, Period(begun, first), {"step": "reached", term: str(begun), "first_day": str(first)})


def _waiting(facts: AccountFacts, term: str, begun: date) -> Iterator[Insight]:
    drivers, so_far = facts.money_drivers, Period(begun, facts.today)
    estimated = realized(facts, Period(EVER, facts.tomorrow), drivers, counted=False)
    if facts.today < begun + WAITING_AFTER or estimated.value <= 0:
        return
    numbers = (
        number("days", days(so_far), "day"),
        number("earlier", realized(facts, Period(EVER, facts.tomorrow), drivers), facts.currency),
    )
    terms = {"step": "waiting", term: str(begun)}
    if validator := facts.person("validator"):
        terms["validator_name"] = validator
    yield _insight(facts, numbers, so_far, terms)


def _insight(facts: AccountFacts, numbers: tuple[Number, ...], span: Period, terms: dict[str, str]) -> Insight:
    is_reached = terms["step"] == "reached"
    return Insight(
        kind="time-to-value",
        subject=ACCOUNT,
        period_from=span.start,
        period_to=span.end,
        numbers=numbers,
        strength=Strength.STRONG,
        importance=0.3 if is_reached else 0.4,
        terms=terms,
        drivers=facts.money_drivers,
        favorable=is_reached,
        anchor=f"time to value from {span.start}",
    )
