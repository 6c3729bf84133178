"""Accounts whose events have stopped, or never came."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Final

import polars as pl

from valueplatform.core.periods import ONE_DAY, Period
from valueplatform.narrative.facts import AccountFacts
from valueplatform.narrative.figures import number, paid, realized, standing_of
from valueplatform.narrative.insight import Insight, Strength
from valueplatform.narrative.insights.presence import MINIMUM_ACTIVE_DAYS, MINIMUM_SPAN, STALLED_AFTER, TIMES_LONGEST

BEFORE: Final = timedelta(days=28)
NEW_ACCOUNT_DAYS: Final = 14
"""How long an account may be silent whose rhythm is not known yet, or whose contract has just begun."""

EVENTS_STOPPED: Final = "events-stopped"
NO_EVENTS_YET: Final = "no-events-yet"


@dataclass(frozen=True, slots=True)
class Pulse:
    """Local days with metered events of any kind, oldest first."""

    days: tuple[date, ...]

    @property
    def allowed(self) -> int:
        """The longest pause, in days without events, that is nothing out of the ordinary."""
        known = len(self.days) >= MINIMUM_ACTIVE_DAYS and self.days[-1] - self.days[0] >= MINIMUM_SPAN
        if not known:
            return NEW_ACCOUNT_DAYS
        pauses = ((later - earlier).days - 1 for earlier, later in pairwise(self.days))
        return max(STALLED_AFTER, TIMES_LONGEST * max(pauses, default=0))


def pulse(facts: AccountFacts) -> Pulse:
    days = facts.meters.filter(pl.col("day") <= facts.today)["day"].unique().sort()
    return Pulse(tuple(days.to_list()))


def silence(facts: AccountFacts) -> list[Insight]:
    """That events stopped, with what the 28 days to the last of them brought; or that none has come, with what has
    been paid meanwhile.

    Statistic: the present pause against the longest earlier one (as `presence` has it for drivers), over all meters
    together. Minimum data: one metered event, else a contract that has run for 14 days.
    """
    beats = pulse(facts)
    if not beats.days:
        return list(_no_events_yet(facts))
    last = beats.days[-1]
    pause = (facts.today - last).days - 1
    return [_events_stopped(facts, last)] if pause > beats.allowed else []


def _events_stopped(facts: AccountFacts, last: date) -> Insight:
    before = Period(last + ONE_DAY - BEFORE, last + ONE_DAY)
    drivers = facts.money_drivers
    brought = realized(facts, before, drivers, counted=False)
    standing = standing_of(facts, before, drivers, counted=False)
    return Insight(
        kind=EVENTS_STOPPED,
        subject="account",
        period_from=before.start,
        period_to=before.end,
        numbers=(number("before", brought, facts.currency, standing),),
        strength=Strength.STRONG,
        importance=0.95,
        terms={"last_day": last.isoformat()},
        drivers=drivers,
        audiences=("steward",),
        favorable=False,
        anchor=f"last {last}",
    )


def _no_events_yet(facts: AccountFacts) -> Iterator[Insight]:
    running = [contract.start for contract in facts.contracts if contract.covers(facts.today)]
    if not running or (facts.today - min(running)).days < NEW_ACCOUNT_DAYS:
        return
    since = Period(min(running), facts.tomorrow)
    yield Insight(
        kind=NO_EVENTS_YET,
        subject="account",
        period_from=since.start,
        period_to=since.end,
        numbers=(number("paid", paid(facts, since), facts.currency),),
        strength=Strength.STRONG,
        importance=0.95,
        terms={"since_day": since.start.isoformat()},
        audiences=("steward",),
        favorable=False,
        anchor=f"since {since.start}",
    )
