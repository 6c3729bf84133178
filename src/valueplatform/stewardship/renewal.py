"""The end of what is agreed: when the next renewal is due, and what a year of it costs."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final

from valueplatform.core.periods import ONE_DAY, Period, years_later
from valueplatform.narrative.facts import SUPPLIER, AccountFacts, Contract
from valueplatform.narrative.figures import number, paid
from valueplatform.narrative.insight import Insight, Strength

SOON: Final = timedelta(days=90)
RENEWAL_DUE: Final = "renewal-due"
_CHURN: Final = "churn"


def renewal_day(facts: AccountFacts) -> date | None:
    """The first day from today on that no contract with the supplier covers.

    None where one runs on without end, and where none runs today.
    """
    contracts = [c for c in facts.contracts if c.provider == SUPPLIER and c.kind != _CHURN]
    day = facts.today
    while running := [contract for contract in contracts if contract.covers(day)]:
        ends = [contract.end for contract in running if contract.end is not None]
        if len(ends) < len(running):
            return None
        day = max(ends)
    return day if day > facts.today else None


def has_ended(facts: AccountFacts) -> bool:
    """Whether there were contracts, and none runs or is to come. An account without any has not ended."""
    live = (c for c in facts.contracts if c.kind != _CHURN and _is_open(c, facts.today))
    return bool(facts.contracts) and next(live, None) is None


def _is_open(contract: Contract, today: date) -> bool:
    return contract.end is None or contract.end > max(today, contract.start)


def renewal_due(facts: AccountFacts) -> Iterator[Insight]:
    """A renewal within 90 days, with what the customer pays in the twelve months before it: the year that would go.

    No statistic: contract cost by the day, in the account's currency; other currencies are not in it. Minimum data: a
    contract that runs today and ends.
    """
    due = renewal_day(facts)
    if due is None or due > facts.today + SOON:
        return
    year = Period(years_later(due, -1), due)
    yield Insight(
        kind=RENEWAL_DUE,
        subject="account",
        period_from=year.start,
        period_to=year.end,
        numbers=(number("yearly", paid(facts, year), facts.currency),),
        strength=Strength.STRONG,
        importance=0.8,
        terms={"end_day": (due - ONE_DAY).isoformat()},
        audiences=("steward",),
        anchor=f"ends {due}",
    )
