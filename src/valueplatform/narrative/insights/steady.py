"""That the value is steady, told only where somebody has to decide whether it will go on: before a contract ends.

Statistic: the coefficient of variation (standard deviation of a sample over its mean) of the last 26 whole weeks,
Monday to Sunday, of the total, else of the account's one driver. Threshold: at most 7.5 %, which bounds it by 10 %
with a confidence of 95 % (McKay 1932, as simplified by Vangel 1996; `judgment.steadiness` works out the bound). No
test of change, so no part of their control; the bound is its confidence, and one series an account is judged. Minimum
data: 26 whole weeks since the first value of each driver, all of them counted alike, none negative, no adjustments
shown, and no trend that outgrows the scatter: a steady rise is no steadiness, and its weeks vary.
"""

from collections.abc import Iterator
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Final

from valueplatform.core.periods import Period, Window, window_start
from valueplatform.narrative.facts import AccountFacts
from valueplatform.narrative.figures import constant, number, standing_of, statistic, tally
from valueplatform.narrative.insight import Insight, Strength
from valueplatform.narrative.insights.milestones import ending_contract
from valueplatform.narrative.insights.series import WEEK, adjusted_in, daily_values, series_of, weekly
from valueplatform.narrative.insights.standing import ACCOUNT
from valueplatform.narrative.insights.weight import importance
from valueplatform.narrative.judgment.steadiness import WEEKS, steadiness

MOST: Final = Fraction(75, 1000)


def steady(facts: AccountFacts) -> Iterator[Insight]:
    """At most one."""
    end = window_start(facts.today, Window.WEEK)
    period = Period(end - WEEKS * WEEK, end)
    given = next(iter(series_of(facts, period)), None)
    if given is None or given.unit != facts.currency or not given.counted or ending_contract(facts) is None:
        return
    firsts = [facts.ledger.first_day(given.unit, (driver,)) for driver in given.drivers]
    if any(first is None or first > period.start for first in firsts) or adjusted_in(facts, period, given.drivers):
        return
    judged = steadiness([value for _, value in daily_values(facts, given, period)])
    weeks = weekly(facts, given, period.start, WEEKS)
    values = [week.value for week in weeks]
    if judged is None or not judged.steady or min(values) < 0 or _variation(values) > MOST:
        return
    standing = standing_of(facts, period, given.drivers)
    mean = sum(values, Fraction(0)) / len(values)
    yield Insight(
        kind="steady",
        subject=given.subject,
        period_from=period.start,
        period_to=period.end,
        numbers=(
            number("variation", statistic("variation", _variation(values), weeks), "share", standing),
            number("usual", statistic("mean", mean, weeks), f"{given.unit}/week", standing),
            number("weeks", tally(weeks, "above", constant("0")), "week"),
        ),
        strength=Strength.MODERATE,
        importance=importance(facts, mean * WEEKS, 0.3),
        terms={} if given.subject == ACCOUNT else {"driver_name": facts.driver(given.subject).title},
        drivers=given.drivers,
        favorable=True,
        anchor="before the contract ends",
    )


def _variation(values: list[Fraction]) -> Fraction:
    mean = sum(values, Fraction(0)) / len(values)
    variance = sum(((value - mean) ** 2 for value in values), Fraction(0)) / (len(values) - 1)
    with localcontext(prec=50):
        return Fraction((Decimal(variance.numerator) / variance.denominator).sqrt()) / mean
