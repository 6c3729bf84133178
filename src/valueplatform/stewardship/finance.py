"""The measures of finance, computed from totals over accounts. Pure, exact, rounded once half-even to 4 places.

Definitions are in `finance_definitions`, one a measure. Where a measure cannot be told there is a reason in its place.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Final

import msgspec

from valueplatform.core.numbers import round_half_even
from valueplatform.core.periods import Period
from valueplatform.stewardship.finance_definitions import HORIZON, LEAST_COHORT, PARTS, Metric
from valueplatform.stewardship.finance_positions import NOTHING, ZERO, Position, months_in

Totals = Mapping[str, Fraction]
"""Every part by its name, exact."""


class Reason(StrEnum):
    """Why a measure cannot be told."""

    NOTHING_INVESTED = "nothing-invested"
    NOTHING_SPENT = "nothing-spent"
    NO_COHORT = "no-cohort"
    SMALL_COHORT = "small-cohort"
    NOBODY_PAYS = "nobody-pays"
    NO_REVENUE = "no-revenue"
    NONE_WON = "none-won"
    NO_MARGIN = "no-margin"
    NO_ACQUISITION_COST = "no-acquisition-cost"


SAYS: Final = {
    Reason.NOTHING_INVESTED: "Nothing that customers put in is known for this window.",
    Reason.NOTHING_SPENT: "No cost of ours is known for this window.",
    Reason.NO_COHORT: "No account paid on the day before the window.",
    Reason.SMALL_COHORT: f"Fewer than {LEAST_COHORT} accounts paid on the day before the window: too few to tell a "
    "rate of losing them.",
    Reason.NOBODY_PAYS: "No account pays on the last day of the window.",
    Reason.NO_REVENUE: "Nothing was paid to us in this window.",
    Reason.NONE_WON: "No account was won in this window.",
    Reason.NO_MARGIN: "The accounts won leave no margin that could pay for winning them.",
    Reason.NO_ACQUISITION_COST: "No cost of acquisition is known for this window.",
}


class NotToldError(Exception):
    """A measure cannot be told."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(SAYS[reason])
        self.reason = reason


class Figure(msgspec.Struct, frozen=True):
    """One measure. `value` None: `reason` says why. `bounded`: the horizon stands in for a lifetime that is longer."""

    metric: Metric
    value: Decimal | None
    reason: Reason | None
    bounded: bool
    parts: Mapping[str, Decimal]


def totals(positions: Iterable[Position], shared: Mapping[str, Decimal], period: Period) -> Totals:
    """Sums over accounts that are in totals, with the shared parts."""
    sums = dict(NOTHING)
    for one in positions:
        if not one.missing:
            for name, amount in one.parts.items():
                sums[name] += amount
    exact = {name: Fraction(amount) for name, amount in {**sums, **shared}.items()}
    return {**exact, "months": months_in(period)}


def figure(metric: Metric, t: Totals, names: Iterable[str]) -> Figure:
    parts = {name: _rounded(t[name]) for name in names}
    try:
        value = _rounded(_RULES[metric](t))
    except NotToldError as error:
        return Figure(metric, None, error.reason, False, parts)
    bounded = metric in _BOUNDED and _lifetime(t) == HORIZON and t["lost"] * HORIZON != t["months"] * t["cohort"]
    return Figure(metric, value, None, bounded, parts)


def _rounded(number: Fraction) -> Decimal:
    return round_half_even(number.numerator, number.denominator)


def _over(numerator: Fraction, denominator: Fraction, reason: Reason) -> Fraction:
    """Raises NotToldError where there is nothing to divide by."""
    if denominator <= 0:
        raise NotToldError(reason)
    return numerator / denominator


def _value_per_dollar(t: Totals) -> Fraction:
    paid = t["revenue"] + t["partner_fees"]
    effort = t["implementation"] + t["internal"] + t["shared_implementation"] + t["shared_internal"]
    return _over(t["value_paid_for"], paid + effort, Reason.NOTHING_INVESTED)


def _own_value_per_dollar(t: Totals) -> Fraction:
    kinds = ("acquisition", "implementation", "service")
    spent = sum((t[kind] + t[f"shared_{kind}"] for kind in kinds), Fraction(0))
    return _over(t["value"], spent, Reason.NOTHING_SPENT)


def _nrr(t: Totals) -> Fraction:
    return _over(t["opening"] + t["expansion"] - t["contraction"] - t["churned"], t["opening"], Reason.NO_COHORT)


def _revenue_churn(t: Totals) -> Fraction:
    return _over(t["contraction"] + t["churned"], t["opening"], Reason.NO_COHORT)


def _arpa(t: Totals) -> Fraction:
    return _over(t["recurring"], t["payers"], Reason.NOBODY_PAYS)


def _gross_margin(t: Totals) -> Fraction:
    return _over(t["revenue"] - t["service"] - t["shared_service"], t["revenue"], Reason.NO_REVENUE)


def _lifetime(t: Totals) -> Fraction:
    if t["cohort"] < LEAST_COHORT:
        raise NotToldError(Reason.SMALL_COHORT if t["cohort"] else Reason.NO_COHORT)
    return min(Fraction(HORIZON), t["months"] * t["cohort"] / t["lost"]) if t["lost"] else Fraction(HORIZON)


def _ltv(t: Totals) -> Fraction:
    return _arpa(t) * _gross_margin(t) * _lifetime(t)


def _acquisition(t: Totals) -> Fraction:
    return t["acquisition"] + t["shared_acquisition"]


def _cac(t: Totals) -> Fraction:
    if not _acquisition(t) > 0:
        raise NotToldError(Reason.NO_ACQUISITION_COST)
    return _over(_acquisition(t), t["won"], Reason.NONE_WON)


def _cac_payback(t: Totals) -> Fraction:
    _cac(t)
    return _over(_acquisition(t), t["won_recurring"] * _gross_margin(t), Reason.NO_MARGIN)


_BOUNDED: Final = frozenset({Metric.LIFETIME, Metric.LTV, Metric.LTV_CAC})
_RULES: Final[Mapping[Metric, Callable[[Totals], Fraction]]] = {
    Metric.VALUE_PER_DOLLAR: _value_per_dollar,
    Metric.OWN_VALUE_PER_DOLLAR: _own_value_per_dollar,
    Metric.NRR: _nrr,
    Metric.GRR: lambda t: 1 - _revenue_churn(t),
    Metric.EXPANSION: lambda t: _over(t["expansion"], t["opening"], Reason.NO_COHORT),
    Metric.REVENUE_CHURN: _revenue_churn,
    Metric.LOGO_CHURN: lambda t: _over(t["lost"], t["cohort"], Reason.NO_COHORT),
    Metric.RECURRING: lambda t: t["recurring"],
    Metric.ARPA: _arpa,
    Metric.GROSS_MARGIN: _gross_margin,
    Metric.LIFETIME: _lifetime,
    Metric.LTV: _ltv,
    Metric.CAC: _cac,
    Metric.LTV_CAC: lambda t: _ltv(t) / _cac(t),
    Metric.CAC_PAYBACK: _cac_payback,
    Metric.VALUE: lambda t: t["value"],
    Metric.REVENUE: lambda t: t["revenue"],
}


def shared_or_nothing(shared: Mapping[str, Decimal] | None) -> dict[str, Decimal]:
    """Shared parts are of the whole supplier: a segment has none."""
    return dict(shared) if shared is not None else {name: ZERO for name, part in PARTS.items() if part.shared}


def segments_of(positions: Sequence[Position]) -> dict[str, list[Position]]:
    """By segment; '' for accounts without one."""
    found: dict[str, list[Position]] = {}
    for one in positions:
        found.setdefault(one.account.segment, []).append(one)
    return dict(sorted(found.items()))
