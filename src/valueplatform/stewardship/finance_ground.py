"""What a read of finance starts from: accounts with their contracts, costs and counted value, and the rates."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime

import msgspec
from sqlalchemy import select

from valueplatform.accounts.contracts import all_contracts
from valueplatform.accounts.costs import Cost, all_costs
from valueplatform.accounts.exchange_rates import Rates, rates_into
from valueplatform.accounts.tables import account, account_currency
from valueplatform.core.database import Transaction
from valueplatform.core.errors import ForbiddenError, InvalidInputError, NotFoundError
from valueplatform.core.periods import ONE_DAY, Period, Window, local_day, month_start, years_later
from valueplatform.stewardship.finance_positions import FinanceAccount
from valueplatform.value.across import CountedValue
from valueplatform.value.model import ValueModel
from valueplatform.value.models import newest_model
from valueplatform.value.values import FIRST_DAY

LONGEST_YEARS = 10
TRAILING_YEARS = 1


class Question(msgspec.Struct, frozen=True):
    """What is asked. Without days, the last twelve whole months; `end` is the day after the last one. `segment` None =
    all accounts, '' = those without one. `steps`: how long each step of the trend is."""

    start: date | None = None
    end: date | None = None
    segment: str | None = None
    steps: Window = Window.MONTH


class Ground(msgspec.Struct, frozen=True):
    """`accounts` carry contracts and all loaded costs, and no value yet."""

    model: ValueModel
    period: Period
    reach: Period
    rates: Rates
    accounts: Sequence[FinanceAccount]
    shared: Sequence[Cost]

    @property
    def currency(self) -> str:
        return self.rates.target


async def ground_of(tx: Transaction, question: Question, now: datetime) -> Ground:
    """Raises NoModelError, InvalidInputError, NotFoundError for a segment that no account is in, and ForbiddenError for
    whoever does not see all accounts: part of them makes no total."""
    if tx.scope.account_ids is not None:
        raise ForbiddenError("Finance is over all accounts; this caller is limited to some.", {"missing": "all"})
    model = await newest_model(tx)
    period = period_of(question, local_day(now, model.supplier.timezone))
    reach = Period(years_later(month_start(period.start), -TRAILING_YEARS), period.end)
    costs = await all_costs(tx, reach)
    accounts = await _accounts(tx, costs)
    if question.segment is not None:
        accounts = [one for one in accounts if one.segment == question.segment]
        if not accounts:
            raise NotFoundError(f"No account is in segment {question.segment!r}.")
    return Ground(
        model=model,
        period=period,
        reach=reach,
        rates=await rates_into(tx, model.supplier.currency),
        accounts=accounts,
        shared=[one for one in costs if one.account_id is None],
    )


def period_of(question: Question, today: date) -> Period:
    """The window in the supplier's days. Raises InvalidInputError."""
    end = question.end or (month_start(today) if question.start is None else today + ONE_DAY)
    if not FIRST_DAY < end <= today + ONE_DAY:
        raise InvalidInputError(f"`to` ({end}) lies in the future or out of reach; finance ends with today, {today}.")
    start = question.start or years_later(end, -TRAILING_YEARS)
    if not years_later(end, -LONGEST_YEARS) <= start < end:
        raise InvalidInputError(
            f"`from` ({start}) must be before `to` ({end}), the day after the last one, and at most {LONGEST_YEARS} "
            "years before it."
        )
    return Period(start, end)


async def _accounts(tx: Transaction, costs: Iterable[Cost]) -> list[FinanceAccount]:
    contracts = await all_contracts(tx)
    of_account: defaultdict[int, list[Cost]] = defaultdict(list)
    for one in costs:
        if one.account_id is not None:
            of_account[one.account_id].append(one)
    newest = (
        select(account_currency.c.currency)
        .where(account_currency.c.account_id == account.c.account_id)
        .order_by(account_currency.c.effective_from.desc())
        .limit(1)
        .scalar_subquery()
    )
    columns = (account.c.account_id, account.c.key, account.c.name, account.c.segment, newest.label("currency"))
    rows = await tx.rows(select(*columns).where(account.c.account_id > 0).order_by(account.c.key))
    return [
        FinanceAccount(
            account_id=row.account_id,
            key=row.key,
            name=row.name,
            segment=row.segment or "",
            currency=row.currency,
            contracts=contracts.get(row.account_id, ()),
            costs=of_account.get(row.account_id, ()),
        )
        for row in rows
    ]


def with_values(accounts: Iterable[FinanceAccount], values: Iterable[CountedValue]) -> list[FinanceAccount]:
    held: defaultdict[int, list[CountedValue]] = defaultdict(list)
    for one in values:
        held[one.account_id].append(one)
    return [msgspec.structs.replace(each, values=held.get(each.account_id, ())) for each in accounts]
