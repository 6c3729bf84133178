"""The customer's story."""

from dataclasses import dataclass

from valueplatform.portal.view.conversation import Prompt
from valueplatform.portal.view.drawings import ChartView, Strip
from valueplatform.portal.view.words import Act, Banner, Chip, Fact, LanguageSwitch, Link, Note, Sentence


@dataclass(frozen=True, slots=True)
class Chapter:
    """`title` asserts, `short` labels (for the list of chapters); `meta` names driver, benefit class and evidence.

    `href` leads to why value changed.
    """

    id: str
    title: str
    chip: Chip | None
    meta: str
    sentences: tuple[Sentence, ...]
    notes: tuple[Note, ...] = ()
    strip: Strip | None = None
    href: Link | None = None
    ask: Act | None = None
    short: str = ""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """The next best step. `what` is one imperative sentence; `facts` give expectation, interval, past record.

    `label` says "Included" or "Costs extra" where known. `hint` says what pressing the button does.
    """

    id: str
    what: str
    reason: tuple[Sentence, ...]
    facts: tuple[Fact, ...]
    ask: Act
    hint: str = ""
    label: str = ""
    accept: Act | None = None
    dismiss: Act | None = None


@dataclass(frozen=True, slots=True)
class GradeItem:
    """A suggestion that was accepted: since when, what became of it in a word, and in a sentence. `undo` takes the
    acceptance back while nothing is graded."""

    title: str
    when: str
    chip: Chip
    sentence: Sentence
    undo: Act | None = None


@dataclass(frozen=True, slots=True)
class Grades:
    """`track` says how predictions turned out over all accounts; '' where too few tell."""

    items: tuple[GradeItem, ...]
    track: str = ""


@dataclass(frozen=True, slots=True)
class SinceItem:
    text: str
    href: str
    when: str
    date: str


@dataclass(frozen=True, slots=True)
class Since:
    """What changed since the last visit, at most five lines. `short` stands in the dateline of a phone."""

    label: str
    short: str
    items: tuple[SinceItem, ...]


@dataclass(frozen=True, slots=True)
class PrintedProof:
    """One line of the table that ends the printed story."""

    number: str
    made: str
    rests: str
    address: str


@dataclass(frozen=True, slots=True)
class ProjectedRow:
    """What a driver may be worth a month; `made` says of what, `href` opens it."""

    driver: str
    meta: str
    expected: str
    value: str
    range: str
    cohort: str
    made: str
    href: str


@dataclass(frozen=True, slots=True)
class ProjectionView:
    """What an account without value may expect. `missing` says what could not be projected, and why."""

    chip: Chip
    title: str
    lead: str
    rows: tuple[ProjectedRow, ...]
    missing: tuple[str, ...]
    method: str


@dataclass(frozen=True, slots=True)
class Story:
    """`version` names this state of the record; `lang` is the language of its words where it is not the page's;
    `live_href` streams `story` events with `story_live.html`. `step` is what to do about what was told."""

    account_key: str
    account_name: str
    version: str
    dateline: str
    chip: Chip
    headline: Sentence
    lead: tuple[Sentence, ...]
    chapters: tuple[Chapter, ...]
    chart: ChartView | None = None
    step: str | None = None
    suggestion: Suggestion | None = None
    grades: Grades | None = None
    since: Since | None = None
    banner: Banner | None = None
    earlier: tuple[Link, ...] = ()
    links: tuple[Link, ...] = ()
    printed: tuple[PrintedProof, ...] = ()
    ask: Act | None = None
    live_href: str | None = None
    projection: ProjectionView | None = None
    talk: Prompt | None = None
    lang: str = ""
    languages: LanguageSwitch | None = None
