"""What came in, summed by account, source and local day; in the worker role, a bounded number of rows a step.

A row of `intake` is taken away by the statement that adds it to `intake_day`: it counts once, whoever sums, whatever
crashes. Rows that other workers are summing are passed by.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

import msgspec
from sqlalchemy import text

from valueplatform.core.database import Transaction
from valueplatform.core.periods import ONE_DAY
from valueplatform.telemetry.archive_reads import Wanted, archived_parts
from valueplatform.telemetry.archiving import hold_moves
from valueplatform.telemetry.local_days import offsets_of

AT_ONCE: Final = 20_000
"""Rows of one step: one a group, account and source."""
KEPT: Final = timedelta(days=400)

_SUM: Final = """
    WITH gone AS (
        DELETE FROM intake WHERE (account_id, intake_id) IN (
            SELECT account_id, intake_id FROM intake {of}
            LIMIT :most FOR UPDATE SKIP LOCKED
        ) RETURNING *
    ), dated AS (
        SELECT gone.*, (at AT TIME ZONE coalesce(timezone, 'UTC'))::date AS day
        FROM gone LEFT JOIN account USING (account_id)
    ), came AS (
        SELECT account_id, source, day, sum(stored) AS stored, sum(duplicates) AS duplicates,
               sum(conflicts) AS conflicts, sum(rejected) AS rejected, sum(ahead) AS ahead, max(lead) AS lead,
               max(at) AS last_at
        FROM dated WHERE day IS NOT NULL GROUP BY 1, 2, 3
    ), happened AS (
        SELECT account_id, source, one.key::date AS day, sum(one.value::bigint) AS happened
        FROM gone, json_each_text(gone.happened) AS one GROUP BY 1, 2, 3
    ), reached AS (
        SELECT account_id, source, dated.day, max(one.key::date) AS newest
        FROM dated, json_each_text(dated.happened) AS one WHERE dated.day IS NOT NULL GROUP BY 1, 2, 3
    ), newest AS (
        SELECT account_id, source, reached.day, greatest(
            max(newest) OVER (PARTITION BY account_id, source ORDER BY reached.day
                              ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING),
            (SELECT held.day FROM intake_day held WHERE held.account_id = reached.account_id
                AND held.source = reached.source AND held.happened > 0 ORDER BY held.day DESC LIMIT 1)) AS before
        FROM reached
    ), summed AS (
    INSERT INTO intake_day AS held (account_id, source, day, happened, stored, duplicates, conflicts, rejected, ahead,
                                    lead, behind, last_at)
    SELECT account_id, source, day, coalesce(happened, 0), coalesce(stored, 0), coalesce(duplicates, 0),
           coalesce(conflicts, 0), coalesce(rejected, 0), coalesce(ahead, 0), lead,
           CASE WHEN stored > 0 AND before IS NOT NULL THEN greatest(day - before, 0) END, last_at
    FROM (came FULL JOIN happened USING (account_id, source, day)) AS told
    LEFT JOIN newest USING (account_id, source, day)
    ORDER BY 1, 2, 3
    ON CONFLICT (account_id, source, day) DO UPDATE SET
        happened = held.happened + excluded.happened, stored = held.stored + excluded.stored,
        duplicates = held.duplicates + excluded.duplicates, conflicts = held.conflicts + excluded.conflicts,
        rejected = held.rejected + excluded.rejected, ahead = held.ahead + excluded.ahead,
        lead = greatest(held.lead, excluded.lead), behind = greatest(held.behind, excluded.behind),
        last_at = greatest(held.last_at, excluded.last_at)
    )
    SELECT count(*) FROM gone
"""
_SUM_ALL: Final = text(_SUM.format(of=""))
# A condition that may hold of all rows would have all of them read, however few are an account's.
_SUM_SOME: Final = text(_SUM.format(of="WHERE account_id = ANY(CAST(:accounts AS bigint[]))"))
_FORGET: Final = text("DELETE FROM intake_day WHERE account_id = :account AND day < :before")
_MOVED: Final = text("SELECT EXISTS (SELECT FROM zone_build WHERE account_id = :account AND state = 'in force')")
_NEWEST: Final = text("SELECT max(day) FROM intake_day WHERE account_id = ANY(:accounts)")
_ZONES: Final = text("SELECT DISTINCT timezone FROM account WHERE account_id = ANY(:accounts)")
# Nobody sums meanwhile; ingest only appends to `intake`, and goes on.
_HOLD_SUMS: Final = text("LOCK TABLE intake_day IN SHARE ROW EXCLUSIVE MODE")
# One statement sees the events and what of them was not summed yet as of one moment; archived ones are given.
_RECOUNT: Final = text("""
    WITH dated AS (
        SELECT account_id, source, (time AT TIME ZONE 'UTC' + ahead)::date AS day, 1 AS events
        FROM event JOIN account USING (account_id)
        JOIN unnest(CAST(:zones AS text[]), CAST(:since AS timestamptz[]), CAST(:until AS timestamptz[]),
                    CAST(:ahead AS interval[])) AS setting (timezone, since, until, ahead)
            ON setting.timezone = account.timezone AND time >= setting.since AND time < setting.until
        WHERE account_id = ANY(:accounts) AND utc_day >= :oldest
        UNION ALL
        SELECT * FROM unnest(CAST(:owners AS bigint[]), CAST(:sources AS text[]), CAST(:days AS date[]),
                             CAST(:events AS bigint[]))
    ), counted AS (
        SELECT account_id, source, day, sum(events) AS happened FROM dated WHERE day > :oldest GROUP BY 1, 2, 3
    ), waiting AS (
        UPDATE intake SET happened = '{}' WHERE account_id = ANY(:accounts)
    ), emptied AS (
        UPDATE intake_day AS held SET happened = 0 WHERE account_id = ANY(:accounts) AND day > :oldest
            AND NOT EXISTS (SELECT FROM counted WHERE counted.account_id = held.account_id
                                AND counted.source = held.source AND counted.day = held.day)
    )
    INSERT INTO intake_day (account_id, source, day, happened, stored, duplicates, conflicts, rejected, ahead)
    SELECT account_id, source, day, happened, 0, 0, 0, 0, 0 FROM counted ORDER BY account_id, source, day
    ON CONFLICT (account_id, source, day) DO UPDATE SET happened = excluded.happened
""")
_DAYS: Final = text("""
    SELECT source, day, happened, stored, duplicates, conflicts, rejected, ahead, lead, behind, last_at
    FROM intake_day WHERE account_id = :account AND day >= :since ORDER BY source, day
""")


class IntakeDay(msgspec.Struct, frozen=True):
    """A local day of one source: see `intake_day`. `lead` is in seconds, `behind` in days."""

    day: date
    happened: int = 0
    stored: int = 0
    duplicates: int = 0
    conflicts: int = 0
    rejected: int = 0
    ahead: int = 0
    lead: int | None = None
    behind: int | None = None
    last_at: datetime | None = None


async def sum_intake(tx: Transaction, account_id: int | None = None, most: int = AT_ONCE) -> bool:
    """One step, of one account or of all; whether there may be more to do."""
    return await _sum(tx, None if account_id is None else [account_id], most)


async def _sum(tx: Transaction, account_ids: Sequence[int] | None, most: int = AT_ONCE) -> bool:
    if account_ids is None:
        return int(await tx.scalar(_SUM_ALL, {"most": most}) or 0) >= most
    return int(await tx.scalar(_SUM_SOME, {"accounts": account_ids, "most": most}) or 0) >= most


async def days_of(tx: Transaction, account_id: int, since: date) -> dict[str, list[IntakeDay]]:
    """By source, each in order; days on which nothing happened nor came in are absent."""
    found: dict[str, list[IntakeDay]] = {}
    for row in await tx.rows(_DAYS, {"account": account_id, "since": since}):
        told = row._asdict()
        found.setdefault(told.pop("source"), []).append(IntakeDay(**told))
    return found


async def forget_old(tx: Transaction, account_id: int, today: date) -> int:
    return await tx.execute(_FORGET, {"account": account_id, "before": today - KEPT})


async def is_of_other_zone(tx: Transaction, account_id: int) -> bool:
    """Whether what happened still stands on the days of a zone that the account had before: `recount` it."""
    return bool(await tx.scalar(_MOVED, {"account": account_id}))


async def recount(tx: Transaction, account_ids: Sequence[int]) -> None:
    """What happened on each day of these accounts anew, by their present zones, for as long as days are kept.

    Events may come in meanwhile: what has come and is not summed yet is counted here, and what comes later is summed
    after it. The transaction is not a steady one, and has summed nothing before.
    """
    where = {"accounts": list(account_ids)}
    await hold_moves(tx)
    await tx.execute(_HOLD_SUMS)
    while await _sum(tx, where["accounts"]):
        pass
    newest = await tx.scalar(_NEWEST, where)
    if newest is None:
        return
    oldest = newest - KEPT
    zones = [row.timezone for row in await tx.rows(_ZONES, where)]
    offsets = offsets_of(zones, _midnight(oldest), _midnight(newest + 3 * ONE_DAY))
    archived = await _archived(tx, Wanted(account_ids, first=oldest))
    await tx.execute(_RECOUNT, {**where, "oldest": oldest, **offsets._asdict(), **archived})


async def _archived(tx: Transaction, wanted: Wanted) -> Mapping[str, Sequence[object]]:
    """How many archived events there are of each account, source and day, side by side."""
    found: list[tuple[object, ...]] = []
    for part in await archived_parts(tx, wanted):
        frame = await asyncio.to_thread(part.read, ("account_id", "source"))
        found += frame.group_by("account_id", "source", "day").len().iter_rows()
    columns = zip(*found, strict=True) if found else ((), (), (), ())
    return dict(zip(("owners", "sources", "days", "events"), map(list, columns), strict=True))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
