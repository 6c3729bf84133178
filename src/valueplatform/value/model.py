"""The value model: what is metered, what it is compared with, and what it is worth. Typed, frozen, written once.

A formula stays text here; `valueplatform.value.formula` reads it. Numbers are decimals in their shortest form. The
version of a definition rises by one exactly when what it says about numbers changes (see `model_versions`).
"""

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Final

import msgspec
from babel.numbers import list_currencies

from valueplatform.telemetry.meters import Meter
from valueplatform.telemetry.otlp_accounts import DEFAULT_SECTION, OtlpSection
from valueplatform.value.driver_kinds import DriverKind
from valueplatform.value.ranges import Range

CURRENCIES: Final = list_currencies()
JOINT: Final = "joint"
"""The provider of drivers that several bring together; parts of them go to providers by agreed splits alone."""
BY_EVENT: Final = "event"
SUPPLIER: Final = "supplier"


class BenefitClass(StrEnum):
    CASHABLE = "cashable"
    CAPACITY = "capacity"
    AVOIDANCE = "avoidance"
    RISK = "risk"
    REVENUE = "revenue"
    STRATEGIC = "strategic"


class Evidence(StrEnum):
    """Evidence grades, the strongest first."""

    MEASURED = "measured"
    CUSTOMER_VALIDATED = "customer-validated"
    BENCHMARK = "benchmark"
    VENDOR_ESTIMATE = "vendor-estimate"


class BaselineMethod(StrEnum):
    MEASURED_BEFORE = "measured-before"
    CONTROL_GROUP = "control-group"
    BENCHMARK = "benchmark"
    CUSTOMER_STATEMENT = "customer-statement"


class _Definition(msgspec.Struct, frozen=True, kw_only=True):
    """What all parts of a model share; `slug` is unique in its kind."""

    slug: str
    title: str | None = None
    description: str | None = None

    @property
    def label(self) -> str:
        """What a person reads: the title, else the slug in words."""
        return self.title or self.slug.replace("_", " ").replace("-", " ").capitalize()


class Supplier(msgspec.Struct, frozen=True, kw_only=True):
    """`currency` is ISO 4217, `timezone` an IANA name; both are an account's where it has none of its own."""

    name: str
    currency: str
    timezone: str


class SegmentRate(msgspec.Struct, frozen=True):
    segment: str
    value: Range


class Rate(_Definition, frozen=True, kw_only=True):
    """An input that telemetry cannot see: what holds for all, unless a segment (or later an account) says otherwise.

    No default means no value until an account has one.
    """

    unit: str
    default: Range | None = None
    segments: tuple[SegmentRate, ...] = ()
    version: int = 1

    def for_segment(self, segment: str | None) -> Range | None:
        """Segment over default."""
        return next((rate.value for rate in self.segments if rate.segment == segment), self.default)


class Assumption(Rate, frozen=True, kw_only=True):
    """An agreed rate, such as a cost of an hour."""

    source: str | None = None


class Baseline(Rate, frozen=True, kw_only=True):
    """The counterfactual: how it was, or would be, without the product. `expires_on` is the first day it is stale."""

    method: BaselineMethod
    measured_by: str | None = None
    sample: str | None = None
    measured_on: date | None = None
    expires_on: date | None = None


class Driver(_Definition, frozen=True, kw_only=True):
    """A formula that turns meters, baselines and assumptions into an amount in a unit.

    `kind` is what the formula was made from, None where it was written as it is. Capacity enters by its `redeployment`
    share and revenue at its `margin`, both assumptions that the formula is already multiplied by (value rule 4).
    `category`, `objectives`, `stages` and `personas` place it in the driver library; `play` says how it is delivered.
    `evidence` is a ceiling. `provider` is the supplier, a partner's slug, or "event": one entry per provider of events.
    It has amounts on days from `effective_from` to before `effective_to`.
    """

    unit: str
    formula: str
    benefit_class: BenefitClass = BenefitClass.CAPACITY
    evidence: Evidence = Evidence.VENDOR_ESTIMATE
    provider: str = SUPPLIER
    pool: str | None = None
    category: str | None = None
    kind: DriverKind | None = None
    redeployment: str | None = None
    margin: str | None = None
    objectives: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()
    personas: tuple[str, ...] = ()
    play: str | None = None
    features: tuple[str, ...] = ()
    counterfactual: str | None = None
    sunset: date | None = None
    effective_from: date | None = None
    effective_to: date | None = None
    version: int = 1

    def in_force(self, day: date) -> bool:
        begun = self.effective_from is None or self.effective_from <= day
        return begun and (self.effective_to is None or day < self.effective_to)

    @property
    def currency(self) -> str | None:
        """The unit if it is a currency."""
        return self.unit if self.unit in CURRENCIES else None

    @property
    def monetized(self) -> bool:
        """Whether its amounts are money that may be summed: strategic value never is."""
        return self.currency is not None and self.benefit_class is not BenefitClass.STRATEGIC


class BenchmarkSection(msgspec.Struct, frozen=True):
    """`scale`: the attribute of accounts that tells how large they are, such as seats; figures are then told per unit
    of it as well. `public_estimate`: prospects may see figures of cohorts without signing in."""

    scale: str | None = None
    public_estimate: bool = True


class OfferKind(StrEnum):
    """What a step is, as pages call it."""

    FEATURE = "feature"
    SERVICE = "service"
    PRACTICE = "practice"
    PRODUCT = "product"
    """Never of a feature: a product that is sold whole."""


class Feature(_Definition, frozen=True, kw_only=True):
    """A part of the product whose use the events show; a service, or a practice, where `offer` says so.

    `price` is per account and month, `effort_cost` once, both in the supplier's currency. `included`: costs nothing
    extra. No eligible segments or stages means all; who uses every feature that it `requires` may have it.
    `hypothesis` is the outcome that it is there for; `driver`, `meter` and `baseline` say by what value that shows, in
    what use, and against what.
    """

    event_types: tuple[str, ...]
    filter: str | None = None
    product: str | None = None
    included: bool | None = None
    price: Decimal | None = None
    effort: str | None = None
    effort_cost: Decimal | None = None
    hypothesis: str | None = None
    driver: str | None = None
    meter: str | None = None
    baseline: str | None = None
    eligible_segments: tuple[str, ...] = ()
    eligible_stages: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()
    offer: OfferKind | None = None


class Release(_Definition, frozen=True, kw_only=True):
    """A day on which features came out, or came out anew: from then on their use and value are *after*."""

    day: date
    features: tuple[str, ...]


class Pool(_Definition, frozen=True, kw_only=True):
    """A benefit that several drivers draw on, such as the hours of a desk (value rule 5).

    `cap` is a formula over assumptions and baselines: what all of them together may come to in a calendar month, in
    `unit`, the one of its drivers. Without a cap the pool only declares that they overlap.
    """

    unit: str | None = None
    cap: str | None = None


class Product(_Definition, frozen=True, kw_only=True):
    """What is sold; features belong to it. With a price, or where it is not `included`, it is sold whole; `price`,
    `effort_cost` and eligibility as of a feature."""

    included: bool | None = None
    price: Decimal | None = None
    effort_cost: Decimal | None = None
    eligible_segments: tuple[str, ...] = ()
    eligible_stages: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()


class Segment(_Definition, frozen=True, kw_only=True):
    """A kind of account; rates may differ by it."""


class Criterion(_Definition, frozen=True, kw_only=True):
    """A part of the ideal customer profile: an attribute of accounts (`segment` is one), and what it is in an ideal
    customer: one of some texts, or a number between bounds that are both included."""

    attribute: str
    one_of: tuple[str, ...] = ()
    at_least: Decimal | None = None
    at_most: Decimal | None = None


class EventType(_Definition, frozen=True, kw_only=True):
    """A declared CloudEvents type; its slug is the type itself."""


Versioned = Meter | Baseline | Assumption | Driver
Definition = Versioned | Pool | Feature | Release | Product | Segment | Criterion | EventType

FIELD_OF_KIND: Final = {
    "product": "products",
    "segment": "segments",
    "criterion": "criteria",
    "event_type": "event_types",
    "meter": "meters",
    "baseline": "baselines",
    "assumption": "assumptions",
    "pool": "pools",
    "driver": "drivers",
    "feature": "features",
    "release": "releases",
}
"""The kinds of definition, as a model file names them, and where a model holds them."""


class Retired(msgspec.Struct, frozen=True):
    """The last version of a definition that was taken out: if it comes back, it goes on from there."""

    kind: str
    slug: str
    version: int


class ValueModel(msgspec.Struct, frozen=True, kw_only=True):
    """One supplier's whole model. Consistent: whoever makes one has passed `model_check`.

    `superseded` are earlier versions of its drivers, each in force until the next one takes over from a later day.
    """

    supplier: Supplier
    otlp: OtlpSection = DEFAULT_SECTION
    benchmark: BenchmarkSection = BenchmarkSection()
    meters: tuple[Meter, ...] = ()
    baselines: tuple[Baseline, ...] = ()
    assumptions: tuple[Assumption, ...] = ()
    pools: tuple[Pool, ...] = ()
    drivers: tuple[Driver, ...] = ()
    features: tuple[Feature, ...] = ()
    releases: tuple[Release, ...] = ()
    products: tuple[Product, ...] = ()
    segments: tuple[Segment, ...] = ()
    criteria: tuple[Criterion, ...] = ()
    event_types: tuple[EventType, ...] = ()
    retired: tuple[Retired, ...] = ()
    superseded: tuple[Driver, ...] = ()

    def of_kind(self, kind: str) -> tuple[Definition, ...]:
        definitions: tuple[Definition, ...] = getattr(self, FIELD_OF_KIND[kind])
        return definitions

    def meter(self, slug: str) -> Meter | None:
        return next((meter for meter in self.meters if meter.slug == slug), None)

    def rate(self, slug: str) -> Baseline | Assumption | None:
        rates: tuple[Baseline | Assumption, ...] = (*self.baselines, *self.assumptions)
        return next((rate for rate in rates if rate.slug == slug), None)

    def driver(self, slug: str) -> Driver | None:
        return next((driver for driver in self.drivers if driver.slug == slug), None)

    @property
    def driver_versions(self) -> tuple[Driver, ...]:
        """Every version of a driver that has days of its own."""
        return (*self.superseded, *self.drivers)

    def cap_of(self, driver: Driver) -> str | None:
        """The formula that caps what the driver draws on with others; None where nothing does."""
        return next((pool.cap for pool in self.pools if pool.slug == driver.pool), None)

    def feature(self, slug: str) -> Feature | None:
        return next((feature for feature in self.features if feature.slug == slug), None)


def weakest(grades: Iterable[Evidence]) -> Evidence:
    """The grade of a whole is the weakest of its parts; nothing at all is a vendor's estimate."""
    order = list(Evidence)
    return max(grades, key=order.index, default=Evidence.VENDOR_ESTIMATE)


def to_document(model: ValueModel) -> bytes:
    """JSON with decimals as strings; `from_document` reads it back to an equal model."""
    return msgspec.json.encode(model)


def from_document(document: bytes | str) -> ValueModel:
    return msgspec.json.decode(document, type=ValueModel)
