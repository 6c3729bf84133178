"""Disruption: an episode that cost the customer (value rules 7 and 8).

Statistic: days on which a driver took value away, those with less than four days between them as one episode. Told is
the costliest episode of a driver whose value to date is negative, where it makes at least four fifths of that and ended
within the last 90 days; a cost that goes on all the time is a detractor, and told as one. Minimum data: an episode of
at most 31 days in a story window at least three times as long. No test: the days are on record, nothing is inferred.
"""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise
from typing import Final

from valueplatform.core.periods import ONE_DAY, Period
from valueplatform.narrative.facts import AccountFacts
from valueplatform.narrative.figures import days, number, realized, standing_of
from valueplatform.narrative.insight import Insight
from valueplatform.narrative.insights.standing import strength_of
from valueplatform.narrative.insights.weight import importance
from valueplatform.narrative.windows import StoryWindow, story_window

APART: Final = 4
LONGEST: Final = 31
TIMES_AS_LONG: Final = 3
MOST_OF_IT: Final = Fraction(4, 5)
LATELY: Final = timedelta(days=90)


def disruptions(facts: AccountFacts) -> list[Insight]:
    window = story_window(facts)
    return [found for driver in facts.money_drivers for found in _costliest(facts, window, driver)]


def _costliest(facts: AccountFacts, window: StoryWindow, driver: str) -> Iterator[Insight]:
    span = window.to_date
    counted = facts.ledger.has_rows(span.start, span.end, unit=facts.currency, drivers=(driver,))
    whole = realized(facts, span, (driver,), counted=counted)
    values = facts.ledger.by_day(facts.currency, (driver,), counted=counted)
    taken = [day for day, value in values.items() if value < 0 and day in span]
    if whole.value >= 0 or not taken:
        return
    episodes = _episodes(taken)
    worst = min(episodes, key=lambda period: (realized(facts, period, (driver,), counted=counted).value, period.start))
    cost = realized(facts, worst, (driver,), counted=counted)
    is_short = worst.days <= LONGEST and span.days >= TIMES_AS_LONG * worst.days
    if not is_short or cost.value > whole.value * MOST_OF_IT or worst.end < facts.today - LATELY:
        return
    yield Insight(
        kind="disruption",
        subject=driver,
        period_from=worst.start,
        period_to=worst.end,
        numbers=(
            number("cost", cost, facts.currency, standing_of(facts, worst, (driver,), counted=counted)),
            number("days", days(worst), "day"),
            number("whole", whole, facts.currency, standing_of(facts, span, (driver,), counted=counted)),
        ),
        strength=strength_of(facts, driver),
        importance=importance(facts, cost.value, 0.95),
        terms={
            "driver_name": facts.driver(driver).title,
            "first_day": worst.start.isoformat(),
            "last_day": (worst.end - ONE_DAY).isoformat(),
            "length": "day" if worst.days == 1 else "days",
            "certainty": "counted" if counted else "estimated",
        },
        drivers=(driver,),
        favorable=False,
        anchor=f"episode {worst.start}",
    )


def _episodes(taken: Sequence[date]) -> list[Period]:
    """Days in order, joined where fewer than four days lie between two of them."""
    starts = [taken[0], *(later for earlier, later in pairwise(taken) if (later - earlier).days > APART)]
    ends = [*(earlier for earlier, later in pairwise(taken) if (later - earlier).days > APART), taken[-1]]
    return [Period(start, end + ONE_DAY) for start, end in zip(starts, ends, strict=True)]
