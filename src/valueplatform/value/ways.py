"""How long comparable accounts took from step to step (value rule 16): the figures of cohorts (value rule 20). Pure.

One value an account: the days from one step to the next, where both are known; for objectives the median over the
account's own. Told of five accounts or more, of one segment or of all, none of them more than half of all days: the
quartiles, of type 7 (Hyndman and Fan 1996), in whole days, so that no account's own days stand there by themselves.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from enum import StrEnum
from fractions import Fraction

import msgspec

from valueplatform.value.benchmark import EVERYBODY, Withheld
from valueplatform.value.cohorts import COHORT, is_masked, median, quantile
from valueplatform.value.time_to_value import Step, Way


class Scope(StrEnum):
    """What days are of: the account as a whole, or its objectives."""

    ACCOUNT = "account"
    OBJECTIVE = "objective"


class Days(msgspec.Struct, frozen=True):
    """Of one account: from the step right before to this one. `days` may be a half, for objectives."""

    account_id: int
    scope: Scope
    step: Step
    segment: str | None
    days: Fraction


class WayFigure(msgspec.Struct, frozen=True):
    """Of one step, scope and segment ('' = all). Without days it is withheld, and then `accounts` is not told."""

    scope: Scope
    step: Step
    segment: str
    accounts: int | None = None
    lower: int | None = None
    median: int | None = None
    upper: int | None = None
    withheld: Withheld | None = None


class Ways(msgspec.Struct, frozen=True):
    """All that a run made; it names no account."""

    figures: tuple[WayFigure, ...] = ()

    def figure(self, scope: Scope, step: Step, segment: str | None) -> WayFigure:
        """Of the segment where that is a cohort, else of all; withheld where neither is."""
        own = WayFigure(scope, step, EVERYBODY, withheld=Withheld.FEW)
        for wanted in (segment or EVERYBODY, EVERYBODY):
            for one in self.figures:
                if (one.scope, one.step, one.segment) == (scope, step, wanted):
                    if one.withheld is None:
                        return one
                    own = one
        return own


def leg(way: Way, step: Step) -> int | None:
    """Days from the step right before; None where either is not known."""
    days = {one.step: one.day for one in way.steps}
    order = list(Step)
    at = order.index(step)
    here, before = days.get(step), days.get(order[at - 1]) if at else None
    return None if here is None or before is None else (here - before).days


def days_of(account_id: int, segment: str | None, ways: Sequence[Way]) -> list[Days]:
    """What one account brings into the cohorts."""
    found = []
    for step in Step:
        for scope in Scope:
            own = [way for way in ways if (way.objective is None) is (scope is Scope.ACCOUNT)]
            legs = [Fraction(days) for way in own if (days := leg(way, step)) is not None]
            if legs:
                found.append(Days(account_id, scope, step, segment, median(legs)))
    return found


def figures_of(days: Iterable[Days]) -> tuple[WayFigure, ...]:
    """In a set order: by scope, step and segment."""
    found: defaultdict[tuple[Scope, Step, str], list[Fraction]] = defaultdict(list)
    for one in days:
        for segment in {EVERYBODY, one.segment or EVERYBODY}:
            found[one.scope, one.step, segment].append(one.days)
    steps = list(Step)
    order = sorted(found, key=lambda key: (key[0], steps.index(key[1]), key[2]))
    return tuple(_figure(WayFigure(*key), found[key]) for key in order)


def _figure(what: WayFigure, values: Sequence[Fraction]) -> WayFigure:
    if is_masked(values):
        reason = Withheld.FEW if len(values) < COHORT else Withheld.DOMINATED
        return msgspec.structs.replace(what, withheld=reason)
    lower, middle, upper = (round(quantile(values, Fraction(quarter, 4))) for quarter in (1, 2, 3))
    return msgspec.structs.replace(what, accounts=len(values), lower=lower, median=middle, upper=upper)
