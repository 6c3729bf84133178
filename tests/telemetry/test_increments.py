from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st

from tests.telemetry.factories import METERS
from valueplatform.telemetry.increments import Increments
from valueplatform.telemetry.meter_book import readings_by_type

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


def test_members_come_together_by_rollup_row() -> None:
    made = increments({"user": "kim"}, {"user": "kim"}, {"user": 7}, {"user": "lee", "team": "a"}, {"user": [1]})
    assert made.members == {
        (1, "users", DAY, "supplier", (None,)): {"kim", "7"},
        (1, "users", DAY, "supplier", ("a",)): {"lee"},
    }
    assert made.unmetered[1, "users", DAY, "supplier", "not_a_scalar"] == 1
