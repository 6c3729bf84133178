"""The catalog as the supplier's people see it: a sentence, and one line an event type. Pure."""

from dataclasses import dataclass
from datetime import date
from hashlib import blake2b
from typing import Final
from urllib.parse import urlencode

from valueplatform.core.pages import Page
from valueplatform.portal.exact import count_text, short_day
from valueplatform.portal.view import catalog as view
from valueplatform.portal.view.steward import Filter
from valueplatform.portal.view.words import Chip, Link
from valueplatform.telemetry.catalog_reads import Counts, Owner
from valueplatform.value.catalog import CatalogEntry, CatalogProperty, Chosen

PATH: Final = "/catalog"
OWNER_PATH: Final = "/catalog/owner"
_FILTERS: Final = {Chosen.ALL: "All", Chosen.MAPPED: "Mapped", Chosen.UNMAPPED: "Not measured"}
_EMPTY: Final = {
    Chosen.ALL: "No event has been counted yet. Events appear here about a minute after they come in.",
    Chosen.MAPPED: "No event type that is sent feeds a meter. The value model says what meters read.",
    Chosen.UNMAPPED: "Every event type that is sent feeds a meter.",
}
_MAPPED: Final = Chip("on", "Mapped")
_UNMAPPED: Final = Chip("nodata", "Not measured")


@dataclass(frozen=True, slots=True)
class Asked:
    """What of the catalog is asked for; `opened` is the type whose properties stand open."""

    chosen: Chosen = Chosen.ALL
    cursor: str | None = None
    opened: str | None = None

    @property
    def path(self) -> str:
        given = {"show": self.chosen.value, "cursor": self.cursor, "open": self.opened}
        query = urlencode({name: value for name, value in given.items() if value})
        return f"{PATH}?{query}{f'#{anchor_of(self.opened)}' if self.opened else ''}"


def anchor_of(event_type: str) -> str:
    """Types may hold any character, anchors may not."""
    return f"type-{blake2b(event_type.encode(), digest_size=6).hexdigest()}"


def catalog_view(counts: Counts, page: Page[CatalogEntry], asked: Asked, today: date, *, may_own: bool) -> view.Catalog:
    held = {Chosen.ALL: counts.types, Chosen.MAPPED: counts.mapped, Chosen.UNMAPPED: counts.types - counts.mapped}
    return view.Catalog(
        headline=headline(counts),
        filters=tuple(
            Filter(text, Asked(chosen).path, held[chosen], current=chosen is asked.chosen)
            for chosen, text in _FILTERS.items()
        ),
        rows=tuple(_row(entry, asked, today) for entry in page.items),
        empty=_EMPTY[asked.chosen] if counts.types else _EMPTY[Chosen.ALL],
        show=asked.chosen.value,
        cursor=asked.cursor or "",
        action=OWNER_PATH if may_own else "",
        more=Link("Show more", Asked(asked.chosen, page.next_cursor).path) if page.next_cursor else None,
    )


def headline(counts: Counts) -> str:
    """How much of what is sent is measured. Types that show the use of a feature and feed no meter are not."""
    unused = counts.types - counts.mapped
    if not counts.types:
        return "No event types are known yet."
    if counts.types == 1:
        return f"The one event type that is sent {'feeds a meter' if counts.mapped else 'is not measured'}."
    if not unused:
        return f"All {counts.types:,} event types feed a meter."
    if not counts.mapped:
        return f"None of {counts.types:,} event types feeds a meter."
    feed = "feeds" if counts.mapped == 1 else "feed"
    left = f"{count_text(unused)} {'is' if unused == 1 else 'are'} sent and not measured"
    return f"{count_text(counts.mapped).capitalize()} of {counts.types:,} event types {feed} a meter; {left}."


def _row(entry: CatalogEntry, asked: Asked, today: date) -> view.TypeRow:
    properties = len(entry.properties)
    return view.TypeRow(
        anchor=anchor_of(entry.type),
        type=entry.type,
        sub=_seen(entry, today),
        events=f"{entry.events:,}",
        accounts=f"{entry.accounts:,}",
        chip=_MAPPED if entry.mapped else _UNMAPPED,
        feeds=_feeds(entry),
        owner=entry.owner.name if entry.owner else "",
        owner_note=_set_by(entry.owner, today) if entry.owner else "",
        summary=f"{properties:,} propert{'y' if properties == 1 else 'ies'}" if properties else "No properties",
        properties=tuple(_line(one) for one in entry.properties),
        note="It has more properties than are listed here." if entry.more_properties else "",
        is_open=entry.type == asked.opened,
    )


def _seen(entry: CatalogEntry, today: date) -> str:
    if entry.first_seen is None or entry.last_seen is None:
        return "Not sent by any account"
    return _span(entry.first_seen.date(), entry.last_seen.date(), today)


def _span(first: date, last: date, today: date) -> str:
    """Seen 3 Nov 2025 to 4 May, in UTC days."""
    start, end = short_day(first, today), short_day(last, today)
    return f"Seen {start}" if start == end else f"Seen {start} to {end}"


def _feeds(entry: CatalogEntry) -> str:
    """Everything that lies downstream, by name."""
    kinds = (("meter", entry.meters), ("driver", entry.drivers), ("feature", entry.features))
    return "; ".join(f"{kind}{'s' if len(names) != 1 else ''} {', '.join(names)}" for kind, names in kinds if names)


def _set_by(owner: Owner, today: date) -> str:
    return f"set by {owner.set_by}, {short_day(owner.set_at.date(), today)}"


def _line(seen: CatalogProperty) -> view.PropertyLine:
    kinds = ", ".join(seen.kinds)
    return view.PropertyLine(
        path=seen.path,
        shape=f"{kinds}, such as {seen.example}" if seen.example is not None else kinds,
        events=f"{seen.events:,} event{'s' if seen.events != 1 else ''}",
        feeds=", ".join(f"{use.used_as} of {use.meter}" for use in seen.meters) or "not measured",
    )
