"""Weekly season: which day of the week brings most, and which least; context for whoever compares days.

Statistic: `judgment.seasonality`, Kruskal and Wallis over the weekdays, told from a p-value of 1 % (corrected for a
year of weekly looks) and a strength of 0.3 on. No change is inferred, so it is no part of the control of false
discoveries: regularities that always hold would loosen it for changes. Told once an account, of its total, else of the
largest driver in money that has one: the medians of the last eight days of either name. Minimum data: eight weeks,
five known days of each weekday.
"""

from datetime import timedelta
from fractions import Fraction
from itertools import islice
from statistics import median
from typing import Final

from valueplatform.core.periods import ONE_DAY, Period
from valueplatform.narrative.facts import AccountFacts
from valueplatform.narrative.figures import Figure, number, realized, standing_of, statistic
from valueplatform.narrative.insight import Insight, Strength
from valueplatform.narrative.insights.judged import days_unlike, judged_series
from valueplatform.narrative.insights.series import Series
from valueplatform.narrative.insights.standing import ACCOUNT
from valueplatform.narrative.judgment.seasonality import LEAST_DAYS, weekly_season

KIND: Final = "weekly-season"
LEAST_STRENGTH: Final = 0.3
LOOKS: Final = 52
SURE: Final = 0.01
LAST: Final = 8


def weekly_seasons(facts: AccountFacts) -> list[Insight]:
    money = [given for given in judged_series(facts) if given[0].unit == facts.currency]
    money.sort(key=lambda given: (given[0].subject != ACCOUNT, -sum(v for v in given[2] if v > 0), given[0].subject))
    found = (insight for given in money if (insight := _told(facts, *given)) is not None)
    return list(islice(found, 1))


def _told(facts: AccountFacts, series: Series, judged: Period, values: tuple[float, ...]) -> Insight | None:
    season = weekly_season(values)
    if season is None or season.p_value * LOOKS > SURE or season.strength < LEAST_STRENGTH or not season.shares:
        return None
    phases = range(len(season.shares))
    high, low = max(phases, key=season.shares.__getitem__), min(phases, key=season.shares.__getitem__)
    best, least = (_usual(facts, series, judged, phase) for phase in (high, low))
    if best is None or least is None or high not in season.high or best[1].value <= least[1].value:
        return None
    span = Period(min(best[0].start, least[0].start), max(best[0].end, least[0].end))
    standing = standing_of(facts, span, series.drivers, counted=series.counted)
    terms = {"high_weekday": _weekday(judged, high), "low_weekday": _weekday(judged, low)}
    terms |= {"certainty": "counted" if series.counted else "estimated"}
    if series.subject != ACCOUNT:
        terms["driver_name"] = facts.driver(series.subject).title
    return Insight(
        kind=KIND,
        subject=series.subject,
        period_from=span.start,
        period_to=span.end,
        numbers=(
            number("high", best[1], series.unit, standing),
            number("low", least[1], series.unit, standing),
        ),
        strength=Strength.STRONG,
        importance=0.1,
        terms=terms,
        drivers=series.drivers,
        anchor="week",
    )


def _usual(facts: AccountFacts, series: Series, judged: Period, phase: int) -> tuple[Period, Figure] | None:
    """The median of the last days of this name, and the days from the first of them to the last."""
    unlike = {day for driver in series.drivers for day in days_unlike(facts, driver)}
    alike = [judged.start + timedelta(days=i) for i in range(phase, judged.days, 7)]
    last = [day for day in alike if day not in unlike][-LAST:]
    if len(last) < LEAST_DAYS:
        return None
    figures = [realized(facts, Period(day, day + ONE_DAY), series.drivers, counted=series.counted) for day in last]
    usual = statistic("median", Fraction(median(figure.value for figure in figures)), figures)
    return Period(last[0], last[-1] + ONE_DAY), usual


def _weekday(judged: Period, phase: int) -> str:
    return str((judged.start + timedelta(days=phase)).weekday())
