"""Evaluates a formula over Python integers: a numerator and a denominator that never round.

Rules, the same as in bulk: terms are read left to right, and the first that has no value decides for the whole;
`case` reads conditions in order and only the branch taken; `and` and `or` read their right side only if they must.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from fractions import Fraction

from valueplatform.value.formula_tree import (
    Arithmetic,
    ArithmeticSign,
    Choice,
    Comparison,
    ComparisonSign,
    Condition,
    Connected,
    Denied,
    Extreme,
    Name,
    Negative,
    Number,
    Term,
    canonical_text,
)
from valueplatform.value.ranges import NULL_INPUT, ZERO_DIVISOR, NoValue

Values = Mapping[str, Decimal | Fraction | int | None]
"""An average comes as a fraction: it is rounded with the whole formula, never before."""
Ratio = tuple[int, int]
"""Numerator and positive denominator, not reduced."""
Ratios = Mapping[str, Ratio | None]
RatioOf = Callable[[Ratios], Ratio]
TruthOf = Callable[[Ratios], bool]


class UndefinedError(ArithmeticError):
    """Stops an evaluation; never leaves this package."""

    def __init__(self, reason: NoValue) -> None:
        super().__init__(reason.text)
        self.reason = reason


def exact(values: Values) -> dict[str, Ratio | None]:
    """Values as formulas are evaluated over them, often many times."""
    return {name: None if value is None else exact_ratio(value) for name, value in values.items()}


def exact_ratio(value: Decimal | Fraction | int) -> Ratio:
    return (value, 1) if isinstance(value, int) else value.as_integer_ratio()


def ratio_of(term: Term) -> RatioOf:
    """A function from exact values to the ratio; it raises `UndefinedError`, or `KeyError` for a value not given."""
    match term:
        case Number(numerator, places):
            constant = numerator, 10**places
            return lambda _values: constant
        case Name(name):
            return _named(name)
        case Negative(inner):
            return _negative(ratio_of(inner))
        case Arithmetic(sign, left, right):
            zero = NoValue(ZERO_DIVISOR, canonical_text(right))
            return _arithmetic(sign, ratio_of(left), ratio_of(right), zero)
        case Extreme(which, terms):
            return _extreme(1 if which == "max" else -1, [ratio_of(each) for each in terms])
        case Choice(branches, otherwise):
            return _choice([(truth_of(test), ratio_of(each)) for test, each in branches], ratio_of(otherwise))


def truth_of(condition: Condition) -> TruthOf:
    match condition:
        case Denied(inner):
            denied = truth_of(inner)
            return lambda values: not denied(values)
        case Connected("and", left, right):
            first, second = truth_of(left), truth_of(right)
            return lambda values: first(values) and second(values)
        case Connected(_, left, right):
            either, other = truth_of(left), truth_of(right)
            return lambda values: either(values) or other(values)
        case Comparison(sign, left, right):
            return _comparison(sign, ratio_of(left), ratio_of(right))


def _named(name: str) -> RatioOf:
    missing = NoValue(NULL_INPUT, name)

    def ratio(values: Ratios) -> Ratio:
        value = values[name]
        if value is None:
            raise UndefinedError(missing)
        return value

    return ratio


def _negative(inner: RatioOf) -> RatioOf:
    def ratio(values: Ratios) -> Ratio:
        numerator, denominator = inner(values)
        return -numerator, denominator

    return ratio


def _arithmetic(sign: ArithmeticSign, left: RatioOf, right: RatioOf, zero: NoValue) -> RatioOf:
    """`zero` is why there is no quotient where the right side is zero."""

    def total(values: Ratios) -> Ratio:
        n, d = left(values)
        m, e = right(values)
        return (n + m, d) if d == e else (n * e + m * d, d * e)

    def difference(values: Ratios) -> Ratio:
        n, d = left(values)
        m, e = right(values)
        return (n - m, d) if d == e else (n * e - m * d, d * e)

    def multiple(values: Ratios) -> Ratio:
        n, d = left(values)
        m, e = right(values)
        return n * m, d * e

    def quotient(values: Ratios) -> Ratio:
        n, d = left(values)
        m, e = right(values)
        if m == 0:
            raise UndefinedError(zero)
        return (n * e, d * m) if m > 0 else (-n * e, -d * m)

    match sign:
        case "+":
            return total
        case "-":
            return difference
        case "*":
            return multiple
        case "/":
            return quotient


def _extreme(sign: int, terms: list[RatioOf]) -> RatioOf:
    def ratio(values: Ratios) -> Ratio:
        best, *others = [term(values) for term in terms]
        for other in others:
            if sign * (other[0] * best[1] - best[0] * other[1]) > 0:
                best = other
        return best

    return ratio


def _choice(branches: list[tuple[TruthOf, RatioOf]], otherwise: RatioOf) -> RatioOf:
    def ratio(values: Ratios) -> Ratio:
        for test, term in branches:
            if test(values):
                return term(values)
        return otherwise(values)

    return ratio


def _comparison(sign: ComparisonSign, left: RatioOf, right: RatioOf) -> TruthOf:
    def difference(values: Ratios) -> int:
        n, d = left(values)
        m, e = right(values)
        return n * e - m * d

    match sign:
        case "=":
            return lambda values: difference(values) == 0
        case "<>":
            return lambda values: difference(values) != 0
        case "<":
            return lambda values: difference(values) < 0
        case "<=":
            return lambda values: difference(values) <= 0
        case ">":
            return lambda values: difference(values) > 0
        case ">=":
            return lambda values: difference(values) >= 0
