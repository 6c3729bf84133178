"""How much an insight matters: materiality times surprise, each in [0, 1]. Relevance for a reader comes at
composition."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from valueplatform.narrative.facts import AccountFacts, once
from valueplatform.narrative.figures import committed, realized
from valueplatform.narrative.insight import Insight
from valueplatform.narrative.windows import commitment_windows, story_window

FALSE_DISCOVERY_RATE: Final = 0.01
LOOKS_A_YEAR: Final[Mapping[str, int]] = {
    "period-over-period": 12,
    "month-so-far": 72,
    "record-month": 12,
    "trend": 52,
    "unusual-record": 52,
    "mix-shift": 52,
    "correlated-drivers": 52,
    "streak": 26,
}
"""How often a year each test is looked at anew. A story is told every day, and one that holds on any of them is told:
what is new once a month is looked at 12 times, what is new once a week 52 times. A run of weeks has to begin with a
change of side, which half of all weeks are. A running month is looked at each day from the tenth on, on days that it
shares with the days before: as often as six times anew (Siegmund 1985, ch. 4: while a sample grows from n to 3n it
crosses z = 4 standard deviations 1 + z^2 ln(3) / 4 times as likely as in one look). `judgment` counts its own looks."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """Insights that hold only if a test says so: they stand or fall together, by their p-value among all tests.

    A test whose change is too small to tell has none, and still counts among the tests.
    """

    insights: tuple[Insight, ...]
    p_value: float


def over_a_year(p_value: float, kind: str) -> float:
    """The p-value of a test that is looked at all year (Bonferroni): in noise it falls below q within a year with
    probability q at most, so the control of one day's tests is one of the year's (decision 0039)."""
    return min(1.0, p_value * LOOKS_A_YEAR[kind])


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
