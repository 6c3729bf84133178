"""Whether two filters can be shown to let no event through both: `channel = 'app'` and `channel in ('web', 'desk')`.

Both are brought into a disjunction of conjunctions, with SQL's logic of three values; they are disjoint where each
conjunction of the one contradicts each of the other. A path contradicts itself where it would be absent and compared,
or where no number, text or boolean satisfies all that is asked of it. Texts, numbers and booleans are looked at apart,
and two paths compared with each other have but to be there: what is called disjoint is, what is not may be.
"""

import operator
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import product
from typing import Any, Final, NamedTuple

from sqlglot import exp

from valueplatform.telemetry.filters import Constant, compile_filter, constant_of, is_path, parsed, path_of, sides_of

MOST: Final = 64
"""Conjunctions of one filter; one with more is not looked into."""

_Compare = Callable[[Any, Any], bool]  # both sides are ranks
_COMPARED: Final[Mapping[type[exp.Expr], tuple[_Compare, _Compare]]] = {
    exp.EQ: (operator.eq, operator.ne),
    exp.NEQ: (operator.ne, operator.eq),
    exp.LT: (operator.lt, operator.ge),
    exp.LTE: (operator.le, operator.gt),
    exp.GT: (operator.gt, operator.le),
    exp.GTE: (operator.ge, operator.lt),
}
"""What holds where a comparison is true, and where it is false; of what is absent it is neither."""


class _Asked(NamedTuple):
    """That the path is absent (`compare` None), or there (`to` None: whatever it is)."""

    path: str
    compare: _Compare | None
    to: Constant | None


_Way = tuple[_Asked, ...]
"""All of it together."""


class _TooManyError(Exception):
    pass


@lru_cache(maxsize=16384)
def are_disjoint(first: str | None, second: str | None) -> bool:
    """Raises FilterError for a filter that cannot be read. No filter lets everything through."""
    compile_filter(first)
    compile_filter(second)
    if first is None or second is None:
        return False
    try:
        pairs = product(_ways(parsed(first), wanted=True), _ways(parsed(second), wanted=True))
    except _TooManyError:
        return False
    return all(_contradicts((*one, *other)) for one, other in pairs)


def _ways(node: exp.Expr, *, wanted: bool) -> Sequence[_Way]:
    """In which ways the condition is true, or (`wanted` false) false."""
    match node:
        case exp.Paren():
            return _ways(node.this, wanted=wanted)
        case exp.Not():
            return _ways(node.this, wanted=not wanted)
        case exp.And() | exp.Or():
            sides = _ways(node.this, wanted=wanted), _ways(node.expression, wanted=wanted)
            return _both(*sides) if isinstance(node, exp.And) is wanted else _bounded([*sides[0], *sides[1]])
        case exp.In():
            compare = operator.eq if wanted else operator.ne
            asked = [_Asked(path_of(node.this), compare, constant_of(one)) for one in node.expressions]
            return _bounded([(one,) for one in asked] if wanted else [tuple(asked)])
        case exp.Is():
            return [(_Asked(path_of(node.this), None if wanted else operator.ne, None),)]
        case exp.Column() | exp.Dot():
            return [(_Asked(path_of(node), operator.eq, wanted),)]
    left, right, kind = sides_of(node)
    if is_path(right):
        return [tuple(_Asked(path_of(side), operator.ne, None) for side in (left, right))]
    return [(_Asked(path_of(left), _COMPARED[kind][not wanted], constant_of(right)),)]


def _both(first: Sequence[_Way], second: Sequence[_Way]) -> Sequence[_Way]:
    if len(first) * len(second) > MOST:
        raise _TooManyError
    return [(*one, *other) for one, other in product(first, second)]


def _bounded(ways: Sequence[_Way]) -> Sequence[_Way]:
    if len(ways) > MOST:
        raise _TooManyError
    return ways


def _contradicts(asked: Iterable[_Asked]) -> bool:
    by_path: defaultdict[str, list[_Asked]] = defaultdict(list)
    for one in asked:
        by_path[one.path].append(one)
    return any(_is_impossible(own) for own in by_path.values())


def _is_impossible(own: Sequence[_Asked]) -> bool:
    if len({one.compare is None for one in own}) > 1:
        return True
    by_kind: defaultdict[type, list[_Asked]] = defaultdict(list)
    for one in own:
        if one.to is not None:
            by_kind[type(one.to)].append(one)
    return any(not any(_candidates(each)) for each in by_kind.values())


def _candidates(own: Sequence[_Asked]) -> Iterator[bool]:
    """For each value that matters whether all that is asked holds of it: the constants named, by rank, and, but for
    booleans, some value between each two of them, below the least and above the greatest."""
    flags = isinstance(own[0].to, bool)
    known = sorted({False, True} if flags else {one.to for one in own})  # type: ignore[type-var]  # of one kind
    rank = {constant: 2 * at for at, constant in enumerate(known)}
    for value in range(0, 2 * len(known), 2) if flags else range(-1, 2 * len(known)):
        yield all(one.compare is not None and one.compare(value, rank[one.to]) for one in own)
