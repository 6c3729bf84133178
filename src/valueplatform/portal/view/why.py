"""Why value of one period differs from that of another."""

from dataclasses import dataclass

from valueplatform.portal.view.drawings import ChartView, TableView
from valueplatform.portal.view.words import Chip, Fact, Link, Note, NumberView, Sentence, Span


@dataclass(frozen=True, slots=True)
class Choice:
    """An option of a select."""

    value: str
    text: str
    selected: bool = False


@dataclass(frozen=True, slots=True)
class ChoiceGroup:
    title: str
    choices: tuple[Choice, ...]


@dataclass(frozen=True, slots=True)
class DaysForm:
    """First and last days, as a form of dates has them (YYYY-MM-DD); `open`: these are what is shown."""

    first: str
    last: str
    against_first: str
    against_last: str
    open: bool = False


@dataclass(frozen=True, slots=True)
class CauseRow:
    """One part of a driver's change: what happened in words, what it is called, and what it comes to."""

    kind: str
    text: str
    number: NumberView


@dataclass(frozen=True, slots=True)
class Cause:
    """One driver: its change, both ends in a sentence, and the parts that add up to it."""

    id: str
    title: str
    meta: str
    chip: Chip | None
    number: NumberView
    sentence: Sentence
    rows: tuple[CauseRow, ...]


@dataclass(frozen=True, slots=True)
class Why:
    """`causes` are in money, `others` in units of their own. `empty` says why there is nothing to explain. `by` is what
    the change is cut by, '' for drivers; `cuts` are the choices by text, address, and whether it is the one."""

    action: str
    periods: tuple[ChoiceGroup, ...]
    against: tuple[ChoiceGroup, ...]
    days: DaysForm
    headline: Sentence
    lead: tuple[Span, ...] = ()
    notes: tuple[str, ...] = ()
    chart: ChartView | None = None
    steps: TableView | None = None
    causes: tuple[Cause, ...] = ()
    others: tuple[Cause, ...] = ()
    unchanged: tuple[Fact, ...] = ()
    caveats: tuple[Note, ...] = ()
    links: tuple[Link, ...] = ()
    empty: str = ""
    by: str = ""
    cuts: tuple[tuple[str, str, bool], ...] = ()
