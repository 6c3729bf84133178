"""The messages of OTLP as JSON has them, and the values in them.

Resources, scopes, points and records stay text until each is read by itself.
"""

from collections.abc import Iterable
from typing import Any

import msgspec

from valueplatform.telemetry.otlp_wire import Kind, Number, attribute_double, from_double, integer_of
from valueplatform.telemetry.payload import RefusedEventError, decode


class _Json(msgspec.Struct, rename="camel"):
    """Fields are as protobuf has them; null is as good as absent."""


class PointsJson(_Json):
    data_points: list[msgspec.Raw] | None = None
    aggregation_temporality: int | str | None = None
    is_monotonic: bool | None = None


class MetricJson(_Json):
    name: str | None = None
    unit: str | None = None
    sum: PointsJson | None = None
    gauge: PointsJson | None = None
    histogram: PointsJson | None = None
    exponential_histogram: PointsJson | None = None
    summary: PointsJson | None = None

    def data(self) -> tuple[Kind, PointsJson] | None:
        """The kind that is set; the last one, where several are."""
        found = [
            (Kind.SUM, self.sum),
            (Kind.GAUGE, self.gauge),
            (Kind.HISTOGRAM, self.histogram),
            (Kind.EXPONENTIAL_HISTOGRAM, self.exponential_histogram),
            (Kind.SUMMARY, self.summary),
        ]
        return next(((kind, points) for kind, points in reversed(found) if points is not None), None)


class ScopeMetricsJson(_Json):
    scope: msgspec.Raw = msgspec.Raw()
    metrics: list[MetricJson] | None = None


class ResourceMetricsJson(_Json):
    resource: msgspec.Raw = msgspec.Raw()
    scope_metrics: list[ScopeMetricsJson] | None = None


class MetricsJson(_Json):
    resource_metrics: list[ResourceMetricsJson] | None = None


class ScopeLogsJson(_Json):
    scope: msgspec.Raw = msgspec.Raw()
    log_records: list[msgspec.Raw] | None = None


class ResourceLogsJson(_Json):
    resource: msgspec.Raw = msgspec.Raw()
    scope_logs: list[ScopeLogsJson] | None = None


class LogsJson(_Json):
    resource_logs: list[ResourceLogsJson] | None = None


class ArrayJson(_Json):
    values: "list[ValueJson | None] | None" = None


class PairsJson(_Json):
    values: "list[PairJson] | None" = None


class ValueJson(_Json):
    string_value: str | None = None
    bool_value: bool | None = None
    int_value: Any = None
    double_value: Any = None
    array_value: ArrayJson | None = None
    kvlist_value: PairsJson | None = None
    bytes_value: str | None = None


class PairJson(_Json):
    key: str | None = None
    value: ValueJson | None = None


class ResourceJson(_Json):
    attributes: list[PairJson] | None = None


class ScopeJson(_Json):
    name: str | None = None
    version: str | None = None
    attributes: list[PairJson] | None = None


class PointJson(_Json):
    attributes: list[PairJson] | None = None
    start_time_unix_nano: Any = None
    time_unix_nano: Any = None
    flags: int | None = None
    as_double: Any = None
    as_int: Any = None
    count: Any = None
    sum: Any = None
    min: Any = None
    max: Any = None


class RecordJson(_Json):
    attributes: list[PairJson] | None = None
    time_unix_nano: Any = None
    observed_time_unix_nano: Any = None
    event_name: str | None = None
    severity_number: Any = None
    severity_text: str | None = None
    body: ValueJson | None = None
    trace_id: str | None = None
    span_id: str | None = None


def number_in(value: object, name: str) -> Number | None:
    if isinstance(value, str):
        value = _double(value, name)
        return from_double(value) if isinstance(value, float) else value
    if value is None or (isinstance(value, Number) and not isinstance(value, bool)):
        return value
    raise _not_a_number(value, name)


def _double(text: str, name: str) -> Number | float:
    """A number in a string, as protobuf allows; a float only for NaN and the infinities."""
    if text in {"NaN", "Infinity", "-Infinity"}:
        return float(text)
    try:
        number = decode(text)
    except (msgspec.DecodeError, ValueError, TypeError) as error:
        raise _not_a_number(text, name) from error
    if not isinstance(number, Number) or isinstance(number, bool):
        raise _not_a_number(text, name)
    return number


def _not_a_number(value: object, name: str) -> RefusedEventError:
    return RefusedEventError("not_a_number", f"{name} is {str(value)[:40]!r}, which is no number.")


def attributes_in(pairs: Iterable[PairJson] | None) -> dict[str, object]:
    return {pair.key or "": value_in(pair.value) for pair in pairs or ()}


def value_in(value: ValueJson | None) -> object:
    if value is None:
        return None
    if value.int_value is not None:
        return integer_of(value.int_value, "intValue")
    if value.double_value is not None:
        if isinstance(value.double_value, str):
            number = _double(value.double_value, "doubleValue")
            return attribute_double(number) if isinstance(number, float) else number
        return number_in(value.double_value, "doubleValue")
    if value.array_value is not None:
        return [value_in(each) for each in value.array_value.values or ()]
    if value.kvlist_value is not None:
        return attributes_in(value.kvlist_value.values)
    scalars = (value.string_value, value.bool_value, value.bytes_value)
    return next((scalar for scalar in scalars if scalar is not None), None)
