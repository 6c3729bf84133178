"""Whether the pace of late is enough: what will be realized by the end of the plan, against what is committed by
then.

Statistic: counted value of the account so far, and the forecast of the weeks up to the end of the plan or of the
contract year, whichever is first, with an interval that nine of ten such sums fall into (`judgment.pace`, by the
definition of `derivation.Forecast`: damped trend after Gardner and McKenzie 1985, interval from its own past errors).
*Behind* where the whole interval lies below the low end of what is committed, *ahead* where it lies above the high
end, *on plan* where the forecast itself lies between the two, else it is *open*. No test of its own: the interval is
the control, one forecast an account is told, and it moves once a week, since weeks are counted back from the end.
Minimum data: 36 whole weeks with value, three times as many as are ahead, at least four of those; what counts is the
same all the way through and nothing was adjusted (else a change of state would be a pace).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Final

from valueplatform.core.periods import ONE_DAY, Period, next_month
from valueplatform.narrative.document import Status
from valueplatform.narrative.facts import AccountFacts
from valueplatform.narrative.figures import Figure, committed, constant, forecast_of, minus, number, plus, realized
from valueplatform.narrative.insight import Insight, Number, Standing, Strength
from valueplatform.narrative.insights.attainment import attained_in_total
from valueplatform.narrative.insights.series import WEEK, adjusted_in
from valueplatform.narrative.insights.standing import ACCOUNT
from valueplatform.narrative.insights.weight import importance
from valueplatform.narrative.judgment.pace import MOST_WEEKS, Pace, may_forecast, pace
from valueplatform.narrative.windows import commitment_windows, story_window
from valueplatform.value.derivation import Bound, Realized, weeks_of

LEAST_AHEAD: Final = 4
COVERAGE: Final = "0.9"
OPEN: Final = "open"
_SURPRISE: Final = {Status.BEHIND: 0.9, OPEN: 0.7, Status.AHEAD: 0.6, Status.ON_PLAN: 0.5}


@dataclass(frozen=True, slots=True)
class _Course:
    """From `start` to `target`, of which everything before `today` is known; `past` are the weeks before, `ahead` how
    many are left."""

    start: date
    today: date
    target: date
    past: Realized
    ahead: int

    @property
    def so_far(self) -> Period:
        return Period(self.start, self.today)


def paces(facts: AccountFacts) -> list[Insight]:
    """At most one."""
    course = _course(facts)
    if course is None:
        return []
    weeks = [realized(facts, Period(week.start, week.end), week.drivers).value for week in weeks_of(course.past)]
    if not may_forecast(len(weeks), course.ahead) or not weeks[-1]:
        return []
    return [_pace(facts, course, pace(weeks, course.ahead))]


def _course(facts: AccountFacts) -> _Course | None:
    """None where nothing is committed beyond the next weeks, or what counts changed on the way."""
    whole = attained_in_total(facts)
    target = _target(facts)
    if whole is None or target is None or facts.providers:
        return None
    ahead = -(-(target - facts.today).days // 7)
    today = target - ahead * WEEK
    first = facts.ledger.first_day(facts.currency, facts.money_drivers)
    if first is None or ahead < LEAST_AHEAD or today <= whole.period.start:
        return None
    known = min((today - first).days // 7, MOST_WEEKS)
    past = Period(today - known * WEEK, today) if known > 0 else None
    if past is None or not _counts_alike(facts, past) or adjusted_in(facts, past, facts.money_drivers):
        return None
    leaf = Realized(past.start, past.end, facts.currency, facts.money_drivers, facts.providers)
    return _Course(whole.period.start, today, target, leaf, ahead)


def _target(facts: AccountFacts) -> date | None:
    """The end of the plan, but no later than that of the contract year."""
    ends = [next_month(target.month) for target in facts.targets if target.driver in facts.money_drivers]
    window = story_window(facts)
    return min([max(ends), *([window.end] if window.is_contract_year else [])]) if ends else None


def _counts_alike(facts: AccountFacts, past: Period) -> bool:
    """Whether no driver came to count, or ceased to, on the way."""
    return not any(
        facts.ledger.has_rows(past.start, past.end, unit=facts.currency, drivers=(driver,))
        and facts.ledger.uncounted_rows(past.start, past.end, unit=facts.currency, drivers=(driver,))
        for driver in facts.money_drivers
    )


def _pace(facts: AccountFacts, course: _Course, given: Pace) -> Insight:
    so_far = realized(facts, course.so_far, facts.money_drivers)
    ends = {
        bound: plus([so_far, forecast_of(course.past, course.ahead, bound, getattr(given, bound.value))])
        for bound in Bound
    }
    plan = {bound: _committed(facts, course, bound) for bound in Bound}
    gap = minus(ends[Bound.EXPECTED], plan[Bound.EXPECTED])
    status = _status(ends, plan)
    return Insight(
        kind="pace",
        subject=ACCOUNT,
        period_from=course.start,
        period_to=course.today,
        numbers=(
            number("realized", so_far, facts.currency, Standing.VALIDATED),
            *_predicted(facts, {"projected": ends[Bound.EXPECTED], "low": ends[Bound.LOW], "high": ends[Bound.HIGH]}),
            number("committed", plan[Bound.EXPECTED], facts.currency),
            number("committed_low", plan[Bound.LOW], facts.currency),
            number("committed_high", plan[Bound.HIGH], facts.currency),
            *_predicted(facts, {"gap": gap}),
            number("coverage", constant(COVERAGE), "share"),
        ),
        strength=Strength.MODERATE,
        importance=importance(facts, _weight(gap.value, status, so_far.value), _SURPRISE[status]),
        terms={"status": str(status), "target_day": (course.target - ONE_DAY).isoformat()},
        drivers=facts.money_drivers,
        favorable=None if status == OPEN else status != Status.BEHIND,
        anchor=f"until {course.target}",
    )


def _weight(gap: Fraction, status: str, so_far: Fraction) -> Fraction:
    """On plan is worth telling for all that is on the way."""
    return so_far / 4 if status == Status.ON_PLAN else gap


def _predicted(facts: AccountFacts, named: dict[str, Figure]) -> Iterable[Number]:
    return (number(name, figure, facts.currency, Standing.PREDICTED) for name, figure in named.items())


def _committed(facts: AccountFacts, course: _Course, bound: Bound) -> Figure:
    """By the end, of the drivers that the plan speaks of."""
    drivers = [driver for driver in commitment_windows(facts) if driver in facts.money_drivers]
    return committed(facts, Period(course.start, course.target), drivers, bound)


def _status(ends: dict[Bound, Figure], plan: dict[Bound, Figure]) -> str:
    if ends[Bound.HIGH].value < plan[Bound.LOW].value:
        return Status.BEHIND
    if ends[Bound.LOW].value > plan[Bound.HIGH].value:
        return Status.AHEAD
    is_inside = plan[Bound.LOW].value <= ends[Bound.EXPECTED].value <= plan[Bound.HIGH].value
    return Status.ON_PLAN if is_inside else OPEN
