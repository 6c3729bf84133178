"""What winning and serving accounts costs the supplier, and what accounts put in themselves, by month.

The database shows it to the web role only in a transaction of all accounts that has said it reads finance
(`all_costs` does): no customer's and no partner's request ever does. But the known effort of an account, its
implementation and its own work, is the account's to see, since its return is told over it (value rule 7).
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Any, ClassVar, Final

import msgspec
from sqlalchemy import Row, func, select

from valueplatform.accounts.accounts import checked_currency, raise_revisions
from valueplatform.accounts.fields import Fields
from valueplatform.accounts.imports import Mark, Stored, Surroundings, outcome_of, to_write, upsert_into
from valueplatform.accounts.tables import cost
from valueplatform.core.database import Transaction
from valueplatform.core.numbers import round_half_even
from valueplatform.core.periods import Period, month_of, month_start


class CostKind(StrEnum):
    ACQUISITION = "acquisition"
    SERVICE = "service"
    IMPLEMENTATION = "implementation"
    INTERNAL = "internal"


KNOWN_EFFORT: Final = (CostKind.IMPLEMENTATION, CostKind.INTERNAL)
"""What a customer puts in beside what it pays. The record does not say who bears an implementation: it counts on both
sides (decision 0019)."""


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """One amount of one month; `account_id` None = shared by all accounts."""

    cost_id: str
    account_id: int | None
    kind: CostKind
    month: date
    amount: Decimal
    currency: str


async def costs_of(tx: Transaction, account_id: int | None) -> list[Cost]:
    """The costs of one account, or those that all share, by month."""
    query = (
        select(cost).where(cost.c.account_id.is_not_distinct_from(account_id)).order_by(cost.c.month, cost.c.cost_id)
    )
    return [_cost(row) for row in await tx.rows(query)]


async def known_effort(tx: Transaction, account_id: int) -> list[Cost]:
    """What one account is known to have put in, by month."""
    query = select(cost).where(cost.c.account_id == account_id, cost.c.kind.in_(KNOWN_EFFORT))
    return [_cost(row) for row in await tx.rows(query.order_by(cost.c.month, cost.c.cost_id))]


def effort_in(costs: Iterable[Cost], period: Period, currency: str) -> Decimal:
    """What known effort cost in the period, in the currency alone: of a month that the period cuts, by its days. Each
    kind is rounded once, half to even, to 4 places, as finance does."""
    kinds: defaultdict[CostKind, Fraction] = defaultdict(Fraction)
    for one in costs:
        month = month_of(one.month)
        part = month.intersect(period)
        if part is not None and one.kind in KNOWN_EFFORT and one.currency == currency:
            kinds[one.kind] += Fraction(one.amount) * Fraction(part.days, month.days)
    return sum((round_half_even(whole.numerator, whole.denominator) for whole in kinds.values()), Decimal(0))


async def all_costs(tx: Transaction, period: Period) -> list[Cost]:
    """The costs of all accounts, and the shared ones, of the months that share a day with the period; by month."""
    await tx.connection.exec_driver_sql("SET LOCAL valueplatform.finance = 'read'")
    query = select(cost).where(cost.c.month >= month_start(period.start), cost.c.month < period.end)
    found = [_cost(row) for row in await tx.rows(query.order_by(cost.c.month, cost.c.cost_id))]
    await tx.connection.exec_driver_sql("SET LOCAL valueplatform.finance = ''")
    return found


def _cost(row: Row[Any]) -> Cost:
    return Cost(
        cost_id=row.cost_id,
        account_id=row.account_id,
        kind=CostKind(row.kind),
        month=row.month,
        amount=row.amount,
        currency=row.currency,
    )


class CostImport:
    """Without a currency of its own, a cost is in the account's, a shared one in the supplier's."""

    name: ClassVar[str] = "costs"
    account_column: ClassVar[str] = "account"
    required: ClassVar[Sequence[str]] = ("id", "kind", "month", "amount")
    optional: ClassVar[Sequence[str]] = ("account", "currency")
    takes_rest: ClassVar[bool] = False

    def read(self, fields: Fields, around: Surroundings, /) -> Cost:
        account = None if fields.optional("account") is None else around.account(fields)
        month = fields.month("month")
        own = around.defaults.currency if account is None else account.currency_on(month)
        return Cost(
            cost_id=fields.text("id"),
            account_id=None if account is None else account.account_id,
            kind=fields.choice("kind", CostKind),
            month=month,
            amount=fields.amount("amount"),
            currency=checked_currency(fields.optional("currency") or own),
        )

    def identity(self, value: Cost, /) -> str:
        return value.cost_id

    async def store(self, tx: Transaction, values: Sequence[Cost], _now: datetime, /) -> Stored:
        rows = await tx.rows(select(cost).where(cost.c.cost_id == func.any([value.cost_id for value in values])))
        held = {row.cost_id: _cost(row) for row in rows}
        outcomes = [outcome_of(held.get(value.cost_id), value) for value in values]
        new = to_write(values, outcomes)
        if not new:
            return Stored(outcomes)
        await tx.execute(_UPSERT, [msgspec.structs.asdict(value) for value in new])
        marks = [mark for value in new for mark in _marks(value, held.get(value.cost_id))]
        await raise_revisions(tx, {mark.account_id for mark in marks})
        return Stored(outcomes, marks)


_UPSERT: Final = upsert_into(cost)


def _marks(value: Cost, before: Cost | None) -> list[Mark]:
    """The months in which an account put in, or puts in now, something else: its return is told anew."""
    both = [one for one in (before, value) if one is not None and one.kind in KNOWN_EFFORT]
    return [Mark(one.account_id, month_of(one.month), "effort") for one in both if one.account_id is not None]
