"""Time to value (value rule 16): contract → go-live → first validated outcome → committed run-rate, in days.

The first validated outcome is the first day on which something counts (value rule 10). The run-rate is reached at the
end of the first month in which what counts is no less than what was committed for it, in every unit.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final

import msgspec

from valueplatform.accounts.accounts import Account
from valueplatform.accounts.contracts import contracts_of, first_start
from valueplatform.accounts.milestones import GO_LIVE, milestones_of
from valueplatform.core.database import Transaction
from valueplatform.core.periods import ONE_DAY, Period, local_day, month_of, month_start
from valueplatform.value.derivation import Bound
from valueplatform.value.models import newest_model
from valueplatform.value.objectives import Objective, objectives_of
from valueplatform.value.plans import Target, committed, targets_in_force
from valueplatform.value.reading import targets_of_provider
from valueplatform.value.shown import ShownValue, shown_values
from valueplatform.value.values import FIRST_DAY, ZERO, Pledge, pledges


class Step(StrEnum):
    CONTRACT = "contract"
    GO_LIVE = "go-live"
    FIRST_VALIDATED = "first-validated-outcome"
    RUN_RATE = "committed-run-rate"


class Reached(msgspec.Struct, frozen=True):
    """`day` None: not reached, and `missing` says what is missing. `since_before` counts from the newest step before it
    that is known, `since_first` from the first that is."""

    step: Step
    day: date | None
    since_before: int | None
    since_first: int | None
    missing: str | None


class Way(msgspec.Struct, frozen=True):
    """Of the account, or of one objective."""

    objective: Objective | None
    steps: Sequence[Reached]


_MISSING: Final = {
    Step.CONTRACT: "There is no contract.",
    Step.GO_LIVE: "No milestone says when it went live.",
    Step.FIRST_VALIDATED: "Nothing counts yet: no amount rests on validated or measured inputs alone.",
    Step.RUN_RATE: "No whole month has brought what was committed for it.",
}
NOT_SHOWN: Final = "Contracts are not shown to partners."
UNCOMMITTED: Final = "Nothing was committed, so there is no run-rate to reach."
NO_COHORT: Final = "Not enough comparable accounts: five are needed, none of them more than half of all days."
NOT_FOR_PARTNERS: Final = "How long other accounts took is not shown to partners."


async def read_ways(tx: Transaction, account: Account, provider: str | None, now: datetime) -> list[Way]:
    """The account's way first, then those of its objectives. `provider` keeps a partner to its own part."""
    model, today = await newest_model(tx), local_day(now, account.timezone)
    targets = await targets_in_force(tx, account.account_id)
    objectives = await objectives_of(tx, account.account_id)
    values = await shown_values(tx, account.account_id, Period(FIRST_DAY, today + ONE_DAY))
    if provider is not None:
        targets = targets_of_provider(targets, model, provider)
        served = {target.objective_id for target in targets}
        objectives = [one for one in objectives if one.objective_id in served]
        values = [value for value in values if value.provider == provider]
    counted = [value for value in values if value.counted]
    units = {value.driver: value.unit for value in counted}
    pledged = pledges(targets, model, units, account.currency)
    begun = first_start(await contracts_of(tx, account.account_id)) if provider is None else None
    live = [
        local_day(one.at, account.timezone)
        for one in await milestones_of(tx, account.account_id)
        if one.kind == GO_LIVE and one.at <= now
    ]
    begins = {Step.CONTRACT: None if begun is None or begun > today else begun, Step.GO_LIVE: min(live, default=None)}

    def way(one: Objective | None, drivers: Collection[str] | None, own: Sequence[Pledge]) -> Way:
        mine = [value for value in counted if drivers is None or value.driver in drivers]
        days = begins | {Step.FIRST_VALIDATED: _first(mine), Step.RUN_RATE: _run_rate(mine, own, today)}
        missing = dict(_MISSING)
        if provider is not None:
            missing[Step.CONTRACT] = NOT_SHOWN
        if not own:
            missing[Step.RUN_RATE] = UNCOMMITTED
        return Way(one, _steps(days, missing))

    ways = [way(None, None, pledged)]
    for one in objectives:
        own = [pledge for pledge in pledged if pledge.target.objective_id == one.objective_id]
        named = () if provider is not None else one.aim.drivers
        drivers = {*named, *(pledge.target.driver for pledge in own)}
        ways.append(way(one, drivers, own))
    return ways


def _first(counted: Sequence[ShownValue]) -> date | None:
    days: defaultdict[date, Decimal] = defaultdict(lambda: ZERO)
    for value in counted:
        if value.expected > 0:
            days[value.day] += value.expected
    return min(days, default=None)


def _run_rate(counted: Sequence[ShownValue], pledged: Sequence[Pledge], today: date) -> date | None:
    """The last day of the first month, over by now, that brought what was committed for it."""
    realized: defaultdict[tuple[date, str], Decimal] = defaultdict(lambda: ZERO)
    drivers = {pledge.target.driver for pledge in pledged}
    for value in counted:
        if value.driver in drivers:
            realized[month_start(value.day), value.unit] += value.expected
    by_month: defaultdict[date, defaultdict[str, list[Target]]] = defaultdict(lambda: defaultdict(list))
    for pledge in pledged:
        by_month[pledge.target.month][pledge.unit].append(pledge.target)
    for start in sorted(by_month):
        month = month_of(start)
        sums = {unit: committed(each, month, Bound.EXPECTED) for unit, each in by_month[start].items()}
        if month.end <= today and any(sums.values()) and all(realized[start, unit] >= sums[unit] for unit in sums):
            return month.end - ONE_DAY
    return None


def _steps(days: dict[Step, date | None], missing: dict[Step, str]) -> list[Reached]:
    found: list[Reached] = []
    known: list[date] = []
    for step in Step:
        day = days[step]
        if day is None:
            found.append(Reached(step, None, None, None, missing[step]))
            continue
        since = (day - known[-1]).days if known else None
        found.append(Reached(step, day, since, (day - known[0]).days if known else None, None))
        known.append(day)
    return found
