"""Rows that tests of the core need, written by hand: the core knows no rooms above it."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import text

from tests.conftest import Databases
from valueplatform.core.authorization import operator_scope


async def account(databases: Databases, key: str) -> int:
    """A bare account; its id."""
    async with databases.worker.transaction(operator_scope()) as tx:
        inserted = await tx.row(
            text("INSERT INTO account (key, name, timezone) VALUES (:key, :key, 'Europe/Berlin') RETURNING account_id"),
            {"key": key},
        )
    assert inserted is not None
    return int(inserted.account_id)


class SetClock:
    """A clock that stands still until it is told otherwise."""

    def __init__(self, now: datetime = datetime(2026, 3, 2, 9, tzinfo=UTC)) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, by: timedelta) -> None:
        self.now += by
