"""What parties have of joint drivers in a stated number: amounts from raw events, cut as the record says.

Each day's amount is cut; then comes what its postings show otherwise: every posting of a period is cut as it is
shown, and what was posted of the period's own days is taken away again. Where a closed month stands as it was posted,
both are the same.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import date
from fractions import Fraction
from typing import Any

from valueplatform.value import derivation as d
from valueplatform.value.proof import ProvedAmount
from valueplatform.value.split_proof import Lines, cut_anew, is_shared

JOINT = "joint"
_UNITS = 10_000


def is_divided(lines: Lines, driver: str, provider: str) -> bool:
    """Whether an amount is nobody's alone, and parties have ever agreed on shares of it."""
    return provider == JOINT and is_shared(lines, driver)


def joint_value(node: d.Realized, amounts: Iterable[ProvedAmount], postings: Iterable[Any], lines: Lines) -> Fraction:
    """Of joint drivers, what the node's providers have in its period."""
    units = 0
    for amount in amounts:
        value = getattr(amount, node.bound)
        if value is not None and node.start <= amount.day < node.end and _asked(node, amount, lines):
            units += _of(node, int(Fraction(value) * _UNITS), lines, amount.driver, amount.day)
    shown: Counter[tuple[Any, ...]] = Counter()
    own: Counter[tuple[str, date]] = Counter()
    for row in postings:
        if _asked(node, row, lines):
            posted = int(Fraction(getattr(row, node.bound)) * _UNITS)
            if node.start <= row.shown_day < node.end:
                kind = (row.benefit_class, row.evidence, row.state, row.counted)
                shown[row.driver, row.day, row.shown_day, kind] += posted
            if node.start <= row.day < node.end:
                own[row.driver, row.day] += posted
    units += sum(_of(node, posted, lines, driver, day) for (driver, day, _, _), posted in shown.items())
    units -= sum(_of(node, posted, lines, driver, day) for (driver, day), posted in own.items())
    return Fraction(units, _UNITS)


def _asked(node: d.Realized, amount: Any, lines: Lines) -> bool:
    chosen = amount.driver in node.drivers and is_divided(lines, amount.driver, amount.provider)
    return chosen and amount.unit == node.unit and (amount.counted or not node.counted)


def _of(node: d.Realized, units: int, lines: Lines, driver: str, earned: date) -> int:
    parts = cut_anew(units, lines, driver, earned)
    return sum(part for party, part in parts.items() if party in node.providers)
