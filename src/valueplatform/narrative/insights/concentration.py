"""On how few drivers the value rests, which are the smallest, and which took a larger or smaller part of it.

*Concentration*: the fewest drivers, at most two, that together brought at least half of the positive value of the story
window, among at least five that brought some. *Bottom contributors*: the two smallest of at least four. No statistic:
parts of a sum. Minimum data: one row each.

*Mix shift*: the part that a driver has of the total, in the last 13 whole weeks against the 13 before. Statistic:
Mann-Whitney test (1947) on its weekly parts. Told of the driver whose part moved most, when it moved by at least ten
points and the test holds at a false discovery rate of 1 % among all change tests of the account; those of the others
count among them. Minimum data: 26 weeks in which every driver had begun and the total was positive, none with
adjustments.
"""

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Final

from valueplatform.core.periods import Period, Window, window_start
from valueplatform.narrative.facts import AccountFacts
from valueplatform.narrative.figures import Figure, constant, minus, number, ratio, realized, standing_of, tally
from valueplatform.narrative.insight import Insight, Strength
from valueplatform.narrative.insights.change import confidence
from valueplatform.narrative.insights.series import WEEK, Series, adjusted_in, series_of, weekly
from valueplatform.narrative.insights.standing import ACCOUNT
from valueplatform.narrative.insights.weight import Candidate, importance, may_hold, over_a_year
from valueplatform.narrative.significance import mann_whitney_p
from valueplatform.narrative.windows import StoryWindow, story_window

FEW: Final = 2
LEAST_DRIVERS: Final = 5
LEAST_FOR_SMALLEST: Final = 4
MOST_OF_IT: Final = Fraction(1, 2)
SPAN_WEEKS: Final = 13
MATERIAL: Final = Fraction(10, 100)
_PLACES: Final = ("first", "second")


def concentration(facts: AccountFacts) -> list[Insight]:
    window = story_window(facts)
    span = (window.to_date.start, window.to_date.end)
    counted = facts.ledger.has_rows(*span, unit=facts.currency, drivers=facts.money_drivers)
    parts = {driver: realized(facts, window.to_date, (driver,), counted=counted) for driver in facts.money_drivers}
    positive = {driver: part for driver, part in parts.items() if part.value > 0}
    return [*_few(facts, window, positive, counted=counted), *_smallest(facts, window, positive, counted=counted)]


def _few(facts: AccountFacts, window: StoryWindow, parts: Mapping[str, Figure], *, counted: bool) -> Iterator[Insight]:
    order = sorted(parts, key=lambda driver: (-parts[driver].value, driver))
    whole = realized(facts, window.to_date, order, counted=counted)
    for size in range(1, FEW + 1):
        few = realized(facts, window.to_date, order[:size], counted=counted)
        if len(order) >= LEAST_DRIVERS and few.value >= whole.value * MOST_OF_IT:
            yield _concentrated(facts, window, order, parts, size, counted=counted)
            return


def _concentrated(
    facts: AccountFacts,
    window: StoryWindow,
    order: list[str],
    parts: Mapping[str, Figure],
    size: int,
    *,
    counted: bool,
) -> Insight:
    few, whole = (realized(facts, window.to_date, given, counted=counted) for given in (order[:size], order))
    share = ratio(few, whole)
    every = [parts[driver] for driver in order]
    smallest_of_few = parts[order[size - 1]]
    rest = tally(every[size:], "above", smallest_of_few)
    named = dict(zip(_PLACES, order[:size], strict=False))
    standing = standing_of(facts, window.to_date, order, counted=counted)
    return Insight(
        kind="concentration",
        subject=ACCOUNT,
        period_from=window.to_date.start,
        period_to=window.to_date.end,
        numbers=(
            number("share", share, "share", standing),
            number("few", few, facts.currency, standing),
            number("whole", whole, facts.currency, standing),
            number("drivers", tally(every, "above", constant("0")), "driver", standing),
            number("larger", rest, "count", standing),
            *(
                number(
                    name, parts[driver], facts.currency, standing_of(facts, window.to_date, (driver,), counted=counted)
                )
                for name, driver in named.items()
            ),
        ),
        strength=Strength.STRONG,
        importance=importance(facts, few.value, 0.5),
        terms=_base(window, counted=counted)
        | {f"{name}_name": facts.driver(driver).title for name, driver in named.items()},
        drivers=tuple(order),
        anchor=f"since {window.start}",
    )


def _smallest(
    facts: AccountFacts, window: StoryWindow, parts: Mapping[str, Figure], *, counted: bool
) -> Iterator[Insight]:
    order = sorted(parts, key=lambda driver: (parts[driver].value, driver))
    if len(order) < LEAST_FOR_SMALLEST:
        return
    last = dict(zip(_PLACES, order[:2], strict=True))
    standing = standing_of(facts, window.to_date, order, counted=counted)
    smaller = tally([parts[driver] for driver in order[2:]], "below", parts[order[1]])
    yield Insight(
        kind="bottom-contributors",
        subject=ACCOUNT,
        period_from=window.to_date.start,
        period_to=window.to_date.end,
        numbers=(
            *(
                number(
                    name, parts[driver], facts.currency, standing_of(facts, window.to_date, (driver,), counted=counted)
                )
                for name, driver in last.items()
            ),
            number("smaller", smaller, "count", standing),
        ),
        strength=Strength.STRONG,
        importance=importance(facts, parts[order[1]].value, 0.4),
        terms=_base(window, counted=counted) | {f"{name}_name": facts.driver(d).title for name, d in last.items()},
        drivers=tuple(order[:2]),
        anchor=f"since {window.start}",
    )


def _base(window: StoryWindow, *, counted: bool) -> dict[str, str]:
    return {"since_day": window.start.isoformat(), "certainty": "counted" if counted else "estimated"}


def shifts(facts: AccountFacts) -> Iterator[Candidate]:
    middle = window_start(facts.today, Window.WEEK) - SPAN_WEEKS * WEEK
    before, now = Period(middle - SPAN_WEEKS * WEEK, middle), Period(middle, middle + SPAN_WEEKS * WEEK)
    span = Period(before.start, now.end)
    series = next((given for given in series_of(facts, span) if given.subject == ACCOUNT), None)
    if series is None or adjusted_in(facts, span, series.drivers) or not _had_begun(facts, series, before):
        return
    totals = [figure.value for figure in weekly(facts, series, before.start, 2 * SPAN_WEEKS)]
    if min(totals) <= 0:
        return
    moves = {driver: _moved(facts, series, driver, now, before) for driver in series.drivers}
    most = max(series.drivers, key=lambda driver: (abs(moves[driver].value), driver))
    for driver in series.drivers:
        own = Series(driver, (driver,), series.unit, series.counted)
        values = [f.value for f in weekly(facts, own, before.start, 2 * SPAN_WEEKS)]
        shares = [float(value / total) for value, total in zip(values, totals, strict=True)]
        p_value = over_a_year(mann_whitney_p(shares[:SPAN_WEEKS], shares[SPAN_WEEKS:]), "mix-shift")
        told = driver == most and abs(moves[driver].value) >= MATERIAL and may_hold(p_value)
        yield Candidate((_shift(facts, series, driver, now, before, p_value),) if told else (), p_value)


def _had_begun(facts: AccountFacts, series: Series, before: Period) -> bool:
    """What has no amounts in the first weeks is a new driver, and told as one."""
    firsts = [facts.ledger.first_day(series.unit, (driver,)) for driver in series.drivers]
    return all(first is not None and first <= before.start for first in firsts)


def _part(facts: AccountFacts, series: Series, driver: str, period: Period) -> Figure:
    return ratio(
        realized(facts, period, (driver,), counted=series.counted),
        realized(facts, period, series.drivers, counted=series.counted),
    )


def _moved(facts: AccountFacts, series: Series, driver: str, now: Period, before: Period) -> Figure:
    return minus(_part(facts, series, driver, now), _part(facts, series, driver, before))


def _shift(facts: AccountFacts, series: Series, driver: str, now: Period, before: Period, p_value: float) -> Insight:
    moved = _moved(facts, series, driver, now, before)
    standing = standing_of(facts, Period(before.start, now.end), series.drivers, counted=series.counted)
    parts = {"now": _part(facts, series, driver, now), "before": _part(facts, series, driver, before)}
    return Insight(
        kind="mix-shift",
        subject=ACCOUNT,
        period_from=now.start,
        period_to=now.end,
        numbers=(
            number("shift", moved, "share", standing),
            *(number(name, part, "share", standing) for name, part in parts.items()),
        ),
        strength=confidence(p_value),
        importance=importance(facts, moved.value * realized(facts, now, series.drivers, counted=False).value * 2, 0.7),
        terms={
            "driver_name": facts.driver(driver).title,
            "since_day": now.start.isoformat(),
            "before_day": before.start.isoformat(),
            "direction": "up" if moved.value > 0 else "down",
            "certainty": "counted" if series.counted else "estimated",
        },
        drivers=(driver, *(other for other in series.drivers if other != driver)),
        anchor=f"mix since {now.start}",
    )
