"""What is sent, what of it is used and worth, and what could be sent."""

from dataclasses import dataclass

from valueplatform.portal.view.steward import Filter
from valueplatform.portal.view.words import Chip, Fact, Link, NumberState


@dataclass(frozen=True, slots=True)
class WorthLine:
    """An amount that opens to what it is made from, or, without `href`, a word on why there is none. `state` decides
    its underline; `sub` says the rest (class, range, accounts)."""

    text: str
    sub: str = ""
    value: str = ""
    unit: str = ""
    state: NumberState = "validated"
    href: str = ""


@dataclass(frozen=True, slots=True)
class PropertyLine:
    """`shape` is the kinds of its values, with an example where one may be shown; `feeds` what reads it; `worth` what
    the drivers that cannot do without it are worth."""

    path: str
    shape: str
    events: str
    feeds: str
    worth: WorthLine | None = None


@dataclass(frozen=True, slots=True)
class TypeRow:
    """One event type. `owner` is '' where nobody answers for it, and `owner_note` says who set it and when. `reasons`
    say what could not be estimated, by driver."""

    anchor: str
    type: str
    sub: str
    events: str
    accounts: str
    chip: Chip
    feeds: str
    owner: str
    owner_note: str
    summary: str
    properties: tuple[PropertyLine, ...]
    realized: tuple[WorthLine, ...] = ()
    potential: tuple[WorthLine, ...] = ()
    reasons: tuple[Fact, ...] = ()
    opened: Link | None = None
    note: str = ""
    is_open: bool = False


@dataclass(frozen=True, slots=True)
class GapRow:
    """Something that could be sent. `said` tells who set the effort, or by which rule it is; `wish` what somebody wrote
    who wishes for it, `wished` who and when. Without `may_say` the type has no forms."""

    anchor: str
    type: str
    path: str
    title: str
    says: str
    feeds: str
    effort: str
    rule: str
    said: str
    reason: str
    owner: str
    owner_note: str
    potential: tuple[WorthLine, ...]
    wish: str = ""
    wished: str = ""
    may_withdraw: bool = False
    is_open: bool = False


@dataclass(frozen=True, slots=True)
class Catalog:
    """`empty` says what no rows mean. `show`, `sort` and `cursor` bring a form back to where it was sent from; without
    `action` the reader sets nothing. `gaps` stand in place of `rows` where what could be sent is asked for."""

    headline: str
    lead: str
    filters: tuple[Filter, ...]
    rows: tuple[TypeRow, ...]
    gaps: tuple[GapRow, ...]
    empty: str
    show: str
    sort: str
    cursor: str
    orders: tuple[Link, ...]
    order: str
    csv: Link
    csrf: str
    action: str = ""
    more: Link | None = None
    live_href: str | None = None


@dataclass(frozen=True, slots=True)
class MonthRow:
    """What a driver was worth, by month; `total` is the mean."""

    unit: str
    cells: tuple[str, ...]
    total: str


@dataclass(frozen=True, slots=True)
class CohortRow:
    name: str
    peers: str
    low: str
    expected: str
    high: str
    note: str


@dataclass(frozen=True, slots=True)
class OpenedPart:
    """A driver that the type feeds or is compared by. `reason` says why there is no estimate."""

    title: str
    formula: str
    meta: str
    months: tuple[MonthRow, ...]
    cohorts: tuple[CohortRow, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class AccountRow:
    """One account's part in an amount; `made` is how it is made, as arithmetic."""

    name: str
    href: str
    driver: str
    part: str
    made: str
    amount: str
    note: str
    predicted: bool


@dataclass(frozen=True, slots=True)
class OpenedWorth:
    """A type's worth, opened. `months` name the columns; `method` are the ways of what is shown, to be explained;
    `like` is the type that it stands in for, with their correlation."""

    type: str
    path: str
    headline: str
    lead: str
    months: tuple[str, ...]
    realized: tuple[WorthLine, ...]
    potential: tuple[WorthLine, ...]
    parts: tuple[OpenedPart, ...]
    accounts: tuple[AccountRow, ...]
    method: tuple[str, ...]
    like: str
    likeness: str
    back: Link
    more: Link | None = None
