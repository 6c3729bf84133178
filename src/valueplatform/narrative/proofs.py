"""A number opened: formula, baselines, assumptions with who validated them, meters, events, and the recomputation."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import chain
from typing import Any, Final

import msgspec
from sqlalchemy import text

from valueplatform.core.database import Transaction
from valueplatform.core.errors import NotFoundError
from valueplatform.core.numbers import decimal_text
from valueplatform.narrative.faithful.graded import graded
from valueplatform.narrative.faithful.parts import member_parts
from valueplatform.narrative.insight import Insight, Number
from valueplatform.narrative.proof_events import EventPage, event_page
from valueplatform.value import derivation as d
from valueplatform.value.accruals import Record, input_names
from valueplatform.value.assumptions import Entry, holding
from valueplatform.value.formula import Formula
from valueplatform.value.model import Baseline, Driver, ValueModel
from valueplatform.value.proof_numbers import Prover, UnprovableError, agrees, leaves_of
from valueplatform.value.proof_record import Source, read_source
from valueplatform.value.refreshing import read_record

_INSIGHT = text("""
    SELECT account_id, version, body::text AS body, since, until FROM insight
    WHERE insight_id = :insight ORDER BY version DESC LIMIT 1
""")


_GRADED: Final = {
    "realized": "after - before * median(after / before of comparable accounts)",
    "range_low": "expected - root of squares(expected - low, scatter of comparable accounts)",
    "range_high": "expected + root of squares(high - expected, scatter of comparable accounts)",
    "compared": "comparable accounts without it",
}
"""How figures of a grade came about, as `grading` defines it."""


class ProvedNumber(msgspec.Struct, frozen=True):
    """One number: as stated, as recomputed from raw events just now, and whether they agree."""

    name: str
    unit: str
    stated: str
    recomputed: str
    agrees: bool


class InputLine(msgspec.Struct, frozen=True):
    """An assumption or baseline as it holds on the last day of the number's period."""

    slug: str
    title: str
    unit: str
    low: str
    expected: str
    high: str
    state: str
    author: str
    validator: str | None
    effective: date | None
    known: datetime | None
    entry_id: int | None
    reason: str
    method: str | None = None
    disputed_by: str | None = None
    dispute: str | None = None


class MeterLine(msgspec.Struct, frozen=True):
    """A meter over the period; `value` is empty where it has none."""

    slug: str
    title: str
    aggregation: str
    event_types: tuple[str, ...]
    filter: str | None
    value: str
    unit: str


class DriverLine(msgspec.Struct, frozen=True):
    """A driver that the number sums. `cap` is the formula that caps what it may bring in a month together with all
    others of its `pool`; both are None where nothing does."""

    slug: str
    title: str
    formula: str
    version: int
    benefit_class: str
    evidence: str
    unit: str
    pool: str | None = None
    cap: str | None = None


class Proof(msgspec.Struct, frozen=True):
    """The contract's `/insights/{id}/proof`. `stated`, `recomputed` and `agrees` speak of the number asked for;
    `numbers` lists all of the insight."""

    insight: dict[str, Any]
    number: str
    formula: str
    drivers: tuple[DriverLine, ...]
    baselines: tuple[InputLine, ...]
    assumptions: tuple[InputLine, ...]
    meters: tuple[MeterLine, ...]
    events: EventPage
    stated: str
    recomputed: str
    agrees: bool
    unit: str
    numbers: tuple[ProvedNumber, ...]
    period_from: date
    period_to: date


class StoredInsight(msgspec.Struct, frozen=True):
    account_id: int
    insight_id: str
    version: int
    insight: Insight
    holds: bool


async def read_insight(tx: Transaction, insight_id: str) -> StoredInsight:
    """The newest version of an insight in the transaction's scope. Raises NotFoundError."""
    row = await tx.row(_INSIGHT, {"insight": insight_id})
    if row is None:
        raise NotFoundError(f"There is no insight {insight_id}.")
    insight = msgspec.json.decode(row.body, type=Insight)
    return StoredInsight(row.account_id, insight_id, row.version, insight, row.until is None)


async def prove_insight(
    tx: Transaction,
    stored: StoredInsight,
    *,
    number: str | None = None,
    cursor: str | None = None,
    shows_subjects: bool = False,
) -> Proof:
    """Open one number of an insight (the first where none is named), recomputing every number of it from raw events.

    Raises NotFoundError for a number that the insight does not have, InvalidInputError for a cursor that is not ours.
    """
    insight = stored.insight
    chosen = next((n for n in insight.numbers if number in {None, n.name}), None)
    if chosen is None:
        raise NotFoundError(f"This insight has no number {number!r}.")
    source = await read_source(tx, stored.account_id)
    record, _ = await read_record(tx, stored.account_id)
    if source is None:
        raise NotFoundError("There is no value model to prove this number by.")
    start, end = period_of(chosen)
    drivers = drivers_of(record, chosen, insight)
    meters = meters_of(record, chosen, drivers)
    metered = [d.Metered(slug, start, end) for slug in meters]
    derivations = [*(n.derivation for n in insight.numbers), *metered]
    prover = await Prover.prepare(tx, source, derivations, await _read(tx, source, derivations))
    numbers = proved_by(prover, insight.numbers)
    proved = next(p for p in numbers if p.name == chosen.name)
    lines = [line for line in (input_line(record, slug, end) for slug in inputs_of(record, chosen, drivers)) if line]
    return Proof(
        insight={"id": stored.insight_id, "version": stored.version, "kind": insight.kind, "holds": stored.holds},
        number=chosen.name,
        formula=_formula(chosen, drivers),
        drivers=tuple(_driver_line(record.model, driver) for driver in drivers),
        baselines=tuple(line for line in lines if line.method is not None),
        assumptions=tuple(line for line in lines if line.method is None),
        meters=_meter_lines(prover, record, metered),
        events=await event_page(
            tx, stored.account_id, record, meters, (start, end), cursor, shows_subjects=shows_subjects
        ),
        stated=proved.stated,
        recomputed=proved.recomputed,
        agrees=proved.agrees,
        unit=chosen.unit,
        numbers=numbers,
        period_from=start,
        period_to=end,
    )


async def prove_numbers(tx: Transaction, source: Source, numbers: Sequence[Number]) -> tuple[ProvedNumber, ...]:
    """Every number evaluated again from raw events."""
    derivations = [number.derivation for number in numbers]
    prover = await Prover.prepare(tx, source, derivations, await _read(tx, source, derivations))
    return proved_by(prover, numbers)


async def _read(tx: Transaction, source: Source, derivations: Sequence[d.Derivation]) -> dict[d.Derivation, Fraction]:
    """Figures of grades, and parts of members from raw events."""
    grades, parts = await graded(tx, source.account_id, derivations), await member_parts(tx, source, derivations)
    return dict[d.Derivation, Fraction](chain(grades.items(), parts.items()))


def proved_by(prover: Prover, numbers: Sequence[Number]) -> tuple[ProvedNumber, ...]:
    proved = []
    for number in numbers:
        try:
            recomputed = prover.value(number.derivation)
        except (ZeroDivisionError, LookupError, ValueError) as error:
            proved.append(
                ProvedNumber(number.name, number.unit, decimal_text(number.value), f"none: {error}", agrees=False)
            )
            continue
        proved.append(
            ProvedNumber(
                number.name,
                number.unit,
                decimal_text(number.value),
                fraction_text(recomputed),
                agrees=agrees(number.value, recomputed, number.derivation),
            )
        )
    return tuple(proved)


def fraction_text(value: Fraction) -> str:
    """A fraction as a plain decimal: exact where it has an end within 9 digits, else to 9 digits."""
    exact = Decimal(round(value * 10**9)).scaleb(-9)
    places = max(4, -exact.normalize().as_tuple().exponent) if exact else 4  # type: ignore[operator]  # finite
    return format(exact.quantize(Decimal(1).scaleb(-places)), "f")


def period_of(number: Number) -> tuple[date, date]:
    """The days that the number's leaves read, end exclusive."""
    spans: list[tuple[date, date]] = []
    for leaf in leaves_of(number.derivation):
        match leaf:
            case d.Realized() | d.Committed() | d.Paid() | d.Effort() | d.Metered() | d.Sent() | d.Adjusted():
                spans.append((leaf.start, leaf.end))
            case d.Days() | d.Benchmark() | d.Graded() | d.Part():
                spans.append((leaf.start, leaf.end))
            case d.Input():
                spans.append((leaf.day, leaf.day + timedelta(days=1)))
            case d.Closed():
                spans.append((leaf.month, (leaf.month + timedelta(days=31)).replace(day=1)))
            case _:
                continue
    if not spans:
        return date.min, date.min
    return min(start for start, _ in spans), max(end for _, end in spans)


def drivers_of(record: Record, number: Number, insight: Insight) -> list[Driver]:
    """The drivers that the number sums; every monetized one where it names none."""
    named: set[str] = set()
    for leaf in leaves_of(number.derivation):
        if isinstance(leaf, d.Realized | d.Adjusted | d.Closed):
            named.update(leaf.drivers or [x.slug for x in record.model.drivers if x.monetized])
        if isinstance(leaf, d.Part):
            named.add(leaf.driver)
    if not named and any(isinstance(leaf, d.Metered | d.Input) for leaf in leaves_of(number.derivation)):
        named.update(insight.drivers)
    return [driver for driver in record.model.drivers if driver.slug in named]


def meters_of(record: Record, number: Number, drivers: Iterable[Driver]) -> list[str]:
    named = {leaf.meter for leaf in leaves_of(number.derivation) if isinstance(leaf, d.Metered)}
    names = named or {name for driver in drivers for name in Formula.parse(driver.formula).names}
    return [meter.slug for meter in record.model.meters if meter.slug in names]


def inputs_of(record: Record, number: Number, drivers: Iterable[Driver]) -> list[str]:
    named = {leaf.slug for leaf in leaves_of(number.derivation) if isinstance(leaf, d.Input)}
    names = named or {name for driver in drivers for name in input_names(record.model, driver)}
    rates = (*record.model.baselines, *record.model.assumptions)
    return [rate.slug for rate in rates if rate.slug in names]


def input_line(record: Record, slug: str, end: date) -> InputLine | None:
    """An input as it holds on the last day before `end`; None where it has no value."""
    rate = record.model.rate(slug)
    day = end - timedelta(days=1) if end > date.min else end
    held = holding(record.entries.get(slug, ()), record.defaults().get(slug), day)
    if held is None or rate is None:
        return None
    entry: Entry | None = held.entry
    return InputLine(
        slug=slug,
        title=rate.title or slug.replace("_", " ").capitalize(),
        unit=held.unit,
        low=decimal_text(held.value.low),
        expected=decimal_text(held.value.expected),
        high=decimal_text(held.value.high),
        state=held.state,
        author=entry.author if entry else record.model.supplier.name,
        validator=held.settled_by.author if held.settled_by else None,
        effective=(held.settled_by or entry).effective_from if entry else None,
        known=(held.settled_by or entry).known_at if entry else None,
        entry_id=entry.entry_id if entry else None,
        reason=entry.reason if entry else "The value model's default.",
        method=rate.method if isinstance(rate, Baseline) else None,
        disputed_by=held.disputed_by.author if held.disputed_by else None,
        dispute=held.disputed_by.reason if held.disputed_by else None,
    )


def _formula(number: Number, drivers: Sequence[Driver]) -> str:
    sources = {leaf.source for leaf in leaves_of(number.derivation) if isinstance(leaf, d.Sent)}
    if sources:
        return f"events of {', '.join(sorted(sources))}"
    if isinstance(number.derivation, d.Graded):
        return _GRADED.get(number.derivation.what, "promised value of a year * share of it in the first days")
    if len(drivers) == 1:
        return drivers[0].formula
    if drivers:
        return " + ".join(driver.slug for driver in drivers)
    return str(type(number.derivation).__name__).lower()


def _driver_line(model: ValueModel, driver: Driver) -> DriverLine:
    cap = model.cap_of(driver)
    return DriverLine(
        slug=driver.slug,
        title=driver.title or driver.slug,
        formula=driver.formula,
        version=driver.version,
        benefit_class=driver.benefit_class,
        evidence=driver.evidence,
        unit=driver.unit,
        pool=driver.pool if cap else None,
        cap=cap,
    )


def _meter_lines(prover: Prover, record: Record, metered: Iterable[d.Metered]) -> tuple[MeterLine, ...]:
    lines = []
    for leaf in metered:
        meter = record.model.meter(leaf.meter)
        if meter is not None:
            value = _meter_text(prover, leaf)
            lines.append(
                MeterLine(
                    slug=meter.slug,
                    title=meter.title or meter.slug.replace("_", " ").capitalize(),
                    aggregation=meter.aggregation,
                    event_types=meter.event_types,
                    filter=meter.filter,
                    value=value,
                    unit=meter.unit or "",
                )
            )
    return tuple(lines)


def _meter_text(prover: Prover, leaf: d.Metered) -> str:
    """Averages to 9 digits; empty where no event of the period has a number."""
    try:
        return fraction_text(prover.value(leaf)).rstrip("0").rstrip(".")
    except UnprovableError:
        return ""
