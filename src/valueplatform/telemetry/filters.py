"""Filter expressions over event data: `channel = 'app' and minutes > 3`, with SQL's logic of three values.

Grammar: paths (`minutes`, `job.minutes`, `"$browser"`), text, numbers, true, false; `= <> < <= > >=`; `in`, `is null`,
`and`, `or`, `not`, parentheses. What is absent is null, and null compares as unknown; only *true* admits an event.

A number literal asks for the exact number in the data (decimal strings count), a text literal for the text of the
scalar, true and false for a boolean; what cannot be read that way is unknown. Two paths compare as numbers if both
are JSON numbers, as text if both are strings, as booleans by equality; else unknown. Text is ordered by code point.
"""

import operator
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from sqlglot import exp

from valueplatform.core.errors import InvalidInputError
from valueplatform.core.numbers import exact_decimal
from valueplatform.telemetry.expressions import Allowed, ExpressionError, name_of, parse_expression
from valueplatform.telemetry.meters import Data, Unmetered, exact_number, json_text, path_reader

Predicate = Callable[[Data], bool]
Truth = bool | None
_Test = Callable[[Data], Truth]
_Reader = Callable[[Data], object]
Constant = Decimal | str | bool
_Compare = Callable[[Any, Any], bool]  # both sides are of one kind, which types cannot say

_COMPARISONS: Final[Mapping[type[exp.Expr], tuple[_Compare, str]]] = {
    exp.EQ: (operator.eq, "="),
    exp.NEQ: (operator.ne, "<>"),
    exp.LT: (operator.lt, "<"),
    exp.LTE: (operator.le, "<="),
    exp.GT: (operator.gt, ">"),
    exp.GTE: (operator.ge, ">="),
}
_MIRRORED: Final[Mapping[type[exp.Expr], type[exp.Expr]]] = {
    exp.LT: exp.GT,
    exp.GT: exp.LT,
    exp.LTE: exp.GTE,
    exp.GTE: exp.LTE,
}
_PAIR: Final = frozenset({"this", "expression"})
_ALLOWED: Final[Allowed] = {
    **dict.fromkeys((*_COMPARISONS, exp.And, exp.Or, exp.Is), _PAIR),
    **dict.fromkeys((exp.Not, exp.Neg, exp.Paren, exp.Boolean), frozenset({"this"})),
    exp.In: frozenset({"this", "expressions"}),
    exp.Literal: frozenset({"this", "is_string"}),
    exp.Column: frozenset({"this", "table", "db", "catalog"}),
    exp.Dot: _PAIR,
    exp.Identifier: frozenset({"this", "quoted"}),
    exp.Null: frozenset(),
}


class FilterError(InvalidInputError):
    """A filter that cannot be read or says what filters do not have."""

    code = "invalid_filter"


@lru_cache(maxsize=4096)
def compile_filter(text: str | None) -> Predicate:
    """A function from event data to whether the filter is true of it; no filter admits everything.

    Raises `FilterError`. The function itself never raises.
    """
    if text is None:
        return lambda _data: True
    try:
        test = _test(parsed(text))
    except ExpressionError as error:
        raise FilterError(f"filter {text[:80]!r}: {error.message}") from error
    return lambda data: test(data) is True


def parsed(text: str) -> exp.Expr:
    """Raises ExpressionError; whether every part stands where it may is for `compile_filter` to say."""
    return parse_expression(text, _ALLOWED)


def _test(node: exp.Expr) -> _Test:
    match node:
        case exp.Paren():
            return _test(node.this)
        case exp.And():
            return _both(_test(node.this), _test(node.expression))
        case exp.Or():
            return _either(_test(node.this), _test(node.expression))
        case exp.Not():
            return _negated(_test(node.this))
        case exp.In():
            return _member(node)
        case exp.Is():
            return _null_test(node)
        case exp.Column() | exp.Dot():
            return _flag(path_reader(path_of(node)))
        case _ if type(node) in _COMPARISONS:
            return _comparison(node)
    raise ExpressionError(f"{name_of(node)} stands where a condition is needed, such as channel = 'app'")


def _both(left: _Test, right: _Test) -> _Test:
    def test(data: Data) -> Truth:
        first = left(data)
        if first is False:
            return False
        second = right(data)
        return False if second is False else first and second

    return test


def _either(left: _Test, right: _Test) -> _Test:
    def test(data: Data) -> Truth:
        first = left(data)
        if first is True:
            return True
        second = right(data)
        return True if second is True else (None if first is None else second)

    return test


def _negated(inner: _Test) -> _Test:
    def test(data: Data) -> Truth:
        truth = inner(data)
        return None if truth is None else not truth

    return test


def _flag(read: _Reader) -> _Test:
    def test(data: Data) -> Truth:
        value = read(data)
        return value if isinstance(value, bool) else None

    return test


def _null_test(node: exp.Is) -> _Test:
    if not isinstance(node.expression, exp.Null):
        raise ExpressionError("after 'is' only null or not null may stand; write = true instead")
    read = path_reader(path_of(node.this))
    return lambda data: read(data) is None


def _member(node: exp.In) -> _Test:
    read = path_reader(path_of(node.this))
    tests = [_against(read, operator.eq, constant_of(item)) for item in node.expressions]
    if not tests:
        raise ExpressionError("'in' needs a list of values, such as channel in ('app', 'web')")

    def test(data: Data) -> Truth:
        truths = [one(data) for one in tests]
        return True if True in truths else (None if None in truths else False)

    return test


def _comparison(node: exp.Expr) -> _Test:
    left, right, kind = sides_of(node)
    if not is_path(left):
        raise ExpressionError(f"one side of {_COMPARISONS[kind][1]} must be a path in the data")
    compare, symbol = _COMPARISONS[kind]
    read = path_reader(path_of(left))
    if is_path(right):
        return _between_paths(read, path_reader(path_of(right)), compare, ordered=kind not in {exp.EQ, exp.NEQ})
    constant = constant_of(right)
    if isinstance(constant, bool) and kind not in {exp.EQ, exp.NEQ}:
        raise ExpressionError(f"true and false have no order; {symbol} cannot compare them")
    return _against(read, compare, constant)


def sides_of(node: exp.Expr) -> tuple[exp.Expr, exp.Expr, type[exp.Expr]]:
    """Both sides of a comparison, a path first where there is one, and what compares them in this order."""
    left, right, kind = unwrapped(node.this), unwrapped(node.expression), type(node)
    return (left, right, kind) if is_path(left) else (right, left, _MIRRORED.get(kind, kind))


def _against(read: _Reader, compare: _Compare, constant: Constant) -> _Test:
    as_kind = _AS_KIND[type(constant)]

    def test(data: Data) -> Truth:
        value = as_kind(read(data))
        return None if value is None else compare(value, constant)

    return test


def _between_paths(left: _Reader, right: _Reader, compare: _Compare, *, ordered: bool) -> _Test:
    def test(data: Data) -> Truth:
        first, second = left(data), right(data)
        if isinstance(first, bool) and isinstance(second, bool):
            return None if ordered else compare(first, second)
        if isinstance(first, str) and isinstance(second, str):
            return compare(first, second)
        if isinstance(first, str) or isinstance(second, str):
            return None
        numbers = exact_number(first), exact_number(second)
        return None if any(isinstance(number, Unmetered) for number in numbers) else compare(*numbers)

    return test


def _as_number(value: object) -> Decimal | None:
    number = exact_number(value)
    return None if isinstance(number, Unmetered) else number


def _as_flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


_AS_KIND: Final[Mapping[type[Constant], Callable[[object], Constant | None]]] = {
    Decimal: _as_number,
    str: json_text,
    bool: _as_flag,
}


def constant_of(node: exp.Expr) -> Constant:
    inner = unwrapped(node)
    if isinstance(inner, exp.Neg):
        value = constant_of(inner.this)
        if isinstance(value, Decimal):
            return value.copy_negate()
    if isinstance(inner, exp.Boolean):
        return bool(inner.this)
    if isinstance(inner, exp.Literal):
        return str(inner.this) if inner.is_string else _number(str(inner.this))
    if isinstance(inner, exp.Null):
        raise ExpressionError("nothing equals null; write: is null, or: is not null")
    raise ExpressionError(f"{name_of(inner)} stands where a text, a number, true or false is needed")


def _number(text: str) -> Decimal:
    try:
        return exact_decimal(text)
    except InvalidInputError as error:
        raise ExpressionError(error.message) from error


def unwrapped(node: exp.Expr) -> exp.Expr:
    while isinstance(node, exp.Paren):
        node = node.this
    return node


def is_path(node: exp.Expr) -> bool:
    return isinstance(node, exp.Column | exp.Dot)


def path_of(node: exp.Expr) -> str:
    inner = unwrapped(node)
    if not isinstance(inner, exp.Column | exp.Dot):
        raise ExpressionError(f"{name_of(inner)} stands where a path in the data is needed")
    return ".".join(part.name for part in inner.parts)


def filter_paths(expression: str) -> tuple[str, ...]:
    """The paths that a filter of a checked model looks at, in order of appearance."""

    def walk(node: exp.Expr) -> Iterator[str]:
        if isinstance(node, exp.Column | exp.Dot):
            yield ".".join(part.name for part in node.parts)
            return
        for child in node.iter_expressions():
            yield from walk(child)

    return tuple(dict.fromkeys(walk(parsed(expression))))
