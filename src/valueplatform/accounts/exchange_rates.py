"""Dated exchange rates: what one unit of a currency is in the supplier's, from a day on until the next one.

Only totals across accounts need them; within an account nothing is converted. Where no rate is known for a day there is
none: rates are never carried back, and never taken the other way round.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any, ClassVar, Final

import msgspec
from sqlalchemy import Row, insert, select

from valueplatform.accounts.accounts import checked_currency
from valueplatform.accounts.fields import FIRST_DAY, LAST_DAY, Fields, InvalidValueError
from valueplatform.accounts.imports import Stored, Surroundings, outcome_of, to_write
from valueplatform.accounts.rate_tables import exchange_rate
from valueplatform.core.database import Transaction
from valueplatform.core.errors import InvalidInputError
from valueplatform.core.numbers import in_wire_range
from valueplatform.core.periods import Period

LONGEST_SOURCE: Final = 200


class ExchangeRate(msgspec.Struct, frozen=True, kw_only=True):
    """One unit of `currency` is `rate` of `target` from `day` on. `source` says where that is from."""

    currency: str
    target: str
    day: date
    rate: Decimal
    source: str


class KnownRate(msgspec.Struct, frozen=True):
    """A rate of the record: who said it, and when."""

    rate: ExchangeRate
    author: str
    known_at: datetime


class NoRateError(LookupError):
    """No rate of the currency is in force on the day."""

    def __init__(self, currency: str, day: date) -> None:
        super().__init__(f"no rate of {currency} on {day}")
        self.currency = currency
        self.day = day


class Rates:
    """The rates into one currency, the newest entry of each day."""

    def __init__(self, target: str, rates: Iterable[ExchangeRate] = ()) -> None:
        self.target = target
        held: defaultdict[str, dict[date, ExchangeRate]] = defaultdict(dict)
        for one in rates:
            held[one.currency][one.day] = one
        self._rates = {currency: [found[day] for day in sorted(found)] for currency, found in held.items()}
        self._days = {currency: [one.day for one in found] for currency, found in self._rates.items()}

    def in_force(self, currency: str, day: date) -> ExchangeRate | None:
        """None for the target itself, which needs none. Raises NoRateError."""
        if currency == self.target:
            return None
        place = bisect_right(self._days.get(currency, ()), day)
        if not place:
            raise NoRateError(currency, day)
        return self._rates[currency][place - 1]

    def on(self, currency: str, day: date) -> Fraction:
        """Raises NoRateError."""
        held = self.in_force(currency, day)
        return Fraction(1) if held is None else Fraction(held.rate)

    def spans(self) -> Sequence[tuple[ExchangeRate, date]]:
        """Each rate with the day on which it ends, exclusive."""
        found = []
        for rates in self._rates.values():
            ends = [one.day for one in rates[1:]]
            found += list(zip(rates, [*ends, date.max], strict=True))
        return found

    def used(self, currencies: Iterable[str], period: Period) -> list[ExchangeRate]:
        """The rates of the currencies that are in force on some day of the period."""
        wanted = set(currencies)
        return [
            one for one, end in self.spans() if one.currency in wanted and one.day < period.end > period.start < end
        ]


def checked_rate(rate: ExchangeRate) -> ExchangeRate:
    """Raises InvalidInputError for what cannot be a rate."""
    checked_currency(rate.currency)
    if rate.currency == rate.target:
        raise InvalidInputError(f"{rate.currency} is the supplier's own currency; it needs no rate.")
    if not FIRST_DAY <= rate.day <= LAST_DAY:
        raise InvalidInputError(f"`day` ({rate.day}) is out of reach; rates go from {FIRST_DAY} to {LAST_DAY}.")
    if not in_wire_range(rate.rate):
        raise InvalidInputError("`rate` has at most 18 integer and 9 fraction digits.")
    if rate.rate <= 0:
        raise InvalidInputError(f"A rate is above zero; {rate.rate} is not. Say what one {rate.currency} is worth.")
    if not rate.source.strip() or len(rate.source) > LONGEST_SOURCE or "\0" in rate.source:
        raise InvalidInputError(f"`source` says where the rate is from, in up to {LONGEST_SOURCE} characters.")
    return rate


async def rates_into(tx: Transaction, target: str) -> Rates:
    return Rates(target, (one.rate for one in await known_rates(tx, target)))


async def known_rates(tx: Transaction, target: str) -> list[KnownRate]:
    """Every entry, by currency and day; of one day the newest last."""
    c = exchange_rate.c
    query = select(exchange_rate).where(c.target == target).order_by(c.currency, c.effective_from, c.rate_id)
    return [KnownRate(_rate(row), row.author, row.known_at) for row in await tx.rows(query)]


def _rate(row: Row[Any]) -> ExchangeRate:
    return ExchangeRate(
        currency=row.currency, target=row.target, day=row.effective_from, rate=row.rate, source=row.source
    )


async def record_rate(tx: Transaction, rate: ExchangeRate, author: str, now: datetime) -> KnownRate:
    """Keep what somebody says of a day; what was said before stays in the record. Raises InvalidInputError."""
    held = checked_rate(rate)
    await tx.execute(insert(exchange_rate), [_columns(held, author, now)])
    return KnownRate(held, author, now)


def _columns(rate: ExchangeRate, author: str, now: datetime) -> dict[str, Any]:
    return {
        "currency": rate.currency,
        "target": rate.target,
        "effective_from": rate.day,
        "rate": rate.rate,
        "source": rate.source.strip(),
        "author": author,
        "known_at": now,
    }


class RateImport:
    """Rates into the supplier's currency. What is said already is not said again."""

    name: ClassVar[str] = "rates"
    account_column: ClassVar[str] = "account"
    required: ClassVar[Sequence[str]] = ("currency", "day", "rate", "source")
    optional: ClassVar[Sequence[str]] = ()
    takes_rest: ClassVar[bool] = False
    author: ClassVar[str] = "import"

    def read(self, fields: Fields, around: Surroundings, /) -> ExchangeRate:
        defaults = around.defaults
        try:
            return checked_rate(
                ExchangeRate(
                    currency=fields.text("currency"),
                    target=defaults.currency,
                    day=fields.day("day", defaults.timezone),
                    rate=fields.amount("rate"),
                    source=fields.text("source"),
                )
            )
        except InvalidValueError:
            raise
        except InvalidInputError as error:
            raise InvalidValueError(error.message) from error

    def identity(self, value: ExchangeRate, /) -> tuple[str, date]:
        return value.currency, value.day

    async def store(self, tx: Transaction, values: Sequence[ExchangeRate], now: datetime, /) -> Stored:
        held = await self._held(tx, values)
        outcomes = [outcome_of(held.get(self.identity(value)), value) for value in values]
        new = to_write(values, outcomes)
        if new:
            await tx.execute(insert(exchange_rate), [_columns(value, self.author, now) for value in new])
        return Stored(outcomes)

    @staticmethod
    async def _held(tx: Transaction, values: Sequence[ExchangeRate]) -> Mapping[tuple[str, date], ExchangeRate]:
        known = await known_rates(tx, values[0].target) if values else []
        return {(one.rate.currency, one.rate.day): one.rate for one in known}
