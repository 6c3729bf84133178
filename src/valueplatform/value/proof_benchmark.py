"""The independent path: how accounts compare, computed again from their accruals, for `verify`.

Nothing here is shared with the code that first computed the figures: months are summed anew, quartiles come from the
standard library, ranks from counting. Import-linter keeps it so. Figures are a little older than the record: accounts
that were worked on since, or just before, are not held against it, only against what the figures themselves were made
of.
"""

import json
import math
import statistics
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import text

from valueplatform.core.database import Transaction
from valueplatform.value.proof_adopted import adopted_figures
from valueplatform.value.proof_record import Source, input_on, read_source
from valueplatform.value.proof_traits import trait_differences

LEAST: Final = 5
_THREE_DIGITS: Final = Context(prec=3, rounding=ROUND_HALF_EVEN)
_LONG: Final = Context(prec=60, rounding=ROUND_HALF_EVEN)
_NEWEST: Final = text("""
    SELECT run, as_of, document::text AS document FROM benchmark_run
    WHERE document IS NOT NULL ORDER BY run DESC LIMIT 1
""")
_MEMBERS: Final = text("""
    SELECT account_id, driver, unit, benefit_class, segment, total, scale, standings::text AS standings
    FROM benchmark_member WHERE run = :run
""")
_USES: Final = text("SELECT account_id, feature, first_day, is_used FROM benchmark_use WHERE run = :run")
_MODEL: Final = text("SELECT document::text FROM model_revision ORDER BY revision DESC LIMIT 1")
_INPUTS: Final = text("SELECT account_id, slug, unit, segment, value FROM benchmark_input WHERE run = :run")
_UNTOUCHED: Final = text("""
    SELECT account_id FROM assumption_entry GROUP BY account_id HAVING max(known_at) <= :as_of
""")
_TOTALS: Final = text("""
    SELECT v.account_id, v.driver, b.unit, sum(v.expected) AS total
    FROM accrual v JOIN basis b ON b.account_id = v.account_id AND b.basis_id = v.basis_id
    JOIN account a ON a.account_id = v.account_id
    WHERE v.day >= :start AND v.day < :end AND v.expected IS NOT NULL
      AND v.driver = ANY(CAST(:drivers AS text[])) AND (a.refreshed_at IS NULL OR a.refreshed_at <= :as_of)
    GROUP BY v.account_id, v.driver, b.unit
    HAVING count(DISTINCT extract(month FROM v.day)) = :months
""")
_RESTS: Final = text("""
    SELECT DISTINCT ON (v.account_id, v.driver) v.account_id, v.driver, b.inputs::text AS inputs
    FROM accrual v JOIN basis b ON b.account_id = v.account_id AND b.basis_id = v.basis_id
    JOIN benchmark_member m ON m.account_id = v.account_id AND m.driver = v.driver AND m.run = :run
    WHERE v.day >= :start AND v.day < :end AND v.expected IS NOT NULL
    ORDER BY v.account_id, v.driver, v.day DESC
""")
_SETTLED: Final = text("SELECT account_id FROM account WHERE refreshed_at IS NULL OR refreshed_at <= :as_of")


@dataclass(frozen=True, slots=True)
class Difference:
    """A stated figure that the independent path does not confirm."""

    where: str
    stated: str
    recomputed: str


@dataclass(frozen=True, slots=True)
class Run:
    run: int
    as_of: datetime
    document: Mapping[str, Any]
    members: Sequence[Any]
    uses: Mapping[int, Mapping[str, Any]]
    """By account and feature."""
    features: Mapping[str, Sequence[str]]
    """The segments that may use each; none = all."""
    inputs: Sequence[Any]
    day: date
    """Of the supplier, on which inputs held."""

    @property
    def untouched_since(self) -> datetime:
        """What began a little before the run may have been written after it."""
        return self.as_of - timedelta(minutes=1)

    @property
    def months(self) -> list[date]:
        return [date.fromisoformat(month) for month in self.document["months"]]


async def check_benchmarks(tx: Transaction) -> tuple[int, list[Difference]]:
    """How many figures and standings were checked, over all accounts, and those that differ."""
    newest = await tx.row(_NEWEST)
    if newest is None:
        return 0, []
    run = await _read(tx, newest)
    stated, recomputed = dict(_stated(run)), dict(_recomputed(run))
    found = [*_differences(stated, recomputed), *_check_practices(run)]
    traits = dict(trait_differences(run.document, run.members))
    found += [Difference(where, *told) for where, told in traits.items() if told is not None]
    found += await _check_inputs(tx, run)
    if run.months:
        found += await _check_totals(tx, run)
        found += await _check_typical(tx, run)
        settled = [row.account_id for row in await tx.rows(_SETTLED, {"as_of": run.untouched_since})]
        told, again = await adopted_figures(tx, run.document, run.uses, settled)
        found += _differences(told, again)
        stated |= told
    return len(stated) + len(traits), found


def _differences(stated: Mapping[str, object], recomputed: Mapping[str, object]) -> list[Difference]:
    return [
        Difference(where, str(stated.get(where, "none")), str(recomputed.get(where, "none")))
        for where in sorted({*stated, *recomputed})
        if stated.get(where) != recomputed.get(where)
    ]


async def _read(tx: Transaction, newest: Any) -> Run:
    uses: defaultdict[int, dict[str, Any]] = defaultdict(dict)
    for row in await tx.rows(_USES, {"run": newest.run}):
        uses[row.account_id][row.feature] = row
    model = json.loads(str(await tx.scalar(_MODEL)))
    features = {one["slug"]: one.get("eligible_segments", []) for one in model.get("features", ())}
    members = await tx.rows(_MEMBERS, {"run": newest.run})
    inputs = await tx.rows(_INPUTS, {"run": newest.run})
    day = newest.as_of.astimezone(ZoneInfo(model["supplier"]["timezone"])).date()
    return Run(newest.run, newest.as_of, json.loads(newest.document), members, dict(uses), features, inputs, day)


async def _check_totals(tx: Transaction, run: Run) -> list[Difference]:
    """What members brought in, against the accruals of accounts that were not worked on since."""
    months = run.months
    end = (months[-1] + timedelta(days=31)).replace(day=1)
    drivers = sorted({figure["driver"] for figure in run.document["figures"]})
    asked = {"start": months[0], "end": end, "drivers": drivers, "as_of": run.untouched_since, "months": len(months)}
    settled = {row.account_id for row in await tx.rows(_SETTLED, {"as_of": run.untouched_since})}
    stated = {
        f"total of {row.driver} in {row.unit}, account {row.account_id}": row.total
        for row in run.members
        if row.account_id in settled
    }
    recomputed = {
        f"total of {row.driver} in {row.unit}, account {row.account_id}": row.total
        for row in await tx.rows(_TOTALS, asked)
    }
    return _differences(stated, recomputed)


def _stated(run: Run) -> Iterator[tuple[str, object]]:
    for figure in run.document["figures"]:
        cohort = (figure["segment"], figure["driver"], figure["unit"], figure["per"])
        if figure["withheld"] is None:
            quartiles = [Decimal(figure[name]) for name in ("lower", "median", "upper", "low", "high")]
            yield _place(cohort), (figure["accounts"], quartiles)
        else:
            yield _place(cohort), figure["withheld"]
    for agreed in run.document["values"]:
        told = [agreed["accounts"], *(_number(agreed[name]) for name in ("low", "median", "high", "coverage"))]
        yield _input_place(agreed["slug"], agreed["unit"], agreed["segment"]), agreed["withheld"] or told
    for row in run.members:
        for one in json.loads(row.standings):
            cohort = (one["segment"], row.driver, row.unit, one["per"])
            stands = (one["accounts"], Decimal(one["percentile"]))
            yield f"{_place(cohort)}, account {row.account_id}", stands


def _recomputed(run: Run) -> Iterator[tuple[str, object]]:
    for cohort, values in _cohorts(run).items():
        amounts = [Fraction(row.total) for row, _ in values]
        told = [value for _, value in values]
        if len(told) < LEAST:
            yield _place(cohort), "fewer-than-five"
        elif _dominated(told) or _dominated(amounts):
            yield _place(cohort), "one-more-than-half"
        else:
            cuts = statistics.quantiles(told, n=4, method="inclusive")
            low, _, high = statistics.quantiles(told, n=4, method="exclusive")
            yield _place(cohort), (len(told), [three_digits(cut) for cut in (*cuts, low, high)])
            for row, value in values:
                stands = (len(told), _percent_below(told, value))
                yield f"{_place(cohort)}, account {row.account_id}", stands

    for (slug, unit, segment), given in _given(run).items():
        yield _input_place(slug, unit, segment), _agreed(given)


def _given(run: Run) -> dict[tuple[str, str, str], list[Fraction]]:
    found: defaultdict[tuple[str, str, str], list[Fraction]] = defaultdict(list)
    for row in run.inputs:
        for segment in {"", row.segment or ""}:
            found[row.slug, row.unit, segment].append(Fraction(row.value))
    return dict(found)


def _agreed(values: Sequence[Fraction]) -> object:
    """Count, low, median, high, coverage; or why they are withheld. The interval leaves out as many values at each end
    as it can while the chance that the median is beyond one of them stays within 10 %."""
    if len(values) < LEAST:
        return "fewer-than-five"
    if _dominated(values):
        return "one-more-than-half"
    count, ordered, out = len(values), sorted(values), 0
    chances = [Fraction(math.comb(count, k), 2**count) for k in range(count + 1)]
    while 2 * sum(chances[: out + 2]) <= Fraction(1, 10):
        out += 1
    covers = 1 - 2 * sum(chances[: out + 1], Fraction(0))
    told = (ordered[out], statistics.median(ordered), ordered[-1 - out])
    return [count, *map(three_digits, told), decimal_of(covers).quantize(Decimal("0.0001"), ROUND_HALF_EVEN)]


def _number(text_: str | None) -> Decimal | None:
    return None if text_ is None else Decimal(text_)


def _input_place(slug: str, unit: str, segment: str) -> str:
    return f"validated {slug} in {unit}, {segment or 'all'}"


async def _check_inputs(tx: Transaction, run: Run) -> list[Difference]:
    """What accounts had validated, by another reading of the records of those who have said nothing since."""
    untouched = [row.account_id for row in await tx.rows(_UNTOUCHED, {"as_of": run.untouched_since})]
    stated = {
        f"validated {row.slug}, account {row.account_id}": (row.value, row.unit)
        for row in run.inputs
        if row.account_id in set(untouched)
    }
    recomputed = {}
    for account_id in untouched:
        source = await read_source(tx, account_id)
        slugs = [] if source is None else sorted(slug for slug in source.entries if not slug.startswith("driver:"))
        for slug in slugs:
            given = input_on(source, slug, run.day) if source is not None else None
            if given is not None and given.state == "validated" and _is_known(source, slug):
                recomputed[f"validated {slug}, account {account_id}"] = (decimal_of(given.expected), given.unit)
    return _differences(stated, recomputed)


async def _check_typical(tx: Transaction, run: Run) -> list[Difference]:
    """What is usual of an input among accounts of a figure, from what their newest amounts rest on; left out where one
    of them was worked on since."""
    settled = {row.account_id for row in await tx.rows(_SETTLED, {"as_of": run.untouched_since})}
    end = (run.months[-1] + timedelta(days=31)).replace(day=1)
    rests = {
        (row.account_id, row.driver): {one["slug"]: one for one in json.loads(row.inputs)}
        for row in await tx.rows(_RESTS, {"start": run.months[-1], "end": end, "run": run.run})
    }
    found = []
    for stated in run.document["typical"]:
        rows = [row for row in run.members if (row.driver, row.unit) == (stated["driver"], stated["unit"])
                and stated["segment"] in {"", row.segment}]  # fmt: skip
        if any(row.account_id not in settled for row in rows):
            continue
        given = [rests.get((row.account_id, row.driver), {}).get(stated["slug"]) for row in rows]
        values = [Fraction(one["value"]["expected"]) for one in given if one is not None]
        hidden = len(values) < LEAST or _dominated(values)
        told = None if hidden else (len(values), three_digits(statistics.median(values)))
        if told != (stated["accounts"], Decimal(stated["median"])):
            place = f"usual {stated['slug']} of {stated['driver']} in {stated['unit']}, {stated['segment'] or 'all'}"
            found.append(Difference(place, f"{stated['median']} of {stated['accounts']}", str(told)))
    return found


def _is_known(source: Source | None, slug: str) -> bool:
    rates = [] if source is None else [*source.model.get("assumptions", ()), *source.model.get("baselines", ())]
    return any(rate["slug"] == slug for rate in rates)


_Cohort = tuple[str, str, str, str]


def _cohorts(run: Run) -> dict[_Cohort, list[tuple[Any, Fraction]]]:
    found: defaultdict[_Cohort, list[tuple[Any, Fraction]]] = defaultdict(list)
    for row in run.members:
        value = Fraction(row.total) / len(run.months)
        for segment in {"", row.segment or ""}:
            found[segment, row.driver, row.unit, "account"].append((row, value))
            if row.scale is not None:
                found[segment, row.driver, row.unit, "scale"].append((row, value / Fraction(row.scale)))
    return dict(found)


def _place(cohort: _Cohort) -> str:
    segment, driver, unit, per = cohort
    return f"{driver} in {unit} per {per}, {segment or 'all'}"


def _dominated(values: Sequence[Fraction]) -> bool:
    total = sum(map(abs, values))
    return any(abs(value) > total - abs(value) for value in values)


def _percent_below(values: Iterable[Fraction], own: Fraction) -> Decimal:
    """Of the others; the same counts half."""
    points = [Fraction(100) if value < own else Fraction(50) if value == own else Fraction(0) for value in values]
    mean = (sum(points, Fraction(0)) - 50) / (len(points) - 1)
    return decimal_of(mean).quantize(Decimal("0.1"), ROUND_HALF_EVEN)


def three_digits(value: Fraction) -> Decimal:
    """Rounded once, from so many digits that none is lost to a tie."""
    return _THREE_DIGITS.plus(decimal_of(value))


def decimal_of(value: Fraction) -> Decimal:
    """To 60 digits."""
    return _LONG.divide(Decimal(value.numerator), Decimal(value.denominator))


def _check_practices(run: Run) -> Iterator[Difference]:
    """What goes with a high value: groups, shares, the order of adoption, and intervals within 0.0002, since these are
    roots."""
    for practice in run.document["practices"]:
        groups = _groups(run, practice)
        counts = [practice["top"], practice["rest"]]
        place = f"{practice['driver']} per {practice['per']}, {practice['segment'] or 'all'}"
        if [len(group) for group in groups] != counts:
            yield Difference(f"top quartile of {place}", str(counts), str([len(group) for group in groups]))
        if (order := [habit["feature"] for habit in practice["habits"]]) != (right := _adopted(practice["habits"])):
            yield Difference(f"order of adoption of {place}", str(order), str(right))
        for habit in practice["habits"]:
            stated = [habit[name] for name in ("top_using", "top", "rest_using", "rest")]
            told = [(_used(run, habit["feature"], group), _able(run, habit["feature"], group)) for group in groups]
            counted = [count for pair in told for count in pair]
            if stated != counted:
                yield Difference(f"{habit['feature']} in {place}", str(stated), str(counted))
                continue
            limits = newcombe(told[0], told[1], practice["compared"])
            wrong = [name for name, limit in zip(("low", "high"), limits, strict=True)
                     if abs(float(habit[name]) - limit) > 2e-4]  # fmt: skip
            usual = _usual_place(run, habit["feature"], groups[0])
            if wrong or (None if habit["position"] is None else Decimal(habit["position"])) != usual:
                stated = [habit["low"], habit["high"], habit["position"]]
                yield Difference(f"{habit['feature']} in {place}", str(stated), str([*limits, usual]))


def _adopted(habits: Sequence[Mapping[str, Any]]) -> list[str]:
    """Features by their places, equal ones by name; those without a place come last, by name."""
    return [name for _, name in sorted((Decimal(one["position"] or "Infinity"), one["feature"]) for one in habits)]


def _groups(run: Run, practice: Mapping[str, Any]) -> tuple[list[Any], list[Any]]:
    """The accounts at or above the upper quartile of their own cohort, and the others."""
    withheld = {
        (one["segment"], one["driver"], one["unit"], one["per"])
        for one in run.document["figures"]
        if one["withheld"] is not None
    }
    top: list[Any] = []
    rest: list[Any] = []
    for cohort, values in _cohorts(run).items():
        segment, driver, _, per = cohort
        wanted = (practice["segment"], practice["driver"], practice["per"])
        if (segment, driver, per) == wanted and cohort not in withheld:
            cut = statistics.quantiles([value for _, value in values], n=4, method="inclusive")[2]
            top += [row for row, value in values if not value < cut]
            rest += [row for row, value in values if value < cut]
    return top, rest


def _able(run: Run, feature: str, group: Sequence[Any]) -> int:
    return len([row for row in group if _may(run, feature, row)])


def _used(run: Run, feature: str, group: Sequence[Any]) -> int:
    own = [run.uses.get(row.account_id, {}).get(feature) for row in group if _may(run, feature, row)]
    return len([use for use in own if use is not None and use.is_used])


def _may(run: Run, feature: str, row: Any) -> bool:
    return not run.features[feature] or row.segment in run.features[feature]


def _usual_place(run: Run, feature: str, top: Sequence[Any]) -> Decimal | None:
    places = []
    for row in top:
        own = run.uses.get(row.account_id, {})
        if _may(run, feature, row) and feature in own and own[feature].is_used:
            days = sorted(use.first_day for use in own.values())
            first = days.index(own[feature].first_day) + 1
            places.append(Fraction(2 * first + days.count(own[feature].first_day) - 1, 2))
    if len(places) < LEAST:
        return None
    return decimal_of(statistics.median(places)).quantize(Decimal("0.1"), ROUND_HALF_EVEN)


def newcombe(first: tuple[int, int], second: tuple[int, int], at_once: int) -> tuple[float, float]:
    """Each pair is (users, accounts)."""
    z = statistics.NormalDist().inv_cdf(1 - 0.05 / at_once / 2)
    p, q = first[0] / first[1], second[0] / second[1]
    (l1, u1), (l2, u2) = _score(p, first[1], z), _score(q, second[1], z)
    return p - q - math.sqrt((p - l1) ** 2 + (u2 - q) ** 2), p - q + math.sqrt((u1 - p) ** 2 + (q - l2) ** 2)


def _score(p: float, n: int, z: float) -> tuple[float, float]:
    root = z * math.sqrt(z * z + 4 * n * p * (1 - p))
    return (2 * n * p + z * z - root) / 2 / (n + z * z), (2 * n * p + z * z + root) / 2 / (n + z * z)
