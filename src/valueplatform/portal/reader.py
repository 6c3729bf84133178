"""Who looks at the record of assumptions, and what they may do there."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from urllib.parse import quote

from valueplatform.core.authorization import Side
from valueplatform.core.periods import local_day
from valueplatform.portal.calling import Place
from valueplatform.portal.exact import short_day
from valueplatform.value.assumptions import Entry


@dataclass(frozen=True, slots=True)
class Reader:
    """Who looks, and what they may do here."""

    place: Place
    side: Side
    author: str
    today: date
    supplier: str
    names: Mapping[str, str]
    proposes: bool
    disputes: bool
    validates: bool

    def name(self, author: str) -> str:
        return self.names.get(author, self.supplier if author == "value model" else author)

    def day(self, entry: Entry) -> str:
        return short_day(local_day(entry.known_at, self.place.account.timezone), self.today)

    def path(self, slug: str, verb: str) -> str:
        return self.place.path(f"/assumptions/{quote(slug, safe='')}/{verb}")
