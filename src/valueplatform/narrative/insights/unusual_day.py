"""Unusual day: a day of the last week that lies outside what its weekday ever brought.

Statistic: `judgment.unusual`, how improbable the day's distance from the median of its own weekday over the eight
weeks before is, its p-value corrected for a year of daily looks; judged among all change tests of the account. Told
with the exact value and that median, where they differ by a quarter of it or more. Minimum data: 112 days, four known
days of the weekday in those eight weeks; what must not be compared is left out (`judged`). The total is told only where
no driver's own day says so already.
"""

from collections.abc import Iterator
from datetime import timedelta
from fractions import Fraction
from statistics import median
from typing import Final

from valueplatform.core.periods import ONE_DAY, Period
from valueplatform.narrative.facts import AccountFacts
from valueplatform.narrative.figures import Figure, minus, number, realized, standing_of, statistic
from valueplatform.narrative.insight import Insight
from valueplatform.narrative.insights.change import confidence
from valueplatform.narrative.insights.judged import days_unlike, judged_series
from valueplatform.narrative.insights.series import WEEK, Series
from valueplatform.narrative.insights.standing import ACCOUNT
from valueplatform.narrative.insights.weight import Candidate, importance, may_hold
from valueplatform.narrative.judgment.unusual import LEAST_HISTORY, WEEKS, Unusual, unusual_days

KIND: Final = "unusual-day"
MATERIAL: Final = Fraction(1, 4)
RECENT: Final = -7


def unusual_values(facts: AccountFacts) -> Iterator[Candidate]:
    found = [_tested(facts, *given) for given in judged_series(facts) if len(given[2]) > LEAST_HISTORY]
    own = {i.terms["unusual_day"] for candidate in found for i in candidate.insights if i.subject != ACCOUNT}
    for candidate in found:
        told = tuple(i for i in candidate.insights if i.subject != ACCOUNT or i.terms["unusual_day"] not in own)
        yield Candidate(told, candidate.p_value)


def _tested(facts: AccountFacts, series: Series, period: Period, values: tuple[float, ...]) -> Candidate:
    """The most unusual day of the last week."""
    most = min(unusual_days(values, RECENT), key=lambda found: found.p_value, default=None)
    if most is None:
        return Candidate((), 1.0)
    told = _told(facts, series, period, most) if may_hold(most.p_value) else None
    return Candidate((told,) if told is not None else (), most.p_value)


def _told(facts: AccountFacts, series: Series, judged: Period, found: Unusual) -> Insight | None:
    day = judged.start + timedelta(days=found.day)
    brought = _of_day(facts, series, Period(day, day + ONE_DAY))
    unlike = {other for driver in series.drivers for other in days_unlike(facts, driver)}
    alike = [day - weeks * WEEK for weeks in range(WEEKS, 0, -1)]
    earlier = [_of_day(facts, series, Period(d, d + ONE_DAY)) for d in alike if d in judged and d not in unlike]
    usual = statistic("median", Fraction(median(figure.value for figure in earlier)), earlier)
    change = minus(brought, usual)
    if abs(change.value) < abs(usual.value) * MATERIAL or (change.value > 0) is not (found.distance > 0):
        return None
    standing = standing_of(facts, Period(alike[0], day + ONE_DAY), series.drivers, counted=series.counted)
    terms = {"unusual_day": day.isoformat(), "weekday": str(day.weekday())}
    terms |= {"direction": "up" if change.value > 0 else "down"}
    terms |= {"certainty": "counted" if series.counted else "estimated"}
    if series.subject != ACCOUNT:
        terms["driver_name"] = facts.driver(series.subject).title
    is_money = series.unit == facts.currency
    return Insight(
        kind=KIND,
        subject=series.subject,
        period_from=day,
        period_to=day + ONE_DAY,
        numbers=tuple(
            number(name, figure, series.unit, standing)
            for name, figure in (("brought", brought), ("usual", usual), ("change", change))
        ),
        strength=confidence(found.p_value),
        importance=importance(facts, change.value * 4, 0.8) if is_money else 0.2,
        terms=terms,
        drivers=series.drivers,
        favorable=change.value > 0,
    )


def _of_day(facts: AccountFacts, series: Series, day: Period) -> Figure:
    return realized(facts, day, series.drivers, counted=series.counted)
