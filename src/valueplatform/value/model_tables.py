"""The keys of each kind of table in a model file: the one list of what a model may say."""

from collections.abc import Mapping
from datetime import date

import msgspec

from valueplatform.telemetry.meters import Aggregation, Meter
from valueplatform.telemetry.otlp_accounts import OtlpSection
from valueplatform.value.driver_kinds import BY_METER, TABLES, DriverKind, Plain, formula_of
from valueplatform.value.formula import Formula, FormulaError
from valueplatform.value.model import (
    SUPPLIER,
    Assumption,
    Baseline,
    BaselineMethod,
    BenchmarkSection,
    BenefitClass,
    Criterion,
    Driver,
    EventType,
    Evidence,
    Feature,
    OfferKind,
    Pool,
    Product,
    Release,
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


def read_benchmark(table: TableReader) -> BenchmarkSection:
    """How accounts are compared."""
    return BenchmarkSection(
        scale=table.optional_text("scale"), public_estimate=table.flag("public_estimate") is not False
    )


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
    redeployment, margin = table.optional_text("redeployment"), table.optional_text("margin")
    kind, formula = _formula(table, redeployment or margin)
    return Driver(
        slug=table.slug(),
        title=table.optional_text("title"),
        description=table.optional_text("description"),
        unit=table.text("unit"),
        formula=formula,
        kind=kind,
        redeployment=redeployment,
        margin=margin,
        objectives=table.texts("objective"),
        stages=table.texts("stage"),
        personas=table.texts("persona"),
        play=table.optional_text("play"),
        benefit_class=table.choice("benefit_class", BenefitClass) or BenefitClass.CAPACITY,
        evidence=table.choice("evidence", Evidence) or Evidence.VENDOR_ESTIMATE,
        provider=table.optional_text("provider") or SUPPLIER,
        pool=table.optional_text("pool"),
        category=table.optional_text("category"),
        features=table.texts("feature"),
        counterfactual=table.optional_text("counterfactual"),
        sunset=table.day("sunset"),
        effective_from=table.day("effective_from"),
        effective_to=table.day("effective_to"),
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
        driver=table.optional_text("driver"),
        meter=table.optional_text("meter"),
        baseline=table.optional_text("baseline"),
        eligible_segments=table.texts("eligible_segments"),
        eligible_stages=table.texts("eligible_stages"),
        requires=table.texts("requires"),
        offer=table.choice("offer", OfferKind),
    )


def read_release(table: TableReader) -> Release:
    day = table.day("day")
    if day is None and "day" not in table.table:
        table.problem("day", "is missing", "add day = 2026-01-31")
    return Release(
        slug=table.slug(),
        title=table.optional_text("title"),
        description=table.optional_text("description"),
        day=day or date.min,
        features=table.texts("feature", required=True),
    )


def read_pool(table: TableReader) -> Pool:
    return Pool(
        slug=table.slug(),
        title=table.optional_text("title"),
        description=table.optional_text("description"),
        unit=table.optional_text("unit"),
        cap=table.optional_text("cap"),
    )


def read_product(table: TableReader) -> Product:
    return Product(
        slug=table.slug(),
        title=table.optional_text("title"),
        description=table.optional_text("description"),
        included=table.flag("included"),
        price=table.number("price"),
        effort_cost=table.number("effort_cost"),
        eligible_segments=table.texts("eligible_segments"),
        eligible_stages=table.texts("eligible_stages"),
        requires=table.texts("requires"),
    )


def read_segment(table: TableReader) -> Segment:
    title, description = table.optional_text("title"), table.optional_text("description")
    return Segment(slug=table.slug(), title=title, description=description)


def read_criterion(table: TableReader) -> Criterion:
    return Criterion(
        slug=table.slug(),
        title=table.optional_text("title"),
        description=table.optional_text("description"),
        attribute=table.text("attribute"),
        one_of=table.texts("one_of"),
        at_least=table.number("at_least"),
        at_most=table.number("at_most"),
    )


def read_event_type(table: TableReader) -> EventType:
    title, description = table.optional_text("title"), table.optional_text("description")
    return EventType(slug=table.text("type"), title=title, description=description)


def _formula(table: TableReader, share: str | None) -> tuple[DriverKind | None, str]:
    """What the formula is made from, None where it stands as it was written; and the formula."""
    given = [name for name in ("formula", *TABLES) if name in table.table]
    kinds = {name: _kind(table, name) for name in TABLES}
    written = table.optional_text("formula")
    if len(given) != 1:
        wrong = f"{given[0]} and {given[1]} both say what it is worth" if given else "is missing"
        table.problem(given[1] if given else "formula", wrong, f"give one of formula, {', '.join(TABLES)}")
    made = next((kind for kind in kinds.values() if kind is not None), None)
    if made is None and written is not None and share is not None:
        made = Plain(written)
    return made, written or "" if made is None else _canonical(formula_of(made, share))


def _kind(table: TableReader, name: str) -> DriverKind | None:
    if name in BY_METER:
        pairs = table.pairs(name)
        return _as_kind(name, {BY_METER[name]: pairs}) if pairs else None
    fields = msgspec.structs.fields(TABLES[name])
    inner = table.inner(name, known=[field.name for field in fields])
    if inner is None:
        return None
    parts = {
        field.name: inner.text(field.name) if field.required else inner.optional_text(field.name) for field in fields
    }
    inner.close()
    return _as_kind(name, parts)


def _as_kind(name: str, parts: Mapping[str, object]) -> DriverKind:
    made: DriverKind = msgspec.convert({"kind": name, **parts}, DriverKind)
    return made


def _canonical(formula: str) -> str:
    """Without the parentheses that it does not need; as it is where it cannot be read, which the check will say."""
    try:
        return Formula.parse(formula).canonical
    except FormulaError:
        return formula


def _segments(table: TableReader) -> tuple[SegmentRate, ...]:
    return tuple(SegmentRate(segment, value) for segment, value in table.ranges("segment").items())
