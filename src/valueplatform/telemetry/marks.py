"""Marks: days whose value must be recomputed. Appended only: the worker deletes first and reads after."""

from collections.abc import Iterable
from datetime import date
from typing import Any, Final

import asyncpg
import msgspec

_MARK: Final = """
    INSERT INTO changed_day (account_id, day, through, cause)
    SELECT account_id, day, through, $4
    FROM unnest($1::bigint[], $2::date[], $3::date[]) AS touched (account_id, day, through)
"""


class Stretch(msgspec.Struct, frozen=True, order=True, gc=False):
    """The local days of an account from `first` to `last`, both included."""

    account_id: int
    first: date
    last: date


async def mark_days(connection: "asyncpg.Connection[Any]", stretches: Iterable[Stretch], cause: str) -> None:
    """Mark days as changed, in the caller's transaction."""
    rows = [(stretch.account_id, stretch.first, stretch.last) for stretch in sorted(stretches)]
    if rows:
        await connection.execute(_MARK, *zip(*rows, strict=True), cause)
