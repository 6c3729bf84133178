"""Comparing accounts anew, in the worker: one step is one short transaction, so that others are served.

It follows the worth of event types, whose sums of each account's months it starts from. A run reads driver by driver,
computes beside, writes in batches, and then shows all at once. Of a run that ends early nothing is seen, and the next
one sweeps it away.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Final

from valueplatform.core.database import Database
from valueplatform.core.scope import Scope
from valueplatform.value.benchmark import Benchmarks, Figure, Member, cohorts, standings_of
from valueplatform.value.benchmark_inputs import Ground, ground_of, members_of
from valueplatform.value.benchmark_store import Row, begin, digest_of, keep_same, put, row_of, show
from valueplatform.value.models import stored_model

BATCH: Final = 1000
"""Rows that are written in one step."""


async def compare_accounts(database: Database, scope: Scope) -> AsyncIterator[None]:
    """One run over the accounts in scope; every item is a step that is done. Without a model, or before amounts were
    summed up, there is nothing to do.

    Iterate it to the end. `database` is in the worker role.
    """
    async with database.transaction(scope) as tx:
        model, ground = await stored_model(tx), await ground_of(tx)
    if model is None or ground is None:
        return
    yield
    figures: list[Figure] = []
    rows: list[Row] = []
    for driver in model.drivers if ground.months else ():
        async with database.transaction(scope) as tx:
            members = await members_of(tx, ground, driver.slug, model.benchmark.scale)
        found, own = await asyncio.to_thread(_compared, members, len(ground.months))
        figures += found
        rows += own
        yield
    made = Benchmarks(ground.months, model.benchmark.scale, tuple(figures))
    async for _ in _store(database, scope, ground, made, rows):
        yield


def _compared(members: Sequence[Member], months: int) -> tuple[list[Figure], list[Row]]:
    """Of one driver."""
    made = cohorts(members, months)
    standings = standings_of(made)
    return [cohort.figure for cohort in made], [row_of(member, standings) for member in members]


async def _store(
    database: Database, scope: Scope, ground: Ground, made: Benchmarks, rows: Sequence[Row]
) -> AsyncIterator[None]:
    """Nothing where the sums that it was made from are no longer those in force: the next run is of the new ones."""
    digest = await asyncio.to_thread(digest_of, made, rows)
    async with database.transaction(scope) as tx:
        standing = await ground_of(tx)
        if standing is None or standing.run != ground.run or await keep_same(tx, digest, ground.as_of):
            return
        run = await begin(tx, ground.as_of)
    for start in range(0, len(rows), BATCH):
        async with database.transaction(scope) as tx:
            await put(tx, run, rows[start : start + BATCH])
        yield
    async with database.transaction(scope) as tx:
        await show(tx, run, made, digest)
