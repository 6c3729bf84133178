"""What reaches many accounts at once, and the months that are made a record: episodes that follow from the calendar."""

from collections.abc import Iterator
from datetime import date, timedelta

from valueplatform.sample.cast import AccountSpec, EpisodeSpec
from valueplatform.sample.season import day_weight, is_holiday, of_the_year

_LAUNCH_BACK = 205
_OUTAGES = (
    (402, "America", 170),
    (260, "Asia", 120),
    (260, "Australia", 120),
    (151, "Europe", 140),
    (37, "America", 95),
)
"""Outages of the mobile app: days back, the part of the world, minutes."""

_RECORD_LEAD = 1.12


def shared_episodes(spec: AccountSpec, today: date, days: int) -> tuple[EpisodeSpec, ...]:
    """The supplier's launch and outages as far as they reach the account, and its record month."""
    if spec.live is None or spec.sparse:
        return ()
    found = [*_launch(spec), *_outages(spec, today)]
    if spec.record:
        found.append(_record(spec, today, min(spec.live, days)))
    return tuple(found)


def _launch(spec: AccountSpec) -> Iterator[EpisodeSpec]:
    if spec.features.get("arrival-tracking", 0) > _LAUNCH_BACK:
        note = "Fieldnote released arrival tracking by text message; people look it up more often."
        yield EpisodeSpec("product_launch", "calls_avoided", "opens", _LAUNCH_BACK, 1.35, note)


def _outages(spec: AccountSpec, today: date) -> Iterator[EpisodeSpec]:
    for back, region, minutes in _OUTAGES:
        if not spec.timezone.startswith(region):
            continue
        first = next(n for n in range(back, back + 14) if _is_workday(spec, today - timedelta(days=n)))
        note = f"The mobile app was down for {minutes} minutes; the work was made up in overtime."
        yield EpisodeSpec("outage", "outage_overtime", "outage", first, minutes, note, last=first)


def _is_workday(spec: AccountSpec, day: date) -> bool:
    return day.weekday() < 5 and not is_holiday(day, spec.timezone)


def _record(spec: AccountSpec, today: date, live: int) -> EpisodeSpec:
    """The last whole month, made busier than every month before by a clear lead."""
    last_day = today.replace(day=1) - timedelta(days=1)
    month = last_day.replace(day=1)
    totals: dict[date, float] = {}
    for back in range(1, live + 1):
        day = today - timedelta(days=back)
        weight = day_weight(spec.segment, day, spec.timezone) * of_the_year(day, spec.season, spec.peak)
        totals[day.replace(day=1)] = totals.get(day.replace(day=1), 0.0) + weight
    before = max((total for first, total in totals.items() if first < month), default=0.0)
    factor = max(1.08, _RECORD_LEAD * before / totals[month]) if month in totals else 1.0
    first, last = (today - month).days, (today - last_day).days
    note = "A recall brought more inspections than ever; the crews worked Saturdays off."
    return EpisodeSpec("surge", "dispatch_time", "jobs", first, factor, note, last=last)
