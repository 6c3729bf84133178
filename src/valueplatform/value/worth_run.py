"""Making the worth of event types anew, in the worker: one step is one short transaction, so that others are served.

A run reads accounts in batches, computes while no transaction is open, writes in batches, and then shows all at once.
Of a run that ends early nothing is seen, and the next one sweeps it away.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import datetime
from typing import Final, TypeVar

from valueplatform.core.database import Database
from valueplatform.core.periods import local_day
from valueplatform.core.scope import Scope
from valueplatform.telemetry.catalog_reads import SHARED_BY
from valueplatform.value.feeds import Paths
from valueplatform.value.likeness import Volumes, likeness
from valueplatform.value.model import ValueModel
from valueplatform.value.models import stored_model
from valueplatform.value.potential import potential
from valueplatform.value.uncaptured import Clients, Gap, Unmetered, gaps
from valueplatform.value.worth import Estimate, Standing, whole_months
from valueplatform.value.worth_inputs import (
    Looked,
    accounts_of_all,
    clients_of,
    first_day,
    standings,
    unmetered,
    volumes,
    widest_unmapped,
)
from valueplatform.value.worth_store import Estimates, Findings, begin, keep_same, put, show

BATCH: Final = 200
"""Accounts that are read or written in one step."""
PATIENCE: Final = 0.2
"""Seconds of computing that are one step; it goes on meanwhile."""

R = TypeVar("R", Standing, Estimate, Gap)


async def estimate_worth(database: Database, scope: Scope, now: datetime) -> AsyncIterator[None]:
    """One run over the accounts in scope; every item is a step that is done. Without a model there is nothing to do.

    Iterate it to the end. `database` is in the worker role.
    """
    async with database.transaction(scope) as tx:
        model = await stored_model(tx)
    if model is None:
        return
    looked, clients, accounts = await _look(database, scope, model, now)
    yield
    standing: list[Standing] = []
    left_out: list[Unmetered] = []
    for some in _batches(accounts):
        async with database.transaction(scope) as tx:
            standing += await standings(tx, looked, some)
            left_out += await unmetered(tx, looked, some)
        yield
    async with database.transaction(scope) as tx:
        daily = await volumes(tx, looked, standing)
    yield
    computing = asyncio.create_task(asyncio.to_thread(_computed, looked, clients, standing, left_out, daily))
    while not computing.done():
        await asyncio.wait({computing}, timeout=PATIENCE)
        yield
    found, digest = computing.result()
    async with database.transaction(scope) as tx:
        if await keep_same(tx, digest, now):
            return
        run = await begin(tx, now)
    for part in _parts(found, accounts):
        async with database.transaction(scope) as tx:
            await put(tx, run, part)
        yield
    async with database.transaction(scope) as tx:
        await show(tx, run, found, digest)


async def _look(
    database: Database, scope: Scope, model: ValueModel, now: datetime
) -> tuple[Looked, Clients, Sequence[int]]:
    today = local_day(now, model.supplier.timezone)
    async with database.transaction(scope) as tx:
        months = whole_months(await first_day(tx), today)
        looked = Looked(months, today, (), Paths(model), model.supplier.currency)
        unmapped = await widest_unmapped(tx, looked.paths.mapped, looked.since)
        looked = Looked(months, today, unmapped, looked.paths, looked.currency)
        return looked, await clients_of(tx, looked.types), await accounts_of_all(tx)


def _computed(
    looked: Looked,
    clients: Clients,
    standing: Sequence[Standing],
    left_out: Sequence[Unmetered],
    daily: Volumes,
) -> tuple[Findings, str]:
    found = _compute(looked, clients, standing, left_out, daily)
    return found, found.digest


def _compute(
    looked: Looked,
    clients: Clients,
    standing: Sequence[Standing],
    left_out: Sequence[Unmetered],
    daily: Volumes,
) -> Findings:
    paths, months = looked.paths, len(looked.months)
    lacking = gaps(paths, standing, clients, left_out)
    # What one account alone sends from may name the account.
    shared = {kind: source for kind, source in clients.source_of.items() if _senders(standing, kind) >= SHARED_BY}
    if not months:
        return Findings(Estimates((), looked.unmapped, (), shared), standing, (), lacking)
    occasional = tuple(kind for kind in looked.types if _is_occasional(standing, kind))
    mapped = potential(paths, standing, months)
    unmapped = likeness(paths, standing, looked.unmapped, daily, months)
    verdicts = (*mapped.verdicts, *unmapped.verdicts)
    estimates = Estimates(looked.months, looked.unmapped, verdicts, shared, occasional)
    return Findings(estimates, standing, (*mapped.estimates, *unmapped.estimates), lacking)


def _is_occasional(standing: Sequence[Standing], kind: str) -> bool:
    senders = [one for one in standing if kind in one.types]
    return 2 * sum(kind in one.steady for one in senders) < len(senders)


def _senders(standing: Sequence[Standing], kind: str) -> int:
    return sum(kind in one.types for one in standing)


def _parts(found: Findings, accounts: Sequence[int]) -> Iterator[Findings]:
    """What was found, by batch of accounts."""
    place = {account_id: at // BATCH for at, account_id in enumerate(accounts)}
    batches = len(range(0, len(accounts), BATCH))

    def split(rows: Sequence[R]) -> list[list[R]]:
        parts: list[list[R]] = [[] for _ in range(batches)]
        for row in rows:
            parts[place[row.account_id]].append(row)
        return parts

    each = (split(found.standings), split(found.potential), split(found.gaps))
    for standing, potential_rows, gap_rows in zip(*each, strict=True):
        yield Findings(found.estimates, standing, potential_rows, gap_rows)


def _batches(accounts: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(accounts), BATCH):
        yield accounts[start : start + BATCH]
