"""Which drivers rest on which meters."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from valueplatform.value.formula import Formula
from valueplatform.value.model import ValueModel


def drivers_by_meter(model: ValueModel | None) -> Mapping[str, Sequence[str]]:
    """The slugs of the drivers whose formula names a meter, sorted, by the meter's slug."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    if model is None:
        return found
    meters = {meter.slug for meter in model.meters}
    for driver in sorted(model.drivers, key=lambda one: one.slug):
        for name in sorted(Formula.parse(driver.formula).names & meters):
            found[name].append(driver.slug)
    return found
