"""The raw events beneath a number, a page at a time."""

import asyncio
import base64
import json
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

import msgspec
import polars as pl
from sqlalchemy import text

from valueplatform.core.database import Transaction
from valueplatform.core.errors import InvalidInputError
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
AwareTime = Annotated[datetime, msgspec.Meta(tz=True)]
_EVENTS = text("""
    SELECT event_key, time, type, source, id, subject, provider, data::text AS data FROM event
    WHERE account_id = :account AND type = ANY(:types)
      AND utc_day BETWEEN :first AND :last AND time <@ (SELECT CAST(CAST(:moments AS text) AS tstzmultirange))
      AND (CAST(:before AS timestamptz) IS NULL
           OR (time, event_key) < (CAST(:before AS timestamptz), CAST(:key AS uuid)))
    ORDER BY time DESC, event_key DESC LIMIT :limit
""")
# Of most days of UTC all events are of the period, and counted by the index alone.
_COUNT = text("""
    SELECT (SELECT count(*) FROM event WHERE account_id = :account AND type = ANY(:types)
              AND utc_day > :after AND utc_day < :until)
         + (SELECT count(*) FROM event WHERE account_id = :account AND type = ANY(:types)
              AND utc_day = ANY(CAST(:edges AS date[]))
              AND time <@ (SELECT CAST(CAST(:moments AS text) AS tstzmultirange)))
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
    count: int
    sample: tuple[EventLine, ...]
    next_cursor: str | None


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
    page = {"first": stay.first, "last": stay.last, "before": before, "key": key, "limit": PAGE + 1}
    stored = await tx.rows(_EVENTS, {**where, **page})
    parts = await archived_parts(tx, Wanted([account_id], types, *days))
    rows: list[Any] = sorted([*stored, *await _archived(parts, before, key)], key=_newest_first)[: PAGE + 1]
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
        count=int(await tx.scalar(_COUNT, where | _edges(*days, stay))) + await asyncio.to_thread(_count, parts),
        sample=sample,
        next_cursor=_cursor(last.time, last.event_key) if last else None,
    )


def _edges(first: date, last: date, stay: Stay) -> dict[str, object]:
    """The days of UTC that are not wholly of the local days, and between which the others are."""
    span = (stay.first + timedelta(days=number) for number in range((stay.last - stay.first).days + 1))
    return {"after": first, "until": last, "edges": [day for day in span if not first < day < last]}


async def _zone(tx: Transaction, account_id: int) -> str:
    return str(await tx.scalar(_ZONE, {"account": account_id}))


async def _archived(parts: Sequence[ArchivedPart], before: datetime | None, key: str | None) -> list[ArchivedEvent]:
    """Archived events before a place, newest first: months are opened one by one, until a page is full."""
    condition = None
    if before is not None and key is not None:
        moment, place = pl.lit(before).cast(MOMENT), pl.lit(UUID(key).bytes)
        condition = (pl.col("time") < moment) | ((pl.col("time") == moment) & (pl.col("event_key") < place))
    found: list[ArchivedEvent] = []
    month = None
    for part in reversed(parts):
        if len(found) > PAGE and part.month != month:
            break
        month = part.month
        frame = await asyncio.to_thread(part.read, COLUMNS, (), condition)
        found += events_of(frame.top_k(PAGE + 1, by=["time", "event_key"]))
    return found


def _count(parts: Sequence[ArchivedPart]) -> int:
    return sum(part.read(()).height for part in parts)


def _newest_first(event: Any) -> tuple[timedelta, int]:
    return datetime.min.replace(tzinfo=UTC) - event.time, -event.event_key.int


def _cursor(time: datetime, key: object) -> str:
    return base64.urlsafe_b64encode(f"{time.isoformat()} {key}".encode()).decode()


def _read_cursor(cursor: str | None) -> tuple[datetime | None, str | None]:
    if cursor is None:
        return None, None
    try:
        time, _, key = base64.urlsafe_b64decode(cursor.encode()).decode().partition(" ")
        # A time without a zone is not one of ours either; `astimezone` would only guess it.
        return msgspec.convert(time, AwareTime), str(UUID(key))
    except ValueError as error:
        raise InvalidInputError("This cursor is not one that we gave out; start from the first page.") from error
