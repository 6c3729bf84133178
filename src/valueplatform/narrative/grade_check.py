"""`verify`, the part of grades: every grade that stands, reckoned again from what it rests on, by code that shares
nothing with the code that made it."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction
from json import loads
from typing import Any, Final

from sqlalchemy import text

from valueplatform.core.database import Transaction
from valueplatform.value.verify import Discrepancy

_PLACES: Final = Decimal("0.0001")
_WIDE: Final = Context(prec=80)
_STANDING: Final = text("""
    SELECT DISTINCT ON (g.suggestion_id, g.horizon) g.suggestion_id, g.horizon, g.body::text AS grade,
           i.body::text AS given, s.body::text AS suggestion,
           coalesce(a.refreshed_at <= g.graded_at, true)
           AND NOT EXISTS (SELECT FROM changed_day c WHERE c.account_id = g.account_id) AS is_current
    FROM suggestion_grade g
    JOIN account a USING (account_id)
    JOIN suggestion s USING (account_id, suggestion_id)
    LEFT JOIN suggestion_grade_input i USING (account_id, suggestion_id, horizon, version)
    WHERE g.account_id = :account
    ORDER BY g.suggestion_id, g.horizon, g.version DESC
""")
_BROUGHT: Final = text("""
    SELECT coalesce(sum(amount) FILTER (WHERE day < :start), 0) AS before,
           coalesce(sum(amount) FILTER (WHERE NOT day < :start), 0) AS after
    FROM (SELECT day, expected AS amount FROM accrual
          WHERE account_id = :account AND day BETWEEN CAST(:start AS date) - 90 AND CAST(:end AS date) - 1
            AND basis_id IN (SELECT basis_id FROM basis
                             WHERE account_id = :account AND unit = :unit AND benefit_class <> 'strategic')) AS own
""")


async def verify_grades(tx: Transaction, account_id: int) -> tuple[int, list[Discrepancy]]:
    """How many numbers were reckoned again, and those that differ.

    The account's own amounts are read anew only where nothing of its record has changed since it was graded: a grade is
    of the record as it was, until the next grading.
    """
    checked, found = 0, []
    for row in await tx.rows(_STANDING, {"account": account_id}):
        grade, place = loads(row.grade), f"{row.suggestion_id}, {row.horizon} days"
        if grade["outcome"] not in {"measured", "not-priced"}:
            continue
        if row.given is None:
            found.append(Discrepancy("grade", place, "kept", "what it rests on is missing"))
            continue
        given = loads(row.given)
        again = dict(_reckoned(given, row.horizon))
        if grade["outcome"] == "measured":
            again |= _promised(loads(row.suggestion), row.horizon)
        if row.is_current:
            again |= await _own(tx, account_id, grade)
        stated = grade | {f"own_{name}": given["own"][name] for name in ("before", "after")}
        for name, value in again.items():
            checked += 1
            if _text(stated[name]) != _text(value):
                found.append(Discrepancy("grade", f"{place}, {name}", _text(stated[name]), _text(value)))
    return checked, found


def _reckoned(given: Mapping[str, Any], horizon: int) -> Iterator[tuple[str, object]]:
    own = {name: Fraction(given["own"][name]) for name in ("before", "after")}
    ratios = sorted(Fraction(one["after"]) / Fraction(one["before"]) for one in given["compared"])
    low, middle, high = (own["before"] * _at(ratios, place) for place in (5, 50, 95))
    without = _rounded(middle)
    realized = Decimal(given["own"]["after"]) - without
    yield "compared", len(ratios)
    yield "without", without
    yield "realized", realized
    if given["stated"] is None:
        return
    bounds = [_rounded(Fraction(given["stated"][name]) * _share(horizon)) for name in ("low", "expected", "high")]
    yield from zip(("low", "expected", "high"), bounds, strict=True)
    start = bounds[1] - _root(bounds[1] - bounds[0], _rounded(low - middle))
    end = bounds[1] + _root(bounds[2] - bounds[1], _rounded(high - middle))
    yield "range_low", start
    yield "range_high", end
    yield "is_within", start <= realized <= end


def _promised(suggestion: Mapping[str, Any], horizon: int) -> dict[str, object]:
    """From the suggestion as it was accepted, its costs put back."""
    costs = sum((Fraction(cost["amount"]) for cost in suggestion["costs"]), Fraction(0)) if suggestion["net"] else 0
    names = ("low", "expected", "high")
    return {name: _rounded((Fraction(suggestion[name]) + costs) * _share(horizon)) for name in names}


async def _own(tx: Transaction, account_id: int, grade: Mapping[str, Any]) -> dict[str, object]:
    start = date.fromisoformat(grade["start"])
    end = start + timedelta(days=grade["horizon"])
    row = await tx.row(_BROUGHT, {"account": account_id, "start": start, "end": end, "unit": grade["unit"]})
    return {} if row is None else {"own_before": row.before, "own_after": row.after}


def _share(days: int) -> Fraction:
    """The value of the first days of a first year, a third in the first twelfth and two thirds in the second."""
    month = Fraction(365, 12)
    lost = sum(
        (min(max(Fraction(days) - number * month, Fraction(0)), month) * missing
         for number, missing in enumerate((Fraction(2, 3), Fraction(1, 3)))), Fraction(0),
    )  # fmt: skip
    return (days - lost) / (365 - month)


def _at(ordered: Sequence[Fraction], percent: int) -> Fraction:
    whole, part = divmod(percent * (len(ordered) - 1), 100)
    step = ordered[min(whole + 1, len(ordered) - 1)] - ordered[whole]
    return ordered[whole] + step * Fraction(part, 100)


def _root(one: Decimal, other: Decimal) -> Decimal:
    squares = _WIDE.add(_WIDE.multiply(one, one), _WIDE.multiply(other, other))
    return _WIDE.sqrt(squares).quantize(_PLACES, rounding="ROUND_DOWN")


def _rounded(value: Fraction) -> Decimal:
    quotient = _WIDE.divide(Decimal(value.numerator), Decimal(value.denominator))
    return quotient.quantize(_PLACES, rounding=ROUND_HALF_EVEN)


def _text(value: object) -> str:
    if isinstance(value, bool) or value is None:
        return str(value)
    return format(Decimal(str(value)).quantize(_PLACES), "f")
