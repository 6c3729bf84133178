"""A second reader of formulas and filters, for proof alone: a hand-written parser over exact fractions.

It shares no code with the first (`formula*`, `telemetry.filters`), which goes through sqlglot and scaled integers,
so a mistake in one shows as a difference. Both read the same written grammar.
"""

import hashlib
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Final, TypeVar

Node = tuple[object, ...]
Lookup = Callable[[str], object]

_TOKEN: Final = re.compile(
    r"\s*(?:(?P<number>\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)|(?P<text>'(?:[^']|'')*')"
    r'|(?P<quoted>"(?:[^"]|"")*")|(?P<name>[A-Za-z_]\w*)|(?P<sign><>|!=|<=|>=|[-+*/(),.=<>]))'
)
_COMPARISONS: Final = {"=", "<>", "!=", "<", "<=", ">", ">="}
_WORDS: Final = {"and", "or", "not", "in", "is", "null", "true", "false", "case", "when", "then", "else", "end"}


class UnreadableError(ValueError):
    """The expression is not in the grammar. The first reader refuses it as well, so it cannot be in force."""


class UndefinedError(ArithmeticError):
    """The formula has no value for these inputs."""


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    position = 0
    text = text.rstrip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            raise UnreadableError(f"cannot read {text[position : position + 20]!r}")
        position = match.end()
        kind, value = match.lastgroup, match.group(match.lastgroup)
        if kind == "name" and value.lower() in _WORDS:
            kind, value = "word", value.lower()
        yield kind, value
    yield "end", ""


class _Parser:
    """Recursive descent; each method reads one level of precedence, loosest first."""

    def __init__(self, text: str) -> None:
        self.tokens = list(_tokens(text))
        self.position = 0

    def peek(self) -> tuple[str, str]:
        return self.tokens[self.position]

    def take(self) -> tuple[str, str]:
        self.position += 1
        return self.tokens[self.position - 1]

    def accept(self, *values: str) -> str | None:
        kind, value = self.peek()
        if kind in {"sign", "word"} and value in values:
            self.position += 1
            return value
        return None

    def expect(self, value: str) -> None:
        if self.accept(value) is None:
            raise UnreadableError(f"expected {value!r}, found {self.peek()[1]!r}")

    def whole(self) -> Node:
        node = self.either()
        if self.peek()[0] != "end":
            raise UnreadableError(f"did not expect {self.peek()[1]!r}")
        return node

    def either(self) -> Node:
        node = self.both()
        while self.accept("or"):
            node = ("or", node, self.both())
        return node

    def both(self) -> Node:
        node = self.denial()
        while self.accept("and"):
            node = ("and", node, self.denial())
        return node

    def denial(self) -> Node:
        return ("not", self.denial()) if self.accept("not") else self.comparison()

    def comparison(self) -> Node:
        node = self.sum()
        sign = self.accept(*_COMPARISONS)
        if sign:
            return ("compare", "<>" if sign == "!=" else sign, node, self.sum())
        if self.accept("is"):
            denied = self.accept("not")
            self.expect("null")
            return ("not", ("null", node)) if denied else ("null", node)
        denied = self.accept("not")
        if self.accept("in"):
            member: Node = ("in", node, self.arguments())
            return ("not", member) if denied else member
        return node

    def sum(self) -> Node:
        node = self.product()
        while sign := self.accept("+", "-"):
            node = (sign, node, self.product())
        return node

    def product(self) -> Node:
        node = self.factor()
        while sign := self.accept("*", "/"):
            node = (sign, node, self.factor())
        return node

    def factor(self) -> Node:
        if self.accept("-"):
            return ("negative", self.factor())
        if self.accept("("):
            node = self.either()
            self.expect(")")
            return node
        if self.accept("case"):
            return self.choice()
        return self.atom()

    def choice(self) -> Node:
        branches = []
        while self.accept("when"):
            condition = self.either()
            self.expect("then")
            branches.append((condition, self.either()))
        self.expect("else")
        default = self.either()
        self.expect("end")
        return ("case", tuple(branches), default)

    def arguments(self) -> tuple[Node, ...]:
        self.expect("(")
        nodes = [self.either()]
        while self.accept(","):
            nodes.append(self.either())
        self.expect(")")
        return tuple(nodes)

    def atom(self) -> Node:
        kind, value = self.take()
        match kind:
            case "number":
                return ("number", Fraction(value))
            case "text":
                return ("text", value[1:-1].replace("''", "'"))
            case "word" if value in {"true", "false"}:
                return ("truth", value == "true")
            case "name" if value.lower() in {"min", "max"} and self.peek() == ("sign", "("):
                return (value.lower(), self.arguments())
            case "name" | "quoted":
                return ("name", self.path(value))
        raise UnreadableError(f"did not expect {value!r}")

    def path(self, first: str) -> str:
        parts = [first]
        while self.accept("."):
            kind, value = self.take()
            if kind not in {"name", "quoted", "word"}:
                raise UnreadableError(f"expected a name after '.', found {value!r}")
            parts.append(value)
        return ".".join(part[1:-1].replace('""', '"') if part.startswith('"') else part for part in parts)


@lru_cache(maxsize=512)
def read(text: str) -> Node:
    """The expression as a tree of tuples; raises UnreadableError."""
    return _Parser(text).whole()


def names(text: str) -> set[str]:
    """Every name that the expression reads."""
    found: set[str] = set()

    def walk(node: object) -> None:
        if isinstance(node, tuple):
            if len(node) == 2 and node[0] == "name":
                found.add(str(node[1]))
            else:
                for part in node:
                    walk(part)

    walk(read(text))
    return found


def amount(text: str, values: dict[str, Fraction]) -> Fraction | None:
    """The exact value of a formula; None where a divisor is zero or an input is missing."""
    try:
        return _number(read(text), values)
    except UndefinedError:
        return None


def _number(node: Node, values: dict[str, Fraction]) -> Fraction:
    match node:
        case ("number", Fraction() as value):
            return value
        case ("name", str() as name):
            if name not in values:
                raise UndefinedError(name)
            return values[name]
        case ("negative", tuple() as inner):
            return -_number(inner, values)
        case (("min" | "max") as which, tuple() as parts):
            numbers = [_number(part, values) for part in parts]
            return min(numbers) if which == "min" else max(numbers)
        case ("case", tuple() as branches, tuple() as default):
            chosen = next((value for condition, value in branches if _condition(condition, values)), default)
            return _number(chosen, values)
        case (("+" | "-" | "*" | "/") as sign, tuple() as left, tuple() as right):
            return _arithmetic(sign, _number(left, values), _number(right, values))
    raise UnreadableError(f"{node[0]} stands where a number is needed")


def _arithmetic(sign: str, left: Fraction, right: Fraction) -> Fraction:
    if sign == "+":
        return left + right
    if sign == "-":
        return left - right
    if sign == "*":
        return left * right
    if right == 0:
        raise UndefinedError("zero divisor")
    return left / right


def _condition(node: Node, values: dict[str, Fraction]) -> bool:
    match node:
        case ("and", tuple() as left, tuple() as right):
            return _condition(left, values) and _condition(right, values)
        case ("or", tuple() as left, tuple() as right):
            return _condition(left, values) or _condition(right, values)
        case ("not", tuple() as inner):
            return not _condition(inner, values)
        case ("compare", str() as sign, tuple() as left, tuple() as right):
            return compare(sign, _number(left, values), _number(right, values))
    raise UnreadableError(f"{node[0]} stands where a condition is needed")


Comparable = TypeVar("Comparable", Fraction, str)


def compare(sign: str, left: Comparable, right: Comparable) -> bool:
    """Two numbers, or two texts by code point."""
    below = left < right
    equal = left == right
    return {"=": equal, "<>": not equal, "<": below, "<=": below or equal, ">": not (below or equal), ">=": not below}[
        sign
    ]


def admits(text: str, lookup: Lookup) -> bool:
    """Whether a filter is true of the data that `lookup` reads by path (None where absent)."""
    return _truth(read(text), lookup) is True


def _truth(node: Node, lookup: Lookup) -> bool | None:
    match node:
        case ("and", tuple() as left, tuple() as right):
            sides = (_truth(left, lookup), _truth(right, lookup))
            return False if False in sides else None if None in sides else True
        case ("or", tuple() as left, tuple() as right):
            sides = (_truth(left, lookup), _truth(right, lookup))
            return True if True in sides else None if None in sides else False
        case ("not", tuple() as inner):
            truth = _truth(inner, lookup)
            return None if truth is None else not truth
        case ("null", ("name", str() as path)):
            return lookup(path) is None
        case ("in", tuple() as item, tuple() as members):
            found = [_truth(("compare", "=", item, member), lookup) for member in members]
            return True if True in found else None if None in found else False
        case ("name", str() as path):
            value = lookup(path)
            return value if isinstance(value, bool) else None
        case ("truth", bool() as value):
            return value
        case ("compare", str() as sign, tuple() as left, tuple() as right):
            return _compared(sign, left, right, lookup)
    raise UnreadableError(f"{node[0]} stands where a condition is needed")


def _compared(sign: str, left: Node, right: Node, lookup: Lookup) -> bool | None:
    first, second = _read_as(left, right, lookup), _read_as(right, left, lookup)
    if isinstance(first, bool) and isinstance(second, bool):
        return compare(sign, Fraction(first), Fraction(second)) if sign in {"=", "<>"} else None
    if isinstance(first, Fraction) and isinstance(second, Fraction):
        return compare(sign, first, second)
    if isinstance(first, str) and isinstance(second, str):
        return compare(sign, first, second)
    return None


def _read_as(node: Node, other: Node, lookup: Lookup) -> Fraction | str | bool | None:
    """One side of a comparison; a path is read as the kind of literal that stands on the other side."""
    match node:
        case ("number", Fraction() as value):
            return value
        case ("negative", tuple() as inner):
            negative = _read_as(inner, other, lookup)
            return -negative if isinstance(negative, Fraction) else None
        case ("text", str() as text):
            return text
        case ("truth", bool() as truth):
            return truth
        case ("name", str() as path):
            return _value_as(lookup(path), str(other[0]))
    raise UnreadableError(f"{node[0]} cannot be compared")


def _value_as(value: object, kind: str) -> Fraction | str | bool | None:
    if kind in {"number", "negative"}:
        return wire_number(value)
    if kind == "text":
        return scalar_text(value)
    if kind == "truth":
        return value if isinstance(value, bool) else None
    if isinstance(value, bool | str):
        return value
    return wire_number(value)


def wire_number(value: object) -> Fraction | None:
    """A number, or text that spells one, of at most 18 integer and 9 fraction digits; else None."""
    if isinstance(value, str):
        if not re.fullmatch(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,4})?\s*", value):
            return None
        value = Decimal(value.strip())
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return None
    number = Fraction(value)
    exact = (number * 10**9).denominator == 1
    return number if exact and abs(number) < 10**18 else None


def scalar_text(value: object) -> str | None:
    """The text of a scalar as the database's `->>` gives it; None for null, objects and lists."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Decimal):
        return format(value or abs(value), "f")
    return None


def dimension_text(value: object) -> str | None:
    """The text of a scalar as rollups name it: what has more than 200 characters ends in its hash."""
    text = scalar_text(value)
    if text is None or len(text) <= 200:
        return text
    return f"{text[:167]}…{hashlib.blake2b(text.encode(), digest_size=16).hexdigest()}"
