"""The frame around every page, and the pages before sign-in or after a failure."""

from dataclasses import dataclass

from valueplatform.portal.view.words import Act, Link


@dataclass(frozen=True, slots=True)
class Tab:
    text: str
    href: str
    current: bool = False
    count: int = 0


@dataclass(frozen=True, slots=True)
class Person:
    name: str
    initials: str
    role: str


@dataclass(frozen=True, slots=True)
class Freshness:
    """`at` is the RFC 3339 time of the last event taken, `text` says it ("40 s ago"); not live: none for too long."""

    text: str
    at: str
    live: bool = True


@dataclass(frozen=True, slots=True)
class Notice:
    """`lead` says how much is new, `link` is the first of it, `dismiss` puts it aside; `risk`: bad news."""

    lead: str
    link: Link
    dismiss: Act
    risk: bool = False


@dataclass(frozen=True, slots=True)
class Bell:
    """The notices of a reader, in the bar of every page. `count` is how many things are new, `lines` the first of them;
    `live_href` streams it where the page has no stream that brings it along."""

    count: int
    lines: tuple[Link, ...] = ()
    dismiss: Act | None = None
    live_href: str = ""

    @property
    def name(self) -> str:
        return f"Notices, {self.count or 'nothing'} new"


@dataclass(frozen=True, slots=True)
class Shell:
    """What every page needs. `place` stands beside the supplier's name (the account, or "Value stewardship").

    `links` are pages of the account beside its tabs. `csrf` is bound to the session, or to the visit before sign-in.
    Without `person` no one is signed in.
    """

    supplier: str
    csrf: str
    home: str = "/"
    place: str = ""
    tabs: tuple[Tab, ...] = ()
    person: Person | None = None
    sign_out: Act | None = None
    freshness: Freshness | None = None
    links: tuple[Link, ...] = ()
    notice: Notice | None = None
    bell: Bell | None = None
    settings: Link | None = None


@dataclass(frozen=True, slots=True)
class SignIn:
    action: str
    email: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class Failure:
    """What happened, what is safe, what to do, and a code for support."""

    title: str
    safe: str
    code: str
    links: tuple[Link, ...] = ()
