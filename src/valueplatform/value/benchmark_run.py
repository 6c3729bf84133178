"""Comparing accounts anew, in the worker: one step is one short transaction, so that others are served.

It follows the worth of event types, whose sums of each account's months it starts from. A run reads driver by driver,
computes beside, writes in batches, and then shows all at once. Of a run that ends early nothing is seen, and the next
one sweeps it away.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from valueplatform.core.database import Database
from valueplatform.core.periods import local_day
from valueplatform.core.scope import Scope
from valueplatform.value.adopted import Adopted, adopted_of
from valueplatform.value.agreed_reads import validated_of
from valueplatform.value.agreed_values import Validated, agreed_values
from valueplatform.value.benchmark import Figure, Member, cohorts, standings_of
from valueplatform.value.benchmark_inputs import Ground, ground_of, members_of
from valueplatform.value.benchmark_store import (
    Row,
    begin,
    digest_of,
    keep_same,
    put,
    put_inputs,
    put_uses,
    row_of,
    show,
)
from valueplatform.value.benchmarks import Benchmarks
from valueplatform.value.cohort_traits import cohort_traits
from valueplatform.value.feature_use import known_features, uses_of
from valueplatform.value.model import Feature, ValueModel
from valueplatform.value.models import stored_model
from valueplatform.value.practice import Practice, Use, Uses, by_account, practices
from valueplatform.value.typical_inputs import Typical, inputs_of, proportional_inputs, typical_inputs

BATCH: Final = 1000
"""Rows that are written in one step."""
ACCOUNTS: Final = 200
"""Whose records are read in one step."""


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
    made = _Made(model, ground)
    for feature in made.features:
        async with database.transaction(scope) as tx:
            uses = await uses_of(tx, model, feature, ground.months[0])
            made.adopted += await adopted_of(tx, ground, model, feature, uses)
        made.uses += uses
        yield
    by = by_account(made.uses)
    for driver in model.drivers if ground.months else ():
        async with database.transaction(scope) as tx:
            members = await members_of(tx, ground, driver.slug, model.benchmark.scale)
            given = await inputs_of(tx, ground, driver, members)
        await asyncio.to_thread(made.compare, members, by)
        made.typical += typical_inputs(members, given, proportional_inputs(model, driver))
        yield
    async for _ in _read_inputs(database, scope, made):
        yield
    async for _ in _store(database, scope, made):
        yield


async def _read_inputs(database: Database, scope: Scope, made: "_Made") -> AsyncIterator[None]:
    today = local_day(made.ground.as_of, made.model.supplier.timezone)
    last: int | None = 0
    while last is not None:
        async with database.transaction(scope) as tx:
            found, last = await validated_of(tx, made.model, today, last, ACCOUNTS)
        made.inputs += found
        yield


@dataclass(slots=True)
class _Made:
    """What a run makes, driver by driver."""

    model: ValueModel
    ground: Ground
    uses: list[Use] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)
    practices: list[Practice] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    inputs: list[Validated] = field(default_factory=list)
    typical: list[Typical] = field(default_factory=list)
    adopted: list[Adopted] = field(default_factory=list)
    members: list[Member] = field(default_factory=list)

    @property
    def features(self) -> Sequence[Feature]:
        return known_features(self.model) if self.ground.months else ()

    @property
    def benchmarks(self) -> Benchmarks:
        scale = self.model.benchmark.scale
        values = tuple(agreed_values(self.inputs))
        told = (tuple(self.figures), tuple(self.practices), values, tuple(self.typical), tuple(self.adopted))
        return Benchmarks(self.ground.months, scale, *told, traits=cohort_traits(self.members, scale))

    def compare(self, members: Sequence[Member], uses: Uses) -> None:
        """Of one driver."""
        made = cohorts(members, len(self.ground.months))
        standings = standings_of(made)
        self.figures += [cohort.figure for cohort in made]
        self.practices += practices(made, self.features, uses)
        self.rows += [row_of(member, standings) for member in members]
        self.members += members


async def _store(database: Database, scope: Scope, made: _Made) -> AsyncIterator[None]:
    """Nothing where the sums that it was made from are no longer those in force: the next run is of the new ones."""
    benchmarks, as_of = made.benchmarks, made.ground.as_of
    digest = await asyncio.to_thread(digest_of, benchmarks, made.rows, made.uses, made.inputs)
    async with database.transaction(scope) as tx:
        standing = await ground_of(tx)
        if standing is None or standing.run != made.ground.run or await keep_same(tx, digest, as_of):
            return
        run = await begin(tx, as_of)
    for start in range(0, max(len(made.rows), len(made.uses), len(made.inputs)), BATCH):
        async with database.transaction(scope) as tx:
            await put(tx, run, made.rows[start : start + BATCH])
            await put_uses(tx, run, made.uses[start : start + BATCH])
            await put_inputs(tx, run, made.inputs[start : start + BATCH])
        yield
    async with database.transaction(scope) as tx:
        await show(tx, run, benchmarks, digest)
