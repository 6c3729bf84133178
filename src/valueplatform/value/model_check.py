"""What a value model must satisfy beyond its form: names that exist, formulas that can be read, numbers in order.

`errors_in` and `warnings_in` return findings, all of them; each names its place, says what is wrong, and the cure.
"""

from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from zoneinfo import available_timezones

import msgspec

from valueplatform.telemetry.filters import FilterError, compile_filter
from valueplatform.telemetry.meters import Aggregation
from valueplatform.value.driver_check import driver_errors, driver_warnings
from valueplatform.value.formula import Formula, FormulaError
from valueplatform.value.formula_tree import Name
from valueplatform.value.library_check import library_warnings
from valueplatform.value.model import (
    CURRENCIES,
    Assumption,
    Baseline,
    Feature,
    OfferKind,
    Product,
    Supplier,
    ValueModel,
)
from valueplatform.value.model_findings import Finding, Place, at_key, suggestion, unknown
from valueplatform.value.ranges import Range


def errors_in(model: ValueModel) -> list[Finding]:
    """Why the model cannot be applied."""
    return [
        *_supplier_errors(model.supplier),
        *_duplicate_errors(model),
        *_meter_errors(model),
        *_rate_errors(model),
        *driver_errors(model),
        *_feature_errors(model),
        *_release_errors(model),
        *_criterion_errors(model),
    ]


def warnings_in(model: ValueModel) -> list[Finding]:
    """What is allowed, and better known."""
    return [*driver_warnings(model), *library_warnings(model), *_unused_warnings(model)]


@lru_cache(maxsize=4096)
def is_usable_name(slug: str) -> bool:
    """Whether a formula reads the slug as a name wherever a name may stand (`case` and `interval` are not)."""
    try:
        alone = Formula.parse(slug)
        around = Formula.parse(f"case when {slug} > 1 then ({slug} - {slug}) * {slug} else min({slug}, -{slug}) end")
    except FormulaError:
        return False
    return slug not in {"min", "max"} and alone.term == Name(slug) and around.names == {slug}


def _criterion_errors(model: ValueModel) -> Iterator[Finding]:
    for number, one in enumerate(model.criteria, 1):
        place = Place("criterion", number, one.slug)
        bounds = one.at_least is not None or one.at_most is not None
        if bool(one.one_of) == bounds:
            message = "says both texts and bounds" if bounds else "does not say what an ideal customer has"
            yield Finding(place, message, 'write one_of = ["…"], or at_least and at_most')
        if one.at_least is not None and one.at_most is not None and one.at_least > one.at_most:
            yield Finding(at_key(place, "at_least"), f"{one.at_least} is above at_most", "exchange the two")


def _supplier_errors(supplier: Supplier) -> Iterator[Finding]:
    if supplier.currency not in CURRENCIES:
        cure = suggestion(supplier.currency.upper(), CURRENCIES)
        yield Finding(Place("supplier", key="currency"), f'"{supplier.currency}" is not a currency', cure)
    if supplier.timezone not in available_timezones():
        message = f'"{supplier.timezone}" is not an IANA time zone'
        yield Finding(Place("supplier", key="timezone"), message, suggestion(supplier.timezone, available_timezones()))


def _duplicate_errors(model: ValueModel) -> Iterator[Finding]:
    for group in (
        ("meter", "baseline", "assumption"),
        ("pool",),
        ("driver",),
        ("feature",),
        ("release",),
        ("product",),
        ("segment",),
        ("criterion",),
        ("event_type",),
    ):
        taken: dict[str, str] = {}
        for kind in group:
            for number, definition in enumerate(model.of_kind(kind), 1):
                place = Place(kind, number, definition.slug)
                if definition.slug in taken:
                    message = f'"{definition.slug}" is already the slug of {taken[definition.slug]}'
                    yield Finding(msgspec.structs.replace(place, key="slug"), message, "choose another")
                else:
                    taken[definition.slug] = str(place)


def _meter_errors(model: ValueModel) -> Iterator[Finding]:
    for number, meter in enumerate(model.meters, 1):
        place = Place("meter", number, meter.slug)
        yield from _name_errors(place)
        if meter.aggregation is Aggregation.COUNT and meter.property is not None:
            message = "COUNT counts events and reads no property"
            others = ", ".join(sorted(set(Aggregation) - {Aggregation.COUNT}))
            yield Finding(at_key(place, "property"), message, f"remove it, or use one of {others}")
        if meter.aggregation is not Aggregation.COUNT and meter.property is None:
            message = f"{meter.aggregation} needs a property"
            yield Finding(at_key(place, "property"), message, 'name the path in data, such as property = "minutes"')
        for path, times in Counter(meter.dimensions).items():
            if times > 1:
                yield Finding(at_key(place, "dimensions"), f'"{path}" is listed {times} times', "list it once")
        yield from _filter_errors(place, meter.filter)


def _rate_errors(model: ValueModel) -> Iterator[Finding]:
    segments = {segment.slug for segment in model.segments}
    rates: tuple[tuple[str, tuple[Baseline | Assumption, ...]], ...] = (
        ("baseline", model.baselines),
        ("assumption", model.assumptions),
    )
    for kind, definitions in rates:
        for number, rate in enumerate(definitions, 1):
            place = Place(kind, number, rate.slug)
            yield from _name_errors(place)
            yield from _range_errors(at_key(place, "default"), rate.default)
            for override in rate.segments:
                at = at_key(place, f"segment.{override.segment}")
                yield from _range_errors(at, override.value)
                if segments and override.segment not in segments:
                    yield unknown(at, "segment", override.segment, segments)


def _feature_errors(model: ValueModel) -> Iterator[Finding]:
    products = {product.slug for product in model.products}
    for number, feature in enumerate(model.features, 1):
        place = Place("feature", number, feature.slug)
        yield from _filter_errors(place, feature.filter)
        if products and feature.product is not None and feature.product not in products:
            yield unknown(at_key(place, "product"), "product", feature.product, products)
        if feature.offer is OfferKind.PRODUCT:
            message, cure = "a product is no feature", "name it as [[product]], and here the product it belongs to"
            yield Finding(at_key(place, "offer"), message, cure)
        yield from _eligibility_errors(model, place, feature)
        yield from _price_errors(place, feature)
        yield from _hypothesis_errors(model, place, feature)
    for number, product in enumerate(model.products, 1):
        place = Place("product", number, product.slug)
        yield from _eligibility_errors(model, place, product)
        yield from _price_errors(place, product)


def _eligibility_errors(model: ValueModel, place: Place, offered: Feature | Product) -> Iterator[Finding]:
    segments = {segment.slug for segment in model.segments}
    for segment in offered.eligible_segments:
        if segments and segment not in segments:
            yield unknown(at_key(place, "eligible_segments"), "segment", segment, segments)
    features = {feature.slug for feature in model.features}
    for needed in offered.requires:
        if needed not in features:
            yield unknown(at_key(place, "requires"), "feature", needed, features)
        elif needed == offered.slug and isinstance(offered, Feature):
            yield Finding(at_key(place, "requires"), "it requires itself", "remove it from the list")


def _hypothesis_errors(model: ValueModel, place: Place, feature: Feature) -> Iterator[Finding]:
    """What a hypothesis names is in the model."""
    for kind, name in (("driver", feature.driver), ("meter", feature.meter), ("baseline", feature.baseline)):
        known = {definition.slug for definition in model.of_kind(kind)}
        if name is not None and name not in known:
            yield unknown(at_key(place, kind), kind, name, known)
    driver = model.driver(feature.driver) if feature.driver is not None else None
    if driver is not None and feature.slug not in driver.features:
        message = f'the driver "{driver.slug}" does not say that this feature serves it'
        yield Finding(at_key(place, "driver"), message, f'add "{feature.slug}" to the feature list of that driver')


def _release_errors(model: ValueModel) -> Iterator[Finding]:
    features = {feature.slug for feature in model.features}
    for number, release in enumerate(model.releases, 1):
        place = at_key(Place("release", number, release.slug), "feature")
        for feature in release.features:
            if feature not in features:
                yield unknown(place, "feature", feature, features)


def _price_errors(place: Place, offered: Feature | Product) -> Iterator[Finding]:
    for key, amount in (("price", offered.price), ("effort_cost", offered.effort_cost)):
        if amount is not None and amount < 0:
            yield Finding(at_key(place, key), f"{amount} is negative", "write what it costs as a positive number")
    if offered.included and offered.price:
        message = f"the {place.kind} is included and yet has a price"
        yield Finding(at_key(place, "price"), message, "remove the price, or write included = false")


def _unused_warnings(model: ValueModel) -> Iterator[Finding]:
    formulas = [driver.formula for driver in model.drivers] + [pool.cap for pool in model.pools if pool.cap]
    read = {name for formula in formulas for name in Formula.parse(formula).names}
    for kind in ("baseline", "assumption"):
        for number, definition in enumerate(model.of_kind(kind), 1):
            if definition.slug not in read:
                place = Place(kind, number, definition.slug)
                yield Finding(place, "no driver reads it", "use it in a formula, or remove it")
    drawn = {driver.pool for driver in model.drivers}
    for number, pool in enumerate(model.pools, 1):
        if pool.slug not in drawn:
            yield Finding(
                Place("pool", number, pool.slug), "no driver draws on it", "name it in a driver, or remove it"
            )


def _name_errors(place: Place) -> Iterator[Finding]:
    if place.slug is not None and not is_usable_name(place.slug):
        message = f'"{place.slug}" is a word that formulas need themselves'
        yield Finding(at_key(place, "slug"), message, f'choose another, such as "{place.slug}_value"')


def _filter_errors(place: Place, text: str | None) -> Iterator[Finding]:
    try:
        compile_filter(text)
    except FilterError as error:
        yield Finding(at_key(place, "filter"), error.message, "a filter looks like: channel = 'app' and minutes > 3")


def _range_errors(place: Place, value: Range | None) -> Iterator[Finding]:
    if value is not None and not value.low <= value.expected <= value.high:
        message = f"low {value.low}, expected {value.expected}, high {value.high} are not in ascending order"
        yield Finding(place, message, "write low <= expected <= high")
