"""Applying a value model: a new revision, rollups of changed meters rebuilt, every account marked, all at once."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import text

from valueplatform.core.database import Transaction, lock_model_exclusive
from valueplatform.core.errors import ConflictError
from valueplatform.telemetry.rebuilding import clear_rollups, rebuild_rollups
from valueplatform.value.model import BY_EVENT, SUPPLIER, ValueModel
from valueplatform.value.model_versions import Change, diff, revise
from valueplatform.value.models import store_model, stored_model

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
    """Put `model` in force (worker role). Applying the same model again changes nothing.

    Ingest waits for the end of the transaction and goes on under the new meters, so that no event is metered by
    half of each. Raises ConflictError where a driver would go that plans still commit to.
    """
    await lock_model_exclusive(tx)
    previous = await stored_model(tx)
    revised = revise(previous, model)
    changes = diff(previous, revised)
    if previous is not None and not changes:
        return Applied(await _revision(tx), ())
    await _keep_commitments(tx, previous, revised)
    revision = await store_model(tx, revised)
    await _rebuild_meters(tx, previous, revised)
    for slug in sorted({driver.provider for driver in revised.drivers} - {BY_EVENT}):
        name = revised.supplier.name if slug == SUPPLIER else slug
        await tx.execute(_PROVIDER, {"slug": slug, "name": name})
    await tx.execute(_MARK_ALL, {"cause": f"model:{revision}"})
    return Applied(revision, changes)


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


async def _rebuild_meters(tx: Transaction, previous: ValueModel | None, revised: ValueModel) -> None:
    """Rollups of meters that are new or say something else, from raw events; those of lost meters go."""
    before = {meter.slug: meter for meter in previous.meters} if previous else {}
    now = {meter.slug: meter for meter in revised.meters}
    lost = sorted(before.keys() - now.keys())
    if lost:
        await clear_rollups(tx, lost)
    changed = [meter for slug, meter in now.items() if slug not in before or before[slug].version != meter.version]
    if changed:
        await rebuild_rollups(tx, changed)


async def _revision(tx: Transaction) -> int:
    return int(await tx.scalar(text("SELECT max(revision) FROM model_revision")) or 0)
