"""The keys of each kind of table in a model file: the one list of what a model may say."""

from valueplatform.telemetry.meters import Aggregation, Meter
from valueplatform.telemetry.otlp_accounts import OtlpSection
from valueplatform.value.model import (
    SUPPLIER,
    Assumption,
    Baseline,
    BaselineMethod,
    BenefitClass,
    Driver,
    EventType,
    Evidence,
    Feature,
    Product,
    Segment,
    SegmentRate,
    Supplier,
)
from valueplatform.value.model_reader import TableReader


def read_supplier(table: TableReader) -> Supplier:
    return Supplier(name=table.text("name"), currency=table.text("currency"), timezone=table.text("timezone"))


def read_otlp(table: TableReader) -> OtlpSection:
    """Which attribute of OpenTelemetry names the account."""
    return OtlpSection(account=table.texts("account", required=True))


def read_meter(table: TableReader) -> Meter:
    path = table.optional_text("property")
    fallback = Aggregation.COUNT if path is None else Aggregation.SUM
    return Meter(
        slug=table.slug(name=True),
        title=table.optional_text("title"),
        description=table.optional_text("description"),
        unit=table.optional_text("unit"),
        event_types=table.texts("event", required=True),
        aggregation=table.choice("aggregation", Aggregation, required=True) or fallback,
        property=path,
        dimensions=table.texts("dimensions"),
        filter=table.optional_text("filter"),
    )


def read_baseline(table: TableReader) -> Baseline:
    return Baseline(
        slug=table.slug(name=True),
        title=table.optional_text("title"),
        description=table.optional_text("description"),
        unit=table.text("unit"),
        default=table.range("default"),
        segments=_segments(table),
        method=table.choice("method", BaselineMethod, required=True) or BaselineMethod.CUSTOMER_STATEMENT,
        measured_by=table.optional_text("measured_by"),
        sample=table.optional_text("sample"),
        measured_on=table.day("measured_on"),
        expires_on=table.day("expires_on"),
    )


def read_assumption(table: TableReader) -> Assumption:
    return Assumption(
        slug=table.slug(name=True),
        title=table.optional_text("title"),
        description=table.optional_text("description"),
        unit=table.text("unit"),
        default=table.range("default"),
        segments=_segments(table),
        source=table.optional_text("source"),
    )


def read_driver(table: TableReader) -> Driver:
    return Driver(
        slug=table.slug(),
        title=table.optional_text("title"),
        description=table.optional_text("description"),
        unit=table.text("unit"),
        formula=table.text("formula"),
        benefit_class=table.choice("benefit_class", BenefitClass) or BenefitClass.CAPACITY,
        evidence=table.choice("evidence", Evidence) or Evidence.VENDOR_ESTIMATE,
        provider=table.optional_text("provider") or SUPPLIER,
        pool=table.optional_text("pool"),
        category=table.optional_text("category"),
        features=table.texts("feature"),
        counterfactual=table.optional_text("counterfactual"),
        sunset=table.day("sunset"),
    )


def read_feature(table: TableReader) -> Feature:
    return Feature(
        slug=table.slug(),
        title=table.optional_text("title"),
        description=table.optional_text("description"),
        event_types=table.texts("event", required=True),
        filter=table.optional_text("filter"),
        product=table.optional_text("product"),
        included=table.flag("included"),
        price=table.number("price"),
        effort=table.optional_text("effort"),
        effort_cost=table.number("effort_cost"),
        hypothesis=table.optional_text("hypothesis"),
        eligible_segments=table.texts("eligible_segments"),
    )


def read_product(table: TableReader) -> Product:
    title, description = table.optional_text("title"), table.optional_text("description")
    return Product(slug=table.slug(), title=title, description=description)


def read_segment(table: TableReader) -> Segment:
    title, description = table.optional_text("title"), table.optional_text("description")
    return Segment(slug=table.slug(), title=title, description=description)


def read_event_type(table: TableReader) -> EventType:
    title, description = table.optional_text("title"), table.optional_text("description")
    return EventType(slug=table.text("type"), title=title, description=description)


def _segments(table: TableReader) -> tuple[SegmentRate, ...]:
    return tuple(SegmentRate(segment, value) for segment, value in table.ranges("segment").items())
