"""Random value models that pass the check."""

from datetime import date
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from valueplatform.core.numbers import without_trailing_zeros
from valueplatform.telemetry.meters import Aggregation, Meter
from valueplatform.telemetry.otlp_accounts import DEFAULT_SECTION, OtlpSection
from valueplatform.value.driver_kinds import (
    AgainstBaseline,
    Disruption,
    DriverKind,
    Effort,
    Plain,
    Threshold,
    UnitPrices,
    formula_of,
)
from valueplatform.value.formula import Formula
from valueplatform.value.model import (
    Assumption,
    Baseline,
    BaselineMethod,
    BenchmarkSection,
    BenefitClass,
    Driver,
    EventType,
    Evidence,
    Feature,
    Pool,
    Product,
    Release,
    Segment,
    SegmentRate,
    Supplier,
    ValueModel,
)
from valueplatform.value.ranges import Range

TEXT = st.text(min_size=1, max_size=20).filter(lambda text: text.strip() != "")
MAYBE_TEXT = st.none() | TEXT
UNREAD_UNITS = TEXT.map(lambda text: f"?{text}")
"""Units of which nothing is claimed, so that every formula fits them."""
DAYS = st.none() | st.dates(date(1990, 1, 1), date(2090, 1, 1))
AMOUNTS = st.decimals(-1000, 1000, places=4).map(without_trailing_zeros)
PRICES = st.none() | st.decimals(0, 1000, places=2).map(without_trailing_zeros)
RANGES = st.lists(AMOUNTS, min_size=3, max_size=3).map(lambda bounds: Range(*sorted(bounds)))
SEGMENTS = ("small", "large")


def segment_rates() -> st.SearchStrategy[tuple[SegmentRate, ...]]:
    rates = st.lists(st.builds(SegmentRate, st.sampled_from(SEGMENTS), RANGES), unique_by=lambda rate: rate.segment)
    return rates.map(tuple)


def meters(slug: str) -> st.SearchStrategy[Meter]:
    shape = st.sampled_from([(kind, None if kind is Aggregation.COUNT else "user.id") for kind in Aggregation])
    return st.builds(
        lambda shape, **fields: Meter(slug=slug, aggregation=shape[0], property=shape[1], **fields),
        shape=shape,
        event_types=st.lists(TEXT, min_size=1, max_size=2).map(tuple),
        dimensions=st.lists(TEXT, max_size=2, unique=True).map(tuple),
        filter=st.sampled_from([None, "channel = 'app'", 'minutes > 3 and "odd key" is null']),
        title=MAYBE_TEXT,
        description=MAYBE_TEXT,
    )


FORMULAS = st.sampled_from(["m0 * b0", "(m0-m1)/60 * a0", "case when m1 > 0\nthen m0 / m1 else 0 end"])
KINDS: st.SearchStrategy[DriverKind] = st.one_of(
    st.just(AgainstBaseline(volume="m0", baseline="b0 / 60", actual="m1", worth="a0")),
    st.just(UnitPrices(prices=(("m0", "a0"), ("m1", "a0 / 2")))),
    st.just(Threshold(of="m0", worth="a0", at_least="b0")),
    st.just(Threshold(of="m0", worth="a0 * m1", at_most="3")),
    st.just(Disruption(cost="m0 * a0")),
    st.just(Effort(cost="m0 * a0 + m1")),
)


def a_driver(
    kind: DriverKind | None, formula: str, benefit_class: BenefitClass, *, shared: bool, **fields: Any
) -> Driver:
    """A driver as the reader makes one: the formula follows from the kind and the share."""
    key = {BenefitClass.CAPACITY: "redeployment", BenefitClass.REVENUE: "margin"}.get(benefit_class)
    share = "a0" if shared and key else None
    made = Plain(formula) if kind is None and share else kind
    text = formula if made is None else Formula.parse(formula_of(made, share)).canonical
    shares: dict[str, Any] = {key: share} if key and share else {}
    return Driver(formula=text, kind=made, benefit_class=benefit_class, **shares, **fields)


def drivers(slug: str) -> st.SearchStrategy[Driver]:
    windows = st.lists(st.dates(date(1990, 1, 1), date(2090, 1, 1)), max_size=2, unique=True).map(sorted)
    return st.builds(
        lambda windows, **fields: a_driver(
            effective_from=windows[0] if windows else None, effective_to=windows[1] if windows[1:] else None, **fields
        ),
        windows=windows,
        kind=st.none() | KINDS,
        shared=st.booleans(),
        slug=st.just(slug),
        unit=st.sampled_from(["USD", "EUR", "hour"]),
        formula=FORMULAS,
        benefit_class=st.sampled_from(BenefitClass),
        objectives=st.lists(TEXT, max_size=2).map(tuple),
        stages=st.lists(TEXT, max_size=1).map(tuple),
        personas=st.lists(TEXT, max_size=1).map(tuple),
        evidence=st.sampled_from(Evidence),
        provider=st.sampled_from(["supplier", "event", "acme-services"]),
        pool=st.just("hours"),
        category=MAYBE_TEXT,
        features=st.lists(st.just("f0"), max_size=1).map(tuple),
        counterfactual=MAYBE_TEXT,
        sunset=DAYS,
        title=MAYBE_TEXT,
        description=MAYBE_TEXT,
    )


BASELINES = st.builds(
    Baseline,
    slug=st.just("b0"),
    unit=UNREAD_UNITS,
    default=st.none() | RANGES,
    segments=segment_rates(),
    method=st.sampled_from(BaselineMethod),
    measured_by=MAYBE_TEXT,
    sample=MAYBE_TEXT,
    measured_on=DAYS,
    expires_on=DAYS,
    title=MAYBE_TEXT,
    description=MAYBE_TEXT,
)
ASSUMPTIONS = st.builds(
    Assumption,
    slug=st.just("a0"),
    unit=UNREAD_UNITS,
    default=st.none() | RANGES,
    segments=segment_rates(),
    source=MAYBE_TEXT,
    title=MAYBE_TEXT,
    description=MAYBE_TEXT,
)
FEATURES = st.builds(
    lambda *, included, price, **fields: Feature(
        slug="f0", included=included, price=None if included else price, **fields
    ),
    event_types=st.lists(TEXT, min_size=1, max_size=2).map(tuple),
    filter=st.sampled_from([None, "a = 1"]),
    product=st.sampled_from([None, "core"]),
    included=st.sampled_from([None, True, False]),
    price=PRICES,
    effort=MAYBE_TEXT,
    effort_cost=PRICES,
    hypothesis=MAYBE_TEXT,
    meter=st.sampled_from([None, "m0", "m1"]),
    baseline=st.sampled_from([None, "b0"]),
    eligible_segments=st.lists(st.sampled_from(SEGMENTS), unique=True).map(tuple),
    title=MAYBE_TEXT,
    description=MAYBE_TEXT,
)
RELEASES = st.builds(
    Release,
    slug=st.sampled_from(["r0", "r-1"]),
    day=st.dates(date(1990, 1, 1), date(2090, 1, 1)),
    features=st.just(("f0",)),
    title=MAYBE_TEXT,
    description=MAYBE_TEXT,
)
MODELS = st.builds(
    ValueModel,
    supplier=st.builds(
        Supplier, name=TEXT, currency=st.sampled_from(["USD", "JPY"]), timezone=st.sampled_from(["UTC", "Asia/Kolkata"])
    ),
    benchmark=st.builds(BenchmarkSection, st.none() | TEXT, st.booleans()),
    otlp=st.just(DEFAULT_SECTION) | st.builds(OtlpSection, st.lists(TEXT, min_size=1, max_size=2).map(tuple)),
    meters=st.tuples(meters("m0"), meters("m1")),
    baselines=st.tuples(BASELINES),
    assumptions=st.tuples(ASSUMPTIONS),
    pools=st.sampled_from([(), (Pool(slug="hours", title="Hours"),)]),
    drivers=st.tuples(drivers("d0"), drivers("d-1")),
    features=st.tuples(FEATURES),
    releases=st.lists(RELEASES, max_size=2, unique_by=lambda release: release.slug).map(tuple),
    products=st.sampled_from([(), (Product(slug="core", title="Core"),)]),
    segments=st.sampled_from([(), tuple(Segment(slug=slug) for slug in SEGMENTS)]),
    event_types=st.lists(TEXT, max_size=2, unique=True).map(
        lambda types: tuple(EventType(slug=event_type) for event_type in types)
    ),
)

FIXED = ValueModel(
    supplier=Supplier(name="Fieldnote", currency="USD", timezone="America/New_York"),
    meters=(
        Meter(slug="jobs", event_types=("job.dispatched",), aggregation=Aggregation.COUNT),
        Meter(slug="minutes", event_types=("job.dispatched",), aggregation=Aggregation.SUM, property="minutes"),
    ),
    baselines=(
        Baseline(
            slug="before",
            unit="minute/job",
            method=BaselineMethod.MEASURED_BEFORE,
            default=Range(Decimal(11), Decimal(14), Decimal(16)),
        ),
    ),
    assumptions=(
        Assumption(
            slug="cost",
            unit="USD/hour",
            default=Range.point(Decimal(45)),
            segments=(SegmentRate("large", Range.point(Decimal(60))),),
        ),
    ),
    drivers=(
        Driver(
            slug="time", title="Time saved", unit="USD", formula="(jobs * before - minutes) / 60 * cost", pool="hours"
        ),
    ),
)
