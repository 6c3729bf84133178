"""Finance: what a dollar invested delivered, and what that is made of."""

from dataclasses import dataclass

from valueplatform.portal.view.words import Link


@dataclass(frozen=True, slots=True)
class Amount:
    """A number that opens to what it is made of; without `href` a word on why there is none."""

    text: str
    value: str = ""
    unit: str = ""
    href: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    text: str
    href: str
    current: bool = False


@dataclass(frozen=True, slots=True)
class Measure:
    """`note` is the quiet rest: what bounds it, or of which accounts it is."""

    title: str
    amount: Amount
    note: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """Positions in [0, 1], y from the bottom; a step without a value breaks the line. `level`: where it breaks even."""

    runs: tuple[tuple[tuple[float, float], ...], ...]
    level: float
    text: str


@dataclass(frozen=True, slots=True)
class TrendRow:
    title: str
    line: Line | None
    last: Amount
    note: str
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SegmentRow:
    title: str
    href: str
    accounts: str
    cells: tuple[Amount, ...]


@dataclass(frozen=True, slots=True)
class BarRow:
    """`share` in [0, 1] places ink."""

    title: str
    amount: str
    share: float
    share_text: str
    value: str
    attributed: bool


@dataclass(frozen=True, slots=True)
class NextRow:
    rank: str
    title: str
    href: str
    amount: Amount
    note: str


@dataclass(frozen=True, slots=True)
class LeftRow:
    name: str
    href: str
    text: str


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Finance:
    """`key` is the number of the headline, `classes` says its benefit classes apart (value rule 4). `empty` says what
    is missing where nothing can be told, and what to do."""

    before: str
    key: Amount | None
    after: str
    lead: str
    empty: str
    facts: tuple[Measure, ...]
    segments_shown: tuple[Choice, ...]
    steps: tuple[Choice, ...]
    cuts: tuple[Choice, ...]
    start: str
    last: str
    kept: tuple[Field, ...]
    trend_heads: tuple[str, ...]
    trend: tuple[TrendRow, ...]
    trend_note: str
    measures: tuple[Measure, ...]
    classes: str
    segment_heads: tuple[str, ...]
    segments: tuple[SegmentRow, ...]
    contribution: tuple[BarRow, ...]
    contribution_total: Amount | None
    next_dollar: tuple[NextRow, ...]
    left_out: tuple[LeftRow, ...]
    downloads: tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class PartRow:
    title: str
    name: str
    text: str
    says: str


@dataclass(frozen=True, slots=True)
class RecordRow:
    """A contract, a cost or a rate, as it was recorded."""

    name: str
    what: str
    when: str
    amount: str


@dataclass(frozen=True, slots=True)
class OpenedAccount:
    """`cells` are its parts, in the order of the page's; `opens` names what is beneath: `records` and `values`."""

    name: str
    href: str
    note: str
    opens: str
    cells: tuple[str, ...]
    records: tuple[RecordRow, ...]
    values: tuple[RecordRow, ...]


@dataclass(frozen=True, slots=True)
class Opened:
    """A measure, opened. `sums` writes the formula with its numbers; '' where it names none."""

    title: str
    headline: str
    lead: str
    says: str
    formula: str
    sums: str
    source: str
    agrees: bool
    verdict: str
    uses: tuple[Measure, ...]
    parts: tuple[PartRow, ...]
    heads: tuple[str, ...]
    accounts: tuple[OpenedAccount, ...]
    shared: tuple[RecordRow, ...]
    rates: tuple[RecordRow, ...]
    left_out: tuple[LeftRow, ...]
    back: Link
    more: Link | None
