"""Bringing accounts to other zones while events come in.

The rollups of an account are kept by the local days of its zone, under an edition of their own. Those of its new zone
are counted beside them (`history`), and put in force by writing the account's row: zone and edition at once, whatever
the number of events. Events themselves have no local day, here or in the archive, so none of them is touched.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Final

from sqlalchemy import text

from valueplatform.core.database import Database, Transaction, lock_model_exclusive
from valueplatform.core.errors import ConflictError
from valueplatform.core.scope import Scope
from valueplatform.telemetry.history import (
    IN_FORCE,
    Count,
    Told,
    Writer,
    alone,
    count_history,
    due_stretches,
    release,
)
from valueplatform.telemetry.homes import Home
from valueplatform.telemetry.marks import Stretch, mark_days
from valueplatform.telemetry.meter_book import NO_MODEL, MeterBook, book_in_force
from valueplatform.telemetry.rebuilding import count_days

CAUSE: Final = "zone"

_WITH_EVENTS: Final = text("""
    SELECT account_id FROM unnest(CAST(:accounts AS bigint[])) AS asked (account_id)
    WHERE EXISTS (SELECT FROM event e WHERE e.account_id = asked.account_id)
       OR EXISTS (SELECT FROM archived_slice s WHERE s.account_id = asked.account_id)
""")
_EDITION: Final = text("SELECT '#' || nextval('rollup_edition')")
_REGISTER: Final = text("""
    INSERT INTO zone_build (account_id, timezone, edition, state)
    SELECT account_id, wanted.timezone, :edition, 'counting'
    FROM unnest(CAST(:accounts AS bigint[]), CAST(:zones AS text[])) AS wanted (account_id, timezone)
    JOIN account USING (account_id) WHERE account.timezone <> wanted.timezone
    RETURNING account_id, timezone
""")
_SWITCH: Final = text("""
    UPDATE account SET timezone = zone_build.timezone, edition = zone_build.edition, revision = revision + 1
    FROM zone_build WHERE zone_build.account_id = account.account_id AND state = 'counting'
""")
_SWITCHED: Final = text("UPDATE zone_build SET state = :state WHERE state = 'counting'")


async def with_events(tx: Transaction, account_ids: Sequence[int]) -> set[int]:
    """Those of the accounts that have any event, stored or archived: a port of `accounts.account_import`."""
    return {row.account_id for row in await tx.rows(_WITH_EVENTS, {"accounts": list(account_ids)})}


async def rezone(
    database: Database, scope: Scope, zones: Mapping[int, str], told: Told, copier: Database | None = None
) -> None:
    """Bring accounts, by id, to their new zones, all at once (worker role); interrupted, nothing has changed.

    `copier` as in `Writer`. Raises ConflictError where meters or zones are being counted already, or other meters are
    put in force meanwhile.
    """
    async with alone(database, scope):
        async with database.transaction(scope, steady=True) as reader:
            book, homes = await _begin(database, scope, reader, zones)
            count = Count(book.meters, homes, list(homes))
            await count_history(Writer(database, scope, copier), reader, count, told)
        async with database.transaction(scope) as tx:
            await lock_model_exclusive(tx)
            await _put_in_force(tx, book, homes)


async def _begin(
    database: Database, scope: Scope, reader: Transaction, zones: Mapping[int, str]
) -> tuple[MeterBook, Mapping[int, Home]]:
    """From here on new events of these accounts raise the new edition too; `reader` sees exactly the events from
    before. The meters that are counted, and the accounts that are not there yet."""
    async with database.transaction(scope) as tx:
        await lock_model_exclusive(tx)
        edition = str(await tx.scalar(_EDITION))
        where = {"accounts": list(zones), "zones": list(zones.values()), "edition": edition}
        homes = {row.account_id: Home(*row, edition) for row in await tx.rows(_REGISTER, where)}
        book = await book_in_force(await tx.driver(), NO_MODEL)
        await reader.scalar(text("SELECT 1"))  # its snapshot is that of its first query
    return book, homes


async def _put_in_force(tx: Transaction, book: MeterBook, homes: Mapping[int, Home]) -> None:
    connection = await tx.driver()
    if (await book_in_force(connection, NO_MODEL)).meters != book.meters:
        raise ConflictError("Other meters were put in force meanwhile; start the command again.")
    for stretch in await due_stretches(tx):
        if stretch.account_id in homes:
            await count_days(tx, book.meters, stretch, homes[stretch.account_id])
    await tx.execute(_SWITCH)
    await tx.execute(_SWITCHED, {"state": IN_FORCE})
    await release(tx)
    await mark_days(connection, [Stretch(account_id, date.min, date.max) for account_id in sorted(homes)], CAUSE)
