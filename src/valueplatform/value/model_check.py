"""What a value model must satisfy beyond its form: names that exist, formulas that can be read, numbers in order.

`errors_in` and `warnings_in` return findings, all of them; each names its place, says what is wrong, and the cure.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from functools import lru_cache
from itertools import combinations
from typing import Final
from zoneinfo import available_timezones

import msgspec

from valueplatform.telemetry.filters import FilterError, compile_filter
from valueplatform.telemetry.meters import ADDITIVE, ZERO_WHEN_ABSENT, Aggregation, Meter
from valueplatform.value.formula import MOST_RANGED, Formula, FormulaError
from valueplatform.value.formula_tree import Name
from valueplatform.value.model import (
    CURRENCIES,
    Assumption,
    Baseline,
    BenefitClass,
    Driver,
    Feature,
    Supplier,
    ValueModel,
)
from valueplatform.value.ranges import Range

_FORMULA_CURE: Final = (
    "a formula has names, numbers, + - * /, parentheses, min(a, b), max(a, b), case when a > b then a else b end"
)


class Place(msgspec.Struct, frozen=True):
    """Where in a model: a kind ("driver"), the number in its kind from 1, the slug, and the key if it is one."""

    kind: str
    number: int | None = None
    slug: str | None = None
    key: str | None = None

    def __str__(self) -> str:
        number = "" if self.number is None else f"[{self.number}]"
        slug = "" if self.slug is None else f' "{self.slug}"'
        return f"{self.kind}{number}{slug}" + (f".{self.key}" if self.key else "")


class Finding(msgspec.Struct, frozen=True):
    place: Place
    message: str
    cure: str

    def __str__(self) -> str:
        return f"{self.place}: {self.message}; {self.cure}"


def errors_in(model: ValueModel) -> list[Finding]:
    """Why the model cannot be applied."""
    return [
        *_supplier_errors(model.supplier),
        *_duplicate_errors(model),
        *_meter_errors(model),
        *_rate_errors(model),
        *_driver_errors(model),
        *_feature_errors(model),
        *_overlap_errors(model),
    ]


def warnings_in(model: ValueModel) -> list[Finding]:
    """What is allowed, and better known."""
    return [*_daily_sum_warnings(model), *_driver_warnings(model), *_unused_warnings(model), *_pool_warnings(model)]


def suggestion(unknown: str, known: Iterable[str]) -> str:
    """The cure for an unknown word."""
    names = {name.lower(): name for name in sorted(known)}
    close = get_close_matches(unknown.lower(), names, n=5, cutoff=0.6)
    if close:
        longer = sorted(name for name in close if name.startswith(unknown.lower()))
        return f'did you mean "{names[longer[0] if longer else close[0]]}"?'
    listed = list(names.values())
    return f"known are {', '.join(listed[:12])}{', …' if len(listed) > 12 else ''}" if listed else "none is defined"


@lru_cache(maxsize=4096)
def is_usable_name(slug: str) -> bool:
    """Whether a formula reads the slug as a name wherever a name may stand (`case` and `interval` are not)."""
    try:
        alone = Formula.parse(slug)
        around = Formula.parse(f"case when {slug} > 1 then ({slug} - {slug}) * {slug} else min({slug}, -{slug}) end")
    except FormulaError:
        return False
    return slug not in {"min", "max"} and alone.term == Name(slug) and around.names == {slug}


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
        ("driver",),
        ("feature",),
        ("product",),
        ("segment",),
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
            yield Finding(_at(place, "property"), message, f"remove it, or use one of {others}")
        if meter.aggregation is not Aggregation.COUNT and meter.property is None:
            message = f"{meter.aggregation} needs a property"
            yield Finding(_at(place, "property"), message, 'name the path in data, such as property = "minutes"')
        for path, times in Counter(meter.dimensions).items():
            if times > 1:
                yield Finding(_at(place, "dimensions"), f'"{path}" is listed {times} times', "list it once")
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
            yield from _range_errors(_at(place, "default"), rate.default)
            for override in rate.segments:
                at = _at(place, f"segment.{override.segment}")
                yield from _range_errors(at, override.value)
                if segments and override.segment not in segments:
                    yield _unknown(at, "segment", override.segment, segments)


def _driver_errors(model: ValueModel) -> Iterator[Finding]:
    meters = {meter.slug for meter in model.meters}
    rates = {rate.slug for rate in (*model.baselines, *model.assumptions)}
    features = {feature.slug for feature in model.features}
    for number, driver in enumerate(model.drivers, 1):
        place = Place("driver", number, driver.slug)
        for feature in driver.features:
            if feature not in features:
                yield _unknown(_at(place, "feature"), "feature", feature, features)
        at = _at(place, "formula")
        try:
            names = Formula.parse(driver.formula).names
        except FormulaError as error:
            yield Finding(at, error.message, _FORMULA_CURE)
            continue
        unknown = names - meters - rates
        for name in sorted(unknown):
            yield _unknown(at, "name", name, meters | rates)
        if not unknown and not names & meters:
            message = "the formula reads no meter, so that it would never have a value"
            yield Finding(at, message, "multiply by a meter, such as a COUNT of the events that it is about")
        if len(names & rates) > MOST_RANGED:
            message = f"the formula reads {len(names & rates)} baselines and assumptions, at most {MOST_RANGED} may be"
            yield Finding(at, message, "join some of them into one")


def _feature_errors(model: ValueModel) -> Iterator[Finding]:
    products = {product.slug for product in model.products}
    segments = {segment.slug for segment in model.segments}
    for number, feature in enumerate(model.features, 1):
        place = Place("feature", number, feature.slug)
        yield from _filter_errors(place, feature.filter)
        if products and feature.product is not None and feature.product not in products:
            yield _unknown(_at(place, "product"), "product", feature.product, products)
        for segment in feature.eligible_segments:
            if segments and segment not in segments:
                yield _unknown(_at(place, "eligible_segments"), "segment", segment, segments)
        yield from _price_errors(place, feature)


def _price_errors(place: Place, feature: Feature) -> Iterator[Finding]:
    for key, amount in (("price", feature.price), ("effort_cost", feature.effort_cost)):
        if amount is not None and amount < 0:
            yield Finding(_at(place, key), f"{amount} is negative", "write what it costs as a positive number")
    if feature.included and feature.price:
        message = "the feature is included and yet has a price"
        yield Finding(_at(place, "price"), message, "remove the price, or write included = false")


def _overlap_errors(model: ValueModel) -> Iterator[Finding]:
    """Two drivers of monetized benefit that read the same telemetry must each say which pool they draw on."""
    for (number, one), (_, other), shared in _overlaps(model):
        if one.pool is None or other.pool is None:
            message = f'it and the driver "{other.slug}" both draw on the meter "{shared}": the benefit may count twice'
            cure = "give both the same pool, or each a pool of its own if they are different benefits"
            yield Finding(Place("driver", number, one.slug, "pool"), message, cure)


def _pool_warnings(model: ValueModel) -> Iterator[Finding]:
    for (number, one), (_, other), shared in _overlaps(model):
        if one.pool is not None and other.pool is not None and one.pool != other.pool:
            message = f'it and the driver "{other.slug}" draw on the meter "{shared}" in pools declared as different'
            yield Finding(Place("driver", number, one.slug, "pool"), message, "make sure that they never overlap")


def _daily_sum_warnings(model: ValueModel) -> Iterator[Finding]:
    meters = {meter.slug: meter for meter in model.meters}
    for number, driver in enumerate(model.drivers, 1):
        formula = Formula.parse(driver.formula)
        used = formula.names & meters.keys()
        kinds = {name: meters[name].aggregation for name in sorted(used)}
        distinct = [f"{name} ({kind})" for name, kind in kinds.items() if kind not in ADDITIVE]
        if distinct:
            why = f"{', '.join(distinct)} cannot be added up over days"
            nullable = [name for name, kind in kinds.items() if kind not in ZERO_WHEN_ABSENT]
            why += f"; where it needs {' or '.join(nullable)}, a day without one has no amount" if nullable else ""
        elif not formula.is_additive_in(used):
            why = "it is not a sum of meters times rates"
        else:
            continue
        message = f"the formula is evaluated per local day, and a period is the sum of its days, because {why}"
        yield Finding(Place("driver", number, driver.slug, "formula"), message, "keep it if that is what you mean")


def _driver_warnings(model: ValueModel) -> Iterator[Finding]:
    for number, driver in enumerate(model.drivers, 1):
        place = Place("driver", number, driver.slug)
        if driver.benefit_class is BenefitClass.STRATEGIC and driver.currency is not None:
            message = f"strategic value is not monetized, so its {driver.unit} enter no total"
            yield Finding(_at(place, "benefit_class"), message, "choose another class if it is money")
        if len(driver.unit) == 3 and driver.unit.isupper() and driver.currency is None:
            message = f'"{driver.unit}" is not a currency, so the driver is not monetized'
            yield Finding(_at(place, "unit"), message, suggestion(driver.unit, CURRENCIES))
        if driver.benefit_class in {BenefitClass.AVOIDANCE, BenefitClass.RISK}:
            for key, given in (("counterfactual", driver.counterfactual), ("sunset", driver.sunset)):
                if given is None:
                    message = f"{driver.benefit_class} value needs a stated {key}"
                    yield Finding(_at(place, key), message, f"add {key} = …")


def _unused_warnings(model: ValueModel) -> Iterator[Finding]:
    read = {name for driver in model.drivers for name in Formula.parse(driver.formula).names}
    for kind in ("baseline", "assumption"):
        for number, definition in enumerate(model.of_kind(kind), 1):
            if definition.slug not in read:
                place = Place(kind, number, definition.slug)
                yield Finding(place, "no driver reads it", "use it in a formula, or remove it")


def _overlaps(model: ValueModel) -> Iterator[tuple[tuple[int, Driver], tuple[int, Driver], str]]:
    """Pairs of monetized drivers, later one first, with the first meter that both read; equal meters are one."""
    facts = {meter.slug: _fact(meter) for meter in model.meters}
    monetized = [(number, driver) for number, driver in enumerate(model.drivers, 1) if driver.monetized]
    reads = {
        number: {facts[name]: name for name in sorted(_names(driver) & facts.keys())} for number, driver in monetized
    }
    for one, other in combinations(monetized, 2):
        shared = [name for fact, name in reads[other[0]].items() if fact in reads[one[0]]]
        if shared:
            yield other, one, shared[0]


def _fact(meter: Meter) -> tuple[object, ...]:
    return frozenset(meter.event_types), meter.aggregation, meter.property, meter.filter


def _names(driver: Driver) -> frozenset[str]:
    try:
        return Formula.parse(driver.formula).names
    except FormulaError:
        return frozenset()


def _name_errors(place: Place) -> Iterator[Finding]:
    if place.slug is not None and not is_usable_name(place.slug):
        message = f'"{place.slug}" is a word that formulas need themselves'
        yield Finding(_at(place, "slug"), message, f'choose another, such as "{place.slug}_value"')


def _filter_errors(place: Place, text: str | None) -> Iterator[Finding]:
    try:
        compile_filter(text)
    except FilterError as error:
        yield Finding(_at(place, "filter"), error.message, "a filter looks like: channel = 'app' and minutes > 3")


def _range_errors(place: Place, value: Range | None) -> Iterator[Finding]:
    if value is not None and not value.low <= value.expected <= value.high:
        message = f"low {value.low}, expected {value.expected}, high {value.high} are not in ascending order"
        yield Finding(place, message, "write low <= expected <= high")


def _unknown(place: Place, what: str, name: str, known: Iterable[str]) -> Finding:
    return Finding(place, f'unknown {what} "{name}"', suggestion(name, known))


def _at(place: Place, key: str) -> Place:
    return msgspec.structs.replace(place, key=key)
