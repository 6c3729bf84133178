"""Random formulas and values, and what they come to by fractions, written without a look at the code under test."""

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction

from hypothesis import strategies as st

from valueplatform.value.formula_tree import (
    Arithmetic,
    Choice,
    Comparison,
    Condition,
    Connected,
    Denied,
    Extreme,
    Name,
    Negative,
    Number,
    Term,
)

NAMES = ("a", "b", "c", "d_2")
NUMBERS = st.builds(Number, st.integers(0, 9), st.just(0)) | st.builds(
    lambda units: Number(units, 2), st.integers(1, 9999).filter(lambda units: units % 10 != 0)
)
LEAVES = st.sampled_from(NAMES).map(Name) | NUMBERS
KINDS = st.sampled_from(["leaf", "+", "-", "*", "/", "/", "negative", "min", "max", "case"])


@st.composite
def terms(draw: st.DrawFn, deepest: int = 3) -> Term:
    kind = draw(KINDS) if deepest else "leaf"
    inner = terms(deepest - 1)
    match kind:
        case "leaf":
            return draw(LEAVES)
        case "negative":
            return Negative(draw(inner))
        case "min" | "max":
            return Extreme(kind, tuple(draw(st.lists(inner, min_size=2, max_size=3))))
        case "case":
            branches = draw(st.lists(st.tuples(conditions(deepest - 1), inner), min_size=1, max_size=2))
            return Choice(tuple(branches), draw(inner))
        case "+" | "-" | "*" | "/":
            return Arithmetic(kind, draw(inner), draw(inner))
    raise AssertionError(kind)


@st.composite
def conditions(draw: st.DrawFn, deepest: int) -> Condition:
    kind = draw(st.sampled_from(["=", "<>", "<", "<=", ">", ">=", "and", "or", "not"] if deepest else ["<", "="]))
    match kind:
        case "and" | "or":
            return Connected(kind, draw(conditions(deepest - 1)), draw(conditions(deepest - 1)))
        case "not":
            return Denied(draw(conditions(deepest - 1)))
        case "=" | "<>" | "<" | "<=" | ">" | ">=":
            return Comparison(kind, draw(terms(deepest // 2)), draw(terms(deepest // 2)))
    raise AssertionError(kind)


TERMS = terms()

VALUES = st.one_of(
    st.none(),
    st.integers(-3, 3),
    st.integers(-(10**18), 10**18),
    st.integers(-(10**6), 10**6).map(lambda units: Decimal(units).scaleb(-2)),
    st.decimals(min_value=-(10**18), max_value=10**18, places=9),
    st.sampled_from([Decimal(10**28), Decimal(-(10**28)), Decimal("1e-9")]),
)
ROWS = st.fixed_dictionaries(dict.fromkeys(NAMES, VALUES))

Values = Mapping[str, Decimal | int | Fraction | None]


def fraction_of(term: Term, values: Values) -> Fraction | None:
    """None where there is no value."""
    match term:
        case Number(numerator, places):
            return Fraction(numerator, 10**places)
        case Name(name):
            value = values[name]
            return None if value is None else Fraction(value)
        case Negative(inner):
            negated = fraction_of(inner, values)
            return None if negated is None else -negated
        case Extreme(which, terms):
            found = [fraction_of(each, values) for each in terms]
            known = [each for each in found if each is not None]
            return None if None in found else (min(known) if which == "min" else max(known))
        case Arithmetic(sign, left, right):
            return _combined(sign, fraction_of(left, values), fraction_of(right, values))
        case Choice():
            return _chosen(term, values)


def _combined(sign: str, left: Fraction | None, right: Fraction | None) -> Fraction | None:
    if left is None or right is None or (sign == "/" and right == 0):
        return None
    return {"+": left + right, "-": left - right, "*": left * right, "/": left / (right or 1)}[sign]


def _chosen(choice: Choice, values: Values) -> Fraction | None:
    for condition, term in choice.branches:
        truth = truth_of(condition, values)
        if truth is None:
            return None
        if truth:
            return fraction_of(term, values)
    return fraction_of(choice.otherwise, values)


def truth_of(condition: Condition, values: Values) -> bool | None:
    match condition:
        case Denied(inner):
            truth = truth_of(inner, values)
            return None if truth is None else not truth
        case Connected(sign, left, right):
            first = truth_of(left, values)
            if first is None or first == (sign == "or"):
                return first
            return truth_of(right, values)
        case Comparison(sign, left, right):
            one, other = fraction_of(left, values), fraction_of(right, values)
            if one is None or other is None:
                return None
            orders = {"<": one < other, "=": one == other, ">": one > other}
            return any(orders[each] for each in ("<>" if sign == "<>" else sign))
