"""The record that next best value reads, written straight into the tables."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import msgspec
import polars as pl
from sqlalchemy import text

from tests.accounts.factories import an_account
from tests.conftest import Databases
from tests.narrative.next_best_worlds import TODAY, World, model_of
from valueplatform.core.authorization import operator_scope
from valueplatform.value.applying import apply_model
from valueplatform.value.model import ValueModel

NOW = datetime.combine(TODAY, time(12), UTC)

_EVENT = text("""
    INSERT INTO event (account_id, event_key, source, id, type, time, utc_day, provider, data, received_at)
    SELECT :account, gen_random_uuid(), 'test', gen_random_uuid()::text, :type, :time, :utc_day, 'supplier',
           CAST(:data AS jsonb), :time
    FROM generate_series(1, :count)
""")
_BASIS = text("""
    INSERT INTO basis (account_id, basis_id, driver, driver_version, formula, unit, benefit_class, evidence, state,
                       counted, inputs)
    VALUES (:account, :basis, :driver, 1, 'jobs', :unit, :class, 'measured', 'measured', true, '{}')
    ON CONFLICT DO NOTHING
""")
_ACCRUAL = text("""
    INSERT INTO accrual (account_id, driver, provider, day, basis_id, low, expected, high, reason)
    VALUES (:account, :driver, 'supplier', :day, :basis, :value, :value, :value, :reason)
""")


async def put_model(databases: Databases, model: ValueModel) -> None:
    async with databases.worker.transaction(operator_scope()) as tx:
        await apply_model(tx, model)


async def put_events(
    databases: Databases, account: int, kind: str, day: date, *data: Mapping[str, Any] | None, count: int = 1
) -> None:
    """`count` events for each body, at noon of the account's local day."""
    async with databases.ingest.transaction(operator_scope()) as tx:
        for body in data or (None,):
            encoded = None if body is None else msgspec.json.encode(body).decode()
            given = {"account": account, "type": kind, "time": datetime.combine(day, time(12), UTC), "utc_day": day}
            await tx.execute(_EVENT, {**given, "data": encoded, "count": count})


async def put_value(
    databases: Databases,
    account: int,
    day: date,
    value: str | None,
    *,
    driver: str = "time",
    unit: str = "USD",
    benefit_class: str = "cashable",
) -> None:
    basis = uuid.uuid5(uuid.NAMESPACE_OID, f"{driver} {unit} {benefit_class}")
    given = {"account": account, "basis": basis, "driver": driver}
    amount = None if value is None else Decimal(value)
    reason = "no-input" if value is None else None
    async with databases.worker.transaction(operator_scope()) as tx:
        await tx.execute(_BASIS, {**given, "unit": unit, "class": benefit_class})
        await tx.execute(_ACCRUAL, {**given, "day": day, "value": amount, "reason": reason})


async def put_world(databases: Databases, world: World, *, currency: str = "USD") -> Sequence[int]:
    """Accounts `account-1`, … of a simulated world with their events, value and model; their ids in that order."""
    await put_model(databases, model_of(world.features))
    ids = {}
    for number, segment in world.panel.accounts.select("account_id", "segment").iter_rows():
        made = await an_account(databases, f"account-{number}", timezone="UTC", currency=currency, segment=segment)
        ids[number] = made.account_id
    async with databases.ingest.transaction(operator_scope()) as tx:
        noon = time(12, tzinfo=UTC)
        await tx.execute(
            _EVENT,
            [
                {
                    "account": ids[number],
                    "type": feature,
                    "time": datetime.combine(last_day, noon),
                    "utc_day": last_day,
                    "data": None,
                    "count": 1,
                }
                for number, feature, last_day in world.panel.usage.select(
                    "account_id", "feature", "last_day"
                ).iter_rows()
            ],
        )
    await _put_values(databases, world.panel.values, ids, currency)
    return list(ids.values())


async def _put_values(databases: Databases, values: pl.DataFrame, ids: Mapping[int, int], currency: str) -> None:
    basis = uuid.uuid5(uuid.NAMESPACE_OID, currency)
    rows = [
        {
            "account": ids[number],
            "driver": "time",
            "day": month,
            "basis": basis,
            "value": value,
            "reason": None,
        }
        for number, month, value in values.iter_rows()
    ]
    async with databases.worker.transaction(operator_scope()) as tx:
        bases = [
            {"account": account, "basis": basis, "driver": "time", "unit": currency, "class": "cashable"}
            for account in ids.values()
        ]
        await tx.execute(_BASIS, bases)
        await tx.execute(_ACCRUAL, rows)


async def put_days(
    databases: Databases, account: int, values: Mapping[date, str], *, unit: str = "USD", driver: str = "time"
) -> None:
    """Value of many days at once."""
    basis = uuid.uuid5(uuid.NAMESPACE_OID, f"{driver} {unit} cashable")
    given = {"account": account, "basis": basis, "driver": driver}
    rows = [{**given, "day": day, "value": Decimal(value), "reason": None} for day, value in values.items()]
    async with databases.worker.transaction(operator_scope()) as tx:
        await tx.execute(_BASIS, {**given, "unit": unit, "class": "cashable"})
        await tx.execute(_ACCRUAL, rows)
