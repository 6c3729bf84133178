"""Whether what comes in can be relied on."""

from dataclasses import dataclass

from valueplatform.portal.view.steward import Filter
from valueplatform.portal.view.words import Chip, Link


@dataclass(frozen=True, slots=True)
class FindingLine:
    """What was found, in a few words; `detail` is what is usual and what was seen, `when` since when."""

    what: str
    detail: str
    when: str


@dataclass(frozen=True, slots=True)
class SourceRow:
    """One source of one account. `taken` says what of what came in was not taken as new."""

    source: str
    account: str
    account_href: str
    fresh: str
    fresh_note: str
    volume: str
    volume_note: str
    taken: str
    chip: Chip
    findings: tuple[FindingLine, ...]


@dataclass(frozen=True, slots=True)
class DataQuality:
    """`empty` says what no rows mean; `narrowed` is what the list is cut to, by name, `all_href` the way back."""

    headline: str
    filters: tuple[Filter, ...]
    rows: tuple[SourceRow, ...]
    empty: str
    narrowed: str = ""
    all_href: str = ""
    more: Link | None = None
