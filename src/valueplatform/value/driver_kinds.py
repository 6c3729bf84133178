"""Kinds of driver beside a plain formula: what each states, and the formula that follows from it (value rules 1 and 4).

A kind says what role each part plays, so that what the role asks for can be checked: a counterfactual that is a
baseline, prices that somebody can validate, a sunset for what is only probable. Parts are expressions of the formula
language over meters, baselines and assumptions; the formula made of them is what is computed, shown and proved.
"""

from collections.abc import Mapping
from typing import Final, get_args

import msgspec


class AgainstBaseline(msgspec.Struct, frozen=True, tag_field="kind", tag="against_baseline"):
    """(baseline per unit of volume x volume - actual) x worth: counterfactual value, rule 1."""

    volume: str
    baseline: str
    actual: str
    worth: str

    @property
    def formula(self) -> str:
        return f"(({self.volume}) * ({self.baseline}) - ({self.actual})) * ({self.worth})"


class UnitPrices(msgspec.Struct, frozen=True, tag_field="kind", tag="unit_prices"):
    """What was done, each at its own price: (meter, price) in the order of the file."""

    prices: tuple[tuple[str, str], ...]

    @property
    def formula(self) -> str:
        return " + ".join(f"({what}) * ({price})" for what, price in self.prices)


class Threshold(msgspec.Struct, frozen=True, tag_field="kind", tag="threshold"):
    """Worth something on each day on which `of` is at least, or at most, what was agreed; else nothing."""

    of: str
    worth: str
    at_least: str | None = None
    at_most: str | None = None

    @property
    def formula(self) -> str:
        sign, bound = (">=", self.at_least) if self.at_least is not None else ("<=", self.at_most)
        return f"case when ({self.of}) {sign} ({bound}) then ({self.worth}) else 0 end"


class ProbabilityImpact(msgspec.Struct, frozen=True, tag_field="kind", tag="probability_impact"):
    """Exposure x (probability before - probability now) x impact: expected loss avoided (ISO 31000's risk level)."""

    exposure: str
    before: str
    now: str
    impact: str

    @property
    def formula(self) -> str:
        return f"({self.exposure}) * (({self.before}) - ({self.now})) * ({self.impact})"


class Score(msgspec.Struct, frozen=True, tag_field="kind", tag="score"):
    """Points for what was done, each thing with its weight; never money. Points of days add up."""

    points: tuple[tuple[str, str], ...]

    @property
    def formula(self) -> str:
        return " + ".join(f"({what}) * ({weight})" for what, weight in self.points)


class Disruption(msgspec.Struct, frozen=True, tag_field="kind", tag="disruption"):
    """What the product's own faults cost the customer; it counts against the supplier (rule 7)."""

    cost: str

    @property
    def formula(self) -> str:
        return f"-({self.cost})"


class Effort(msgspec.Struct, frozen=True, tag_field="kind", tag="effort"):
    """What using the product takes of the customer's own time or money (rule 7)."""

    cost: str

    @property
    def formula(self) -> str:
        return f"-({self.cost})"


class Plain(msgspec.Struct, frozen=True, tag_field="kind", tag="formula"):
    """A formula as it was written, where something is multiplied to it."""

    formula: str


DriverKind = AgainstBaseline | UnitPrices | Threshold | ProbabilityImpact | Score | Disruption | Effort | Plain

TABLES: Final[Mapping[str, type[msgspec.Struct]]] = {
    kind.__struct_config__.tag: kind for kind in get_args(DriverKind) if kind is not Plain
}
"""The tables of a driver in a model file, by name; a driver has one of them or a formula."""

BY_METER: Final[Mapping[str, str]] = {"unit_prices": "prices", "score": "points"}
"""Kinds whose table lists what was done, and where the pairs are kept."""


def tag_of(kind: DriverKind) -> str:
    return str(kind.__struct_config__.tag)


def formula_of(kind: DriverKind, share: str | None) -> str:
    """The formula that is computed; `share` is the assumption that says how much of it enters."""
    return f"({kind.formula}) * {share}" if share else kind.formula
