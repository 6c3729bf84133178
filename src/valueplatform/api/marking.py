"""Marks of what a write has changed, for the worker."""

from collections import defaultdict
from collections.abc import Sequence

from valueplatform.accounts.imports import Mark
from valueplatform.core.database import Transaction
from valueplatform.core.periods import ONE_DAY
from valueplatform.telemetry.marks import Stretch, mark_days


async def append_marks(tx: Transaction, marks: Sequence[Mark]) -> None:
    by_cause: defaultdict[str, list[Stretch]] = defaultdict(list)
    for mark in marks:
        by_cause[mark.cause].append(Stretch(mark.account_id, mark.period.start, mark.period.end - ONE_DAY))
    driver = await tx.driver()
    for cause, stretches in sorted(by_cause.items()):
        await mark_days(driver, stretches, cause)
