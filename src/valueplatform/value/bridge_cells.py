"""What a value bridge is made from and what it tells: days, sides and cells in, parts and lines out."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Final

from valueplatform.core.numbers import AMOUNT_PLACES, amount_units, scaled_decimal

Member = tuple[str | None, ...]
"""The values of the dimensions that value is cut by, in their order; () where it is not cut."""


class Kind(StrEnum):
    """The parts of a bridge, in their order."""

    VOLUME = "volume"
    MIX = "mix"
    RATE = "rate"
    ASSUMPTION = "assumption"
    NEW = "new"
    LOST = "lost"
    ADJUSTED = "adjusted"


UNIT: Final[int] = 10**AMOUNT_PLACES
FORMULA: Final = "@formula"
"""The name of the assumption part that another version of the formula makes; no input has such a name."""
CAP: Final = "@cap"
"""The name of the assumption part of what the cap of a benefit pool takes, now more or less than before."""

SHARE: Final = "@share"
"""The name of the assumption part that another agreed share of a joint driver makes."""


@dataclass(frozen=True, slots=True)
class Day:
    """What the amount of one day follows from. `meters` and `inputs` have a value for every name of the formula."""

    day: date
    formula: str
    inputs: Mapping[str, Fraction]
    meters: Mapping[str, Fraction]


@dataclass(frozen=True, slots=True)
class Side:
    """One driver and provider in one period. `worth` is the sum of its days' amounts, `adjusted` what is shown beside;
    `uncapped` is what the days were worth before the cap of a benefit pool, None where none took anything.

    A member has at least one day; only what adds is cut into several.
    """

    worth: Decimal = Decimal(0)
    adjusted: Decimal = Decimal(0)
    members: Mapping[Member, Sequence[Day]] = field(default_factory=dict)
    uncapped: Decimal | None = None

    def days_of(self, member: Member) -> Sequence[Day]:
        return self.members.get(member, ())


@dataclass(frozen=True, slots=True)
class Cell:
    """One driver and provider, in one unit, in both periods."""

    driver: str
    provider: str
    unit: str
    benefit_class: str
    before: Side
    after: Side


@dataclass(frozen=True, slots=True)
class Part:
    """One part. `subject` names the input of an assumption part, or is `SHARE`, `FORMULA` or `CAP`; '' for all other
    kinds."""

    kind: Kind
    amount: Decimal
    subject: str = ""

    @property
    def order(self) -> tuple[int, bool, bool, str]:
        """The place of the part among all: kinds in their order, inputs by name, then formula and cap."""
        return tuple(Kind).index(self.kind), self.subject == CAP, self.subject == FORMULA, self.subject


@dataclass(frozen=True, slots=True)
class Line:
    """The bridge of one member of one driver and provider: `after - before` is the sum of `parts`, exactly.

    `worth_before` is `before` without adjustments and caps: what the steps begin from. `capped` is what the cap of a
    benefit pool takes (below zero), before and after.

    Parts that are nothing are left out. `volume` is the meter that volume is told in; None: days with value. An input
    is told as it was on the last day with value of each period.
    """

    driver: str
    provider: str
    unit: str
    benefit_class: str
    member: Member
    before: Decimal
    after: Decimal
    parts: tuple[Part, ...]
    worth_before: Decimal = Decimal(0)
    capped: tuple[Decimal, Decimal] = (Decimal(0), Decimal(0))
    volume: str | None = None
    volume_before: Fraction = Fraction(0)
    volume_after: Fraction = Fraction(0)
    days_before: int = 0
    days_after: int = 0
    rates: Mapping[str, tuple[Fraction, Fraction]] | None = None
    inputs: Mapping[str, tuple[Fraction, Fraction]] | None = None

    @property
    def change(self) -> Decimal:
        return added([self.after, self.before.copy_negate()])

    def amount(self, kind: Kind, subject: str | None = None) -> Decimal:
        """Of one kind, or of one input of it."""
        return added(p.amount for p in self.parts if p.kind is kind and subject in {None, p.subject})


def by_name(member: Member) -> list[tuple[bool, str]]:
    """The order of members: first those that carry no value of a dimension."""
    return [(value is not None, value or "") for value in member]


def added(amounts: Iterable[Decimal]) -> Decimal:
    """The exact sum; the digits of `Decimal` end at 28, those of amounts at 38."""
    return scaled_decimal(sum(map(amount_units, amounts)), AMOUNT_PLACES)
