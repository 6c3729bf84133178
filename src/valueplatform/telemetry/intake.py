"""What came in, counted in the transaction that stores it: by request, by account and source, and by slice of the keys.

All of it goes in by one statement a group, and only by appending: no row is waited for, whoever else writes. The worker
sums it up (`intake_sums`), data quality reads the sums, and reconciliation compares them with what is there.
"""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise
from operator import attrgetter
from typing import Any, Final

import asyncpg
import msgspec

from valueplatform.telemetry.admission import Admitted, Entry
from valueplatform.telemetry.client_time import ON_THE_WAY
from valueplatform.telemetry.event import NO_SHIFT, Rejection
from valueplatform.telemetry.rejections import UNKNOWN_ACCOUNT, home_of
from valueplatform.telemetry.requests import IngestRequest, Report

SLICES: Final = 64
"""Parts of the space of keys, of equal size, by their first 6 bits: so that they can be compared a part at a time."""
BOUNDS: Final = tuple(bytes([number * 256 // SLICES]) for number in range(1, SLICES))
"""Where each of them but the first begins."""

_KEEP: Final = """
    WITH told AS (
        INSERT INTO ingest_tally (at, origin, received, stored, duplicates, conflicts, rejected)
        SELECT at, origin, received, stored, duplicates, conflicts, rejected
        FROM json_to_recordset($1::json) AS told (at timestamptz, origin text, received int, stored int,
            duplicates int, conflicts int, rejected int)
    ), keyed AS (
        INSERT INTO key_tally (slices) SELECT $3::bigint[] WHERE $3 IS NOT NULL
    )
    INSERT INTO intake (account_id, source, at, happened, stored, duplicates, conflicts, rejected, ahead, lead)
    SELECT account_id, source, at, happened, stored, duplicates, conflicts, rejected, ahead, lead
    FROM json_to_recordset($2::json) AS came (account_id bigint, source text, at timestamptz, happened json,
        stored int, duplicates int, conflicts int, rejected int, ahead int, lead bigint)
"""
_TAKE_BACK: Final = """
    INSERT INTO intake (account_id, source, happened, stored, duplicates, conflicts, rejected, ahead)
    VALUES ($1, $2, $3, 0, 0, 0, 0, 0)
"""
_MANY: Final = 1_000
"""Keys from which on it is faster to look for the bounds than at each key."""
_ENCODER: Final = msgspec.json.Encoder()
_SECOND: Final = timedelta(seconds=1)
_TIME: Final = attrgetter("time")
_DAY: Final = attrgetter("day")


class _Told(msgspec.Struct, gc=False):
    at: datetime
    origin: str
    received: int
    stored: int
    duplicates: int
    conflicts: int
    rejected: int


class Came(msgspec.Struct, gc=False):
    """What came of one account and source in one group. `happened`: new events by the local day that they happened on.

    `ahead` are new events whose sender's clock was more than a minute ahead of ours, `lead` the seconds of the one that
    was furthest ahead: negative where all were behind, as they are by nature, None where no new event came.
    """

    account_id: int
    source: str
    at: datetime
    happened: dict[date, int] = {}
    stored: int = 0
    duplicates: int = 0
    conflicts: int = 0
    rejected: int = 0
    ahead: int = 0
    lead: int | None = None


async def keep_intake(
    connection: "asyncpg.Connection[Any]",
    requests: Sequence[IngestRequest],
    reports: Sequence[Report],
    admitted: Admitted,
    new: Sequence[Entry],
    known: tuple[Sequence[Entry], Sequence[Entry]],
) -> None:
    """Append what a group came to; `known` are its duplicates and its conflicts, `new` is in the order of the keys."""
    told = [
        _Told(
            request.received_at,
            request.sender.origin,
            report.received,
            report.stored,
            report.duplicates,
            report.conflicts,
            len(report.rejections),
        )
        for request, report in zip(requests, reports, strict=True)
    ]
    came = came_in(requests, admitted, new, known)
    slices = key_slices(new) if new else None
    await connection.execute(_KEEP, _ENCODER.encode(told).decode(), _ENCODER.encode(came).decode(), slices)


async def take_back(connection: "asyncpg.Connection[Any]", account_id: int, source: str, day: date) -> None:
    """One event of that day is no more: it was retracted. Nothing came in by that, so it has no time."""
    await connection.execute(_TAKE_BACK, account_id, source, _ENCODER.encode({day: -1}).decode())


def came_in(
    requests: Sequence[IngestRequest],
    admitted: Admitted,
    new: Sequence[Entry],
    known: tuple[Sequence[Entry], Sequence[Entry]],
) -> list[Came]:
    """By account and source, in their order. The requests of a group came within seconds: its first moment is all's."""
    at = min(request.received_at for request in requests)
    clocks = [-request.clock for request in requests] if any(request.clock for request in requests) else []
    found = {place: _came(place, at, clocks, entries) for place, entries in _by_place(new).items()}

    def came_of(account_id: int, source: str) -> Came:
        return found.setdefault((account_id, source), Came(account_id, source, at, {}))

    for (account_id, source), entries in _by_place(known[0]).items():
        came_of(account_id, source).duplicates = len(entries)
    for (account_id, source), entries in _by_place(known[1]).items():
        came_of(account_id, source).conflicts = len(entries)
    for request, refused in zip(requests, admitted.refused, strict=True):
        for rejection in refused if request.replayed is None else ():
            account_id = home_of(request.sender, rejection, admitted.homes)
            came_of(account_id, source_of(rejection, account_id, request)).rejected += 1
    return [found[place] for place in sorted(found)]


def _by_place(entries: Sequence[Entry]) -> dict[tuple[int, str], list[Entry]]:
    """By account and source: the one loop over single events that is not in C."""
    found: defaultdict[tuple[int, str], list[Entry]] = defaultdict(list)
    for entry in entries:
        found[entry.account_id, entry.event.source].append(entry)
    return found


def _came(place: tuple[int, str], at: datetime, clocks: Sequence[timedelta], entries: Sequence[Entry]) -> Came:
    """`clocks`: by request, how far its sender's clock is known to be ahead; empty where that is known of none."""
    lead = max(map(_TIME, entries)) - at
    ahead = 0
    if clocks or lead > ON_THE_WAY:
        leads = [(clocks[entry.request] if clocks else NO_SHIFT) or entry.time - at for entry in entries]
        lead, ahead = max(leads), sum(one > ON_THE_WAY for one in leads)
    days = list(map(_DAY, entries))
    happened = {days[0]: len(days)} if days.count(days[0]) == len(days) else Counter(days)
    return Came(*place, at, happened, len(entries), ahead=ahead, lead=lead // _SECOND)


def source_of(rejection: Rejection, account_id: int, request: IngestRequest) -> str:
    """Where it cannot be told, or nobody's account would fill with whatever is sent: the way that it came in by."""
    told = rejection.source if account_id != UNKNOWN_ACCOUNT else None
    return (told or request.sender.origin).replace("\0", "")


def key_slices(ordered: Sequence[Entry]) -> list[int]:
    """How many of the keys fall in each slice; entries come in the order of their keys."""
    if len(ordered) < _MANY:
        slices = [0] * SLICES
        for entry in ordered:
            slices[entry.event.key.bytes[0] * SLICES // 256] += 1
        return slices
    places = [bisect_left(ordered, bound, key=_key_bytes) for bound in BOUNDS]
    return [last - first for first, last in pairwise((0, *places, len(ordered)))]


def _key_bytes(entry: Entry) -> bytes:
    return entry.event.key.bytes
