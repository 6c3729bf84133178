"""Period over period: the last full month against the one before, and the running month against the same days.

Statistic: Mann-Whitney test (Mann and Whitney 1947) on daily values less the median of their weekday, without days at
rest around public holidays: a month of holidays is no change of pace. Told when the change is at least 5 % of the
earlier value and the test holds at a false discovery rate of 1 % among all change tests of the account (Benjamini and
Hochberg 1995). Minimum data: both months whole and 8 days in each sample; the
running month after 10 days. Months in which adjustments are shown are left to the adjustment insight. The cause is
told beside the change: the drivers that moved most, or the meter that moved with the driver.
"""

from collections.abc import Iterator
from datetime import timedelta
from fractions import Fraction
from statistics import median

from valueplatform.core.periods import Period
from valueplatform.narrative.facts import AccountFacts
from valueplatform.narrative.figures import Figure, metered, minus, number, ratio, realized, standing_of
from valueplatform.narrative.insight import Insight, Number, Strength
from valueplatform.narrative.insights.series import Series, adjusted_in, daily_values, series_of, without_weekdays
from valueplatform.narrative.insights.standing import ACCOUNT
from valueplatform.narrative.insights.weight import Candidate, importance, may_hold, over_a_year
from valueplatform.narrative.significance import mann_whitney_p
from valueplatform.narrative.windows import first_value_day, last_full_month, month_before

MATERIAL = Fraction(5, 100)
MINIMUM_RUNNING_DAYS = 10
PART_MATTERS = Fraction(1, 10)
MOST_PARTS = 3


def changes(facts: AccountFacts) -> Iterator[Candidate]:
    last = last_full_month(facts)
    first = first_value_day(facts)
    if last is None or first is None:
        return
    before = Period(month_before(last.start), last.start)
    if first <= before.start:
        yield from _compared(facts, "period-over-period", last, before)
    so_far = Period(last.end, facts.today)
    same_days = Period(last.start, min(last.start + timedelta(days=so_far.days), last.end))
    if so_far.days >= MINIMUM_RUNNING_DAYS:
        yield from _compared(facts, "month-so-far", so_far, same_days)


def _compared(facts: AccountFacts, kind: str, now: Period, before: Period) -> Iterator[Candidate]:
    for series in series_of(facts, Period(before.start, now.end)):
        if adjusted_in(facts, Period(before.start, now.end), series.drivers) or _is_new(facts, series, before):
            continue
        current = realized(facts, now, series.drivers, counted=series.counted)
        previous = realized(facts, before, series.drivers, counted=series.counted)
        p_value = over_a_year(change_p(facts, series, now, before), kind)
        small = abs(current.value - previous.value) < abs(previous.value) * MATERIAL
        if small or current.value == previous.value or not may_hold(p_value):
            yield Candidate((), p_value)
            continue
        told = [_change(facts, kind, series, now, before, p_value)]
        if series.subject == ACCOUNT and (parts := _contributors(facts, kind, series, now, before)):
            told.append(parts)
        yield Candidate(tuple(told), p_value)


def _is_new(facts: AccountFacts, series: Series, before: Period) -> bool:
    """Whether a single driver began too late to be compared; a new driver in a total is part of its change."""
    first = facts.ledger.first_day(series.unit, series.drivers)
    return len(series.drivers) == 1 and (first is None or first > before.start)


def change_p(facts: AccountFacts, series: Series, now: Period, before: Period) -> float:
    worked = [[pair for pair in daily_values(facts, series, p) if pair[0] not in facts.at_rest] for p in (now, before)]
    return mann_whitney_p(*without_weekdays(*worked))


def confidence(p_value: float) -> Strength:
    """How sure a change that is told is; what is less sure than one in a hundred is not told."""
    return Strength.STRONG if p_value < 0.001 else Strength.MODERATE


def _change(facts: AccountFacts, kind: str, series: Series, now: Period, before: Period, p_value: float) -> Insight:
    current = realized(facts, now, series.drivers, counted=series.counted)
    previous = realized(facts, before, series.drivers, counted=series.counted)
    change = minus(current, previous)
    standing = standing_of(facts, Period(before.start, now.end), series.drivers, counted=series.counted)
    numbers = [
        number("change", change, series.unit, standing),
        number("current", current, series.unit, standing),
        number("previous", previous, series.unit, standing),
    ]
    if previous.value > 0:
        numbers.append(number("change_share", ratio(change, previous), "share", standing))
    terms = {"direction": "up" if change.value > 0 else "down", "month": now.start.isoformat(), "cause": "none"}
    terms |= {"certainty": "counted" if series.counted else "estimated"}
    if series.subject != ACCOUNT:
        terms["driver_name"] = facts.driver(series.subject).title
        cause, volumes = _volume(facts, series, now, before, change)
        terms |= cause
        numbers += volumes
    money = series.unit == facts.currency
    return Insight(
        kind=kind,
        subject=series.subject,
        period_from=now.start,
        period_to=now.end,
        numbers=tuple(numbers),
        strength=confidence(p_value),
        importance=importance(facts, change.value * 4, 0.8) if money else 0.3,
        terms=terms,
        drivers=series.drivers,
        favorable=change.value > 0,
        anchor=f"{kind} {now.start}",
    )


def _volume(
    facts: AccountFacts, series: Series, now: Period, before: Period, change: Figure
) -> tuple[dict[str, str], list[Number]]:
    """The first meter of the driver's formula that moved the same way by at least half as much, in proportion."""
    driver = facts.driver(series.subject)
    earlier = realized(facts, before, series.drivers, counted=series.counted)
    if earlier.value <= 0:
        return {}, []
    for meter in driver.meters:
        now_value, before_value = metered(facts, meter, now), metered(facts, meter, before)
        if before_value.value <= 0 or meter not in facts.meter_titles:
            continue
        moved = (now_value.value - before_value.value) / before_value.value
        needed = change.value / earlier.value / 2
        if moved * needed > 0 and abs(moved) >= abs(needed):
            unit = "count"
            numbers = [number("volume", now_value, unit), number("volume_before", before_value, unit)]
            return {"cause": "volume", "volume_name": facts.meter_titles[meter]}, numbers
    return {}, []


def _contributors(facts: AccountFacts, kind: str, series: Series, now: Period, before: Period) -> Insight | None:
    """Which drivers made the change, the largest first; None where one alone did, and nothing is to be added."""
    parts = {
        driver: minus(
            realized(facts, now, (driver,), counted=series.counted),
            realized(facts, before, (driver,), counted=series.counted),
        )
        for driver in series.drivers
    }
    moved = sum(abs(part.value) for part in parts.values())
    order = sorted(parts, key=lambda driver: (-abs(parts[driver].value), driver))
    told = [driver for driver in order if abs(parts[driver].value) >= moved * PART_MATTERS and parts[driver].value]
    told = told[:MOST_PARTS]
    if not told:
        return None
    names = ("first", "second", "third")[: len(told)]
    period = Period(before.start, now.end)
    numbers = [
        number(name, parts[driver], series.unit, standing_of(facts, period, (driver,), counted=series.counted))
        for name, driver in zip(names, told, strict=True)
    ]
    terms = {f"{name}_name": facts.driver(driver).title for name, driver in zip(names, told, strict=True)}
    return Insight(
        kind="change-contributors",
        subject=ACCOUNT,
        period_from=now.start,
        period_to=now.end,
        numbers=tuple(numbers),
        strength=Strength.MODERATE,
        importance=importance(facts, median(abs(parts[driver].value) for driver in told) * 4, 0.7),
        terms=terms | {"month": now.start.isoformat(), "window": kind},
        drivers=tuple(told),
        favorable=parts[told[0]].value > 0,
        anchor=f"{kind} {now.start}",
    )
