"""How accounts compare: the figures of cohorts, and where one account stands in them. Pure and exact.

**Figures.** What a driver was worth to each account a month, the mean of the newest whole months, and the same per unit
of scale (`[benchmark] scale`). Told of a cohort: how many accounts, and the quartiles, of type 7 (Hyndman and Fan
1996), to three significant digits, so that no account's own amount stands in a figure. Amounts of one unit alone are
compared: no currency is converted, and none is mixed with another. Beside them, `low` and `high`: between which one
further account of the kind falls in one case of two. They are the quartiles of type 6, by the ranks that one more
account may take (as conformal prediction has them: Vovk, Gammerman and Shafer 2005): quartiles of a few accounts
themselves hold a further one too rarely, in one case of three with five accounts.

**Cohorts** (value rule 20): accounts that had an amount of the driver in every month, of one segment or of all; five at
least, and none of them more than half of the total, of what the figure is of and of the amounts behind it. Else the
figure is withheld, with the reason. Nothing names an account.

**Standing.** The share of the *other* accounts of the cohort that realize less; who realizes the same counts half. It
is kept with the account's own rows, where only its own people see it.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Final

import msgspec

from valueplatform.core.numbers import round_half_even, without_trailing_zeros
from valueplatform.value.cohorts import COHORT, further, is_masked, quantile

EVERYBODY: Final = ""
"""The segment of all accounts."""
DIGITS: Final = 3
PERCENT_PLACES: Final = 1
SMALL: Final = 20
"""Fewer accounts than these are told as counts: a tenth of a percent of seven says more than is there."""


class Per(StrEnum):
    """What a figure is of."""

    ACCOUNT = "account"
    SCALE = "scale"


class Withheld(StrEnum):
    """Why there is no figure."""

    FEW = "fewer-than-five"
    DOMINATED = "one-more-than-half"


class Figure(msgspec.Struct, frozen=True):
    """A cohort's quartiles of a driver, in `unit` a month, or a month and unit of scale. `segment` '' = all accounts.
    A further account falls from `low` to `high` in one case of two.
    Without quartiles it is withheld, and then `accounts` is not told either."""

    segment: str
    driver: str
    unit: str
    benefit_class: str
    per: Per
    accounts: int | None = None
    lower: Decimal | None = None
    median: Decimal | None = None
    upper: Decimal | None = None
    withheld: Withheld | None = None
    low: Decimal | None = None
    high: Decimal | None = None


class Standing(msgspec.Struct, frozen=True):
    """Where one account stands in a cohort of `accounts`: its own value, to nine places, and the percentage of the
    others that have less."""

    segment: str
    per: Per
    accounts: int
    value: Decimal
    percentile: Decimal


@dataclass(frozen=True, slots=True)
class Member:
    """One account and driver: the `total` of all months, in `unit`; `scale` None = not known."""

    account_id: int
    driver: str
    unit: str
    benefit_class: str
    segment: str | None
    total: Decimal
    scale: Decimal | None = None

    def value(self, per: Per, months: int) -> Fraction | None:
        """A month's, or a month's per unit of scale."""
        a_month = Fraction(self.total) / months
        if per is Per.ACCOUNT:
            return a_month
        return a_month / Fraction(self.scale) if self.scale else None


@dataclass(frozen=True, slots=True)
class Cohort:
    """Members that are compared with each other, with what each is compared by."""

    segment: str
    per: Per
    members: Sequence[tuple[Member, Fraction]]

    @property
    def values(self) -> list[Fraction]:
        return [value for _, value in self.members]

    @property
    def withheld(self) -> Withheld | None:
        """Both what is told and the amounts behind it must be of a cohort."""
        if len(self.members) < COHORT:
            return Withheld.FEW
        amounts = [Fraction(member.total) for member, _ in self.members]
        return Withheld.DOMINATED if is_masked(self.values) or is_masked(amounts) else None

    @property
    def figure(self) -> Figure:
        member = max((one for one, _ in self.members), key=lambda one: one.account_id)
        what = Figure(self.segment, member.driver, member.unit, member.benefit_class, self.per)
        if self.withheld is not None:
            return msgspec.structs.replace(what, withheld=self.withheld)
        lower, median, upper = (published(quantile(self.values, Fraction(quarter, 4))) for quarter in (1, 2, 3))
        low, high = (published(further(self.values, Fraction(quarter, 4))) for quarter in (1, 3))
        told = msgspec.structs.replace(what, accounts=len(self.members), lower=lower, median=median, upper=upper)
        return msgspec.structs.replace(told, low=low, high=high)

    def standings(self) -> dict[int, Standing]:
        """By account; none where the cohort is withheld."""
        if self.withheld is not None:
            return {}
        ordered = sorted(self.values)
        count = len(ordered)
        return {
            member.account_id: Standing(self.segment, self.per, count, shown(value), percentile(ordered, value))
            for member, value in self.members
        }


def published(value: Fraction) -> Decimal:
    """To three significant digits, half to even."""
    unit = Fraction(1)
    while abs(value) >= unit * 10**DIGITS:
        unit *= 10
    while value and abs(value) < unit * 10 ** (DIGITS - 1):
        unit /= 10
    rounded = round(value / unit) * unit
    return without_trailing_zeros(round_half_even(rounded.numerator, rounded.denominator, _places(unit)))


def _places(unit: Fraction) -> int:
    """Of a power of ten: the digits that it has after the point."""
    return len(str(unit.denominator)) - 1


def shown(value: Fraction) -> Decimal:
    """An account's own value, to nine places."""
    return round_half_even(value.numerator, value.denominator, 9)


def percentile(ordered: Sequence[Fraction], value: Fraction) -> Decimal:
    """The percentage of the others that have less than `value`, which is one of at least two; ties count half."""
    below = bisect_left(ordered, value)
    same = bisect_right(ordered, value) - below - 1
    return round_half_even(100 * (2 * below + same), 2 * (len(ordered) - 1), PERCENT_PLACES)


def count_of(percentage: Decimal, others: int) -> Fraction | None:
    """How many of a small group of others a `percentile` means, whole or with a half for a tie; None where the group is
    not small, or it is no percentile of so many."""
    halves = round(percentage * 2 * others / 100)
    if not 0 < others < SMALL or round_half_even(100 * halves, 2 * others, PERCENT_PLACES) != percentage:
        return None
    return Fraction(halves, 2)


def cohorts(members: Iterable[Member], months: int) -> list[Cohort]:
    """Every cohort of one driver that has a member, in a set order: by unit, then all, then each segment."""
    found: defaultdict[tuple[str, str, Per], list[tuple[Member, Fraction]]] = defaultdict(list)
    for member in members:
        for per in Per:
            value = member.value(per, months)
            if value is not None:
                for segment in {EVERYBODY, member.segment or EVERYBODY}:
                    found[member.unit, segment, per].append((member, value))
    return [Cohort(segment, per, found[unit, segment, per]) for unit, segment, per in sorted(found)]


def standings_of(made: Iterable[Cohort]) -> dict[tuple[int, str], list[Standing]]:
    """By account and unit."""
    found: defaultdict[tuple[int, str], list[Standing]] = defaultdict(list)
    for cohort in made:
        unit = cohort.members[0][0].unit
        for account_id, standing in cohort.standings().items():
            found[account_id, unit].append(standing)
    return dict(found)
