"""The catalog as the supplier's people see it: a sentence, and one line an event type. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from hashlib import blake2b
from typing import Final
from urllib.parse import urlencode

from valueplatform.core.pages import Page
from valueplatform.narrative.wording import english
from valueplatform.narrative.wording.numbers import month_text
from valueplatform.portal.exact import count_text, moment_text, short_day
from valueplatform.portal.view import catalog as view
from valueplatform.portal.view.steward import Filter
from valueplatform.portal.view.words import Chip, Fact, Link
from valueplatform.portal.worth_words import opened_path, potential_lines, realized_lines
from valueplatform.telemetry.catalog_reads import Counts, Owner
from valueplatform.value.catalog import CatalogEntry, CatalogProperty, Chosen, Order
from valueplatform.value.type_worth import WorthBook

PATH: Final = "/catalog"
CSV_PATH: Final = "/catalog/types.csv"
OWNER_PATH: Final = "/catalog/owner"
LIVE_PATH: Final = "/catalog/live"
_FILTERS: Final = {
    Chosen.ALL: "All",
    Chosen.MAPPED: "Mapped",
    Chosen.UNMAPPED: "Not measured",
    Chosen.NOT_SENT: "Could be sent",
}
_EMPTY: Final = {
    Chosen.ALL: "No event has been counted yet. Events appear here about a minute after they come in.",
    Chosen.MAPPED: "No event type that is sent feeds a meter. The value model says what meters read.",
    Chosen.UNMAPPED: "Every event type that is sent feeds a meter.",
    Chosen.NOT_SENT: "Everything that the value model reads is sent by every account that might send it. Wish for more "
    "below.",
}
_ORDERS: Final = {Order.VALUE: "By potential value", Order.NAME: "By name"}
_MAPPED: Final = Chip("on", "Mapped")
_UNMAPPED: Final = Chip("nodata", "Not measured")


@dataclass(frozen=True, slots=True)
class Asked:
    """What of the catalog is asked for; `opened` is the type whose properties stand open, or the line of
    what could be sent."""

    chosen: Chosen = Chosen.ALL
    order: Order = Order.VALUE
    cursor: str | None = None
    opened: str | None = None

    def at(self, path: str) -> str:
        given = {"show": self.chosen.value, "sort": self.order.value, "cursor": self.cursor, "open": self.opened}
        return f"{path}?{urlencode({name: value for name, value in given.items() if value})}"

    @property
    def path(self) -> str:
        if not self.opened:
            return self.at(PATH)
        # What could be sent is named by its line, since a type has several.
        return f"{self.at(PATH)}#{self.opened if self.chosen is Chosen.NOT_SENT else anchor_of(self.opened)}"


@dataclass(frozen=True, slots=True)
class Setting:
    """What the page knows beside its rows. `titles` are of drivers, `csrf` is '' where the reader sets nothing."""

    today: date
    timezone: str
    currency: str
    titles: Mapping[str, str]
    book: WorthBook | None
    csrf: str
    may_own: bool

    @property
    def lead(self) -> str:
        """Of which months values are, and as of when."""
        if self.book is None:
            return "What event types are worth is estimated about a minute after the first events come in."
        stored = self.book.stored
        when = moment_text(stored.as_of, self.timezone)
        if not stored.estimates.months:
            return f"There is no whole month of value yet, so nothing is estimated. As of {when} ({self.timezone})."
        months = months_words(stored.estimates.months)
        return f"Values are of a month, the mean of {months}. As of {when} ({self.timezone})."


def months_words(months: Sequence[date]) -> str:
    """August to October 2026; one month by itself."""
    first, last = (month_text(month, english().locale) for month in (months[0], months[-1]))
    if first == last:
        return last
    return f"{first.rsplit(' ', 1)[0] if months[0].year == months[-1].year else first} to {last}"


def anchor_of(event_type: str) -> str:
    """Types may hold any character, anchors may not."""
    return f"type-{blake2b(event_type.encode(), digest_size=6).hexdigest()}"


def catalog_view(counts: Counts, gaps: int, page: Page[CatalogEntry], asked: Asked, setting: Setting) -> view.Catalog:
    framed = frame(counts, gaps, asked, setting)
    more = replace(asked, cursor=page.next_cursor, opened=None)
    return replace(
        framed,
        rows=tuple(_row(entry, asked, setting) for entry in page.items),
        more=Link("Show more", more.path) if page.next_cursor else None,
    )


def frame(counts: Counts, gaps: int, asked: Asked, setting: Setting) -> view.Catalog:
    """All but the rows."""
    held = {
        Chosen.ALL: counts.types,
        Chosen.MAPPED: counts.mapped,
        Chosen.UNMAPPED: counts.types - counts.mapped,
        Chosen.NOT_SENT: gaps,
    }
    return view.Catalog(
        headline=headline(counts),
        lead=setting.lead,
        filters=tuple(
            Filter(text, Asked(chosen, asked.order).path, held[chosen], current=chosen is asked.chosen)
            for chosen, text in _FILTERS.items()
        ),
        rows=(),
        gaps=(),
        empty=_EMPTY[asked.chosen] if counts.types or asked.chosen is Chosen.NOT_SENT else _EMPTY[Chosen.ALL],
        show=asked.chosen.value,
        sort=asked.order.value,
        cursor=asked.cursor or "",
        orders=tuple(Link(text, Asked(asked.chosen, order).path) for order, text in _ORDERS.items()),
        order=_ORDERS[asked.order],
        csv=Link("Download as CSV", CSV_PATH),
        csrf=setting.csrf,
        action=OWNER_PATH if setting.may_own else "",
        live_href=replace(asked, opened=None).at(LIVE_PATH),
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


def _row(entry: CatalogEntry, asked: Asked, setting: Setting) -> view.TypeRow:
    properties, worth = len(entry.properties), entry.worth
    return view.TypeRow(
        anchor=anchor_of(entry.type),
        type=entry.type,
        sub=_seen(entry, setting.today),
        events=f"{entry.events:,}",
        accounts=f"{entry.accounts:,}",
        chip=_MAPPED if entry.mapped else _UNMAPPED,
        feeds=feeds_text(entry.meters, entry.drivers, entry.features),
        owner=entry.owner.name if entry.owner else "",
        owner_note=set_by(entry.owner, setting.today),
        summary=f"{properties:,} propert{'y' if properties == 1 else 'ies'}" if properties else "No properties",
        properties=tuple(_line(entry.type, one, setting) for one in entry.properties),
        realized=realized_lines(entry.type, worth, setting.currency) if worth else (),
        potential=potential_lines(entry.type, worth, setting.currency) if worth else (),
        reasons=tuple(
            Fact(setting.titles.get(one.driver, ""), one.says) for one in (worth.not_estimated if worth else ())
        ),
        opened=Link("How this is estimated", opened_path(entry.type)) if worth and has_worth(entry, setting) else None,
        note="It has more properties than are listed here." if entry.more_properties else "",
        is_open=entry.type == asked.opened,
    )


def has_worth(entry: CatalogEntry, setting: Setting) -> bool:
    """Whether there is something to open."""
    book = setting.book
    return book is not None and bool(book.verdicts(entry.type) or (entry.type, "") in book.paths.fed)


def _seen(entry: CatalogEntry, today: date) -> str:
    if entry.first_seen is None or entry.last_seen is None:
        return "Not sent by any account"
    return _span(entry.first_seen.date(), entry.last_seen.date(), today)


def _span(first: date, last: date, today: date) -> str:
    """Seen 3 Nov 2025 to 4 May, in UTC days."""
    start, end = short_day(first, today), short_day(last, today)
    return f"Seen {start}" if start == end else f"Seen {start} to {end}"


def feeds_text(meters: Sequence[str], drivers: Sequence[str], features: Sequence[str]) -> str:
    """Everything that lies downstream, by name."""
    kinds = (("meter", meters), ("driver", drivers), ("feature", features))
    return "; ".join(f"{kind}{'s' if len(names) != 1 else ''} {', '.join(names)}" for kind, names in kinds if names)


def set_by(owner: Owner | None, today: date) -> str:
    return f"set by {owner.set_by}, {short_day(owner.set_at.date(), today)}" if owner else ""


def _line(event_type: str, seen: CatalogProperty, setting: Setting) -> view.PropertyLine:
    kinds = ", ".join(seen.kinds)
    worth = realized_lines(event_type, seen.worth, setting.currency, seen.path) if seen.worth else ()
    return view.PropertyLine(
        path=seen.path,
        shape=f"{kinds}, such as {seen.example}" if seen.example is not None else kinds,
        events=f"{seen.events:,} event{'s' if seen.events != 1 else ''}",
        feeds=", ".join(f"{use.used_as} of {use.meter}" for use in seen.meters) or "not measured",
        worth=worth[0] if worth else None,
    )
