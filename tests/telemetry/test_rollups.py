from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import Databases
from tests.telemetry.factories import METERS, rows
from valueplatform.core.authorization import operator_scope
from valueplatform.telemetry.meter_book import readings_by_type
from valueplatform.telemetry.rollups import Increments, lower_rollups, raise_rollups

READINGS = readings_by_type(METERS)
DAY = date(2026, 1, 5)
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


def increments(*data: object, sign: int = 1) -> Increments:
    made = Increments()
    made.add_all([(1, DAY, "supplier", item, READINGS["job.done"], NOON, uuid4()) for item in data], sign)
    return made


def test_events_add_up_by_account_meter_day_provider_and_dimensions() -> None:
    made = increments({"minutes": 1, "team": "a", "channel": "app"}, {"minutes": "0.5"}, {"minutes": "x"}, [1], None)
    assert made.rollups == {
        (1, "jobs", DAY, "supplier", ("a",)): [1, 1, 0],
        (1, "minutes", DAY, "supplier", ()): [5, Decimal("1.5"), 3],
        (1, "users", DAY, "supplier", ("a",)): [1, 0, 1],
        (1, "users", DAY, "supplier", (None,)): [4, 0, 4],
    }
    assert made.unmetered[1, "minutes", DAY, "supplier", "missing_property"] == 2
    assert made.unmetered[1, "minutes", DAY, "supplier", "not_a_number"] == 1


@given(st.lists(st.decimals(-(10**18) + 1, 10**18 - 1, places=9), max_size=30))
def test_sums_are_exact_and_taking_away_leaves_nothing(numbers: list[Decimal]) -> None:
    data = [{"minutes": number} for number in numbers]
    made = increments(*data)
    if numbers:
        total = made.rollups[1, "minutes", DAY, "supplier", ()][1]
        assert Fraction(total) == sum(map(Fraction, numbers))
    made.add_all([(1, DAY, "supplier", item, READINGS["job.done"], NOON, uuid4()) for item in data], -1)
    assert all(cell == [0, 0, 0] for cell in made.rollups.values())


async def test_raised_twice_and_lowered_once_is_raised_once(databases: Databases) -> None:
    data = {"minutes": "x", "user": "kim", "channel": "app"}
    async with databases.ingest.transaction(operator_scope()) as tx:
        connection = await tx.driver()
        for _ in range(2):
            await raise_rollups(connection, increments(data))
        await lower_rollups(tx, increments(data, sign=-1), READINGS)
    for table in ("rollup", "rollup_member", "rollup_unmetered"):
        assert {row["events"] for row in await rows(databases, f"SELECT events FROM {table}")} == {1}
    async with databases.ingest.transaction(operator_scope()) as tx:
        await lower_rollups(tx, increments(data, sign=-1), READINGS)
    for table in ("rollup", "rollup_member", "rollup_unmetered"):
        assert await rows(databases, f"SELECT events FROM {table}") == []
