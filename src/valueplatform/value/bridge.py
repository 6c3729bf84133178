"""The value bridge: why value of one period differs from that of another, in parts that add up to the last unit.

Pure and exact: fractions in, amounts in 4 places out. The method is that of variance analysis (docs/decisions/0018):
from the earlier period to the later one, one step at a time, each with everything before it as it is now and everything
after it as it was:

* volume: as much as now was metered, divided, performing and valued as before;
* mix: it is divided as now, over members and providers, or, in a formula that does not add, over the days;
* rate: what is metered beside the volume, per unit of it, is as now;
* assumption: one input after another has the values of now, by name; then the formula itself; last, what the cap of
  a benefit pool takes away.

A member without value in the earlier period is *new*, one without in the later is *lost*: each is one part, whole.
*Adjusted* is what is shown in a period of days outside it, less what is shown elsewhere of its own days.

`value.proof_bridge` works the same parts out from raw events by other code.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from valueplatform.core.numbers import amount_units
from valueplatform.value.bridge_cells import CAP, FORMULA, Cell, Day, Kind, Line, Member, Part, added, by_name
from valueplatform.value.bridge_division import allocated, amount_of, conserved, evaluated
from valueplatform.value.formula import Formula
from valueplatform.value.formula_tree import Name, walk


def bridge(cells: Iterable[Cell], volumes: Collection[str]) -> list[Line]:
    """The bridge of every driver, provider and member, ordered by them.

    `volumes` are the meters that count or sum; the first of them in the formula tells the volume of a driver.
    """
    groups: defaultdict[tuple[str, str, str], list[Cell]] = defaultdict(list)
    for cell in cells:
        groups[cell.driver, cell.unit, cell.benefit_class].append(cell)
    lines = [line for _, group in sorted(groups.items()) for line in _bridge_driver(group, volumes)]
    return sorted(lines, key=lambda x: (x.driver, x.provider, x.unit, x.benefit_class, by_name(x.member)))


@dataclass(frozen=True, slots=True)
class _Item:
    """Days that are looked at as one: with one basis, or a single day where the formula does not add.

    `weight` is its part of the member's volume or days, `profile` its volume against the average, `rates` what each
    meter reads per unit of volume.
    """

    weight: Fraction
    profile: Fraction
    rates: Mapping[str, Fraction]
    inputs: Mapping[str, Fraction]
    formula: str


@dataclass(frozen=True, slots=True)
class _Shape:
    """A member in one period: value = count * share * sum of weight * f(level * profile * rates) over its items."""

    count: Fraction
    level: Fraction
    share: Fraction
    items: Sequence[_Item]


_Pair = tuple[Fraction, _Item, _Item]
_Steps = list[tuple[Kind, str, Fraction]]


def _bridge_driver(cells: Sequence[Cell], volumes: Collection[str]) -> Iterator[Line]:
    stays = [(cell, member) for cell in cells for member in cell.before.members if member in cell.after.members]
    both = [(cell.before.days_of(member), cell.after.days_of(member)) for cell, member in stays]
    adds = all(_adds(day) for sides in both for days in sides for day in days)
    volume = _volume_meter(both, volumes, adds=adds)
    totals = [sum((_size(sides[at], volume) for sides in both), Fraction(0)) for at in (0, 1)]
    for cell in cells:
        yield from _bridge_cell(cell, volume, totals, adds=adds)


def _bridge_cell(cell: Cell, volume: str | None, totals: Sequence[Fraction], *, adds: bool) -> Iterator[Line]:
    before, after = allocated(cell.before), allocated(cell.after)
    adjusted = added([cell.after.adjusted, cell.before.adjusted.copy_negate()])
    loose: Member | None = None  # where adjustments stand, which no dimension divides
    if cell.before.adjusted or cell.after.adjusted:
        known = next(iter({**before, **after}), ())
        loose = tuple(None for _ in known)
    for member in sorted({*before, *after, *([loose] if loose is not None else [])}, key=by_name):
        was, now = before.get(member), after.get(member)
        one, other = cell.before.days_of(member), cell.after.days_of(member)
        parts: list[Part] = []
        if was is not None and now is not None:
            steps = _steps(_shape(one, volume, totals[0], adds=adds), _shape(other, volume, totals[1], adds=adds))
            units = conserved([amount for _, _, amount in steps], now.uncapped - was.uncapped)
            parts = [Part(kind, amount_of(n), subject) for (kind, subject, _), n in zip(steps, units, strict=True) if n]
            if now.taken != was.taken:
                parts.append(Part(Kind.ASSUMPTION, amount_of(now.taken - was.taken), CAP))
        elif now is not None and now.worth:
            parts = [Part(Kind.NEW, amount_of(now.worth))]
        elif was is not None and was.worth:
            parts = [Part(Kind.LOST, amount_of(-was.worth))]
        own = member == loose
        if own and adjusted:
            parts.append(Part(Kind.ADJUSTED, adjusted))
        yield Line(
            driver=cell.driver,
            provider=cell.provider,
            unit=cell.unit,
            benefit_class=cell.benefit_class,
            member=member,
            before=amount_of((was.worth if was else 0) + (amount_units(cell.before.adjusted) if own else 0)),
            after=amount_of((now.worth if now else 0) + (amount_units(cell.after.adjusted) if own else 0)),
            parts=tuple(parts),
            worth_before=amount_of(was.uncapped if was else 0),
            capped=(amount_of(was.taken if was else 0), amount_of(now.taken if now else 0)),
            volume=volume,
            volume_before=_size(one, volume),
            volume_after=_size(other, volume),
            days_before=len(one),
            days_after=len(other),
            rates=_rates_told(one, other, volume),
            inputs=_inputs_told(one, other),
        )


def _adds(day: Day) -> bool:
    return Formula.parse(day.formula).is_additive_in(day.meters)


def _volume_meter(
    both: Sequence[tuple[Sequence[Day], Sequence[Day]]], volumes: Collection[str], *, adds: bool
) -> str | None:
    """The first meter in the formula that counts or sums, if it is above zero wherever the driver has value.

    Else volume is told in days: what is per unit of nothing, or of less than nothing, has no meaning.
    """
    last = max((day for _, days in both for day in days), key=lambda day: day.day, default=None)
    if last is None:
        return None
    names = dict.fromkeys(node.name for node in walk(Formula.parse(last.formula).term) if isinstance(node, Name))
    for name in names:
        if name in volumes and all(
            sum((day.meters.get(name, Fraction(0)) for day in stretch), Fraction(0)) > 0
            for sides in both
            for days in sides
            for stretch in _stretches(days, adds=adds)
        ):
            return name
    return None


def _stretches(days: Sequence[Day], *, adds: bool) -> list[list[Day]]:
    """Days that are looked at as one, by their first day; each day alone where the formula does not add."""
    if not adds:
        return [[day] for day in days]
    found: defaultdict[object, list[Day]] = defaultdict(list)
    for day in sorted(days, key=lambda one: one.day):
        found[day.formula, tuple(sorted(day.inputs.items()))].append(day)
    return list(found.values())


def _size(days: Sequence[Day], volume: str | None) -> Fraction:
    if volume is None:
        return Fraction(len(days))
    return sum((day.meters.get(volume, Fraction(0)) for day in days), Fraction(0))


def _shape(days: Sequence[Day], volume: str | None, total: Fraction, *, adds: bool) -> _Shape:
    size, count = _size(days, volume), len(days)
    stretches = _stretches(days, adds=adds)
    if adds:
        items = [_item(stretch, volume, size, Fraction(1)) for stretch in stretches]
        return _Shape(total, Fraction(1), size / total, items)
    level = size / count if volume is not None else Fraction(1)
    # Days are laid beside each other from the least to the most, so that their order within a period is nothing.
    stretches.sort(key=lambda one: (_size(one, volume), sorted(one[0].meters.items()), one[0].day))
    items = [
        _item(one, volume, Fraction(count), _size(one, volume) / level if volume is not None else Fraction(1))
        for one in stretches
    ]
    return _Shape(Fraction(count), level, Fraction(1), [replace(item, weight=Fraction(1, count)) for item in items])


def _item(stretch: Sequence[Day], volume: str | None, whole: Fraction, profile: Fraction) -> _Item:
    size = _size(stretch, volume)
    names = [name for name in stretch[0].meters if all(name in day.meters for day in stretch)]
    rates = {name: sum((day.meters[name] for day in stretch), Fraction(0)) / size for name in names}
    return _Item(size / whole, profile, rates, stretch[0].inputs, stretch[0].formula)


def _pairs(before: Sequence[_Item], after: Sequence[_Item]) -> list[_Pair]:
    """The items of both periods laid beside each other in order, each by its part of the whole."""
    pairs: list[_Pair] = []
    one, other = 0, 0
    left, right = before[0].weight, after[0].weight
    while True:
        shared = min(left, right)
        if shared:
            pairs.append((shared, before[one], after[other]))
        left, right = left - shared, right - shared
        if not left:
            one += 1
            if one == len(before):
                return pairs
            left = before[one].weight
        if not right:
            other += 1
            right = after[other].weight


def _steps(before: _Shape, after: _Shape) -> _Steps:
    """What each step changes, before rounding. A step that leads to no value is taken together with the next."""
    pairs = _pairs(before.items, after.items)
    changed = sorted(
        {name for _, a, b in pairs for name in a.inputs.keys() & b.inputs.keys() if a.inputs[name] != b.inputs[name]}
    )
    order: list[tuple[Kind, str]] = [(Kind.VOLUME, ""), (Kind.MIX, ""), (Kind.RATE, "")]
    order += [(Kind.ASSUMPTION, name) for name in changed]
    if any(a.formula != b.formula for _, a, b in pairs):
        order.append((Kind.ASSUMPTION, FORMULA))
    taken: set[tuple[Kind, str]] = set()
    standing = _worth(before, after, pairs, taken)
    steps: _Steps = []
    for step in order:
        taken.add(step)
        reached = _worth(before, after, pairs, taken)
        steps.append((*step, reached - standing if reached is not None and standing is not None else Fraction(0)))
        standing = reached if reached is not None else standing
    return steps


def _worth(
    before: _Shape, after: _Shape, pairs: Sequence[_Pair], taken: Collection[tuple[Kind, str]]
) -> Fraction | None:
    """The value with the steps `taken` as now and all others as before; None where the formula has none."""
    sized = after if (Kind.VOLUME, "") in taken else before
    mixed = (Kind.MIX, "") in taken
    share = (after if mixed else before).share
    total = Fraction(0)
    for weight, one, other in pairs:
        metered = other if (Kind.RATE, "") in taken else one
        scale = sized.level * (other if mixed else one).profile
        formula = other.formula if (Kind.ASSUMPTION, FORMULA) in taken else one.formula
        values = {name: rate * scale for name, rate in {**one.rates, **other.rates, **metered.rates}.items()}
        values |= {**one.inputs, **other.inputs}
        values |= {
            name: (other if (Kind.ASSUMPTION, name) in taken else one).inputs[name]
            for name in one.inputs.keys() & other.inputs.keys()
        }
        amount = evaluated(formula, values)
        if amount is None:
            return None
        total += weight * amount
    return sized.count * share * total


def _rates_told(
    before: Sequence[Day], after: Sequence[Day], volume: str | None
) -> Mapping[str, tuple[Fraction, Fraction]]:
    """What each other meter read per unit of volume, over the whole of each period, where both have value."""
    sizes = _size(before, volume), _size(after, volume)
    if not all(sizes):
        return {}
    names = [name for name in before[0].meters if name != volume]
    return {
        name: (
            sum((day.meters.get(name, Fraction(0)) for day in before), Fraction(0)) / sizes[0],
            sum((day.meters.get(name, Fraction(0)) for day in after), Fraction(0)) / sizes[1],
        )
        for name in names
    }


def _inputs_told(before: Sequence[Day], after: Sequence[Day]) -> Mapping[str, tuple[Fraction, Fraction]]:
    if not before or not after:
        return {}
    was, now = (max(days, key=lambda day: day.day).inputs for days in (before, after))
    return {name: (was[name], now[name]) for name in sorted(was.keys() & now.keys())}
