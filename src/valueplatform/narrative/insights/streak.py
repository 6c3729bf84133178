"""Streak: week after week above what was committed, or below it.

Statistic: the number of whole weeks, Monday to Sunday, up to the last one, that all brought more (or all less) than
their part of the commitment. Tested by the sign test (Arbuthnott 1710; Dixon and Mood 1946): a run of n weeks by chance
alone has p = 2^(1-n), two-sided, corrected for a year of looks, and is judged among all change tests of the account.
Minimum data: 13 weeks, the fewest that can hold, of a commitment in money with counted value in them. Weeks in which
adjustments are shown, and those before all value counted, have no comparable place in a run, so it begins after them.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from typing import Final

from valueplatform.core.periods import Period, Window, window_start
from valueplatform.narrative.facts import AccountFacts
from valueplatform.narrative.figures import (
    Figure,
    committed,
    constant,
    days,
    minus,
    number,
    realized,
    standing_of,
    tally,
)
from valueplatform.narrative.insight import Insight
from valueplatform.narrative.insights.change import confidence
from valueplatform.narrative.insights.series import WEEK, adjusted_in
from valueplatform.narrative.insights.weight import Candidate, importance, may_hold, over_a_year
from valueplatform.narrative.windows import commitment_windows

LEAST_WEEKS: Final = 13


def streaks(facts: AccountFacts) -> Iterator[Candidate]:
    """The one that matters most on each side is told; the others are tests like it."""
    windows = commitment_windows(facts)
    found = []
    for driver in facts.money_drivers:
        weeks = _weeks(facts, windows[driver]) if driver in windows else []
        if len(weeks) >= LEAST_WEEKS:
            found.append(_streak(facts, driver, weeks))
    most = {insight.terms["side"]: insight for insight in sorted(_insights(found), key=lambda i: i.importance)}
    for candidate in found:
        told = tuple(insight for insight in candidate.insights if insight in most.values())
        yield Candidate(told, candidate.p_value)


def _insights(candidates: Iterable[Candidate]) -> list[Insight]:
    return [insight for candidate in candidates for insight in candidate.insights]


def _weeks(facts: AccountFacts, window: Period) -> list[Period]:
    """Whole weeks of the window that are over, oldest first; none of a commitment that has ended."""
    start = window_start(window.start + timedelta(days=6), Window.WEEK)
    end = window_start(facts.today, Window.WEEK)
    if window.end < end:
        return []
    return [Period(start + i * WEEK, start + (i + 1) * WEEK) for i in range(max(0, (end - start) // WEEK))]


def _gap(facts: AccountFacts, driver: str, week: Period) -> Figure:
    return minus(realized(facts, week, (driver,)), committed(facts, week, (driver,)))


def _streak(facts: AccountFacts, driver: str, weeks: Sequence[Period]) -> Candidate:
    gaps = _run(facts, driver, weeks)
    p_value = over_a_year(min(1.0, 2.0 ** (1 - len(gaps))), "streak")
    if len(gaps) < LEAST_WEEKS or not may_hold(p_value):
        return Candidate((), p_value)
    start, end = weeks[-len(gaps)].start, weeks[-1].end
    return Candidate((_told(facts, driver, start, end, gaps, p_value),), p_value)


def _run(facts: AccountFacts, driver: str, weeks: Sequence[Period]) -> list[Figure]:
    """What the last weeks brought beyond their commitment, oldest first, as far as all lie on one side and compare."""
    unit, found = facts.driver(driver).unit, list[Figure]()
    for week in reversed(weeks):
        gap = _gap(facts, driver, week)
        counted = facts.ledger.has_rows(week.start, week.end, unit=unit, drivers=(driver,))
        open_rows = facts.ledger.uncounted_rows(week.start, week.end, unit=unit, drivers=(driver,))
        same_side = gap.value != 0 and all((gap.value > 0) is (other.value > 0) for other in found[:1])
        if not same_side or not counted or open_rows or adjusted_in(facts, week, (driver,)):
            break
        found.append(gap)
    return found[::-1]


def _told(facts: AccountFacts, driver: str, start: date, end: date, gaps: Sequence[Figure], p_value: float) -> Insight:
    period = Period(start, end)
    beyond = minus(realized(facts, period, (driver,)), committed(facts, period, (driver,)))
    above = beyond.value > 0
    return Insight(
        kind="streak",
        subject=driver,
        period_from=start,
        period_to=end,
        numbers=(
            number("beyond", beyond, facts.currency, standing_of(facts, period, (driver,))),
            number("weeks", tally(gaps, "above" if above else "below", constant("0")), "week"),
            number("days", days(period), "day"),
        ),
        strength=confidence(p_value),
        importance=importance(facts, beyond.value, 0.5),
        terms={
            "driver_name": facts.driver(driver).title,
            "since_day": start.isoformat(),
            "side": "above" if above else "below",
        },
        drivers=(driver,),
        favorable=above,
        anchor=f"streak since {start}",
    )
