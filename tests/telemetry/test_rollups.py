from datetime import UTC, date, datetime
from uuid import uuid4

from tests.conftest import Databases
from tests.telemetry.factories import METERS, rows
from valueplatform.core.authorization import operator_scope
from valueplatform.telemetry.homes import Home
from valueplatform.telemetry.increments import Increments
from valueplatform.telemetry.meter_book import readings_by_type
from valueplatform.telemetry.rollups import lower_rollups, raise_rollups

READINGS = readings_by_type(METERS)
DAY = date(2026, 1, 5)
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


def increments(*data: object, sign: int = 1) -> Increments:
    made = Increments()
    made.add_all([(1, DAY, "supplier", item, READINGS["job.done"], NOON, uuid4()) for item in data], sign)
    return made


async def test_raised_twice_and_lowered_once_is_raised_once(databases: Databases) -> None:
    data = {"minutes": "x", "channel": "app"}
    async with databases.ingest.transaction(operator_scope()) as tx:
        connection = await tx.driver()
        for _ in range(2):
            await raise_rollups(connection, increments(data))
        await lower_rollups(tx, increments(data, sign=-1), READINGS, {1: Home(1, "UTC")})
    for table in ("rollup", "rollup_unmetered"):
        assert {row["events"] for row in await rows(databases, f"SELECT events FROM {table}")} == {1}
    async with databases.ingest.transaction(operator_scope()) as tx:
        await lower_rollups(tx, increments(data, sign=-1), READINGS, {1: Home(1, "UTC")})
    for table in ("rollup", "rollup_unmetered"):
        assert await rows(databases, f"SELECT events FROM {table}") == []
