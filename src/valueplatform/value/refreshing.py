"""From marks to amounts: what an account's changed days are worth now (the value part of flow 2)."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select

from valueplatform.accounts.tables import account
from valueplatform.core.database import Transaction, lock_account, lock_model_shared
from valueplatform.core.errors import NotFoundError
from valueplatform.core.periods import ONE_DAY, month_of
from valueplatform.value.accrual_store import Change, days_of, merge_marks, recompute, take_changes
from valueplatform.value.accruals import Record, in_whole_months
from valueplatform.value.assumption_record import entries_of
from valueplatform.value.model import ValueModel
from valueplatform.value.models import newest_model
from valueplatform.value.postings import adjust, closed_months, raise_revision


async def read_record(tx: Transaction, account_id: int) -> tuple[Record, str]:
    """What the account's amounts depend on beside its meters, and its zone."""
    row = await tx.row(select(account.c.timezone, account.c.segment).where(account.c.account_id == account_id))
    if row is None:
        raise NotFoundError(f"There is no account {account_id}.")
    return Record(await newest_model(tx), row.segment, await entries_of(tx, account_id)), row.timezone


def _reaching(model: ValueModel, changes: Sequence[Change]) -> Sequence[Change]:
    """The changes with all days whose amounts follow from theirs: of a capped pool, the rest of the month."""
    if not any(pool.cap for pool in model.pools):
        return changes
    reach = ((in_whole_months(model, days_of(mark)), mark.cause) for change in changes for mark in change.marks)
    return merge_marks((days.start, days.end - ONE_DAY, cause) for days, cause in reach)


async def refresh_value(tx: Transaction, account_id: int, now: datetime) -> Sequence[Change]:
    """Work off the account's marks: compute its changed days again, and adjust the closed months among them.

    No model is applied meanwhile, so that amounts never mix the rollups of one with the formulas of another.
    The changes that were worked off; empty where there was nothing to do.
    """
    await lock_model_shared(tx)
    await lock_account(tx, account_id)
    changes = await take_changes(tx, account_id)
    if not changes:
        return changes
    record, timezone = await read_record(tx, account_id)
    reached = _reaching(record.model, changes)
    for change in reached:
        await recompute(tx, account_id, record, change.period)
    closed = await closed_months(tx, account_id)
    touched = [c for c in reached if any(c.period.intersect(month_of(month)) for month in closed)]
    if touched:
        await adjust(tx, account_id, timezone, touched, now)
    else:
        await raise_revision(tx, account_id)
    return reached
