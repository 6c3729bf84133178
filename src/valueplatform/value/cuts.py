"""By which dimensions of meters a driver's value may be divided, and why it may not: formulas that add, of meters that
add over members and are kept by the dimension."""

from collections.abc import Sequence

from valueplatform.telemetry.meters import ADDITIVE, Meter
from valueplatform.value.formula import Formula
from valueplatform.value.model import Driver, ValueModel


def why_uncut(driver: Driver, model: ValueModel, dimensions: Sequence[str]) -> str | None:
    """Why the driver's value cannot be divided so."""
    for version in versions_of(model, driver.slug):
        formula = Formula.parse(version.formula)
        meters = [meter for meter in model.meters if meter.slug in formula.names]
        if not formula.is_additive_in([meter.slug for meter in meters]):
            return "its formula does not add"
        for meter in meters:
            why = why_not_kept(meter, dimensions)
            if why is not None:
                return why
    return None


def why_not_kept(meter: Meter, dimensions: Sequence[str]) -> str | None:
    if meter.aggregation not in ADDITIVE:
        return f"its meter {meter.slug!r} ({meter.aggregation}) does not add over members"
    missing = next((path for path in dimensions if path not in meter.dimensions), None)
    return f"its meter {meter.slug!r} is not kept by {missing!r}" if missing is not None else None


def dimensions_of(driver: Driver, model: ValueModel) -> list[str]:
    """The dimensions that the driver's value may be cut by."""
    named = {path for meter in model.meters for path in meter.dimensions}
    return [path for path in sorted(named) if why_uncut(driver, model, [path]) is None]


def versions_of(model: ValueModel, slug: str) -> list[Driver]:
    return [driver for driver in model.driver_versions if driver.slug == slug]


def names_of(model: ValueModel, slug: str) -> frozenset[str]:
    """What the formulas of the driver read, in all of its versions: a step may put one in the place of the other."""
    return frozenset(name for driver in versions_of(model, slug) for name in Formula.parse(driver.formula).names)
