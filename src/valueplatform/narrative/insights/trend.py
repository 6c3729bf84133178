"""Trend: a steady rise or fall over the last half year.

Statistic: Theil-Sen slope (Theil 1950, Sen 1968) of whole weeks, Monday to Sunday, at most the last 26, with the
Mann-Kendall test (Mann 1945, Kendall 1975). Weekly sums take the weekly season out. Told when the slope moves at
least 10 % of the median week over the stretch and the test holds at a false discovery rate of 1 % among all change
tests of the account. Minimum data: 8 weeks since the first value.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from fractions import Fraction
from statistics import median

from valueplatform.core.periods import Period, Window, window_start
from valueplatform.narrative.facts import AccountFacts
from valueplatform.narrative.figures import number, standing_of, statistic
from valueplatform.narrative.insight import Insight
from valueplatform.narrative.insights.change import confidence
from valueplatform.narrative.insights.series import WEEK, Series, series_of, weekly
from valueplatform.narrative.insights.standing import ACCOUNT
from valueplatform.narrative.insights.weight import Candidate, importance, may_hold, over_a_year
from valueplatform.narrative.significance import mann_kendall_p, theil_sen_slope

MOST_WEEKS = 26
LEAST_WEEKS = 8
MATERIAL = Fraction(10, 100)
SLOPE = "theil-sen-slope"


def trends(facts: AccountFacts) -> Iterator[Candidate]:
    end = window_start(facts.today, Window.WEEK)
    for series in series_of(facts, Period(end - MOST_WEEKS * WEEK, end)):
        start = _first_week(facts, series, end)
        weeks = (end - start) // WEEK if start else 0
        if start is not None and weeks >= LEAST_WEEKS:
            yield _trend(facts, series, start, weeks)


def _first_week(facts: AccountFacts, series: Series, end: date) -> date | None:
    """The first whole week that all drivers of the series have behind their first value."""
    firsts = [facts.ledger.first_day(series.unit, (driver,)) for driver in series.drivers]
    known = [first for first in firsts if first is not None]
    if len(known) < len(firsts):
        return None
    monday = window_start(max(known) + timedelta(days=6), Window.WEEK)
    return max(monday, end - MOST_WEEKS * WEEK)


def _trend(facts: AccountFacts, series: Series, start: date, weeks: int) -> Candidate:
    figures = weekly(facts, series, start, weeks)
    values = [figure.value for figure in figures]
    p_value = over_a_year(mann_kendall_p([float(value) for value in values]), "trend")
    slope = theil_sen_slope(values) if may_hold(p_value) else Fraction(0)
    if slope == 0 or abs(slope) * (weeks - 1) < MATERIAL * abs(median(values)):
        return Candidate((), p_value)
    period = Period(start, start + weeks * WEEK)
    figure = statistic(SLOPE, slope, figures)
    terms = {"direction": "up" if slope > 0 else "down", "since_day": start.isoformat()}
    terms |= {"certainty": "counted" if series.counted else "estimated"}
    if series.subject != ACCOUNT:
        terms["driver_name"] = facts.driver(series.subject).title
    money = series.unit == facts.currency
    standing = standing_of(facts, period, series.drivers, counted=series.counted)
    insight = Insight(
        kind="trend",
        subject=series.subject,
        period_from=period.start,
        period_to=period.end,
        numbers=(number("slope", figure, f"{series.unit}/week", standing),),
        strength=confidence(p_value),
        importance=importance(facts, figure.value * weeks, 0.7) if money else 0.25,
        terms=terms,
        drivers=series.drivers,
        favorable=slope > 0,
        anchor=f"trend {'up' if slope > 0 else 'down'}",
    )
    return Candidate((insight,), p_value)
