"""What a number opens to."""

from dataclasses import dataclass
from typing import Literal

from valueplatform.portal.view.drawings import Column
from valueplatform.portal.view.words import Act, Chip, Fact, Link, Note, NumberState, Sentence, Span


@dataclass(frozen=True, slots=True)
class Verdict:
    """`how` says from what, by what and when ("Recomputed from 98,500 events by separate code, 2 Sep 2026, 09:41").

    `notice` heads a difference that has a known reason (newer events, a statement that no longer holds): the number is
    then not withdrawn.
    """

    agrees: bool
    stated: str
    recomputed: str
    how: str
    notice: str = ""


@dataclass(frozen=True, slots=True)
class Token:
    """An operator or bracket, a term (a value with its name, linked to its row below), or the result."""

    kind: Literal["operator", "term", "result"]
    text: str
    label: str = ""
    href: str = ""
    state: NumberState = "validated"


@dataclass(frozen=True, slots=True)
class Formula:
    """`spoken` reads the arithmetic aloud; `note` names version and date; `expression` is the driver's own text."""

    tokens: tuple[Token, ...]
    spoken: str
    note: str = ""
    expression: str = ""


@dataclass(frozen=True, slots=True)
class ClassRow:
    """One line of a total by benefit class: amount, its range, and the evidence in words."""

    benefit_class: str
    evidence: str
    amount: str
    range: str = ""


@dataclass(frozen=True, slots=True)
class Dispute:
    """What is proposed against the value in force, by whom and why; `effect` says what validating it would do."""

    title: str
    quote: str
    who: str
    effect: tuple[Span, ...] = ()
    links: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True)
class InputRow:
    """An assumption or baseline as it enters a proof. `anchor` is what a token's `href` points to."""

    anchor: str
    name: str
    value: str
    who: str
    chip: Chip
    href: str = ""
    dispute: Dispute | None = None


@dataclass(frozen=True, slots=True)
class MeterRow:
    anchor: str
    name: str
    counts: str
    data: str
    value: str


@dataclass(frozen=True, slots=True)
class Events:
    """Rows of the raw events behind a number, newest first; identifiers masked where the reader has no right."""

    count: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    next_href: str | None = None
    download_href: str | None = None


@dataclass(frozen=True, slots=True)
class Proof:
    """`number` is the text of the number opened; `method` and `facts` carry what has no formula (a trend, a count).

    `rests` warns about the weakest input; `ask` opens a conversation with this insight attached.
    """

    ref: str
    number: str
    sentence: Sentence
    verdict: Verdict
    back: Link
    classes: tuple[ClassRow, ...] = ()
    rests: Chip | None = None
    formula: Formula | None = None
    method: str = ""
    facts: tuple[Fact, ...] = ()
    assumptions: tuple[InputRow, ...] = ()
    baselines: tuple[InputRow, ...] = ()
    meters: tuple[MeterRow, ...] = ()
    period: str = ""
    notes: tuple[Note, ...] = ()
    events: Events | None = None
    ask: Act | None = None
