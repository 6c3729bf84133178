"""What the features of the product are worth, as pages show it."""

from dataclasses import dataclass

from valueplatform.portal.view.catalog import WorthLine
from valueplatform.portal.view.words import Chip, Fact, Link


@dataclass(frozen=True, slots=True)
class FeatureRow:
    """`lacks` is '' where the hypothesis is whole; `uses` and `accounts` say how much it is used."""

    title: Link
    sub: str
    chip: Chip
    lacks: str
    accounts: str
    uses: str
    value: tuple[WorthLine, ...]
    per_use: tuple[WorthLine, ...]
    unrealized: tuple[WorthLine, ...]
    releases: str


@dataclass(frozen=True, slots=True)
class Features:
    """`first` and `last` are the days of the window, both included, as a form takes them."""

    headline: str
    lead: str
    first: str
    last: str
    rows: tuple[FeatureRow, ...]
    empty: str
    back: Link


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a table: its head, then its cells."""

    name: str
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DriverPart:
    """A driver that the feature serves. `parts` divide it where several do; `reason` says why nothing is divided."""

    title: str
    meta: str
    formula: str
    parts: tuple[Row, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class ReleasePart:
    """`rows` are before, after and the difference; none where there is not enough to tell."""

    title: str
    meta: str
    rows: tuple[Row, ...]
    says: str


@dataclass(frozen=True, slots=True)
class Feature:
    """`use` says what one use is, where value is told per use."""

    headline: str
    lead: str
    types: tuple[Link, ...]
    hypothesis: tuple[Fact, ...]
    facts: tuple[Fact, ...]
    value: tuple[Row, ...]
    use: str
    per_use: tuple[Row, ...]
    drivers: tuple[DriverPart, ...]
    cohorts: tuple[Row, ...]
    left: tuple[str, ...]
    releases: tuple[ReleasePart, ...]
    back: Link
