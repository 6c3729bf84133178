"""What a suggestion promised against what then happened, at fixed horizons. Pure and exact.

**Promised.** The stated value of twelve months, before costs, times the share of it that falls into the first days: a
feature counts a third in its first month, two thirds in its second, and fully from then on (`ADOPTION_MONTHS`).

**Realized.** Difference in differences by ratios: what the account brought in the days after it began, less what it
would have brought had it gone on like comparable accounts without the step, which is what it brought in the 90 days
before times the median of after over before among them. Comparable: of the same segment where that gives five
(value rule 20), else all, and of these up to twenty nearest in size where amounts are in one currency.

**Within.** Months scatter without any step. How much is told by the same accounts: from the 5th to the 95th percentile
of their ratios. The promised interval and this scatter are joined as independent ones are, by the root of the sum of
squares, on each side; the result is what may be measured if the promise holds.

What is measured goes with the step; that it comes from it is not proven (value rule 6).
"""

from collections.abc import Sequence
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from math import isqrt
from typing import Final

import msgspec

from valueplatform.core.numbers import amount_units, round_half_even, scaled_decimal
from valueplatform.narrative.next_best_panel import ADOPTION_MONTHS
from valueplatform.value.cohorts import COHORT, median, quantile

HORIZONS: Final = (30, 90, 365)
"""Days after the first use."""

BEFORE_DAYS: Final = 90
MOST_COMPARED: Final = 20
TAKE_UP_DAYS: Final = 90
"""An accepted step without any use for so long was not taken up."""

_MONTH: Final = Fraction(365, 12)
_LOW, _HIGH = Fraction(5, 100), Fraction(95, 100)


class Outcome(StrEnum):
    MEASURED = "measured"
    NOT_TAKEN_UP = "not-taken-up"
    NOT_PRICED = "not-priced"
    """No value was promised; what was realized is told without a promise."""
    SHORT_RECORD = "short-record"
    """The account has no value on record in the days before."""
    FEW_COMPARABLE = "few-comparable"


class Promise(msgspec.Struct, frozen=True):
    """Value of twelve months before costs, in the account's currency."""

    low: Decimal
    expected: Decimal
    high: Decimal


class Compared(msgspec.Struct, frozen=True):
    """What an account brought in the days before and after. `before` is more than nothing."""

    account_id: int
    segment: str | None
    unit: str
    before: Decimal
    after: Decimal

    @property
    def ratio(self) -> Fraction:
        return Fraction(self.after) / Fraction(self.before)


class Reckoned(msgspec.Struct, frozen=True):
    """Amounts of the horizon, in one unit: what was promised, from where to where a measurement may fall if the promise
    holds, and what was realized. `scatter`: what the same days may bring without any step, about nothing."""

    promised: Promise | None
    range_low: Decimal | None
    range_high: Decimal | None
    realized: Decimal
    without: Decimal
    scatter_low: Decimal
    scatter_high: Decimal

    @property
    def is_within(self) -> bool | None:
        if self.range_low is None or self.range_high is None:
            return None
        return self.range_low <= self.realized <= self.range_high


def share_of_year(days: int) -> Fraction:
    """The share of a first year's value that falls into its first days."""
    return _in_use(Fraction(days)) / _in_use(Fraction(365))


def mean_use(days: int) -> Fraction:
    """How far the feature is taken up, on the average of its first days."""
    return _in_use(Fraction(days)) / days


def promised(stated: Promise, days: int) -> Promise:
    share = share_of_year(days)
    return Promise(*(_rounded(Fraction(value) * share) for value in (stated.low, stated.expected, stated.high)))


def comparable(own: Compared, others: Sequence[Compared]) -> tuple[Compared, ...]:
    """Those that the account is held against; empty where there are fewer than a cohort."""
    alike = [one for one in others if one.segment == own.segment]
    chosen = alike if len(alike) >= COHORT else list(others)
    same_unit = [one for one in chosen if one.unit == own.unit]
    if len(same_unit) >= COHORT:
        chosen = sorted(same_unit, key=lambda one: (_apart(own, one), one.account_id))[:MOST_COMPARED]
    return tuple(sorted(chosen, key=lambda one: one.account_id)) if len(chosen) >= COHORT else ()


def reckon(own: Compared, compared: Sequence[Compared], stated: Promise | None, days: int) -> Reckoned:
    """`compared` are five accounts or more."""
    ratios = [one.ratio for one in compared]
    before = Fraction(own.before)
    middle, low, high = (before * ratio for ratio in (median(ratios), quantile(ratios, _LOW), quantile(ratios, _HIGH)))
    without = _rounded(middle)
    scatter_low, scatter_high = _rounded(low - middle), _rounded(high - middle)
    found = Reckoned(None, None, None, own.after - without, without, scatter_low, scatter_high)
    if stated is None:
        return found
    given = promised(stated, days)
    return msgspec.structs.replace(
        found,
        promised=given,
        range_low=given.expected - joined(given.expected - given.low, -scatter_low),
        range_high=given.expected + joined(given.high - given.expected, scatter_high),
    )


def joined(one: Decimal, other: Decimal) -> Decimal:
    """The root of the sum of squares, rounded down to the last place of an amount."""
    return scaled_decimal(isqrt(amount_units(one) ** 2 + amount_units(other) ** 2), 4)


def _in_use(days: Fraction) -> Fraction:
    """Days counted by how far the feature is taken up."""
    found = Fraction(0)
    for month in range(ADOPTION_MONTHS - 1):
        found += min(max(days - month * _MONTH, Fraction(0)), _MONTH) * Fraction(month + 1, ADOPTION_MONTHS)
    return found + max(days - (ADOPTION_MONTHS - 1) * _MONTH, Fraction(0))


def _apart(own: Compared, other: Compared) -> Fraction:
    """How many times as large the larger of two accounts is."""
    ratio = Fraction(other.before) / Fraction(own.before)
    return max(ratio, 1 / ratio)


def _rounded(value: Fraction) -> Decimal:
    return round_half_even(value.numerator, value.denominator)
