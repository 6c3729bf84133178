"""Numbers drawn around a mean, and emitted exactly: counts as int, quantities as Decimal."""

import random
from decimal import Decimal


def seeded(*words: object) -> random.Random:
    """A source of chance that is the same for the same words."""
    return random.Random("/".join(map(str, words)))  # noqa: S311 - a sample must be repeatable; nothing here is secret


def near(rng: random.Random, mean: float, spread: float) -> int:
    """A count near the mean: `spread` is the relative noise; the fraction is rounded by chance, so sums keep."""
    if mean <= 0:
        return 0
    drawn = max(0.0, mean * (1 + rng.gauss(0, spread)))
    whole = int(drawn)
    return whole + (rng.random() < drawn - whole)


def exact(value: float, places: int) -> Decimal:
    """The number with that many places after the point, as an exact decimal."""
    return Decimal(round(value * 10**places)).scaleb(-places)


def dealt(rng: random.Random, means: list[float]) -> list[int]:
    """Counts whose sum is the sum of the means but for less than one: each is rounded with what was left before it."""
    found, reached, phase = [], 0.0, rng.random()
    for mean in means:
        before, reached = int(reached + phase), reached + max(0.0, mean)
        found.append(int(reached + phase) - before)
    return found
