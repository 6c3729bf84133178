"""The course of realized value against what was committed, month by month, for the chart."""

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal

from valueplatform.core.periods import ONE_DAY, Period, months_between, next_month
from valueplatform.narrative.document import SeriesPoint
from valueplatform.narrative.facts import AccountFacts, once
from valueplatform.narrative.figures import committed, decimal, realized
from valueplatform.narrative.windows import story_window
from valueplatform.value.derivation import Bound


def series(facts: AccountFacts, period: Period, planned: tuple[str, ...], *, counted: bool) -> tuple[SeriesPoint, ...]:
    """Cumulative value from the day before the period to the last month with a target in the story window.

    The first point is zero on both sides; each other one is the end of a month, or today. Committed value is of the
    drivers `planned`, realized value of every driver of a total.
    """
    points = [SeriesPoint(period.start - ONE_DAY, Decimal(0), *_nothing(planned))]
    for end in _ends(facts, period, planned):
        span = Period(period.start, end)
        past = end <= facts.tomorrow
        value = realized(facts, span, facts.money_drivers, counted=counted).value if past else None
        points.append(
            SeriesPoint(
                end=end - ONE_DAY,
                realized=None if value is None else decimal(value),
                low=_planned(facts, span, planned, Bound.LOW),
                expected=_planned(facts, span, planned, Bound.EXPECTED),
                high=_planned(facts, span, planned, Bound.HIGH),
            )
        )
    return tuple(points)


def _nothing(planned: Sequence[str]) -> tuple[Decimal | None, Decimal | None, Decimal | None]:
    zero = Decimal(0) if planned else None
    return zero, zero, zero


@once
def _planned(facts: AccountFacts, span: Period, planned: tuple[str, ...], bound: Bound) -> Decimal | None:
    return decimal(committed(facts, span, planned, bound).value) if planned else None


def _ends(facts: AccountFacts, period: Period, planned: Sequence[str]) -> Iterator[date]:
    """Ends (exclusive) of months, with today's among them."""
    horizon = max([period.end, *(next_month(target.month) for target in facts.targets if target.driver in planned)])
    last = min(horizon, max(story_window(facts).end, period.end))
    ends = {min(month.end, last) for month in months_between(period.start, last)} | {period.end}
    yield from sorted(end for end in ends if end > period.start)
