"""Taking an event back: its effects are undone, its key stays taken."""

from typing import Final

from valueplatform.core.database import Transaction, lock_model_shared
from valueplatform.core.errors import NotFoundError
from valueplatform.telemetry.admission import SUPPLIER
from valueplatform.telemetry.event import event_key
from valueplatform.telemetry.marks import Stretch, mark_days
from valueplatform.telemetry.meter_book import NO_MODEL, book_in_force
from valueplatform.telemetry.payload import decode
from valueplatform.telemetry.requests import Sender
from valueplatform.telemetry.rollups import Increments, lower_rollups

CAUSE: Final = "retraction"

_OWNER: Final = "SELECT account_id FROM event_key WHERE event_key = $1"
_DELETE: Final = """
    DELETE FROM event WHERE account_id = $1 AND event_key = $2 AND ($3::text IS NULL OR provider = $3)
    RETURNING type, day, provider, data::text AS data, time
"""
_LEAVE_GROUP: Final = "DELETE FROM group_member WHERE account_id = $1 AND event_key = $2"


async def retract(tx: Transaction, sender: Sender, source: str, event_id: str) -> None:
    """Undo a stored event: row, rollups and members go, its day is marked. Sent again, it is a duplicate.

    Of a point of a running total what it added is undone, no more: the counter itself went on, so later points add
    what they would have added, and the sum over its stream is from then on short of the counter by that much.

    Raises NotFoundError where this sender has no such event: never stored, retracted before, or not its own.
    """
    await lock_model_shared(tx)
    connection = await tx.driver()
    book = await book_in_force(connection, NO_MODEL)
    key = event_key(source, event_id)
    account_id = await connection.fetchval(_OWNER, key)
    allowed = (sender.sources is None or source in sender.sources) and (
        sender.account_ids is None or account_id in sender.account_ids
    )
    provider = None if sender.provider == SUPPLIER else sender.provider
    row = await connection.fetchrow(_DELETE, account_id, key, provider) if allowed else None
    if row is None:
        raise NotFoundError(f"This key has no event {event_id!r} of source {source!r} to retract.")
    data = None if row["data"] is None else decode(row["data"])
    increments = Increments()
    readings = book.readings.get(row["type"], ())
    increments.add_all([(account_id, row["day"], row["provider"], data, readings, row["time"], key)], sign=-1)
    await lower_rollups(connection, increments, book.readings)
    await mark_days(connection, [Stretch(account_id, row["day"], row["day"])], CAUSE)
    await connection.execute(_LEAVE_GROUP, account_id, key)
