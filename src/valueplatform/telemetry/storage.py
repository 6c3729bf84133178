"""What events take up: in the database, in the archive, and their keys."""

import asyncio
from typing import Final

import msgspec
from sqlalchemy import text

from valueplatform.core.database import Transaction
from valueplatform.telemetry.archive_reads import archive_store

_SIZES: Final = text("""
    SELECT (SELECT count(*) FROM event) AS events, pg_total_relation_size('event') AS event_bytes,
           (SELECT count(*) FROM event_key) AS keys, pg_total_relation_size('event_key') AS key_bytes
""")
_SLICES: Final = text("SELECT path, sum(events)::bigint AS events FROM archived_slice GROUP BY path")


class Taken(msgspec.Struct, frozen=True):
    """Events (or keys) and the bytes that they take, indexes included."""

    events: int
    bytes: int

    @property
    def each(self) -> float | None:
        return self.bytes / self.events if self.events else None


class Storage(msgspec.Struct, frozen=True):
    """`archive` is where archived events are; None where there are none."""

    hot: Taken
    archived: Taken
    keys: Taken
    archive: str | None


async def storage(tx: Transaction) -> Storage:
    """Counted now (ingest role). Raises UnavailableError where the archive cannot be listed."""
    sizes = await tx.row(_SIZES)
    assert sizes is not None  # noqa: S101 - a select without FROM has a row
    held = {row.path: row.events for row in await tx.rows(_SLICES)}
    store = await archive_store(tx)
    files = [] if store is None else await asyncio.to_thread(store.files)
    archived = Taken(sum(held.values()), sum(file.size for file in files if file.path in held))
    return Storage(
        hot=Taken(sizes.events, sizes.event_bytes),
        archived=archived,
        keys=Taken(sizes.keys, sizes.key_bytes),
        archive=None if store is None else store.root,
    )
