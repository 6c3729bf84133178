"""What is told of features: worth, hypotheses, how drivers are divided, and what was before and after a release."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from enum import StrEnum

import msgspec

from valueplatform.value.feature_measure import Measure
from valueplatform.value.feature_worth import FeatureAmount, Part, PerUse, Unrealized
from valueplatform.value.model import BenefitClass


class Counted(StrEnum):
    """By what uses are counted."""

    METER = "meter"
    CATALOG = "catalog"


class Hypothesis(msgspec.Struct, frozen=True):
    """What the feature is there for: the outcome, the driver that counts it, the meter that its use shows in, and the
    baseline that it is held against; null where the model does not say."""

    outcome: str | None
    driver: str | None
    meter: str | None
    baseline: str | None


class ReleaseOut(msgspec.Struct, frozen=True):
    slug: str
    title: str
    day: date


class NotDivided(msgspec.Struct, frozen=True):
    """A driver that several features serve, and why none of its value is given to any of them."""

    driver: str
    says: str


class FeatureWorth(msgspec.Struct, frozen=True):
    """`missing` are the parts of its hypothesis that the model does not say. `accounts` use it, of `eligible` ones that
    sent anything; `uses` are events of its types and filter, counted by `counted_by`, and null where nothing counts
    them (`uses_says`). What `per_use` is over, `use` says: the meter of the hypothesis, else these events. Amounts of
    different units, classes and states are never one total."""

    feature: str
    title: str
    product: str | None
    event_types: Sequence[str]
    hypothesis: Hypothesis
    missing: Sequence[Part]
    drivers: Sequence[str]
    accounts: int | None
    eligible: int
    uses: int | None
    counted_by: Counted | None
    uses_says: str
    value: Sequence[FeatureAmount]
    use: Measure
    per_use: Sequence[PerUse]
    not_divided: Sequence[NotDivided]
    unrealized: Sequence[Unrealized]
    releases: Sequence[ReleaseOut]


class DriverPart(msgspec.Struct, frozen=True):
    """What a feature has of a driver's value; '' is what is attributed to none."""

    feature: str
    expected: Decimal
    counted: Decimal


class DriverDivision(msgspec.Struct, frozen=True):
    """A driver that several features serve, in one unit and class: its `parts` add up to it, to the last unit."""

    driver: str
    title: str
    formula: str
    unit: str
    benefit_class: BenefitClass
    expected: Decimal
    counted: Decimal
    parts: Sequence[DriverPart]
    says: str


class FeatureBook(msgspec.Struct, frozen=True):
    """All features of the model in [start, end), by slug, and how drivers that several of them serve are divided."""

    start: date
    end: date
    features: Sequence[FeatureWorth]
    divisions: Sequence[DriverDivision]


class StretchAmount(msgspec.Struct, frozen=True):
    """`per_use` is over what the feature's `use` says."""

    unit: str
    benefit_class: BenefitClass
    expected: Decimal
    counted: Decimal
    a_day: Decimal | None
    per_use: Decimal | None


class Stretch(msgspec.Struct, frozen=True):
    """One side of a release, [start, end): uses, and how many of the accounts used it at all."""

    start: date
    end: date
    using: int
    uses: int | None
    uses_a_day: Decimal | None
    value: Sequence[StretchAmount]


class BeforeAfter(msgspec.Struct, frozen=True):
    """A release of a feature: the same `accounts`, those that sent anything on both sides of its day, over equally many
    days. Both sides are null where there is not enough to tell. It compares and proves no cause (value rule 6)."""

    release: ReleaseOut
    days: int
    accounts: int
    before: Stretch | None
    after: Stretch | None
    says: str


class OpenedDriver(msgspec.Struct, frozen=True):
    """A driver that the feature serves, with its formula, in force now."""

    driver: str
    title: str
    formula: str
    unit: str
    benefit_class: BenefitClass
    features: Sequence[str]


class OpenedFeature(msgspec.Struct, frozen=True):
    """How the numbers of a feature come about."""

    start: date
    end: date
    worth: FeatureWorth
    drivers: Sequence[OpenedDriver]
    divisions: Sequence[DriverDivision]
    releases: Sequence[BeforeAfter]
