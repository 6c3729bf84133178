"""The stretch of days that a story speaks of, and the part of it that was committed to."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date

from valueplatform.core.periods import Period, Window, next_month, window_start, years_later
from valueplatform.narrative.facts import AccountFacts, once


@dataclass(frozen=True, slots=True)
class StoryWindow:
    """The contract year that holds today, counted from the first contract. Everything since the first value where no
    contract runs, or where the running year has neither value nor commitment: then what came before is what there is to
    tell.

    `end` is the end of the contract year, or tomorrow; `to_date` never reaches past today.
    """

    start: date
    end: date
    to_date: Period
    is_contract_year: bool


@once
def story_window(facts: AccountFacts) -> StoryWindow:
    if any(contract.covers(facts.today) for contract in facts.contracts):
        first_start = min(contract.start for contract in facts.contracts)
        start = window_start(facts.today, Window.CONTRACT_YEAR, contract_start=first_start)
        end = years_later(start, 1)
        if _is_told_of(facts, Period(start, facts.tomorrow)):
            return StoryWindow(start, end, Period(start, facts.tomorrow), is_contract_year=True)
    first = first_value_day(facts) or facts.today
    return StoryWindow(first, facts.tomorrow, Period(first, facts.tomorrow), is_contract_year=False)


def _is_told_of(facts: AccountFacts, period: Period) -> bool:
    """Whether there is value in the period, a commitment for it, or no value at all, so that nothing is lost by it."""
    first = first_value_day(facts)
    committed = any(target.month < period.end and next_month(target.month) > period.start for target in facts.targets)
    valued = any(
        facts.ledger.has_rows(period.start, period.end, unit=driver.unit, drivers=(driver.slug,), counted=False)
        for driver in facts.drivers
    )
    return first is None or committed or valued


@once
def first_value_day(facts: AccountFacts) -> date | None:
    days = [facts.ledger.first_day(driver.unit, (driver.slug,)) for driver in facts.drivers]
    return min((day for day in days if day is not None), default=None)


@once
def commitment_windows(facts: AccountFacts) -> dict[str, Period]:
    """For each driver with targets, the days of the story window up to today that they speak of.

    Value before a driver's first target, or after its last, is not set against a commitment (value rule 15: the same
    window on both sides).
    """
    window = story_window(facts)
    months: defaultdict[str, list[date]] = defaultdict(list)
    for target in facts.targets:
        months[target.driver].append(target.month)
    known = {driver.slug for driver in facts.drivers}
    windows = {}
    for driver, starts in sorted(months.items()):
        planned = Period(min(starts), next_month(max(starts)))
        period = planned.intersect(window.to_date)
        if period is not None and driver in known:
            windows[driver] = period
    return windows


def last_full_month(facts: AccountFacts) -> Period | None:
    """The last whole month since the account's first value, None before there is one."""
    first = first_value_day(facts)
    end = facts.today.replace(day=1)
    start = month_before(end)
    return Period(start, end) if first is not None and first <= start else None


def month_before(day: date) -> date:
    """The first day of the month before the one that `day` falls in."""
    return date(day.year - (day.month == 1), (day.month - 2) % 12 + 1, 1)
