"""Counting meters over all history while events come in (`history`), to be put in force at once.

A meter that is counted gets rollups under a name of its own, which nobody reads before.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Final

import msgspec
from sqlalchemy import text

from valueplatform.core.database import Database, Transaction, lock_model_exclusive
from valueplatform.core.scope import Scope
from valueplatform.telemetry.history import Count, Told, Writer, alone, count_history, due_stretches, release
from valueplatform.telemetry.homes import homes_of
from valueplatform.telemetry.meters import Meter
from valueplatform.telemetry.rebuilding import count_days

_REGISTER: Final = text("INSERT INTO meter_build (meter) VALUES ('null') RETURNING build_id")
_DEFINE: Final = text("UPDATE meter_build SET meter = CAST(:meter AS jsonb) WHERE build_id = :build")


@asynccontextmanager
async def counting(
    database: Database, scope: Scope, meters: Iterable[Meter], told: Told, copier: Database | None = None
) -> AsyncIterator[list[Meter]]:
    """Count meters over all history (worker role); inside, they are ready for `settle` and to be put in force.

    They have their new `stored_as`. `copier` as in `Writer`. What is not released inside is cleared away. Raises
    ConflictError where meters or zones are being counted already.
    """
    async with alone(database, scope):
        async with database.transaction(scope, steady=True) as reader:
            named = await _begin(database, scope, reader, meters)
            count = Count(named, await homes_of(await reader.driver()))
            await count_history(Writer(database, scope, copier), reader, count, told)
        yield named


async def settle(tx: Transaction, meters: Sequence[Meter]) -> None:
    """Count the days anew that events have left since the counting began, and end the counting.

    In the transaction that puts the meters in force, under the exclusive model lock.
    """
    stretches = await due_stretches(tx)
    homes = await homes_of(await tx.driver(), [stretch.account_id for stretch in stretches])
    for stretch in stretches:
        await count_days(tx, meters, stretch, homes[stretch.account_id])
    await release(tx)


async def _begin(database: Database, scope: Scope, reader: Transaction, meters: Iterable[Meter]) -> list[Meter]:
    """From here on new events raise the meters; `reader` sees exactly the events from before."""
    named = []
    async with database.transaction(scope) as tx:
        await lock_model_exclusive(tx)
        for meter in meters:
            build = int(await tx.scalar(_REGISTER))
            own = msgspec.structs.replace(meter, stored_as=f"{meter.slug}@{build}")
            await tx.execute(_DEFINE, {"meter": msgspec.json.encode(own).decode(), "build": build})
            named.append(own)
        await reader.scalar(text("SELECT 1"))  # its snapshot is that of its first query
    return named
