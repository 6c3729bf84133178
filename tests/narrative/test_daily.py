"""By the column the days are what they are row by row."""

from datetime import date

import polars as pl

from tests.conftest import Databases
from tests.narrative.histories import build
from tests.value.factories import a_model, new_account, put_model
from valueplatform.core.periods import Period
from valueplatform.core.scope import grant_all
from valueplatform.narrative.daily import metered_days, shown_days
from valueplatform.narrative.facts import DAILY_SCHEMA, METER_SCHEMA
from valueplatform.telemetry.meters import ADDITIVE
from valueplatform.value.meter_days import ALL_PROVIDERS, meter_days
from valueplatform.value.shown import shown_values

BEGIN = date(1, 1, 1)


async def test_shown_days_are_the_shown_values_before_a_day(databases: Databases) -> None:
    account_id = await build(databases)
    for end in (date(2026, 6, 16), date(2026, 4, 15), BEGIN):
        async with databases.worker.transaction(grant_all()) as tx:
            frame = await shown_days(tx, account_id, end)
            values = await shown_values(tx, account_id, Period(BEGIN, end))
        assert frame.schema == DAILY_SCHEMA
        stated = sorted(tuple(str(getattr(value, name)) for name in DAILY_SCHEMA) for value in values)
        keys = [name for name in DAILY_SCHEMA if name not in {"low", "expected", "high"}]
        summed = frame.group_by(keys).agg(pl.col("low", "expected", "high").sum()).select(list(DAILY_SCHEMA))
        assert sorted(tuple(map(str, row)) for row in summed.iter_rows()) == stated
        assert frame["day"].is_sorted()


async def test_metered_days_are_those_of_all_providers_together(databases: Databases) -> None:
    account_id = await build(databases)
    adding = [meter for meter in a_model().meters if meter.aggregation in ADDITIVE]
    async with databases.worker.transaction(grant_all()) as tx:
        frame = await metered_days(tx, account_id, adding, date(2026, 6, 16))
        days = await meter_days(tx, account_id, adding, Period(BEGIN, date(2026, 6, 16)))
    assert frame.schema == METER_SCHEMA
    expected = {(day.meter, day.day, day.value) for day in days if day.provider == ALL_PROVIDERS}
    assert set(frame.iter_rows()) == expected
    assert frame.height == len(expected) > 100


async def test_an_account_without_history_has_no_days(databases: Databases) -> None:
    await put_model(databases)
    account_id = await new_account(databases)
    async with databases.worker.transaction(grant_all()) as tx:
        assert (await shown_days(tx, account_id, date(2026, 6, 16))).equals(pl.DataFrame(schema=DAILY_SCHEMA))
        assert (await metered_days(tx, account_id, [], date(2026, 6, 16))).equals(pl.DataFrame(schema=METER_SCHEMA))
