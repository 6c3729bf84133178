"""Attainment by separate arithmetic, for `verify`: every line of every point, and of what is known today, against sums
of the database and whole numbers.

Shares nothing with `attainment`, `plans`, `plan_terms` and `objectives` but the shape of what is compared.
"""

from calendar import monthrange
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from babel.numbers import list_currencies
from sqlalchemy import text

from valueplatform.core.database import Transaction
from valueplatform.value.attainment import Attainment, Line
from valueplatform.value.proof_record import Source
from valueplatform.value.verify import Discrepancy

_EVER: Final = datetime(9999, 1, 1, tzinfo=UTC)
_TEN_THOUSAND: Final = 10_000
_DONE: Final = text("""
    SELECT month FROM closed_month WHERE account_id = :account AND closed_at < :until
""")
_PROMISED: Final = text("""
    WITH sworn AS (
        SELECT customer.plan_id, customer.version FROM plan_signature customer
        JOIN plan_signature supplier USING (account_id, plan_id, version, digest)
        WHERE account_id = :account AND customer.side = 'customer' AND supplier.side = 'supplier'
          AND customer.signed_at < :until AND supplier.signed_at < :until
    ), said AS (
        SELECT plan_id, objective_id, driver, month, expected,
               row_number() OVER (PARTITION BY plan_id, objective_id, driver, month ORDER BY version DESC) AS back
        FROM plan_target WHERE account_id = :account AND known_at < :until
    )
    SELECT objective_id, driver, month, expected FROM said
    WHERE back = 1 AND expected IS NOT NULL
      AND (plan_id IN (SELECT plan_id FROM sworn)
           OR plan_id NOT IN (SELECT plan_id FROM plan_terms WHERE account_id = :account AND known_at < :until))
      AND NOT EXISTS (SELECT FROM plan_terms r JOIN sworn USING (plan_id, version)
                      WHERE r.account_id = :account AND said.plan_id = ANY(r.replaces)
                        AND said.month >= r.from_month)
""")
_COME: Final = text("""
    SELECT p.driver, b.unit, b.benefit_class, date_trunc('month', p.shown_day)::date AS month, sum(p.expected) AS amount
    FROM posting p JOIN basis b USING (account_id, basis_id)
    WHERE account_id = :account AND p.posted_at < :until AND b.counted
      AND p.shown_day >= :first AND p.shown_day < :end
    GROUP BY 1, 2, 3, 4
""")
_OPEN: Final = text("""
    SELECT a.driver, b.unit, b.benefit_class, date_trunc('month', a.day)::date AS month, sum(a.expected) AS amount
    FROM accrual a JOIN basis b USING (account_id, basis_id)
    WHERE account_id = :account AND b.counted AND a.expected IS NOT NULL AND a.day >= :first AND a.day < :end
      AND date_trunc('month', a.day)::date NOT IN (SELECT month FROM closed_month WHERE account_id = :account)
    GROUP BY 1, 2, 3, 4
""")
_AIMS: Final = text("""
    SELECT o.objective_id, o.created_at < :until AS known,
           (SELECT v.drivers FROM objective_version v
            WHERE v.account_id = o.account_id AND v.objective_id = o.objective_id AND v.known_at < :until
            ORDER BY v.version DESC LIMIT 1) AS drivers
    FROM objective o WHERE o.account_id = :account
""")

_Name = tuple[str, str, str, str]
"""Scope, name, unit, class."""


class _Sides(NamedTuple):
    """Counted value, committed value (None = nothing was), and their ratio in six places; None where it is not told."""

    realized: Fraction | None
    promised: Fraction | None
    ratio: Fraction | None


class _Asked(NamedTuple):
    """One point: what was known before `until`, of the days before `end`; `closed` months alone, or open ones too."""

    first: date
    end: date
    until: datetime
    closed: bool


async def check_attainment(
    tx: Transaction, source: Source, currency: str, stated: Attainment
) -> tuple[int, list[Discrepancy]]:
    """How many lines were recomputed: drivers, objectives, classes and the account's total, at every point and as it is
    known today; and those that differ. `stated` is of whole months, or to the end of today, and all providers."""
    first = stated.period.start
    zone = ZoneInfo(source.timezone)
    count, found = 0, []
    for point in stated.points:
        end = point.as_of + timedelta(days=1)
        asked = _Asked(first, end, datetime.combine(end, time(), zone), closed=True)
        recomputed = await _lines(tx, source, currency, asked)
        count += len(recomputed)
        found += _differing(f"as known on {point.as_of}", point.lines, recomputed)
    if stated.to_date is not None:
        recomputed = await _lines(tx, source, currency, _Asked(first, stated.period.end, _EVER, closed=False))
        count += len(recomputed)
        found += _differing("as known today", stated.to_date, recomputed)
    return count, found


def _differing(when: str, stated: Sequence[Line], recomputed: Mapping[_Name, _Sides]) -> list[Discrepancy]:
    told: dict[_Name, _Sides] = {
        (one.scope, one.name, one.unit, one.benefit_class): _Sides(
            *(None if n is None else Fraction(n) for n in (one.realized, one.committed_expected, one.attainment))
        )
        for one in stated
    }
    return [
        Discrepancy("attainment", f"{' '.join(filter(None, name))}, {when}", _shown(told.get(name)), _shown(other))
        for name in sorted({*told, *recomputed})
        if told.get(name) != (other := recomputed.get(name))
    ]


def _shown(sides: _Sides | None) -> str:
    if sides is None:
        return "not there"
    return ", ".join("none" if side is None else str(Decimal(side.numerator) / side.denominator) for side in sides)


async def _lines(tx: Transaction, source: Source, currency: str, asked: _Asked) -> dict[_Name, _Sides]:
    where = {"account": source.account_id, "until": asked.until, "first": asked.first, "end": asked.end}
    months = {row.month for row in await tx.rows(_DONE, where)} if asked.closed else None
    come = [row for row in await tx.rows(_COME, where) if months is None or row.month in months]
    come += [] if asked.closed else await tx.rows(_OPEN, where)
    in_force = await tx.rows(_PROMISED, where)
    promised = [
        row
        for row in in_force
        if _last_day(row.month) >= asked.first and row.month < asked.end and (months is None or row.month in months)
    ]
    planned = {row.objective_id for row in in_force}
    known = [row for row in await tx.rows(_AIMS, where) if row.known or row.objective_id in planned]
    aims = {row.objective_id: row.drivers or () for row in known}
    return _sums(source, currency, come, promised, aims, asked)


def _sums(
    source: Source,
    currency: str,
    come: Iterable[Any],
    promised: Sequence[Any],
    aims: Mapping[int, Sequence[str]],
    asked: _Asked,
) -> dict[_Name, _Sides]:
    drivers = {one["slug"]: one for one in source.model.get("drivers", ())}
    come = sorted(come, key=lambda row: row.month)
    units = {row.driver: row.unit for row in come}
    realized: defaultdict[tuple[str, str, str], Fraction] = defaultdict(Fraction)
    sworn: defaultdict[tuple[str, str, str], Fraction] = defaultdict(Fraction)
    by_aim: defaultdict[tuple[int, str, str], Fraction] = defaultdict(Fraction)
    serving: defaultdict[int, set[str]] = defaultdict(set)
    for row in come:
        realized[row.driver, row.unit, row.benefit_class] += Fraction(row.amount)
    for row in promised:
        serving[row.objective_id].add(row.driver)
        driver = drivers.get(row.driver)
        if driver is not None:
            own = currency if driver["unit"] in list_currencies() else driver["unit"]
            unit, kind = units.get(row.driver, own), driver.get("benefit_class", "capacity")
            amount = _part(Fraction(row.expected), row.month, asked)
            sworn[row.driver, unit, kind] += amount
            by_aim[row.objective_id, unit, kind] += amount
    for number, named in aims.items():
        serving[number] |= set(named)
    found: dict[_Name, _Sides] = {}
    keys = {*realized, *sworn}
    money = [key for key in keys if key[1] == currency and key[2] != "strategic"]
    found["total", "total", currency, ""] = _sides(money, realized, sworn)
    for unit, kind in {key[1:] for key in keys}:
        found["benefit_class", kind, unit, kind] = _sides([k for k in keys if k[1:] == (unit, kind)], realized, sworn)
    for key in keys:
        found["driver", *key] = _sides([key], realized, sworn)
    for number in aims:
        own_keys = [key for key in keys if key[0] in serving[number]]
        cells = {key[1:] for key in own_keys} | {key[1:] for key in by_aim if key[0] == number}
        shared = any(one in serving[other] for one in serving[number] for other in aims if other != number)
        for unit, kind in cells or {(currency, "")}:
            sides = _sides([key for key in own_keys if key[1:] == (unit, kind)], realized, {})
            committed = by_aim.get((number, unit, kind))
            ratio = None if shared else _ratio(sides.realized or Fraction(0), committed)
            found["objective", str(number), unit, kind] = _Sides(None if shared else sides.realized, committed, ratio)
    return found


def _sides(
    keys: Sequence[tuple[str, str, str]],
    realized: Mapping[tuple[str, str, str], Fraction],
    sworn: Mapping[tuple[str, str, str], Fraction],
) -> _Sides:
    come = sum((realized.get(key, Fraction(0)) for key in keys), Fraction(0))
    held = [sworn[key] for key in keys if key in sworn]
    promised = sum(held, Fraction(0)) if held else None
    return _Sides(come, promised, _ratio(come, promised))


def _last_day(month: date) -> date:
    return month.replace(day=monthrange(month.year, month.month)[1])


def _part(amount: Fraction, month: date, asked: _Asked) -> Fraction:
    """What is promised by the days of the month that are asked for: the difference of what its days had up to either
    end, each rounded half-even to four places."""
    length = monthrange(month.year, month.month)[1]
    begin = max((asked.first - month).days, 0)
    finish = min((asked.end - month).days, length)
    units = [round(amount * _TEN_THOUSAND * day / length) for day in (begin, finish)]
    return Fraction(units[1] - units[0], _TEN_THOUSAND)


def _ratio(come: Fraction, promised: Fraction | None) -> Fraction | None:
    """Rounded half-even to six places, by whole numbers."""
    if promised is None or promised <= 0:
        return None
    return Fraction(round(come / promised * 1_000_000), 1_000_000)
