"""Whether all that came in is accounted for: a part at a time, on a schedule; `valueplatform verify` looks at all.

Three things must hold. Each report adds up: the rows that do not are in an index of their own, so all of history is
looked at each time. As many keys are there as were stored: by slice of their space, one slice a round; counters and
keys are written by one transaction and read in one, so they may not differ for a moment. Each event has its key: the
days of one account, whenever it is reconciled.

Only the ingest role may read keys, so these looks are taken in that role, by a connection that the worker's process
opens for them; it writes nothing but the sum of the counters. What is found is kept in the worker's own role.
"""

from datetime import date, datetime
from typing import Final

from sqlalchemy import text

from valueplatform.core.database import Database, Transaction
from valueplatform.core.scope import Scope
from valueplatform.telemetry.findings import ALL_ACCOUNTS, keep_findings
from valueplatform.telemetry.intake import SLICES
from valueplatform.telemetry.quality import FAILURE, Found

INTAKE: Final = "intake"
REPORTS: Final = "reports that do not add up"
_MOST: Final = 20

_UNEQUAL: Final = text("""
    SELECT count(*) AS reports, sum(received)::bigint AS received,
           sum(stored + duplicates + conflicts + rejected)::bigint AS told
    FROM ingest_tally WHERE received <> stored + duplicates + conflicts + rejected
""")
_COUNTED: Final = text("SELECT coalesce(sum(slices[:place]), 0)::bigint FROM key_tally")
_KEYS: Final = text("""
    SELECT count(*) FROM event_key WHERE event_key >= CAST(:first AS uuid) AND event_key <= CAST(:last AS uuid)
""")
_SUM_UP: Final = text("""
    WITH gone AS (DELETE FROM key_tally RETURNING slices)
    INSERT INTO key_tally (slices)
    SELECT array_agg(total ORDER BY place) FROM (
        SELECT place, sum(keys)::bigint AS total
        FROM gone, unnest(gone.slices) WITH ORDINALITY AS one (keys, place) GROUP BY place
    ) AS summed HAVING count(*) > 0
""")
_UNKEYED: Final = text("""
    SELECT source, id FROM event e WHERE account_id = :account AND utc_day >= :since
        AND NOT EXISTS (SELECT FROM event_key k WHERE k.event_key = e.event_key AND k.account_id = e.account_id)
    LIMIT :most
""")


def slice_of(now: datetime) -> int:
    """Whose turn it is: each slice once in 64 minutes, whoever asks."""
    return int(now.timestamp() // 60) % SLICES


def place_of(number: int) -> str:
    return f"keys, part {number + 1} of {SLICES}"


async def unequal_reports(tx: Transaction) -> list[Found]:
    row = await tx.row(_UNEQUAL)
    if row is None or not row.reports:
        return []
    return [Found(INTAKE, REPORTS, f"{row.received:,} received", f"{row.told:,} accounted for", FAILURE)]


async def slice_differs(tx: Transaction, number: int) -> list[Found]:
    """Ingest role, in a steady transaction."""
    width = 256 // SLICES
    first = f"{number * width:02x}" + "00" * 15
    last = f"{(number + 1) * width - 1:02x}" + "ff" * 15
    counted = int(await tx.scalar(_COUNTED, {"place": number + 1}) or 0)
    keys = int(await tx.scalar(_KEYS, {"first": first, "last": last}) or 0)
    if counted == keys:
        return []
    return [Found(INTAKE, place_of(number), f"{counted:,} stored", f"{keys:,} keys", FAILURE)]


async def sum_keys(tx: Transaction) -> None:
    """The counters of many groups as one row; ingest role."""
    await tx.execute(_SUM_UP)


async def unkeyed_events(tx: Transaction, account_id: int, since: date) -> list[Found]:
    """Events from a day on without a key of their account; ingest role."""
    rows = await tx.rows(_UNKEYED, {"account": account_id, "since": since, "most": _MOST})
    return [Found(INTAKE, f"event {row.source} {row.id}", "stored", "no key", FAILURE) for row in rows]


async def check_intake(ingest: Database, worker: Database, everything: Scope, now: datetime) -> list[Found]:
    """One round: all reports, and the slice whose turn it is. Other slices' findings stay as they are."""
    number = slice_of(now)
    async with ingest.transaction(everything, steady=True) as tx:
        found = [*await unequal_reports(tx), *await slice_differs(tx, number)]
    async with ingest.transaction(everything) as tx:
        await sum_keys(tx)
    async with worker.transaction(everything) as tx:
        await keep_findings(tx, ALL_ACCOUNTS, found, now, looked=(INTAKE,), at=(REPORTS, place_of(number)))
    return found


async def check_keys(  # the account's own part, when it is reconciled
    ingest: Database, worker: Database, scope: Scope, account_id: int, since: date, now: datetime
) -> list[Found]:
    async with ingest.transaction(scope, steady=True) as tx:
        found = await unkeyed_events(tx, account_id, since)
    async with worker.transaction(scope) as tx:
        await keep_findings(tx, account_id, found, now, looked=(INTAKE,))
    return found
