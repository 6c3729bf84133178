"""Whether two meters read the same of the same events, so that what one counts may be counted by the other as well.

*The same of them*: the events themselves (COUNT), the members that one property names (UNIQUE_COUNT), or the numbers in
one property (all others: a sum and a mean of the same minutes speak of the same minutes). *The same events*: a type in
common, and filters that cannot be shown to let no event through both (decision 0042).
"""

from valueplatform.telemetry.filter_disjoint import are_disjoint
from valueplatform.telemetry.filters import FilterError
from valueplatform.telemetry.meters import Aggregation, Meter


def count_the_same(first: Meter, second: Meter) -> bool:
    """A filter that cannot be read is told of where meters are checked; here it rules nothing out."""
    if _read_of_events(first) != _read_of_events(second) or not {*first.event_types} & {*second.event_types}:
        return False
    try:
        return not are_disjoint(first.filter, second.filter)
    except FilterError:
        return True


def _read_of_events(meter: Meter) -> tuple[str, str | None]:
    match meter.aggregation:
        case Aggregation.COUNT:
            return "events", None
        case Aggregation.UNIQUE_COUNT:
            return "members", meter.property
    return "numbers", meter.property
