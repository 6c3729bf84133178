"""Which attributes of accounts go with realized value. Pure; floats never become amounts.

**What is explained.** An account's place by realized value among the accounts of its currency: the share of the others
that realize less, ties half. No amount is converted, and a few outsized accounts weigh no more than others.

**Attributes.** A number is ranked; its association is Spearman's (1904) rank correlation, with the normal approximation
for large samples (Hollander and Wolfe 1999, 8.5). A choice is compared by Kruskal and Wallis (1952), its chi-square by
Wilson and Hilferty's (1931) cube root. Told are those that hold at a false discovery rate of 5 % among all that were
compared (Benjamini and Hochberg 1995). Minimum: 20 accounts that have the attribute. What tells accounts apart one by
one (more than a fifth of them has a value of its own) is a name, and left out.

Going together is no cause.
"""

import math
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Final

import numpy as np

from valueplatform.value.cohorts import COHORT
from valueplatform.value.significance import discoveries, ranks

MINIMUM_ACCOUNTS: Final = 20
MOST_NAMES: Final = Fraction(1, 5)
"""Of the accounts: more different texts than this tell accounts apart one by one."""
FALSE_CLAIMS: Final = 0.05

Value = Decimal | str


class Kind(StrEnum):
    NUMBER = "number"
    CHOICE = "choice"


@dataclass(frozen=True, slots=True)
class Subject:
    """An account: what it realized a month in `currency`, and its attributes."""

    account_id: int
    currency: str
    value: Fraction
    attributes: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Trait:
    """An attribute that was compared. `strength` is the rank correlation of a number (-1 to 1), or the share of the
    variance of ranks between the groups of a choice (0 to 1)."""

    name: str
    kind: Kind
    accounts: int
    strength: float
    p_value: float
    holds: bool


def comparable(subjects: Iterable[Subject]) -> list[Subject]:
    """In a set order, those of a currency that five accounts have."""
    by_currency: defaultdict[str, list[Subject]] = defaultdict(list)
    for subject in subjects:
        by_currency[subject.currency].append(subject)
    kept = [one for group in by_currency.values() if len(group) >= COHORT for one in group]
    return sorted(kept, key=lambda one: one.account_id)


def places(subjects: Sequence[Subject]) -> list[float]:
    """Of each, the share of the others of its currency that realize less, ties half."""
    ordered: defaultdict[str, list[Fraction]] = defaultdict(list)
    for subject in subjects:
        ordered[subject.currency].append(subject.value)
    for values in ordered.values():
        values.sort()
    return [_place(ordered[one.currency], one.value) for one in subjects]


def _place(ordered: Sequence[Fraction], value: Fraction) -> float:
    below, above = bisect_left(ordered, value), bisect_right(ordered, value)
    return (below + (above - below - 1) / 2) / (len(ordered) - 1)


def kinds_of(subjects: Sequence[Subject]) -> tuple[dict[str, Kind], tuple[str, ...]]:
    """The attributes that may be compared, and those that are names, too rare, or the same everywhere."""
    given: defaultdict[str, list[Value]] = defaultdict(list)
    for subject in subjects:
        for name, value in subject.attributes.items():
            given[name].append(value)
    kinds: dict[str, Kind] = {}
    for name, values in sorted(given.items()):
        kind = Kind.NUMBER if all(isinstance(value, Decimal) for value in values) else Kind.CHOICE
        different = len({str(value) for value in values})
        is_name = kind is Kind.CHOICE and different > len(values) * MOST_NAMES
        if len(values) >= MINIMUM_ACCOUNTS and different > 1 and not is_name:
            kinds[name] = kind
    return kinds, tuple(sorted(given.keys() - kinds.keys()))


def traits_of(subjects: Sequence[Subject], kinds: Mapping[str, Kind]) -> tuple[Trait, ...]:
    at = places(subjects)
    found = []
    for name, kind in kinds.items():
        pairs = [
            (one.attributes[name], place) for one, place in zip(subjects, at, strict=True) if name in one.attributes
        ]
        strength, p_value = _rank_correlation(pairs) if kind is Kind.NUMBER else _between_groups(pairs)
        found.append(Trait(name, kind, len(pairs), strength, p_value, holds=False))
    kept = discoveries([trait.p_value for trait in found], FALSE_CLAIMS)
    told = [
        Trait(t.name, t.kind, t.accounts, t.strength, t.p_value, holds) for t, holds in zip(found, kept, strict=True)
    ]
    return tuple(sorted(told, key=lambda trait: (not trait.holds, trait.p_value, trait.name)))


def _rank_correlation(pairs: Sequence[tuple[Value, float]]) -> tuple[float, float]:
    first = ranks([float(value) for value, _ in pairs])
    second = ranks([place for _, place in pairs])
    if len(set(first)) < 2 or len(set(second)) < 2:
        return 0.0, 1.0
    rho = float(np.corrcoef(first, second)[0, 1])
    return rho, math.erfc(abs(rho) * math.sqrt(len(pairs) - 1) / math.sqrt(2))


def _between_groups(pairs: Sequence[tuple[Value, float]]) -> tuple[float, float]:
    ranked = ranks([place for _, place in pairs])
    groups: defaultdict[str, list[float]] = defaultdict(list)
    for (value, _), rank in zip(pairs, ranked, strict=True):
        groups[str(value)].append(rank)
    count, mean = len(ranked), sum(ranked) / len(ranked)
    variance = sum((rank - mean) ** 2 for rank in ranked)
    if len(groups) < 2 or not variance:
        return 0.0, 1.0
    between = sum(len(own) * (sum(own) / len(own) - mean) ** 2 for own in groups.values()) / variance
    return between, _chi_square_tail((count - 1) * between, len(groups) - 1)


def _chi_square_tail(value: float, degrees: int) -> float:
    spread = 2 / (9 * degrees)
    return math.erfc(((value / degrees) ** (1 / 3) - (1 - spread)) / math.sqrt(2 * spread)) / 2
