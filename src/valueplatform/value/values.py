"""The value read: realized beside committed, by window and group, with totals by class and state (value rule 4)."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Final

import msgspec

from valueplatform.core.errors import UnprocessableError
from valueplatform.core.periods import Period, Window, month_of, window_start
from valueplatform.value.basis import is_currency
from valueplatform.value.derivation import Bound
from valueplatform.value.model import BenefitClass, Evidence, ValueModel, weakest
from valueplatform.value.plans import Target, committed
from valueplatform.value.shown import ShownValue
from valueplatform.value.slices import Slice
from valueplatform.value.states import State, weakest_state

ZERO: Final = Decimal("0.0000")
GROUPS: Final = ("driver", "benefit_class", "objective", "feature", "provider", "state", "evidence")
COMMITTED_GROUPS: Final = frozenset({"driver", "objective", "feature", "benefit_class"})
"""Groups that a commitment has too; by any other a row has no committed value."""

FIRST_DAY: Final = date(1000, 1, 1)
LAST_DAY: Final = date(9000, 1, 1)
"""Reads stay within these days, a long way from where the calendar ends."""


class ValueRow(msgspec.Struct, frozen=True):
    """One window and group. `state` and `evidence` are the weakest in it; `counted` is what value rule 10 counts.
    A group is '' where the value belongs to none, and committed is None where nothing was committed. Low and high are
    None where the value of a driver is divided in it: ranges of parts do not add up to that of the whole."""

    window_start: date
    groups: Mapping[str, str]
    unit: str
    benefit_class: str
    evidence: Evidence | None
    state: State | None
    realized: Decimal
    realized_low: Decimal | None
    realized_high: Decimal | None
    counted: Decimal
    committed_low: Decimal | None
    committed_expected: Decimal | None
    committed_high: Decimal | None


class Totals(msgspec.Struct, frozen=True):
    """In the account's currency. `excluded` lists other currencies that drivers are priced in: they are in rows
    and in no total."""

    realized: Decimal
    realized_low: Decimal
    realized_high: Decimal
    counted: Decimal
    realized_by_class: Mapping[str, Decimal]
    realized_by_state: Mapping[str, Decimal]
    committed_low: Decimal
    committed_expected: Decimal
    committed_high: Decimal
    excluded: Sequence[str]


class Pledge(msgspec.Struct, frozen=True):
    """A target, and what the driver that it is for is measured in."""

    target: Target
    unit: str
    benefit_class: BenefitClass


@dataclass(frozen=True, slots=True)
class Cut:
    """How to cut value: windows, groups, and what windows need to know.

    `features` are those of each driver, `dimensions` those of the meters, by which values come as slices. A window that
    begins before the period is shown from the period's first day.
    Raises UnprocessableError for a group that value is not kept by, InvalidInputError for contract years without a
    contract.
    """

    period: Period
    window: Window = Window.TOTAL
    group_by: tuple[str, ...] = ("driver",)
    fiscal_month: int = 1
    contract_start: date | None = None
    features: Mapping[str, Sequence[str]] = field(default_factory=dict)
    dimensions: Collection[str] = ()

    def __post_init__(self) -> None:
        for group in self.group_by:
            if group not in GROUPS and group not in self.dimensions:
                named = ", ".join(sorted(self.dimensions)) or "there are none"
                raise UnprocessableError(
                    f"Value cannot be cut by {group!r}: use {', '.join(GROUPS)}, "
                    f"or a dimension of the meters ({named})."
                )
        self.window_of(self.period.start)  # fails now rather than only where there is value

    def window_of(self, day: date) -> date:
        if self.window is Window.TOTAL:
            return self.period.start
        start = window_start(day, self.window, fiscal_month=self.fiscal_month, contract_start=self.contract_start)
        return max(start, self.period.start)


_Bounds = tuple[Decimal, Decimal, Decimal]


@dataclass(slots=True)
class _Cell:
    low: Decimal = ZERO
    expected: Decimal = ZERO
    high: Decimal = ZERO
    counted: Decimal = ZERO
    ranged: bool = True
    parts: dict[tuple[str, str, State, Evidence], _Bounds] = field(default_factory=dict)

    def add(self, value: ShownValue) -> None:
        self.ranged = self.ranged and not isinstance(value, Slice)
        self.low += value.low
        self.expected += value.expected
        self.high += value.high
        self.counted += value.expected if value.counted else ZERO
        part = (value.driver, value.provider, value.state, value.evidence)
        low, expected, high = self.parts.get(part, (ZERO, ZERO, ZERO))
        self.parts[part] = (low + value.low, expected + value.expected, high + value.high)

    def standing(self) -> tuple[State | None, Evidence | None]:
        """The weakest state and grade in it. What was posted and taken back again, as an estimate is once it is
        validated after the close, is no longer in it."""
        kept = [part for part, bounds in self.parts.items() if any(bounds)] or list(self.parts)
        if not kept:
            return None, None
        return weakest_state([part[2] for part in kept]), weakest([part[3] for part in kept])


_Key = tuple[date, tuple[str, ...], str, str]


def pledges(
    targets: Iterable[Target], model: ValueModel, shown_units: Mapping[str, str], currency: str
) -> list[Pledge]:
    """Targets of the drivers that the model has. A driver is measured in the unit that its amounts carry in this
    account; before there are any, in the account's currency where it is money, else in the model's unit."""
    drivers = {driver.slug: driver for driver in model.drivers}
    found = []
    for target in targets:
        driver = drivers.get(target.driver)
        if driver is not None:
            unit = shown_units.get(driver.slug) or (currency if driver.currency else driver.unit)
            found.append(Pledge(target, unit, driver.benefit_class))
    return found


def rows(values: Iterable[ShownValue], pledged: Sequence[Pledge], cut: Cut) -> list[ValueRow]:
    """Value of `cut.period` by window and group; committed stands beside it where the groups allow.

    Raises UnprocessableError where a driver serves several objectives, or several features without being divided, and
    the cut is by these.
    """
    shown = [value for value in values if value.day in cut.period]
    whole = {value.driver for value in shown if not isinstance(value, Slice)}
    serves = _served(whole, {value.driver for value in shown}, pledged, cut)
    cells: defaultdict[_Key, _Cell] = defaultdict(_Cell)
    for value in shown:
        group = tuple(_group(value, name, serves) for name in cut.group_by)
        cells[cut.window_of(value.day), group, value.unit, value.benefit_class].add(value)
    commitments = _commitments(pledged, cut, serves) if set(cut.group_by) <= COMMITTED_GROUPS else {}
    return [_row(cut, key, cells.get(key, _Cell()), commitments.get(key)) for key in sorted({*cells, *commitments})]


def _row(cut: Cut, key: _Key, cell: _Cell, commitment: _Bounds | None) -> ValueRow:
    window, group, unit, benefit_class = key
    low, expected, high = commitment or (None, None, None)
    state, evidence = cell.standing()
    return ValueRow(
        window_start=window,
        groups=dict(zip(cut.group_by, group, strict=True)),
        unit=unit,
        benefit_class=benefit_class,
        evidence=evidence,
        state=state,
        realized=cell.expected,
        realized_low=cell.low if cell.ranged else None,
        realized_high=cell.high if cell.ranged else None,
        counted=cell.counted,
        committed_low=low,
        committed_expected=expected,
        committed_high=high,
    )


_Served = Mapping[str, Mapping[str, str]]
"""What each driver serves, by the name of the group."""


def _group(value: ShownValue, name: str, serves: _Served) -> str:
    if isinstance(value, Slice) and name in value.members:
        return value.members[name]
    return serves[name].get(value.driver, "") if name in serves else str(getattr(value, name))


def _served(whole: Collection[str], valued: Collection[str], pledged: Sequence[Pledge], cut: Cut) -> _Served:
    """`whole` are drivers with value that is not divided."""
    objectives: defaultdict[str, set[str]] = defaultdict(set)
    for pledge in pledged:
        objectives[pledge.target.driver].add(pledge.target.objective)
    features = {
        driver: cut.features.get(driver, ())
        for driver in {*valued, *objectives}
        if driver in whole or not _serves_several(driver, cut)
    }
    served: Mapping[str, Mapping[str, Collection[str]]] = {"objective": objectives, "feature": features}
    return {name: _one_each(name, served[name]) for name in cut.group_by if name in served}


def _serves_several(driver: str, cut: Cut) -> bool:
    return len(cut.features.get(driver, ())) > 1


def _one_each(name: str, serving: Mapping[str, Collection[str]]) -> dict[str, str]:
    """The one objective or feature of each driver."""
    for driver, titles in sorted(serving.items()):
        if len(titles) > 1:
            raise UnprocessableError(
                f"Value cannot be cut by {name}: driver {driver!r} serves {len(titles)} {name}s "
                f"({', '.join(sorted(titles))}), and its value is not split between them."
            )
    return {driver: next(iter(titles)) for driver, titles in serving.items() if titles}


def _commitments(pledged: Iterable[Pledge], cut: Cut, serves: _Served) -> dict[_Key, _Bounds]:
    """Committed value by the keys of rows. Work grows with the targets, not with the length of the period.

    What is committed for a driver of several features is divided over none of them: it is in no row by feature, and
    where rows add up several drivers, nothing is.
    """
    pledged = list(pledged)
    divided = [one for one in pledged if "feature" in cut.group_by and _serves_several(one.target.driver, cut)]
    if divided and "driver" not in cut.group_by:
        return {}
    sums: defaultdict[_Key, _Bounds] = defaultdict(lambda: (ZERO, ZERO, ZERO))
    for pledge in pledged:
        if pledge in divided:
            continue
        target = pledge.target
        names = {"driver": target.driver, "objective": target.objective, "benefit_class": str(pledge.benefit_class)}
        names["feature"] = serves.get("feature", {}).get(target.driver, "")
        group = tuple(names[name] for name in cut.group_by)
        for part in _parts(target, cut):
            key = (cut.window_of(part.start), group, pledge.unit, str(pledge.benefit_class))
            low, expected, high = sums[key]
            sums[key] = (
                low + committed([target], part, Bound.LOW),
                expected + committed([target], part, Bound.EXPECTED),
                high + committed([target], part, Bound.HIGH),
            )
    return dict(sums)


def _parts(target: Target, cut: Cut) -> list[Period]:
    """The target's month within the period, cut where a new window begins."""
    month = month_of(target.month).intersect(cut.period)
    if month is None:
        return []
    starts = [day for day in month if day == month.start or cut.window_of(day) == day]
    return [Period(start, end) for start, end in zip(starts, [*starts[1:], month.end], strict=True)]


def totals(values: Iterable[ShownValue], pledged: Iterable[Pledge], period: Period, currency: str) -> Totals:
    """Sums over the monetized value of the period, in the account's currency."""
    money = [value for value in values if value.day in period and is_money(value.unit, value.benefit_class)]
    own = [value for value in money if value.unit == currency]
    priced = [pledge for pledge in pledged if is_money(pledge.unit, pledge.benefit_class)]
    targets = [pledge.target for pledge in priced if pledge.unit == currency]
    abroad = {pledge.unit for pledge in priced if month_of(pledge.target.month).intersect(period)}
    return Totals(
        realized=sum((v.expected for v in own), ZERO),
        realized_low=sum((v.low for v in own), ZERO),
        realized_high=sum((v.high for v in own), ZERO),
        counted=sum((v.expected for v in own if v.counted), ZERO),
        realized_by_class=_sums(own, lambda v: v.benefit_class),
        realized_by_state=_sums(own, lambda v: v.state),
        committed_low=committed(targets, period, Bound.LOW),
        committed_expected=committed(targets, period, Bound.EXPECTED),
        committed_high=committed(targets, period, Bound.HIGH),
        excluded=sorted(({v.unit for v in money} | abroad) - {currency}),
    )


def is_money(unit: str, benefit_class: str) -> bool:
    """Whether it may be in a total: strategic value never is, even where it has a price (value rule 4)."""
    return is_currency(unit) and benefit_class != BenefitClass.STRATEGIC


def _sums(values: Iterable[ShownValue], key: Callable[[ShownValue], str]) -> dict[str, Decimal]:
    sums: defaultdict[str, Decimal] = defaultdict(lambda: ZERO)
    for value in values:
        sums[str(key(value))] += value.expected
    return dict(sorted(sums.items()))


def whole_period(
    first_value: date | None, targets: Iterable[Target], contract_start: date | None, today: date
) -> Period:
    """The default period of a read: from the first value, target or contract to the end of today."""
    starts = [day for day in (first_value, contract_start, min((t.month for t in targets), default=None)) if day]
    return Period(max(min([*starts, today]), FIRST_DAY), today + timedelta(days=1))
