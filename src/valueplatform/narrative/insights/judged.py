"""Daily values as `judgment` takes them: whole days up to yesterday, nan where a day must not be compared.

Left out are days before every driver of the series had its first value, days on which adjustments of other days are
shown, days without an amount, days that an open finding of data quality touches, and pauses that stand out: longer
than 4 days and than twice the pause that three quarters of the driver's pauses do not exceed; and days at rest around
public holidays (`accounts.holidays`), where the account's country is known.
"""

import math
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final

from valueplatform.core.periods import ONE_DAY, Period
from valueplatform.narrative.facts import AccountFacts, once
from valueplatform.narrative.insights.presence import MISSING_AFTER, TIMES_LONGEST, rhythm, stalled_since
from valueplatform.narrative.insights.series import Series, daily_values, series_of

HISTORY: Final = timedelta(days=420)
"""What is judged; the detectors look back no further."""


@once
def judged_series(facts: AccountFacts) -> tuple[tuple[Series, Period, tuple[float, ...]], ...]:
    """Each series that still comes in, with its days and their values; a total from when all of its drivers come in."""
    whole = Period(facts.today - HISTORY, facts.today)
    found = []
    for series in series_of(facts, whole):
        firsts = [facts.ledger.first_day(series.unit, (driver,)) for driver in series.drivers]
        begun = max(first for first in firsts if first is not None)
        stopped = any(stalled_since(facts, driver) for driver in series.drivers)
        if begun >= facts.today or stopped:
            continue
        period = Period(max(whole.start, begun), facts.today)
        found.append((series, period, comparable_values(facts, series, period)))
    return tuple(found)


def comparable_values(facts: AccountFacts, series: Series, period: Period) -> tuple[float, ...]:
    """One value a day of the period, nan where it must not be compared."""
    unlike = {day for driver in series.drivers for day in days_unlike(facts, driver)}
    return tuple(math.nan if day in unlike else value for day, value in daily_values(facts, series, period))


@once
def days_unlike(facts: AccountFacts, driver: str) -> frozenset[date]:
    """Days on which the driver's value must not be compared."""
    found = {given.shown_day for given in facts.adjustments if given.driver == driver}
    found |= {gap.day for gap in facts.gaps if gap.driver == driver}
    for doubt in facts.doubts:
        if driver in doubt.drivers:
            last = facts.today if doubt.is_silent else doubt.through
            found |= set(_days(doubt.since, last + ONE_DAY))
    return frozenset(found | facts.at_rest | set(_pauses(facts, driver)))


def known_stretches(facts: AccountFacts, series: Series, period: Period) -> list[Period]:
    """The period without the days that must not be compared."""
    unlike = {day for driver in series.drivers for day in days_unlike(facts, driver)}
    found: list[Period] = []
    for day in period:
        if day in unlike:
            continue
        if found and found[-1].end == day:
            found[-1] = Period(found[-1].start, day + ONE_DAY)
        else:
            found.append(Period(day, day + ONE_DAY))
    return found


def _pauses(facts: AccountFacts, driver: str) -> Iterator[date]:
    known = rhythm(facts, driver)
    if not known.is_known:
        return
    usual = sorted(known.pauses)[len(known.pauses) * 3 // 4]
    for day, pause in zip(known.days, known.pauses, strict=False):
        if pause > max(MISSING_AFTER, TIMES_LONGEST * usual):
            yield from _days(day + ONE_DAY, day + (pause + 1) * ONE_DAY)


def _days(start: date, end: date) -> Iterator[date]:
    return (start + i * ONE_DAY for i in range((end - start).days))
