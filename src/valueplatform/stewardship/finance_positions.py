"""What each account brings to the measures of finance in a window, in the supplier's currency. Pure.

Each part of an account is rounded once, half-even to 4 places, so that totals are the sums of what is listed. Value is
converted by the rate of its day, contracts and costs by the rate of the first day of their month, recurring revenue by
the rate of its day; but where both ends are compared, both by the rate of the window's first day: exchange rates are no
expansion. An account with an amount whose rate
is not known is left out of every total, and named.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Final

import msgspec

from valueplatform.accounts.contracts import Contract, paid, recurring
from valueplatform.accounts.costs import KNOWN_EFFORT, Cost, CostKind
from valueplatform.accounts.exchange_rates import NoRateError, Rates
from valueplatform.core.keys import SUPPLIER
from valueplatform.core.numbers import AMOUNT_PLACES, amount_units, apportioned, round_half_even, scaled_decimal
from valueplatform.core.periods import ONE_DAY, Period, month_of, month_start, months_between
from valueplatform.stewardship.finance_definitions import PARTS
from valueplatform.value.across import CountedValue

ZERO: Final = Decimal("0.0000")
NOTHING: Final[Mapping[str, Decimal]] = dict.fromkeys(PARTS, ZERO)

_Amount = tuple[Fraction, str, date]
"""An amount, its currency, and the day by whose rate it is converted."""


class FinanceAccount(msgspec.Struct, frozen=True, kw_only=True):
    """An account with all its contracts, and the costs and counted value that concern the window."""

    account_id: int
    key: str
    name: str
    segment: str
    currency: str
    contracts: Sequence[Contract] = ()
    costs: Sequence[Cost] = ()
    values: Sequence[CountedValue] = ()

    @property
    def own(self) -> list[Contract]:
        """Contracts with the supplier."""
        return [one for one in self.contracts if one.provider == SUPPLIER]


class MissingRate(msgspec.Struct, frozen=True, order=True):
    """No rate of `currency` is in force on `day`."""

    currency: str
    day: date


class Contribution(msgspec.Struct, frozen=True):
    """Counted value of one driver, provider and benefit class."""

    driver: str
    provider: str
    benefit_class: str
    value: Decimal


class Position(msgspec.Struct, frozen=True):
    """`parts` has every part of one account by its name. `missing` not empty: it is in no total."""

    account: FinanceAccount
    parts: Mapping[str, Decimal]
    contributions: Sequence[Contribution]
    missing: Sequence[MissingRate]
    first_paid: date | None


class _Exchange:
    """Converts, and remembers which rates were not there."""

    def __init__(self, rates: Rates) -> None:
        self.rates = rates
        self.missing: set[MissingRate] = set()

    def total(self, amounts: Iterable[_Amount]) -> Decimal:
        """Rounded once."""
        whole = Fraction(0)
        for amount, currency, day in amounts:
            if not amount:
                continue
            try:
                whole += amount if currency == self.rates.target else amount * self.rates.on(currency, day)
            except NoRateError as error:
                self.missing.add(MissingRate(error.currency, error.day))
        return round_half_even(whole.numerator, whole.denominator)


def position(account: FinanceAccount, period: Period, rates: Rates) -> Position:
    exchange = _Exchange(rates)
    own, partners = account.own, [one for one in account.contracts if one.provider != SUPPLIER]
    parts = dict(NOTHING)
    last, first = period.end - ONE_DAY, first_paid(own)
    opening = exchange.total(_recurring(own, period.start - ONE_DAY, period.start))
    if opening > 0:
        parts |= _retention(opening, exchange.total(_recurring(own, last, period.start)))
    closing = exchange.total(_recurring(own, last, last))
    parts |= _counts(closing, won=first is not None and first in period)
    parts["revenue"] = exchange.total(_paid(own, period, rates.target))
    parts["partner_fees"] = exchange.total(_paid(partners, period, rates.target))
    for kind, amounts in _by_kind(account.costs, period).items():
        parts[kind] = exchange.total(amounts)
    contributions = _contributions(account.values, exchange)
    parts["value"] = sum((one.value for one in contributions), ZERO)
    invested = any(parts[name] for name in ("revenue", "partner_fees", *KNOWN_EFFORT))
    parts["value_paid_for"] = parts["value"] if invested else ZERO
    return Position(account, parts, contributions, sorted(exchange.missing), first)


def _retention(opening: Decimal, closing: Decimal) -> dict[str, Decimal]:
    """What became of an account that paid at the start."""
    found = {"opening": opening, "cohort": Decimal(1)}
    if closing <= 0:
        return {**found, "churned": opening - closing, "lost": Decimal(1)}
    name = "expansion" if closing > opening else "contraction"
    return {**found, name: abs(closing - opening)}


def _counts(closing: Decimal, *, won: bool) -> dict[str, Decimal]:
    found = {"recurring": closing, "payers": Decimal(closing > 0)}
    return {**found, "won": Decimal(1), "won_recurring": closing} if won else found


def first_paid(contracts: Sequence[Contract]) -> date | None:
    """The first day with recurring revenue above zero; it can only begin where a contract begins or ends."""
    turns = {one.start for one in contracts} | {one.end for one in contracts if one.end is not None}
    return next((day for day in sorted(turns) if recurring_by_currency(contracts, day)), None)


def recurring_by_currency(contracts: Sequence[Contract], day: date) -> dict[str, Fraction]:
    """Recurring revenue in each currency in which it is above zero."""
    found = {currency: recurring(held, day) for currency, held in _by_currency(contracts).items()}
    return {currency: amount for currency, amount in found.items() if amount > 0}


def _by_currency(contracts: Iterable[Contract]) -> dict[str, list[Contract]]:
    found: defaultdict[str, list[Contract]] = defaultdict(list)
    for one in contracts:
        found[one.currency].append(one)
    return found


def _recurring(contracts: Iterable[Contract], day: date, rate_day: date) -> Iterator[_Amount]:
    for currency, held in _by_currency(contracts).items():
        yield recurring(held, day), currency, rate_day


def _paid(contracts: Iterable[Contract], period: Period, target: str) -> Iterator[_Amount]:
    """What needs no rate is paid at once, all else month by month: windows of a contract add up exactly."""
    for currency, held in _by_currency(contracts).items():
        for part in [period] if currency == target else _parts(period):
            running = [one for one in held if one.start < part.end and (one.end is None or one.end > part.start)]
            if running:
                yield Fraction(paid(running, part)), currency, month_start(part.start)


def _parts(period: Period) -> list[Period]:
    """The period by calendar month."""
    found = (month.intersect(period) for month in months_between(period.start, period.end))
    return [part for part in found if part is not None]


def _by_kind(costs: Iterable[Cost], period: Period) -> dict[str, list[_Amount]]:
    """The costs of the months that the period touches; of one that it cuts, by its days."""
    found: defaultdict[str, list[_Amount]] = defaultdict(list)
    for one in costs:
        if month_start(period.start) <= one.month < period.end:
            month = month_of(one.month)
            part = month.intersect(period)
            amount = Fraction(one.amount)
            if part is not None and part != month:
                amount *= Fraction(part.days, month.days)
            found[one.kind.value].append((amount, one.currency, month.start))
    return found


def _contributions(values: Iterable[CountedValue], exchange: _Exchange) -> list[Contribution]:
    found: defaultdict[tuple[str, str, str], list[_Amount]] = defaultdict(list)
    for one in values:
        key = one.driver, one.provider, one.benefit_class
        found[key].append((Fraction(one.amount), one.unit, one.rate_day or one.first_day))
    return [Contribution(*key, exchange.total(amounts)) for key, amounts in sorted(found.items())]


def shared_parts(costs: Iterable[Cost], period: Period, rates: Rates) -> tuple[dict[str, Decimal], list[MissingRate]]:
    """The costs of no single account; what lacks a rate is left out, and named."""
    by_kind = _by_kind([one for one in costs if one.account_id is None], period)
    exchange = _Exchange(rates)
    return {f"shared_{kind}": exchange.total(by_kind.get(kind.value, ())) for kind in CostKind}, sorted(
        exchange.missing
    )


def months_in(period: Period) -> Fraction:
    """How long it is in months; a month that is cut counts by its days."""
    return sum((Fraction(part.days, month_of(part.start).days) for part in _parts(period)), Fraction(0))


def distributed(amount: Decimal, weights: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """The amount split by the weights above zero, to 4 places; the parts add up to it exactly.

    Units that are left go to the largest remainders, of equal ones to the first by name. Nothing without a weight.
    """
    positive = {name: Fraction(weight) for name, weight in sorted(weights.items()) if weight > 0}
    whole = sum(positive.values(), Fraction(0))
    if not whole:
        return {}
    units = amount_units(amount)
    given = apportioned([abs(units) * weight / whole for weight in positive.values()], abs(units))
    sign = -1 if units < 0 else 1
    return {name: scaled_decimal(sign * count, AMOUNT_PLACES) for name, count in zip(positive, given, strict=True)}
