"""Taking an event back: its effects are undone, its key stays taken."""

import asyncio
from datetime import date, datetime
from typing import Final
from uuid import UUID

import msgspec
import polars as pl

from valueplatform.core.database import Transaction, lock_model_shared
from valueplatform.core.errors import NotFoundError
from valueplatform.telemetry.admission import SUPPLIER
from valueplatform.telemetry.archive_reads import Wanted, archived_parts, hold_archive
from valueplatform.telemetry.event import event_key
from valueplatform.telemetry.homes import editions_of, homes_of
from valueplatform.telemetry.increments import Increments
from valueplatform.telemetry.intake import take_back
from valueplatform.telemetry.local_days import local_day_of, utc_day
from valueplatform.telemetry.marks import Stretch, mark_days
from valueplatform.telemetry.meter_book import NO_MODEL, book_in_force
from valueplatform.telemetry.payload import stored_value
from valueplatform.telemetry.rebuilding import count_again
from valueplatform.telemetry.requests import Sender
from valueplatform.telemetry.rollups import lower_rollups

CAUSE: Final = "retraction"

_OWNER: Final = "SELECT account_id FROM event_key WHERE event_key = $1"
_DELETE: Final = """
    DELETE FROM event WHERE account_id = $1 AND event_key = $2 AND ($3::text IS NULL OR provider = $3)
    RETURNING type, provider, source, data::text AS data, time
"""
_LEAVE_OUT: Final = """
    INSERT INTO archived_retraction (account_id, path, event_key) VALUES ($1, $2, $3)
"""
_READ: Final = ("type", "time", "provider", "data")
_LEAVE_GROUP: Final = "DELETE FROM group_member WHERE account_id = $1 AND event_key = $2"


async def retract(tx: Transaction, sender: Sender, source: str, event_id: str) -> None:
    """Undo a stored event: it goes, with its rollups and members, its day is marked. Sent again, it is a duplicate.

    An archived event is left out of every read from now on, and of its file when that is next written.
    Of a point of a running total what it added is undone, no more: the counter itself went on, so later points add
    what they would have added, and the sum over its stream is from then on short of the counter by that much.

    Raises NotFoundError where this sender has no such event: never stored, retracted before, or not its own.
    """
    await lock_model_shared(tx)
    await hold_archive(tx)
    connection = await tx.driver()
    book = await book_in_force(connection, NO_MODEL)
    key = event_key(source, event_id)
    account_id = await connection.fetchval(_OWNER, key)
    allowed = (sender.sources is None or source in sender.sources) and (
        sender.account_ids is None or account_id in sender.account_ids
    )
    provider = None if sender.provider == SUPPLIER else sender.provider
    event = await _remove(tx, account_id, key, provider) if allowed and account_id is not None else None
    if event is None:
        raise NotFoundError(f"This key has no event {event_id!r} of source {source!r} to retract.")
    homes = await homes_of(connection, [account_id])
    increments = Increments(editions_of(homes.values()))
    readings = book.readings.get(event.type, ())
    increments.add_all([(account_id, event.day, event.provider, event.data, readings, event.time, key)], sign=-1)
    await lower_rollups(tx, increments, book.readings, homes)
    await take_back(connection, account_id, source, event.day)
    await connection.execute(_LEAVE_GROUP, account_id, key)
    await mark_days(connection, [Stretch(account_id, event.day, event.day)], CAUSE)
    if book.counts:
        day = utc_day(event.time)
        await count_again(tx, [Stretch(account_id, day, day)])


class _Removed(msgspec.Struct, frozen=True):
    type: str
    day: date
    provider: str
    data: object
    time: datetime


async def _remove(tx: Transaction, account_id: int, key: UUID, provider: str | None) -> _Removed | None:
    """Take the event out of the database, else out of the archive; None where it is in neither, or of another."""
    connection = await tx.driver()
    row = await connection.fetchrow(_DELETE, account_id, key, provider)
    if row is not None:
        home = (await homes_of(connection, [account_id]))[account_id]
        day = local_day_of(row["time"], home.timezone)
        return _Removed(row["type"], day, row["provider"], stored_value(row["data"]), row["time"])
    for part in await archived_parts(tx, Wanted([account_id])):
        frame = await asyncio.to_thread(part.read, _READ, (), pl.col("event_key") == key.bytes)
        for found in frame.iter_rows(named=True):
            if provider is not None and found["provider"] != provider:
                return None
            await connection.execute(_LEAVE_OUT, account_id, part.path, key)
            return _Removed(found["type"], found["day"], found["provider"], stored_value(found["data"]), found["time"])
    return None
