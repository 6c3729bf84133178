"""Unusual record: a best week that stands out from all before it.

Statistic: how far the last whole week, Monday to Sunday, lies above the mean of up to 52 weeks before it, in their
standard deviations; tested as one new observation against a sample (Sokal and Rohlf 1995, section 9.6; Student's t with
n - 1 degrees of freedom), two-sided, of the values and of their logarithms whichever says less, and judged among all
change tests of the account. Growth widens the sample, so a series that grows steadily makes no unusual record. Told
when it is also the best week of all of them, by at least 10 %. Minimum data: 26 earlier weeks since the first value,
and no adjustments shown in any of them.
"""

import math
from collections.abc import Iterator, Sequence
from datetime import timedelta
from fractions import Fraction
from typing import Final

from valueplatform.core.periods import Period, Window, window_start
from valueplatform.narrative.facts import AccountFacts
from valueplatform.narrative.figures import minus, number, standing_of, tally
from valueplatform.narrative.insight import Insight
from valueplatform.narrative.insights.change import confidence
from valueplatform.narrative.insights.series import WEEK, Series, adjusted_in, series_of, weekly
from valueplatform.narrative.insights.standing import ACCOUNT
from valueplatform.narrative.insights.weight import Candidate, importance, may_hold, over_a_year
from valueplatform.narrative.significance import new_observation_p

MOST_EARLIER: Final = 52
LEAST_EARLIER: Final = 26
MARGIN: Final = Fraction(10, 100)


def unusual_records(facts: AccountFacts) -> Iterator[Candidate]:
    end = window_start(facts.today, Window.WEEK)
    for series in series_of(facts, Period(end - (MOST_EARLIER + 1) * WEEK, end)):
        firsts = [facts.ledger.first_day(series.unit, (driver,)) for driver in series.drivers]
        begun = max(first for first in firsts if first is not None)
        start = max(window_start(begun + timedelta(days=6), Window.WEEK), end - (MOST_EARLIER + 1) * WEEK)
        weeks = (end - start) // WEEK
        if weeks > LEAST_EARLIER and not adjusted_in(facts, Period(start, end), series.drivers):
            yield _record(facts, series, Period(start, end), weeks)


def _p_value(earlier: Sequence[float], last: float) -> float:
    """Of the values and of their logarithms (square roots where a week brought nothing) the one that says less: sums of
    skew amounts have a long tail upwards, and a value far out in it is nothing unusual."""
    plain = new_observation_p(earlier, last)
    if min(earlier) < 0 or last <= 0:
        return plain
    bent = math.log if min(earlier) > 0 else math.sqrt
    return max(plain, new_observation_p([bent(value) for value in earlier], bent(last)))


def _record(facts: AccountFacts, series: Series, span: Period, weeks: int) -> Candidate:
    *earlier, last = weekly(facts, series, span.start, weeks)
    best = max(earlier, key=lambda figure: figure.value)
    p_value = over_a_year(_p_value([float(figure.value) for figure in earlier], float(last.value)), "unusual-record")
    if last.value <= 0 or last.value < best.value + abs(best.value) * MARGIN or not may_hold(p_value):
        return Candidate((), p_value)
    week = Period(span.end - WEEK, span.end)
    standing = standing_of(facts, span, series.drivers, counted=series.counted)
    beyond = minus(last, best)
    terms = {"since_day": span.start.isoformat(), "week_day": week.start.isoformat()}
    terms |= {"certainty": "counted" if series.counted else "estimated"}
    if series.subject != ACCOUNT:
        terms["driver_name"] = facts.driver(series.subject).title
    is_money = series.unit == facts.currency
    insight = Insight(
        kind="unusual-record",
        subject=series.subject,
        period_from=week.start,
        period_to=week.end,
        numbers=(
            number("record", last, series.unit, standing),
            number("previous_best", best, series.unit, standing),
            number("change", beyond, series.unit, standing),
            number("higher", tally(earlier, "above", last), "count", standing),
        ),
        strength=confidence(p_value),
        importance=importance(facts, beyond.value * 4, 0.7) if is_money else 0.2,
        terms=terms,
        drivers=series.drivers,
        favorable=True,
        anchor=f"week {week.start}",
    )
    return Candidate((insight,), p_value)
