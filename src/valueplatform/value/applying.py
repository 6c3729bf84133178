"""Applying a value model: a new revision, its meters counted over all history, every account marked, all at once."""

from collections.abc import Iterable, Sequence

import msgspec
from sqlalchemy import text

from valueplatform.core.database import Database, Transaction, lock_model_exclusive
from valueplatform.core.errors import ConflictError, NotFoundError
from valueplatform.core.scope import Scope
from valueplatform.telemetry.backfilling import counting, settle
from valueplatform.telemetry.history import MeanwhileError, Told, drop_rollups
from valueplatform.telemetry.meters import Meter
from valueplatform.telemetry.rebuilding import clear_rollups, rebuild_rollups
from valueplatform.value.formula import Formula
from valueplatform.value.model import BY_EVENT, SUPPLIER, ValueModel
from valueplatform.value.model_versions import Change, diff, revise
from valueplatform.value.models import newest_model, store_model, stored_model

_MARK_ALL = text("""
    INSERT INTO changed_day (account_id, day, through, cause)
    SELECT account_id, DATE '0001-01-01', DATE '9999-12-31', :cause FROM account WHERE account_id > 0
""")
_COMMITTED = text("""
    SELECT driver, count(*) AS accounts, min(key) AS key FROM (
        SELECT DISTINCT newest.driver, a.key
        FROM (
            SELECT DISTINCT ON (account_id, plan_id, objective_id, driver, month) account_id, driver, expected
            FROM plan_target WHERE driver = ANY(:drivers)
            ORDER BY account_id, plan_id, objective_id, driver, month, version DESC
        ) newest JOIN account a USING (account_id)
        WHERE newest.expected IS NOT NULL
    ) committed GROUP BY driver ORDER BY driver LIMIT 1
""")
_PROVIDER = text("INSERT INTO provider (slug, name) VALUES (:slug, :name) ON CONFLICT DO NOTHING")


class Applied(msgspec.Struct, frozen=True):
    """`revision` is the one in force afterwards; `changes` are empty where the model said the same already."""

    revision: int
    changes: Sequence[Change]


async def apply_model(tx: Transaction, model: ValueModel) -> Applied:
    """Put `model` in force in one transaction (worker role). Applying the same model again changes nothing.

    Ingest waits for the end of it and goes on under the new meters, so that no event is metered by half of each; where
    there is much history, `apply_counted` lets it go on. Raises ConflictError where a driver would go that plans still
    commit to.
    """
    await lock_model_exclusive(tx)
    previous = await stored_model(tx)
    revised = revise(previous, model)
    changes = diff(previous, revised)
    if previous is not None and not changes:
        return Applied(await _revision(tx), ())
    revision = await _put_in_force(tx, previous, revised)
    lost = [meter.rollup_name() for meter in _lost_meters(previous, revised)]
    if lost:
        await clear_rollups(tx, lost)
    if changed := _changed_meters(previous, revised):
        await rebuild_rollups(tx, changed)
    return Applied(revision, changes)


async def apply_counted(
    database: Database, scope: Scope, model: ValueModel, told: Told, copier: Database | None = None
) -> Applied:
    """Put `model` in force while events come in: meters that are new or changed are counted over all history first.

    `told` hears of the events that are counted; `copier` is the same database in the ingest role, in which rollups are
    copied in. Raises ConflictError where a driver would go that plans still commit to, and where meters are being
    counted or another model is applied meanwhile; then nothing has changed.
    """
    async with database.transaction(scope) as tx:
        previous = await stored_model(tx)
        revised = revise(previous, model)
        if not _changed_meters(previous, revised):
            return await apply_model(tx, model)
        await _keep_commitments(tx, previous, revised)
        _keep_superseded(revised)
    async with (
        counting(database, scope, _changed_meters(previous, revised), told, copier) as counted,
        database.transaction(scope) as tx,
    ):
        await lock_model_exclusive(tx)
        if await stored_model(tx) != previous:
            raise MeanwhileError("Another model was applied meanwhile; look at it, then apply this one again.")
        await settle(tx, counted)
        revision = await _put_in_force(tx, previous, _with(revised, counted))
    replaced = _replaced(previous, counted) + _lost_meters(previous, revised)
    await drop_rollups(database, scope, [meter.rollup_name() for meter in replaced])
    return Applied(revision, diff(previous, revised))


async def count_anew(
    database: Database, scope: Scope, slug: str, told: Told, copier: Database | None = None
) -> Applied:
    """Count one meter of the model over all history again, while events come in, and put that in force.

    Raises NotFoundError for a meter that the model does not have, ConflictError as `apply_counted` does.
    """
    async with database.transaction(scope) as tx:
        model = await newest_model(tx)
    meters = [meter for meter in model.meters if meter.slug == slug]
    if not meters:
        known = ", ".join(meter.slug for meter in model.meters)
        raise NotFoundError(f"The model has no meter {slug!r}; it has {known}.")
    async with counting(database, scope, meters, told, copier) as counted, database.transaction(scope) as tx:
        await lock_model_exclusive(tx)
        if await stored_model(tx) != model:
            raise MeanwhileError("Another model was applied meanwhile; start the command again.")
        await settle(tx, counted)
        revision = await _put_in_force(tx, model, _with(model, counted))
    await drop_rollups(database, scope, [meter.rollup_name() for meter in meters])
    return Applied(revision, ())


async def _put_in_force(tx: Transaction, previous: ValueModel | None, revised: ValueModel) -> int:
    """A new revision, its providers, a mark for each account; the rollups of its meters are the caller's to see to."""
    await _keep_commitments(tx, previous, revised)
    _keep_superseded(revised)
    revision = await store_model(tx, revised)
    for slug in sorted({driver.provider for driver in revised.drivers} - {BY_EVENT}):
        name = revised.supplier.name if slug == SUPPLIER else slug
        await tx.execute(_PROVIDER, {"slug": slug, "name": name})
    await tx.execute(_MARK_ALL, {"cause": f"model:{revision}"})
    return revision


async def _keep_commitments(tx: Transaction, previous: ValueModel | None, revised: ValueModel) -> None:
    """A commitment never vanishes with its driver (value rule 15)."""
    before = {driver.slug for driver in previous.drivers} if previous else set()
    lost = sorted(before - {driver.slug for driver in revised.drivers})
    committed = await tx.row(_COMMITTED, {"drivers": lost}) if lost else None
    if committed is not None:
        others = f" and {committed.accounts - 1:,} more" if committed.accounts > 1 else ""
        raise ConflictError(
            f"Driver {committed.driver!r} cannot go: the plans of account {committed.key!r}{others} commit to it. "
            "Keep the driver, or take its targets out of these plans first."
        )


def _keep_superseded(revised: ValueModel) -> None:
    """What an earlier version of a driver reads stays as long as its days do."""
    rates = {rate.slug for rate in (*revised.baselines, *revised.assumptions)}
    known = rates | {meter.slug for meter in revised.meters}
    for driver in revised.superseded:
        if lost := sorted(Formula.parse(driver.formula).names - known):
            raise ConflictError(
                f"{lost[0]!r} cannot go: version {driver.version} of driver {driver.slug!r} reads it for the days "
                f"before {driver.effective_to}. Keep it, or take effective_from out of the driver, so that its present "
                "version speaks for all days."
            )


def _changed_meters(previous: ValueModel | None, revised: ValueModel) -> list[Meter]:
    """Meters that are new, or say something else."""
    before = {meter.slug: meter.version for meter in previous.meters} if previous else {}
    return [meter for meter in revised.meters if before.get(meter.slug) != meter.version]


def _lost_meters(previous: ValueModel | None, revised: ValueModel) -> list[Meter]:
    left = {meter.slug for meter in revised.meters}
    return [meter for meter in previous.meters if meter.slug not in left] if previous else []


def _replaced(previous: ValueModel | None, counted: Iterable[Meter]) -> list[Meter]:
    slugs = {meter.slug for meter in counted}
    return [meter for meter in previous.meters if meter.slug in slugs] if previous else []


def _with(model: ValueModel, counted: Iterable[Meter]) -> ValueModel:
    """The same model with the rollups that were counted."""
    own = {meter.slug: meter for meter in counted}
    return msgspec.structs.replace(model, meters=tuple(own.get(meter.slug, meter) for meter in model.meters))


async def _revision(tx: Transaction) -> int:
    return int(await tx.scalar(text("SELECT max(revision) FROM model_revision")) or 0)
