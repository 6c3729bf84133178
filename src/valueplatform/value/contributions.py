"""What partners report of their own (A6, value rule 19): partner-reported until the customer's validator or telemetry
corroborates it.

It stands beside realized value and is in no total of it, corroborated or not: what telemetry corroborates is in the
driver's own value already.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

import msgspec

from valueplatform.core.authorization import Side
from valueplatform.core.periods import Period, month_start
from valueplatform.value.shown import ShownValue
from valueplatform.value.values import ZERO


class Standing(StrEnum):
    """How far a contribution can be relied on."""

    REPORTED = "partner-reported"
    CORROBORATED = "corroborated"
    DISPUTED = "disputed"
    WITHDRAWN = "withdrawn"


class Answering(StrEnum):
    """What can be said of a contribution."""

    CORROBORATE = "corroborate"
    DISPUTE = "dispute"
    WITHDRAW = "withdraw"


class Reported(msgspec.Struct, frozen=True, kw_only=True):
    """What a partner sends. `id` is the partner's own; `driver` None = none of the model's; `period` is a local day or
    month. Negative value is reported too (value rule 8)."""

    provider: str
    id: str
    driver: str | None
    title: str
    amount: Decimal
    unit: str
    period: Period
    evidence: str
    source: str


class Answer(msgspec.Struct, frozen=True):
    action: Answering
    author: str
    side: Side
    reason: str
    known_at: datetime


class Contribution(msgspec.Struct, frozen=True):
    """`answers` oldest first."""

    contribution_id: int
    reported: Reported
    author: str
    known_at: datetime
    answers: Sequence[Answer] = ()


class Standings(msgspec.Struct, frozen=True):
    """A contribution with how it stands; `by` is what corroborates it, `validator` or `telemetry`."""

    contribution: Contribution
    standing: Standing
    by: str | None = None


class ReportedSum(msgspec.Struct, frozen=True):
    """What a provider reported in a period, in one unit, as far as it stands alike."""

    provider: str
    unit: str
    standing: Standing
    count: int
    amount: Decimal


Measured = Callable[[str, str, str, date], Decimal]
"""What counts (value rule 10) of a driver, of a provider, in a unit, in the month that begins on a day."""


def measured_in(values: Iterable[ShownValue]) -> Measured:
    sums: defaultdict[tuple[str, str, str, date], Decimal] = defaultdict(lambda: ZERO)
    for value in values:
        if value.counted:
            sums[value.driver, value.provider, value.unit, month_start(value.day)] += value.expected
    return lambda driver, provider, unit, month: sums.get((driver, provider, unit, month), ZERO)


def standings(contributions: Iterable[Contribution], measured: Measured) -> list[Standings]:
    """How each stands. The newest answer of the customer holds. Where there is none, what is claimed of a driver is
    corroborated in the order in which it came, as far as the driver's value of the month goes: the same value does not
    corroborate twice. A loss is never corroborated by a gain."""
    claimed: defaultdict[tuple[str, str, str, date], Decimal] = defaultdict(lambda: ZERO)
    found = []
    for one in contributions:
        standing, by = _answered(one)
        reported = one.reported
        if standing is Standing.REPORTED and reported.driver is not None and reported.amount > 0:
            key = (reported.driver, reported.provider, reported.unit, month_start(reported.period.start))
            if claimed[key] + reported.amount <= measured(*key):
                claimed[key] += reported.amount
                standing, by = Standing.CORROBORATED, "telemetry"
        found.append(Standings(one, standing, by))
    return found


def _answered(one: Contribution) -> tuple[Standing, str | None]:
    actions = [answer.action for answer in one.answers]
    if Answering.WITHDRAW in actions:
        return Standing.WITHDRAWN, None
    match actions[-1] if actions else None:
        case Answering.CORROBORATE:
            return Standing.CORROBORATED, "validator"
        case Answering.DISPUTE:
            return Standing.DISPUTED, None
        case _:
            return Standing.REPORTED, None


def as_partners_see(found: Iterable[Standings], provider: str) -> list[Standings]:
    """A partner's own. That one is disputed is between customer and supplier."""
    return [
        msgspec.structs.replace(one, standing=Standing.REPORTED) if one.standing is Standing.DISPUTED else one
        for one in found
        if one.contribution.reported.provider == provider
    ]


def reported_sums(found: Iterable[Standings], period: Period) -> list[ReportedSum]:
    """What touches the period and was not taken back, by provider, unit and standing: a month that the period cuts is
    there whole, since nobody knows which day it was of."""
    amounts: defaultdict[tuple[str, str, Standing], list[Decimal]] = defaultdict(list)
    for one in found:
        reported = one.contribution.reported
        if reported.period.intersect(period) is not None and one.standing is not Standing.WITHDRAWN:
            amounts[reported.provider, reported.unit, one.standing].append(reported.amount)
    return [ReportedSum(*key, len(parts), sum(parts, ZERO)) for key, parts in sorted(amounts.items())]


def known_by(contributions: Iterable[Contribution], moment: datetime | None) -> list[Contribution]:
    """As they were known at a moment; None = now."""
    return [
        msgspec.structs.replace(one, answers=[a for a in one.answers if moment is None or a.known_at <= moment])
        for one in contributions
        if moment is None or one.known_at <= moment
    ]
