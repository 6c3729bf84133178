"""The arithmetic of a number, as terms that link down to what they are. Pure.

It is shown with an equals sign only where working it out in front of the reader gives exactly the stated number; where
a period is a sum of days that differ in what they rest on, words say how it is made instead.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Final

from valueplatform.core.periods import ONE_DAY
from valueplatform.narrative.faithful.leaves import children
from valueplatform.narrative.insights.inputs import said_unit
from valueplatform.narrative.proofs import DriverLine, InputLine, MeterLine, Proof
from valueplatform.narrative.wording.numbers import MINUS
from valueplatform.portal.exact import exact_text, short_day
from valueplatform.portal.view.proof import Formula, Token
from valueplatform.portal.view.words import NumberState
from valueplatform.value import derivation as d
from valueplatform.value import proof_expression as expression

_PIECE: Final = re.compile(r"\s*(?:(?P<number>\d+(?:\.\d+)?)|(?P<name>[A-Za-z_]\w*)|(?P<sign>[-+*/(),]))")
_SIGNS: Final = {"*": "\N{MULTIPLICATION SIGN}", "/": "\N{DIVISION SIGN}", "-": MINUS}
_SPOKEN: Final = {"*": "times", "/": "divided by", "-": "minus", "+": "plus", "(": "(", ")": ")", ",": ","}
_CALLS: Final = frozenset({"min", "max"})
_STATES: Final[Mapping[str, NumberState]] = {
    "under-review": "under-review",
    "proposed": "proposed",
    "estimated": "estimated",
}
MOST_TERMS: Final = 12


def anchor(kind: str, slug: str) -> str:
    """Where a meter or an input stands in the proof."""
    return f"{kind}-{re.sub(r'[^A-Za-z0-9_-]', '-', slug)}"


@dataclass(frozen=True, slots=True)
class Leaf:
    """A part of a derivation, worked out: its value in a unit, and how it is called."""

    value: Fraction
    unit: str
    label: str
    href: str = ""
    state: NumberState = "validated"


def driver_formula(proof: Proof, driver: DriverLine, result: str) -> Formula | None:
    """The driver's own formula over the period's meters; None where the days do not add up to that."""
    values: dict[str, Fraction] = {m.slug: Fraction(m.value.replace(",", "")) for m in proof.meters if m.value}
    inputs = {line.slug: line for line in (*proof.baselines, *proof.assumptions)}
    values |= {slug: Fraction(line.expected) for slug, line in inputs.items()}
    worked_out = _worked_out(driver.formula, values)
    if worked_out is None or not _is_near(worked_out, proof):
        return None
    meters = {meter.slug: meter for meter in proof.meters}
    tokens = list(_formula_tokens(driver.formula, meters, inputs))
    if not tokens or len(tokens) > 3 * MOST_TERMS:
        return None
    return Formula(
        tokens=(*tokens, Token("result", result, driver.title)),
        spoken=f"{_spoken(tokens)} equals {result}",
        note=f"version {driver.version}",
        expression=driver.formula,
    )


def _worked_out(formula: str, values: dict[str, Fraction]) -> Fraction | None:
    try:
        return expression.amount(formula, values)
    except (KeyError, ArithmeticError, ValueError):
        return None


def _is_near(worked_out: Fraction, proof: Proof) -> bool:
    """Each day is rounded once to four places, so the sum may be off by half a unit of the last place a day."""
    days = max(1, (proof.period_to - proof.period_from).days)
    return abs(worked_out - Fraction(proof.stated)) <= Fraction(days, 20_000)


def _formula_tokens(formula: str, meters: Mapping[str, MeterLine], inputs: Mapping[str, InputLine]) -> Iterator[Token]:
    position = 0
    while position < len(formula.rstrip()):
        found = _PIECE.match(formula, position)
        if found is None:
            return
        position = found.end()
        name, sign = found["name"], found["sign"]
        if sign is not None:
            yield Token("operator", _SIGNS.get(sign, sign))
        elif name in meters:
            yield Token("term", _metered(meters[name]), meters[name].title.lower(), f"#{anchor('m', name)}")
        elif name in inputs:
            yield _input_token(inputs[name])
        elif name is not None and name.lower() in _CALLS:
            yield Token("operator", name.lower())
        elif name is not None:
            return
        else:
            yield Token("term", found["number"])


def _metered(meter: MeterLine) -> str:
    return exact_text(Decimal(meter.value), "") if meter.value else "no value"


def _input_token(line: InputLine) -> Token:
    text = exact_text(Decimal(line.expected), said_unit(line.unit).partition("/")[0])
    state = _STATES.get(line.state, "validated")
    return Token("term", text, line.title.lower(), f"#{anchor('a', line.slug)}", state)


def _spoken(tokens: Sequence[Token]) -> str:
    words = {**_SPOKEN, **{_SIGNS[sign]: _SPOKEN[sign] for sign in _SIGNS}}
    parts = (
        words.get(token.text, token.text) if token.kind == "operator" else f"{token.text} {token.label}".strip()
        for token in tokens
    )
    return " ".join(parts)


def derived_formula(node: d.Derivation, leaves: Mapping[d.Derivation, Leaf], result: str) -> Formula | None:
    """Sums, differences and quotients of what the record gives; None for a number that is read from it as it is, and
    where a part of it is not there to be shown."""
    if any(part not in leaves for part in read_nodes(node)):
        return None
    tokens = list(_derived(node, leaves, nested=False))
    terms = [token for token in tokens if token.kind == "term"]
    if not 2 <= len(terms) <= MOST_TERMS:
        return None
    return Formula((*tokens, Token("result", result)), spoken=f"{_spoken(tokens)} equals {result}")


def read_nodes(node: d.Derivation) -> Iterator[d.Derivation]:
    """What a number is worked out from: what the record gives, and forecasts as they are."""
    if isinstance(node, d.Forecast) or not (below := children(node)):
        yield node
        return
    for child in below:
        yield from read_nodes(child)


def _derived(node: d.Derivation, leaves: Mapping[d.Derivation, Leaf], *, nested: bool) -> Iterator[Token]:
    parts: tuple[d.Derivation, ...]
    match node:
        case d.Difference():
            parts, sign = (node.minuend, node.subtrahend), MINUS
        case d.Ratio():
            parts, sign = (node.numerator, node.denominator), _SIGNS["/"]
        case d.Total():
            parts, sign = node.parts, "+"
        case _:
            leaf = leaves.get(node)
            if leaf is not None:
                yield Token("term", exact_text(_decimal(leaf.value), leaf.unit), leaf.label, leaf.href, leaf.state)
            return
    if nested:
        yield Token("operator", "(")
    for place, part in enumerate(parts):
        if place:
            yield Token("operator", sign)
        yield from _derived(part, leaves, nested=True)
    if nested:
        yield Token("operator", ")")


def _decimal(value: Fraction) -> Decimal:
    return Decimal(round(value * 10**9)).scaleb(-9).normalize()


def summed_formula(parts: Sequence[Leaf], result: str, label: str) -> Formula | None:
    """A total as its drivers."""
    if not 2 <= len(parts) <= MOST_TERMS:
        return None
    tokens: list[Token] = []
    for part in parts:
        sign = MINUS if part.value < 0 else "+"
        if tokens or part.value < 0:
            tokens.append(Token("operator", sign))
        tokens.append(
            Token("term", exact_text(abs(_decimal(part.value)), part.unit), part.label, part.href, part.state)
        )
    return Formula((*tokens, Token("result", result, label)), spoken=f"{_spoken(tokens)} equals {result}")


def period_words(start: date, end: date, today: date) -> str:
    """The days from `start` up to but not including `end`, both told."""
    last = max(end - ONE_DAY, start)
    return short_day(start, today) if start == last else f"{short_day(start, today)} to {short_day(last, today)}"
