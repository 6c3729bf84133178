"""The parts of a value bridge from what two periods read, stepped through anew: every cut is valued for every step."""

from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from itertools import accumulate

from valueplatform.value import proof_expression as expression
from valueplatform.value.proof import (
    rounded,
)

Cut = tuple[str | None, ...]


@dataclass(frozen=True, slots=True)
class ProvedDay:
    """A day with value: what its meters read, the inputs that held, and the formula in force."""

    day: date
    meters: Mapping[str, Fraction]
    inputs: Mapping[str, Fraction]
    formula: str


@dataclass(slots=True)
class ProvedSide:
    """`uncapped` is what the days are worth before the cap of a benefit pool."""

    worth: Decimal = Decimal(0)
    adjusted: Decimal = Decimal(0)
    cuts: dict[Cut, list[ProvedDay]] = field(default_factory=dict)
    uncapped: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class ProvedBridge:
    """Both ends and what lies between them, by kind and input ('' for all kinds but assumption)."""

    before: Decimal
    after: Decimal
    parts: Mapping[tuple[str, str], Decimal]


Sides = Mapping[str, tuple[ProvedSide, ProvedSide]]
"""Before and after, by provider: one driver in one unit."""


def split(sides: Sides, volumes: Collection[str]) -> dict[tuple[str, Cut], ProvedBridge]:
    """One driver in one unit, by provider and cut."""
    stays = {
        (provider, cut): (before.cuts[cut], after.cuts[cut])
        for provider, (before, after) in sides.items()
        for cut in before.cuts.keys() & after.cuts.keys()
    }
    metered = {name for pair in stays.values() for days in pair for day in days for name in day.meters}
    formulas = {day.formula for pair in stays.values() for days in pair for day in days}
    adds = all(degree_of(expression.read(formula), metered) == 1 for formula in formulas)
    meter = _told_in(list(stays.values()), volumes, adds=adds)
    totals = [sum((_volume(pair[at], meter) for pair in stays.values()), Fraction(0)) for at in (0, 1)]
    found: dict[tuple[str, Cut], ProvedBridge] = {}
    for provider, (before, after) in sides.items():
        was, now = divided_units(before), divided_units(after)
        for cut in was.keys() | now.keys():
            units: dict[tuple[str, str], int] = {}
            (left, alone), (leaves, comes) = was.get(cut, (0, 0)), now.get(cut, (0, 0))
            if cut in was and cut in now:
                walk = _walk(stays[provider, cut], meter, totals, adds=adds)
                units = dict(zip(walk, whole_units(list(walk.values()), comes - alone), strict=True))
                units["assumption", "@cap"] = (leaves - comes) - (left - alone)
            elif cut in now:
                units["new", ""] = leaves
            else:
                units["lost", ""] = -left
            parts = {kind: _places(number) for kind, number in units.items() if number}
            found[provider, cut] = ProvedBridge(_places(left), _places(leaves), parts)
        if before.adjusted or after.adjusted:
            nowhere = (None,) * max((len(cut) for cut in (*was, *now)), default=0)
            found[provider, nowhere] = _adjusted(found.get((provider, nowhere)), before.adjusted, after.adjusted)
    return found


def _adjusted(bridge: ProvedBridge | None, before: Decimal, after: Decimal) -> ProvedBridge:
    standing = bridge or ProvedBridge(Decimal(0), Decimal(0), {})
    change = sum_of([after, before.copy_negate()])
    parts = {**standing.parts, **({("adjusted", ""): change} if change else {})}
    return ProvedBridge(sum_of([standing.before, before]), sum_of([standing.after, after]), parts)


def degree_of(node: object, metered: Collection[str]) -> int | None:
    """0: free of meters; 1: a sum of them, each times something free of them; None: anything else."""
    match node:
        case ("name", str() as name):
            return int(name in metered)
        case ("number", Fraction()):
            return 0
        case ("negative", tuple() as inner):
            return degree_of(inner, metered)
        case (("+" | "-"), tuple() as left, tuple() as right):
            degrees = {degree_of(left, metered), degree_of(right, metered)}
            return degrees.pop() if len(degrees) == 1 else None
        case ("*", tuple() as left, tuple() as right):
            degrees = {degree_of(left, metered), degree_of(right, metered)}
            return None if None in degrees or degrees == {1} else max(d for d in degrees if d is not None)
        case ("/", tuple() as left, tuple() as right):
            return degree_of(left, metered) if degree_of(right, metered) == 0 else None
        case ("case", tuple() as branches, tuple() as default):
            degrees = {degree_of(default, metered), *(degree_of(value, metered) for _, value in branches)}
            tests = all(not _reads(condition, metered) for condition, _ in branches)
            return degrees.pop() if tests and len(degrees) == 1 else None
    return None if _reads(node, metered) else 0


def _reads(node: object, metered: Collection[str]) -> bool:
    if isinstance(node, tuple):
        if len(node) == 2 and node[0] == "name":
            return node[1] in metered
        return any(_reads(part, metered) for part in node)
    return False


def _in_order(node: object) -> Iterable[str]:
    """Names as they are read, again and again."""
    if isinstance(node, tuple):
        if len(node) == 2 and node[0] == "name":
            yield str(node[1])
        else:
            for part in node:
                yield from _in_order(part)


def _volume(days: Iterable[ProvedDay], meter: str | None) -> Fraction:
    return sum((Fraction(1) if meter is None else day.meters.get(meter, Fraction(0)) for day in days), Fraction(0))


def _together(days: Sequence[ProvedDay], *, adds: bool) -> list[list[ProvedDay]]:
    """Days that may be added up: those with the same inputs, where the formula adds; else one by one."""
    if not adds:
        return [[day] for day in days]
    kept: list[list[ProvedDay]] = []
    for day in sorted(days, key=lambda one: one.day):
        same = next((group for group in kept if (group[0].inputs, group[0].formula) == (day.inputs, day.formula)), None)
        if same is None:
            kept.append([day])
        else:
            same.append(day)
    return kept


def _told_in(
    pairs: Sequence[tuple[Sequence[ProvedDay], Sequence[ProvedDay]]], volumes: Collection[str], *, adds: bool
) -> str | None:
    """The first meter read that tells volume and is above zero wherever there is value; None: days."""
    groups = [group for pair in pairs for days in pair for group in _together(days, adds=adds)]
    last = max((day for _, days in pairs for day in days), key=lambda one: one.day, default=None)
    for name in _in_order(expression.read(last.formula)) if last is not None else ():
        if name in volumes and all(_volume(group, name) > 0 for group in groups):
            return name
    return None


_Piece = tuple[Fraction, Mapping[str, Fraction], Mapping[str, Fraction], str]
"""Its height over the average (1 where the formula adds), what its meters read for one unit of volume, its inputs and
its formula."""


@dataclass(frozen=True, slots=True)
class _Layer:
    """One period laid out: `ends` are the shares of it at which each piece ends."""

    ends: Sequence[Fraction]
    pieces: Sequence[_Piece]
    times: Fraction
    height: Fraction
    part: Fraction

    def at(self, share: Fraction) -> _Piece:
        return self.pieces[bisect_right(self.ends, share)]


def _layer(days: Sequence[ProvedDay], meter: str | None, total: Fraction, *, adds: bool) -> _Layer:
    own = _volume(days, meter)
    average = Fraction(1) if adds or meter is None else own / len(days)
    groups = _together(days, adds=adds)
    if not adds:
        groups.sort(key=lambda one: (_volume(one, meter), sorted(one[0].meters.items()), one[0].day))
    pieces, widths = [], []
    for group in groups:
        size = _volume(group, meter)
        shared = set.intersection(*(set(day.meters) for day in group))
        read = {name: sum((day.meters[name] for day in group), Fraction(0)) / size for name in shared}
        height = Fraction(1) if adds or meter is None else size / average
        pieces.append((height, read, group[0].inputs, group[0].formula))
        widths.append(size / own if adds else Fraction(1, len(days)))
    part = own / total if adds else Fraction(1)
    return _Layer(list(accumulate(widths)), pieces, total if adds else Fraction(len(days)), average, part)


def _walk(
    pair: tuple[Sequence[ProvedDay], Sequence[ProvedDay]],
    meter: str | None,
    totals: Sequence[Fraction],
    *,
    adds: bool,
) -> dict[tuple[str, str], Fraction]:
    """The value of every step less that of the one before it; a step without a value goes with the next."""
    then, now = (_layer(days, meter, total, adds=adds) for days, total in zip(pair, totals, strict=True))
    ends = sorted({*then.ends, *now.ends})
    starts = [Fraction(0), *ends[:-1]]
    cuts = [(end - start, then.at(start), now.at(start)) for start, end in zip(starts, ends, strict=True)]
    differing = {name for _, old, new in cuts for name in old[2].keys() & new[2].keys() if old[2][name] != new[2][name]}
    steps = [("volume", ""), ("mix", ""), ("rate", ""), *(("assumption", name) for name in sorted(differing))]
    if any(old[3] != new[3] for _, old, new in cuts):
        steps.append(("assumption", "@formula"))
    standing = _valued(cuts, (then, then), -1, ())
    found: dict[tuple[str, str], Fraction] = {}
    for place, step in enumerate(steps):
        layers = (now, now if place else then)
        inputs = [name for kind, name in steps[: place + 1] if kind == "assumption"]
        reached = _valued(cuts, layers, place, inputs)
        found[step] = Fraction(0) if reached is None or standing is None else reached - standing
        standing = standing if reached is None else reached
    return found


def _valued(
    cuts: Iterable[tuple[Fraction, _Piece, _Piece]],
    layers: tuple[_Layer, _Layer],
    place: int,
    inputs: Collection[str],
) -> Fraction | None:
    """`layers` give the volume and how it is divided; heights are new from step 1 on, readings from step 2 on.

    What only one of two formulas reads is taken from where it is.
    """
    total = Fraction(0)
    for width, old, new in cuts:
        height = layers[0].height * (new if place >= 1 else old)[0]
        readings = {**old[1], **new[1], **(new if place >= 2 else old)[1]}
        values = {name: one * height for name, one in readings.items()}
        values |= {**new[2], **old[2], **{name: new[2][name] for name in inputs if name in new[2]}}
        amount = expression.amount((new if "@formula" in inputs else old)[3], values)
        if amount is None:
            return None
        total += width * amount
    return layers[0].times * layers[1].part * total


def divided_units(side: ProvedSide) -> dict[Cut, tuple[int, int]]:
    """The worth of a period in ten-thousandths over its cuts: what counts, and what it would be without a cap."""
    exact = []
    cuts = sorted(side.cuts, key=_by_name)
    for cut in cuts:
        amounts = [expression.amount(day.formula, {**day.meters, **day.inputs}) for day in side.cuts[cut]]
        exact.append(sum((amount for amount in amounts if amount is not None), Fraction(0)))
    alone = whole_units(exact, int(Fraction(side.uncapped) * 10_000))
    counts = alone
    if side.worth != side.uncapped:
        share = Fraction(side.worth) / Fraction(side.uncapped) if side.uncapped else Fraction(1)
        counts = whole_units([Fraction(each, 10_000) * share for each in alone], int(Fraction(side.worth) * 10_000))
    return {cut: (left, each) for cut, left, each in zip(cuts, counts, alone, strict=True)}


def _by_name(cut: Cut) -> list[tuple[bool, str]]:
    return [(value is not None, value or "") for value in cut]


def whole_units(exact: Sequence[Fraction], total: int) -> list[int]:
    """Integers that add up to `total`: what the rounding of days left over goes to the greatest (to the second, where
    all are nothing), then each is cut off, and the missing ones go to the greatest remainders."""
    numbers = [one * 10_000 for one in exact]
    if not numbers:
        return []
    greatest = max(numbers, key=abs)
    numbers[numbers.index(greatest) if greatest else min(1, len(numbers) - 1)] += total - sum(numbers)
    remainders = sorted(((number % 1, -place) for place, number in enumerate(numbers)), reverse=True)
    lucky = {-place for _, place in remainders[: int(sum(number % 1 for number in numbers))]}
    return [int(number // 1) + (place in lucky) for place, number in enumerate(numbers)]


def _places(units: int) -> Decimal:
    return rounded(Fraction(units, 10_000))


def sum_of(amounts: Iterable[Decimal]) -> Decimal:
    return rounded(sum((Fraction(amount) for amount in amounts), Fraction(0)))
