"""What could be sent, as the supplier's people see it: one line a type or property, with what it takes. Pure."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from hashlib import blake2b
from typing import Final

from valueplatform.portal.catalog_view import Asked, Setting, feeds_text, frame, set_by
from valueplatform.portal.exact import count_text, short_day
from valueplatform.portal.view import catalog as view
from valueplatform.portal.worth_words import more_lines, opened_path
from valueplatform.telemetry.catalog_reads import Counts
from valueplatform.value.catalog_gaps import CatalogGap

EFFORT_PATH: Final = "/catalog/effort"
WISH_PATH: Final = "/catalog/wish"
WITHDRAW_PATH: Final = "/catalog/wish/withdraw"


def gaps_view(counts: Counts, gaps: Sequence[CatalogGap], asked: Asked, setting: Setting) -> view.Catalog:
    framed = frame(counts, len(gaps), asked, setting)
    return replace(framed, headline=headline(gaps), gaps=tuple(_row(one, asked, setting) for one in gaps), orders=())


def headline(gaps: Sequence[CatalogGap]) -> str:
    """How much could be sent, and of how much of it something can be said."""
    if not gaps:
        return "Everything that the value model reads is sent."
    known = sum(1 for one in gaps if one.potential)
    what = f"{count_text(len(gaps)).capitalize()} thing{'s' if len(gaps) != 1 else ''} could be sent"
    if not known:
        return f"{what}; what that would bring is not known yet."
    return f"{what}; what would come is estimated for {'it' if len(gaps) == 1 else count_text(known)}."


def gap_anchor(kind: str, event_type: str, path: str) -> str:
    return f"gap-{blake2b(f'{kind} {event_type} {path}'.encode(), digest_size=6).hexdigest()}"


def _row(gap: CatalogGap, asked: Asked, setting: Setting) -> view.GapRow:
    said = gap.effort.said
    href = opened_path(gap.type, gap.property)
    return view.GapRow(
        anchor=gap_anchor(gap.kind, gap.type, gap.property),
        type=gap.type,
        path=gap.property,
        title=gap.title if not gap.property else "",
        says=gap.says,
        feeds=feeds_text(gap.meters, gap.drivers, gap.features),
        effort=gap.effort.size.value.capitalize(),
        rule=gap.effort.says,
        said=_said(said.set_by, said.set_at.date(), setting.today) if said else "",
        reason=said.reason if said else "",
        owner=gap.owner.name if gap.owner else "",
        owner_note=set_by(gap.owner, setting.today),
        potential=more_lines(gap.potential, setting.currency, href) if gap.potential else (),
        wish=gap.wish.why if gap.wish else "",
        wished=_said(gap.wish.set_by, gap.wish.set_at.date(), setting.today) if gap.wish else "",
        may_withdraw=gap.wish is not None,
        is_open=asked.opened == gap_anchor(gap.kind, gap.type, gap.property),
    )


def _said(who: str, day: date, today: date) -> str:
    return f"{who}, {short_day(day, today)}"
