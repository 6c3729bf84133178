"""New level: the day since which a driver, or all of them together, bring more or less a day than before.

Statistic: `judgment.shifts`, a Wilcoxon test stratified by weekday at three planned looks, its p-value corrected for a
year of daily looks; judged among all change tests of the account. Told while it holds and the last
two weeks lie nearer to the new level (so it is withdrawn by itself when the level comes back), of several the newest,
where the level moved by 10 % or more, and otherwise than at the same time a year before, where that is known
(`judgment.yearly`: a season is no new level). The levels are told exactly:
what the known days of the 56 before brought a day, and those of the longest of 14, 28 and 56 days since that have
passed. Minimum data: 200 days, a value a day since the first, without what must not be compared (`judged`).

The total is told only where no driver's own shift, the same way within two weeks, says so already. The cause is told
beside the effect where a meter of the driver's formula moved the same way by at least half as much, in proportion.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from typing import Final

from valueplatform.core.periods import Period
from valueplatform.narrative.facts import AccountFacts
from valueplatform.narrative.figures import Figure, days, metered, minus, number, plus, ratio, realized, standing_of
from valueplatform.narrative.insight import Insight, Number
from valueplatform.narrative.insights.change import confidence
from valueplatform.narrative.insights.judged import comparable_values, judged_series, known_stretches
from valueplatform.narrative.insights.series import Series
from valueplatform.narrative.insights.standing import ACCOUNT
from valueplatform.narrative.insights.weight import Candidate, importance, may_hold
from valueplatform.narrative.judgment.shifts import APART, BEFORE, LOOKS, Shift, shifts
from valueplatform.narrative.judgment.yearly import NEEDED, differs_from_last_year

MATERIAL: Final = Fraction(10, 100)
LEAST_DAYS: Final = 200
KIND: Final = "change-point"
YEAR_QUARTER: Final = 91
"""A new level weighs as much as a quarter of a year of its difference brings."""


def new_levels(facts: AccountFacts) -> Iterator[Candidate]:
    found = [_tested(facts, *given) for given in judged_series(facts) if len(given[2]) >= LEAST_DAYS]
    own = [insight for candidate in found for insight in candidate.insights if insight.subject != ACCOUNT]
    for candidate in found:
        told = tuple(i for i in candidate.insights if i.subject != ACCOUNT or not any(_same(i, o) for o in own))
        yield Candidate(told, candidate.p_value)


def _same(total: Insight, driver: Insight) -> bool:
    apart = date.fromisoformat(total.terms["since_day"]) - date.fromisoformat(driver.terms["since_day"])
    return abs(apart.days) <= APART and total.favorable is driver.favorable


def _tested(facts: AccountFacts, series: Series, period: Period, values: tuple[float, ...]) -> Candidate:
    holding = [shift for shift in shifts(values) if shift.holds]
    if not holding:
        return Candidate((), 1.0)
    newest = holding[-1]
    told = _told(facts, series, period, newest) if may_hold(newest.p_value) else None
    return Candidate((told,) if told is not None else (), newest.p_value)


def _told(facts: AccountFacts, series: Series, judged: Period, shift: Shift) -> Insight | None:
    day = judged.start + timedelta(days=shift.day)
    length = max((look for look in LOOKS if day + timedelta(days=look) <= judged.end), default=0)
    earlier = Period(max(judged.start, day - timedelta(days=BEFORE)), day)
    since = Period(day, day + timedelta(days=length))
    parts = [known_stretches(facts, series, period) for period in (since, earlier)]
    if not all(parts) or parts[0][0].start != day:
        return None
    after, before = (_level(facts, series, stretches) for stretches in parts)
    change = minus(after, before)
    is_material = abs(change.value) >= abs(before.value) * MATERIAL and before.value > 0
    if not is_material or after.value <= 0 or (change.value > 0) is not (shift.after > shift.before):
        return None
    if not _still_there(facts, series, judged.end, after, before) or _is_of_the_season(facts, series, since):
        return None
    standing = standing_of(facts, Period(earlier.start, since.end), series.drivers, counted=series.counted)
    numbers = [
        number(name, figure, f"{series.unit}/day", standing)
        for name, figure in (("change", change), ("after", after), ("before", before))
    ]
    terms = {"since_day": day.isoformat(), "direction": "up" if change.value > 0 else "down", "cause": "none"}
    terms |= {"certainty": "counted" if series.counted else "estimated"}
    if series.subject != ACCOUNT:
        terms["driver_name"] = facts.driver(series.subject).title
        cause, volumes = _volume(facts, series, parts, ratio(change, before).value)
        terms |= cause
        numbers += volumes
    is_money = series.unit == facts.currency
    return Insight(
        kind=KIND,
        subject=series.subject,
        period_from=since.start,
        period_to=parts[0][-1].end,
        numbers=tuple(numbers),
        strength=confidence(shift.p_value),
        importance=importance(facts, change.value * YEAR_QUARTER, 0.85) if is_money else 0.3,
        terms=terms,
        drivers=series.drivers,
        favorable=change.value > 0,
        anchor=f"level since {day}",
    )


def _still_there(facts: AccountFacts, series: Series, end: date, after: Figure, before: Figure) -> bool:
    """Whether the last two weeks lie nearer to the new level than to the old one."""
    last = known_stretches(facts, series, Period(end - timedelta(days=LOOKS[0]), end))
    if not last:
        return False
    now = _level(facts, series, last).value
    return abs(now - after.value) < abs(now - before.value)


def _is_of_the_season(facts: AccountFacts, series: Series, since: Period) -> bool:
    """Whether the level moved alike a year before. Days before the series' first value are not known; what was only
    estimated then is compared too."""
    firsts = [facts.ledger.first_day(series.unit, (driver,)) for driver in series.drivers]
    start = max([since.start - timedelta(days=NEEDED), *(first for first in firsts if first is not None)])
    whole = comparable_values(facts, replace(series, counted=False), Period(start, since.end))
    day, length = (since.start - start).days, since.days
    return differs_from_last_year(whole, day, length) is False


def _level(facts: AccountFacts, series: Series, stretches: list[Period]) -> Figure:
    """What they brought a day."""
    value = plus(realized(facts, period, series.drivers, counted=series.counted) for period in stretches)
    return ratio(value, plus(days(period) for period in stretches))


def _volume(
    facts: AccountFacts, series: Series, parts: list[list[Period]], moved: Fraction
) -> tuple[dict[str, str], list[Number]]:
    """The first meter of the driver's formula whose days moved the same way by at least half as much."""
    for meter in facts.driver(series.subject).meters:
        if meter not in facts.meter_titles:
            continue
        now, before = (
            ratio(plus(metered(facts, meter, p) for p in stretches), plus(days(p) for p in stretches))
            for stretches in parts
        )
        own = now.value / before.value - 1 if before.value > 0 else Fraction(0)
        if own * moved > 0 and abs(own) >= abs(moved) / 2:
            numbers = [number("volume", now, "count/day"), number("volume_before", before, "count/day")]
            return {"cause": "volume", "volume_name": facts.meter_titles[meter]}, numbers
    return {}, []
