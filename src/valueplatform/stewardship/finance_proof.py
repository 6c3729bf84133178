"""The measures of finance once more, from the rows themselves, by code that shares no arithmetic with `finance`.

Values are converted and added up by the database, exactly; contracts are walked month by month, or contract year by
contract year; and what a measure is made of them is read from the written definition, whose text is evaluated. Only the
definitions are shared: they are what is proved.
"""

import ast
from calendar import monthrange
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

import msgspec
from sqlalchemy import text

from valueplatform.core.database import Transaction
from valueplatform.stewardship.finance_definitions import DEFINITIONS, METRIC_OF_NAME, PARTS, Metric
from valueplatform.value.split_proof import Lines, cut_anew, is_shared, lines_anew

_ONE: Final = timedelta(days=1)
_RATE: Final = """
    (SELECT CASE WHEN {currency} = :target THEN 1 ELSE
        (SELECT r.rate FROM exchange_rate r
          WHERE r.target = :target AND r.currency = {currency} AND r.effective_from <= {day}
          ORDER BY r.effective_from DESC, r.rate_id DESC LIMIT 1) END)
"""
_SHOWN: Final = """
    WITH shown AS (
        SELECT account_id, driver, provider, shown_day AS day, day AS earned, basis_id, expected FROM posting
        UNION ALL
        SELECT account_id, driver, provider, day, day, basis_id, expected FROM accrual a
         WHERE NOT EXISTS (SELECT FROM closed_month c WHERE c.account_id = a.account_id
                              AND a.day >= c.month AND a.day < c.month + interval '1 month')
    ), daily AS (
        SELECT s.account_id, s.driver, s.provider, b.benefit_class, b.unit, s.day, s.earned, b.evidence, b.state,
               sum(s.expected) AS amount
          FROM shown s JOIN basis b USING (account_id, basis_id)
         WHERE b.counted AND b.benefit_class <> 'strategic' AND b.unit = ANY (CAST(:currencies AS text[]))
           AND s.day >= :start AND s.day < :end AND s.expected IS NOT NULL
         GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9
    )
"""
_VALUES: Final = text(f"""{_SHOWN}
    SELECT account_id, driver, provider, benefit_class,
           sum(amount * {_RATE.format(currency="unit", day="day")}) AS amount
      FROM daily GROUP BY 1, 2, 3, 4
""")  # noqa: S608 - put together from constants above
_JOINT: Final = text(f"""{_SHOWN}
    SELECT driver, benefit_class, earned, amount, {_RATE.format(currency="unit", day="day")} AS rate
      FROM daily WHERE provider = 'joint' AND account_id = :account
""")  # noqa: S608 - put together from constants above
_AGREED: Final = text("SELECT DISTINCT account_id FROM split_entry")
_CONTRACTS: Final = text("""
    SELECT account_id, start_day, coalesce(end_day, DATE '9000-01-01') AS end_day, amount, currency,
           period = 'year' AS yearly, provider = 'supplier' AS ours
      FROM contract ORDER BY account_id, contract_id
""")
_COSTS: Final = text("SELECT account_id, kind, month, amount, currency FROM cost WHERE month < :end")
_RATES: Final = text("""
    SELECT DISTINCT ON (currency, effective_from) currency, effective_from, rate FROM exchange_rate
     WHERE target = :target ORDER BY currency, effective_from DESC, rate_id DESC
""")


class Recomputed(msgspec.Struct, frozen=True):
    """Parts by account id, the shared ones, every measure that can be told, unrounded parts aside, and counted value by
    provider."""

    accounts: Mapping[int, Mapping[str, Decimal]]
    shared: Mapping[str, Decimal]
    measures: Mapping[Metric, Decimal | None]
    providers: Mapping[str, Decimal]


class _Book:
    """Rates by currency, the newest first."""

    def __init__(self, target: str, rows: Sequence[Any]) -> None:
        self.target = target
        self.rates: defaultdict[str, list[tuple[date, Fraction]]] = defaultdict(list)
        for row in rows:
            self.rates[row.currency].append((row.effective_from, Fraction(row.rate)))

    def into(self, amount: Fraction, currency: str, day: date) -> Fraction:
        if not amount or currency == self.target:
            return amount
        return amount * next(rate for start, rate in self.rates[currency] if start <= day)


async def recompute(
    tx: Transaction, accounts: Sequence[int], bounds: tuple[date, date], target: str, *, with_shared: bool
) -> Recomputed:
    """The parts of these accounts and the measures over them, in [start, end) and the currency `target`.

    `accounts` are those that the read has in its totals: each has the rates that it needs.
    """
    start, end = bounds
    asked = {"start": start, "end": end, "target": target}
    book = _Book(target, await tx.rows(_RATES, {"target": target}))
    parts: dict[int, dict[str, Decimal]] = {one: dict.fromkeys(PARTS, Decimal(0)) for one in accounts}
    currencies = [target, *book.rates]
    providers: defaultdict[str, Decimal] = defaultdict(Decimal)
    agreed = {row.account_id: await lines_anew(tx, row.account_id) for row in await tx.rows(_AGREED)}
    for row in await tx.rows(_VALUES, {**asked, "currencies": currencies}):
        divided = row.provider == "joint" and is_shared(agreed.get(row.account_id, {}), row.driver)
        if row.account_id in parts and not divided:
            parts[row.account_id]["value"] += _rounded(Fraction(row.amount))
            providers[row.provider] += _rounded(Fraction(row.amount))
    for one, lines in agreed.items():
        if one in parts:
            rows = await tx.rows(_JOINT, {**asked, "currencies": currencies, "account": one})
            for party, amount in _divided(rows, lines):
                parts[one]["value"] += amount
                providers[party] += amount
    contracts: defaultdict[int, list[Any]] = defaultdict(list)
    for row in await tx.rows(_CONTRACTS):
        contracts[row.account_id].append(row)
    await tx.connection.exec_driver_sql("SET LOCAL valueplatform.finance = 'read'")
    costs = await tx.rows(_COSTS, {"end": end})
    await tx.connection.exec_driver_sql("SET LOCAL valueplatform.finance = ''")
    spent: defaultdict[tuple[int | None, str], Fraction] = defaultdict(Fraction)
    for row in costs:
        spent[row.account_id, row.kind] += book.into(_cut(row, start, end), row.currency, row.month)
    for one, found in parts.items():
        found.update(_of_contracts(contracts[one], book, start, end))
        found.update({kind: _rounded(spent[one, kind]) for kind in _KINDS})
        known = any(found[name] for name in ("revenue", "partner_fees", "implementation", "internal"))
        found["value_paid_for"] = found["value"] if known else Decimal(0)
    shared = {f"shared_{kind}": _rounded(spent[None, kind]) if with_shared else Decimal(0) for kind in _KINDS}
    return Recomputed(parts, shared, _measures(parts, shared, start, end), providers)


def _divided(rows: Iterable[Any], lines: Lines) -> Iterator[tuple[str, Decimal]]:
    """Joint amounts of one account by party, each driver and class rounded once."""
    sums: defaultdict[tuple[str, str, str], Fraction] = defaultdict(Fraction)
    for row in rows:
        if is_shared(lines, row.driver):
            for party, part in cut_anew(int(Fraction(row.amount) * 10_000), lines, row.driver, row.earned).items():
                sums[party, row.driver, row.benefit_class] += Fraction(part, 10_000) * Fraction(row.rate)
    for (party, _, _), amount in sums.items():
        yield party, _rounded(amount)


_KINDS: Final = ("acquisition", "implementation", "service", "internal")


def _rounded(number: Fraction) -> Decimal:
    """Half-even to 4 places, as the standard library rounds fractions."""
    whole = round(number * 10_000)
    return Decimal(whole).scaleb(-4)


def _cut(row: Any, start: date, end: date) -> Fraction:
    length = monthrange(row.month.year, row.month.month)[1]
    inside = sum(1 for offset in range(length) if start <= row.month + offset * _ONE < end)
    return Fraction(row.amount) * inside / length


def _stretches(row: Any, until: date) -> Iterator[tuple[date, date, Fraction]]:
    """Stretches of one price a day, from the contract's first day."""
    last = min(row.end_day, until)
    day, turn = row.start_day, 0
    while day < last:
        if row.yearly:
            turn += 1
            following = _years_on(row.start_day, turn)
            length = (following - day).days
        else:
            length = monthrange(day.year, day.month)[1]
            following = day.replace(day=1) + length * _ONE
        yield day, min(following, last), Fraction(row.amount) / length
        day = following


def _years_on(day: date, years: int) -> date:
    leap = (day.month, day.day) == (2, 29)
    year = day.year + years
    return date(year, 2, monthrange(year, 2)[1]) if leap else date(year, day.month, day.day)


def _up_to(row: Any, day: date) -> Fraction:
    """What the contract cost before the day, rounded as it is charged."""
    total = sum(((to - since).days * price for since, to, price in _stretches(row, day)), Fraction(0))
    return Fraction(_rounded(total))


def _of_contracts(rows: Sequence[Any], book: _Book, start: date, end: date) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    for name, ours in (("revenue", True), ("partner_fees", False)):
        chosen = [row for row in rows if row.ours is ours]
        paid = Fraction(0)
        for since, to in _months(start, end):
            for row in chosen:
                paid += book.into(_up_to(row, to) - _up_to(row, since), row.currency, since.replace(day=1))
        found[name] = _rounded(paid)
    own = [row for row in rows if row.ours]
    before = _rounded(sum((book.into(_monthly(row, start - _ONE), row.currency, start) for row in own), Fraction(0)))
    now = _rounded(sum((book.into(_monthly(row, end - _ONE), row.currency, end - _ONE) for row in own), Fraction(0)))
    found |= {"recurring": now, "payers": Decimal(now > 0)}
    if before > 0:
        then = _rounded(sum((book.into(_monthly(row, end - _ONE), row.currency, start) for row in own), Fraction(0)))
        gone = then <= 0
        found |= {"opening": before, "cohort": Decimal(1), "lost": Decimal(gone)}
        found["churned"] = before - then if gone else Decimal(0)
        found["expansion"] = max(then - before, Decimal(0))
        found["contraction"] = Decimal(0) if gone else max(before - then, Decimal(0))
    first = _first_day(own, end)
    if first is not None and start <= first:
        found |= {"won": Decimal(1), "won_recurring": now}
    return found


def _months(start: date, end: date) -> Iterator[tuple[date, date]]:
    since = start
    while since < end:
        following = since.replace(day=1) + monthrange(since.year, since.month)[1] * _ONE
        yield since, min(following, end)
        since = following


def _monthly(row: Any, day: date) -> Fraction:
    runs = row.start_day <= day < row.end_day
    return Fraction(row.amount) / (12 if row.yearly else 1) if runs else Fraction(0)


def _first_day(rows: Sequence[Any], end: date) -> date | None:
    """The first day before `end` with recurring revenue above zero in some currency."""
    days: list[date] = sorted({day for row in rows for day in (row.start_day, row.end_day) if day < end})
    for day in days:
        sums: defaultdict[str, Fraction] = defaultdict(Fraction)
        for row in rows:
            sums[row.currency] += _monthly(row, day)
        if any(amount > 0 for amount in sums.values()):
            return day
    return None


def _measures(
    parts: Mapping[int, Mapping[str, Decimal]], shared: Mapping[str, Decimal], start: date, end: date
) -> dict[Metric, Decimal | None]:
    names = {name: sum((Fraction(each[name]) for each in parts.values()), Fraction(0)) for name in PARTS}
    names |= {name: Fraction(amount) for name, amount in shared.items()}
    lengths = [((to - since).days, monthrange(since.year, since.month)[1]) for since, to in _months(start, end)]
    names["months"] = sum((Fraction(days, length) for days, length in lengths), Fraction(0))
    found: dict[Metric, Decimal | None] = {}
    for metric in Metric:
        try:
            found[metric] = _rounded(_Formula(names).of(metric))
        except ZeroDivisionError:
            found[metric] = None
    return found


class _Formula:
    """Evaluates the written definitions."""

    def __init__(self, names: Mapping[str, Fraction]) -> None:
        self.names = names

    def of(self, metric: Metric) -> Fraction:
        """Raises ZeroDivisionError where the measure cannot be told."""
        definition = DEFINITIONS[metric]
        if self.text(definition.needs) <= 0:
            raise ZeroDivisionError
        return self.text(definition.formula)

    def text(self, formula: str) -> Fraction:
        return self.value(ast.parse(formula, mode="eval").body)

    def value(self, node: ast.expr) -> Fraction:
        match node:
            case ast.Constant(value=int(number)):
                return Fraction(number)
            case ast.Name(id=name):
                return self.names[name] if name in self.names else self.of(METRIC_OF_NAME[name])
            case ast.Call(func=ast.Name(id="min"), args=args):
                return min(self.known(args))
            case ast.BinOp(left=left, op=op, right=right):
                return self.operated(op, self.value(left), self.value(right))
        raise ValueError(ast.dump(node))

    def known(self, nodes: Sequence[ast.expr]) -> Iterator[Fraction]:
        """In `min`, what would be divided by zero is left out."""
        for node in nodes:
            try:
                yield self.value(node)
            except ZeroDivisionError:
                continue

    @staticmethod
    def operated(operator: ast.operator, left: Fraction, right: Fraction) -> Fraction:
        match operator:
            case ast.Add():
                return left + right
            case ast.Sub():
                return left - right
            case ast.Mult():
                return left * right
            case ast.Div():
                if right <= 0:
                    raise ZeroDivisionError
                return left / right
        raise ValueError(ast.dump(operator))
