"""Which attributes of accounts go with realized value, and how well an account fits. Pure; floats never become amounts.

**What is explained.** An account's place by realized value among the accounts of its currency: the share of the others
that realize less, ties half. No amount is converted, and a few outsized accounts weigh no more than others.

**Attributes.** A number is ranked; its association is Spearman's (1904) rank correlation, with the normal approximation
for large samples (Hollander and Wolfe 1999, 8.5). A choice is compared by Kruskal and Wallis (1952), its chi-square by
Wilson and Hilferty's (1931) cube root. Told are those that hold at a false discovery rate of 5 % among all that were
compared (Benjamini and Hochberg 1995). Minimum: 20 accounts that have the attribute. What tells accounts apart one by
one (more than a fifth of them has a value of its own) is a name, and left out.

**Fit.** A ridge regression (Hoerl and Kennard 1970; penalty by leave-one-out) on the attributes that hold. How much of
the places it explains is measured on accounts that it was not made from, in five parts; below 5 % no fit is told. An
account's fit is the share of accounts whose predicted place is lower; its reasons are the model's own terms.

Going together is no cause: a profile says where value was found, not why.
"""

import math
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import RidgeCV

from valueplatform.narrative.significance import discoveries
from valueplatform.value.cohorts import COHORT
from valueplatform.value.significance import ranks

MINIMUM_ACCOUNTS: Final = 20
MOST_NAMES: Final = Fraction(1, 5)
"""Of the accounts: more different texts than this tell accounts apart one by one."""
FALSE_CLAIMS: Final = 0.05
WORTH_TELLING: Final = 0.05
"""Share of the variance of places, on accounts unseen."""
PARTS: Final = 5
PENALTIES: Final = tuple(10.0**power for power in range(-1, 5))

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


@dataclass(frozen=True, slots=True)
class Term:
    """One column of the model: a standardized number (`choice` None), or whether a choice is `choice`."""

    name: str
    choice: str | None
    center: float
    spread: float
    weight: float

    def reads(self, attributes: Mapping[str, Value]) -> float:
        """Standardized; 0, the usual, where the account does not say."""
        given = attributes.get(self.name)
        if given is None:
            return 0.0
        if self.choice is None:
            return (_logged(given) - self.center) / self.spread if isinstance(given, Decimal) else 0.0
        return (float(str(given) == self.choice) - self.center) / self.spread


@dataclass(frozen=True, slots=True)
class Reason:
    """What an attribute adds to an account's predicted place, in percentage points; None = not known of it."""

    name: str
    points: float | None


@dataclass(frozen=True, slots=True)
class Profile:
    """`skill` is the share of the variance of places that is explained on accounts unseen; without it, or below what is
    worth telling, there are no terms and no fit. `predicted` are the accounts' predicted places, in order."""

    accounts: int
    traits: tuple[Trait, ...]
    left_out: tuple[str, ...]
    skill: float | None
    terms: tuple[Term, ...] = ()
    predicted: tuple[float, ...] = ()

    def fit(self, attributes: Mapping[str, Value]) -> Decimal | None:
        """0 to 100: of the compared accounts, the percentage that is predicted to realize less; None without a
        model, or where nothing that it asks for is known."""
        if not self.terms or all(term.name not in attributes for term in self.terms):
            return None
        at = _predicted(self.terms, attributes)
        below, above = bisect_left(self.predicted, at - 1e-12), bisect_right(self.predicted, at + 1e-12)
        share = Fraction(below + above, 2 * len(self.predicted))
        return Decimal(round(share * 100))

    def reasons(self, attributes: Mapping[str, Value]) -> tuple[Reason, ...]:
        """One an attribute of the model, the weightiest first, what is not known last."""
        found: defaultdict[str, float] = defaultdict(float)
        for term in self.terms:
            found[term.name] += 100 * term.weight * term.reads(attributes)
        reasons = [Reason(name, points if name in attributes else None) for name, points in found.items()]
        return tuple(sorted(reasons, key=lambda one: (one.points is None, -abs(one.points or 0), one.name)))


def profile(subjects: Sequence[Subject]) -> Profile:
    """The observed profile of accounts with value."""
    compared = _comparable(subjects)
    kinds, left_out = _kinds(compared)
    traits = _traits(compared, kinds)
    skill = _skill(compared, kinds)
    names = [trait.name for trait in traits if trait.holds]
    if skill is None or skill < WORTH_TELLING or not names:
        return Profile(len(compared), traits, left_out, skill)
    terms = _terms(compared, {name: kinds[name] for name in names})
    predicted = sorted(_predicted(terms, subject.attributes) for subject in compared)
    return Profile(len(compared), traits, left_out, skill, terms, tuple(predicted))


def _comparable(subjects: Iterable[Subject]) -> list[Subject]:
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


def _kinds(subjects: Sequence[Subject]) -> tuple[dict[str, Kind], tuple[str, ...]]:
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


def _traits(subjects: Sequence[Subject], kinds: Mapping[str, Kind]) -> tuple[Trait, ...]:
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


def _skill(subjects: Sequence[Subject], kinds: Mapping[str, Kind]) -> float | None:
    """Attributes are chosen anew in each part, from the accounts that the model is made from."""
    if len(subjects) < MINIMUM_ACCOUNTS or not kinds:
        return None
    at = places(subjects)
    left = total = 0.0
    for part in range(PARTS):
        inside = [one for number, one in enumerate(subjects) if number % PARTS != part]
        held = [trait.name for trait in _traits(inside, kinds) if trait.holds]
        terms = _terms(inside, {name: kinds[name] for name in held}) if held else ()
        for number in range(part, len(subjects), PARTS):
            left += (at[number] - _predicted(terms, subjects[number].attributes)) ** 2
            total += (at[number] - 0.5) ** 2
    return 1 - left / total if total else None


def _terms(subjects: Sequence[Subject], kinds: Mapping[str, Kind]) -> tuple[Term, ...]:
    """Columns that vary, each with its weight."""
    blank = [term for name, kind in kinds.items() for term in _columns(subjects, name, kind)]
    table: NDArray[np.float64] = np.asarray([[term.reads(one.attributes) for term in blank] for one in subjects])
    wanted = np.asarray(places(subjects)) - 0.5
    model = RidgeCV(alphas=PENALTIES, fit_intercept=False).fit(table, wanted)
    return tuple(
        Term(term.name, term.choice, term.center, term.spread, float(weight))
        for term, weight in zip(blank, model.coef_, strict=True)
    )


def _columns(subjects: Sequence[Subject], name: str, kind: Kind) -> list[Term]:
    given = [one.attributes[name] for one in subjects if name in one.attributes]
    if kind is Kind.NUMBER:
        return _column(name, None, [_logged(value) for value in given])
    choices = sorted({str(value) for value in given})
    return [term for choice in choices for term in _column(name, choice, [float(str(v) == choice) for v in given])]


def _column(name: str, choice: str | None, values: Sequence[float]) -> list[Term]:
    spread = float(np.std(values))
    return [Term(name, choice, float(np.mean(values)), spread, 0.0)] if spread > 0 else []


def _predicted(terms: Iterable[Term], attributes: Mapping[str, Value]) -> float:
    return 0.5 + sum(term.weight * term.reads(attributes) for term in terms)


def _logged(value: Value) -> float:
    """Sizes differ by factors; what is below zero keeps its sign."""
    number = float(value)
    return math.copysign(math.log1p(abs(number)), number)


def thirds(subjects: Sequence[Subject], name: str) -> tuple[tuple[Decimal | None, Decimal | None, list[Subject]], ...]:
    """Accounts by a number: the lowest third, the middle and the highest, each with its bounds (above, up to); equal
    numbers stand together."""
    known = [(value, one) for one in subjects if isinstance(value := one.attributes.get(name), Decimal)]
    ordered = sorted(value for value, _ in known)
    cuts = [ordered[len(ordered) * third // 3] for third in (1, 2)] if ordered else []
    bounds: list[Decimal | None] = [None, *cuts, None]
    return tuple(
        (low, high, [one for value, one in known if (low is None or value > low) and (high is None or value <= high)])
        for low, high in pairwise(bounds)
    )
