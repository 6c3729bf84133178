"""Payback, and what came of it all since the first purchase (value rules 7 and 10).

*Payback*: the first day on which counted value since the start of the contract year reached what the whole year costs,
its days to come and known effort (`put_in`) with it; told for 120 days, and only while value to date has not fallen
below it again. *Since purchase*: counted value since the first contract began, where that was before the story's own
year, with what was put in in all of that time; not where value is on record only from four months after it, so that
both sides speak of the same days. No statistic: sums by the day. Minimum data: a contract in the account's currency,
costs above zero, and counted value. Sources: value rule 7; payback period as in corporate finance (Brealey, Myers and
Allen).
"""

from collections.abc import Iterator
from datetime import date, timedelta
from fractions import Fraction
from typing import Final

from valueplatform.core.periods import ONE_DAY, Period
from valueplatform.narrative.facts import AccountFacts
from valueplatform.narrative.figures import days, minus, number, ratio, realized, standing_of, times
from valueplatform.narrative.insight import Insight, Strength
from valueplatform.narrative.insights.put_in import put_in
from valueplatform.narrative.insights.standing import ACCOUNT
from valueplatform.narrative.insights.weight import importance
from valueplatform.narrative.ledger import SCALE
from valueplatform.narrative.windows import StoryWindow, story_window

TOLD_FOR: Final = timedelta(days=120)
ON_RECORD_WITHIN: Final = timedelta(days=120)


def payback(facts: AccountFacts) -> list[Insight]:
    window = story_window(facts)
    return [*_earned_back(facts, window), *_since_purchase(facts, window)]


def _earned_back(facts: AccountFacts, window: StoryWindow) -> Iterator[Insight]:
    year = put_in(facts, Period(window.start, window.end))
    cost = year.whole
    if not window.is_contract_year or cost.value <= 0:
        return
    day = _day_of(facts, window, cost.value)
    if day is None or day < facts.today - TOLD_FOR:
        return
    until, before = Period(window.start, day + ONE_DAY), Period(window.start, day)
    drivers = facts.money_drivers
    value = realized(facts, until, drivers)
    standing = standing_of(facts, until, drivers)
    yield Insight(
        kind="payback",
        subject=ACCOUNT,
        period_from=until.start,
        period_to=until.end,
        numbers=(
            number("realized", value, facts.currency, standing),
            number("cost", cost, facts.currency),
            number("days", days(until), "day"),
            number("beyond", minus(value, cost), facts.currency, standing),
            number("short", minus(realized(facts, before, drivers), cost), facts.currency, standing),
            number("to_date", realized(facts, window.to_date, drivers), facts.currency, standing),
            *year.numbers[:2],
        ),
        strength=Strength.STRONG,
        importance=importance(facts, cost.value, 0.75),
        terms={"payback_day": day.isoformat(), "since_day": window.start.isoformat(), "counts": year.term},
        drivers=drivers,
        favorable=True,
        anchor=f"payback of {window.start}",
    )


def _day_of(facts: AccountFacts, window: StoryWindow, cost: Fraction) -> date | None:
    """The first day that reached it; None where none did, or value fell below it again."""
    reached, so_far = None, 0
    for day, value in facts.ledger.by_day(facts.currency, facts.money_drivers, counted=True).items():
        if day in window.to_date:
            so_far += value
            if reached is None and so_far >= cost * SCALE:
                reached = day
    return reached if so_far >= cost * SCALE else None


def _since_purchase(facts: AccountFacts, window: StoryWindow) -> Iterator[Insight]:
    own = [contract for contract in facts.contracts if contract.currency == facts.currency]
    first = min((contract.start for contract in own), default=facts.today)
    since = Period(first, facts.tomorrow)
    drivers = facts.money_drivers
    known = facts.ledger.first_day(facts.currency, drivers)
    if first >= window.start or known is None or known > first + ON_RECORD_WITHIN:
        return
    value, cost, standing = realized(facts, since, drivers), put_in(facts, since), standing_of(facts, since, drivers)
    if cost.whole.value <= 0 or not value.value:
        return
    yield Insight(
        kind="since-purchase",
        subject=ACCOUNT,
        period_from=since.start,
        period_to=since.end,
        numbers=(
            number("since", value, facts.currency, standing),
            times("times_paid", ratio(value, cost.whole), standing),
            *cost.numbers,
        ),
        strength=Strength.STRONG,
        importance=importance(facts, value.value, 0.6),
        terms={"contract_day": first.isoformat(), "counts": cost.term},
        drivers=drivers,
        favorable=value.value >= cost.whole.value,
        anchor=f"since {first}",
    )
