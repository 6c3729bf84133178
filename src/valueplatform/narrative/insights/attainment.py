"""Attainment: realized against committed for the same drivers and days (value rules 10, 15).

Statistic: counted realized value to date, against low, expected and high of the plan in force, months cut by days.
*Ahead* above the high end, *behind* below the low end, else *on plan*. Minimum data: 14 days of a commitment that is
not zero, and one counted row. Source: value rule 15; the band is the plan's own.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from fractions import Fraction

from valueplatform.core.periods import Period
from valueplatform.narrative.document import Status
from valueplatform.narrative.facts import AccountFacts
from valueplatform.narrative.figures import Figure, committed, minus, number, plus, ratio, realized, standing_of
from valueplatform.narrative.insight import Insight, Number, Standing, Strength
from valueplatform.narrative.insights.presence import stalled_since
from valueplatform.narrative.insights.standing import ACCOUNT, strength_of
from valueplatform.narrative.insights.weight import importance
from valueplatform.narrative.windows import commitment_windows
from valueplatform.value.derivation import Bound

MINIMUM_DAYS = 14
LATE_START = timedelta(days=21)
MATTERS = Fraction(1, 4)
"""A cause is told when it covers a quarter of what is missing."""

_SURPRISE = {Status.BEHIND: 1.0, Status.AHEAD: 0.8, Status.ON_PLAN: 0.6}


@dataclass(frozen=True, slots=True)
class Attained:
    """Both sides of a commitment over the same days; `windows` by driver."""

    windows: Mapping[str, Period]
    realized: Figure
    low: Figure
    expected: Figure
    high: Figure

    @property
    def period(self) -> Period:
        return Period(min(w.start for w in self.windows.values()), max(w.end for w in self.windows.values()))

    @property
    def status(self) -> Status:
        if self.realized.value > self.high.value:
            return Status.AHEAD
        return Status.BEHIND if self.realized.value < self.low.value else Status.ON_PLAN


def attained(facts: AccountFacts, drivers: Iterable[str]) -> Attained | None:
    """The standing of drivers that share a unit; None without enough of a commitment, or with nothing counted."""
    chosen = set(drivers)
    windows = {d: p for d, p in commitment_windows(facts).items() if d in chosen and p.days >= MINIMUM_DAYS}
    if not any(_has_counted(facts, driver, period) for driver, period in windows.items()):
        return None
    bounds = {bound: plus(committed(facts, p, ds, bound) for p, ds in _grouped(windows)) for bound in Bound}
    if not bounds[Bound.EXPECTED].value:
        return None
    total = plus(realized(facts, period, drivers) for period, drivers in _grouped(windows))
    return Attained(windows, total, bounds[Bound.LOW], bounds[Bound.EXPECTED], bounds[Bound.HIGH])


def attained_in_total(facts: AccountFacts) -> Attained | None:
    """The standing of the account: all counted value in its currency, also of drivers without targets, so that what
    takes value away is in it. From the first target in the story window to the last."""
    planned = attained(facts, facts.money_drivers)
    if planned is None:
        return None
    total = realized(facts, planned.period, facts.money_drivers)
    return replace(planned, realized=total)


def _has_counted(facts: AccountFacts, driver: str, period: Period) -> bool:
    return facts.ledger.has_rows(period.start, period.end, unit=facts.driver(driver).unit, drivers=(driver,))


def _grouped(windows: Mapping[str, Period]) -> list[tuple[Period, list[str]]]:
    """Drivers by window, so that equal windows are one sum."""
    groups: defaultdict[Period, list[str]] = defaultdict(list)
    for driver, period in sorted(windows.items()):
        groups[period].append(driver)
    return sorted(groups.items(), key=lambda item: (item[0].start, item[0].end))


def objectives(facts: AccountFacts) -> dict[str, tuple[str, ...]]:
    """Drivers by objective, in the order of their first targets; a driver belongs to its first objective."""
    order = sorted({(target.month, target.objective, target.driver) for target in facts.targets})
    known = {driver.slug for driver in facts.drivers}
    taken: set[str] = set()
    found: defaultdict[str, list[str]] = defaultdict(list)
    for _, objective, driver in order:
        if driver in known and driver not in taken:
            taken.add(driver)
            found[objective].append(driver)
    return {objective: tuple(drivers) for objective, drivers in found.items()}


def attainment(facts: AccountFacts) -> list[Insight]:
    found: list[Insight] = []
    whole = attained_in_total(facts)
    if whole is not None:
        found += [_attainment(facts, whole, ACCOUNT, None), _position(facts, whole)]
        if standings := _plan_standing(facts, whole):
            found.append(standings)
    for objective, drivers in objectives(facts).items():
        priced = tuple(driver for driver in drivers if driver in facts.money_drivers)
        together = attained(facts, priced) if len(priced) > 1 else None
        if together is not None and len(together.windows) > 1:
            found.append(_attainment(facts, together, f"objective:{objective}", objective))
        for driver in drivers:
            if alone := attained(facts, (driver,)):
                found.append(_attainment(facts, alone, driver, objective))
    return found


def _attainment(facts: AccountFacts, given: Attained, subject: str, objective: str | None) -> Insight:
    drivers = facts.money_drivers if subject == ACCOUNT else tuple(sorted(given.windows))
    gap = minus(given.realized, given.expected)
    money = drivers[0] in facts.money_drivers
    cause, evidence = _cause(facts, given, subject)
    return Insight(
        kind="attainment",
        subject=subject,
        period_from=given.period.start,
        period_to=given.period.end,
        numbers=(*_numbers(facts, given, drivers), *evidence),
        strength=strength_of(facts, subject) if subject in drivers else Strength.STRONG,
        importance=importance(facts, gap.value, _SURPRISE[given.status]) if money else 0.4,
        terms=_terms(facts, given, subject, objective) | cause,
        drivers=drivers,
        objective=objective,
        favorable=given.status is not Status.BEHIND,
        anchor=f"since {given.period.start}",
    )


def _numbers(facts: AccountFacts, given: Attained, drivers: tuple[str, ...]) -> Iterator[Number]:
    unit = facts.driver(drivers[0]).unit
    standing = standing_of(facts, given.period, drivers)
    yield number("realized", given.realized, unit, standing)
    yield number("expected", given.expected, unit)
    yield number("low", given.low, unit)
    yield number("high", given.high, unit)
    yield number("gap", minus(given.realized, given.expected), unit, _inherited(standing))
    if given.expected.value > 0:
        yield number("share", ratio(given.realized, given.expected), "share", _inherited(standing))


def _inherited(standing: Standing) -> Standing:
    return Standing.TOUCHED if standing is Standing.UNDER_REVIEW else standing


def _terms(facts: AccountFacts, given: Attained, subject: str, objective: str | None) -> dict[str, str]:
    terms = {"status": given.status.value, "since_day": given.period.start.isoformat(), "cause": "none"}
    if objective is not None:
        terms["objective_name"] = objective
    if subject in given.windows:
        terms["driver_name"] = facts.driver(subject).title
        terms["priced"] = "yes" if subject in facts.money_drivers else "no"
    return terms


def _cause(facts: AccountFacts, given: Attained, subject: str) -> tuple[dict[str, str], list[Number]]:
    """Why a driver is behind, where the record knows: it stopped, waits for validation, or began late. With the numbers
    that bear it out."""
    if subject not in given.windows or given.status is not Status.BEHIND:
        return {}, []
    unit = facts.driver(subject).unit
    if stopped := stalled_since(facts, subject):
        since = realized(facts, Period(stopped, facts.tomorrow), (subject,), counted=False)
        return {"cause": "stalled", "stopped_day": stopped.isoformat()}, [number("since_stop", since, unit)]
    if waiting := _waiting(facts, given, subject):
        validator = facts.person("validator")
        return {"cause": "waiting"} | ({"validator_name": validator} if validator else {}), [waiting]
    first = facts.ledger.first_day(unit, (subject,))
    if first is not None and given.period.end > first >= given.period.start + LATE_START:
        later = realized(facts, Period(first, given.period.end), (subject,))
        return {"cause": "late-start", "first_day": first.isoformat()}, [number("later", later, unit)]
    return {}, []


def _waiting(facts: AccountFacts, given: Attained, driver: str) -> Number | None:
    """What waits for validation, if it would close a good part of the gap."""
    period = given.windows[driver]
    waiting = minus(realized(facts, period, (driver,), counted=False), realized(facts, period, (driver,)))
    missing = given.expected.value - given.realized.value
    if waiting.value <= 0 or waiting.value < missing * MATTERS:
        return None
    standing = standing_of(facts, period, (driver,), counted=False)
    return number("waiting", waiting, facts.driver(driver).unit, standing)


def _position(facts: AccountFacts, given: Attained) -> Insight:
    """Where the total lies in or beside the committed range."""
    edge = given.high if given.status is Status.AHEAD else given.low
    distance = minus(given.realized, edge)
    standing = standing_of(facts, given.period, facts.money_drivers)
    return Insight(
        kind="committed-range",
        subject=ACCOUNT,
        period_from=given.period.start,
        period_to=given.period.end,
        numbers=(
            number("low", given.low, facts.currency),
            number("high", given.high, facts.currency),
            number("distance", distance, facts.currency, standing),
            number("realized", given.realized, facts.currency, standing),
        ),
        strength=Strength.STRONG,
        importance=importance(facts, distance.value, _SURPRISE[given.status]),
        terms={"status": given.status.value},
        drivers=facts.money_drivers,
        favorable=given.status is not Status.BEHIND,
        anchor=f"since {given.period.start}",
    )


def _plan_standing(facts: AccountFacts, given: Attained) -> Insight | None:
    """Which drivers lead and which hold the total back; None unless two have a standing and one leads or lags."""
    parts = {driver: attained(facts, (driver,)) for driver in given.windows}
    gaps = {d: part for d, part in parts.items() if part is not None}
    order = sorted(gaps, key=lambda d: (gaps[d].realized.value - gaps[d].expected.value, d))
    worst = [d for d in order if gaps[d].status is Status.BEHIND][:1]
    best = [d for d in reversed(order) if gaps[d].status is Status.AHEAD][: 1 if worst else 2]
    if len(gaps) < 2 or not (worst or best):
        return None
    named = {"behind": worst[0]} if worst else {}
    named |= {f"ahead{place}": driver for place, driver in enumerate(best, start=1)}
    numbers = [
        number(
            name,
            minus(gaps[driver].realized, gaps[driver].expected),
            facts.currency,
            _inherited(standing_of(facts, gaps[driver].period, (driver,))),
        )
        for name, driver in named.items()
    ]
    told = [gaps[driver].period for driver in named.values()]
    return Insight(
        kind="plan-standing",
        subject=ACCOUNT,
        period_from=min(period.start for period in told),
        period_to=max(period.end for period in told),
        numbers=tuple(numbers),
        strength=Strength.STRONG,
        importance=importance(facts, sum((abs(Fraction(n.value)) for n in numbers), Fraction(0)), 0.8),
        terms={f"{name}_name": facts.driver(driver).title for name, driver in named.items()}
        | {"shape": "-".join(named)},
        drivers=tuple(sorted(named.values())),
        favorable=not worst,
        anchor=f"since {given.period.start}",
    )
