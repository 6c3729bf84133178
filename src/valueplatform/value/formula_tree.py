"""What a formula says, as frozen values: rational arithmetic, min and max, and choice by conditions.

The tree is at most 100 deep (the parser sees to it), so that plain recursion over it is safe.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

ArithmeticSign = Literal["+", "-", "*", "/"]
ComparisonSign = Literal["=", "<>", "<", "<=", ">", ">="]


@dataclass(frozen=True, slots=True)
class Number:
    """The literal numerator / 10**places."""

    numerator: int
    places: int


@dataclass(frozen=True, slots=True)
class Name:
    """A meter, baseline or assumption."""

    name: str


@dataclass(frozen=True, slots=True)
class Negative:
    term: "Term"


@dataclass(frozen=True, slots=True)
class Arithmetic:
    sign: ArithmeticSign
    left: "Term"
    right: "Term"


@dataclass(frozen=True, slots=True)
class Extreme:
    """The least or the greatest of two or more terms."""

    which: Literal["min", "max"]
    terms: tuple["Term", ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """The term of the first branch whose condition holds, else `otherwise`."""

    branches: tuple[tuple["Condition", "Term"], ...]
    otherwise: "Term"


@dataclass(frozen=True, slots=True)
class Comparison:
    sign: ComparisonSign
    left: "Term"
    right: "Term"


@dataclass(frozen=True, slots=True)
class Connected:
    sign: Literal["and", "or"]
    left: "Condition"
    right: "Condition"


@dataclass(frozen=True, slots=True)
class Denied:
    condition: "Condition"


Term = Number | Name | Negative | Arithmetic | Extreme | Choice
Condition = Comparison | Connected | Denied
Node = Term | Condition

_LOOSEST: Final = 0
_TIGHTNESS: Final = {"or": 1, "and": 2, "not": 3, "compare": 4, "+": 5, "-": 5, "*": 6, "/": 6, "sign": 7}


def canonical_text(node: Node, *, around: int = _LOOSEST) -> str:
    """The one way to write a node: single spaces, only the parentheses that it needs; parses back to itself."""
    match node:
        case Number(numerator, places):
            return _literal_text(numerator, places)
        case Name(name):
            return name
        case Extreme(which, terms):
            return f"{which}({', '.join(canonical_text(term) for term in terms)})"
        case Choice(branches, otherwise):
            whens = " ".join(f"when {canonical_text(test)} then {canonical_text(term)}" for test, term in branches)
            return f"case {whens} else {canonical_text(otherwise)} end"
        case Negative(term):
            tightness, text = _TIGHTNESS["sign"], f"-{canonical_text(term, around=_TIGHTNESS['sign'] + 1)}"
        case Denied(condition):
            tightness = _TIGHTNESS["not"]
            text = f"not {canonical_text(condition, around=tightness + 1)}"
        case Comparison(sign, left, right):
            tightness = _TIGHTNESS["compare"]
            text = f"{canonical_text(left)} {sign} {canonical_text(right)}"
        case Arithmetic(sign, left, right) | Connected(sign, left, right):
            tightness = _TIGHTNESS[sign]
            text = f"{canonical_text(left, around=tightness)} {sign} {canonical_text(right, around=tightness + 1)}"
    return f"({text})" if tightness < around else text


def walk(node: Node) -> Iterator[Node]:
    """The node and everything below it, in reading order."""
    yield node
    for child in children(node):
        yield from walk(child)


def children(node: Node) -> tuple[Node, ...]:
    match node:
        case Number() | Name():
            return ()
        case Negative(only) | Denied(only):
            return (only,)
        case Arithmetic(_, left, right) | Comparison(_, left, right) | Connected(_, left, right):
            return left, right
        case Extreme(_, terms):
            return terms
        case Choice(branches, otherwise):
            return (*(part for branch in branches for part in branch), otherwise)


def degree_in(node: Node, names: frozenset[str]) -> int | None:
    """0 where none of `names` occurs, 1 where the node is a sum of them with factors free of them, else None.

    Only degree 1 makes f(x + y) = f(x) + f(y): a constant term would be counted once a day.
    """
    match node:
        case Name(name):
            return int(name in names)
        case Negative(term):
            return degree_in(term, names)
        case Arithmetic(sign, left, right):
            return _arithmetic_degree(sign, degree_in(left, names), degree_in(right, names))
        case Choice(branches, otherwise):
            tests = {degree_in(test, names) for test, _ in branches}
            terms = {degree_in(term, names) for _, term in branches} | {degree_in(otherwise, names)}
            return terms.pop() if tests == {0} and len(terms) == 1 else None
        case _:
            return 0 if all(degree_in(child, names) == 0 for child in children(node)) else None


def _arithmetic_degree(sign: ArithmeticSign, left: int | None, right: int | None) -> int | None:
    if left is None or right is None:
        return None
    if sign in {"+", "-"}:
        return left if left == right else None
    if sign == "/":
        return left if right == 0 else None
    return left + right if left + right <= 1 else None


def _literal_text(numerator: int, places: int) -> str:
    digits = str(numerator).rjust(places + 1, "0")
    return f"{digits[:-places]}.{digits[-places:]}" if places else digits
