"""Data-quality caveats: figures that rest on incomplete data, beside the figures that they touch.

No statistic of its own: what is open and of weight among the findings of `telemetry.quality` (a source that fell
silent, or from which far fewer events came than is usual; thresholds and minimum data stand there), where what the
source sends feeds a meter of a driver with value in the story window. Its numbers are counts of stored events, told
only where they bear the finding out as they stand now: none since, or less than two thirds of the same days before.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final

from valueplatform.core.periods import ONE_DAY, Period
from valueplatform.narrative.facts import AccountFacts, Doubt
from valueplatform.narrative.figures import constant, number, sent, tally
from valueplatform.narrative.insight import Insight, Number, Strength
from valueplatform.narrative.windows import story_window

SILENT, REDUCED = "silent-source", "reduced-source"
LONGEST_NAME: Final = 60
EVENT, DAY = "event", "day"


def doubts(facts: AccountFacts) -> list[Insight]:
    return [found for doubt in facts.doubts for found in _told(facts, doubt)]


def _told(facts: AccountFacts, doubt: Doubt) -> Iterator[Insight]:
    window = story_window(facts).to_date
    drivers = tuple(
        slug
        for slug in doubt.drivers
        if facts.ledger.has_rows(window.start, window.end, unit=facts.driver(slug).unit, drivers=(slug,), counted=False)
    )
    if not drivers or doubt.since >= facts.tomorrow:
        return
    told = _silent(facts, doubt) if doubt.is_silent else _reduced(facts, doubt)
    if told is None:
        return
    period, numbers, terms = told
    yield Insight(
        kind=SILENT if doubt.is_silent else REDUCED,
        subject=f"source:{doubt.source}",
        period_from=period.start,
        period_to=period.end,
        numbers=numbers,
        strength=Strength.STRONG,
        importance=0.5,
        terms=terms | ({"source_name": doubt.source} if len(doubt.source) <= LONGEST_NAME else {}),
        drivers=drivers,
        anchor=f"since {doubt.since}",
    )


_Told = tuple[Period, tuple[Number, ...], dict[str, str]]


def _silent(facts: AccountFacts, doubt: Doubt) -> _Told | None:
    """Whole days without an event, and that none has come today either."""
    days = Period(doubt.since, facts.today)
    since = sent(facts, doubt.source, Period(doubt.since, facts.tomorrow))
    if since.value or not days.days:
        return None
    each = [sent(facts, doubt.source, Period(day, day + ONE_DAY)) for day in _days(days)]
    quiet = tally(each, "below", constant("1"))
    numbers = (number("quiet", quiet, DAY), number("sent", since, EVENT))
    return days, numbers, {"since_day": doubt.since.isoformat()}


def _days(period: Period) -> Iterator[date]:
    return (period.start + timedelta(days=place) for place in range(period.days))


def _reduced(facts: AccountFacts, doubt: Doubt) -> _Told | None:
    """What came on these days, and on the same weekdays before them."""
    days = Period(doubt.since, doubt.through + ONE_DAY)
    back = timedelta(days=-(-days.days // 7) * 7)
    came = sent(facts, doubt.source, days)
    before = sent(facts, doubt.source, Period(days.start - back, days.end - back))
    if 3 * came.value >= 2 * before.value:
        return None
    terms = {"first_day": doubt.since.isoformat(), "last_day": doubt.through.isoformat()}
    return days, (number("sent", came, EVENT), number("before", before, EVENT)), terms
