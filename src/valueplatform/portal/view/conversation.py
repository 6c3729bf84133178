"""Conversations between customer and steward."""

from dataclasses import dataclass

from valueplatform.portal.view.words import Act, Chip, Fact, Link, NumberView, Sentence, Span


@dataclass(frozen=True, slots=True)
class Prompt:
    """The next best collaboration: who or what calls, why now, by when, and the one act; `dismiss` sets it aside."""

    title: str
    why: Sentence
    act: Link
    stake: NumberView | None = None
    by: str = ""
    dismiss: Act | None = None


@dataclass(frozen=True, slots=True)
class Topic:
    title: str
    note: str
    href: str
    current: bool = False


@dataclass(frozen=True, slots=True)
class Quote:
    """A live insight inside a conversation, with what it said when the talk began."""

    sentence: Sentence
    meta: tuple[str, ...]
    proof_href: str


@dataclass(frozen=True, slots=True)
class Message:
    """A person's words, one plain text a paragraph. `at` is RFC 3339."""

    author: str
    initials: str
    role: str
    when: str
    at: str
    paragraphs: tuple[str, ...]
    quotes: tuple[Quote, ...] = ()


@dataclass(frozen=True, slots=True)
class SystemLine:
    """What the record did meanwhile; not a message."""

    spans: tuple[Span, ...]
    chip: Chip | None = None
    links: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True)
class Reply:
    """The composer. `text` and `error` keep what could not be sent; `hint` says who reads it."""

    action: str
    label: str
    text: str = ""
    error: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Thread:
    title: str
    items: tuple[Message | SystemLine, ...]
    people: tuple[Fact, ...]
    reply: Reply | None
    quote: Quote | None = None
    asides: tuple[Fact, ...] = ()
    live_href: str | None = None


@dataclass(frozen=True, slots=True)
class Together:
    """`thread` is None where there is none yet; `empty` then says how one begins, and `prompts` with whom to."""

    topics: tuple[Topic, ...]
    thread: Thread | None
    empty: str = ""
    start: Act | None = None
    prompts: tuple[Prompt, ...] = ()
