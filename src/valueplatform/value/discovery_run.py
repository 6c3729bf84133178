"""Making proposals anew, in the worker, after event types were valued and accounts compared: one step is one short
transaction, so that others are served. The same catalog and record give the same proposals."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Final

import msgspec

from valueplatform.core.database import Database, Transaction
from valueplatform.core.periods import local_day
from valueplatform.core.scope import Scope
from valueplatform.value.benchmark_store import newest_benchmarks
from valueplatform.value.discovery import Outcome
from valueplatform.value.discovery_drivers import Like
from valueplatform.value.discovery_evidence import Deal, Turn, Uses, relations, turns
from valueplatform.value.discovery_inputs import (
    YEAR,
    Days,
    deals_of,
    gather,
    kinds_of,
    measured_of,
    nothing_sent,
    uses_before,
    with_numbers,
)
from valueplatform.value.discovery_meters import Kind
from valueplatform.value.discovery_proposals import Ground, Sent, propose
from valueplatform.value.discovery_store import keep
from valueplatform.value.discovery_values import Measured, ratios
from valueplatform.value.model import ValueModel
from valueplatform.value.models import stored_model
from valueplatform.value.worth_inputs import accounts_of_all
from valueplatform.value.worth_store import newest, potential_totals

BATCH: Final = 50
"""Accounts that are read in one step."""


class _Gathered(msgspec.Struct):
    """What is read account by account."""

    sent: Sent
    deals: list[Deal]
    measured: dict[str, list[Measured]]


async def discover(database: Database, scope: Scope, now: datetime) -> AsyncIterator[None]:
    """One run over the accounts in scope; every item is a step that is done. Without a model there is nothing to do.

    Iterate it to the end. `database` is in the worker role.
    """
    async with database.transaction(scope) as tx:
        model = await stored_model(tx)
        if model is None:
            return
        days = Days(local_day(now, model.supplier.timezone))
        kinds, accounts = await kinds_of(tx, days.today), await accounts_of_all(tx)
    yield
    for at, kind in enumerate(kinds):
        async with database.transaction(scope) as tx:
            kinds[at] = await with_numbers(tx, kind)
        yield
    gathered = _Gathered(nothing_sent(), [], {})
    for start in range(0, len(accounts), BATCH):
        async with database.transaction(scope) as tx:
            await _gather(tx, gathered, model, days, kinds, accounts[start : start + BATCH])
        yield
    made: list[Turn] = turns(gathered.deals, days.today - YEAR, days.today)
    uses: dict[tuple[int, Outcome, str], int] = {}
    for start in range(0, len(made), BATCH):
        async with database.transaction(scope) as tx:
            uses.update(await uses_before(tx, made[start : start + BATCH]))
        yield
    async with database.transaction(scope) as tx:
        ground = await _ground(tx, model, kinds, gathered, made, uses)
    found = await asyncio.to_thread(propose, ground)
    yield
    async with database.transaction(scope) as tx:
        await keep(tx, found, now)


async def _gather(
    tx: Transaction, into: _Gathered, model: ValueModel, days: Days, kinds: Sequence[Kind], accounts: Sequence[int]
) -> None:
    await gather(tx, into.sent, days, [kind.type for kind in kinds], accounts)
    into.deals += await deals_of(tx, accounts)
    for ratio in ratios(model):
        found = await measured_of(tx, model, ratio, accounts, days)
        into.measured.setdefault(ratio.baseline, []).extend(found)


async def _ground(
    tx: Transaction,
    model: ValueModel,
    kinds: Sequence[Kind],
    gathered: _Gathered,
    made: Sequence[Turn],
    uses: Uses,
) -> Ground:
    stored, compared = await newest(tx), await newest_benchmarks(tx)
    verdicts = stored.estimates.verdicts if stored else ()
    return Ground(
        model=model,
        kinds=kinds,
        sent=gathered.sent,
        relations=relations([kind.type for kind in kinds], made, uses),
        likes={
            one.type: Like(one.like, one.likeness)
            for one in verdicts
            if one.like is not None and one.likeness is not None
        },
        potential=await potential_totals(tx, stored.run) if stored else (),
        agreed=compared.benchmarks.values if compared else (),
        measured=[(ratio, gathered.measured.get(ratio.baseline, ())) for ratio in ratios(model)],
    )
