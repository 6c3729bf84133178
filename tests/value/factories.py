"""Accounts, models and events, written straight into the tables: tests of value need no wire."""

import uuid
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any

import msgspec
from sqlalchemy import text

from tests.conftest import Databases
from valueplatform.core.authorization import Side
from valueplatform.core.database import Transaction
from valueplatform.core.periods import local_day
from valueplatform.core.scope import grant_all
from valueplatform.telemetry.rebuilding import rebuild_rollups
from valueplatform.value.applying import apply_model
from valueplatform.value.assumption_record import Author
from valueplatform.value.model import ValueModel
from valueplatform.value.model_file import read_model
from valueplatform.value.models import newest_model

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
TODAY = date(2026, 6, 15)
SUPPLIER = Author("steward@fieldnote.example", Side.SUPPLIER)
CUSTOMER = Author("daniel@harbor.example", Side.CUSTOMER)
VALIDATOR = Author("priya@harbor.example", Side.CUSTOMER, validates=True)

MODEL = """
supplier = { name = "Fieldnote", currency = "USD", timezone = "America/New_York" }

[[meter]]
slug = "jobs"
event = "job.dispatched"
aggregation = "COUNT"

[[meter]]
slug = "minutes"
event = "job.dispatched"
aggregation = "SUM"
property = "minutes"
filter = "channel = 'app' or channel is null"

[[meter]]
slug = "crews"
event = ["job.dispatched", "crew.checked_in"]
aggregation = "UNIQUE_COUNT"
property = "crew"

[[baseline]]
slug = "manual_minutes"
unit = "minute/job"
method = "measured-before"
default = { low = "11", expected = "14", high = "16" }

[[assumption]]
slug = "hourly_cost"
unit = "USD/hour"
default = { low = "38", expected = "45", high = "52" }

[[driver]]
slug = "dispatch_time"
title = "Dispatch time saved"
benefit_class = "capacity"
evidence = "measured"
pool = "hours"
unit = "USD"
formula = "(jobs * manual_minutes - minutes) / 60 * hourly_cost"

[[driver]]
slug = "crews_reached"
title = "Crews reached"
benefit_class = "strategic"
evidence = "measured"
pool = "hours"
unit = "crews"
formula = "crews"
provider = "event"
"""

_ENCODER = msgspec.json.Encoder(decimal_format="number")
_EVENT = text("""
    INSERT INTO event (account_id, event_key, source, id, type, time, utc_day, subject, provider, data, received_at)
    VALUES (:account, :key, 'test', :id, :type, :time, :utc_day, NULL, :provider, CAST(:data AS jsonb), :time)
""")


def a_model(text_: str = MODEL) -> ValueModel:
    return read_model(text_, "model.toml")


async def new_account(
    databases: Databases, key: str = "harbor", *, timezone: str = "America/New_York", currency: str = "USD"
) -> int:
    async with databases.worker.transaction(grant_all()) as tx:
        query = text("INSERT INTO account (key, name, timezone) VALUES (:key, :key, :timezone) RETURNING account_id")
        account_id = int(await tx.scalar(query, {"key": key, "timezone": timezone}))
        insert = text("INSERT INTO account_currency VALUES (:account, DATE '0001-01-01', :currency)")
        await tx.execute(insert, {"account": account_id, "currency": currency})
    return account_id


async def put_model(databases: Databases, model: ValueModel | None = None) -> int:
    async with databases.worker.transaction(grant_all()) as tx:
        return (await apply_model(tx, model or a_model())).revision


async def put_events(
    databases: Databases,
    account_id: int,
    events: Iterable[tuple[datetime, Mapping[str, Any]]],
    *,
    kind: str = "job.dispatched",
    timezone: str = "America/New_York",
    provider: str = "supplier",
) -> None:
    """Store events, rebuild the rollups, and mark their days."""
    async with databases.ingest.transaction(grant_all()) as tx:
        for time, data in events:
            key = uuid.uuid4()
            values = {"key": key, "id": str(key), "type": kind, "time": time, "utc_day": time.astimezone(UTC).date()}
            encoded = _ENCODER.encode(data).decode()
            await tx.execute(_EVENT, {**values, "account": account_id, "provider": provider, "data": encoded})
            await mark(tx, account_id, local_day(time, timezone), "events")
    await rebuild(databases)


async def rebuild(databases: Databases) -> None:
    async with databases.worker.transaction(grant_all()) as tx:
        await rebuild_rollups(tx, (await newest_model(tx)).meters)


async def mark(tx: Transaction, account_id: int, day: Any, cause: str) -> None:
    query = text("INSERT INTO changed_day (account_id, day, through, cause) VALUES (:account, :day, :day, :cause)")
    await tx.execute(query, {"account": account_id, "day": day, "cause": cause})
