"""Reading archived events, only those in scope.

A file holds the events of many accounts. Which files there are, and for which accounts, types and months, is told by
`archived_slice`, a tenant table: what row security hides is not looked for, and of what is found only the accounts
that were told are read. Events that were retracted are left out. Whoever reads stored events as well does both in a
steady transaction or under `hold_archive`, else events could move from the one to the other between two looks.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, NamedTuple
from uuid import UUID

import polars as pl
from sqlalchemy import text

from valueplatform.core.database import Transaction
from valueplatform.core.errors import UnavailableError
from valueplatform.telemetry.archive_format import scan_events, scan_many
from valueplatform.telemetry.archive_store import RETRY_AFTER_SECONDS, ArchiveStore, cure, reason
from valueplatform.telemetry.local_days import with_days

# Any constant will do, as long as no other program in the same database uses it: the letters "vp archi".
ARCHIVE_LOCK: Final = 0x7670_2061_7263_6869

_FIRST: Final = date(1, 1, 3)
_LAST: Final = date(9999, 12, 29)
_MONTH: Final = timedelta(days=31)
_ZONES_REACH: Final = timedelta(days=2)
"""A local day lies within a day of the same day in UTC; a second day costs nothing, and needs no thought."""
_HOLD: Final = text("SELECT pg_advisory_xact_lock_shared(:lock)")
_ROOT: Final = text("SELECT root FROM archive")
_SLICES: Final = text("""
    SELECT month, path, array_agg(DISTINCT account_id) AS accounts, array_agg(DISTINCT type) AS types,
           sum(events)::bigint AS events
    FROM archived_slice
    WHERE (CAST(:accounts AS bigint[]) IS NULL OR account_id = ANY(:accounts))
      AND (CAST(:types AS text[]) IS NULL OR type = ANY(:types))
      AND last_time >= :begin AND first_time < :end
    GROUP BY month, path ORDER BY month, path
""")
_ZONES: Final = text("""
    SELECT account_id, timezone FROM account
    WHERE CAST(:accounts AS bigint[]) IS NULL OR account_id = ANY(:accounts)
""")
_RETRACTED: Final = text("""
    SELECT path, event_key FROM archived_retraction
    WHERE CAST(:accounts AS bigint[]) IS NULL OR account_id = ANY(:accounts)
""")
COLUMNS: Final = ("account_id", "event_key", "source", "id", "type", "time", "subject", "provider", "data")
_CHUNK: Final = 20_000


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which events are asked for; None = all. `first` and `last` are local days, both included: of the accounts' own
    zones, but for those that `zones` gives others."""

    accounts: Sequence[int] | None = None
    types: Sequence[str] | None = None
    first: date = date.min
    last: date = date.max
    zones: Mapping[int, str] | None = None

    @property
    def is_bounded(self) -> bool:
        return self.first > date.min or self.last < date.max

    @property
    def reach(self) -> tuple[datetime, datetime]:
        """From when to when (exclusive) events of these days can be, in any zone."""
        first, last = max(self.first, _FIRST), min(self.last, _LAST)
        return (
            datetime.combine(first, time(), UTC) - _ZONES_REACH,
            datetime.combine(last, time(), UTC) + _ZONES_REACH,
        )


class ArchivedEvent(NamedTuple):
    """An event as `event` has it; `day` is the day in the account's present zone."""

    account_id: int
    event_key: UUID
    source: str
    id: str
    type: str
    time: datetime
    subject: str | None
    provider: str
    data: str | None
    day: date


@dataclass(frozen=True, slots=True)
class ArchivedPart:
    """What is wanted of one file. `accounts` gives the zone of each account that it is read for; `whole`: these are all
    that it holds events of."""

    path: str
    address: str
    month: date
    accounts: Mapping[int, str]
    types: Sequence[str]
    retracted: Sequence[bytes]
    wanted: Wanted
    events: int
    whole: bool = False

    def scan(self, columns: Sequence[str], paths: Sequence[str] = (), condition: pl.Expr | None = None) -> pl.LazyFrame:
        """Events (those that meet the condition) with these columns of `archive_format.SCHEMA`, their local `day`, and
        a column for each path of data."""
        where = _wanted([self])
        if condition is not None:
            where &= condition
        needed = [*columns, *({"account_id", "time"} - set(columns))]
        first = datetime.combine(self.month, time(), UTC)
        events = with_days(scan_events(self.address, needed, paths, where), self.accounts, first, first + _MONTH)
        if not self.wanted.is_bounded:
            return events
        return events.filter(pl.col("day").is_between(self.wanted.first, self.wanted.last))

    def read(self, columns: Sequence[str], paths: Sequence[str] = (), condition: pl.Expr | None = None) -> pl.DataFrame:
        """The same, read. Raises UnavailableError where the file cannot be."""
        with readable([self]):
            return self.scan(columns, paths, condition).collect()


def scan_together(parts: Sequence[ArchivedPart], columns: Sequence[str], paths: Sequence[str]) -> pl.LazyFrame:
    """All wanted events of several files, as `ArchivedPart.scan` gives them, but for cells without a column."""
    zones = {account: name for part in parts for account, name in part.accounts.items()}
    wanted = parts[0].wanted
    retracted = any(part.retracted for part in parts)
    months = sorted({part.month for part in parts})
    first, last = (datetime.combine(month, time(), UTC) for month in (months[0], months[-1]))
    addresses = [part.address for part in parts]
    needed = dict.fromkeys([*columns, *(("event_key",) if retracted else ())])
    events = with_days(scan_many(addresses, list(needed), paths, _wanted(parts)), zones, first, last + _MONTH)
    return events.filter(pl.col("day").is_between(wanted.first, wanted.last)) if wanted.is_bounded else events


def _wanted(parts: Sequence[ArchivedPart]) -> pl.Expr:
    """Of all events of these files, which are read."""
    where = pl.col("type").is_in(sorted({kind for part in parts for kind in part.types}))
    if not all(part.whole for part in parts):
        where &= pl.col("account_id").is_in(list({account for part in parts for account in part.accounts}))
    if parts[0].wanted.is_bounded:
        where &= pl.col("time").is_between(*parts[0].wanted.reach, closed="left")
    if retracted := [key for part in parts for key in part.retracted]:
        where &= ~pl.col("event_key").is_in(retracted)
    return where


@contextmanager
def readable(parts: Sequence[ArchivedPart]) -> Iterator[None]:
    """What goes wrong with files while they are read as UnavailableError."""
    try:
        yield
    except (OSError, pl.exceptions.PolarsError) as error:
        places = ", ".join(part.address for part in parts[:3])
        raise UnavailableError(
            f"Archived files cannot be read ({places}): {reason(error)}. Bring them back, or make their place "
            f"reachable; no figure is told without them. {cure(parts[0].address)}",
            retry_after=RETRY_AFTER_SECONDS,
        ) from error


async def hold_archive(tx: Transaction) -> None:
    """Keep events from being moved into the archive until the end of the transaction."""
    await tx.execute(_HOLD, {"lock": ARCHIVE_LOCK})


async def archive_store(tx: Transaction) -> ArchiveStore | None:
    """Where the archive is; None where nothing has been archived yet."""
    root = await tx.scalar(_ROOT)
    return None if root is None else ArchiveStore(str(root))


async def archived_parts(tx: Transaction, wanted: Wanted) -> list[ArchivedPart]:
    """The files that hold events of what is wanted and in scope, oldest month first."""
    store = await archive_store(tx)
    if store is None:
        return []
    begin, end = wanted.reach
    accounts = None if wanted.accounts is None else list(wanted.accounts)
    types = None if wanted.types is None else list(wanted.types)
    rows = await tx.rows(_SLICES, {"accounts": accounts, "types": types, "begin": begin, "end": end})
    if not rows:
        return []
    retracted: defaultdict[str, list[bytes]] = defaultdict(list)
    for row in await tx.rows(_RETRACTED, {"accounts": accounts}):
        retracted[row.path].append(row.event_key.bytes)
    zones = {row.account_id: row.timezone for row in await tx.rows(_ZONES, {"accounts": accounts})}
    zones |= wanted.zones or {}
    return [
        ArchivedPart(
            path=row.path,
            address=store.address(row.path),
            month=row.month,
            accounts={account: zones[account] for account in row.accounts},
            types=sorted(row.types),
            retracted=retracted[row.path],
            wanted=wanted,
            events=row.events,
            whole=accounts is None and tx.scope.account_ids is None,
        )
        for row in rows
    ]


async def archived_events(tx: Transaction, wanted: Wanted) -> AsyncIterator[Sequence[ArchivedEvent]]:
    """The wanted events, some thousands at a time, month by month; within a file by account, type, time and key."""
    for part in await archived_parts(tx, wanted):
        frame = await asyncio.to_thread(part.read, COLUMNS)
        for chunk in frame.iter_slices(_CHUNK):
            yield events_of(chunk)


def events_of(frame: pl.DataFrame) -> list[ArchivedEvent]:
    """Rows of a frame that was read with all columns but `received_at`."""
    rows = frame.select([*COLUMNS, "day"]).iter_rows()
    return [ArchivedEvent(account, UUID(bytes=key), *rest) for account, key, *rest in rows]
