"""The raw events beneath a number, a page at a time."""

import asyncio
import base64
import json
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any
from uuid import UUID

import msgspec
import polars as pl
from sqlalchemy import text

from valueplatform.core.database import Transaction
from valueplatform.core.errors import InvalidInputError
from valueplatform.core.periods import next_month
from valueplatform.telemetry.archive_format import MOMENT
from valueplatform.telemetry.archive_reads import (
    COLUMNS,
    ArchivedEvent,
    ArchivedPart,
    Wanted,
    archived_parts,
    events_of,
)
from valueplatform.telemetry.local_days import Stay, stay_of
from valueplatform.value.accruals import Record

PAGE = 20
COUNTED = 10_000
"""Stored events up to which a count is made for the page that shows it; how many more there are tells the catalog."""
_SPANS = (timedelta(hours=1), timedelta(days=1), timedelta(days=6), timedelta(days=32))
AwareTime = Annotated[datetime, msgspec.Meta(tz=True)]
# The newest day of UTC that has any, and its newest: whatever the account has in all, a page costs a few days.
_EVENTS = text("""
    WITH newest AS MATERIALIZED (
        SELECT max(held.day) AS day FROM unnest(CAST(:types AS text[])) kind (type), LATERAL (
            SELECT max(utc_day) AS day FROM event
            WHERE account_id = :account AND type = kind.type AND utc_day BETWEEN :first AND :last
        ) held
    )
    SELECT newest.day AS newest, event_key, time, type, source, id, subject, provider, data::text AS data
    FROM newest LEFT JOIN LATERAL (
        SELECT * FROM event
        WHERE account_id = :account AND type = ANY(:types) AND utc_day = newest.day
          AND time <@ (SELECT CAST(CAST(:moments AS text) AS tstzmultirange))
          AND (CAST(:before AS timestamptz) IS NULL
               OR (time, event_key) < (CAST(:before AS timestamptz), CAST(:key AS uuid)))
        ORDER BY time DESC, event_key DESC LIMIT :limit
    ) held ON true
    WHERE newest.day IS NOT NULL
    ORDER BY time DESC, event_key DESC
""")
# Of most days of UTC all events are of the period, and counted by the index alone.
_COUNT = text("""
    SELECT (SELECT count(*) FROM (
              SELECT FROM event WHERE account_id = :account AND type = ANY(:types)
                AND utc_day > :after AND utc_day < :until LIMIT :most) inner_days) AS within,
           (SELECT count(*) FROM event WHERE account_id = :account AND type = ANY(:types)
              AND utc_day = ANY(CAST(:edges AS date[]))
              AND time <@ (SELECT CAST(CAST(:moments AS text) AS tstzmultirange))) AS at_edges
""")
_CATALOG = text("""
    SELECT coalesce(sum(CAST(tally->>'events' AS bigint)), 0)::bigint FROM catalog_day
    WHERE account_id = :account AND type = ANY(:types) AND day BETWEEN :first AND :last AND NOT fresh
""")


_ZONE = text("SELECT timezone FROM account WHERE account_id = :account")


class EventLine(msgspec.Struct, frozen=True):
    """One raw event. `subject` is masked unless the reader has a right to single events (value rule 18)."""

    id: str
    source: str
    type: str
    time: datetime
    subject: str | None
    provider: str
    data: dict[str, Any] | None


class EventPage(msgspec.Struct, frozen=True):
    """`is_exact`: they were counted this moment; else it is what the catalog counted last, by days of UTC."""

    count: int
    sample: tuple[EventLine, ...]
    next_cursor: str | None
    is_exact: bool = True


async def event_page(
    tx: Transaction,
    account_id: int,
    record: Record,
    slugs: Iterable[str],
    period: tuple[date, date],
    cursor: str | None,
    *,
    shows_subjects: bool,
) -> EventPage:
    """Events of the period that the meters read, newest first. Raises InvalidInputError for another cursor."""
    found = [record.model.meter(slug) for slug in slugs]
    types = sorted({kind for meter in found if meter for kind in meter.event_types})
    before, key = _read_cursor(cursor)
    days = period[0], period[1] - timedelta(days=1)
    stay = stay_of(*days, await _zone(tx, account_id))
    where = {"account": account_id, "types": types, "moments": stay.moments}
    place = before, key
    stored = await _stored(tx, where, stay, place)
    parts = await archived_parts(tx, Wanted([account_id], types, *days))
    rows: list[Any] = sorted([*stored, *await _archived(parts, place, stored)], key=_newest_first)[: PAGE + 1]
    count, is_exact = await _count(tx, where, days, stay, parts)
    sample = tuple(
        EventLine(
            id=row.id,
            source=row.source,
            type=row.type,
            time=row.time,
            subject=row.subject if shows_subjects else ("•••" if row.subject else None),
            provider=row.provider,
            data=json.loads(row.data, parse_float=str) if row.data and shows_subjects else None,
        )
        for row in rows[:PAGE]
    )
    last = rows[PAGE - 1] if len(rows) > PAGE else None
    return EventPage(
        count=count,
        sample=sample,
        next_cursor=_cursor(last.time, last.event_key) if last else None,
        is_exact=is_exact,
    )


def _edges(first: date, last: date, stay: Stay) -> dict[str, object]:
    """The days of UTC that are not wholly of the local days, and between which the others are."""
    span = (stay.first + timedelta(days=number) for number in range((stay.last - stay.first).days + 1))
    return {"after": first, "until": last, "edges": [day for day in span if not first < day < last]}


async def _zone(tx: Transaction, account_id: int) -> str:
    return str(await tx.scalar(_ZONE, {"account": account_id}))


_Place = tuple[datetime | None, str | None]
"""Time and key of the last event that was shown; those before it are asked for."""


async def _stored(tx: Transaction, where: dict[str, Any], stay: Stay, place: _Place) -> list[Any]:
    """Stored events before a place, newest first: days are looked at one by one, until a page is full."""
    before, key = place
    last = stay.last if before is None else min(stay.last, before.astimezone(UTC).date())
    found: list[Any] = []
    while len(found) <= PAGE and last >= stay.first:
        asked = {"first": stay.first, "last": last, "before": before, "key": key, "limit": PAGE + 1 - len(found)}
        rows = await tx.rows(_EVENTS, {**where, **asked})
        if not rows:
            break
        found += [row for row in rows if row.event_key is not None]
        last = rows[0].newest - timedelta(days=1)
    return found


async def _archived(parts: Sequence[ArchivedPart], place: _Place, stored: Sequence[Any]) -> list[ArchivedEvent]:
    """Archived events before a place, newest first: months are opened one by one, until a page is full, and none whose
    events are all older than a page of stored ones."""
    least = stored[PAGE].time if len(stored) > PAGE else datetime.min.replace(tzinfo=UTC)
    before, key = place
    condition = pl.col("time") >= pl.lit(least).cast(MOMENT) if len(stored) > PAGE else pl.lit(value=True)
    if before is not None and key is not None:
        moment, bound = pl.lit(before).cast(MOMENT), pl.lit(UUID(key).bytes)
        condition &= (pl.col("time") <= moment) & ((pl.col("time") < moment) | (pl.col("event_key") < bound))
    found: list[ArchivedEvent] = []
    month = None
    for part in reversed(parts):
        if (len(found) > PAGE and part.month != month) or _end(part) <= least:
            break
        if before is not None and _begin(part) > before:
            continue
        month = part.month
        upto = _end(part) if before is None else min(before, _end(part))
        found += await asyncio.to_thread(_newest_of, part, condition, upto)
    return found


def _newest_of(part: ArchivedPart, condition: pl.Expr, upto: datetime) -> list[ArchivedEvent]:
    """A page of a file: its last hour, day, and so on before a moment, until they fill it; files are sorted by time, so
    that only what is near is read."""
    frame = pl.DataFrame()
    for span in _SPANS:
        since = upto - span
        near = pl.col("time") >= pl.lit(since).cast(MOMENT)
        frame = part.read(COLUMNS, (), condition & near)
        if frame.height > PAGE or since <= _begin(part):
            break
    return events_of(frame.top_k(PAGE + 1, by=["time", "event_key"]))


def _begin(part: ArchivedPart) -> datetime:
    return datetime.combine(part.month, time(), UTC)


def _end(part: ArchivedPart) -> datetime:
    return datetime.combine(next_month(part.month), time(), UTC)


async def _count(
    tx: Transaction, where: dict[str, Any], days: tuple[date, date], stay: Stay, parts: Sequence[ArchivedPart]
) -> tuple[int, bool]:
    """How many events the days have, and whether that is exact: many are told as the catalog has counted them."""
    row = await tx.row(_COUNT, where | _edges(*days, stay) | {"most": COUNTED})
    within, at_edges = (row.within, row.at_edges) if row is not None else (0, 0)
    if within == COUNTED:
        known = await tx.scalar(_CATALOG, _without(where, "moments") | {"first": stay.first, "last": stay.last})
        if known > COUNTED:
            return int(known), False
        row = await tx.row(_COUNT, where | _edges(*days, stay) | {"most": None})
        within = row.within if row is not None else 0
    return within + at_edges + await asyncio.to_thread(_count_archived, parts, days), True


def _without(where: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in where.items() if key != name}


def _count_archived(parts: Sequence[ArchivedPart], days: tuple[date, date]) -> int:
    """Of a month that lies wholly within the days, as its file tells; else what is read of it."""
    return sum(part.events if _lies_within(part, days) else part.read(()).height for part in parts)


def _lies_within(part: ArchivedPart, days: tuple[date, date]) -> bool:
    """A day of UTC may be the day before or after in the account's zone."""
    return not part.retracted and days[0] < part.month and next_month(part.month) < days[1]


def _newest_first(event: Any) -> tuple[timedelta, int]:
    return datetime.min.replace(tzinfo=UTC) - event.time, -event.event_key.int


def _cursor(moment: datetime, key: object) -> str:
    return base64.urlsafe_b64encode(f"{moment.isoformat()} {key}".encode()).decode()


def _read_cursor(cursor: str | None) -> tuple[datetime | None, str | None]:
    if cursor is None:
        return None, None
    try:
        moment, _, key = base64.urlsafe_b64decode(cursor.encode()).decode().partition(" ")
        # A time without a zone is not one of ours either; `astimezone` would only guess it.
        return msgspec.convert(moment, AwareTime), str(UUID(key))
    except ValueError as error:
        raise InvalidInputError("This cursor is not one that we gave out; start from the first page.") from error
