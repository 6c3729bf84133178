"""Each dialect over HTTP, with bodies that were good before they were damaged, packed or not, with and without a
length: never a fault of ours, each report adds up, and the record is whole afterward.

Longer: `VALUEPLATFORM_TEST_TIMES=50 pytest tests/api/test_wire.py`.
"""

import os
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any, Final, NamedTuple

import msgspec
import pytest
from google.protobuf.json_format import ParseDict
from google.protobuf.message import Message
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from tests.api.intake import Client, taking
from tests.api.test_otlp import SECOND, T0, counter, together
from tests.api.world import bearer, differences, template
from tests.conftest import Databases, Server
from tests.telemetry.damage import PACKINGS, damaged
from tests.telemetry.factories import cloud_event, rows
from tests.telemetry.test_otlp import logs, metrics, point
from tests.telemetry.test_posthog import used
from tests.telemetry.test_segment import call
from valueplatform.telemetry.segment import CALLS

TIMES: Final = int(os.environ.get("VALUEPLATFORM_TEST_TIMES", "1"))
JSON: Final = {"content-type": "application/json"}
PROTOBUF: Final = {"content-type": "application/x-protobuf"}
BINARY: Final = {
    "content-type": "application/json",
    "ce-specversion": "1.0",
    "ce-id": "binary",
    "ce-source": "/app",
    "ce-type": "job.done",
    "ce-account": "acme",
    "ce-time": "2026-05-04T10:00:00Z",
}
HEADER_TEXTS: Final = (
    "", " ", '"quoted"', "%", "%zz", "%00", "%ff", "%ED%A0%80", "%F0%9F%99%82", "x" * 3000, "\xff", "2026-05-04",
    "9999-12-31T23:59:59Z", "1e400", "2.0",
)  # fmt: skip
Exported = tuple[str, dict[str, str], bytes]
"""Signal, media type and body."""
TAKEN: Final = {200, 204}
REFUSED: Final = {400, 413, 422}


@pytest.fixture
async def sender(server: Server) -> AsyncIterator[Client]:
    """With a key for everything; whatever was sent, the record is whole afterward."""
    name, content = await template(server, filled=False)
    async with server.clone(name) as databases:
        async with taking(databases) as client:
            client.headers.update(bearer(content.keys["ingest"]))
            yield client
        await check_tally(databases)
        assert await differences(databases) == []


async def check_tally(databases: Databases) -> None:
    (told,) = await rows(
        databases,
        "SELECT (SELECT sum(received) FROM ingest_tally) AS received, (SELECT count(*) FROM event) AS events, "
        "(SELECT sum(stored + duplicates + conflicts + rejected) FROM ingest_tally) AS accounted, "
        "(SELECT sum(stored) FROM ingest_tally) AS stored, (SELECT count(*) FROM event_key) AS keys, "
        "(SELECT sum(rejected) FROM ingest_tally) AS rejected",
    )
    assert told["received"] == told["accounted"]
    assert told["stored"] == told["events"] == told["keys"]
    assert told["stored"] > 0 < told["rejected"], "nothing was taken, or nothing refused: the damage is not what it was"


def encoded(*bodies: object) -> list[bytes]:
    return [msgspec.json.encode(body) for body in bodies]


def mostly(examples: int) -> settings:
    """Drawn from one seed; a fixture for all examples, because each adds to the record that is proved at the end."""
    return settings(
        max_examples=examples * TIMES,
        database=None,
        deadline=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
    )


class Wrapping(NamedTuple):
    """How a body is packed, by its place in PACKINGS, and whether it comes in chunks without its length."""

    packing: int
    chunked: bool


async def send(sender: Client, path: str, body: bytes, headers: Mapping[str, str], wrapping: Wrapping) -> Any:
    encoding, packed = PACKINGS[wrapping.packing]
    content = packed(body)
    said = {**headers, **({"content-encoding": encoding} if encoding else {})}
    sent = {name.encode(): value.encode("latin-1") for name, value in said.items()}

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(content), 1000):
            yield content[start : start + 1000]

    answer = await sender.post(path, content=pieces() if wrapping.chunked else content, headers=sent)
    assert answer.status_code in TAKEN | REFUSED, (answer.status_code, answer.text, content)
    return answer


def check_report(answer: Any) -> None:
    """What was received adds up, and each rejected event has a place, a code and a reason."""
    if answer.status_code != 200:
        return
    report = answer.json()
    rejected = report["rejected"]
    assert report["received"] == report["stored"] + report["duplicates"] + report["conflicts"] + len(rejected)
    assert len({one["index"] for one in rejected}) == len(rejected)
    assert all(0 <= one["index"] < report["received"] and one["code"] and one["message"] for one in rejected)


wrappings = st.builds(Wrapping, st.just(0) | st.integers(0, len(PACKINGS) - 1), st.booleans())
EVENTS: Final = [
    cloud_event(id="one", time="2026-05-04T10:00:00Z"),
    cloud_event(id="two", data={"minutes": 1.5, "deep": [[{"a": None}]], "text": "ä\u2028"}, provider="tessera"),
    cloud_event(id="three", subject="kim", data=None, data_base64="eyJhIjogMX0=", datacontenttype="application/json"),
]


@seed(1)
@mostly(120)
@given(
    damaged(*encoded(EVENTS, EVENTS[0], [])),
    st.sampled_from(["application/cloudevents+json", "application/cloudevents-batch+json", "application/json", "x"]),
    st.sampled_from(["", "return=representation", "handling=strict"]),
    wrappings,
)
async def test_cloud_events_in_json(sender: Client, body: bytes, media: str, prefer: str, wrapping: Wrapping) -> None:
    headers = {"content-type": media, "prefer": prefer}
    check_report(await send(sender, "/api/v1/events", body, headers, wrapping))


@seed(2)
@mostly(80)
@given(
    damaged(*encoded({"minutes": 5, "crew": "a"}, [1.25], "text"), b""),
    st.dictionaries(st.sampled_from(sorted(BINARY)), st.sampled_from(HEADER_TEXTS), max_size=2),
    wrappings,
)
async def test_cloud_events_in_headers(sender: Client, body: bytes, wrong: dict[str, str], wrapping: Wrapping) -> None:
    headers = {**BINARY, "prefer": "return=representation", **wrong}
    check_report(await send(sender, "/api/v1/events", body, headers, wrapping))


CALLED: Final = [
    call(type=kind, messageId=kind, groupId="acme", previousId="anon", traits={"name": "A", "email": "k@acme.example"})
    for kind in CALLS
]  # fmt: skip


@seed(3)
@mostly(100)
@given(
    damaged(*encoded({"batch": CALLED, "sentAt": "2026-06-01T10:00:01Z"}, CALLED[0], call(context=None))),
    st.sampled_from(["batch", *CALLS]),
    wrappings,
)
async def test_segment(sender: Client, body: bytes, address: str, wrapping: Wrapping) -> None:
    answer = await send(sender, f"/ingest/segment/v1/{address}", body, JSON, wrapping)
    assert answer.status_code != 200 or answer.json() == {"success": True}


SET: Final = {"$set": {"email": "k@acme.example", "name": "Kim"}}
CAPTURED: Final = [
    used(uuid="1"),
    used(uuid="2", event="$identify", properties={"$groups": {"company": "acme"}, **SET}),
    used(uuid="3", event="$groupidentify", properties={"$group_type": "company", "$group_key": "acme", **SET}),
    used(uuid="4", timestamp=None, offset=5000),
]  # fmt: skip


@seed(4)
@mostly(100)
@given(
    damaged(*encoded({"batch": CAPTURED, "sent_at": "2026-06-01T10:00:01Z"}, CAPTURED[0], CAPTURED)),
    st.sampled_from(["batch/", "capture/", "i/v0/e/", "i/v0/e/?compression=gzip-js"]),
    wrappings,
)
async def test_posthog(sender: Client, body: bytes, address: str, wrapping: Wrapping) -> None:
    answer = await send(sender, f"/ingest/posthog/{address}", body, JSON, wrapping)
    assert answer.status_code != 200 or answer.json() == {"status": 1}


MEASURED: Final = [
    together(counter(5), counter(7, T0 + SECOND), counter(1, account=None)),
    metrics("gauge", point(asDouble=1.5, timeUnixNano=str(T0)), {"asInt": "1"}),
    metrics(
        "histogram", point(count="3", sum=4.5, bucketCounts=["1", "2"], timeUnixNano=str(T0)), aggregationTemporality=1
    ),
]
LOGGED: Final = logs(
    point(body={"stringValue": "done"}, severityText="INFO", timeUnixNano=str(T0)), {"timeUnixNano": "1"}
)


def exported(signal: str, shape: type[Message], *exports: dict[str, Any]) -> Iterator[st.SearchStrategy[Exported]]:
    """Exports in both encodings, damaged."""
    packed = [ParseDict(one, shape()).SerializeToString() for one in exports]
    for headers, bodies in ((JSON, encoded(*exports)), (PROTOBUF, packed)):
        yield st.tuples(st.just(signal), st.just(headers), damaged(*bodies))


EXPORTS: Final = st.one_of(
    *exported("metrics", ExportMetricsServiceRequest, *MEASURED), *exported("logs", ExportLogsServiceRequest, LOGGED)
)


@seed(5)
@mostly(160)
@given(EXPORTS, wrappings)
async def test_opentelemetry(sender: Client, export: Exported, wrapping: Wrapping) -> None:
    signal, headers, body = export
    answer = await send(sender, f"/ingest/otlp/v1/{signal}", body, headers, wrapping)
    assert answer.headers["content-type"] == headers["content-type"]
