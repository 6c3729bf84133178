"""Random bridges, nasty ones among them, and what their ends come to, worked out without the code under test."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal, localcontext
from fractions import Fraction
from random import Random

from valueplatform.value.bridge_cells import Cell, Day, Member, Side
from valueplatform.value.proof_bridge_steps import ProvedDay, ProvedSide

ADDING = (
    "(jobs * baseline - minutes) / 60 * price",
    "jobs * price",
    "-minutes * price / 3",
    "jobs * price + crews * baseline",
    "case when price > baseline then jobs * price else minutes * baseline end",
    "minutes / baseline - jobs",
)
OTHERS = (
    "max(jobs - 2, 0) * price",
    "jobs * price + 7",
    "minutes / jobs * price",
    "jobs * jobs / minutes",
    "case when jobs > 3 then jobs * price else minutes / baseline end",
    "crews * jobs * price / baseline",
)
METERS = ("crews", "jobs", "minutes")
INPUTS = ("baseline", "price")
VOLUMES = frozenset({"crews", "jobs", "minutes"})
DAY = date(2026, 5, 1)


@dataclass(frozen=True)
class Case:
    """One driver. `sides` by provider: worth, what was adjusted and capped, and the days by member."""

    sides: Mapping[str, tuple[Side, Side]]

    @property
    def cells(self) -> list[Cell]:
        return [Cell("d", provider, "USD", "capacity", *pair) for provider, pair in self.sides.items()]

    def proved(self) -> dict[str, tuple[ProvedSide, ProvedSide]]:
        return {name: (proved_side(pair[0]), proved_side(pair[1])) for name, pair in self.sides.items()}


def proved_side(side: Side) -> ProvedSide:
    cuts = {
        member: [ProvedDay(day.day, day.meters, day.inputs, day.formula) for day in days]
        for member, days in side.members.items()
    }
    return ProvedSide(side.worth, side.adjusted, cuts, side.worth if side.uncapped is None else side.uncapped)


def a_case(random: Random) -> Case:
    adds = random.random() < 0.7
    formulas = [random.choice(ADDING if adds else OTHERS) for _ in (0, 1)]
    if random.random() < 0.85:
        formulas[1] = formulas[0]
    members: list[Member] = [()]
    if adds and random.random() < 0.5:
        members = [(name,) for name in random.sample(["north", "south", "west", None], random.randint(1, 4))]
    providers = random.sample(["supplier", "tessera", "waypoint"], random.choice([1, 1, 2, 3]))
    before, after = ({name: _side(random, formula, members) for name in providers} for formula in formulas)
    return Case({name: (before[name], after[name]) for name in providers})


def _side(random: Random, formula: str, members: Sequence[Member]) -> Side:
    """Some days of some members; prices that change on the way; zeros and numbers below zero."""
    if random.random() < 0.1:
        return Side(adjusted=_adjusted(random))
    held = {member: _days(random, formula) for member in members if random.random() < 0.85}
    # Each member has a part of the driver's days, and the inputs are those of the day.
    inputs = {day.day: day.inputs for days in held.values() for day in days}
    same = {
        member: [Day(d.day, formula, inputs[d.day], d.meters) for d in days] for member, days in held.items() if days
    }
    worth = worth_of(formula, *same.values())
    if worth > 0 and random.random() < 0.2:
        return Side(
            worth * random.randint(0, 9) / 10 // Decimal("0.0001") * Decimal("0.0001"), _adjusted(random), same, worth
        )
    return Side(worth, _adjusted(random), same)


def _adjusted(random: Random) -> Decimal:
    return Decimal(random.choice([0, 0, 0, random.randint(-(10**9), 10**9)])).scaleb(-4)


def _days(random: Random, formula: str) -> list[Day]:
    prices = [_input(random) for _ in range(random.choice([1, 1, 2, 3]))]
    baseline = _input(random)
    days = []
    for offset in range(random.choice([1, 2, 5, 9])):
        price = prices[min(offset // 3, len(prices) - 1)]
        meters = {"crews": Fraction(random.randint(0, 5)), "jobs": _metered(random), "minutes": _metered(random)}
        day = Day(DAY + timedelta(offset), formula, {"baseline": baseline, "price": price}, meters)
        if value_of(formula, day) is not None:
            days.append(day)
    return days


def _input(random: Random) -> Fraction:
    return Fraction(random.choice([0, 1, 14, 45, -3, random.randint(1, 10**6)]), random.choice([1, 10, 1000, 10**9]))


def _metered(random: Random) -> Fraction:
    kind = random.random()
    if kind < 0.08:
        return Fraction(random.choice([0, -1, -7]))
    if kind < 0.2:
        return Fraction(random.randint(1, 10**17), 10**9)
    return Fraction(random.randint(1, 400), random.choice([1, 1, 4, 3]))


def value_of(formula: str, day: Day) -> Fraction | None:
    """By Python itself: the formulas above are close enough to its own."""
    names = {**day.meters, **day.inputs}
    if formula.startswith("case when "):
        condition, _, rest = formula.removeprefix("case when ").removesuffix(" end").partition(" then ")
        yes, _, no = rest.partition(" else ")
        formula = f"({yes}) if ({condition}) else ({no})"
    try:
        return Fraction(eval(formula, {"max": max, "__builtins__": {}}, names))  # noqa: S307 - the texts above alone
    except ZeroDivisionError:
        return None


def worth_of(formula: str, *members: Sequence[Day]) -> Decimal:
    """Members of one day together are rounded once, half to even."""
    sums: dict[date, Fraction] = {}
    for days in members:
        for day in days:
            sums[day.day] = sums.get(day.day, Fraction(0)) + (value_of(formula, day) or 0)
    with localcontext(prec=100):
        return Decimal(sum(round(value * 10**4) for value in sums.values())).scaleb(-4)
