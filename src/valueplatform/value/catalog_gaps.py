"""What could be captured and is not sent yet, each with what it takes and the rule that says so.

Rules, from what the accounts send already: a property to add to an event that is sent, or a meter over one, is *small*;
a new type from a client that is connected, *medium*; a new source to connect, *large*. Where accounts differ, the rule
that holds for most decides, and says for how many. A person may correct it; the rule stays on record beside it.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Final

import msgspec
from sqlalchemy import text

from valueplatform.core.database import Transaction
from valueplatform.core.errors import NotFoundError
from valueplatform.telemetry.catalog_reads import Owner, owners_of, seen_of
from valueplatform.telemetry.meters import Aggregation
from valueplatform.telemetry.wanted import Said, Size, Wish, efforts, wishes
from valueplatform.value.feeding import drivers_by_meter
from valueplatform.value.feeds import Paths, read_paths
from valueplatform.value.model import ValueModel
from valueplatform.value.type_worth import PotentialAmount, WorthBook
from valueplatform.value.uncaptured import NOT_SENT
from valueplatform.value.values import is_money
from valueplatform.value.worth import Reach
from valueplatform.value.worth_store import Estimates, GapTotal, gap_totals, newest


class Kind(StrEnum):
    """What is missing. A feature without events is one of types: the model names those that show its use."""

    TYPE = "type"
    """The model names the type, and no account or only some send it."""
    PROPERTY = "property"
    """The type is sent without a property that a meter reads."""
    METER = "meter"
    """It is sent with a number that meters read of a type of the same family, and no meter reads it here."""
    WISH = "wish"


class Rule(StrEnum):
    """What makes an effort."""

    ADD_PROPERTY = "add-property"
    ADD_METER = "add-meter"
    NEW_TYPE = "new-type"
    NEW_SOURCE = "new-source"
    STATED = "stated"


_SIZE: Final = {
    Rule.ADD_PROPERTY: Size.SMALL,
    Rule.ADD_METER: Size.SMALL,
    Rule.NEW_TYPE: Size.MEDIUM,
    Rule.NEW_SOURCE: Size.LARGE,
}
OCCASIONAL: Final = " It comes now and then: they may have had nothing to tell."
_FAMILY: Final = re.compile(r"[./:_\-\s]+")
_READ: Final = text("""
    SELECT type, path, count(*) AS accounts, sum(events)::bigint AS events FROM catalog_property
    WHERE type = ANY(CAST(:types AS text[])) AND path = ANY(CAST(:paths AS text[]))
      AND kinds && ARRAY['number', 'number as text']
    GROUP BY type, path ORDER BY type, path
""")


class Effort(msgspec.Struct, frozen=True):
    """What it takes. `rule` and `says` are why; `said` is what a person says of it, and then `size` is theirs."""

    size: Size
    rule: Rule
    says: str
    said: Said | None = None


class CatalogGap(msgspec.Struct, frozen=True):
    """Something that could be captured. `accounts` could send it and do not, `connected` of them send something else of
    the same client; `sent` tells whether any account does. `events` came without what a meter needs, for the reasons
    `codes`. `potential` is what would come, where it can be estimated."""

    kind: Kind
    type: str
    property: str
    title: str
    says: str
    sent: bool
    accounts: int
    connected: int
    events: int
    codes: Sequence[str]
    meters: Sequence[str]
    drivers: Sequence[str]
    features: Sequence[str]
    effort: Effort
    owner: Owner | None
    potential: Sequence[PotentialAmount]
    wish: Wish | None = None


class _Book:
    """What gaps are made from."""

    def __init__(
        self, model: ValueModel | None, book: WorthBook | None, seen: frozenset[str], estimates: Estimates | None
    ) -> None:
        self.occasional: Collection[str] = estimates.occasional if estimates else ()
        self.sources: Mapping[str, str] = estimates.sources if estimates else {}
        self.paths = Paths(model)
        self.book = book
        self.seen = seen
        self.drivers = drivers_by_meter(model)
        self.titles: Mapping[str, str] = {
            one.slug: one.label for one in (model.event_types if model else ()) if one.title
        }

    def gap(self, kind: Kind, event_type: str, path: str, totals: Sequence[GapTotal], effort: Effort) -> CatalogGap:
        meters = [one.slug for one in self.paths.meters if event_type in one.event_types]
        if path:
            read = {one.slug: {*read_paths(one), *one.dimensions} for one in self.paths.meters}
            meters = [slug for slug in meters if path in read[slug]]
        return CatalogGap(
            kind=kind,
            type=event_type,
            property=path,
            title=self.titles.get(event_type, ""),
            says=_says(
                kind,
                event_type,
                path,
                totals,
                sent=event_type in self.seen,
                now_and_then=event_type in self.occasional,
            ),
            sent=event_type in self.seen,
            accounts=max((one.accounts for one in totals), default=0),
            connected=max((one.connected for one in totals), default=0),
            events=sum(one.events for one in totals),
            codes=[one.code for one in totals],
            meters=meters,
            drivers=sorted({driver for slug in meters for driver in self.drivers[slug]}),
            features=[one.slug for one in self.paths.features_of(event_type)],
            effort=effort,
            owner=None,
            potential=self.potential(event_type, path),
        )

    def potential(self, event_type: str, path: str) -> Sequence[PotentialAmount]:
        if self.book is None:
            return ()
        return [one for one in self.book.of(event_type, path).potential if one.reach is Reach.MORE]


def _says(kind: Kind, event_type: str, path: str, totals: Sequence[GapTotal], *, sent: bool, now_and_then: bool) -> str:
    accounts = max((one.accounts for one in totals), default=0)
    many = _accounts(accounts)
    match kind:
        case Kind.TYPE if not sent:
            return "No account sends it."
        case Kind.TYPE:
            rest = OCCASIONAL if now_and_then else ""
            return f"{many} that might send it {'do' if accounts != 1 else 'does'} not.{rest}"
        case Kind.PROPERTY:
            events = sum(one.events for one in totals)
            bare = f"; {events:,} events could not be metered for it" if events else ""
            return f"{many} {'send' if accounts != 1 else 'sends'} {event_type} without a usable {path}{bare}."
        case Kind.METER:
            return f"{event_type} carries {path}, a number that meters read of its sibling, and no meter reads it here."
        case _:
            return ""


def _type_effort(totals: Sequence[GapTotal], source: str) -> Effort:
    """`source` is where the type comes from, '' where that is not known, or only of too few accounts to be named."""
    accounts = sum(one.accounts for one in totals)
    connected = sum(one.connected for one in totals)
    if not accounts:
        return _ruled(Rule.NEW_SOURCE, "Connect a new source: nothing of its product is sent yet.")
    if 2 * connected < accounts:
        rest = f"; {connected:,} have it already" if connected else ""
        what = f"{source}, a new source," if source else "a new source"
        return _ruled(Rule.NEW_SOURCE, f"Connect {what} in {_accounts(accounts - connected)}{rest}.")
    left = accounts - connected
    others = "the other one needs" if left == 1 else f"the other {left:,} need"
    rest = f"; {others} a new source" if left else ""
    whose = f"from {source}, which is connected in" if source else "from a client that is connected in"
    return _ruled(Rule.NEW_TYPE, f"Send a new event type {whose} {_accounts(connected)}{rest}.")


def _accounts(count: int) -> str:
    return f"{count:,} account{'s' if count != 1 else ''}"


def _ruled(rule: Rule, says: str) -> Effort:
    return Effort(_SIZE[rule], rule, says)


def _of_types(book: _Book, totals: Mapping[tuple[str, str], Sequence[GapTotal]]) -> Iterable[CatalogGap]:
    for kind in sorted(book.paths.known):
        own = [one for one in totals.get((kind, ""), ()) if one.code == NOT_SENT]
        if own or kind not in book.seen:
            yield book.gap(Kind.TYPE, kind, "", own, _type_effort(own, book.sources.get(kind, "")))


def _of_properties(book: _Book, totals: Mapping[tuple[str, str], Sequence[GapTotal]]) -> Iterable[CatalogGap]:
    says = "Add a property to an event that is sent already."
    for (kind, path), own in totals.items():
        if path:
            yield book.gap(Kind.PROPERTY, kind, path, own, _ruled(Rule.ADD_PROPERTY, says))


async def _of_siblings(tx: Transaction, book: _Book, unmapped: Sequence[str]) -> Sequence[CatalogGap]:
    """Numbers that meters read of a type of the same family."""
    read: defaultdict[str, set[str]] = defaultdict(set)
    for meter in book.paths.meters:
        if meter.property is not None and meter.aggregation is not Aggregation.UNIQUE_COUNT:
            for kind in meter.event_types:
                read[_family(kind)].add(meter.property)
    types = [kind for kind in unmapped if kind in book.seen and _family(kind) in read]
    paths = sorted({path for kind in types for path in read[_family(kind)]})
    says = "Add a meter to the model: the event and its numbers are sent already."
    return [
        msgspec.structs.replace(
            book.gap(Kind.METER, row.type, row.path, (), _ruled(Rule.ADD_METER, says)),
            accounts=row.accounts,
            connected=row.accounts,
        )
        for row in await tx.rows(_READ, {"types": types, "paths": paths})
        if row.path in read[_family(row.type)]
    ]


def _family(kind: str) -> str:
    """What comes before the first separator; a type without one is a family of its own."""
    parts = _FAMILY.split(kind, maxsplit=1)
    return parts[0] if len(parts) > 1 else f"{kind}."


def _of_wishes(book: _Book, wished: Sequence[Wish]) -> Iterable[CatalogGap]:
    for wish in wished:
        if wish.type in book.paths.known:
            continue  # it stands among the model's types, with the wish
        effort = Effort(wish.effort, Rule.STATED, f"As {wish.set_by} says.")
        gap = book.gap(Kind.WISH, wish.type, "", (), effort)
        says = "It is sent now; no meter reads it." if gap.sent else "No account sends it."
        yield msgspec.structs.replace(gap, title=wish.name, says=says, wish=wish)


async def catalog_gaps(tx: Transaction, model: ValueModel | None, book: WorthBook | None) -> list[CatalogGap]:
    """All, over the accounts in scope: those whose potential is known first, by it, then by effort. The list is as long
    as the model, however many accounts there are. `book` None: without amounts."""
    stored, wished = await newest(tx), await wishes(tx)
    totals: defaultdict[tuple[str, str], list[GapTotal]] = defaultdict(list)
    for total in await gap_totals(tx, stored.run) if stored else ():
        totals[total.type, total.path].append(total)
    unmapped = stored.estimates.unmapped if stored else ()
    asked = {*Paths(model).known, *unmapped, *(one.type for one in wished)}
    made = _Book(model, book, await seen_of(tx, asked), stored.estimates if stored else None)
    found = [*_of_types(made, totals), *_of_properties(made, totals)]
    found += [*await _of_siblings(tx, made, unmapped), *_of_wishes(made, wished)]
    currency = model.supplier.currency if model else ""
    return sorted(await _as_said(tx, found, wished), key=lambda one: _order(one, currency))


async def _as_said(tx: Transaction, found: Sequence[CatalogGap], wished: Sequence[Wish]) -> list[CatalogGap]:
    """With owners, wishes, and the efforts that people have set."""
    owners = await owners_of(tx, sorted({one.type for one in found}))
    said, wish = await efforts(tx), {one.type: one for one in wished}
    answers = []
    for one in found:
        own = said.get((one.type, one.property))
        effort = msgspec.structs.replace(one.effort, size=own.size, said=own) if own else one.effort
        wanted = wish.get(one.type) if not one.property else None
        answers.append(msgspec.structs.replace(one, owner=owners.get(one.type), effort=effort, wish=wanted))
    return answers


def _order(gap: CatalogGap, currency: str) -> tuple[int, Decimal, int, str, str, str]:
    own = [one.expected for one in gap.potential if one.unit == currency and is_money(one.unit, one.benefit_class)]
    place = 0 if own else 1 if gap.potential else 2
    return place, -sum(own, Decimal(0)), list(Size).index(gap.effort.size), gap.type, gap.property, gap.title


async def require_capturable(tx: Transaction, model: ValueModel | None, event_type: str, path: str) -> None:
    """An effort can be said of a type that the model names, that is sent or that is wished for, and of a property that
    meters read of one. Raises NotFoundError."""
    paths = Paths(model)
    meters = [one for one in paths.meters if event_type in one.event_types]
    read = {one for meter in meters for one in (*read_paths(meter), *meter.dimensions)}
    named = event_type in paths.known or event_type in {one.type for one in await wishes(tx)}
    if "\0" not in event_type and (named or await seen_of(tx, [event_type])) and (not path or path in read):
        return
    what = f"property {path!r} of {event_type!r}" if path else f"event type {event_type!r}"
    raise NotFoundError(f"There is no {what} to capture; GET /api/v1/catalog/gaps lists what could be sent.")


async def owned_types(tx: Transaction, model: ValueModel | None) -> frozenset[str]:
    """The types that may have an owner though no account sends them: those of the model, and those wished for."""
    return Paths(model).known | {one.type for one in await wishes(tx)}
