"""Units of formulas: what a driver's formula gives must be what the driver is measured in.

A unit is written like `minute/job`, `USD/hour` or `USD/USD/year`. Words are units of their own, in the singular or the
plural; lengths of time turn into each other, and so a formula that gives minutes times dollars an hour must divide by
60 to be in dollars. Where a meter, a baseline or an assumption says no unit, nothing is claimed of what it enters.
"""

import re
from collections.abc import Iterator, Mapping
from fractions import Fraction
from functools import reduce
from itertools import combinations
from math import prod
from typing import Final

import msgspec

from valueplatform.value.formula_tree import (
    Arithmetic,
    Choice,
    Comparison,
    Condition,
    Connected,
    Denied,
    Extreme,
    Name,
    Negative,
    Number,
    Term,
    canonical_text,
)

_TIME: Final = "time"
_DAY: Final = 86_400
_SECONDS: Final[Mapping[str, int]] = {
    **dict.fromkeys(("second", "sec", "s"), 1),
    **dict.fromkeys(("minute", "min"), 60),
    **dict.fromkeys(("hour", "hr", "h"), 3600),
    **dict.fromkeys(("day", "d"), _DAY),
    **dict.fromkeys(("week", "wk"), 7 * _DAY),
    "month": _DAY * 1461 // 48,
    "quarter": _DAY * 1461 // 16,
    **dict.fromkeys(("year", "yr"), _DAY * 1461 // 4),
}
_PURE: Final = frozenset({"1", "ratio", "share", "fraction", "rate", "probability", "factor", "multiple"})
_PERCENT: Final = frozenset({"%", "percent"})
_WORD: Final = re.compile(r"[^\W\d_][\w -]*|%|1")
_TOLERANCE: Final = Fraction(2, 100)
"""Years of 360, 365 or 365.25 days, and months of 30, are all the same to the eye that looks for a forgotten 60."""
_MOST_LITERALS: Final = 8


class UnitError(Exception):
    """Units that do not go together; `message` says which."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Unit(msgspec.Struct, frozen=True):
    """`powers` of base units, sorted; `scale` is how many of the base units one is (a minute is 60 seconds).

    `literals` are the numbers that were multiplied to it, any of which may have been there to convert.
    """

    powers: tuple[tuple[str, int], ...] = ()
    scale: Fraction = Fraction(1)
    literals: tuple[Fraction, ...] = ()

    @property
    def text(self) -> str:
        above = [_power(name, power) for name, power in self.powers if power > 0]
        below = [_power(name, -power) for name, power in self.powers if power < 0]
        return "/".join(["·".join(above) or "1", *below])


_Read = Unit | Fraction | None
"""A unit; a plain number, which goes with any; or None: nobody said."""


def parse_unit(text: str) -> Unit | None:
    """None where the text is not a unit that can be read."""
    unit = Unit()
    for number, part in enumerate(re.split(r"\s*/\s*|\s+per\s+", text.strip())):
        for word in re.split(r"\s*[*·]\s*", part):
            one = _word(word)
            if one is None:
                return None
            unit = _times(unit, one, -1 if number else 1)
    return unit


def unit_fault(term: Term, units: Mapping[str, Unit | None], wanted: Unit) -> str | None:
    """What is wrong with the units of a formula, in words; None where nothing is, or nothing can be told."""
    try:
        found = _unit_of(term, units)
    except UnitError as error:
        return error.message
    if not isinstance(found, Unit):
        return None
    if found.powers != wanted.powers:
        return f"the formula gives {found.text}, not {wanted.text}"
    if _converted(found, wanted.scale) is None:
        times = found.scale / wanted.scale
        many, verb = (times, "multiply") if times >= 1 else (1 / times, "divide")
        return f"the formula needs a conversion: {verb} by {_number(many)} to have {wanted.text}"
    return None


def _unit_of(term: Term, units: Mapping[str, Unit | None]) -> _Read:
    match term:
        case Number(numerator, places):
            return Fraction(numerator, 10**places)
        case Name(name):
            return units.get(name)
        case Negative(inner):
            found = _unit_of(inner, units)
            return -found if isinstance(found, Fraction) else found
        case Arithmetic("*" | "/" as sign, left, right):
            return _product(_unit_of(left, units), _unit_of(right, units), 1 if sign == "*" else -1)
        case Arithmetic(sign, left, right):
            sides = _unit_of(left, units), _unit_of(right, units)
            if isinstance(sides[0], Fraction) and isinstance(sides[1], Fraction):
                return sides[0] + sides[1] if sign == "+" else sides[0] - sides[1]
            return _same([left, right], units)
        case Extreme(_, terms):
            return _same(terms, units)
        case Choice(branches, otherwise):
            for test, _ in branches:
                _check(test, units)
            return _same([*(each for _, each in branches), otherwise], units)


def _check(condition: Condition, units: Mapping[str, Unit | None]) -> None:
    match condition:
        case Comparison(_, left, right):
            _same([left, right], units)
        case Connected(_, left, right):
            _check(left, units)
            _check(right, units)
        case Denied(inner):
            _check(inner, units)


def _product(left: _Read, right: _Read, power: int) -> _Read:
    if left is None or right is None:
        return None
    if isinstance(left, Fraction) and isinstance(right, Fraction):
        return left * right**power if right else Fraction(0)
    if isinstance(right, Fraction):
        return _scaled(left, right, power) if isinstance(left, Unit) else None
    if isinstance(left, Fraction):
        return _scaled(_times(Unit(), right, power), left, 1)
    return _times(left, right, power)


def _scaled(unit: Unit, number: Fraction, power: int) -> Unit:
    factor = number**power if number else Fraction(1)
    return msgspec.structs.replace(unit, literals=(*unit.literals, abs(factor))[:_MOST_LITERALS])


def _same(terms: "list[Term] | tuple[Term, ...]", units: Mapping[str, Unit | None]) -> _Read:
    """The unit that terms share which are added, compared or chosen from. Raises UnitError."""
    read = [(term, _unit_of(term, units)) for term in terms]
    known = [(term, unit) for term, unit in read if isinstance(unit, Unit)]
    if not known:
        return None if any(unit is None for _, unit in read) else Fraction(1)
    return None if any(unit is None for _, unit in read) else reduce(_agreed, known)[1]


def _agreed(one: tuple[Term, Unit], other: tuple[Term, Unit]) -> tuple[Term, Unit]:
    (term, unit), (second, its) = one, other
    if unit.powers != its.powers:
        text = f"{canonical_text(term)} is in {unit.text}, {canonical_text(second)} in {its.text}"
        raise UnitError(f"{text}: they do not go together")
    for each in _scales(its):
        converted = _converted(unit, each)
        if converted is not None:
            return term, converted
    raise UnitError(f"{canonical_text(term)} and {canonical_text(second)} are in different units of time")


def _converted(unit: Unit, scale: Fraction) -> Unit | None:
    """The same with some of its literals taken as what converts it to `scale`; None where none of them do."""
    for count in range(len(unit.literals) + 1):
        for chosen in combinations(range(len(unit.literals)), count):
            factor = prod((unit.literals[place] for place in chosen), start=Fraction(1))
            if abs(unit.scale / factor / scale - 1) <= _TOLERANCE:
                left = tuple(each for place, each in enumerate(unit.literals) if place not in chosen)
                return Unit(unit.powers, scale, left)
    return None


def _scales(unit: Unit) -> Iterator[Fraction]:
    """What the unit may stand for, the plainest reading first."""
    for count in range(len(unit.literals) + 1):
        for chosen in combinations(unit.literals, count):
            yield unit.scale / prod(chosen, start=Fraction(1))


def _times(left: Unit, right: Unit, power: int) -> Unit:
    powers = dict(left.powers)
    for name, own in right.powers:
        powers[name] = powers.get(name, 0) + own * power
    kept = tuple(sorted((name, own) for name, own in powers.items() if own))
    literals = (*left.literals, *(literal**power for literal in right.literals))[:_MOST_LITERALS]
    return Unit(kept, left.scale * right.scale**power, literals)


def _word(word: str) -> Unit | None:
    if not _WORD.fullmatch(word):
        return None
    if word in _PERCENT:
        return Unit(scale=Fraction(1, 100))
    name = word if word.isupper() else word.lower()
    for spelling in (name, *_singulars(name)):
        if spelling in _PURE:
            return Unit()
        if spelling in _SECONDS:
            return Unit(((_TIME, 1),), Fraction(_SECONDS[spelling]))
    return Unit((((*_singulars(name), name)[0], 1),))


def _singulars(name: str) -> list[str]:
    if len(name) < 4 or name.isupper() or name.endswith("ss") or not name.endswith("s"):
        return []
    return [f"{name[:-3]}y"] if name.endswith("ies") else [name[:-1]]


def _power(name: str, power: int) -> str:
    return name if power == 1 else f"{name}^{power}"


def _number(value: Fraction) -> str:
    return str(value.numerator) if value.denominator == 1 else f"{float(value):.6g}"
