"""Connecting a product: its keys, the snippet that it is begun with, what becomes of what it sends."""

from dataclasses import dataclass
from typing import Literal

from valueplatform.portal.view.steward import Filter
from valueplatform.portal.view.words import Act, Chip, Fact, Link

StateKind = Literal["waiting", "refused", "on", "revoked"]


@dataclass(frozen=True, slots=True)
class Moment:
    """`at` is the RFC 3339 time, `text` says how long ago."""

    at: str
    text: str


@dataclass(frozen=True, slots=True)
class KeyRow:
    """A key; `moment` is when its newest event came."""

    name: str
    href: str
    chip: Chip
    limits: str
    made: str
    moment: Moment | None = None


@dataclass(frozen=True, slots=True)
class Keys:
    """`create_action` is '' for whoever may make no keys; `error` is what was wrong with the name that was given."""

    headline: str
    rows: tuple[KeyRow, ...]
    revoked: tuple[KeyRow, ...]
    command: str
    try_href: str
    create_action: str = ""
    name: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """A run of a paragraph, as it is set."""

    text: str
    form: Literal["text", "code", "strong"] = "text"


@dataclass(frozen=True, slots=True)
class Snippet:
    """The page of a client: what stands before and after its one block of code, as paragraphs."""

    client: str
    title: str
    before: tuple[tuple[Run, ...], ...]
    code: str
    after: tuple[tuple[Run, ...], ...]


@dataclass(frozen=True, slots=True)
class ReadingLine:
    """What a meter reads. `value` is '' where it reads nothing, and `why` then says why; `is_text`: a member, no
    number."""

    meter: str
    value: str
    why: str
    dimensions: str
    feeds: str
    is_text: bool = False


@dataclass(frozen=True, slots=True)
class EventRow:
    """One event and what became, or would become, of it. `feeds` says which meters it feeds, and which of them find
    nothing to read; `readings_note` what no readings mean; `body` is what was sent, where it may be shown."""

    anchor: str
    chip: Chip
    title: str
    account: str
    feeds: str
    said: str
    facts: tuple[Fact, ...]
    readings: tuple[ReadingLine, ...]
    readings_note: str = ""
    body: str = ""
    body_label: str = ""
    acts: tuple[Act, ...] = ()
    moment: Moment | None = None


@dataclass(frozen=True, slots=True)
class State:
    """How far a key has come; `said` is what to do, or what has happened."""

    kind: StateKind
    title: str
    said: str
    moment: Moment | None = None


@dataclass(frozen=True, slots=True)
class RecentEvents:
    filters: tuple[Filter, ...]
    rows: tuple[EventRow, ...]
    empty: str
    note: str
    more: Link | None = None


@dataclass(frozen=True, slots=True)
class KeyPage:
    """A key's own page. `secret` is the key itself, shown this once; `address` is where the page is found again."""

    name: str
    about: tuple[Fact, ...]
    state: State
    events: RecentEvents
    clients: tuple[Filter, ...]
    snippet: Snippet | None
    snippet_open: bool
    address: str
    live_href: str = ""
    try_href: str = ""
    secret: str = ""
    revoke: Act | None = None


@dataclass(frozen=True, slots=True)
class Option:
    value: str
    text: str
    selected: bool = False


@dataclass(frozen=True, slots=True)
class Tester:
    """`said` sums up the verdicts of what was tried; `error` says what of the request itself is wrong."""

    action: str
    dialects: tuple[Option, ...]
    keys: tuple[Option, ...]
    body: str = ""
    error: str = ""
    said: str = ""
    rows: tuple[EventRow, ...] = ()
    note: str = ""
