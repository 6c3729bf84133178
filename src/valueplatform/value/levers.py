"""What a scenario may move, and which meters and drivers that reaches."""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Final

import msgspec

from valueplatform.telemetry.meters import ADDITIVE, Aggregation
from valueplatform.value.accruals import input_names
from valueplatform.value.formula import Formula
from valueplatform.value.model import ValueModel
from valueplatform.value.ranges import Range

GROWS: Final = ADDITIVE | {Aggregation.UNIQUE_COUNT}
"""Aggregations that grow with usage; an average, an extreme or a level does not."""


class Usage(msgspec.Struct, frozen=True, tag_field="kind", tag="usage", forbid_unknown_fields=True):
    """How much of a meter there is, times `times`."""

    meter: str
    times: Decimal


class Adoption(msgspec.Struct, frozen=True, tag_field="kind", tag="adoption", forbid_unknown_fields=True):
    """How much a feature is used, times `times`; 0 = it is switched off."""

    feature: str
    times: Decimal


class SwitchOn(msgspec.Struct, frozen=True, tag_field="kind", tag="switch-on", forbid_unknown_fields=True):
    """A feature that the account does not use yet, used `times` as much as comparable accounts use it (`adopted`)."""

    feature: str
    times: Decimal = Decimal(1)


class Seats(msgspec.Struct, frozen=True, tag_field="kind", tag="seats", forbid_unknown_fields=True):
    """More or fewer people or sites at work: all usage, times `times`."""

    times: Decimal


class Input(msgspec.Struct, frozen=True, tag_field="kind", tag="input", forbid_unknown_fields=True):
    """Another value of an assumption or a baseline, in its unit."""

    slug: str
    value: Range


Lever = Usage | Adoption | SwitchOn | Seats | Input


class Change(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A lever, moved from the first day of the month `since` on. `over` months: usage gets there step by step, in equal
    steps; an input changes at once."""

    lever: Lever
    since: date
    over: int = 1


def moved_meters(model: ValueModel, lever: Lever) -> frozenset[str]:
    """The meters whose usage the lever multiplies."""
    growing = {meter.slug: meter for meter in model.meters if meter.aggregation in GROWS}
    match lever:
        case Usage(meter=slug):
            return frozenset({slug} & growing.keys())
        case Adoption(feature=slug) | SwitchOn(feature=slug):
            feature = model.feature(slug)
            types = set(feature.event_types) if feature else set()
            return frozenset(slug for slug, meter in growing.items() if types.issuperset(meter.event_types))
        case Seats():
            return frozenset(growing)
        case Input():
            return frozenset()


def moved_drivers(model: ValueModel, changes: Iterable[Change]) -> frozenset[str]:
    """The drivers whose amounts rest on what the changes move."""
    moved: set[str] = set()
    for change in changes:
        lever = change.lever
        moved |= {lever.slug} if isinstance(lever, Input) else moved_meters(model, lever)
    return frozenset(
        driver.slug
        for driver in model.drivers
        if (Formula.parse(driver.formula).names | input_names(model, driver)) & moved
    )
