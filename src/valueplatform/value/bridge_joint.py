"""Joint drivers in a bridge by provider: each party's days, with its agreed share as one more input of the formula.

So the parts of a party tell what its share did, as they tell what any assumption did, and those of all parties add up
to the whole. Amounts are cut as the value read cuts them; a party is there in both periods or in none, since a share
that began is no new value.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Final

import msgspec

from valueplatform.value.bridge_cells import SHARE, Line
from valueplatform.value.model import JOINT, SUPPLIER
from valueplatform.value.splits import Split, cut_amount, shares_on

SHARE_READ: Final = "_agreed_share"
"""As the formula reads it; no name of a model begins so."""


class PartyDay(msgspec.Struct, frozen=True):
    """What a party has of one day's amount."""

    party: str
    share: Fraction
    expected: Decimal
    uncapped: Decimal


def divided(splits: Iterable[Split]) -> dict[str, list[Split]]:
    """The lines of every driver that was ever shared."""
    found: dict[str, list[Split]] = {}
    for one in splits:
        if one.since is not None:
            found.setdefault(one.driver, []).append(one)
    return found


def days_of_parties(expected: Decimal, uncapped: Decimal, earned: date, lines: Sequence[Split]) -> list[PartyDay]:
    """Every party that may ever have a part; those without one on that day have a share of nothing."""
    shares, supplier = shares_on(earned, lines)
    cut, free = cut_amount(expected, shares, supplier), cut_amount(uncapped, shares, supplier)
    held = {**shares, SUPPLIER: supplier, JOINT: 1 - supplier - sum(shares.values(), Fraction(0))}
    zero = Decimal(0)
    return [
        PartyDay(party, held.get(party, Fraction(0)), cut.get(party, zero), free.get(party, zero))
        for party in sorted({one.provider for one in lines} | {SUPPLIER, JOINT})
    ]


def shared_formula(formula: str) -> str:
    return f"({formula}) * {SHARE_READ}"


def is_nothing(line: Line) -> bool:
    """Whether a party has no part of the driver in either period."""
    return not (line.before or line.after or line.parts)


def told_as_share(line: Line) -> Line:
    """The line with the share under the name by which it is told."""
    if not line.inputs and not any(part.subject == SHARE_READ for part in line.parts):
        return line
    inputs = {SHARE if name == SHARE_READ else name: pair for name, pair in (line.inputs or {}).items()}
    parts = tuple(replace(part, subject=SHARE) if part.subject == SHARE_READ else part for part in line.parts)
    return replace(line, inputs=inputs, parts=parts)
