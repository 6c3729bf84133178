"""Accounts with a value on every day, one of which took up what it was suggested."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import msgspec
from sqlalchemy import text

from tests.accounts.factories import an_account
from tests.conftest import Databases
from tests.narrative.next_best_records import put_days, put_events, put_model
from tests.narrative.next_best_worlds import feature, model_of
from valueplatform.core.authorization import operator_scope
from valueplatform.narrative.grade_run import grade_due
from valueplatform.narrative.grades import Grade, grades_of
from valueplatform.narrative.next_best import Cost, Ground, Pricing, Suggestion, suggestion_id
from valueplatform.narrative.next_best_data import read_panel

START = date(2025, 9, 10)
"""The first use of what was suggested."""
NOW = datetime(2025, 12, 20, 12, tzinfo=UTC)
STEP = feature("a", event_types=("a",))

_SUGGESTION = text("""
    INSERT INTO suggestion (account_id, suggestion_id, feature, rank, unit, state, body, suggested_at, decided_at,
                            decided_by)
    VALUES (:account, :id, 'a', 1, :unit, :state, CAST(:body AS jsonb), :suggested, :decided, 'ana@harbor.example')
""")


def a_suggestion(key: str = "harbor", **given: Any) -> Suggestion:
    plain = Suggestion(
        id=suggestion_id(key, "a"),
        feature="a",
        title="Automatic dispatch",
        product=None,
        rank=1,
        unit="USD",
        low=Decimal("500.0000"),
        expected=Decimal("1000.0000"),
        high=Decimal("2000.0000"),
        net=True,
        costs=(Cost("price", Decimal(240), "USD"),),
        pricing=Pricing.COSTS_EXTRA,
        ground=Ground.EFFECT,
        numbers=(),
        segment=None,
        chance=Decimal("0.3"),
        used_until=None,
    )
    return msgspec.structs.replace(plain, **given)


async def put_account(
    databases: Databases, key: str, before: str = "10", after: str = "10", *, days: int = 100, unit: str = "USD"
) -> int:
    """`before` a day in the hundred days before START, `after` a day in as many from it on."""
    made = await an_account(databases, key, timezone="UTC", currency=unit, segment="north")
    values = {START + timedelta(days=at): before if at < 0 else after for at in range(-days, 100)}
    await put_days(databases, made.account_id, values, unit=unit)
    return made.account_id


async def put_suggestion(databases: Databases, account: int, key: str, state: str = "accepted", **given: Any) -> None:
    suggested = datetime.combine(START - timedelta(days=20), time(9), UTC)
    body = msgspec.json.encode(a_suggestion(key, **given)).decode()
    row = {"account": account, "id": suggestion_id(key, "a"), "unit": "USD", "state": state, "body": body}
    async with databases.worker.transaction(operator_scope()) as tx:
        await tx.execute(_SUGGESTION, {**row, "suggested": suggested, "decided": suggested + timedelta(days=5)})


async def put_supplier(databases: Databases, *, after: str = "12", others: int = 6, use: bool = True) -> int:
    """A customer that took the step, and `others` that went on as before."""
    await put_model(databases, model_of((STEP,)))
    account = await put_account(databases, "harbor", after=after)
    for number in range(others):
        await put_account(databases, f"other-{number}")
    await put_suggestion(databases, account, "harbor")
    if use:
        await put_events(databases, account, "a", START)
        await put_events(databases, account, "a", START + timedelta(days=40))
    return account


async def graded(databases: Databases, now: datetime = NOW) -> int:
    async with databases.worker.transaction(operator_scope()) as tx:
        panel = await read_panel(tx, (STEP,), now)
    return await grade_due(databases.worker, operator_scope(), model_of((STEP,)), panel.usage, now)


async def kept(databases: Databases, account: int) -> Sequence[Grade]:
    async with databases.worker.transaction(operator_scope()) as tx:
        return await grades_of(tx, account)
