"""Marks: days whose value must be recomputed. Appended only: the worker deletes first and reads after."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from typing import Any, Final

import asyncpg
import msgspec

from valueplatform.accounts.imports import Mark
from valueplatform.core.database import Transaction
from valueplatform.core.periods import ONE_DAY

_MARK: Final = """
    INSERT INTO changed_day (account_id, day, through, cause)
    SELECT account_id, first, last, $2
    FROM json_to_recordset($1::json) AS touched (account_id bigint, first date, last date)
    ORDER BY account_id, first
"""


EVENT_CAUSES: Final = ("events", "retraction", "zone")
"""Of marks whose days have other events than before; all other causes leave events as they are."""

_ENCODER: Final = msgspec.json.Encoder()


class Stretch(msgspec.Struct, frozen=True, order=True, gc=False):
    """Days of an account from `first` to `last`, both included: local ones, where nothing else is said."""

    account_id: int
    first: date
    last: date

    def around(self) -> "Stretch":
        """With a day more at each end: what is on one of these days in UTC is on one of those in any zone, and the
        other way round."""
        first, last = max(self.first, date.min + ONE_DAY), min(self.last, date.max - ONE_DAY)
        return Stretch(self.account_id, first - ONE_DAY, last + ONE_DAY)


async def mark_days(connection: "asyncpg.Connection[Any]", stretches: Iterable[Stretch], cause: str) -> None:
    """Mark days as changed, in the caller's transaction."""
    rows = list(stretches)
    if rows:
        await connection.execute(_MARK, _ENCODER.encode(rows).decode(), cause)


async def append_marks(tx: Transaction, marks: Iterable[Mark]) -> None:
    """Mark the days that a change to contracts, milestones or plans has changed."""
    by_cause: defaultdict[str, list[Stretch]] = defaultdict(list)
    for mark in marks:
        by_cause[mark.cause].append(Stretch(mark.account_id, mark.period.start, mark.period.end - ONE_DAY))
    driver = await tx.driver()
    for cause, stretches in sorted(by_cause.items()):
        await mark_days(driver, stretches, cause)
