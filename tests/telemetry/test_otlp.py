"""OpenTelemetry's export requests as events: what each data point and log record becomes."""

import gzip
import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.json_format import ParseDict
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from valueplatform.core.errors import InvalidInputError, TooLargeError
from valueplatform.telemetry.dialect import Parsed
from valueplatform.telemetry.event import Event
from valueplatform.telemetry.meters import path_reader
from valueplatform.telemetry.otlp import Encoding, parse_rejected, parse_request
from valueplatform.telemetry.otlp_accounts import OtlpSection, account_of
from valueplatform.telemetry.otlp_wire import Signal, from_double
from valueplatform.telemetry.running_totals import RunningTotal

NOW = datetime(2026, 12, 1, tzinfo=UTC)
AT = 1_795_000_000_123_456_789
STARTED = AT - 10**9
ENCODINGS = pytest.mark.parametrize("encoding", list(Encoding))


def pairs(**values: Any) -> list[dict[str, Any]]:
    kinds = {str: "stringValue", bool: "boolValue", float: "doubleValue"}
    return [
        {"key": name.replace("_", "."), "value": {kinds.get(type(value), "intValue"): value}}
        for name, value in values.items()
    ]


def point(**told: Any) -> dict[str, Any]:
    return {"attributes": pairs(account="acme", feature="export"), "timeUnixNano": str(AT), **told}


def metrics(kind: str, *points: dict[str, Any], **said: Any) -> dict[str, Any]:
    inner = {"name": "calls", "unit": "1", kind: {"dataPoints": list(points), **said}}
    scoped = {"scope": {"name": "meter", "version": "2"}, "metrics": [inner]}
    return {"resourceMetrics": [{"resource": {"attributes": pairs(service_name="app")}, "scopeMetrics": [scoped]}]}


def total(value: Any, **said: Any) -> dict[str, Any]:
    """A cumulative counter with one point."""
    told = point(startTimeUnixNano=str(STARTED), asInt=str(value)) if isinstance(value, int) else point(asDouble=value)
    return metrics("sum", told, **{"aggregationTemporality": 2, "isMonotonic": True, **said})


def logs(*records: dict[str, Any]) -> dict[str, Any]:
    scoped = {"scope": {"name": "logger"}, "logRecords": list(records)}
    return {"resourceLogs": [{"resource": {"attributes": pairs(service_name="app")}, "scopeLogs": [scoped]}]}


def read(export: dict[str, Any], encoding: Encoding = Encoding.JSON, section: OtlpSection = OtlpSection()) -> Parsed:  # noqa: B008 - frozen
    signal = Signal.METRICS if "resourceMetrics" in export else Signal.LOGS
    body = json.dumps(export).encode()
    if encoding is Encoding.PROTOBUF:
        shape = ExportMetricsServiceRequest if signal is Signal.METRICS else ExportLogsServiceRequest
        body = ParseDict(export, shape()).SerializeToString()
    return parse_request(signal, encoding, body, NOW, section)


def one(export: dict[str, Any], encoding: Encoding = Encoding.JSON) -> Event:
    parsed = read(export, encoding)
    assert not parsed.rejections
    (event,) = parsed.events
    return event


def code(export: dict[str, Any], encoding: Encoding = Encoding.JSON) -> str:
    parsed = read(export, encoding)
    assert not parsed.events
    (rejection,) = parsed.rejections
    return rejection.code


@ENCODINGS
def test_a_point_of_a_cumulative_counter_carries_its_running_total(encoding: Encoding) -> None:
    event = one(total(5), encoding)
    assert (event.type, event.source, event.account) == ("calls", "otlp/app", "acme")
    assert event.time == datetime(2026, 11, 18, 11, 6, 40, 123456, UTC)
    assert event.data == {
        "service.name": "app",
        "otel.scope.name": "meter",
        "otel.scope.version": "2",
        "account": "acme",
        "feature": "export",
        "value": 5,
        "unit": "1",
    }
    assert isinstance(event.effect, RunningTotal)
    assert (event.effect.start, event.effect.time) == (STARTED, AT)
    assert event.effect.value == 5
    assert event.effect.count is None
    assert event.effect.monotonic


def test_both_encodings_make_the_same_events() -> None:
    for export in (total(5), total(0.1), logs({"timeUnixNano": str(AT), "attributes": pairs(account="acme", n=7)})):
        assert one(export, Encoding.PROTOBUF) == one(export, Encoding.JSON)


@ENCODINGS
def test_a_point_with_delta_temporality_is_what_was_added(encoding: Encoding) -> None:
    event = one(total(5, aggregationTemporality=1), encoding)
    assert event.effect is None
    assert isinstance(event.data, dict)
    assert (event.data["value"], event.data["delta"]) == (5, 5)


@ENCODINGS
def test_a_gauge_adds_nothing(encoding: Encoding) -> None:
    event = one(metrics("gauge", point(asDouble=1.5)), encoding)
    assert event.effect is None
    assert isinstance(event.data, dict)
    assert event.data["value"] == Decimal("1.5")
    assert "delta" not in event.data


@ENCODINGS
@pytest.mark.parametrize("kind", ["histogram", "exponentialHistogram"])
def test_a_histogram_is_its_count_and_its_sum(encoding: Encoding, kind: str) -> None:
    told = point(startTimeUnixNano=str(STARTED), count="3", sum=7.5, min=1.0, max=4.0)
    event = one(metrics(kind, told, aggregationTemporality=2), encoding)
    assert isinstance(event.data, dict)
    assert [event.data[name] for name in ("value", "count", "min", "max")] == [Decimal("7.5"), 3, 1, 4]
    assert isinstance(event.effect, RunningTotal)
    assert (event.effect.value, event.effect.count) == (Decimal("7.5"), 3)
    told_alone = one(metrics(kind, point(count="3"), aggregationTemporality=1), encoding)
    assert isinstance(told_alone.data, dict)
    assert told_alone.data["count_delta"] == 3
    assert told_alone.data.keys().isdisjoint({"value", "delta", "min", "max"})


@ENCODINGS
def test_a_summary_is_cumulative(encoding: Encoding) -> None:
    event = one(metrics("summary", point(count="3", sum=7.5)), encoding)
    assert isinstance(event.effect, RunningTotal)
    assert (event.effect.value, event.effect.count) == (Decimal("7.5"), 3)


@pytest.mark.parametrize(
    ("export", "expected"),
    [
        (metrics("gauge", point(asDouble="NaN")), "not_a_number"),
        (metrics("gauge", point(asDouble="-Infinity")), "not_a_number"),
        (metrics("gauge", point()), "no_value"),
        (metrics("gauge", point(asInt="1", flags=1)), "no_value"),
        (metrics("gauge", point(asInt="1", timeUnixNano="0")), "missing_time"),
        (metrics("gauge", point(asInt="1", timeUnixNano=str(AT + 10**18))), "time_in_future"),
        (metrics("gauge", point(asInt="1", timeUnixNano=str(2**63))), "malformed"),
        (metrics("gauge", point(asInt="1", startTimeUnixNano=str(AT + 1))), "invalid_time"),
        (metrics("gauge", point(asInt="1", attributes=pairs(account="a", x="a\0b"))), "null_character"),
        (metrics("gauge", point(asInt="1", attributes=pairs(account="a\nb"))), "invalid_attribute"),
        (metrics("gauge", point(asInt="1", attributes=pairs(account="a", x="x" * 70_000))), "too_large"),
        (metrics("gauge", point(asInt="1", attributes=[])), "missing_account"),
        (metrics("gauge", point(asInt="1", attributes=pairs(account=True))), "missing_account"),
        (total(5, aggregationTemporality=0), "unspecified_temporality"),
        (logs({"attributes": pairs(account="acme")}), "missing_time"),
        (
            logs({"timeUnixNano": str(AT), "eventName": "x" * 300, "attributes": pairs(account="a")}),
            "attribute_too_long",
        ),
    ],
)
@ENCODINGS
def test_what_cannot_be_taken_is_kept_with_its_reason_and_says_the_same_when_it_is_tried_again(
    export: dict[str, Any], expected: str, encoding: Encoding
) -> None:
    assert code(export, encoding) == expected
    (rejection,) = read(export, encoding).rejections
    (again,) = parse_rejected(rejection.body, NOW).rejections
    assert (again.code, again.body) == (rejection.code, rejection.body)


@ENCODINGS
def test_what_is_kept_says_whose_it_seems_to_be(encoding: Encoding) -> None:
    nameless = point(asInt="1", attributes=pairs(feature="x"))
    exports = metrics("gauge", point(), nameless, point(attributes=pairs(account="a" * 5000)))
    exports["resourceMetrics"] += metrics("gauge", point(attributes=pairs(account="a\0b")))["resourceMetrics"]
    assert [rejection.account for rejection in read(exports, encoding).rejections] == ["acme", None, None, None]
    late = logs({"attributes": pairs(account="acme")})
    assert read(late, encoding).rejections[0].account == "acme"


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({"asInt": "5.5"}, "malformed"),
        ({"asInt": "1" * 30}, "malformed"),
        ({"asInt": 2**63}, "malformed"),
        ({"asDouble": "many"}, "not_a_number"),
        ({"asDouble": True}, "not_a_number"),
        ({"asDouble": {}}, "not_a_number"),
        ({"attributes": 7}, "malformed"),
        ({"attributes": [{"key": "n", "value": {"intValue": "x"}}]}, "malformed"),
    ],
)
def test_json_of_another_shape_is_rejected_where_it_is_and_spoils_no_other(told: dict[str, Any], expected: str) -> None:
    parsed = read(metrics("gauge", point(asInt=1), point(**told), point(asInt=2, timeUnixNano=AT + 1)))
    assert [event.index for event in parsed.events] == [0, 2]
    assert [(rejection.index, rejection.code) for rejection in parsed.rejections] == [(1, expected)]


def test_deep_attributes_and_numbers_without_end_are_rejected_alone() -> None:
    deep = b'{"arrayValue":{"values":[' * 200 + b'{"stringValue":"x"}' + b"]}}" * 200
    text = json.dumps(metrics("gauge", point(asInt=1), point(asDouble="DOUBLE"), point(asInt=1, attributes=["DEEP"])))
    text = text.replace('"DOUBLE"', "1e5000")
    body = text.encode().replace(b'"DEEP"', b'{"key":"a","value":' + deep + b"}")
    parsed = parse_request(Signal.METRICS, Encoding.JSON, body, NOW)
    assert [rejection.code for rejection in parsed.rejections] == ["number_out_of_range", "too_deep"]
    assert len(parsed.events) == 1


def test_a_resource_that_cannot_be_read_takes_its_points_with_it_and_no_others() -> None:
    export, other = total(5), total(6)
    export["resourceMetrics"][0]["resource"] = {"attributes": "none"}
    parsed = read({"resourceMetrics": export["resourceMetrics"] + other["resourceMetrics"]})
    assert [rejection.code for rejection in parsed.rejections] == ["malformed"]
    assert len(parsed.events) == 1


@ENCODINGS
def test_attributes_keep_their_kinds_and_the_narrower_wins(encoding: Encoding) -> None:
    nested = {"kvlistValue": {"values": [{"key": "n", "value": {"intValue": "1"}}]}}
    told = [
        *pairs(account="acme", i=7, d=0.1, b=True, user_id="kim", value="mine"),
        {"key": "list", "value": {"arrayValue": {"values": [{"stringValue": "x"}, nested]}}},
        {"key": "bytes", "value": {"bytesValue": "AAE="}},
        {"key": "nan", "value": {"doubleValue": "NaN"}},
        {"key": "service.name", "value": {"stringValue": "narrower"}},
        {"key": "nothing"},
    ]
    event = one(metrics("gauge", point(asInt="1", attributes=told)), encoding)
    assert isinstance(event.data, dict)
    assert {name: event.data[name] for name in ("i", "d", "b", "list", "bytes", "nan")} == {
        "i": 7,
        "d": Decimal("0.1"),
        "b": True,
        "list": ["x", {"n": 1}],
        "bytes": "AAE=",
        "nan": "NaN",
    }
    assert (event.data["value"], event.data["attribute.value"]) == (1, "mine")
    assert path_reader("service.name")(event.data) == "narrower"
    assert event.data["nothing"] is None
    assert (event.source, event.subject) == ("otlp/app", "kim")


def test_a_double_is_the_shortest_decimal_that_stands_for_it() -> None:
    numbers = [from_double(number) for number in (0.1, 1e22, 5.0, -0.0, 1e-7, 0.1 + 0.2)]
    assert numbers == [Decimal("0.1"), 10**22, 5, 0, Decimal("1e-7"), Decimal("0.30000000000000004")]


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_double_loses_nothing(number: float) -> None:
    assert float(from_double(number)) == number


def test_the_id_is_that_of_the_point_whatever_its_value_and_of_no_other_point() -> None:
    def named(**changes: Any) -> str:
        export = total(5)
        point = export["resourceMetrics"][0]["scopeMetrics"][0]["metrics"][0]["sum"]["dataPoints"][0]
        point.update(changes)
        return one(export).id

    assert named() == named(asInt="6") == named(attributes=pairs(feature="export", account="acme"))
    others = [
        named(timeUnixNano=str(AT + 1)),
        named(startTimeUnixNano=str(STARTED + 1)),
        named(attributes=pairs(account="acme", feature="import")),
        one(total(5, isMonotonic=False)).id,
        one(total(5, aggregationTemporality=1)).id,
    ]
    assert len({named(), *others}) == 6


def test_the_stream_is_the_same_over_times_and_starts() -> None:
    first, later = total(5), total(6)
    later["resourceMetrics"][0]["scopeMetrics"][0]["metrics"][0]["sum"]["dataPoints"][0] |= {
        "timeUnixNano": str(AT + 5),
        "startTimeUnixNano": str(AT + 1),
    }
    effects = [one(export).effect for export in (first, later)]
    assert len({effect.stream for effect in effects if isinstance(effect, RunningTotal)}) == 1


@ENCODINGS
def test_a_log_record_is_an_event_by_its_name(encoding: Encoding) -> None:
    record = {
        "timeUnixNano": str(AT),
        "observedTimeUnixNano": str(AT + 7),
        "eventName": "report.exported",
        "severityNumber": 9,
        "severityText": "INFO",
        "body": {"kvlistValue": {"values": pairs(minutes=12)}},
        "attributes": pairs(account="acme", body="mine"),
    }
    event = one(logs(record), encoding)
    assert event.type == "report.exported"
    assert event.data == {
        "service.name": "app",
        "otel.scope.name": "logger",
        "account": "acme",
        "attribute.body": "mine",
        "body": {"minutes": 12},
        "severity": "INFO",
        "severity_number": 9,
    }
    assert path_reader("body.minutes")(event.data) == 12


def test_a_log_record_without_a_name_or_a_time_of_its_own() -> None:
    named = one(logs({"timeUnixNano": AT, "attributes": pairs(account="a", event_name="click")}))
    unnamed = one(logs({"observedTimeUnixNano": AT, "attributes": pairs(account="a")}))
    assert (named.type, unnamed.type, unnamed.time) == ("click", "otlp.log", named.time)


@ENCODINGS
def test_ids_of_traces_are_hex(encoding: Encoding) -> None:
    hexed = {"traceId": "5B8EFFF798038103D269B633813FC60C", "spanId": "EEE19B7EC3C1B174"}
    record = {"timeUnixNano": str(AT), "attributes": pairs(account="a"), **hexed}
    if encoding is Encoding.PROTOBUF:  # the JSON form of protobuf has them in base64
        record |= {"traceId": "W47/95gDgQPSabYzgT/GDA==", "spanId": "7uGbfsPBsXQ="}
    event = one(logs(record), encoding)
    assert isinstance(event.data, dict)
    assert event.data["trace_id"] == hexed["traceId"].lower()
    assert event.data["span_id"] == hexed["spanId"].lower()
    (rejection,) = read(logs({**record, "attributes": []}), encoding).rejections
    kept = json.loads(rejection.body)["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0]
    assert kept["traceId"].lower() == hexed["traceId"].lower()


@ENCODINGS
def test_equal_records_of_a_request_are_told_apart_also_once_they_are_kept(encoding: Encoding) -> None:
    record = {"timeUnixNano": str(AT), "attributes": pairs(customer="acme")}
    rejections = read(logs(record, record, record), encoding).rejections
    section = OtlpSection(("customer",))
    sent = [event.id for event in read(logs(record, record, record), encoding, section).events]
    replayed = [parse_rejected(rejection.body, NOW, section).events[0].id for rejection in rejections]
    assert len(set(sent)) == 3
    assert replayed == sent


def test_enumerations_may_be_named() -> None:
    event = one(total(5, aggregationTemporality="AGGREGATION_TEMPORALITY_DELTA"))
    assert isinstance(event.data, dict)
    assert event.data["delta"] == 5
    record = {"timeUnixNano": str(AT), "severityNumber": "SEVERITY_NUMBER_INFO", "attributes": pairs(account="a")}
    logged = one(logs(record))
    assert isinstance(logged.data, dict)
    assert logged.data["severity_number"] == 9


def test_the_account_is_the_first_attribute_that_is_set() -> None:
    assert account_of(("a", "b"), {"b": "two", "a": ""}) == "two"
    assert account_of(("a",), {"a": 42}) == "42"
    assert account_of(("a",), {"a": ["x"]}) is None


def test_nothing_and_null_and_unknown_fields_are_an_empty_request() -> None:
    for body in (
        b"{}",
        b'{"resourceMetrics":null,"more":[1]}',
        b'\xef\xbb\xbf{"resourceMetrics":[{"scopeMetrics":[{}]}]}',
    ):
        assert parse_request(Signal.METRICS, Encoding.JSON, body, NOW) == Parsed([], [])
    assert parse_request(Signal.LOGS, Encoding.PROTOBUF, b"", NOW) == Parsed([], [])


def test_too_many_points_are_refused_together() -> None:
    with pytest.raises(TooLargeError):
        read(metrics("gauge", *[point(asInt=1)] * 2501))


def test_a_kept_body_that_cannot_be_read_says_so() -> None:
    for body in ("", "no JSON", '{"effect":7}', "[" * 5000):
        with pytest.raises(InvalidInputError):
            parse_rejected(body, NOW)


def test_what_real_exporters_sent_is_taken(shared: Path) -> None:
    body = (shared / "clients/py-otlp-metrics.body.bin").read_bytes()
    parsed = parse_request(Signal.METRICS, Encoding.PROTOBUF, body, NOW)
    assert [(event.type, event.account) for event in parsed.events] == [("minutes_saved", "acme"), ("amount", "acme")]
    totals = [event.effect for event in parsed.events if isinstance(event.effect, RunningTotal)]
    assert [total.value for total in totals] == [Decimal("12.5"), 199]
    body = gzip.decompress((shared / "clients/py-otlp-logs-gzip.body.bin").read_bytes())
    (event,) = parse_request(Signal.LOGS, Encoding.PROTOBUF, body, NOW).events
    assert (event.type, event.account, event.subject) == ("report_exported", "acme", None)


SIGNALS, CODINGS = st.sampled_from(list(Signal)), st.sampled_from(list(Encoding))


def survives(signal: Signal, encoding: Encoding, body: bytes) -> None:
    """Nothing but the documented errors; what is taken and what is not add up, and what is kept can be tried again."""
    try:
        parsed = parse_request(signal, encoding, body, NOW)
    except (InvalidInputError, TooLargeError):
        return
    indexes = [event.index for event in parsed.events] + [rejection.index for rejection in parsed.rejections]
    assert sorted(indexes) == list(range(len(indexes)))
    for rejection in parsed.rejections:
        try:
            again = parse_rejected(rejection.body, NOW)
        except InvalidInputError:
            continue
        assert [each.code for each in again.rejections] == [rejection.code]


@given(signal=SIGNALS, encoding=CODINGS, body=st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(signal: Signal, encoding: Encoding, body: bytes) -> None:
    survives(signal, encoding, body)


# fmt: off
FIELDS = st.sampled_from([
    "resourceMetrics", "resourceLogs", "resource", "scope", "scopeMetrics", "scopeLogs", "metrics",
    "logRecords", "sum", "gauge", "summary", "histogram", "dataPoints", "attributes", "key", "value",
    "stringValue", "intValue", "doubleValue", "arrayValue", "kvlistValue", "values", "asInt", "asDouble",
    "timeUnixNano", "startTimeUnixNano", "count", "name", "body", "flags", "aggregationTemporality",
    "severityNumber", "traceId",
])
# fmt: on
KINDS = st.sampled_from(["sum", "gauge", "histogram", "summary"])
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5)
    | st.sampled_from(["7", "NaN"])
)
ANY_JSON = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(FIELDS, inner, max_size=4))


@given(signal=SIGNALS, body=ANY_JSON)
def test_any_json_is_read_or_refused(signal: Signal, body: object) -> None:
    survives(signal, Encoding.JSON, json.dumps(body).encode())


@given(told=st.dictionaries(FIELDS, ANY_JSON, max_size=6), kind=KINDS)
def test_any_point_is_read_or_rejected(told: dict[str, Any], kind: str) -> None:
    parsed = read(metrics(kind, {**point(asInt="1", count="1"), **told}, aggregationTemporality=2))
    assert len(parsed.events) + len(parsed.rejections) == 1
    survives(Signal.METRICS, Encoding.JSON, json.dumps(metrics(kind, told, point(asInt="1"))).encode())


@given(told=st.dictionaries(FIELDS, ANY_JSON, max_size=6))
def test_any_record_is_read_or_rejected(told: dict[str, Any]) -> None:
    parsed = read(logs({"timeUnixNano": str(AT), "attributes": pairs(account="a"), **told}))
    assert len(parsed.events) + len(parsed.rejections) == 1


@given(cut=st.integers(0, 400), byte=st.integers(0, 255), encoding=CODINGS)
def test_a_damaged_request_is_read_or_refused(cut: int, byte: int, encoding: Encoding) -> None:
    body = json.dumps(total(0.1)).encode()
    if encoding is Encoding.PROTOBUF:
        body = ParseDict(total(0.1), ExportMetricsServiceRequest()).SerializeToString()
    cut %= len(body)
    survives(Signal.METRICS, encoding, body[:cut] + bytes([byte]) + body[cut + 1 :])
