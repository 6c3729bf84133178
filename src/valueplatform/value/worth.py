"""What an event type is worth: the words and shapes of realized and potential value in the catalog. Pure.

All amounts are of the same whole months, the newest up to three. *Realized* is what the drivers that a type feeds were
worth in them, by the day that earned it and as computed now; adjustments of closed months stand elsewhere. *Potential*
is an estimate, never part of a realized value, and never added up over types: two types that feed one driver would
count it twice (value rule 5).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Final

import msgspec

from valueplatform.core.numbers import AMOUNT_PLACES, round_half_even
from valueplatform.core.periods import Period, month_start, next_month
from valueplatform.value.cohorts import Spread
from valueplatform.value.values import is_money

MONTHS: Final = 3
RATE_PLACES: Final = 9
ZERO: Final = Decimal(0)


class Basis(StrEnum):
    """What an estimate rests on."""

    SIZE = "size"
    """What peers realize by it, as a share of what they realize by all else, times what the account does."""
    AMOUNT = "amount"
    """What peers realize by it, where an account's size cannot be told, or the driver is no money."""
    COMPARISON = "comparison"
    """By how much accounts that send it differ from those that do not, in a driver that the model ties to it."""
    STAND_IN = "stand-in"
    """It goes with a type that is mapped, and can stand in for it where that is not sent."""


class Reach(StrEnum):
    MORE = "more"
    """Would come on top of what is realized."""
    WITHIN = "within"
    """Goes with the type, and is part of what is realized."""


class Reason(StrEnum):
    """Why there is no estimate."""

    NO_MONTH = "no-month"
    NO_DRIVER = "no-driver"
    NO_AMOUNTS = "no-amounts"
    ALL_SEND = "all-send"
    FEW_PEERS = "few-peers"
    ONE_ACCOUNT = "one-account"
    NO_SIZE = "no-size"
    NOT_LOOKED_AT = "not-looked-at"
    NOTHING_ALIKE = "nothing-alike"
    NO_NUMBER = "no-number"
    SAME_WORK = "same-work"
    NOT_CLEAR = "not-clear"


@dataclass(frozen=True, slots=True)
class Sum:
    """What one account realized by one driver, in one unit and class, over the months; `by_month` is the expected of
    each, None where there was no amount."""

    benefit_class: str
    low: Decimal
    expected: Decimal
    high: Decimal
    counted: Decimal
    evidence: str
    state: str
    by_month: tuple[Decimal | None, ...]

    @property
    def is_steady(self) -> bool:
        """It has an amount in every month."""
        return None not in self.by_month


@dataclass(frozen=True, slots=True)
class Standing:
    """One account in the months. `types`: what it has sent since they began, of the types that are looked at; `steady`:
    what it sent in each of them; `paths`: the properties (type, path) among these; `realized` by driver and unit;
    `sends`: it has sent anything at all, `sources` whence the newest of each type came."""

    account_id: int
    segment: str | None
    currency: str
    sends: bool = True
    types: frozenset[str] = frozenset()
    steady: frozenset[str] = frozenset()
    paths: frozenset[tuple[str, str]] = frozenset()
    sources: frozenset[str] = frozenset()
    realized: Mapping[tuple[str, str], Sum] = field(default_factory=dict)

    def has_amounts(self, driver: str) -> bool:
        return any(slug == driver for slug, _ in self.realized)

    def size_without(self, drivers: frozenset[str]) -> Decimal:
        """What it realized in its own currency by all other drivers: how large it is, in money."""
        return sum(
            (
                one.expected
                for (driver, unit), one in self.realized.items()
                if unit == self.currency and driver not in drivers and is_money(unit, one.benefit_class)
            ),
            ZERO,
        )


class Cohort(msgspec.Struct, frozen=True):
    """The accounts that an estimate goes by: of a segment, or ('') all that are eligible. The rates are shares of what
    an account realizes by all else (SIZE, COMPARISON), or amounts of `unit` a month (AMOUNT); to nine places, and
    estimates are made of them as they stand. `others` are those that a COMPARISON is with."""

    segment: str
    basis: Basis
    unit: str
    peers: int
    low: Decimal
    expected: Decimal
    high: Decimal
    others: int = 0


class Verdict(msgspec.Struct, frozen=True):
    """What could be said of a type ('' = the type itself, else the path of a property) and a driver. `like` is the
    mapped type that an unmapped one stands in for, `likeness` their correlation. It names no account."""

    type: str
    path: str
    driver: str
    cohorts: tuple[Cohort, ...] = ()
    reason: Reason | None = None
    like: str | None = None
    likeness: Decimal | None = None
    lacks: str | None = None


class Estimate(msgspec.Struct, frozen=True):
    """What would come in one account, a month, in `unit`. `needs`: other types that the driver takes, and that the
    account would have to send as well. `size` is what the rate was put on, over all months."""

    account_id: int
    type: str
    path: str
    driver: str
    unit: str
    benefit_class: str
    reach: Reach
    basis: Basis
    segment: str
    size: Decimal | None
    low: Decimal
    expected: Decimal
    high: Decimal
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    verdicts: Sequence[Verdict]
    estimates: Sequence[Estimate]


def whole_months(first: date | None, today: date) -> tuple[date, ...]:
    """The first days of the newest whole months, up to three, oldest first. The month in which the record begins is no
    whole one, unless it begins with it."""
    if first is None:
        return ()
    begins = first if first.day == 1 else next_month(first)
    found: list[date] = []
    month = month_start(today)
    while len(found) < MONTHS and month > begins:
        month = month_start(date.fromordinal(month.toordinal() - 1))
        found.append(month)
    return tuple(reversed(found))


def period_of(months: Sequence[date]) -> Period:
    """The days of at least one month."""
    return Period(months[0], next_month(months[-1]))


def rate(value: Fraction) -> Decimal:
    """To nine places, half to even."""
    return round_half_even(value.numerator, value.denominator, RATE_PLACES)


def a_month(total: Decimal | Fraction, months: int) -> Decimal:
    """An amount of one month from that of all, rounded once."""
    value = Fraction(total) / months
    return round_half_even(value.numerator, value.denominator, AMOUNT_PLACES)


def cohort_of(
    spread: Spread, basis: Basis, peers: int, *, segment: str = "", unit: str = "", others: int = 0
) -> Cohort:
    low, expected, high = rate(spread.low), rate(spread.expected), rate(spread.high)
    return Cohort(segment, basis, unit, peers, low, expected, high, others)
