"""Milestones: go-live, what happened lately, and the renewal ahead.

No statistic. *Go-live* is told when it lies inside the story window; another milestone within 45 days after it
happened; the end of a contract, with what was realized in it, from 120 days before. Minimum data: the milestone
itself, and one counted row since then for go-live and renewal.
"""

from collections.abc import Iterator
from datetime import timedelta

from valueplatform.core.periods import ONE_DAY, Period
from valueplatform.narrative.facts import AccountFacts, Contract, Milestone
from valueplatform.narrative.figures import Figure, number, ratio, realized, standing_of, times
from valueplatform.narrative.insight import Insight, Number, Standing, Strength
from valueplatform.narrative.insights.put_in import PutIn, put_in
from valueplatform.narrative.insights.weight import importance
from valueplatform.narrative.windows import story_window

LATELY = timedelta(days=45)
AHEAD = timedelta(days=120)
GO_LIVE = "go-live"
RENEWAL = "renewal"


def milestones(facts: AccountFacts) -> list[Insight]:
    found = [insight for milestone in facts.milestones for insight in _happened(facts, milestone)]
    return found + list(_renewal(facts))


def _happened(facts: AccountFacts, milestone: Milestone) -> Iterator[Insight]:
    window = story_window(facts)
    went_live = milestone.kind == GO_LIVE
    # What a first contract year begins with is no news; that a later one has begun is.
    begins = milestone.kind == RENEWAL and milestone.day == window.start
    if not (begins or window.start < milestone.day <= facts.today):
        return
    if not went_live and milestone.day < facts.today - LATELY:
        return
    since = Period(milestone.day, facts.tomorrow)
    drivers = facts.money_drivers
    if not facts.ledger.has_rows(since.start, since.end, unit=facts.currency, drivers=drivers):
        return
    value = realized(facts, since, drivers)
    yield Insight(
        kind="go-live" if went_live else "milestone",
        subject=milestone.milestone_id,
        period_from=since.start,
        period_to=since.end,
        numbers=(number("since", value, facts.currency, standing_of(facts, since, drivers)),),
        strength=Strength.STRONG,
        importance=importance(facts, value.value, 0.45),
        terms={"milestone_name": milestone.title, "milestone_day": milestone.day.isoformat()},
        drivers=drivers,
        anchor=f"milestone {milestone.day}",
    )


def ending_contract(facts: AccountFacts) -> Contract | None:
    """The running contract that ends next, where that is soon and none follows."""
    ending = [c for c in facts.contracts if c.covers(facts.today) and c.end and c.end <= facts.today + AHEAD]
    if not ending or _is_followed(facts, ending):
        return None
    return min(ending, key=lambda c: (c.end or facts.today, c.contract_id))


def _renewal(facts: AccountFacts) -> Iterator[Insight]:
    contract = ending_contract(facts)
    if contract is None:
        return
    since = Period(contract.start, facts.tomorrow)
    drivers = facts.money_drivers
    if contract.end is None or not facts.ledger.has_rows(since.start, since.end, unit=facts.currency, drivers=drivers):
        return
    value, standing = realized(facts, since, drivers), standing_of(facts, since, drivers)
    cost = put_in(facts, since)
    yield Insight(
        kind="renewal-ahead",
        subject=contract.contract_id,
        period_from=since.start,
        period_to=since.end,
        numbers=(number("since", value, facts.currency, standing), *_return(cost, value, standing)),
        strength=Strength.STRONG,
        importance=importance(facts, value.value, 0.7),
        terms={
            "end_day": (contract.end - ONE_DAY).isoformat(),
            "since_day": contract.start.isoformat(),
            "cost": "known" if cost.whole.value > 0 else "unknown",
            "counts": cost.term,
        },
        drivers=drivers,
        anchor=f"until {contract.end}",
    )


def _return(cost: PutIn, value: Figure, standing: Standing) -> list[Number]:
    if cost.whole.value <= 0:
        return []
    return [times("times_paid", ratio(value, cost.whole), standing), *cost.numbers]


def _is_followed(facts: AccountFacts, ending: list[Contract]) -> bool:
    """Whether a contract is signed that goes on where one of these ends."""
    ends = {contract.end for contract in ending}
    return any(contract.start in ends or (contract.start > facts.today) for contract in facts.contracts)
