from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import Databases
from tests.telemetry.factories import JOBS, METERS, MINUTES, USERS, apply_meters
from valueplatform.core.authorization import operator_scope
from valueplatform.telemetry.meter_book import NO_MODEL, book_in_force, readings_by_type
from valueplatform.telemetry.meters import PICKED, Aggregation, Meter, dimension_values, metered_value
from valueplatform.telemetry.payload import decode


async def test_the_book_is_of_the_newest_model_and_kept_while_it_is(databases: Databases) -> None:
    async with databases.ingest.transaction(operator_scope()) as tx:
        assert await book_in_force(await tx.driver(), NO_MODEL) is NO_MODEL
    await apply_meters(databases, METERS, "Asia/Tokyo", "JPY")
    async with databases.ingest.transaction(operator_scope()) as tx:
        first = await book_in_force(await tx.driver(), NO_MODEL)
        assert (first.revision, first.timezone, first.currency, first.meters) == (1, "Asia/Tokyo", "JPY", METERS)
        assert await book_in_force(await tx.driver(), first) is first
    await apply_meters(databases, [JOBS])
    async with databases.ingest.transaction(operator_scope()) as tx:
        assert (await book_in_force(await tx.driver(), first)).meters == (JOBS,)


def test_meters_are_found_by_the_types_that_they_read() -> None:
    found = readings_by_type([JOBS, MINUTES, USERS])
    assert [reading.slug for reading in found["job.done"]] == ["jobs", "minutes", "users"]
    assert [reading.slug for reading in found["login"]] == ["users"]


def test_a_meter_that_names_a_type_twice_reads_it_once() -> None:
    meter = Meter(slug="m", event_types=("a", "a"), aggregation=Aggregation.COUNT)
    assert len(readings_by_type([meter])["a"]) == 1


@pytest.mark.parametrize("aggregation", Aggregation)
def test_every_aggregation_is_read_and_those_that_show_one_event_rank_it(aggregation: Aggregation) -> None:
    meter = Meter(slug="m", event_types=("a",), aggregation=aggregation, property="x")
    (reading,) = readings_by_type([meter])["a"]
    assert (reading.value is None) is (aggregation is Aggregation.COUNT)
    assert (reading.rank is not None) is (aggregation in PICKED)


numbers = (
    st.integers(-(10**19), 10**19).map(str)
    | st.decimals(-(10**19), 10**19, places=9).map(str)
    | st.decimals(-1, 1, places=12).map(lambda number: f"{number:f}")
    | st.sampled_from(["1e17", "1e18", "-1e18", "1e-9", "1e-10", '"1.50"', '"x"', "null", "true", "[1]", "{}"])
)


@given(numbers)
def test_the_short_way_of_reading_a_number_gives_what_the_long_way_gives(written: str) -> None:
    (reading,) = readings_by_type([MINUTES])["job.done"]
    data = {"minutes": decode(written)}
    assert reading.value is not None
    short, long = reading.value(data), metered_value(MINUTES, data)
    assert (Decimal(short) if isinstance(short, int) else short) == long


@given(st.text() | st.text(min_size=190, max_size=210) | st.integers() | st.booleans() | st.none() | st.just([1]))
def test_the_short_way_of_reading_a_dimension_gives_what_the_long_way_gives(value: object) -> None:
    (reading,) = readings_by_type([JOBS])["job.done"]
    assert reading.dimensions is not None
    data = {"team": value}
    assert reading.dimensions(data) == dimension_values(JOBS, data)


@pytest.mark.parametrize("data", [{"minutes": 0.5}, {"minutes": float("nan")}])
def test_binary_floats_are_refused(data: dict[str, object]) -> None:
    (reading,) = readings_by_type([MINUTES])["job.done"]
    assert reading.value is not None
    assert reading.value(data) == metered_value(MINUTES, data)
