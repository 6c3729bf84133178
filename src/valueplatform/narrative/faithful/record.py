"""What the faithful check reads of one account: its own SQL, plain Python values, no frame and none of the code that
made the numbers.

Value is read summed over *stretches*: the days between two neighboring boundaries of all periods that the numbers
speak of. A period is then a whole number of stretches, so the cost follows the numbers asked for, not the length of
history.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import Any

from sqlalchemy import text

from valueplatform.core.database import Transaction
from valueplatform.core.errors import NotFoundError
from valueplatform.core.periods import next_month
from valueplatform.narrative.faithful.graded import graded
from valueplatform.narrative.faithful.leaves import boundaries, compared_in, inputs_in, meters_in, sources_in
from valueplatform.narrative.faithful.parts import member_parts, rolled_cuts
from valueplatform.value.derivation import Benchmark, Bound, Derivation, Graded, Part
from valueplatform.value.proof_comparison import compared
from valueplatform.value.proof_record import Source, input_on, read_source
from valueplatform.value.split_proof import PartAnew, parts_anew


@dataclass(frozen=True, slots=True)
class Stretch:
    """Value shown from `start` up to `end`, of one driver, provider, unit and state."""

    start: date
    end: date
    driver: str
    provider: str
    unit: str
    strategic: bool
    counted: bool
    low: Decimal
    expected: Decimal
    high: Decimal

    def bound(self, bound: Bound) -> Decimal:
        return {Bound.LOW: self.low, Bound.EXPECTED: self.expected, Bound.HIGH: self.high}[bound]


@dataclass(frozen=True, slots=True)
class Posted:
    """What was posted (kind 'close') or adjusted (kind 'adjustment') for a driver's month, by the day it is shown."""

    kind: str
    driver: str
    month: date
    shown_day: date
    expected: Decimal


@dataclass(frozen=True, slots=True)
class Planned:
    driver: str
    month: date
    low: Decimal
    expected: Decimal
    high: Decimal

    def bound(self, bound: Bound) -> Decimal:
        return {Bound.LOW: self.low, Bound.EXPECTED: self.expected, Bound.HIGH: self.high}[bound]


@dataclass(frozen=True, slots=True)
class Price:
    start: date
    end: date | None
    amount: Decimal
    currency: str
    period: str


@dataclass(frozen=True, slots=True)
class Effort:
    """What one kind of effort cost in the month that begins on `month`."""

    month: date
    kind: str
    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class Metering:
    """A meter's value from `start` up to `end`."""

    meter: str
    start: date
    end: date
    value: Decimal


@dataclass(frozen=True, slots=True)
class HeldInput:
    """An assumption or baseline as it is in force on a day."""

    low: Fraction
    expected: Fraction
    high: Fraction
    unit: str


@dataclass(frozen=True)
class Record:
    """One account's record. `sent` are events by source and day. `titles` are names by 'kind:slug'; `names` every name
    that a sentence may say; `days` every day that the record itself names (contracts, milestones, statements, gaps, the
    last metered day)."""

    key: str
    name: str
    currency: str
    supplier: str
    values: tuple[Stretch, ...] = ()
    posted: tuple[Posted, ...] = ()
    planned: tuple[Planned, ...] = ()
    prices: tuple[Price, ...] = ()
    efforts: tuple[Effort, ...] = ()
    metered: tuple[Metering, ...] = ()
    sent: Mapping[str, tuple[tuple[date, int], ...]] = field(default_factory=dict)
    inputs: Mapping[tuple[str, date], HeldInput] = field(default_factory=dict)
    compared: Mapping[Benchmark, Fraction] = field(default_factory=dict)
    graded: Mapping[Graded, Fraction] = field(default_factory=dict)
    parts: Mapping[Part, Fraction] = field(default_factory=dict)
    titles: Mapping[str, str] = field(default_factory=dict)
    names: frozenset[str] = frozenset()
    days: frozenset[date] = frozenset()
    evaluated: dict[Derivation, Fraction] = field(default_factory=dict, init=False, compare=False, repr=False)
    """What leaves came to: the same amount stands in many insights, and a record does not change; another has its own.
    """

    @cached_property
    def months_planned(self) -> Mapping[tuple[str, Bound], tuple[tuple[date, date, Fraction], ...]]:
        """What is committed to by driver: the first day of each month, that after its last, and the amount."""
        found: defaultdict[tuple[str, Bound], list[tuple[date, date, Fraction]]] = defaultdict(list)
        for planned in self.planned:
            after = next_month(planned.month)
            for bound in Bound:
                found[planned.driver, bound].append((planned.month, after, Fraction(planned.bound(bound))))
        return {key: tuple(months) for key, months in found.items()}

    @cached_property
    def values_of(self) -> Mapping[str, tuple[Stretch, ...]]:
        """Values by driver."""
        found: defaultdict[str, list[Stretch]] = defaultdict(list)
        for value in self.values:
            found[value.driver].append(value)
        return {driver: tuple(values) for driver, values in found.items()}


_ACCOUNT = text("SELECT key, name, timezone FROM account WHERE account_id = :account")
_CURRENCY = text("""
    SELECT currency FROM account_currency WHERE account_id = :account ORDER BY effective_from DESC LIMIT 1
""")
_VALUES = text("""
    WITH shown AS (
        SELECT a.driver, a.provider, a.day, a.basis_id, a.low, a.expected, a.high
        FROM accrual a
        WHERE a.account_id = :account AND a.expected IS NOT NULL AND a.day >= :first AND a.day < :last
          AND date_trunc('month', a.day)::date NOT IN (SELECT month FROM closed_month WHERE account_id = :account)
        UNION ALL
        SELECT driver, provider, shown_day, basis_id, low, expected, high
        FROM posting
        WHERE account_id = :account AND shown_day >= :first AND shown_day < :last
    )
    SELECT width_bucket(s.day, CAST(:bounds AS date[])) AS stretch, s.driver, s.provider, b.unit, b.counted,
           b.benefit_class = 'strategic' AS strategic,
           sum(s.low) AS low, sum(s.expected) AS expected, sum(s.high) AS high
    FROM shown s JOIN basis b ON b.account_id = :account AND b.basis_id = s.basis_id
    GROUP BY 1, 2, 3, 4, 5, 6
""")
_POSTED = text("""
    SELECT kind, driver, date_trunc('month', day)::date AS month,
           CASE kind WHEN 'close' THEN date_trunc('month', day)::date ELSE shown_day END AS shown_day,
           sum(expected) AS expected
    FROM posting WHERE account_id = :account GROUP BY 1, 2, 3, 4
""")
_PLANNED = text("""
    SELECT driver, month, low, expected, high FROM plan_target p
    WHERE account_id = :account AND expected IS NOT NULL AND version = (
        SELECT max(version) FROM plan_target o
        WHERE (o.account_id, o.plan_id, o.objective_id, o.driver, o.month)
            = (p.account_id, p.plan_id, p.objective_id, p.driver, p.month))
      AND p.plan_id NOT IN (
        SELECT plan_id FROM plan_terms WHERE account_id = :account
        EXCEPT SELECT customer.plan_id FROM plan_signature customer JOIN plan_signature supplier
            USING (account_id, plan_id, version, digest)
            WHERE account_id = :account AND customer.side = 'customer' AND supplier.side = 'supplier')
      AND NOT EXISTS (
        SELECT FROM plan_terms later JOIN plan_signature customer USING (account_id, plan_id, version)
            JOIN plan_signature supplier USING (account_id, plan_id, version, digest)
            WHERE later.account_id = p.account_id AND customer.side = 'customer' AND supplier.side = 'supplier'
              AND p.plan_id = ANY(later.replaces) AND p.month >= later.from_month)
""")
_PRICES = text("SELECT start_day, end_day, amount, currency, period FROM contract WHERE account_id = :account")
_EFFORTS = text("""
    SELECT month, kind, amount, currency FROM cost
    WHERE account_id = :account AND kind = ANY (ARRAY['internal', 'implementation'])
""")
_METERED = text("""
    SELECT split_part(meter, '#', 1) AS meter, width_bucket(day, CAST(:bounds AS date[])) AS stretch,
           sum(events - unmetered) AS events, sum(total) AS total
    FROM rollup
    WHERE account_id = :account AND day >= :first AND day < :last AND meter = ANY(ARRAY(
        SELECT kept.name || a.edition FROM account a, unnest(CAST(:meters AS text[])) kept (name)
        WHERE a.account_id = :account))
    GROUP BY 1, 2
""")
_SENT = text("""
    SELECT source, array_agg(day) AS days, array_agg(happened) AS events FROM intake_day
    WHERE account_id = :account AND source = ANY(CAST(:sources AS text[])) AND day >= :first AND day < :last
    GROUP BY source
""")
_NAMES = text("""
    SELECT name FROM person WHERE account_id = :account
    UNION SELECT title FROM objective WHERE account_id = :account
    UNION SELECT title FROM milestone WHERE account_id = :account
    UNION SELECT author FROM assumption_entry WHERE account_id = :account
    UNION SELECT u.name FROM app_user u JOIN assumption_entry e ON e.author = u.email WHERE e.account_id = :account
    UNION SELECT name FROM provider
    UNION SELECT source FROM quality_finding WHERE account_id = :account AND source IS NOT NULL AND ended_at IS NULL
""")
_DAYS = text("""
    SELECT start_day AS day FROM contract WHERE account_id = :account
    UNION SELECT end_day - 1 FROM contract WHERE account_id = :account AND end_day IS NOT NULL
    UNION SELECT (at AT TIME ZONE :zone)::date FROM milestone WHERE account_id = :account
    UNION SELECT (known_at AT TIME ZONE :zone)::date FROM assumption_entry WHERE account_id = :account
    UNION SELECT effective_from FROM assumption_entry WHERE account_id = :account
    UNION SELECT shown_day FROM posting WHERE account_id = :account AND kind = 'adjustment'
    UNION SELECT day FROM accrual WHERE account_id = :account AND expected IS NULL
    UNION SELECT (CAST(body ->> 'decided_at' AS timestamptz) AT TIME ZONE :zone)::date FROM suggestion_grade
        WHERE account_id = :account
    UNION SELECT max(newest.day) FROM account a, unnest(CAST(:meters AS text[])) meter(slug), LATERAL (
        SELECT day FROM rollup WHERE account_id = :account AND meter = slug || a.edition ORDER BY day DESC LIMIT 1
    ) newest WHERE a.account_id = :account HAVING max(newest.day) IS NOT NULL
""")


async def read_record(tx: Transaction, account_id: int, derivations: Iterable[Derivation]) -> Record:
    """The part of the account's record that `derivations` rest on. Raises NotFoundError for no such account."""
    given = tuple(derivations)
    where = {"account": account_id}
    account = await tx.row(_ACCOUNT, where)
    source = await read_source(tx, account_id)
    if account is None or source is None:
        raise NotFoundError(f"There is no account {account_id}, or no value model has been applied yet.")
    bounds = boundaries(given)
    meters = _rollups(source.model)
    titles = _titles(source.model)
    names = {row.name for row in await tx.rows(_NAMES, where)} | {account.name, str(source.model["supplier"]["name"])}
    return Record(
        key=account.key,
        name=account.name,
        currency=await tx.scalar(_CURRENCY, where) or str(source.model["supplier"]["currency"]),
        supplier=str(source.model["supplier"]["name"]),
        values=await _values(tx, account_id, bounds),
        posted=tuple(
            Posted(row.kind, row.driver, row.month, row.shown_day, row.expected)
            for row in await tx.rows(_POSTED, where)
        ),
        planned=tuple(
            Planned(row.driver, row.month, row.low, row.expected, row.high) for row in await tx.rows(_PLANNED, where)
        ),
        prices=tuple(
            Price(row.start_day, row.end_day, row.amount, row.currency, row.period)
            for row in await tx.rows(_PRICES, where)
        ),
        efforts=tuple(Effort(row.month, row.kind, row.amount, row.currency) for row in await tx.rows(_EFFORTS, where)),
        metered=await _metered(tx, source, bounds, meters_in(given)),
        sent=await _sent(tx, account_id, given),
        inputs=_inputs(source, given),
        compared=await compared(tx, account_id, compared_in(given)),
        graded=await graded(tx, account_id, given),
        parts=await member_parts(tx, source, given, rolled_cuts),
        titles=titles,
        # Features are named by few insights, and many are called by everyday words.
        names=frozenset(names | {title for key, title in titles.items() if not key.startswith("feature:")}),
        days=frozenset(row.day for row in await tx.rows(_DAYS, where | {"zone": account.timezone, "meters": meters}))
        | _expiries(source.model),
    )


async def _values(tx: Transaction, account_id: int, bounds: list[date]) -> tuple[Stretch, ...]:
    if len(bounds) < 2:
        return ()
    rows = await tx.rows(_VALUES, {"account": account_id, "first": bounds[0], "last": bounds[-1], "bounds": bounds})
    parts = await parts_anew(tx, account_id, bounds[0], bounds[-1])
    divided = {part.driver for part in parts}
    alone = (row for row in rows if row.provider != "joint" or row.driver not in divided)
    return (*_stretches(alone, bounds), *_divided(parts, bounds))


def _divided(parts: Iterable[PartAnew], bounds: list[date]) -> tuple[Stretch, ...]:
    """Joint drivers by party, as agreed."""
    sums: defaultdict[tuple[int, str, str, str, bool, bool], list[int]] = defaultdict(lambda: [0, 0, 0])
    for part in parts:
        strategic = part.benefit_class == "strategic"
        stretch = bisect_right(bounds, part.shown)
        own = sums[stretch, part.driver, part.party, part.unit, strategic, part.counted]
        own[:] = [sum(pair) for pair in zip(own, (part.low, part.expected, part.high), strict=True)]
    return tuple(
        Stretch(bounds[at - 1], bounds[at], driver, party, unit, strategic, counted, low, expected, high)
        for (at, driver, party, unit, strategic, counted), amounts in sums.items()
        for low, expected, high in [[Decimal(units).scaleb(-4) for units in amounts]]
    )


def _stretches(rows: Iterable[Any], bounds: list[date]) -> tuple[Stretch, ...]:
    return tuple(
        Stretch(
            start=bounds[row.stretch - 1],
            end=bounds[row.stretch],
            driver=row.driver,
            provider=row.provider,
            unit=row.unit,
            strategic=row.strategic,
            counted=row.counted,
            low=row.low,
            expected=row.expected,
            high=row.high,
        )
        for row in rows
    )


async def _metered(tx: Transaction, source: Source, bounds: list[date], slugs: frozenset[str]) -> tuple[Metering, ...]:
    """COUNT and SUM meters; distinct members do not add over stretches, so no number may rest on them."""
    kept = {
        meter.get("stored_as") or meter["slug"]: meter
        for meter in source.model.get("meters", ())
        if meter["slug"] in slugs
    }
    additive = [name for name, meter in kept.items() if meter["aggregation"] in {"COUNT", "SUM"}]
    if not additive or len(bounds) < 2:
        return ()
    where: dict[str, Any] = {"account": source.account_id, "meters": additive, "bounds": bounds}
    rows = await tx.rows(_METERED, where | {"first": bounds[0], "last": bounds[-1]})
    return tuple(
        Metering(
            kept[row.meter]["slug"],
            bounds[row.stretch - 1],
            bounds[row.stretch],
            Decimal(row.events) if kept[row.meter]["aggregation"] == "COUNT" else row.total,
        )
        for row in rows
    )


async def _sent(
    tx: Transaction, account_id: int, given: Iterable[Derivation]
) -> dict[str, tuple[tuple[date, int], ...]]:
    sources, span = sources_in(given)
    if span is None:
        return {}
    where = {"account": account_id, "sources": sorted(sources), "first": span[0], "last": span[1]}
    return {row.source: tuple(zip(row.days, row.events, strict=True)) for row in await tx.rows(_SENT, where)}


def _inputs(source: Source, given: Iterable[Derivation]) -> dict[tuple[str, date], HeldInput]:
    found = {}
    for slug, day in inputs_in(given):
        held = input_on(source, slug, day)
        if held is not None:
            found[slug, day] = HeldInput(held.low, held.expected, held.high, held.unit)
    return found


def _expiries(model: Mapping[str, Any]) -> set[date]:
    """The days from which baselines and drivers count no longer."""
    named = [given.get("expires_on") for given in model.get("baselines", ())]
    named += [given.get("sunset") for given in model.get("drivers", ())]
    return {date.fromisoformat(day) for day in named if day}


def _rollups(model: Mapping[str, Any]) -> list[str]:
    """Under which names the meters' rollups are kept."""
    return [meter.get("stored_as") or meter["slug"] for meter in model.get("meters", ())]


def _titles(model: Mapping[str, Any]) -> dict[str, str]:
    """Names by 'kind:slug', as everywhere: the title, else the slug in words."""
    kinds = {"drivers": "driver", "assumptions": "input", "baselines": "input"}
    titles = {
        f"{kind}:{given['slug']}": given.get("title") or given["slug"].replace("_", " ").capitalize()
        for section, kind in kinds.items()
        for given in model.get(section, ())
    }
    meters = {f"meter:{m['slug']}": m.get("title") or m["slug"].replace("_", " ") for m in model.get("meters", ())}
    features = {
        f"feature:{f['slug']}": f.get("title") or f["slug"].replace("_", " ").replace("-", " ").capitalize()
        for f in model.get("features", ())
    }
    products = {
        f"feature:product:{p['slug']}": p.get("title") or p["slug"].replace("_", " ").replace("-", " ").capitalize()
        for p in model.get("products", ())
    }
    return titles | meters | features | products
