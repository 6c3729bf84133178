"""How much an insight matters: materiality times surprise, each in [0, 1]. Relevance for a reader comes at
composition."""

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from valueplatform.narrative.facts import AccountFacts, once
from valueplatform.narrative.figures import committed, realized
from valueplatform.narrative.insight import Insight
from valueplatform.narrative.windows import commitment_windows, story_window

FALSE_DISCOVERY_RATE: Final = 0.01


@dataclass(frozen=True, slots=True)
class Candidate:
    """Insights that hold only if a test says so: they stand or fall together, by their p-value among all tests.

    A test whose change is too small to tell has none, and still counts among the tests.
    """

    insights: tuple[Insight, ...]
    p_value: float


def may_hold(p_value: float) -> bool:
    """Whether a test can hold among any number of tests: if not, its insight need not be made."""
    return p_value <= FALSE_DISCOVERY_RATE


def importance(facts: AccountFacts, amount: Fraction, surprise: float) -> float:
    """`amount` is money; the square root keeps small drivers in sight of large ones."""
    scale = _scale(facts)
    share = min(1.0, abs(float(amount)) / float(scale)) if scale else 1.0
    return round(math.sqrt(share) * surprise, 4)


@once
def _scale(facts: AccountFacts) -> Fraction:
    """The size of the account's story: realized in any state, or committed, to date, whichever is more."""
    window = story_window(facts).to_date
    whole = realized(facts, window, facts.money_drivers, counted=False).value
    planned = sum(
        (
            committed(facts, period, (driver,)).value
            for driver, period in commitment_windows(facts).items()
            if driver in facts.money_drivers
        ),
        Fraction(0),
    )
    return max(abs(whole), abs(planned))
