"""The driver library, and one driver of it, opened."""

from dataclasses import dataclass

from valueplatform.portal.view.drawings import TableView
from valueplatform.portal.view.words import Fact, Link


@dataclass(frozen=True, slots=True)
class Choice:
    """One filter by its name in the address; each option is a value, its text, and whether it is chosen."""

    name: str
    label: str
    options: tuple[tuple[str, str, bool], ...]


@dataclass(frozen=True, slots=True)
class DriverRow:
    """`used` says how many accounts and how much; '' where the reader may not know."""

    title: Link
    about: str
    benefit_class: str
    category: str
    stages: str
    personas: str
    evidence: str
    used: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Library:
    headline: str
    lead: str
    choices: tuple[Choice, ...]
    rows: tuple[DriverRow, ...]
    empty: str
    back: Link
    action: str
    all: Link | None


@dataclass(frozen=True, slots=True)
class Version:
    """`changes` are what was said before and is said now, in words."""

    title: str
    day: str
    holds: str
    changes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OpenedDriver:
    """`uses` are of single accounts; without them `totals` alone, or `masked` says why there are none."""

    title: str
    about: str
    play: str
    facts: tuple[Fact, ...]
    in_words: str
    formula: str
    inputs: tuple[TableView, ...]
    versions: tuple[Version, ...]
    used: str
    totals: tuple[str, ...]
    uses: TableView | None
    links: tuple[tuple[str, str], ...]
    back: Link
