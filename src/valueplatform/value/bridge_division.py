"""The worth of a side divided over its members by their own formulas, to the last unit."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from valueplatform.core.numbers import AMOUNT_PLACES, amount_units, apportioned, scaled_decimal
from valueplatform.value.bridge_cells import UNIT, Member, Side, by_name
from valueplatform.value.formula import Formula
from valueplatform.value.formula_exact import UndefinedError, exact


def divided(side: Side) -> dict[Member, Decimal]:
    """The worth of a side over its members, as its bridge divides it: the last unit is kept."""
    return {member: amount_of(own.worth) for member, own in allocated(side).items()}


def evaluated(formula: str, values: Mapping[str, Fraction]) -> Fraction | None:
    try:
        return Fraction(*Formula.parse(formula).ratio(exact(values)))
    except (UndefinedError, KeyError):
        return None


class Worth(NamedTuple):
    """In units of the last place."""

    worth: int
    uncapped: int

    @property
    def taken(self) -> int:
        return self.worth - self.uncapped


def allocated(side: Side) -> dict[Member, Worth]:
    """The worth of a side divided over its members by what their days are worth; what a cap takes, in proportion."""
    members = sorted(side.members, key=by_name)
    exact = [
        sum(
            (evaluated(day.formula, {**day.inputs, **day.meters}) or Fraction(0) for day in side.members[member]),
            Fraction(0),
        )
        for member in members
    ]
    worth = amount_units(side.worth)
    whole = amount_units(side.uncapped) if side.uncapped is not None else worth
    uncapped = conserved(exact, whole)
    left = uncapped
    if worth != whole:
        ratio = Fraction(worth, whole) if whole else Fraction(1)
        left = conserved([Fraction(units, UNIT) * ratio for units in uncapped], worth)
    return {member: Worth(*pair) for member, pair in zip(members, zip(left, uncapped, strict=True), strict=True)}


def conserved(exact: Sequence[Fraction], total: int) -> list[int]:
    """Whole units that add up to `total`, each next to its exact value; what is exactly nothing stays nothing.

    Days are rounded one by one, so the exact values add up to a little more or less than `total`: the greatest of them
    takes that, or the second (the mix of days) where all are nothing.
    """
    scaled = [value * UNIT for value in exact]
    if not scaled:
        return []
    rest = total - sum(scaled, Fraction(0))
    if rest:
        greatest = max(range(len(scaled)), key=lambda at: (abs(scaled[at]), -at))
        scaled[greatest if scaled[greatest] else min(1, len(scaled) - 1)] += rest
    return apportioned(scaled, total)


def amount_of(units: int) -> Decimal:
    return scaled_decimal(units, AMOUNT_PLACES)
