"""OTLP data points as events. The type is the metric's name, the time the point's.

`data` is flat, so that meters name attributes as their senders do (`feature`, `service.name`): those of resource,
scope (and `otel.scope.name`, `otel.scope.version`) and point, the narrower one wins; then what was measured:

- `value`: the number as it was sent; of a histogram or summary, the sum of what was measured; and `unit`.
- `count`, `min`, `max` of a histogram or summary. Buckets, quantiles and exemplars are not kept.
- `delta`, `count_delta`: what was added to `value` and `count`. **Meters sum these.** Of points with delta temporality
  it is what they tell, of cumulative ones `running_totals` finds it out. A gauge adds nothing and has none.
- `late`: the point came after a later one of its counter.

An attribute that has one of these names is found under `attribute.` and its name. The id is a hash of the stream
(resource, scope, name, unit, kind, attributes), start and time: a point that is sent again is known again.
"""

from decimal import Decimal
from typing import Final

from valueplatform.telemetry.event import Attributes, Event, hash_id, make_event
from valueplatform.telemetry.otlp_events import Reader, flat, moment, source_of, with_effect
from valueplatform.telemetry.otlp_wire import Kind, Metric, Point, PointItem, Surroundings, Temporality
from valueplatform.telemetry.payload import RefusedEventError, normal_form
from valueplatform.telemetry.running_totals import (
    ADDED_FIELDS,
    COUNT_DELTA,
    DELTA,
    RunningTotal,
    metered_delta,
    number_of,
)

MEASURED: Final = frozenset({"value", "unit", "count", "min", "max"}) | ADDED_FIELDS


def metric_event(index: int, item: PointItem, reader: Reader) -> Event:
    """Raises RefusedEventError for a point that cannot be taken."""
    around, metric, point = item.surroundings(), item.metric(), item.point()
    _check_times(point)
    attributes = flat(around, point.attributes, MEASURED)
    stream = hash_id(normal_form(_identity(around, metric, point)))
    adds = metric.kind is not Kind.GAUGE
    data = attributes | _measured(metric, point)
    if metric.temporality is Temporality.DELTA:
        data |= _told_additions(point)
    event = make_event(
        index,
        Attributes(
            id=hash_id(f"{stream.hex} {point.start} {point.time}".encode()).hex,
            source=source_of(around),
            type=metric.name,
            account=reader.account(attributes),
            time=moment(point.time),
            subject=reader.person(attributes),
        ),
        data,
        reader.received_at,
    )
    if not adds or metric.temporality is not Temporality.CUMULATIVE:
        return event
    value = None if point.value is None else Decimal(point.value)
    total = RunningTotal(stream, point.start, point.time, value, point.count, metric.monotonic)
    return with_effect(event, total)


def _check_times(point: Point) -> None:
    if not point.time:
        raise RefusedEventError("missing_time", "The data point has no time; set timeUnixNano.")
    if point.start > point.time:
        raise RefusedEventError(
            "invalid_time", f"The data point starts at {point.start}, after its time {point.time}; check the clock."
        )


def _identity(around: Surroundings, metric: Metric, point: Point) -> list[object]:
    """What makes a stream one, by the data model of OpenTelemetry."""
    return [
        around.resource,
        [around.scope_name, around.scope_version, around.scope],
        [metric.name, metric.unit, metric.kind, int(metric.temporality), metric.monotonic],
        point.attributes,
    ]


def _measured(metric: Metric, point: Point) -> dict[str, object]:
    found = {
        "value": point.value,
        "unit": metric.unit or None,
        "count": point.count,
        "min": point.least,
        "max": point.most,
    }
    return {name: value for name, value in found.items() if value is not None}


def _told_additions(point: Point) -> dict[str, object]:
    found: dict[str, object] = {}
    if point.value is not None:
        found[DELTA] = number_of(metered_delta(Decimal(point.value)))
    if point.count is not None:
        found[COUNT_DELTA] = point.count
    return found
