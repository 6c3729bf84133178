"""Stated numbers evaluated again from the raw record: the leaves of a derivation by `proof`, the rest by fractions.

Realized value of a period is what its days' events are worth now, less adjustments of those days that are shown
elsewhere, plus adjustments shown in it of other days. That equals the shown value exactly as long as postings and
accruals agree with the events; where they do not, the proof disagrees.
"""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal, localcontext
from fractions import Fraction
from statistics import median
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import text

from valueplatform.core.database import Transaction
from valueplatform.value import derivation as d
from valueplatform.value.proof import ProvedAmount, days_needed, drivers_named, meters_of, prove_tallied, rounded
from valueplatform.value.proof_archive import kept_events, widened
from valueplatform.value.proof_comparison import compared
from valueplatform.value.proof_forecast import forecast
from valueplatform.value.proof_joint import is_divided, joint_value
from valueplatform.value.proof_record import Source, input_on
from valueplatform.value.proof_tallies import Tallies, tally_events, together
from valueplatform.value.split_proof import Lines, lines_anew

TOLERANCE = 1e-9
"""Relative tolerance of statistics; everything else must agree exactly."""

_POSTINGS = text("""
    SELECT p.kind, p.driver, p.provider, p.day, p.shown_day, p.low, p.expected, p.high, b.unit, b.counted,
           b.benefit_class, b.evidence, b.state
    FROM posting p JOIN basis b ON b.account_id = p.account_id AND b.basis_id = p.basis_id
    WHERE p.account_id = :account
""")
_SENT = text("""
    SELECT source, time FROM event
    WHERE account_id = :account AND utc_day >= :start AND utc_day < :end AND source = ANY(CAST(:sources AS text[]))
""")
# A plan with terms counts once both sides signed the same, and takes the place of others from its month on.
_TARGETS = text("""
    WITH signed AS (
        SELECT plan_id, version FROM plan_signature WHERE account_id = :account
        GROUP BY plan_id, version, digest HAVING count(DISTINCT side) = 2
    )
    SELECT DISTINCT ON (plan_id, objective_id, driver, month) driver, month, low, expected, high
    FROM plan_target t WHERE account_id = :account
      AND (EXISTS (SELECT FROM signed s WHERE s.plan_id = t.plan_id)
           OR NOT EXISTS (SELECT FROM plan_terms d WHERE d.account_id = :account AND d.plan_id = t.plan_id))
      AND NOT EXISTS (SELECT FROM plan_terms r JOIN signed USING (plan_id, version)
                      WHERE r.account_id = :account AND t.plan_id = ANY(r.replaces) AND t.month >= r.from_month)
    ORDER BY plan_id, objective_id, driver, month, version DESC
""")
# What is paid in another currency than the account's is in no total.
_CONTRACTS = text("""
    SELECT start_day, end_day, amount, period FROM contract
    WHERE account_id = :account AND currency = (SELECT currency FROM account_currency WHERE account_id = :account
                                                ORDER BY effective_from DESC LIMIT 1)
""")
# What customers put in beside: finance counts the same kinds for them.
_EFFORT = text("""
    SELECT kind, month, amount FROM cost
    WHERE account_id = :account AND kind IN ('implementation', 'internal')
      AND currency = (SELECT currency FROM account_currency WHERE account_id = :account
                      ORDER BY effective_from DESC LIMIT 1)
""")


class UnprovableError(ValueError):
    """A derivation that this code does not know how to evaluate: the number cannot be shown."""


@dataclass(slots=True)
class Prover:
    """Evaluates derivations of one account. Days are recomputed once, for the widest stretch asked for."""

    source: Source
    amounts: list[ProvedAmount] = field(default_factory=list)
    tallies: Tallies = field(default_factory=dict)
    postings: list[Any] = field(default_factory=list)
    targets: list[Any] = field(default_factory=list)
    contracts: list[Any] = field(default_factory=list)
    efforts: list[Any] = field(default_factory=list)
    sent: "list[_Sent]" = field(default_factory=list)
    lines: Lines = field(default_factory=dict)
    compared: dict[d.Benchmark, Fraction] = field(default_factory=dict)
    read: Mapping[d.Derivation, Fraction] = field(default_factory=dict)

    @classmethod
    async def prepare(
        cls,
        tx: Transaction,
        source: Source,
        derivations: Iterable[d.Derivation],
        read: Mapping[d.Derivation, Fraction] | None = None,
    ) -> "Prover":
        """Read what the derivations need, and no more events than that. `read` are figures of grades and parts of
        members, which the caller has from elsewhere."""
        leaves = [leaf for derivation in derivations for leaf in leaves_of(derivation)]
        where = {"account": source.account_id}
        prover = cls(source, read=read or {})
        prover.postings = list(await tx.rows(_POSTINGS, where))
        prover.lines = await lines_anew(tx, source.account_id)
        prover.targets = list(await tx.rows(_TARGETS, where))
        prover.contracts = list(await tx.rows(_CONTRACTS, where))
        prover.efforts = list(await tx.rows(_EFFORT, where))
        asked = [leaf for leaf in leaves if isinstance(leaf, d.Benchmark)]
        prover.compared = await compared(tx, source.account_id, asked)
        sent = [leaf for leaf in leaves if isinstance(leaf, d.Sent)]
        if sent:
            start, end = min(leaf.start for leaf in sent), max(leaf.end for leaf in sent)
            sources = sorted({leaf.source for leaf in sent})
            prover.sent = await _sent(tx, source, start, end, sources)
        realized = [leaf for leaf in leaves if isinstance(leaf, d.Realized)]
        metered = [leaf for leaf in leaves if isinstance(leaf, d.Metered)]
        if not realized and not metered:
            return prover
        whole = any(not leaf.drivers for leaf in realized)
        named = () if whole else {slug for leaf in realized for slug in leaf.drivers}
        drivers = drivers_named(source, named) if realized else []
        wanted = {meter["slug"] for meter in meters_of(source, drivers)} | {leaf.meter for leaf in metered}
        meters = [meter for meter in source.model.get("meters", ()) if meter["slug"] in wanted]
        spans = [(leaf.start, leaf.end) for leaf in realized] + [(leaf.start, leaf.end) for leaf in metered]
        start, end = days_needed(source, min(start for start, _ in spans), max(end for _, end in spans))
        prover.tallies = await tally_events(tx, source, meters, start, end)
        prover.amounts = prove_tallied(source, drivers, prover.tallies)
        return prover

    def value(self, node: d.Derivation) -> Fraction:
        """The number that the derivation gives. Raises UnprovableError, ZeroDivisionError."""
        match node:
            case d.Realized():
                return self._realized(node)
            case d.Committed():
                return self._committed(node)
            case d.Paid() | d.Effort():
                return self._put_in(node)
            case d.Metered() | d.Sent():
                return self._metered(node) if isinstance(node, d.Metered) else self._sent(node)
            case d.Input():
                return self._input(node)
            case d.Adjusted() | d.Closed():
                return self._posted(node)
            case d.Constant() | d.Days():
                return Fraction(node.value if isinstance(node, d.Constant) else (node.end - node.start).days)
        return self._composed(node)

    def _put_in(self, node: d.Paid | d.Effort) -> Fraction:
        if isinstance(node, d.Effort):
            return _effort(self.efforts, node.start, node.end)
        return sum((_paid(contract, node.start, node.end) for contract in self.contracts), Fraction(0))

    def _composed(self, node: d.Derivation) -> Fraction:
        match node:
            case d.Benchmark() if node in self.compared:
                return self.compared[node]
            case d.Graded() | d.Part() if node in self.read:
                return self.read[node]
            case d.Difference():
                return self.value(node.minuend) - self.value(node.subtrahend)
            case d.Total():
                return sum((self.value(part) for part in node.parts), Fraction(0))
            case d.Ratio():
                return Fraction(rounded(self.value(node.numerator) / self.value(node.denominator), node.places))
            case d.Tally():
                return Fraction(sum(1 for item in node.items if self._compares(node, self.value(item))))
            case d.Forecast():
                ahead = forecast([self.value(week) for week in node.weeks], node.ahead, node.bound)
                return Fraction(rounded(ahead, node.places))
            case d.Statistic():
                return statistic(node.method, [self.value(value) for value in node.values], node.places)
        raise UnprovableError(f"no proof of {type(node).__name__}")

    def _compares(self, node: d.Tally, value: Fraction) -> bool:
        threshold = self.value(node.threshold) if node.threshold is not None else Fraction(0)
        if node.comparison == "above":
            return value > threshold
        return value < threshold if node.comparison == "below" else value != 0

    def _realized(self, node: d.Realized) -> Fraction:
        strategic = {x["slug"] for x in self.source.model.get("drivers", ()) if x.get("benefit_class") == "strategic"}

        def takes(driver: str, provider: str, unit: str, *, counted: bool, priced: bool) -> bool:
            chosen = driver in node.drivers if node.drivers else priced
            of_provider = not node.providers or (
                provider in node.providers and not is_divided(self.lines, driver, provider)
            )
            return chosen and of_provider and unit == node.unit and (counted or not node.counted)

        parties = bool(node.providers and self.lines)
        total = joint_value(node, self.amounts, self.postings, self.lines) if parties else Fraction(0)
        for amount in self.amounts:
            value = getattr(amount, node.bound)
            if value is None or not node.start <= amount.day < node.end:
                continue
            priced = amount.driver not in strategic
            if takes(amount.driver, amount.provider, amount.unit, counted=amount.counted, priced=priced):
                total += Fraction(value)
        for row in self.postings:
            inside, shown = node.start <= row.day < node.end, node.start <= row.shown_day < node.end
            priced = row.benefit_class != "strategic"
            if inside is not shown and takes(row.driver, row.provider, row.unit, counted=row.counted, priced=priced):
                total += Fraction(getattr(row, node.bound)) * (1 if shown else -1)
        return total

    def _committed(self, node: d.Committed) -> Fraction:
        total = Fraction(0)
        for row in self.targets:
            amount = getattr(row, node.bound)
            if amount is not None and (not node.drivers or row.driver in node.drivers):
                total += _of_month(Fraction(amount), row.month, node.start, node.end)
        return total

    def _metered(self, node: d.Metered) -> Fraction:
        meter = next(m for m in self.source.model.get("meters", ()) if m["slug"] == node.meter)
        found = [
            tally
            for (slug, _, day), tally in self.tallies.items()
            if slug == node.meter and node.start <= day < node.end
        ]
        value = together(meter, found)
        if value is None:
            raise UnprovableError(f"{node.meter} has no value from {node.start} to {node.end}")
        return value

    def _sent(self, node: d.Sent) -> Fraction:
        own = (row.events for row in self.sent if row.source == node.source and node.start <= row.day < node.end)
        return Fraction(sum(own))

    def _input(self, node: d.Input) -> Fraction:
        given = input_on(self.source, node.slug, node.day)
        if given is None:
            raise UnprovableError(f"{node.slug} had no value on {node.day}")
        value: Fraction = getattr(given, node.bound)
        return value

    def _posted(self, node: d.Adjusted | d.Closed) -> Fraction:
        total = Fraction(0)
        for row in self.postings:
            if node.drivers and row.driver not in node.drivers:
                continue
            of_month = node.month is None or (row.day.year, row.day.month) == (node.month.year, node.month.month)
            if isinstance(node, d.Closed):
                wanted = row.kind == "close" and of_month
            else:
                wanted = row.kind == "adjustment" and of_month and node.start <= row.shown_day < node.end
            total += Fraction(row.expected) if wanted else 0
        return total


def leaves_of(node: d.Derivation) -> Iterator[d.Derivation]:
    """The parts of a derivation that read the record."""
    match node:
        case d.Difference():
            children: tuple[d.Derivation, ...] = (node.minuend, node.subtrahend)
        case d.Total():
            children = node.parts
        case d.Ratio():
            children = (node.numerator, node.denominator)
        case d.Tally():
            children = (*node.items, *((node.threshold,) if node.threshold is not None else ()))
        case d.Statistic():
            children = node.values
        case d.Forecast():
            children = node.weeks
        case _:
            yield node
            return
    for child in children:
        yield from leaves_of(child)


def _of_month(amount: Fraction, month: date, start: date, end: date) -> Fraction:
    """The part of a month's amount that falls on [start, end): the difference of two running totals, each rounded
    once, so that parts of a month always add up to it."""
    after = (month.replace(day=28) + timedelta(days=4)).replace(day=1)
    length = (after - month).days

    def until(day: date) -> Fraction:
        elapsed = min(max((day - month).days, 0), length)
        return Fraction(rounded(amount * elapsed / length))

    return until(end) - until(start) if end > start else Fraction(0)


def statistic(method: str, values: list[Fraction], places: int) -> Fraction:
    """A statistic of equally spaced values, by its name in the literature.

    theil-sen-slope: the median of the slopes between all pairs (Sen 1968). median, mean: as everyone means them.
    variation: the standard deviation of a sample over its mean, from sums of values and of squares.
    same-direction: of two series, one after the other, the steps that both take the same way.
    """
    if method == "median":
        result = Fraction(median(values))
    elif method == "mean":
        result = sum(values, Fraction(0)) / len(values)
    elif method == "variation":
        count, total = len(values), sum(values, Fraction(0))
        squares = sum((value * value for value in values), Fraction(0))
        share = (count * squares - total * total) * count / (total * total) / (count - 1)
        with localcontext(prec=60):
            result = Fraction((Decimal(share.numerator) / Decimal(share.denominator)).sqrt())
    elif method == "theil-sen-slope":
        pairs = ((i, j) for j in range(len(values)) for i in range(j))
        result = Fraction(median([(values[j] - values[i]) / (j - i) for i, j in pairs]))
    elif method == "same-direction":
        half = len(values) // 2
        moves = [(values[i + 1] - values[i]) * (values[half + i + 1] - values[half + i]) for i in range(half - 1)]
        result = Fraction(sum(1 for move in moves if move > 0))
    else:
        raise UnprovableError(f"no proof of the statistic {method!r}")
    return Fraction(rounded(result, places))


def agrees(stated: Decimal, recomputed: Fraction, node: d.Derivation) -> bool:
    """Exactly, unless a statistic is in it: those agree within a relative 1e-9."""
    if Fraction(stated) == recomputed:
        return True
    return _has_statistic(node) and math.isclose(stated, recomputed, rel_tol=TOLERANCE)


def _has_statistic(node: d.Derivation) -> bool:
    match node:
        case d.Statistic():
            return True
        case d.Difference():
            return _has_statistic(node.minuend) or _has_statistic(node.subtrahend)
        case d.Ratio():
            return _has_statistic(node.numerator) or _has_statistic(node.denominator)
        case d.Total():
            return any(_has_statistic(part) for part in node.parts)
    return False


def _effort(costs: Iterable[Any], start: date, end: date) -> Fraction:
    """Each kind rounded once; an amount is spread evenly over the days of its month."""
    kinds: dict[str, Fraction] = {}
    for cost in costs:
        after = (cost.month.replace(day=28) + timedelta(days=4)).replace(day=1)
        days = (min(end, after) - max(start, cost.month)).days
        if days > 0:
            part = Fraction(cost.amount) * days / (after - cost.month).days
            kinds[cost.kind] = kinds.get(cost.kind, Fraction(0)) + part
    return sum((Fraction(rounded(whole)) for whole in kinds.values()), Fraction(0))


def _paid(contract: Any, start: date, end: date) -> Fraction:
    """What a contract costs on [start, end): the difference of two running totals from its start, each rounded once."""
    last = end if contract.end_day is None else min(end, contract.end_day)
    first = max(start, contract.start_day)
    if first >= last:
        return Fraction(0)
    return _cost_until(contract, last) - _cost_until(contract, first)


def _cost_until(contract: Any, day: date) -> Fraction:
    """Day by day in stretches of one price: calendar months, or contract years (29 February renews on the 28th)."""
    spent, at, years = Fraction(0), contract.start_day, 0
    while at < day:
        if contract.period == "month":
            opening, closing = at.replace(day=1), (at.replace(day=28) + timedelta(days=4)).replace(day=1)
        else:
            opening, closing = _anniversary(contract.start_day, years), _anniversary(contract.start_day, years + 1)
            years += 1
        until = min(closing, day)
        spent += Fraction(contract.amount) * (until - at).days / (closing - opening).days
        at = until
    return Fraction(rounded(spent))


def _anniversary(start: date, years: int) -> date:
    try:
        return start.replace(year=start.year + years)
    except ValueError:
        return date(start.year + years, 2, 28)


class _Sent(NamedTuple):
    """Events of a source on a local day."""

    source: str
    day: date
    events: int


async def _sent(tx: Transaction, source: Source, start: date, end: date, sources: Sequence[str]) -> list[_Sent]:
    """Stored and archived events, the local day of each told from its time."""
    zone = ZoneInfo(source.timezone)
    first, last = widened(start, end)
    counts: Counter[tuple[str, date]] = Counter()
    where = {"account": source.account_id, "start": first, "end": last, "sources": list(sources)}
    async for row in await tx.connection.stream(_SENT, where):
        counts[row.source, row.time.astimezone(zone).date()] += 1
    async for event in kept_events(tx, source.account_id, None, first, last):
        if event.source in sources:
            counts[event.source, event.time.astimezone(zone).date()] += 1
    return [_Sent(name, day, events) for (name, day), events in counts.items() if start <= day < end]
