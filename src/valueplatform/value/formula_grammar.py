"""Reads the written formula into its tree.

Grammar: names, numbers, `+ - * /`, unary minus, parentheses, `min(a, b, …)`, `max(a, b, …)` and
`case when <condition> then … else … end`, conditions being comparisons joined by `and`, `or`, `not`.
Parsed by sqlglot under an allow-list; everything else is refused by name.
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from sqlglot import exp

from valueplatform.core.errors import InvalidInputError
from valueplatform.core.numbers import exact_decimal, without_trailing_zeros
from valueplatform.telemetry.expressions import Allowed, ExpressionError, name_of, parse_expression
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
)

_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ARITHMETIC: Final[Mapping[type[exp.Expr], ArithmeticSign]] = {
    exp.Add: "+",
    exp.Sub: "-",
    exp.Mul: "*",
    exp.Div: "/",
}
_COMPARISONS: Final[Mapping[type[exp.Expr], ComparisonSign]] = {
    exp.EQ: "=",
    exp.NEQ: "<>",
    exp.LT: "<",
    exp.LTE: "<=",
    exp.GT: ">",
    exp.GTE: ">=",
}
_ALLOWED: Final[Allowed] = {
    **dict.fromkeys((*_ARITHMETIC, *_COMPARISONS, exp.And, exp.Or), frozenset({"this", "expression"})),
    exp.Div: frozenset({"this", "expression", "typed", "safe"}),
    **dict.fromkeys((exp.Neg, exp.Paren, exp.Not, exp.Column), frozenset({"this"})),
    **dict.fromkeys((exp.Min, exp.Max), frozenset({"this", "expressions"})),
    exp.Case: frozenset({"ifs", "default"}),
    exp.If: frozenset({"this", "true"}),
    exp.Literal: frozenset({"this"}),
    exp.Identifier: frozenset({"this"}),
}


def parse_term(text: str) -> Term:
    """Raises `ExpressionError`, saying what is refused or missing."""
    return _term(parse_expression(text, _ALLOWED))


def _term(node: exp.Expr) -> Term:
    match node:
        case exp.Paren():
            return _term(node.this)
        case exp.Column():
            return _name(node.name)
        case exp.Literal():
            return _number(node.name)
        case exp.Neg():
            return Negative(_term(node.this))
        case exp.Min() | exp.Max():
            return _extreme(node)
        case exp.Case():
            return _choice(node)
        case _ if (sign := _ARITHMETIC.get(type(node))) is not None:
            return Arithmetic(sign, _term(node.this), _term(node.expression))
    raise ExpressionError(f"{name_of(node)} stands where a number is needed")


def _condition(node: exp.Expr) -> Condition:
    match node:
        case exp.Paren():
            return _condition(node.this)
        case exp.And():
            return Connected("and", _condition(node.this), _condition(node.expression))
        case exp.Or():
            return Connected("or", _condition(node.this), _condition(node.expression))
        case exp.Not():
            return Denied(_condition(node.this))
        case _ if (sign := _COMPARISONS.get(type(node))) is not None:
            return Comparison(sign, _term(node.this), _term(node.expression))
    raise ExpressionError(f"{name_of(node)} stands where a condition is needed, such as jobs > 0")


def _extreme(node: exp.Min | exp.Max) -> Extreme:
    which: Final = "min" if isinstance(node, exp.Min) else "max"
    terms = (node.this, *node.expressions)
    if len(terms) < 2:
        raise ExpressionError(f"{which}() of one term is an aggregate, which is not allowed; name two or more terms")
    return Extreme(which, tuple(_term(term) for term in terms))


def _choice(node: exp.Case) -> Choice:
    default = node.args.get("default")
    if default is None:
        raise ExpressionError("case needs an else, so that there always is a value")
    branches = tuple((_condition(branch.this), _term(branch.args["true"])) for branch in node.args["ifs"])
    return Choice(branches, _term(default))


def _name(text: str) -> Name:
    if not _NAME.fullmatch(text):
        raise ExpressionError(f"{text!r} is not a name; use letters, digits and _, and - for minus")
    return Name(text)


def _number(text: str) -> Number:
    try:
        value: Decimal = without_trailing_zeros(exact_decimal(text))
    except InvalidInputError as error:
        raise ExpressionError(error.message) from error
    numerator, denominator = value.as_integer_ratio()
    places = max(0, -int(value.as_tuple().exponent))
    return Number(numerator * 10**places // denominator, places)
