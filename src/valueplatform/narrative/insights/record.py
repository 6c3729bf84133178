"""Record month: the best whole month so far.

Statistic: the last full month is above every earlier one since the first value, by at least 5 % of the best of them
and by the Mann-Whitney test against that month (daily values less weekday medians), among all change tests of the
account. Minimum data: 6 earlier whole months.
"""

from collections.abc import Iterator
from fractions import Fraction

from valueplatform.core.periods import Period, next_month
from valueplatform.narrative.facts import AccountFacts
from valueplatform.narrative.figures import minus, number, standing_of, tally
from valueplatform.narrative.insight import Insight
from valueplatform.narrative.insights.change import change_p, confidence
from valueplatform.narrative.insights.series import Series, adjusted_in, monthly, series_of
from valueplatform.narrative.insights.standing import ACCOUNT
from valueplatform.narrative.insights.weight import Candidate, importance, may_hold, over_a_year
from valueplatform.narrative.windows import last_full_month

LEAST_EARLIER = 6
MARGIN = Fraction(5, 100)


def records(facts: AccountFacts) -> Iterator[Candidate]:
    last = last_full_month(facts)
    if last is None:
        return
    for series in series_of(facts, Period(last.start, last.end)):
        first = facts.ledger.first_day(series.unit, series.drivers)
        if first is not None and not adjusted_in(facts, last, series.drivers):
            whole = first if first.day == 1 else next_month(first)
            yield from _record(facts, series, Period(min(whole, last.start), last.end))


def _record(facts: AccountFacts, series: Series, period: Period) -> Iterator[Candidate]:
    unit, drivers = series.unit, series.drivers
    if series.counted and facts.ledger.uncounted_rows(period.start, period.end, unit=unit, drivers=drivers):
        return  # what began to count only later has no comparable past
    *earlier, (month, figure) = monthly(facts, series, period.start, period.end)
    if len(earlier) < LEAST_EARLIER:
        return
    best_month, best = max(earlier, key=lambda pair: pair[1].value)
    p_value = over_a_year(change_p(facts, series, month, best_month), "record-month")
    small = figure.value < best.value + abs(best.value) * MARGIN
    if figure.value <= 0 or small or not may_hold(p_value):
        yield Candidate((), p_value)
        return
    standing = standing_of(facts, period, drivers, counted=series.counted)
    terms = {"month": month.start.isoformat(), "previous_month": best_month.start.isoformat()}
    terms |= {"certainty": "counted" if series.counted else "estimated"}
    if series.subject != ACCOUNT:
        terms["driver_name"] = facts.driver(series.subject).title
    insight = Insight(
        kind="record-month",
        subject=series.subject,
        period_from=month.start,
        period_to=month.end,
        numbers=(
            number("record", figure, unit, standing),
            number("previous_best", best, unit, standing),
            number("change", minus(figure, best), unit, standing),
            number("higher_months", tally([f for _, f in earlier], "above", figure), "count"),
        ),
        strength=confidence(p_value),
        importance=importance(facts, (figure.value - best.value) * 4, 0.7) if unit == facts.currency else 0.25,
        terms=terms,
        drivers=drivers,
        favorable=True,
    )
    yield Candidate((insight,), p_value)
