"""Walking derivations: their leaves, the days that they speak of, and the stretch that a number is about."""

from collections.abc import Iterable, Iterator
from datetime import date

from valueplatform.core.periods import next_month
from valueplatform.value.derivation import (
    Adjusted,
    Benchmark,
    Closed,
    Committed,
    Days,
    Derivation,
    Difference,
    Effort,
    Forecast,
    Graded,
    Input,
    Metered,
    Paid,
    Part,
    Ratio,
    Realized,
    Sent,
    Statistic,
    Tally,
    Total,
)

Span = tuple[date, date]


def children(node: Derivation) -> tuple[Derivation, ...]:
    match node:
        case Difference():
            return (node.minuend, node.subtrahend)
        case Ratio():
            return (node.numerator, node.denominator)
        case Total():
            return node.parts
        case Tally():
            return (*node.items, node.threshold) if node.threshold is not None else node.items
        case Statistic():
            return node.values
        case Forecast():
            return node.weeks
    return ()


def leaves(node: Derivation) -> Iterator[Derivation]:
    below = children(node)
    if not below:
        yield node
    for child in below:
        yield from leaves(child)


def foretells(node: Derivation) -> bool:
    """Whether a forecast is in it."""
    return isinstance(node, Forecast) or any(foretells(child) for child in children(node))


def span_of_leaf(node: Derivation) -> Span | None:
    match node:
        case (
            Realized() | Committed() | Paid() | Effort() | Metered() | Sent() | Days() | Benchmark() | Graded() | Part()
        ):
            return (node.start, node.end)
        case Closed():
            return (node.month, next_month(node.month))
        case Adjusted():
            return (node.month, next_month(node.month)) if node.month is not None else (node.start, node.end)
    return None


def subject_span(node: Derivation) -> Span | None:
    """The stretch that a number is about: of a difference what it is taken from, of a ratio its numerator."""
    match node:
        case Difference():
            return subject_span(node.minuend)
        case Ratio():
            return subject_span(node.numerator)
        case Total() | Statistic() | Tally() | Forecast():
            spans = [span for child in children(node)[: _own(node)] if (span := subject_span(child)) is not None]
            return hull(spans)
    return span_of_leaf(node)


def _own(node: Total | Statistic | Tally | Forecast) -> int:
    """How many children are values; a tally's threshold is not."""
    return len(node.items) if isinstance(node, Tally) else len(children(node))


def hull(spans: Iterable[Span]) -> Span | None:
    known = list(spans)
    return (min(start for start, _ in known), max(end for _, end in known)) if known else None


def boundaries(given: Iterable[Derivation]) -> list[date]:
    """The first days and ends of all value and meter periods, in order."""
    found: set[date] = set()
    for leaf in (leaf for node in given for leaf in leaves(node)):
        if isinstance(leaf, Realized | Metered):
            found |= {leaf.start, leaf.end}
    return sorted(found)


def meters_in(given: Iterable[Derivation]) -> frozenset[str]:
    return frozenset(leaf.meter for node in given for leaf in leaves(node) if isinstance(leaf, Metered))


def sources_in(given: Iterable[Derivation]) -> tuple[frozenset[str], Span | None]:
    """The sources whose events are counted, and the days from the first to the last of them."""
    counted = [leaf for node in given for leaf in leaves(node) if isinstance(leaf, Sent)]
    return frozenset(leaf.source for leaf in counted), hull((leaf.start, leaf.end) for leaf in counted)


def inputs_in(given: Iterable[Derivation]) -> frozenset[tuple[str, date]]:
    return frozenset((leaf.slug, leaf.day) for node in given for leaf in leaves(node) if isinstance(leaf, Input))


def compared_in(given: Iterable[Derivation]) -> frozenset[Benchmark]:
    return frozenset(leaf for node in given for leaf in leaves(node) if isinstance(leaf, Benchmark))


def graded_in(given: Iterable[Derivation]) -> frozenset[Graded]:
    return frozenset(leaf for node in given for leaf in leaves(node) if isinstance(leaf, Graded))


def parts_in(given: Iterable[Derivation]) -> frozenset[Part]:
    return frozenset(leaf for node in given for leaf in leaves(node) if isinstance(leaf, Part))


def drivers_in(node: Derivation) -> frozenset[str]:
    return frozenset(
        driver
        for leaf in leaves(node)
        if isinstance(leaf, Realized | Committed | Adjusted | Closed)
        for driver in leaf.drivers
    )
