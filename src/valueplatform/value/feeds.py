"""How event types and properties lead to drivers, by the model alone. Pure.

A driver takes a type where one of its meters reads it, and a property where a meter of it reads that as its property or
in its filter: a dimension only cuts what is there.
"""

from collections.abc import Mapping
from functools import cached_property

from valueplatform.telemetry.filters import filter_paths
from valueplatform.telemetry.meters import Aggregation, Meter
from valueplatform.value.formula import Formula
from valueplatform.value.model import Driver, Feature, ValueModel
from valueplatform.value.worth import Standing

_NUMERIC_FREE = frozenset({Aggregation.COUNT, Aggregation.UNIQUE_COUNT})


class Paths:
    """What a model takes from events; of no model, nothing."""

    def __init__(self, model: ValueModel | None) -> None:
        self._model = model
        self.meters: tuple[Meter, ...] = model.meters if model else ()
        meters = {meter.slug: meter for meter in self.meters}
        self.drivers: Mapping[str, Driver] = {driver.slug: driver for driver in model.drivers} if model else {}
        self.meters_of: Mapping[str, tuple[Meter, ...]] = {
            slug: tuple(meters[name] for name in sorted(Formula.parse(driver.formula).names) if name in meters)
            for slug, driver in self.drivers.items()
        }

    @cached_property
    def fed(self) -> Mapping[tuple[str, str], tuple[str, ...]]:
        """The drivers by type and path; '' is the type itself."""
        found: dict[tuple[str, str], dict[str, None]] = {}
        for slug, meters in self.meters_of.items():
            for meter in meters:
                for kind in meter.event_types:
                    for path in ("", *read_paths(meter)):
                        found.setdefault((kind, path), {})[slug] = None
        return {place: tuple(sorted(slugs)) for place, slugs in sorted(found.items())}

    @cached_property
    def mapped(self) -> frozenset[str]:
        """The types that a meter reads, whether a driver takes it or not."""
        return frozenset(kind for meter in self.meters for kind in meter.event_types)

    @cached_property
    def known(self) -> frozenset[str]:
        """Every type that the model names."""
        if self._model is None:
            return frozenset()
        shown = {kind for feature in self._model.features for kind in feature.event_types}
        return self.mapped | shown | {one.slug for one in self._model.event_types}

    def features_of(self, kind: str) -> tuple[Feature, ...]:
        return tuple(one for one in (self._model.features if self._model else ()) if kind in one.event_types)

    def tied(self, kind: str) -> tuple[str, ...]:
        """The drivers that the model ties to an unmapped type, through a feature whose use it shows."""
        features = {feature.slug for feature in self.features_of(kind)}
        return tuple(slug for slug, driver in sorted(self.drivers.items()) if features & set(driver.features))

    def is_eligible(self, kind: str, account: Standing) -> bool:
        """Whether the account might send the type: it does, or it sends something, its segment may have a feature that
        the type shows, and it uses that one's product, as far as other types show that use."""
        if not account.sends:
            return False
        features = self.features_of(kind)
        if not features or kind in account.types:
            return True
        return any(self._admits(feature, kind, account) for feature in features)

    def _admits(self, feature: Feature, kind: str, account: Standing) -> bool:
        if feature.eligible_segments and account.segment not in feature.eligible_segments:
            return False
        siblings = self.siblings(feature, kind)
        return not siblings or bool(siblings & account.types)

    def siblings(self, feature: Feature, kind: str) -> frozenset[str]:
        """The other types that show the use of the feature's product."""
        if feature.product is None or self._model is None:
            return frozenset()
        same = [one for one in self._model.features if one.product == feature.product]
        return frozenset(other for one in same for other in one.event_types) - {kind}

    def lacking(self, driver: str, account: Standing, kind: str) -> tuple[str, ...]:
        """What else the account would have to send for the driver: of each meter that reads none of what it sends, nor
        `kind`, the first type."""
        found = {
            meter.event_types[0]
            for meter in self.meters_of[driver]
            if kind not in meter.event_types and not account.types.intersection(meter.event_types)
        }
        return tuple(sorted(found))

    def numbers(self, driver: str, kind: str) -> frozenset[str]:
        """The paths of the numbers that the driver's meters read of a type."""
        return frozenset(
            meter.property
            for meter in self.meters_of[driver]
            if kind in meter.event_types and meter.property is not None and meter.aggregation not in _NUMERIC_FREE
        )


def read_paths(meter: Meter) -> tuple[str, ...]:
    """The properties without which the meter has nothing, or something else."""
    own = (meter.property,) if meter.property is not None else ()
    return tuple(dict.fromkeys((*own, *(filter_paths(meter.filter) if meter.filter is not None else ()))))
