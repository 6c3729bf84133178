"""Attainment: realized ÷ committed for the same months, class and state (value rule 15), as known at each month's end.

Only what counts is realized here (value rule 10). At the end of a month its own days are not closed yet, so a point
compares both over the months that were closed by then, and names those that were open. What is posted and planned is
never changed, so a point reads the same whenever it is asked for.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Final, Literal

import msgspec
from sqlalchemy import text

from valueplatform.accounts.accounts import Account
from valueplatform.core.database import Transaction
from valueplatform.core.errors import InvalidInputError, NotFoundError
from valueplatform.core.numbers import round_half_even
from valueplatform.core.periods import ONE_DAY, Period, day_start, local_day, month_of, month_start, months_between
from valueplatform.value.derivation import Bound
from valueplatform.value.model import ValueModel
from valueplatform.value.models import newest_model
from valueplatform.value.objectives import Objective, objectives_of
from valueplatform.value.plans import Target, committed, newest_targets, targets_in_force
from valueplatform.value.reading import targets_of_provider
from valueplatform.value.shown import shown_values
from valueplatform.value.values import FIRST_DAY, LAST_DAY, ZERO, Pledge, is_money, pledges

RATIO_PLACES: Final = 6
MOST_POINTS: Final = 120
Scope = Literal["total", "benefit_class", "objective", "driver"]


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """Both sides of one ratio, in one unit. `attainment` None: not defined, and `reason` says why; `realized` None
    where it cannot be told either. `benefit_class` is '' for the total: money of all classes but strategic."""

    scope: Scope
    name: str
    title: str
    unit: str
    benefit_class: str
    realized: Decimal | None
    committed_low: Decimal | None
    committed_expected: Decimal | None
    committed_high: Decimal | None
    attainment: Decimal | None
    reason: str | None


class Point(msgspec.Struct, frozen=True):
    """As known at the end of `as_of`, of the months that were `closed` by then; `open` ones are in neither side."""

    as_of: date
    closed: Sequence[date]
    open: Sequence[date]
    lines: Sequence[Line]


class Attainment(msgspec.Struct, frozen=True):
    """`points`: one for each month that has ended. `to_date`: as it stands now, open months with what they have so far,
    and committed value to the end of today; None where it is asked as of a day."""

    period: Period
    points: Sequence[Point]
    to_date: Sequence[Line] | None


class Asked(msgspec.Struct, frozen=True):
    """`end` is exclusive; `objective` is the id of one; `provider` keeps a partner to its own part."""

    start: date | None = None
    end: date | None = None
    as_of: date | None = None
    objective: int | None = None
    provider: str | None = None

    def __post_init__(self) -> None:
        for name, day in (("from", self.start), ("to", self.end), ("as_of", self.as_of)):
            if day is not None and not FIRST_DAY <= day <= LAST_DAY:
                raise InvalidInputError(f"`{name}` ({day}) is out of reach; ask for days from {FIRST_DAY} on.")
        if self.start is not None and self.end is not None and self.end <= self.start:
            raise InvalidInputError(f"`to` ({self.end}) must be after `from` ({self.start}).")


class Realized(msgspec.Struct, frozen=True):
    """What counts of one driver in one month; `point` is the first point at which it was known."""

    driver: str
    unit: str
    benefit_class: str
    month: date
    point: int
    expected: Decimal


_REALIZED: Final = text("""
    SELECT p.driver, b.unit, b.benefit_class, date_trunc('month', p.shown_day)::date AS month,
           width_bucket(p.posted_at, CAST(:untils AS timestamptz[])) AS point, sum(p.expected) AS expected
    FROM posting p JOIN basis b ON b.account_id = p.account_id AND b.basis_id = p.basis_id
    WHERE p.account_id = :account AND p.shown_day >= :start AND p.shown_day < :end AND b.counted
      AND (CAST(:provider AS text) IS NULL OR p.provider = :provider)
    GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 4, 5
""")
_CLOSED: Final = text("SELECT month, closed_at FROM closed_month WHERE account_id = :account ORDER BY month")
_FIRST: Final = text("""
    SELECT least((SELECT min(day) FROM accrual
                  WHERE account_id = :account AND (CAST(:provider AS text) IS NULL OR provider = :provider)),
                 (SELECT min(shown_day) FROM posting
                  WHERE account_id = :account AND (CAST(:provider AS text) IS NULL OR provider = :provider)))
""")


async def read_attainment(tx: Transaction, account: Account, asked: Asked, now: datetime) -> Attainment:
    """Raises NoModelError, NotFoundError for an objective that is not there, InvalidInputError."""
    model = await newest_model(tx)
    today = local_day(now, account.timezone)
    period = await _period(tx, account, asked, today, model)
    last = min(asked.as_of or today - ONE_DAY, period.end - ONE_DAY)
    ends = [month_of(month).end - ONE_DAY for month in _months(period) if month_of(month).end - ONE_DAY <= last]
    if len(ends) > MOST_POINTS:
        raise InvalidInputError(f"That is {len(ends)} months; ask for at most {MOST_POINTS} at a time.")
    untils = [day_start(day + ONE_DAY, account.timezone) for day in ends]
    where = {"account": account.account_id, "start": period.start, "end": period.end}
    realized: list[Realized] = []
    if untils:
        rows = await tx.rows(_REALIZED, {**where, "untils": untils, "provider": asked.provider})
        realized = [Realized(**row._asdict()) for row in rows]
    closed = {row.month: row.closed_at for row in await tx.rows(_CLOSED, {"account": account.account_id})}
    points = []
    for number, (day, until) in enumerate(zip(ends, untils, strict=True)):
        ground = await _ground(tx, account, asked, model, until - timedelta(microseconds=1))
        span = Period(period.start, day + ONE_DAY)
        done = [month for month in _months(span) if month in closed and closed[month] < until]
        known = [one for one in realized if one.point <= number and one.month in done]
        points.append(
            Point(
                day,
                done,
                [month for month in _months(span) if month not in done],
                lines(ground, known, [part for month in done if (part := month_of(month).intersect(span))]),
            )
        )
    if asked.as_of is not None:
        return Attainment(period, points, None)
    ground = await _ground(tx, account, asked, model, None)
    return Attainment(period, points, lines(ground, await _until_now(tx, account, asked, period), [period]))


async def _until_now(tx: Transaction, account: Account, asked: Asked, period: Period) -> list[Realized]:
    return [
        Realized(one.driver, one.unit, one.benefit_class, month_start(one.day), 0, one.expected)
        for one in await shown_values(tx, account.account_id, period)
        if one.counted and asked.provider in {None, one.provider}
    ]


def _months(period: Period) -> list[date]:
    return [month.start for month in months_between(month_start(period.start), period.end)]


async def _period(tx: Transaction, account: Account, asked: Asked, today: date, model: ValueModel) -> Period:
    """Without `from`, from the first month with value or targets on, MOST_POINTS months back at most; without `to`, to
    the end of today."""
    end = asked.end or (asked.as_of or today) + ONE_DAY
    if asked.start is not None:
        return Period(asked.start, max(end, asked.start + ONE_DAY))
    targets = await newest_targets(tx, account.account_id)
    if asked.provider is not None:
        targets = targets_of_provider(targets, model, asked.provider)
    first = await tx.scalar(_FIRST, {"account": account.account_id, "provider": asked.provider})
    starts = [day for day in (first, min((t.month for t in targets), default=None)) if day is not None]
    furthest = month_start(end - timedelta(days=31 * MOST_POINTS - 62))
    return Period(max(month_start(min([*starts, end - ONE_DAY])), furthest, FIRST_DAY), end)


class Ground(msgspec.Struct, frozen=True):
    """What was planned, as known at one moment."""

    currency: str
    model: ValueModel
    targets: Sequence[Target]
    objectives: Sequence[Objective]
    only: int | None


async def _ground(
    tx: Transaction, account: Account, asked: Asked, model: ValueModel, moment: datetime | None
) -> Ground:
    targets = await targets_in_force(tx, account.account_id, moment)
    objectives = await objectives_of(tx, account.account_id)
    if asked.objective is not None and all(one.objective_id != asked.objective for one in objectives):
        raise NotFoundError(f"There is no objective {asked.objective}.")
    if moment is not None:
        known = {one.objective_id: one for one in await objectives_of(tx, account.account_id, moment)}
        aimless = {
            one.objective_id: Objective(objective_id=one.objective_id, title=one.title, created_at=one.created_at)
            for one in objectives
        }
        planned = {target.objective_id for target in targets}
        objectives = [known.get(i, one) for i, one in aimless.items() if i in known or i in planned]
    if asked.provider is not None:
        targets = targets_of_provider(targets, model, asked.provider)
        served = {target.objective_id for target in targets}
        if asked.objective is not None and asked.objective not in served:
            raise NotFoundError(f"There is no objective {asked.objective}.")
        objectives = [
            Objective(objective_id=one.objective_id, title=one.title, created_at=one.created_at)
            for one in objectives
            if one.objective_id in served
        ]
    return Ground(account.currency, model, targets, objectives, asked.objective)


_Key = tuple[str, str]
"""Unit and benefit class."""


class _Sum:
    """Realized and committed, before they are divided."""

    def __init__(self) -> None:
        self.realized = ZERO
        self.committed: tuple[Decimal, Decimal, Decimal] | None = None

    def commit(self, bounds: tuple[Decimal, Decimal, Decimal]) -> None:
        low, expected, high = self.committed or (ZERO, ZERO, ZERO)
        self.committed = (low + bounds[0], expected + bounds[1], high + bounds[2])


def lines(ground: Ground, realized: Iterable[Realized], parts: Sequence[Period]) -> list[Line]:
    """Attainment over `parts`, which do not overlap: the total, classes, objectives, drivers."""
    realized = list(realized)
    units = {one.driver: one.unit for one in sorted(realized, key=lambda one: one.month)}
    sums: dict[tuple[str, _Key], _Sum] = defaultdict(_Sum)
    by_objective: dict[tuple[int, _Key], _Sum] = defaultdict(_Sum)
    for one in realized:
        sums[one.driver, (one.unit, one.benefit_class)].realized += one.expected
    for pledge in pledges(ground.targets, ground.model, units, ground.currency):
        bounds = _committed(pledge, parts)
        if bounds is not None:
            key = (pledge.unit, str(pledge.benefit_class))
            sums[pledge.target.driver, key].commit(bounds)
            by_objective[pledge.target.objective_id, key].commit(bounds)
    serving = _serving(ground, parts)
    if ground.only is not None:
        wanted = serving[ground.only]
        chosen = {key: one for key, one in sums.items() if key[0] in wanted}
        return [*_of_objectives(ground, serving, sums, by_objective), *_of_drivers(ground.model, chosen)]
    return [
        _total(ground.currency, sums),
        *_of_classes(sums),
        *_of_objectives(ground, serving, sums, by_objective),
        *_of_drivers(ground.model, sums),
    ]


def _committed(pledge: Pledge, parts: Iterable[Period]) -> tuple[Decimal, Decimal, Decimal] | None:
    """None where the target's month is in no part."""
    month = month_of(pledge.target.month)
    within = [part for part in parts if month.intersect(part) is not None]
    if not within:
        return None
    low, expected, high = (
        sum((committed([pledge.target], part, bound) for part in within), ZERO)
        for bound in (Bound.LOW, Bound.EXPECTED, Bound.HIGH)
    )
    return low, expected, high


def _serving(ground: Ground, parts: Sequence[Period]) -> Mapping[int, Collection[str]]:
    """The drivers of each objective: those it names, and those of its targets in the parts. What is planned for later
    takes nothing from what an objective has attained so far."""
    serving: defaultdict[int, set[str]] = defaultdict(set)
    for one in ground.objectives:
        serving[one.objective_id] |= set(one.aim.drivers)
    for target in ground.targets:
        if any(month_of(target.month).intersect(part) for part in parts):
            serving[target.objective_id].add(target.driver)
    return serving


def _total(currency: str, sums: Mapping[tuple[str, _Key], _Sum]) -> Line:
    total = _Sum()
    for (_, (unit, benefit_class)), one in sums.items():
        if unit == currency and is_money(unit, benefit_class):
            total.realized += one.realized
            if one.committed is not None:
                total.commit(one.committed)
    return _line("total", "total", "All value in money", (currency, ""), total)


def _of_classes(sums: Mapping[tuple[str, _Key], _Sum]) -> list[Line]:
    classes: dict[_Key, _Sum] = defaultdict(_Sum)
    for (_, key), one in sums.items():
        classes[key].realized += one.realized
        if one.committed is not None:
            classes[key].commit(one.committed)
    return [_line("benefit_class", key[1], key[1], key, classes[key]) for key in sorted(classes)]


def _of_drivers(model: ValueModel, sums: Mapping[tuple[str, _Key], _Sum]) -> list[Line]:
    titles = {driver.slug: driver.title or driver.slug for driver in model.drivers}
    return [
        _line("driver", driver, titles.get(driver, driver), key, one) for (driver, key), one in sorted(sums.items())
    ]


def _of_objectives(
    ground: Ground,
    serving: Mapping[int, Collection[str]],
    sums: Mapping[tuple[str, _Key], _Sum],
    committed_to: Mapping[tuple[int, _Key], _Sum],
) -> list[Line]:
    found = []
    titles = {driver.slug: driver.title or driver.slug for driver in ground.model.drivers}
    for one in ground.objectives:
        if ground.only not in {None, one.objective_id}:
            continue
        drivers = serving[one.objective_id]
        shared = sorted(driver for driver in drivers if sum(driver in others for others in serving.values()) > 1)
        keys = {key for driver, key in sums if driver in drivers}
        keys |= {key for objective_id, key in committed_to if objective_id == one.objective_id}
        for key in sorted(keys or {(ground.currency, "")}):
            both = _Sum()
            both.committed = committed_to.get((one.objective_id, key), both).committed
            both.realized = sum((s.realized for (driver, k), s in sums.items() if k == key and driver in drivers), ZERO)
            named = ", ".join(titles.get(each, each) for each in shared)
            reason = f"{named}: serves several objectives, and its value is not split between them."
            found.append(_line("objective", str(one.objective_id), one.title, key, both, reason if shared else None))
    return found


def _line(scope: Scope, name: str, title: str, key: _Key, one: _Sum, undivided: str | None = None) -> Line:
    low, expected, high = one.committed or (None, None, None)
    reason = undivided
    if reason is None and expected is None:
        reason = "Nothing was committed for these months."
    elif reason is None and expected is not None and expected <= 0:
        reason = "What was committed is not above zero, so nothing can be a part of it."
    ratio = None
    if reason is None and expected is not None:
        exact = Fraction(one.realized) / Fraction(expected)
        ratio = round_half_even(exact.numerator, exact.denominator, RATIO_PLACES)
    return Line(
        scope=scope,
        name=name,
        title=title,
        unit=key[0],
        benefit_class=key[1],
        realized=None if undivided is not None else one.realized,
        committed_low=low,
        committed_expected=expected,
        committed_high=high,
        attainment=ratio,
        reason=reason,
    )
