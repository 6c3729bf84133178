"""Drivers that move together, week by week: association, never a cause (value rule 6).

Statistic: of the last 26 whole weeks, how many steps from one week to the next two drivers took in the same direction.
Tested by the sign test of comovement of Goodman and Grunfeld (1961), which takes into account that the steps of one
series follow on each other: under independence the sum of the products of signs has mean 0 and variance
n + 2(n - 1)/9 for n steps. Judged among all change tests of the account. Told of the one pair that moved together most,
when they did in at least three quarters of the steps. Minimum data: 20 weeks in which both had begun. At most the four
largest drivers are paired, so that these tests do not crowd out others; two that share a meter move together by
definition, and are not.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from fractions import Fraction
from itertools import combinations
from typing import Final

from valueplatform.core.periods import Period, Window, window_start
from valueplatform.narrative.facts import AccountFacts
from valueplatform.narrative.figures import (
    Figure,
    constant,
    days,
    minus,
    number,
    ratio,
    realized,
    standing_of,
    statistic,
)
from valueplatform.narrative.insight import Insight
from valueplatform.narrative.insights.change import confidence
from valueplatform.narrative.insights.series import WEEK, Series, adjusted_in, series_of, weekly
from valueplatform.narrative.insights.standing import ACCOUNT
from valueplatform.narrative.insights.weight import Candidate, may_hold, over_a_year
from valueplatform.narrative.significance import comovement_p, same_direction

MOST_WEEKS: Final = 26
LEAST_WEEKS: Final = 20
MOST_DRIVERS: Final = 4
TOGETHER: Final = Fraction(3, 4)
SAME_DIRECTION: Final = "same-direction"


def correlations(facts: AccountFacts) -> Iterator[Candidate]:
    end = window_start(facts.today, Window.WEEK)
    span = Period(end - MOST_WEEKS * WEEK, end)
    single = [
        s for s in series_of(facts, span) if s.subject in facts.money_drivers and not _is_adjusted(facts, s, span)
    ]
    single.sort(key=lambda s: (-abs(realized(facts, span, s.drivers, counted=s.counted).value), s.subject))
    pairs = [pair for pair in combinations(single[:MOST_DRIVERS], 2) if not _share_a_meter(facts, *pair)]
    found = [one for pair in pairs if (one := _compared(facts, *pair, span)) is not None]
    most = max(found, key=lambda one: (one[0], one[2].terms["first_name"]), default=None)
    for share, p_value, insight in found:
        told = most is not None and insight is most[2] and share >= TOGETHER and may_hold(p_value)
        yield Candidate((insight,) if told else (), p_value)


def _is_adjusted(facts: AccountFacts, series: Series, span: Period) -> bool:
    return adjusted_in(facts, span, series.drivers)


def _share_a_meter(facts: AccountFacts, one: Series, other: Series) -> bool:
    meters = [set(facts.driver(series.subject).meters) for series in (one, other)]
    return bool(meters[0] & meters[1])


def _compared(facts: AccountFacts, one: Series, other: Series, span: Period) -> tuple[Fraction, float, Insight] | None:
    firsts = [facts.ledger.first_day(series.unit, series.drivers) for series in (one, other)]
    begun = max(first for first in firsts if first is not None)
    start = max(window_start(begun + timedelta(days=6), Window.WEEK), span.start)
    weeks = (span.end - start) // WEEK
    if weeks < LEAST_WEEKS:
        return None
    figures = [weekly(facts, series, start, weeks) for series in (one, other)]
    first, second = ([figure.value for figure in each] for each in figures)
    together = same_direction(first, second)
    period = Period(start, span.end)
    p_value = over_a_year(comovement_p(first, second), "correlated-drivers")
    insight = _insight(facts, (one, other), period, figures, together, p_value)
    return Fraction(together, weeks - 1), p_value, insight


def _insight(
    facts: AccountFacts,
    pair: Sequence[Series],
    period: Period,
    figures: Sequence[Sequence[Figure]],
    together: int,
    p_value: float,
) -> Insight:
    steps = minus(ratio(days(period), constant("7")), constant("1"))
    counted = all(series.counted for series in pair)
    drivers = tuple(series.subject for series in pair)
    standing = standing_of(facts, period, drivers, counted=counted)
    values = [figure for each in figures for figure in each]
    amounts = [realized(facts, period, series.drivers, counted=series.counted) for series in pair]
    return Insight(
        kind="correlated-drivers",
        subject=ACCOUNT,
        period_from=period.start,
        period_to=period.end,
        numbers=(
            number("together", statistic(SAME_DIRECTION, Fraction(together), values), "count", standing),
            number("steps", steps, "week"),
            *(
                number(name, amount, facts.currency, standing_of(facts, period, series.drivers, counted=series.counted))
                for name, amount, series in zip(("first", "second"), amounts, pair, strict=True)
            ),
        ),
        strength=confidence(p_value),
        importance=0.12,
        terms={f"{name}_name": facts.driver(d).title for name, d in zip(("first", "second"), drivers, strict=True)}
        | {"certainty": "counted" if counted else "estimated"},
        drivers=drivers,
        anchor=f"together since {period.start}",
    )
