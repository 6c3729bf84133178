"""What is sent, and what of it is used."""

from dataclasses import dataclass

from valueplatform.portal.view.steward import Filter
from valueplatform.portal.view.words import Chip, Link


@dataclass(frozen=True, slots=True)
class PropertyLine:
    """`shape` is the kinds of its values, with an example where one may be shown; `feeds` what reads it."""

    path: str
    shape: str
    events: str
    feeds: str


@dataclass(frozen=True, slots=True)
class TypeRow:
    """One event type. `owner` is '' where nobody answers for it, and `owner_note` says who set it and when."""

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
    note: str = ""
    is_open: bool = False


@dataclass(frozen=True, slots=True)
class Catalog:
    """`empty` says what no rows mean. `show` and `cursor` bring a form back to where it was sent from; without `action`
    the reader sets no owners."""

    headline: str
    filters: tuple[Filter, ...]
    rows: tuple[TypeRow, ...]
    empty: str
    show: str
    cursor: str
    action: str = ""
    more: Link | None = None
