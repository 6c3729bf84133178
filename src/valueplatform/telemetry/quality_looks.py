"""Looking at the quality of one account's data: what the rules need is read, what they find is kept (worker role)."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

import msgspec
from sqlalchemy import text

from valueplatform.core.database import Transaction
from valueplatform.core.periods import ONE_DAY, local_day
from valueplatform.telemetry.filters import filter_paths
from valueplatform.telemetry.findings import ALL_ACCOUNTS, keep_findings
from valueplatform.telemetry.intake_sums import IntakeDay, days_of, forget_old, is_of_other_zone, recount, sum_intake
from valueplatform.telemetry.local_days import stay_of
from valueplatform.telemetry.marks import Stretch, mark_days
from valueplatform.telemetry.meter_book import NO_MODEL, book_in_force
from valueplatform.telemetry.meters import Meter
from valueplatform.telemetry.quality import FRESHNESS, OF_SOURCES, VOLUME, Found, judge_source
from valueplatform.telemetry.quality_schema import SCHEMA, PropertyShape, TypeShape, judge_shape
from valueplatform.telemetry.quality_volume import WINDOW

EVERY: Final = timedelta(hours=1)
CAUSE: Final = "quality"
MOST_SOURCES: Final = 100
"""Of one account, the largest; a source should name a system, not each of its devices."""
TOLD: Final = (FRESHNESS, VOLUME)
"""Kinds that stories may tell: when one of them comes, changes or goes, the story is told anew."""
MONITORED: Final = (*OF_SOURCES, SCHEMA)
SHAPE_WINDOW: Final = timedelta(days=112)

_DUE: Final = text("""
    SELECT account_id FROM account
    WHERE account_id > 0 AND (examined_at IS NULL OR examined_at < :before)
    ORDER BY examined_at NULLS FIRST, account_id LIMIT :limit
""")
_DONE: Final = text("UPDATE account SET examined_at = :now WHERE account_id = :account")
_ZONE: Final = text("SELECT timezone FROM account WHERE account_id = :account")
# An account whose contracts are all over sends nothing more; one without any is at least on trial.
_EXPECTED: Final = text("""
    SELECT coalesce(bool_or(start_day <= :today AND (end_day IS NULL OR end_day > :today)), true)
    FROM contract WHERE account_id = :account
""")
_TYPES: Final = text("""
    SELECT type, events, (first_seen AT TIME ZONE timezone)::date AS first_day
    FROM catalog_type JOIN account USING (account_id) WHERE account_id = :account ORDER BY type
""")
_TYPE_DAYS: Final = text("""
    SELECT type, day, (tally->>'events')::bigint AS events FROM catalog_day
    WHERE account_id = :account AND NOT fresh AND day >= :since ORDER BY type, day
""")
_PROPERTIES: Final = text("""
    SELECT type, path, events, kinds, first_day, last_day FROM catalog_property WHERE account_id = :account
""")
_KINDS: Final = text("""
    SELECT day, tally->'properties'->CAST(:path AS text)->'kinds' AS kinds FROM catalog_day
    WHERE account_id = :account AND type = :type AND NOT fresh AND day >= :since
      AND tally->'properties' ? CAST(:path AS text) ORDER BY day
""")
_MOST_KINDS: Final = 50
"""Properties of an account with several kinds that are looked at day by day."""
# By the index of events: one probe for each type that the account has sent, and for each the days asked for.
_SENT_TYPES: Final = text("""
    WITH RECURSIVE kind AS (
        (SELECT type FROM event WHERE account_id = :account ORDER BY type LIMIT 1)
        UNION ALL
        SELECT (SELECT e.type FROM event e WHERE e.account_id = :account AND e.type > kind.type
                ORDER BY e.type LIMIT 1)
          FROM kind WHERE kind.type IS NOT NULL
    )
    SELECT type FROM kind WHERE type IS NOT NULL AND EXISTS (
        SELECT FROM event e WHERE e.account_id = :account AND e.type = kind.type
            AND e.utc_day BETWEEN :first AND :last AND e.source = :source
            AND e.time <@ (SELECT CAST(CAST(:moments AS text) AS tstzmultirange)))
""")
_OPEN: Final = text("""
    SELECT what, place, since_day, through_day, types, numbers::text AS numbers FROM quality_finding
    WHERE account_id = :account AND ended_at IS NULL AND what = ANY(CAST(:told AS text[]))
""")


async def due_for_a_look(tx: Transaction, now: datetime, limit: int) -> Sequence[int]:
    """Accounts that were not looked at for an hour, the longest first."""
    return [row.account_id for row in await tx.rows(_DUE, {"before": now - EVERY, "limit": limit})]


async def mark_examined(tx: Transaction, account_id: int, now: datetime) -> None:
    await tx.execute(_DONE, {"account": account_id, "now": now})


async def examine(tx: Transaction, account_id: int, now: datetime) -> list[Found]:
    """Judge an account as it is now, keep what is found, and have its story told anew where that matters to it.

    The caller holds the account's lock. `ALL_ACCOUNTS` is what came in for nobody.
    """
    if await is_of_other_zone(tx, account_id):
        await recount(tx, [account_id])
    while await sum_intake(tx, account_id):
        pass
    timezone = str(await tx.scalar(_ZONE, {"account": account_id}) or "UTC")
    today = local_day(now, timezone)
    expected = account_id != ALL_ACCOUNTS and bool(await tx.scalar(_EXPECTED, {"account": account_id, "today": today}))
    days = _largest(await days_of(tx, account_id, today - WINDOW - 7 * ONE_DAY))
    found = [one for source in days for one in judge_source(source, days[source], today, expected=expected)]
    found = [msgspec.structs.replace(one, types=await _types_of(tx, account_id, timezone, one)) for one in found]
    found += judge_shape(await _shapes(tx, account_id, today), await _measured(tx), today)
    before = await _told(tx, account_id)
    await keep_findings(tx, account_id, found, now, looked=MONITORED)
    await forget_old(tx, account_id, today)
    await mark_examined(tx, account_id, now)
    if account_id != ALL_ACCOUNTS and before != await _told(tx, account_id):
        await mark_days(await tx.driver(), [Stretch(account_id, today, today)], CAUSE)
    return found


def _largest(days: dict[str, list[IntakeDay]]) -> dict[str, list[IntakeDay]]:
    order = sorted(days, key=lambda source: (-sum(one.happened + one.rejected for one in days[source]), source))
    return {source: days[source] for source in order[:MOST_SOURCES]}


async def _told(tx: Transaction, account_id: int) -> set[tuple[object, ...]]:
    rows = await tx.rows(_OPEN, {"account": account_id, "told": list(TOLD)})
    return {(row.what, row.place, row.since_day, row.through_day, row.numbers, *row.types) for row in rows}


async def _types_of(tx: Transaction, account_id: int, timezone: str, found: Found) -> tuple[str, ...]:
    """What a source sent in the four weeks before, of the kinds that stories tell; else nothing is asked."""
    if found.what not in TOLD or found.since is None:
        return ()
    stay = stay_of(found.since - timedelta(days=28), found.since - ONE_DAY, timezone)
    rows = await tx.rows(_SENT_TYPES, {"account": account_id, "source": found.source, **stay._asdict()})
    return tuple(row.type for row in rows)


async def _shapes(tx: Transaction, account_id: int, today: date) -> list[TypeShape]:
    since = today - SHAPE_WINDOW
    where = {"account": account_id, "since": since}
    days: defaultdict[str, dict[date, int]] = defaultdict(dict)
    for row in await tx.rows(_TYPE_DAYS, where):
        days[row.type][row.day] = row.events
    several = 0
    properties: defaultdict[str, list[PropertyShape]] = defaultdict(list)
    for row in await tx.rows(_PROPERTIES, where):
        kinds: dict[date, Collection[str]] = {}
        if len(set(row.kinds) - {"null"}) > 1 and several < _MOST_KINDS:
            several += 1
            named = where | {"type": row.type, "path": row.path}
            kinds = {one.day: one.kinds for one in await tx.rows(_KINDS, named)}
        properties[row.type].append(PropertyShape(row.path, row.events, row.first_day, row.last_day, kinds))
    return [
        TypeShape(row.type, row.events, row.first_day, days[row.type], properties[row.type])
        for row in await tx.rows(_TYPES, where)
    ]


async def _measured(tx: Transaction) -> set[tuple[str, str]]:
    """Type and path of all that meters read; '' for the types themselves."""
    book = await book_in_force(await tx.driver(), NO_MODEL)
    return {(kind, path) for meter in book.meters for kind in meter.event_types for path in _paths(meter)}


def _paths(meter: Meter) -> list[Any]:
    read = filter_paths(meter.filter) if meter.filter is not None else ()
    return ["", *meter.dimensions, *read, *([meter.property] if meter.property is not None else [])]
