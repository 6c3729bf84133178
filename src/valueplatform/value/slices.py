"""Shown value divided over the members of its meters' dimensions, to the last unit. Pure and exact.

Each amount is divided as its own formula and inputs value the readings of the day that it was earned on, as they are
known now: the greatest part takes what rounding leaves, remainders go to the greatest, as in a bridge. Amounts of days
are divided one by one, so that days add up to months and members to what is shown. What a cap or an adjustment makes
less is taken from all in proportion; what is beyond what the readings come to is attributed to no member.

A part has no range: ranges of parts do not add up to that of the whole.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Final

import msgspec

from valueplatform.core.numbers import amount_units
from valueplatform.value.bridge_cells import UNIT, Member, by_name
from valueplatform.value.bridge_division import amount_of, conserved, evaluated
from valueplatform.value.shown import ShownValue

_LAST: Final = Fraction(1, UNIT)


class Slice(ShownValue, frozen=True):
    """The part of one member; `members` are its values by dimension, '' where it carries none. `low` and `high` are
    `expected`, and mean nothing."""

    members: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Rate:
    """What a unit of each meter is worth under one basis: a formula that adds is a sum of these."""

    by_meter: Mapping[str, Fraction]

    def worth(self, readings: Mapping[str, Fraction]) -> Fraction:
        return sum((self.by_meter[name] * value for name, value in readings.items() if name in self.by_meter), _ZERO)


_ZERO: Final = Fraction(0)


def rate_of(formula: str, inputs: Mapping[str, Fraction], meters: Iterable[str]) -> Rate:
    """Of a formula that adds in `meters`; what has no value is worth nothing."""
    names = list(meters)
    nothing = dict.fromkeys(names, _ZERO)
    return Rate({
        name: evaluated(formula, {**inputs, **nothing, name: Fraction(1)}) or _ZERO for name in names
    })  # fmt: skip


def weights(
    amounts: Sequence[tuple[Decimal, Rate]], readings: Mapping[Member, Mapping[str, Fraction]], nobody: Member
) -> dict[Member, Fraction]:
    """What each member has of amounts of one day, before rounding. `nobody` is the member that carries no value."""
    found: dict[Member, Fraction] = {}
    for amount, rate in amounts:
        worths = {member: rate.worth(read) for member, read in readings.items()}
        whole, shown = sum(worths.values(), _ZERO), Fraction(amount)
        share = _share(shown, whole)
        for member, worth in worths.items():
            found[member] = found.get(member, _ZERO) + worth * share
        rest = shown - whole * share
        if abs(rest) > _LAST:
            found[nobody] = found.get(nobody, _ZERO) + rest
    return found or {nobody: _ZERO}


def _share(shown: Fraction, whole: Fraction) -> Fraction:
    """The part of what readings are worth that is shown: all of it, but for a cap or an adjustment."""
    sign = 1 if shown * whole >= 0 else -1
    if abs(abs(shown) - abs(whole)) <= _LAST or abs(shown) > abs(whole):
        return Fraction(sign)
    return shown / whole


def sliced(
    parts: Iterable[ShownValue], whole: Decimal, weighed: Mapping[Member, Fraction], dimensions: Sequence[str]
) -> list[Slice]:
    """The parts of an amount (the parties of a joint one, else the whole) over its members."""
    members = sorted(weighed, key=by_name)
    found = []
    for part in parts:
        ratio = Fraction(part.expected) / Fraction(whole) if whole else _ZERO
        exact = [weighed[member] if part.expected == whole else weighed[member] * ratio for member in members]
        for member, units in zip(members, conserved(exact, amount_units(part.expected)), strict=True):
            if units or len(members) == 1:
                found.append(_slice(part, amount_of(units), dict(zip(dimensions, member, strict=True))))
    return found


def _slice(part: ShownValue, amount: Decimal, members: Mapping[str, str | None]) -> Slice:
    own = msgspec.structs.asdict(part) | {"low": amount, "expected": amount, "high": amount}
    return Slice(**own, members={name: value or "" for name, value in members.items()})
