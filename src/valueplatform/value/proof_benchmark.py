"""The independent path: how accounts compare, computed again from their accruals, for `verify`.

Nothing here is shared with the code that first computed the figures: months are summed anew, quartiles come from the
standard library, ranks from counting. Import-linter keeps it so. Figures are a little older than the record: accounts
that were worked on since are not held against it, only against what the figures themselves were made of.
"""

import json
import statistics
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction
from typing import Any, Final

from sqlalchemy import text

from valueplatform.core.database import Transaction

LEAST: Final = 5
_THREE_DIGITS: Final = Context(prec=3, rounding=ROUND_HALF_EVEN)
_LONG: Final = Context(prec=60, rounding=ROUND_HALF_EVEN)
_NEWEST: Final = text("""
    SELECT run, as_of, document::text AS document FROM benchmark_run
    WHERE document IS NOT NULL ORDER BY run DESC LIMIT 1
""")
_MEMBERS: Final = text("""
    SELECT account_id, driver, unit, segment, total, scale, standings::text AS standings
    FROM benchmark_member WHERE run = :run
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
_SETTLED: Final = text("SELECT account_id FROM account WHERE refreshed_at IS NULL OR refreshed_at <= :as_of")


@dataclass(frozen=True, slots=True)
class Difference:
    """A stated figure that the independent path does not confirm."""

    where: str
    stated: str
    recomputed: str


@dataclass(frozen=True, slots=True)
class Run:
    as_of: datetime
    document: Mapping[str, Any]
    members: Sequence[Any]

    @property
    def months(self) -> list[date]:
        return [date.fromisoformat(month) for month in self.document["months"]]


async def check_benchmarks(tx: Transaction) -> tuple[int, list[Difference]]:
    """How many figures and standings were checked, over all accounts, and those that differ."""
    newest = await tx.row(_NEWEST)
    if newest is None:
        return 0, []
    members = await tx.rows(_MEMBERS, {"run": newest.run})
    run = Run(newest.as_of, json.loads(newest.document), members)
    stated, recomputed = dict(_stated(run)), dict(_recomputed(run))
    found = _differences(stated, recomputed)
    if run.months:
        found += await _check_totals(tx, run)
    return len(stated), found


def _differences(stated: Mapping[str, object], recomputed: Mapping[str, object]) -> list[Difference]:
    return [
        Difference(where, str(stated.get(where, "none")), str(recomputed.get(where, "none")))
        for where in sorted({*stated, *recomputed})
        if stated.get(where) != recomputed.get(where)
    ]


async def _check_totals(tx: Transaction, run: Run) -> list[Difference]:
    """What members brought in, against the accruals of accounts that were not worked on since."""
    months = run.months
    end = (months[-1] + timedelta(days=31)).replace(day=1)
    drivers = sorted({figure["driver"] for figure in run.document["figures"]})
    asked = {"start": months[0], "end": end, "drivers": drivers, "as_of": run.as_of, "months": len(months)}
    settled = {row.account_id for row in await tx.rows(_SETTLED, {"as_of": run.as_of})}
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
            quartiles = [Decimal(figure[name]) for name in ("lower", "median", "upper")]
            yield _place(cohort), (figure["accounts"], quartiles)
        else:
            yield _place(cohort), figure["withheld"]
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
            yield _place(cohort), (len(told), [three_digits(cut) for cut in cuts])
            for row, value in values:
                stands = (len(told), _percent_below(told, value))
                yield f"{_place(cohort)}, account {row.account_id}", stands


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
