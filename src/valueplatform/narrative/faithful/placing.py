"""Which day, run or driver an insight speaks of, where its kind ties that to its numbers more closely than their span
does."""

from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from typing import Final

import msgspec

from valueplatform.core.periods import Period
from valueplatform.narrative.faithful.leaves import leaves, span_of_leaf, subject_span
from valueplatform.narrative.insight import Insight
from valueplatform.value.derivation import (
    Benchmark,
    Committed,
    Derivation,
    Difference,
    Forecast,
    Graded,
    Input,
    Part,
    Ratio,
    Realized,
    Total,
)

_ONE_DAY: Final = timedelta(days=1)


def _leaves(insight: Insight) -> Iterator[Derivation]:
    for number in insight.numbers:
        yield from leaves(number.derivation)


def _day(insight: Insight, term: str) -> date:
    return date.fromisoformat(insight.terms[term])


def _changed(insight: Insight) -> bool:
    """The two values are those of the day that is named and of the day before."""
    day = _day(insight, "since_day")
    days = [leaf.day for leaf in _leaves(insight) if isinstance(leaf, Input)]
    return set(days) == {day, day - _ONE_DAY} and insight.number("now").derivation == Input(insight.subject, day)


def _expires(insight: Insight) -> bool:
    """What is past speaks of the days since, what is ahead of days before."""
    day, is_past = _day(insight, "expires_day"), insight.terms["state"] == "past"
    certainty = "estimated" if is_past else "counted"
    in_time = day == insight.period_from if is_past else day >= insight.period_to
    return in_time and insight.terms["certainty"] == certainty


def _begins(insight: Insight) -> bool:
    named = [_day(insight, term) for term in ("contract_day", "milestone_day") if term in insight.terms]
    ends = "first_day" not in insight.terms or _day(insight, "first_day") == insight.period_to
    return named == [insight.period_from] and ends


def _earned(insight: Insight) -> bool:
    return _day(insight, "payback_day") == insight.period_to - _ONE_DAY


def _compared(insight: Insight) -> bool:
    """All figures are of one run, of the driver that is named, in the measure that is told."""
    own = [leaf for leaf in _leaves(insight) if isinstance(leaf, Benchmark)]
    told = {(leaf.driver, str(leaf.run)) for leaf in own} == {(insight.subject, insight.terms["run"])}
    return told and insight.drivers == (insight.subject,) and insight.terms.get("per") in {None, *(x.per for x in own)}


def _until_target(insight: Insight) -> bool:
    """What is realized, the weeks that are forecast from and those that are forecast follow one another up to the day
    that is named, and so does what is committed; all of the same drivers."""
    target, so_far = _day(insight, "target_day") + _ONE_DAY, insight.number("realized").derivation
    plans = [insight.number(name).derivation for name in ("committed", "committed_low", "committed_high")]
    parts = [insight.number(name).derivation for name in ("projected", "low", "high")]
    if not isinstance(so_far, Realized) or insight.number("gap").derivation != Difference(parts[0], plans[0]):
        return False
    own = (so_far.start, target)
    return all(isinstance(plan, Committed) and (plan.start, plan.end) == own for plan in plans) and all(
        isinstance(part, Total) and part.parts[:1] == (so_far,) and _goes_on(part.parts[1:], so_far, target)
        for part in parts
    )


def _goes_on(parts: tuple[Derivation, ...], so_far: Realized, target: date) -> bool:
    return (
        all(
            isinstance(part, Forecast)
            and part.past == msgspec.structs.replace(so_far, start=part.past.start)
            and part.past.end + part.ahead * 7 * _ONE_DAY == target
            for part in parts
        )
        and len(parts) == 1
    )


def _in_one_part(insight: Insight) -> bool:
    """One member of one dimension of one driver, over the two months that the change is between."""
    part, change = insight.number("part").derivation, insight.number("change").derivation
    if not (isinstance(part, Difference) and isinstance(change, Difference)):
        return False
    parts, wholes = [part.minuend, part.subtrahend], [change.minuend, change.subtrahend]
    named = {(p.dimension, p.member, p.told_from, p.told_to) for p in parts if isinstance(p, Part)}
    days = [_day(insight, "previous_month"), _day(insight, "month"), insight.period_to]
    now, before = (Period(days[1], days[2]), Period(days[0], days[1]))
    shares = [insight.number(name).derivation for name in ("share", "earlier_share")]
    return (
        len(named) == 1
        and next(iter(named))[2:] == (days[0], days[2])
        and all(_is_of(*pair, insight.subject) for pair in zip(parts, wholes, (now, before), strict=True))
        and shares == [Ratio(part, change), Ratio(parts[1], wholes[1])]
    )


def _is_of(part: Derivation, whole: Derivation, month: Period, driver: str) -> bool:
    """Whether both are of the driver's month, and of what counts alike."""
    if not (isinstance(part, Part) and isinstance(whole, Realized)) or whole.drivers != (driver,):
        return False
    own = (part.start, part.end, part.unit, part.counted, part.driver)
    return own == (month.start, month.end, whole.unit, whole.counted, driver) and (whole.start, whole.end) == own[:2]


def _of_one_grade(insight: Insight) -> bool:
    """All figures are of one grade, each under its name."""
    own = [leaf for leaf in _leaves(insight) if isinstance(leaf, Graded)]
    grades = {(leaf.suggestion, leaf.horizon, leaf.version, leaf.feature) for leaf in own}
    named = all(
        not isinstance(number.derivation, Graded) or number.derivation.what == number.name for number in insight.numbers
    )
    of_it = {f"suggestion:{leaf.suggestion}" for leaf in own} == {insight.subject}
    return named and of_it and len(grades) == 1 and _day(insight, "accepted_day") <= insight.period_from


def _episode(insight: Insight) -> bool:
    return (_day(insight, "first_day"), _day(insight, "last_day")) == (
        insight.period_from,
        insight.period_to - _ONE_DAY,
    )


def _since_when(insight: Insight) -> bool:
    """The level is of the days from the one that is named on, and set against days before it."""
    day = _day(insight, "since_day")
    after, before = (subject_span(insight.number(name).derivation) for name in ("after", "before"))
    return after is not None and before is not None and after[0] == day == insight.period_from and before[1] <= day


def _on_the_day(insight: Insight) -> bool:
    """One day, by its name in the week, against earlier ones of that name."""
    day = _day(insight, "unusual_day")
    spans = [span_of_leaf(leaf) for leaf in leaves(insight.number("usual").derivation)]
    usual = [span[0] for span in spans if span is not None]
    own = (insight.period_from, insight.period_to) == (day, day + _ONE_DAY)
    alike = all(other < day and other.weekday() == day.weekday() for other in usual)
    return own and alike and insight.terms["weekday"] == str(day.weekday())


def _of_weekdays(insight: Insight) -> bool:
    """Either number is of days of the name that is told."""
    return all(
        span is not None and str(span[0].weekday()) == insight.terms[f"{name}_weekday"]
        for name in ("high", "low")
        for span in map(span_of_leaf, leaves(insight.number(name).derivation))
    )


_PLACED: Final[Mapping[str, Callable[[Insight], bool]]] = {
    "input-change": _changed,
    "expiring-input": _expires,
    "time-to-value": _begins,
    "since-purchase": _begins,
    "payback": _earned,
    "benchmark-standing": _compared,
    "best-practice-gap": _compared,
    "pace": _until_target,
    "change-sits-in": _in_one_part,
    "suggestion-outcome": _of_one_grade,
    "disruption": _episode,
    "change-point": _since_when,
    "unusual-day": _on_the_day,
    "weekly-season": _of_weekdays,
}


def placing_problems(insight: Insight) -> Iterator[str]:
    """Whether days, runs and drivers are those of the numbers."""
    placed = _PLACED.get(insight.kind)
    if placed is not None and not placed(insight):
        yield f"a day, run or driver of a {insight.kind} insight is not that of its numbers"
