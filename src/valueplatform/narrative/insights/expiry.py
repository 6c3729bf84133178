"""What an agreed value that changed does, and what a baseline or a driver that expires takes out of the total (value
rules 4, 9 to 11).

No statistic: what is on record. *Changed*: another agreed value holds since a day in the last 62 days; told with what
has rested on it since. *Expiring*: a baseline, or a driver that is only probable, becomes an estimate again within 60
days, or did so within the last 30; told with what counted by it in the story window, or what no longer counts since.
Minimum data: a driver with value that rests on it.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from valueplatform.core.periods import Period
from valueplatform.narrative.facts import AccountFacts, Expiry, InputChange
from valueplatform.narrative.figures import Figure, held, minus, number, realized, standing_of, stated
from valueplatform.narrative.insight import Insight, Number, Strength
from valueplatform.narrative.insights.inputs import said_unit
from valueplatform.narrative.insights.weight import importance
from valueplatform.narrative.windows import story_window

AHEAD: Final = timedelta(days=60)
AFTER: Final = timedelta(days=30)
ONE_DAY: Final = timedelta(days=1)


def input_changes(facts: AccountFacts) -> list[Insight]:
    return [found for change in facts.input_changes if (found := _changed(facts, change))]


def _changed(facts: AccountFacts, change: InputChange) -> Insight | None:
    since = Period(change.day, facts.tomorrow)
    drivers = _active(facts, since, facts.resting_on(change.slug))
    given = next((given for given in facts.inputs if given.slug == change.slug), None)
    if given is None or not drivers:
        return None
    unit, input_unit = facts.driver(drivers[0]).unit, said_unit(given.unit)
    carried = realized(facts, since, drivers, counted=False)
    if not carried.value:
        return None
    now = stated(change.slug, change.day, change.now)
    before = stated(change.slug, change.day - ONE_DAY, change.before)
    return Insight(
        kind="input-change",
        subject=change.slug,
        period_from=since.start,
        period_to=since.end,
        numbers=(
            number("change", minus(now, before), input_unit),
            number("now", now, input_unit),
            number("before", before, input_unit),
            number("carried", carried, unit, standing_of(facts, since, drivers, counted=False)),
        ),
        strength=Strength.STRONG,
        importance=importance(facts, carried.value, 0.5) if unit == facts.currency else 0.2,
        terms={
            "input_name": given.title,
            "since_day": change.day.isoformat(),
            "direction": "up" if change.now > change.before else "down",
        },
        drivers=drivers,
        anchor=f"since {change.day}",
    )


def expiring(facts: AccountFacts) -> list[Insight]:
    near = [one for one in facts.expiries if facts.today - AFTER <= one.day <= facts.today + AHEAD]
    return [found for one in near if (found := _expiring(facts, one))]


def _expiring(facts: AccountFacts, one: Expiry) -> Insight | None:
    is_past = one.day <= facts.today
    window = Period(one.day, facts.tomorrow) if is_past else story_window(facts).to_date
    drivers = _active(facts, window, one.drivers)
    is_known = one.slug is None or any(given.slug == one.slug for given in facts.inputs)
    if not drivers or not is_known:
        return None
    carried = realized(facts, window, drivers, counted=not is_past)
    if not carried.value:
        return None
    unit = facts.driver(drivers[0]).unit
    standing = standing_of(facts, window, drivers, counted=not is_past)
    return Insight(
        kind="expiring-input",
        subject=one.slug or drivers[0],
        period_from=window.start,
        period_to=window.end,
        numbers=(number("carried", carried, unit, standing), *_input(facts, one)),
        strength=Strength.STRONG,
        importance=importance(facts, carried.value, 0.8) if unit == facts.currency else 0.3,
        terms=_terms(facts, one, drivers, is_past=is_past),
        drivers=drivers,
        favorable=False,
        anchor=f"expires {one.day}",
    )


def _input(facts: AccountFacts, one: Expiry) -> list[Number]:
    if one.slug is None:
        return []
    given = next(given for given in facts.inputs if given.slug == one.slug)
    value: Figure = held(facts, one.slug)
    return [number("input", value, said_unit(given.unit))]


def _terms(facts: AccountFacts, one: Expiry, drivers: Sequence[str], *, is_past: bool) -> dict[str, str]:
    terms = {"expires_day": one.day.isoformat(), "state": "past" if is_past else "ahead"}
    terms["certainty"] = "estimated" if is_past else "counted"
    if one.slug is None:
        return terms | {"driver_name": facts.driver(drivers[0]).title}
    return terms | {"input_name": next(given.title for given in facts.inputs if given.slug == one.slug)}


def _active(facts: AccountFacts, period: Period, drivers: Sequence[str]) -> tuple[str, ...]:
    """Those of the drivers that have value in the period and share the unit of the first, priced ones before others."""
    known = {driver.slug for driver in facts.drivers}
    found = [
        slug
        for slug in sorted(drivers, key=lambda slug: (slug not in facts.money_drivers, slug))
        if slug in known
        and facts.ledger.has_rows(
            period.start, period.end, unit=facts.driver(slug).unit, drivers=(slug,), counted=False
        )
    ]
    return tuple(slug for slug in found if facts.driver(slug).unit == facts.driver(found[0]).unit)
