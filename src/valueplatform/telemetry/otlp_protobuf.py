"""OTLP as protobuf. The messages are those of the OpenTelemetry project."""

import base64
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any, Final

import msgspec
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import DecodeError, Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.metrics.v1 import metrics_pb2
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from valueplatform.core.errors import InvalidInputError
from valueplatform.telemetry.otlp_wire import (
    Kind,
    Metric,
    Number,
    Point,
    PointItem,
    Record,
    RecordItem,
    Surroundings,
    attribute_double,
    count_of,
    first_of,
    from_double,
    no_value,
    temporality_of,
    time_of,
)

_ENCODER: Final = msgspec.json.Encoder()
_NO_VALUE: Final = int(metrics_pb2.DATA_POINT_FLAGS_NO_RECORDED_VALUE_MASK)
_KINDS: Final = {
    "sum": Kind.SUM,
    "gauge": Kind.GAUGE,
    "histogram": Kind.HISTOGRAM,
    "exponential_histogram": Kind.EXPONENTIAL_HISTOGRAM,
    "summary": Kind.SUMMARY,
}


def metric_points(body: bytes) -> list[PointItem]:
    """Raises InvalidInputError where the body is no ExportMetricsServiceRequest."""
    request = ExportMetricsServiceRequest()
    _parse(request, body)
    return first_of(_metric_points(request))


def log_records(body: bytes) -> list[RecordItem]:
    """Raises InvalidInputError where the body is no ExportLogsServiceRequest."""
    request = ExportLogsServiceRequest()
    _parse(request, body)
    return first_of(_log_records(request))


def _parse(request: Message, body: bytes) -> None:
    try:
        request.ParseFromString(body)
    except DecodeError as error:
        raise InvalidInputError(f"The body is no {type(request).__name__}: {error}; nothing was stored.") from error


def _metric_points(request: ExportMetricsServiceRequest) -> Iterator[PointItem]:
    for resource_metrics in request.resource_metrics:
        resource = _Shared(resource_metrics.resource)
        for scope_metrics in resource_metrics.scope_metrics:
            around = _Around(resource, scope_metrics.scope)
            for metric in scope_metrics.metrics:
                field = metric.WhichOneof("data")
                if field is not None:
                    for point in getattr(metric, field).data_points:
                        yield _ProtobufPoint(around, metric, field, point)


def _log_records(request: ExportLogsServiceRequest) -> Iterator[RecordItem]:
    for resource_logs in request.resource_logs:
        resource = _Shared(resource_logs.resource)
        for scope_logs in resource_logs.scope_logs:
            around = _Around(resource, scope_logs.scope)
            for record in scope_logs.log_records:
                yield _ProtobufRecord(around, record)


class _Shared:
    """The attributes of a resource or a scope, read once however many items it has."""

    def __init__(self, message: Resource | InstrumentationScope) -> None:
        self.message = message

    @cached_property
    def attributes(self) -> dict[str, object]:
        return _attributes(self.message.attributes)

    @cached_property
    def plain(self) -> dict[str, Any]:
        return MessageToDict(self.message)


class _Around:
    """What stands around the items of one scope."""

    def __init__(self, resource: _Shared, scope: InstrumentationScope) -> None:
        self.resource = resource
        self.scope = _Shared(scope)
        self._named = (scope.name, scope.version)

    @cached_property
    def read(self) -> Surroundings:
        return Surroundings(self.resource.attributes, self.scope.attributes, *self._named)

    def alone(self, signal: str, scoped: str, items: str, item: dict[str, Any]) -> str:
        inner = {"scope": self.scope.plain, items: [item]}
        return _ENCODER.encode({signal: [{"resource": self.resource.plain, scoped: [inner]}]}).decode()


class _ProtobufPoint(PointItem):
    def __init__(self, around: _Around, metric: metrics_pb2.Metric, field: str, point: Any) -> None:
        self._around = around
        self._metric = metric
        self._field = field
        self._point = point

    @property
    def size(self) -> int:
        return int(self._point.ByteSize())

    def surroundings(self) -> Surroundings:
        return self._around.read

    def attributes(self) -> dict[str, object]:
        return _attributes(self._point.attributes)

    def metric(self) -> Metric:
        metric, kind = self._metric, _KINDS[self._field]
        data = getattr(metric, self._field)
        return Metric(
            metric.name,
            metric.unit,
            kind,
            temporality_of(kind, getattr(data, "aggregation_temporality", None)),
            getattr(data, "is_monotonic", False),
        )

    def point(self) -> Point:
        point = self._point
        attributes = self.attributes()
        start = time_of(point.start_time_unix_nano, "startTimeUnixNano")
        time = time_of(point.time_unix_nano, "timeUnixNano")
        if point.flags & _NO_VALUE:
            raise no_value()
        if self._field in {"sum", "gauge"}:
            field = point.WhichOneof("value")
            if field is None:
                raise no_value()
            value = point.as_int if field == "as_int" else from_double(point.as_double)
            return Point(attributes, start, time, value)
        total = point.sum if self._field == "summary" else _optional(point, "sum")
        value = None if total is None else from_double(total)
        bounds = [_bound(point, name) for name in ("min", "max")] if self._field != "summary" else [None, None]
        return Point(attributes, start, time, value, count_of(point.count), *bounds)

    def alone(self) -> str:
        metric = metrics_pb2.Metric()
        held, data = (getattr(each, self._field) for each in (self._metric, metric))
        metric.name, metric.unit = self._metric.name, self._metric.unit
        for name in ("aggregation_temporality", "is_monotonic"):
            if hasattr(held, name):
                setattr(data, name, getattr(held, name))
        data.data_points.append(self._point)
        plain = MessageToDict(metric, use_integers_for_enums=True)
        return self._around.alone("resourceMetrics", "scopeMetrics", "metrics", plain)


class _ProtobufRecord(RecordItem):
    def __init__(self, around: _Around, record: LogRecord) -> None:
        self._around = around
        self._record = record

    @property
    def size(self) -> int:
        return self._record.ByteSize()

    def surroundings(self) -> Surroundings:
        return self._around.read

    def attributes(self) -> dict[str, object]:
        return _attributes(self._record.attributes)

    def record(self) -> Record:
        record = self._record
        return Record(
            self.attributes(),
            time_of(record.time_unix_nano, "timeUnixNano"),
            time_of(record.observed_time_unix_nano, "observedTimeUnixNano"),
            record.event_name,
            int(record.severity_number),
            record.severity_text,
            _value(record.body),
            record.trace_id.hex(),
            record.span_id.hex(),
        )

    def alone(self) -> str:
        plain = MessageToDict(self._record, use_integers_for_enums=True)
        # The ids are hex in OTLP/JSON, not base64 as elsewhere in the JSON form of protobuf.
        ids = {"traceId": self._record.trace_id, "spanId": self._record.span_id}
        plain |= {name: identity.hex() for name, identity in ids.items() if identity}
        return self._around.alone("resourceLogs", "scopeLogs", "logRecords", plain)


def _optional(point: Any, name: str) -> float | None:
    return getattr(point, name) if point.HasField(name) else None


def _bound(point: Any, name: str) -> Number | None:
    value = _optional(point, name)
    return None if value is None else from_double(value)


def _attributes(pairs: Iterable[KeyValue]) -> dict[str, object]:
    return {pair.key: _value(pair.value) for pair in pairs}


def _value(value: AnyValue) -> object:
    match value.WhichOneof("value"):
        case "string_value":
            return value.string_value
        case "bool_value":
            return value.bool_value
        case "int_value":
            return value.int_value
        case "double_value":
            return attribute_double(value.double_value)
        case "array_value":
            return [_value(each) for each in value.array_value.values]
        case "kvlist_value":
            return _attributes(value.kvlist_value.values)
        case "bytes_value":
            return base64.b64encode(value.bytes_value).decode()
    return None
