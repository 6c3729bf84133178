"""What a use of a feature is, where value is told per use: one of the meter that its hypothesis names, else one event.
Pure.

The hypothesis says in what the feature's use shows, such as visits; an event may be a batch of them. Where several
features serve a driver of this one, their value is divided by readings of the dimension `feature`: then what the meter
counts of this feature is what carries it, where the meter keeps that dimension, and otherwise all that it counts.
"""

from typing import Final

import msgspec

from valueplatform.telemetry.meters import ADDITIVE, Meter
from valueplatform.value.feature_worth import DIMENSION
from valueplatform.value.model import Feature, ValueModel

EVENT: Final = "event"


class Measure(msgspec.Struct, frozen=True):
    """`meter` None: events of the feature. `carried`: only readings that carry the feature count. `unit` is what one of
    them is called, '' where the meter does not say."""

    meter: str | None
    title: str
    unit: str
    carried: bool
    says: str


def measure_of(model: ValueModel, feature: Feature) -> Measure:
    meter = model.meter(feature.meter) if feature.meter is not None else None
    if meter is None:
        return _events("Its hypothesis names no meter, so a use is one of its events.")
    if meter.aggregation not in ADDITIVE:
        return _events(
            f"Days of the meter {meter.slug!r}, which its hypothesis names, do not add up ({meter.aggregation}), so a "
            "use is one of its events."
        )
    carried = DIMENSION in meter.dimensions and is_shared(model, feature)
    part = ", as far as its readings carry this feature" if carried else ""
    title = meter.title or meter.slug.replace("_", " ").capitalize()
    return Measure(
        meter.slug, title, meter.unit or "", carried, f"By the meter that its hypothesis names{part}: {title}."
    )


def is_shared(model: ValueModel, feature: Feature) -> bool:
    """Whether a driver that it serves is served by others too."""
    return any(feature.slug in driver.features and len(driver.features) > 1 for driver in model.drivers)


def metered(model: ValueModel, measure: Measure) -> tuple[Meter, int] | None:
    """The meter of the measure, and the place of the dimension that must carry the feature, from 1 (0: none)."""
    meter = model.meter(measure.meter) if measure.meter is not None else None
    if meter is None:
        return None
    return meter, meter.dimensions.index(DIMENSION) + 1 if measure.carried else 0


def _events(says: str) -> Measure:
    return Measure(None, "Events", EVENT, False, says)
