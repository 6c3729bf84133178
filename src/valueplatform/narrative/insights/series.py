"""Series to compare: which amounts are comparable over a stretch, and their values by day, week and month."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median

from valueplatform.core.periods import Period, months_between
from valueplatform.narrative.facts import AccountFacts
from valueplatform.narrative.figures import Figure, realized
from valueplatform.narrative.insights.standing import ACCOUNT

WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Series:
    """Drivers that may be compared over time as one. `counted` holds all the way through: a change of state must not
    look like a change of value."""

    subject: str
    drivers: tuple[str, ...]
    unit: str
    counted: bool


def series_of(facts: AccountFacts, period: Period) -> Iterator[Series]:
    """The account's total (where it is more than one driver), then each driver, over `period`."""
    active = [
        driver
        for driver in facts.drivers
        if facts.ledger.has_rows(period.start, period.end, unit=driver.unit, drivers=(driver.slug,), counted=False)
    ]
    counted = {
        driver.slug
        for driver in active
        if not facts.ledger.uncounted_rows(period.start, period.end, unit=driver.unit, drivers=(driver.slug,))
    }
    money = [driver.slug for driver in active if facts.is_money(driver)]
    total = [slug for slug in money if slug in counted] or money
    if len(total) > 1:
        yield Series(ACCOUNT, tuple(sorted(total)), facts.currency, counted=set(total) <= counted)
    for driver in active:
        yield Series(driver.slug, (driver.slug,), driver.unit, counted=driver.slug in counted)


def daily_values(facts: AccountFacts, series: Series, period: Period) -> list[tuple[date, float]]:
    """One value a day, zero where there is none."""
    known = facts.ledger.by_day(series.unit, series.drivers, counted=series.counted)
    return [(day, float(known.get(day, 0))) for day in period]


def without_weekdays(*samples: Sequence[tuple[date, float]]) -> list[list[float]]:
    """Samples of daily values with the median of each weekday over all of them taken away."""
    by_weekday: defaultdict[int, list[float]] = defaultdict(list)
    for day, value in (pair for sample in samples for pair in sample):
        by_weekday[day.weekday()].append(value)
    usual = {weekday: median(values) for weekday, values in by_weekday.items()}
    return [[value - usual[day.weekday()] for day, value in sample] for sample in samples]


def monthly(facts: AccountFacts, series: Series, start: date, end: date) -> list[tuple[Period, Figure]]:
    return [
        (month, realized(facts, month, series.drivers, counted=series.counted)) for month in months_between(start, end)
    ]


def weekly(facts: AccountFacts, series: Series, start: date, weeks: int) -> list[Figure]:
    """Values of whole weeks from `start`, a Monday."""
    periods = (Period(start + i * WEEK, start + (i + 1) * WEEK) for i in range(weeks))
    return [realized(facts, period, series.drivers, counted=series.counted) for period in periods]


def adjusted_in(facts: AccountFacts, period: Period, drivers: Iterable[str]) -> bool:
    """Whether adjustments of other days are shown in the period: then it is not comparable day by day."""
    chosen = set(drivers)
    return any(given.driver in chosen and given.shown_day in period for given in facts.adjustments)
