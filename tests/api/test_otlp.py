"""OpenTelemetry over HTTP: what a sender is answered, and what is then there."""

import gzip
import json
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
from google.protobuf.message import Message
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest, ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)

from tests.api.intake import Client, MakeKey, taking
from tests.conftest import Databases
from tests.telemetry.factories import NOW, apply_meters, execute, rows, scalar
from valueplatform.api.request_body import MOST_BYTES
from valueplatform.core.authorization import KeyKind
from valueplatform.core.database import Database, Role
from valueplatform.core.keys import Quota

METRICS, LOGS = "/ingest/otlp/v1/metrics", "/ingest/otlp/v1/logs"
JSON = {"content-type": "application/json"}
PROTOBUF = {"content-type": "application/x-protobuf"}
SECOND = 10**9
T0 = int(NOW.timestamp()) * SECOND


def attribute(name: str, value: str) -> dict[str, Any]:
    return {"key": name, "value": {"stringValue": value}}


def counter(value: int, at: int = T0, account: str | None = "acme", **point: Any) -> dict[str, Any]:
    """An export of one point of a cumulative counter, as OTLP/JSON."""
    attributes = [attribute("feature", "export"), *([attribute("account", account)] if account else [])]
    told = {"attributes": attributes, "startTimeUnixNano": str(T0 - SECOND), "timeUnixNano": str(at)}
    total = {"aggregationTemporality": 2, "isMonotonic": True, "dataPoints": [{**told, "asInt": str(value), **point}]}
    metrics = [{"name": "calls", "unit": "1", "sum": total}]
    resource = {"attributes": [attribute("service.name", "app")]}
    return {"resourceMetrics": [{"resource": resource, "scopeMetrics": [{"scope": {"name": "m"}, "metrics": metrics}]}]}


def together(*exports: dict[str, Any]) -> dict[str, Any]:
    return {"resourceMetrics": [each for export in exports for each in export["resourceMetrics"]]}


async def post(client: Client, address: str, body: object, **headers: str) -> Any:
    return await client.post(address, content=json.dumps(body).encode(), headers=JSON | headers)


async def test_what_is_taken_is_answered_with_an_empty_export_response_in_the_encoding_of_the_request(
    client: Client, databases: Databases
) -> None:
    told = await post(client, METRICS, counter(5))
    assert (told.status_code, told.content, told.headers["content-type"]) == (200, b"{}", "application/json")
    empty = await client.post(METRICS, content=b"", headers=PROTOBUF)
    assert (empty.status_code, empty.content) == (200, b"")
    assert empty.headers["content-type"] == "application/x-protobuf"
    (event,) = await rows(databases, "SELECT type, source, subject, data FROM event")
    assert (event["type"], event["source"]) == ("calls", "otlp/app")
    assert event["data"] == {
        "service.name": "app",
        "otel.scope.name": "m",
        "feature": "export",
        "account": "acme",
        "value": 5,
        "unit": "1",
        "delta": 5,
    }


async def test_a_counter_is_metered_by_what_was_added_however_often_it_is_sent(
    client: Client, databases: Databases
) -> None:
    exports = [counter(5), counter(7, T0 + SECOND), counter(12, T0 + 2 * SECOND)]
    for export in (*exports, *exports[::-1], together(*exports)):
        assert (await post(client, METRICS, export)).content == b"{}"
    deltas = await rows(databases, "SELECT data->>'delta' AS delta FROM event ORDER BY time")
    assert [int(row["delta"]) for row in deltas] == [5, 2, 5]
    tally = (
        await rows(databases, "SELECT sum(received) AS r, sum(stored) AS s, sum(duplicates) AS d FROM ingest_tally")
    )[0]
    assert (tally["r"], tally["s"], tally["d"]) == (9, 3, 6)


async def test_what_is_not_taken_is_told_as_partial_success(client: Client, databases: Databases) -> None:
    export = together(counter(5), counter(6, account=None), counter(7, T0 + 2 * 86400 * SECOND))
    told = (await post(client, METRICS, export)).json()["partialSuccess"]
    assert told["rejectedDataPoints"] == "2"
    assert "[1] missing_account" in told["errorMessage"]
    assert "[2] time_in_future" in told["errorMessage"]
    again = (await post(client, METRICS, counter(6))).json()["partialSuccess"]
    assert again["rejectedDataPoints"] == "1"
    assert "1 told another value than before for the same time" in again["errorMessage"]
    assert await scalar(databases, "SELECT count(*) FROM rejected_event") == 2
    assert await scalar(databases, "SELECT count(*) FROM event_conflict") == 1


async def test_partial_success_in_protobuf(client: Client) -> None:
    request = ExportLogsServiceRequest()
    request.resource_logs.add().scope_logs.add().log_records.add(time_unix_nano=T0)
    answer = await client.post(LOGS, content=request.SerializeToString(), headers=PROTOBUF)
    logs = ExportLogsServiceResponse.FromString(answer.content)
    assert logs.partial_success.rejected_log_records == 1
    assert "missing_account" in logs.partial_success.error_message
    metrics = ExportMetricsServiceRequest()
    metric = metrics.resource_metrics.add().scope_metrics.add().metrics.add(name="g")
    metric.gauge.data_points.add(as_double=float("nan"), time_unix_nano=T0)
    packed = gzip.compress(metrics.SerializeToString())
    answer = await client.post(METRICS, content=packed, headers={**PROTOBUF, "content-encoding": "gzip"})
    told = ExportMetricsServiceResponse.FromString(answer.content)
    assert told.partial_success.rejected_data_points == 1
    assert "not_a_number" in told.partial_success.error_message


async def test_the_account_is_the_attribute_that_the_model_names_and_a_rejected_point_can_be_replayed(
    client: Client, databases: Databases
) -> None:
    export = counter(5, account=None, attributes=[attribute("shop", "acme")])
    assert "partialSuccess" in (await post(client, METRICS, export)).json()
    (kept,) = (await client.get("/api/v1/rejected-events")).json()["items"]
    assert (kept["origin"], kept["code"]) == ("otlp", "missing_account")
    replay = f"/api/v1/rejected-events/{kept['id']}/replay"
    assert (await client.post(replay)).json()["rejected"][0]["code"] == "missing_account"
    await apply_meters(databases)
    section = """UPDATE model_revision SET document = document || '{"otlp": {"account": ["shop"]}}'"""
    await execute(databases, section)
    assert (await client.post(replay)).json()["stored"] == 1
    assert (await post(client, METRICS, export)).content == b"{}"
    (event,) = await rows(databases, "SELECT data->>'delta' AS delta, key FROM event JOIN account USING (account_id)")
    assert event == {"delta": "5", "key": "acme"}


async def test_a_point_that_this_key_may_not_write_keeps_its_running_total_for_its_replay(
    databases: Databases,
    key: MakeKey,
) -> None:
    async with taking(databases) as client:
        limited = await key(sources=["otlp/other"])
        assert "source_not_allowed" in (await post(client, METRICS, counter(5), **limited)).text
        await execute(databases, "UPDATE api_key SET sources = NULL")
        (rejected_id,) = [row["rejected_id"] for row in await rows(databases, "SELECT rejected_id FROM rejected_event")]
        admin = await key(kind=KeyKind.ADMIN)
        replayed = await client.post(f"/api/v1/rejected-events/{rejected_id}/replay", headers=admin)
        assert replayed.json()["stored"] == 1
        await post(client, METRICS, counter(7, T0 + SECOND), **await key())
    deltas = await rows(databases, "SELECT data->>'delta' AS delta FROM event ORDER BY time")
    assert [row["delta"] for row in deltas] == ["5", "2"]


async def test_equal_log_records_of_one_request_are_as_many_events_and_a_retry_adds_none(
    client: Client, databases: Databases
) -> None:
    record = {"timeUnixNano": str(T0), "eventName": "click", "attributes": [attribute("account", "acme")]}
    nameless = {"timeUnixNano": str(T0), "eventName": "click"}
    body = {"resourceLogs": [{"scopeLogs": [{"logRecords": [record, record, nameless, record, nameless]}]}]}
    for _ in range(2):
        assert (await post(client, LOGS, body)).json()["partialSuccess"]["rejectedLogRecords"] == "2"
    assert await scalar(databases, "SELECT count(*) FROM event WHERE type = 'click'") == 3
    assert await scalar(databases, "SELECT count(*) FROM rejected_event") == 2
    await apply_meters(databases)
    await execute(
        databases, """UPDATE model_revision SET document = document || '{"otlp": {"account": ["otel.scope.name"]}}'"""
    )
    kept = (await client.get("/api/v1/rejected-events")).json()["items"]
    assert ["equalBefore" in each["body"] for each in kept] == [False, True]


@pytest.mark.parametrize("headers", [JSON, PROTOBUF])
@pytest.mark.parametrize("address", [METRICS, LOGS])
async def test_a_body_that_cannot_be_parsed_is_400_with_a_status(
    client: Client, databases: Databases, address: str, headers: dict[str, str]
) -> None:
    for body in (b"\xff", b"[1]", b'{"resourceMetrics":1,"resourceLogs":1}', b"{" * 5000):
        answer = await client.post(address, content=body, headers=headers)
        assert answer.status_code == 400, body
        code, message = status_in(answer)
        assert code == 3
        assert "nothing was stored" in message or "nested" in message
    assert await scalar(databases, "SELECT count(*) FROM rejected_event") == 0


def status_in(answer: Any) -> tuple[int, str]:
    if answer.headers["content-type"] == JSON["content-type"]:
        told = answer.json()
        assert told.keys() == {"code", "message"}
        return told["code"], told["message"]
    assert answer.headers["content-type"] == PROTOBUF["content-type"]
    status = Status.FromString(answer.content)
    return status.code, status.message


@pytest.mark.parametrize("headers", [JSON, PROTOBUF])
async def test_errors_are_a_status_in_the_encoding_of_the_request(
    databases: Databases,
    key: MakeKey,
    headers: dict[str, str],
) -> None:
    ingest, partner = await key(), await key(kind=KeyKind.PARTNER, provider="tessera")
    async with taking(databases) as client:
        assert await refused(client, headers) == (401, 16)
        assert await refused(client, headers | partner) == (403, 7)
        assert await refused(client, headers | ingest, b" " * (MOST_BYTES + 1)) == (413, 8)
        bomb = gzip.compress(b" " * (MOST_BYTES + 1))
        assert await refused(client, headers | ingest | {"content-encoding": "gzip"}, bomb) == (413, 8)
        assert await refused(client, headers | ingest | {"content-encoding": "br"}) == (400, 3)
        strict = headers | ingest | {"prefer": "handling=strict"}
        assert await refused(client, strict, encoded(counter(1, account=None), headers)) == (422, 9)
        limited = headers | await key(quota=Quota(daily_quota=1))
        for status in (200, 429):
            answer = await client.post(METRICS, content=encoded(counter(1), headers), headers=limited)
            assert answer.status_code == status
        assert status_in(answer)[0] == 8
        assert int(answer.headers["retry-after"]) > 0


async def test_a_database_that_answers_too_late_is_503(databases: Databases, key: MakeKey) -> None:
    ingest = await key()
    async with taking(databases, patience=0) as client:
        answer = await client.post(METRICS, content=encoded(counter(1), PROTOBUF), headers=PROTOBUF | ingest)
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert status_in(answer)[0] == 14


async def test_a_database_that_cannot_be_reached_is_503(databases: Databases, key: MakeKey) -> None:
    ingest = await key()
    away = replace(databases, ingest=Database("postgresql://nobody@127.0.0.1:1/nothing", Role.INGEST))
    async with taking(away) as client:
        answer = await client.post(METRICS, content=encoded(counter(1), JSON), headers=JSON | ingest)
    assert (answer.status_code, status_in(answer)[0]) == (503, 14)
    assert int(answer.headers["retry-after"]) > 0


async def refused(client: Client, headers: dict[str, str], body: bytes = b"") -> tuple[int, int]:
    answer = await client.post(METRICS, content=body, headers=headers)
    code, message = status_in(answer)
    assert message
    return answer.status_code, code


def encoded(export: dict[str, Any], headers: dict[str, str]) -> bytes:
    if headers == JSON:
        return json.dumps(export).encode()
    request: Message = ExportMetricsServiceRequest()
    for resource in export["resourceMetrics"]:
        point = resource["scopeMetrics"][0]["metrics"][0]["sum"]["dataPoints"][0]
        metric = request.resource_metrics.add().scope_metrics.add().metrics.add(name="calls")  # type: ignore[attr-defined]
        metric.sum.aggregation_temporality, metric.sum.is_monotonic = 2, True
        made = metric.sum.data_points.add(as_int=int(point["asInt"]), time_unix_nano=int(point["timeUnixNano"]))
        for pair in point["attributes"]:
            made.attributes.add(key=pair["key"]).value.string_value = pair["value"]["stringValue"]
    return request.SerializeToString()


@pytest.mark.parametrize("headers", [JSON, PROTOBUF])
async def test_no_damage_to_a_request_is_a_fault_of_ours(client: Client, headers: dict[str, str]) -> None:
    random = Random(7)
    whole = encoded(together(counter(5), counter(6, account=None)), headers)
    for _ in range(150):
        body = bytearray(whole)
        for _ in range(random.randint(1, 6)):
            body[random.randrange(len(body))] = random.randrange(256)
        content = bytes(body[: random.randint(1, len(body))])
        answer = await client.post(random.choice([METRICS, LOGS]), content=content, headers=headers)
        assert answer.status_code in {200, 400}, content


async def test_another_media_type_is_refused_in_words(client: Client) -> None:
    answer = await client.post(METRICS, content=b"", headers={"content-type": "text/plain"})
    assert answer.status_code == 400
    assert "application/x-protobuf" in answer.json()["message"]


async def test_too_many_points_are_413(client: Client) -> None:
    one = counter(1)["resourceMetrics"][0]
    assert (await post(client, METRICS, {"resourceMetrics": [one] * 2501})).status_code == 413


async def test_what_stands_around_the_points_cannot_blow_up_a_request(client: Client) -> None:
    """A large resource is repeated in each of its points: what they hold together is limited."""
    export = counter(1)
    (resource,) = export["resourceMetrics"]
    resource["resource"]["attributes"].append(attribute("long", "x" * 60_000))
    points = resource["scopeMetrics"][0]["metrics"][0]["sum"]["dataPoints"]
    points += [{**points[0], "timeUnixNano": str(T0 + n)} for n in range(1, 400)]
    answer = await post(client, METRICS, export)
    assert answer.status_code == 413
    assert "together" in answer.json()["message"]


async def test_the_official_examples_are_taken(client: Client, databases: Databases, shared: Path) -> None:
    await apply_meters(databases)
    section = """UPDATE model_revision SET document = document || '{"otlp": {"account": ["service.name"]}}'"""
    await execute(databases, section)
    for address, name in ((METRICS, "metrics"), (LOGS, "logs"), (LOGS, "events")):
        body = (shared / "data/otlp-examples" / f"{name}.json").read_bytes()
        answer = await client.post(address, content=body, headers=JSON)
        assert (answer.status_code, answer.content) == (200, b"{}"), name
    stored = await rows(databases, "SELECT type, data FROM event ORDER BY type")
    types = [row["type"] for row in stored]
    assert {"my.counter", "my.gauge", "my.histogram", "my.exponential.histogram", "otlp.log"} <= set(types)
    assert stored[types.index("my.counter")]["data"]["delta"] == 5
