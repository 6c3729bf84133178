"""Which attributes of accounts go with realized value, and how well an account fits. Pure; floats never become amounts.

What is explained, and which attributes go with it: `value.traits`.

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
from fractions import Fraction
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import RidgeCV

from valueplatform.value.traits import (
    MINIMUM_ACCOUNTS,
    Kind,
    Subject,
    Trait,
    Value,
    comparable,
    kinds_of,
    places,
    traits_of,
)

WORTH_TELLING: Final = 0.05
"""Share of the variance of places, on accounts unseen."""
PARTS: Final = 5
PENALTIES: Final = tuple(10.0**power for power in range(-1, 5))


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
    compared = comparable(subjects)
    kinds, left_out = kinds_of(compared)
    traits = traits_of(compared, kinds)
    skill = _skill(compared, kinds)
    names = [trait.name for trait in traits if trait.holds]
    if skill is None or skill < WORTH_TELLING or not names:
        return Profile(len(compared), traits, left_out, skill)
    terms = _terms(compared, {name: kinds[name] for name in names})
    predicted = sorted(_predicted(terms, subject.attributes) for subject in compared)
    return Profile(len(compared), traits, left_out, skill, terms, tuple(predicted))


def _skill(subjects: Sequence[Subject], kinds: Mapping[str, Kind]) -> float | None:
    """Attributes are chosen anew in each part, from the accounts that the model is made from."""
    if len(subjects) < MINIMUM_ACCOUNTS or not kinds:
        return None
    at = places(subjects)
    left = total = 0.0
    for part in range(PARTS):
        inside = [one for number, one in enumerate(subjects) if number % PARTS != part]
        held = [trait.name for trait in traits_of(inside, kinds) if trait.holds]
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
