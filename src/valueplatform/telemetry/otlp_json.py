"""OTLP as JSON: hex ids, 64-bit integers as strings, enumerations as numbers, unknown fields ignored.

The outer levels are read at once, each resource, scope, point and record by itself. Numbers are exact: what JSON
writes as a decimal is that decimal.
"""

from collections.abc import Iterator
from functools import cached_property
from typing import Any, Final, Generic, TypeVar

import msgspec
from opentelemetry.proto.logs.v1.logs_pb2 import SeverityNumber
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality

from valueplatform.core.errors import InvalidInputError
from valueplatform.telemetry.dialect import BYTE_ORDER_MARK
from valueplatform.telemetry.otlp_json_shapes import (
    LogsJson,
    MetricJson,
    MetricsJson,
    PointJson,
    PointsJson,
    RecordJson,
    ResourceJson,
    ScopeJson,
    attributes_in,
    number_in,
    value_in,
)
from valueplatform.telemetry.otlp_wire import (
    Kind,
    Metric,
    Point,
    PointItem,
    Record,
    RecordItem,
    Surroundings,
    count_of,
    first_of,
    integer_of,
    no_value,
    temporality_of,
    time_of,
)
from valueplatform.telemetry.payload import RefusedEventError, check_depth, too_deep, wire_number

_NO_VALUE: Final = 1
_NOTHING: Final = frozenset({b"", b"null"})
_ENCODER: Final = msgspec.json.Encoder()
Shape = TypeVar("Shape")

_METRICS: Final = msgspec.json.Decoder(MetricsJson)
_LOGS: Final = msgspec.json.Decoder(LogsJson)
_RESOURCE: Final = msgspec.json.Decoder(ResourceJson, float_hook=wire_number)
_SCOPE: Final = msgspec.json.Decoder(ScopeJson, float_hook=wire_number)
_POINT: Final = msgspec.json.Decoder(PointJson, float_hook=wire_number)
_RECORD: Final = msgspec.json.Decoder(RecordJson, float_hook=wire_number)


def metric_points(body: bytes) -> list[PointItem]:
    """Raises InvalidInputError where the body is no ExportMetricsServiceRequest."""
    return first_of(_metric_points(_whole(body, _METRICS)))


def log_records(body: bytes) -> list[RecordItem]:
    """Raises InvalidInputError where the body is no ExportLogsServiceRequest."""
    return first_of(_log_records(_whole(body, _LOGS)))


def _whole(body: bytes, decoder: "msgspec.json.Decoder[Shape]") -> Shape:
    try:
        return decoder.decode(body.removeprefix(BYTE_ORDER_MARK))
    except RecursionError as error:
        raise InvalidInputError(too_deep().message) from error
    except ValueError as error:  # also what msgspec raises, and text that is not UTF-8
        raise InvalidInputError(f"The body is no OTLP/JSON export request: {error}; nothing was stored.") from error


def _metric_points(request: MetricsJson) -> Iterator[PointItem]:
    for resource_metrics in request.resource_metrics or ():
        resource = _Shared(resource_metrics.resource, _RESOURCE)
        for scope_metrics in resource_metrics.scope_metrics or ():
            around = _Around(resource, scope_metrics.scope)
            for metric in scope_metrics.metrics or ():
                data = metric.data()
                if data is not None:
                    for point in data[1].data_points or ():
                        yield _JsonPoint(around, metric, *data, point)


def _log_records(request: LogsJson) -> Iterator[RecordItem]:
    for resource_logs in request.resource_logs or ():
        resource = _Shared(resource_logs.resource, _RESOURCE)
        for scope_logs in resource_logs.scope_logs or ():
            around = _Around(resource, scope_logs.scope)
            for record in scope_logs.log_records or ():
                yield _JsonRecord(around, record)


class _Shared(Generic[Shape]):
    """A resource or a scope, read once however many items it has."""

    def __init__(self, raw: msgspec.Raw, decoder: "msgspec.json.Decoder[Shape]") -> None:
        self.raw = msgspec.Raw(b"{}") if bytes(raw) in _NOTHING else raw
        self._decoder = decoder

    def read(self) -> tuple[Shape, dict[str, object]]:
        """Itself, and its attributes. Raises RefusedEventError."""
        if isinstance(self._found, RefusedEventError):
            raise self._found
        return self._found

    @cached_property
    def _found(self) -> tuple[Shape, dict[str, object]] | RefusedEventError:
        try:
            shape: Any = _decoded(self.raw, self._decoder)
            return shape, attributes_in(shape.attributes)
        except RefusedEventError as refusal:
            return refusal


class _Around:
    """What stands around the items of one scope."""

    def __init__(self, resource: _Shared[ResourceJson], scope: msgspec.Raw) -> None:
        self.resource = resource
        self.scope = _Shared(scope, _SCOPE)

    def read(self) -> Surroundings:
        (_, resource), (scope, attributes) = self.resource.read(), self.scope.read()
        return Surroundings(resource, attributes, scope.name or "", scope.version or "")

    def alone(self, signal: str, scoped: str, items: str, item: object) -> str:
        inner = {"scope": self.scope.raw, items: [item]}
        request = {signal: [{"resource": self.resource.raw, scoped: [inner]}]}
        return _ENCODER.encode(request).decode(errors="backslashreplace")


class _JsonPoint(PointItem):
    def __init__(self, around: _Around, metric: MetricJson, kind: Kind, points: PointsJson, raw: msgspec.Raw) -> None:
        self._around = around
        self._metric = metric
        self._kind = kind
        self._points = points
        self._raw = raw

    @property
    def size(self) -> int:
        return len(bytes(self._raw))

    def surroundings(self) -> Surroundings:
        return self._around.read()

    def attributes(self) -> dict[str, object]:
        return attributes_in(_decoded(self._raw, _POINT).attributes)

    def metric(self) -> Metric:
        return Metric(
            self._metric.name or "",
            self._metric.unit or "",
            self._kind,
            temporality_of(self._kind, _named(self._points.aggregation_temporality, AggregationTemporality)),
            self._points.is_monotonic or False,
        )

    def point(self) -> Point:
        point = _decoded(self._raw, _POINT)
        attributes = attributes_in(point.attributes)
        start = time_of(point.start_time_unix_nano, "startTimeUnixNano")
        time = time_of(point.time_unix_nano, "timeUnixNano")
        if (point.flags or 0) & _NO_VALUE:
            raise no_value()
        if self._kind in {Kind.SUM, Kind.GAUGE}:
            if point.as_int is not None:
                return Point(attributes, start, time, integer_of(point.as_int, "asInt"))
            value = number_in(point.as_double, "asDouble")
            if value is None:
                raise no_value()
            return Point(attributes, start, time, value)
        total = 0 if point.sum is None and self._kind is Kind.SUMMARY else point.sum
        return Point(
            attributes,
            start,
            time,
            number_in(total, "sum"),
            count_of(point.count),
            number_in(point.min, "min"),
            number_in(point.max, "max"),
        )

    def alone(self) -> str:
        points = self._points
        said = {
            "dataPoints": [self._raw],
            "aggregationTemporality": points.aggregation_temporality,
            "isMonotonic": points.is_monotonic,
        }
        held = {"name": self._metric.name, "unit": self._metric.unit, self._kind.value: _set(said)}
        metric = _set(held)
        return self._around.alone("resourceMetrics", "scopeMetrics", "metrics", metric)


class _JsonRecord(RecordItem):
    def __init__(self, around: _Around, raw: msgspec.Raw) -> None:
        self._around = around
        self._raw = raw

    @property
    def size(self) -> int:
        return len(bytes(self._raw))

    def surroundings(self) -> Surroundings:
        return self._around.read()

    def attributes(self) -> dict[str, object]:
        return attributes_in(_decoded(self._raw, _RECORD).attributes)

    def record(self) -> Record:
        record = _decoded(self._raw, _RECORD)
        return Record(
            attributes_in(record.attributes),
            time_of(record.time_unix_nano, "timeUnixNano"),
            time_of(record.observed_time_unix_nano, "observedTimeUnixNano"),
            record.event_name or "",
            integer_of(_named(record.severity_number, SeverityNumber), "severityNumber"),
            record.severity_text or "",
            value_in(record.body),
            (record.trace_id or "").lower(),
            (record.span_id or "").lower(),
        )

    def alone(self) -> str:
        return self._around.alone("resourceLogs", "scopeLogs", "logRecords", self._raw)


def _set(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _decoded(raw: msgspec.Raw, decoder: "msgspec.json.Decoder[Shape]") -> Shape:
    text = bytes(raw)
    check_depth(text)
    try:
        return decoder.decode(text)
    except UnicodeDecodeError as error:
        raise RefusedEventError("invalid_utf8", f"It is not UTF-8: {error.reason}.") from error
    except (msgspec.DecodeError, ValueError) as error:
        raise RefusedEventError("malformed", f"It is not what OTLP/JSON has here: {error}.") from error
    except RecursionError as error:
        raise too_deep() from error


def _named(value: object, names: Any) -> object:
    """The number of an enumeration. OTLP/JSON has numbers alone; other writers of protobuf give names."""
    return names.Value(value) if isinstance(value, str) and value in names.keys() else value  # noqa: SIM118 - no dict
