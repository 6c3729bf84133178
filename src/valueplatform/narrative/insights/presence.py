"""New drivers, drivers that stopped, and days that are missing.

Statistic: the pauses between days with value. A driver is *stalled* when its present pause is longer than 7 days and
than twice its longest earlier one, and *lost* when that is 90 days ago; an account is *silent* when every driver that
had a rhythm is (where there is one alone and nothing counts: when it is lost); a past pause is told as *missing days*
when it is longer than 4 days and than twice the next longest, in the last 180 days. Minimum data: 8 days with value
over at least 28 days. *New*: first value within the last 60 days, in an account that had value at least 60 days before
it. Beyond the series' own extreme a pause must be one that days with value, falling by chance alone, would not bring in
a year of looks: 365 r (1 - r)^n is at most 2 % for n days at the rate r (a geometric run, Feller 1968, ch. 13), unless
none of its pauses was longer than 1.5 times their mean. That keeps noise that is zero most days from being told as a
stop. Of a pause that may stand out, days at rest around public holidays do not count.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from statistics import fmean

from valueplatform.core.periods import ONE_DAY, Period
from valueplatform.narrative.facts import AccountFacts, once
from valueplatform.narrative.figures import days, number, realized, standing_of
from valueplatform.narrative.insight import Insight, Number, Strength
from valueplatform.narrative.insights.standing import ACCOUNT
from valueplatform.narrative.insights.weight import importance
from valueplatform.narrative.windows import first_value_day, story_window

NEW_WITHIN = timedelta(days=60)
STALLED_AFTER = 7
MISSING_AFTER = 4
TIMES_LONGEST = 2
CHANCE_IN_A_YEAR = 0.02
EVEN = 1.5
MINIMUM_ACTIVE_DAYS = 8
MINIMUM_SPAN = timedelta(days=28)
LOOK_BACK = timedelta(days=180)
LOST_AFTER = timedelta(days=90)
BEFORE = timedelta(days=28)
EVER = date(1, 1, 1)


@dataclass(frozen=True, slots=True)
class Rhythm:
    """Days with value of one driver, oldest first, and the pauses between them (days without value)."""

    days: tuple[date, ...]
    pauses: tuple[int, ...]

    @property
    def is_known(self) -> bool:
        return len(self.days) >= MINIMUM_ACTIVE_DAYS and self.days[-1] - self.days[0] >= MINIMUM_SPAN

    def is_by_chance(self, pause: int) -> bool:
        """Whether a year of days that have value by chance alone, as often as these, may well hold such a pause; never
        where the pauses so far are so even that chance did not make them."""
        if max(self.pauses) <= EVEN * fmean(self.pauses):
            return False
        rate = len(self.days) / ((self.days[-1] - self.days[0]).days + 1)
        return 365 * rate * (1 - rate) ** pause > CHANCE_IN_A_YEAR


@once
def rhythm(facts: AccountFacts, driver: str) -> Rhythm:
    values = facts.ledger.by_day(facts.driver(driver).unit, (driver,), counted=False)
    days = tuple(day for day, value in values.items() if value and day <= facts.today)
    pauses = tuple((later - earlier).days - 1 for earlier, later in pairwise(days))
    return Rhythm(days, pauses)


def stalled_since(facts: AccountFacts, driver: str) -> date | None:
    """The day after the last value, where the pause since then is out of the ordinary."""
    known = rhythm(facts, driver)
    if not known.is_known:
        return None
    until = max(facts.today, known.days[-1] + ONE_DAY)
    pause = _worked(Period(known.days[-1] + ONE_DAY, until), sorted(facts.at_rest))
    usual = max(known.pauses, default=0)
    stands_out = pause > max(STALLED_AFTER, TIMES_LONGEST * usual) and not known.is_by_chance(pause)
    return known.days[-1] + ONE_DAY if stands_out else None


def silent_since(facts: AccountFacts) -> date | None:
    """The day after the last value of all, where two or more drivers had a rhythm and every one of them stopped; where
    nothing counts, also where the only one that had is lost."""
    rhythmic = [driver.slug for driver in facts.drivers if rhythm(facts, driver.slug).is_known]
    stops = [stopped for slug in rhythmic if (stopped := stalled_since(facts, slug))]
    if not stops or len(stops) < len(rhythmic):
        return None
    if len(rhythmic) == 1 and (facts.today - stops[0] < LOST_AFTER or counts(facts)):
        return None
    later = facts.ledger.by_day(facts.currency, facts.money_drivers, counted=False)
    return None if any(value for day, value in later.items() if day >= max(stops)) else max(stops)


def counts(facts: AccountFacts) -> bool:
    """Whether any value of the account does (value rule 10)."""
    return bool(facts.ledger.by_day(facts.currency, facts.money_drivers, counted=True))


def is_long_silent(facts: AccountFacts) -> bool:
    """Whether it is so long ago that a driver would be lost, in an account of which nothing counts."""
    silent = silent_since(facts)
    return silent is not None and facts.today - silent >= LOST_AFTER and not counts(facts)


def presence(facts: AccountFacts) -> list[Insight]:
    stops = {d.slug: stopped for d in facts.drivers if (stopped := stalled_since(facts, d.slug))}
    silent = silent_since(facts)
    found = [_silent(facts, silent)] if silent else []
    for driver in facts.drivers:
        if driver.slug in stops and not silent:
            found.append(_stalled(facts, driver.slug, stops[driver.slug]))
        if missing := _missing_days(facts, driver.slug):
            found.append(_missing(facts, driver.slug, missing))
        if first := _new_since(facts, driver.slug):
            found += _new(facts, driver.slug, first)
    return found


def _stalled(facts: AccountFacts, driver: str, stopped: date) -> Insight:
    before, since = Period(stopped - BEFORE, stopped), Period(stopped, facts.tomorrow)
    earlier = realized(facts, before, (driver,), counted=False)
    is_lost = facts.today - stopped >= LOST_AFTER
    return Insight(
        kind="lost-driver" if is_lost else "stalled-driver",
        subject=driver,
        period_from=before.start,
        period_to=since.end,
        numbers=(
            _brought(facts, "before", before, (driver,)),
            _brought(facts, "since", since, (driver,)),
            *([number("quiet", days(since), "day")] if is_lost else []),
        ),
        strength=Strength.STRONG,
        importance=importance(facts, earlier.value * 4, 0.95),
        terms={
            "driver_name": facts.driver(driver).title,
            "stopped_day": stopped.isoformat(),
            "before_day": before.start.isoformat(),
        },
        drivers=(driver,),
        favorable=False,
        anchor=f"stopped {stopped}",
    )


def _silent(facts: AccountFacts, stopped: date) -> Insight:
    before, since = Period(stopped - BEFORE, stopped), Period(stopped, facts.tomorrow)
    drivers = facts.money_drivers
    earlier = realized(facts, before, drivers, counted=False)
    return Insight(
        kind="silent-account",
        subject=ACCOUNT,
        period_from=before.start,
        period_to=since.end,
        numbers=(
            _brought(facts, "before", before, drivers),
            _brought(facts, "since", since, drivers),
        ),
        strength=Strength.STRONG,
        importance=importance(facts, earlier.value * 4, 1.0),
        terms={"stopped_day": stopped.isoformat(), "before_day": before.start.isoformat()},
        drivers=drivers,
        favorable=False,
        anchor=f"stopped {stopped}",
    )


def _brought(facts: AccountFacts, name: str, period: Period, drivers: tuple[str, ...]) -> Number:
    """What came in, agreed or not; days without an event may still hold rows of zero, in their own state."""
    amount = realized(facts, period, drivers, counted=False)
    unit = facts.driver(drivers[0]).unit if drivers else facts.currency
    return number(name, amount, unit, standing_of(facts, period, drivers, counted=False))


def _missing_days(facts: AccountFacts, driver: str) -> Period | None:
    """The one pause of late that stands out from all others."""
    known = rhythm(facts, driver)
    if not known.is_known:
        return None
    gaps = [Period(earlier + ONE_DAY, later) for earlier, later in pairwise(known.days)]
    rest = sorted(facts.at_rest)
    pauses = [_worked(gap, rest) for gap in gaps]
    longest, next_longest = sorted(pauses, reverse=True)[:2]
    if longest <= max(MISSING_AFTER, TIMES_LONGEST * next_longest) or known.is_by_chance(longest):
        return None
    found = gaps[pauses.index(longest)]
    recent = max(story_window(facts).start, facts.today - LOOK_BACK)
    return found if found.start >= recent else None


def _worked(pause: Period, rest: Sequence[date]) -> int:
    """Its days without those at rest, which come in order."""
    return pause.days - (bisect_left(rest, pause.end) - bisect_left(rest, pause.start))


def _missing(facts: AccountFacts, driver: str, days: Period) -> Insight:
    return Insight(
        kind="missing-days",
        subject=driver,
        period_from=days.start,
        period_to=days.end,
        numbers=(_brought(facts, "missing", days, (driver,)),),
        strength=Strength.MODERATE,
        importance=0.3,
        terms={
            "driver_name": facts.driver(driver).title,
            "first_day": days.start.isoformat(),
            "last_day": (days.end - ONE_DAY).isoformat(),
        },
        drivers=(driver,),
    )


def _new_since(facts: AccountFacts, driver: str) -> date | None:
    first = facts.ledger.first_day(facts.driver(driver).unit, (driver,))
    account_first = first_value_day(facts)
    if first is None or account_first is None:
        return None
    fresh = facts.today - NEW_WITHIN <= first <= facts.today
    return first if fresh and first - account_first >= NEW_WITHIN else None


def _new(facts: AccountFacts, driver: str, first: date) -> Iterator[Insight]:
    """Only what brings value: what takes some away is told as that."""
    period = Period(first, facts.tomorrow)
    unit = facts.driver(driver).unit
    counted = not facts.ledger.uncounted_rows(first, facts.tomorrow, unit=unit, drivers=(driver,))
    so_far = realized(facts, period, (driver,), counted=counted)
    if so_far.value <= 0:
        return
    yield Insight(
        kind="new-driver",
        subject=driver,
        period_from=first,
        period_to=facts.tomorrow,
        numbers=(
            number("so_far", so_far, unit, standing_of(facts, period, (driver,), counted=counted)),
            number("earlier", realized(facts, Period(EVER, first), (driver,), counted=False), unit),
        ),
        strength=Strength.MODERATE,
        importance=importance(facts, so_far.value * 4, 0.7),
        terms={
            "driver_name": facts.driver(driver).title,
            "first_day": first.isoformat(),
            "certainty": "counted" if counted else "estimated",
        },
        drivers=(driver,),
        favorable=True,
        anchor=f"first {first}",
    )
