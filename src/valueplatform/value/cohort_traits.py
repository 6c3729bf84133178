"""Whether what cohorts are made by, segment and scale, goes with what their accounts realize: tested as the ideal
customer profile tests every attribute (`traits`), over the accounts that are compared. Pure.

An account's value is the sum of its money drivers, those that it had an amount of in every month, in its currency.
Strategic value is in no sum (value rule 4); an account with amounts in two currencies is left out.
"""

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from typing import Final

import msgspec

from valueplatform.value.basis import is_currency
from valueplatform.value.benchmark import Member
from valueplatform.value.traits import Subject, Trait, Value, comparable, kinds_of, traits_of

SEGMENT: Final = "segment"
STRATEGIC: Final = "strategic"


class Told(msgspec.Struct, frozen=True):
    """An attribute of `accounts` that were compared. `strength` is the rank correlation of a number (-1 to 1), or the
    share of the variance of ranks between the groups of a choice (0 to 1); `holds` at a false discovery rate of 5 %
    among those told."""

    attribute: str
    accounts: int
    strength: Decimal
    p_value: Decimal
    holds: bool


def cohort_traits(members: Iterable[Member], scale: str | None) -> tuple[Told, ...]:
    """Of segment and `scale`, those that enough accounts have, by name."""
    subjects = comparable(_subjects(members, scale))
    kinds, _ = kinds_of(subjects)
    return tuple(sorted(map(_told, traits_of(subjects, kinds)), key=lambda one: one.attribute))


def _subjects(members: Iterable[Member], scale: str | None) -> list[Subject]:
    totals: defaultdict[int, defaultdict[str, Fraction]] = defaultdict(lambda: defaultdict(Fraction))
    attributes: dict[int, dict[str, Value]] = {}
    for one in members:
        if is_currency(one.unit) and one.benefit_class != STRATEGIC:
            totals[one.account_id][one.unit] += Fraction(one.total)
            given: dict[str, Value | None] = {SEGMENT: one.segment, scale or "": one.scale}
            attributes[one.account_id] = {name: value for name, value in given.items() if name and value is not None}
    return [
        Subject(account_id, unit, total, attributes[account_id])
        for account_id, by_unit in totals.items()
        for unit, total in by_unit.items()
        if len(by_unit) == 1
    ]


def _told(trait: Trait) -> Told:
    return Told(
        attribute=trait.name,
        accounts=trait.accounts,
        strength=Decimal(format(trait.strength, ".3f")),
        p_value=Decimal(format(trait.p_value, ".6f")),
        holds=trait.holds,
    )
