"""OpenTelemetry's own exporters against a running server, through what goes wrong on a network."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

import pytest
from opentelemetry._logs import LogRecord
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import Counter, Histogram, MeterProvider
from opentelemetry.sdk.metrics.export import AggregationTemporality, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource

from tests.clients.faults import Fault, Proxies, Proxy
from tests.clients.running_server import running_server
from tests.conftest import Databases
from tests.telemetry.factories import apply_meters, rows, scalar
from valueplatform.core.authorization import KeyKind, operator_scope
from valueplatform.core.keys import KeyGrant, create_key
from valueplatform.telemetry.meters import Aggregation, Meter

RESOURCE = Resource.create({"service.name": "shop", "account.id": "acme"})
SOMETIME_ELSE = 10**9  # milliseconds; exports happen when a test says so
ROUGH = (
    Fault.UNAVAILABLE,
    Fault.DROPPED_AFTER,
    Fault.LIMITED_FOR_WHO_KNOWS,
    Fault.DROPPED_BEFORE,
    Fault.LIMITED,
)
DELTA = {Counter: AggregationTemporality.DELTA, Histogram: AggregationTemporality.DELTA}
METERS = tuple(
    Meter(slug=name, event_types=(name,), aggregation=Aggregation.SUM, property="delta")
    for name in ("orders", "minutes", "seats", "checkout")
)


@dataclass(frozen=True)
class Stage:
    databases: Databases
    proxy: Proxy
    headers: Mapping[str, str]

    def at(self, signal: str) -> str:
        return f"{self.proxy.url}/ingest/otlp/v1/{signal}"


@pytest.fixture
async def stage(databases: Databases) -> AsyncIterator[Stage]:
    await apply_meters(databases, METERS)
    async with databases.worker.transaction(operator_scope()) as tx:
        made = await create_key(tx, KeyGrant(KeyKind.INGEST, "test"))
    headers = {"authorization": f"Bearer {made.key}"}
    with running_server(databases.url) as url, Proxies(url).running() as proxies:
        yield Stage(databases, proxies.start(), headers)


def use(provider: MeterProvider) -> Callable[[], None]:
    """A round of business: orders of two teams, minutes in binary fractions, seats that come and go, a histogram."""
    meter = provider.get_meter("shop", "1.0")
    orders, minutes = meter.create_counter("orders"), meter.create_counter("minutes", unit="min")
    seats, checkout = meter.create_up_down_counter("seats"), meter.create_histogram("checkout", unit="s")

    def a_round() -> None:
        orders.add(3, {"team": "north"})
        orders.add(4, {"team": "south"})
        minutes.add(0.1)
        minutes.add(0.2)
        seats.add(5)
        seats.add(-7)
        checkout.record(1.5)
        checkout.record(2.25)

    return a_round


@pytest.mark.parametrize("temporality", [None, DELTA], ids=["cumulative", "delta"])
async def test_counters_are_exact_through_a_rough_network(
    stage: Stage, temporality: dict[type, AggregationTemporality] | None
) -> None:
    exporter = OTLPMetricExporter(
        stage.at("metrics"),
        headers=stage.headers,
        compression=Compression.Gzip,
        preferred_temporality=temporality,
    )
    reader = PeriodicExportingMetricReader(exporter, export_interval_millis=SOMETIME_ELSE)
    provider = MeterProvider([reader], RESOURCE, shutdown_on_exit=False)
    a_round = use(provider)
    for faults in ((), *((fault,) for fault in ROUGH), (Fault.DROPPED_AFTER, Fault.UNAVAILABLE), ()):
        a_round()
        stage.proxy.faults.extend(faults)
        await asyncio.to_thread(provider.force_flush, 30_000)
    await asyncio.to_thread(provider.shutdown)
    assert not stage.proxy.faults
    assert set(stage.proxy.statuses) == {0, 200, 429, 503}
    rounds = 8
    totals = {row["meter"]: row["total"] for row in await rows(stage.databases, TOTALS)}
    assert totals == {
        "orders": 7 * rounds,
        "minutes": Decimal("0.3") * rounds,
        "seats": -2 * rounds,
        "checkout": Decimal("3.75") * rounds,
    }
    counted = "SELECT sum((data->>'count_delta')::numeric) FROM event WHERE type = 'checkout'"
    assert await scalar(stage.databases, counted) == 2 * rounds
    by_team = await rows(stage.databases, BY_TEAM)
    assert [(row["team"], row["total"]) for row in by_team] == [("north", 3 * rounds), ("south", 4 * rounds)]
    await no_loss(stage)


async def test_a_process_that_starts_anew_counts_from_zero_and_is_added(stage: Stage) -> None:
    for _ in range(2):
        exporter = OTLPMetricExporter(stage.at("metrics"), headers=stage.headers)
        reader = PeriodicExportingMetricReader(exporter, export_interval_millis=SOMETIME_ELSE)
        provider = MeterProvider([reader], RESOURCE, shutdown_on_exit=False)
        a_round = use(provider)
        for _ in range(2):
            a_round()
            await asyncio.to_thread(provider.force_flush, 30_000)
        await asyncio.to_thread(provider.shutdown)
    totals = {row["meter"]: row["total"] for row in await rows(stage.databases, TOTALS)}
    assert totals == {"orders": 28, "minutes": Decimal("1.2"), "seats": -8, "checkout": 15}


async def test_each_log_record_is_stored_once_through_a_rough_network(stage: Stage) -> None:
    exporter = OTLPLogExporter(stage.at("logs"), headers=stage.headers, compression=Compression.Gzip)
    processor = BatchLogRecordProcessor(exporter, schedule_delay_millis=SOMETIME_ELSE)
    provider = LoggerProvider(RESOURCE, shutdown_on_exit=False)
    provider.add_log_record_processor(processor)
    logger = provider.get_logger("shop")
    sent = 0
    for fault in ROUGH:
        stage.proxy.faults.append(fault)
        for number in range(20):
            sent += 1
            record = LogRecord(
                timestamp=1_790_000_000_000_000_000 + sent // 2,  # every time stands still for two
                body="ordered",
                attributes={"amount": 12.5, "number": number // 2},
                event_name="order.placed",
            )
            logger.emit(record)
        await asyncio.to_thread(provider.force_flush, 30_000)
    await asyncio.to_thread(provider.shutdown)
    assert not stage.proxy.faults
    assert await scalar(stage.databases, "SELECT count(*) FROM event WHERE type = 'order.placed'") == sent == 100
    assert await scalar(stage.databases, "SELECT sum((data->>'amount')::numeric) FROM event") == 1250
    await no_loss(stage)


TOTALS = "SELECT meter, sum(total) AS total FROM rollup GROUP BY meter"
BY_TEAM = """
    SELECT data->>'team' AS team, sum((data->>'delta')::numeric) AS total FROM event WHERE type = 'orders'
    GROUP BY 1 ORDER BY 1
"""
SUMS = """
    SELECT sum(received) - sum(stored) - sum(duplicates) AS rest, sum(duplicates) AS duplicates,
        sum(conflicts) + sum(rejected) AS lost FROM ingest_tally
"""


async def no_loss(stage: Stage) -> None:
    """Nothing was refused, and what an unheard answer made the client send again was recognized."""
    (sums,) = await rows(stage.databases, SUMS)
    assert (sums["rest"], sums["lost"]) == (0, 0)
    assert sums["duplicates"] > 0
