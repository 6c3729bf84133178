"""The catalog as it is read, over the accounts in scope, and who answers for an event type."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import date, datetime
from typing import Final

import msgspec
from sqlalchemy import text

from valueplatform.core.database import Transaction
from valueplatform.core.errors import InvalidInputError, NotFoundError
from valueplatform.telemetry.catalog import MOST_PATHS

SHARED_BY: Final = 3
"""Accounts that must have sent a value before it may be an example: what one customer alone says is its own."""
LONGEST_OWNER: Final = 200

# Each account's sums are rows already, so an event counts once and an account once.
_TYPES: Final = text("""
    SELECT type, sum(events)::bigint AS events, count(*) AS accounts, min(first_seen) AS first_seen,
           max(last_seen) AS last_seen, bool_or(crowded) AS crowded
    FROM catalog_type
    WHERE (CAST(:after AS text) IS NULL OR type > :after)
      AND (CAST(:mapped AS boolean) IS NULL OR (type = ANY(CAST(:types AS text[]))) = :mapped)
      AND (CAST(:only AS text[]) IS NULL OR type = ANY(CAST(:only AS text[])))
      AND NOT type = ANY(CAST(:without AS text[]))
    GROUP BY type ORDER BY type LIMIT :limit
""")
_COUNTS: Final = text("""
    SELECT count(*) AS types, count(*) FILTER (WHERE type = ANY(CAST(:types AS text[]))) AS mapped
    FROM (SELECT DISTINCT type FROM catalog_type) AS seen
""")
# Most accounts say the same of a property: what is said alike is brought together before anything is taken apart.
_PROPERTIES: Final = text("""
    WITH alike AS (
        SELECT type, path, kinds, samples, sum(events) AS events, count(*) AS accounts, min(first_day) AS first_day,
               max(last_day) AS last_day
        FROM catalog_property WHERE type = ANY(CAST(:types AS text[])) GROUP BY type, path, kinds, samples
    ),
    summed AS (
        SELECT type, path, sum(events)::bigint AS events, sum(accounts)::bigint AS accounts,
               min(first_day) AS first_day, max(last_day) AS last_day, bool_or(samples IS NULL) AS hidden,
               row_number() OVER (PARTITION BY type ORDER BY path COLLATE "C") AS place
        FROM alike GROUP BY type, path
    ),
    kinds AS (SELECT type, path, array_agg(DISTINCT kind ORDER BY kind) AS kinds
              FROM alike, unnest(kinds) AS kind GROUP BY type, path),
    examples AS (
        SELECT DISTINCT ON (type, path) type, path, sample AS example
        FROM alike, unnest(samples) AS sample GROUP BY type, path, sample HAVING sum(accounts) >= :shared_by
        ORDER BY type, path, sum(accounts) DESC, sample COLLATE "C"
    )
    SELECT summed.type, summed.path, kinds, CASE WHEN NOT hidden THEN example END AS example, events, accounts,
           first_day, last_day
    FROM summed JOIN kinds USING (type, path) LEFT JOIN examples USING (type, path)
    WHERE place <= :most ORDER BY summed.type, place
""")
_OWNERS: Final = text("""
    SELECT DISTINCT ON (type) type, owner, author, at FROM catalog_owner
    WHERE type = ANY(CAST(:types AS text[])) ORDER BY type, entry_id DESC
""")
_SEEN: Final = text("SELECT DISTINCT type FROM catalog_type WHERE type = ANY(CAST(:types AS text[]))")
_OWN: Final = text("INSERT INTO catalog_owner (type, owner, author, at) VALUES (:type, :owner, :author, :now)")


class PropertySeen(msgspec.Struct, frozen=True):
    """`example` is None where no value may be shown; the days are local to each account."""

    path: str
    kinds: tuple[str, ...]
    example: str | None
    events: int
    accounts: int
    first_day: date
    last_day: date


class Owner(msgspec.Struct, frozen=True):
    """Who answers for an event type, and who said so."""

    name: str
    set_by: str
    set_at: datetime


class TypeSeen(msgspec.Struct, frozen=True):
    """`more_properties`: it has more than are listed."""

    type: str
    events: int
    accounts: int
    first_seen: datetime
    last_seen: datetime
    owner: Owner | None
    properties: tuple[PropertySeen, ...]
    more_properties: bool


class Counts(msgspec.Struct, frozen=True):
    types: int
    mapped: int


class Wanted(msgspec.Struct, frozen=True):
    """Which types: all, those that are mapped (`types` are), or those that are not; after one of them by name; of
    these `only` some, and `without` some."""

    types: Collection[str] = ()
    mapped: bool | None = None
    after: str | None = None
    only: Collection[str] | None = None
    without: Collection[str] = ()


async def types_seen(tx: Transaction, wanted: Wanted, limit: int) -> list[TypeSeen]:
    """Up to `limit` types by name."""
    asked = {
        "after": wanted.after,
        "mapped": wanted.mapped,
        "types": sorted(wanted.types),
        "only": None if wanted.only is None else sorted(wanted.only),
        "without": sorted(wanted.without),
        "limit": limit,
    }
    rows = await tx.rows(_TYPES, asked)
    names = [row.type for row in rows]
    owners = await owners_of(tx, names)
    properties: defaultdict[str, list[PropertySeen]] = defaultdict(list)
    for row in await tx.rows(_PROPERTIES, {"types": names, "shared_by": SHARED_BY, "most": MOST_PATHS}):
        told = row._asdict() | {"kinds": tuple(row.kinds)}
        properties[told.pop("type")].append(PropertySeen(**told))
    return [
        TypeSeen(
            type=row.type,
            events=row.events,
            accounts=row.accounts,
            first_seen=row.first_seen,
            last_seen=row.last_seen,
            owner=owners.get(row.type),
            properties=tuple(properties[row.type]),
            more_properties=row.crowded or len(properties[row.type]) == MOST_PATHS,
        )
        for row in rows
    ]


async def count_types(tx: Transaction, mapped_types: Collection[str]) -> Counts:
    row = await tx.row(_COUNTS, {"types": sorted(mapped_types)})
    return Counts(row.types, row.mapped) if row is not None else Counts(0, 0)


async def seen_of(tx: Transaction, types: Collection[str]) -> frozenset[str]:
    """Those of `types` that some account in scope has sent."""
    return frozenset(row.type for row in await tx.rows(_SEEN, {"types": sorted(types)}))


async def owners_of(tx: Transaction, types: Sequence[str]) -> dict[str, Owner]:
    """Types that nobody answers for are absent."""
    rows = await tx.rows(_OWNERS, {"types": list(types)})
    return {row.type: Owner(row.owner, row.author, row.at) for row in rows if row.owner}


async def set_owner(
    tx: Transaction, event_type: str, owner: str, author: str, now: datetime, *, known: Collection[str] = ()
) -> Owner | None:
    """Say who answers for a type; '' is nobody. The same name again changes nothing.

    Raises InvalidInputError, and NotFoundError for a type that is not `known` and no account in scope has sent.
    """
    owner = owner.strip()
    if "\0" in owner or len(owner) > LONGEST_OWNER:
        raise InvalidInputError(f"`owner` must be a name of at most {LONGEST_OWNER} characters, without zero bytes.")
    if "\0" in event_type or not (event_type in known or await seen_of(tx, [event_type])):
        raise NotFoundError(f"No event of type {event_type!r} is in the catalog; GET /api/v1/catalog lists them.")
    held = (await owners_of(tx, [event_type])).get(event_type)
    if owner != (held.name if held else ""):
        await tx.execute(_OWN, {"type": event_type, "owner": owner, "author": author, "now": now})
        held = Owner(owner, author, now) if owner else None
    return held
