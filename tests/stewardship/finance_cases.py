"""Accounts with contracts, costs and value, as finance reads them; and the oracle, which walks day by day."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from valueplatform.accounts.contracts import BillingPeriod, Contract, ContractKind
from valueplatform.accounts.costs import Cost, CostKind
from valueplatform.accounts.exchange_rates import ExchangeRate, Rates
from valueplatform.core.periods import Period
from valueplatform.stewardship.finance import Figure, figure, shared_or_nothing, totals
from valueplatform.stewardship.finance_definitions import Metric, parts_of
from valueplatform.stewardship.finance_positions import FinanceAccount, Position, position, shared_parts
from valueplatform.value.across import CountedValue

YEAR = Period(date(2025, 1, 1), date(2026, 1, 1))
DOLLARS = Rates("USD")
ONE_DAY = timedelta(days=1)


def contract(
    amount: str,
    start: date,
    end: date | None = None,
    *,
    name: str = "c",
    period: str = "month",
    currency: str = "USD",
    provider: str = "supplier",
) -> Contract:
    return Contract(
        contract_id=name,
        start=start,
        end=end,
        amount=Decimal(amount),
        currency=currency,
        period=BillingPeriod(period),
        kind=ContractKind.NEW,
        provider=provider,
    )


def cost(kind: str, month: date, amount: str, account_id: int | None = 1, currency: str = "USD") -> Cost:
    return Cost(
        cost_id=f"{kind}-{month}-{amount}",
        account_id=account_id,
        kind=CostKind(kind),
        month=month,
        amount=Decimal(amount),
        currency=currency,
    )


def worth(
    amount: str,
    driver: str = "time",
    *,
    provider: str = "supplier",
    unit: str = "USD",
    benefit_class: str = "capacity",
    rate_day: date | None = None,
    day: date = date(2025, 3, 1),
) -> CountedValue:
    return CountedValue(
        account_id=1,
        driver=driver,
        provider=provider,
        unit=unit,
        benefit_class=benefit_class,
        rate_day=rate_day,
        first_day=day,
        amount=Decimal(amount),
    )


def account(
    *contracts: Contract,
    key: str = "acme",
    costs: Sequence[Cost] = (),
    values: Sequence[CountedValue] = (),
    segment: str = "",
) -> FinanceAccount:
    return FinanceAccount(
        account_id=1,
        key=key,
        name=key.title(),
        segment=segment,
        currency="USD",
        contracts=contracts,
        costs=costs,
        values=values,
    )


def stand(*accounts: FinanceAccount, period: Period = YEAR, rates: Rates = DOLLARS) -> list[Position]:
    return [position(one, period, rates) for one in accounts]


def told(
    metric: Metric,
    *accounts: FinanceAccount,
    period: Period = YEAR,
    rates: Rates = DOLLARS,
    shared: Iterable[Cost] = (),
) -> Figure:
    parts, _ = shared_parts(shared, period, rates)
    whole = totals(stand(*accounts, period=period, rates=rates), shared_or_nothing(parts), period)
    return figure(metric, whole, [part.name for part in parts_of(metric)])


def value_of(metric: Metric, *accounts: FinanceAccount, period: Period = YEAR) -> Decimal | None:
    return told(metric, *accounts, period=period).value


def euros(*rates: tuple[date, str]) -> Rates:
    each = [
        ExchangeRate(currency="EUR", target="USD", day=day, rate=Decimal(rate), source="ECB") for day, rate in rates
    ]
    return Rates("USD", each)


def daily_price(one: Contract, day: date) -> Fraction:
    """What the contract costs on a day: its month's or its contract year's price over the days of it."""
    if not (one.start <= day and (one.end is None or day < one.end)):
        return Fraction(0)
    if one.period is BillingPeriod.MONTH:
        first = day.replace(day=1)
        following = (first + timedelta(days=32)).replace(day=1)
        return Fraction(one.amount) / (following - first).days
    start = one.start
    while (end := _a_year_on(one.start, start.year - one.start.year + 1)) <= day:
        start = end
    return Fraction(one.amount) / (end - start).days


def _a_year_on(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)


def cost_of_days(one: Contract, period: Period) -> Fraction:
    """Day by day."""
    total, day = Fraction(0), period.start
    while day < period.end:
        total += daily_price(one, day)
        day += ONE_DAY
    return total
