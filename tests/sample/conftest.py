"""One sample of the default size for all tests of this room; it never changes."""

from datetime import date
from typing import cast

import pytest

from tests.sample.recount import Realized, realized
from valueplatform.sample import SampleSupplier, generate
from valueplatform.sample.events import Arrival, Event, arrivals

TODAY = date(2026, 11, 22)


@pytest.fixture(scope="session")
def sample() -> SampleSupplier:
    return generate(today=TODAY)


@pytest.fixture(scope="session")
def deliveries(sample: SampleSupplier) -> list[Arrival]:
    return list(arrivals(sample.cast, sample.seed, sample.until))


@pytest.fixture(scope="session")
def events(deliveries: list[Arrival]) -> list[Event]:
    return [arrival.event for arrival in deliveries]


@pytest.fixture(scope="session")
def value(sample: SampleSupplier, events: list[Event]) -> Realized:
    return realized(sample, events)


def data_of(event: Event) -> dict[str, object]:
    return cast("dict[str, object]", event["data"])
