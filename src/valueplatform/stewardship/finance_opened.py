"""A measure of finance, opened: its definition, what it is made of, every account's part with contracts and costs, and
the same number recomputed by separate code."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Final
from urllib.parse import quote

import msgspec

from valueplatform.accounts.contracts import Contract
from valueplatform.accounts.costs import Cost, CostKind
from valueplatform.accounts.exchange_rates import ExchangeRate
from valueplatform.core.database import Transaction
from valueplatform.core.pages import Page, checked_limit, page_of, text_position
from valueplatform.core.periods import Period, month_of
from valueplatform.stewardship.finance import Figure
from valueplatform.stewardship.finance_definitions import DEFINITIONS, PARTS, Definition, Metric, Unit
from valueplatform.stewardship.finance_ground import Question
from valueplatform.stewardship.finance_positions import Position
from valueplatform.stewardship.finance_proof import Recomputed, recompute
from valueplatform.stewardship.finance_read import LeftOut, Stand, allocation, left_out, stand_of
from valueplatform.value.verify import Discrepancy

EVERYWHERE: Final = "all accounts"


class CostLine(msgspec.Struct, frozen=True):
    """A cost as it was recorded, of a month that the window touches."""

    cost_id: str
    kind: CostKind
    month: date
    amount: Decimal
    currency: str


class AccountPart(msgspec.Struct, frozen=True):
    """What one account brings: its parts in the supplier's currency, and the contracts and costs behind them, each in
    its own. `value_by` and `revenue_by` are its value, and what it paid, by driver; `value_at` is where its own value
    is read. `left_out`: in no total, for want of a rate."""

    account: str
    name: str
    segment: str
    currency: str
    parts: Mapping[str, Decimal]
    first_paid: date | None
    contracts: Sequence[Contract]
    costs: Sequence[CostLine]
    value_by: Mapping[str, Decimal]
    revenue_by: Mapping[str, Decimal]
    value_at: str
    left_out: bool


class OpenedMeasure(msgspec.Struct, frozen=True):
    """The parts of `figure` are the shared ones, and totals over `accounts`, which come in pages by key. `agrees`:
    stated and recomputed are one, in this measure and in every part of every account."""

    definition: Definition
    uses: Sequence[Definition]
    figure: Figure
    currency: str
    start: date
    end: date
    segment: str | None
    recomputed: Decimal | None
    agrees: bool
    shared_costs: Sequence[CostLine]
    rates: Sequence[ExchangeRate]
    left_out: Sequence[LeftOut]
    accounts: Page[AccountPart]


async def opened_measure(
    tx: Transaction, metric: Metric, question: Question, now: datetime, limit: int, cursor: str | None
) -> OpenedMeasure:
    """Raises as `stand_of` does, and InvalidInputError for a limit or cursor that cannot be."""
    limit, after = checked_limit(limit), text_position(cursor)
    stand = await stand_of(tx, question, now)
    figure, period = stand.figure(metric), stand.ground.period
    again = await proved(tx, stand)
    names = set(figure.parts)
    concerned = [one for one in stand.positions if _concerns(one, names)]
    rows = [one for one in concerned if after is None or one.account.key > after][: limit + 1]
    kinds = {name.removeprefix("shared_") for name in names if PARTS[name].shared}
    shared = [] if stand.shared is None else stand.ground.shared
    return OpenedMeasure(
        definition=DEFINITIONS[metric],
        uses=[DEFINITIONS[each] for each in _used(metric)],
        figure=figure,
        currency=stand.ground.currency,
        start=period.start,
        end=period.end,
        segment=question.segment,
        recomputed=again.measures[metric],
        agrees=not [one for one in differences(stand, again) if one.what in {metric.value, *names}],
        shared_costs=_lines(shared, kinds, period),
        rates=_rates(stand),
        left_out=left_out(stand),
        accounts=page_of([_account(one, names, period) for one in rows], limit, lambda one: one.account),
    )


def _used(metric: Metric) -> list[Metric]:
    """Other measures that its formula names, those in them included."""
    found: dict[Metric, None] = {}
    for name in DEFINITIONS[metric].names:
        if name not in PARTS:
            other = Metric(name.replace("_", "-"))
            found |= {other: None} | dict.fromkeys(_used(other))
    return list(found)


def _concerns(one: Position, names: set[str]) -> bool:
    return bool(one.missing) or any(one.parts[name] for name in names)


def _account(one: Position, names: set[str], period: Period) -> AccountPart:
    account = one.account
    value_by: dict[str, Decimal] = {}
    for each in one.contributions if names & {"value", "value_paid_for", "revenue"} else ():
        value_by[each.driver] = value_by.get(each.driver, Decimal(0)) + each.value
    revenue_by: dict[str, Decimal] = {}
    for key, amount in (allocation(one) if "revenue" in names else {}).items():
        driver = key.split("\n")[0]
        revenue_by[driver] = revenue_by.get(driver, Decimal(0)) + amount
    return AccountPart(
        account=account.key,
        name=account.name,
        segment=account.segment,
        currency=account.currency,
        parts={name: one.parts[name] for name in PARTS if name in names and not PARTS[name].shared},
        first_paid=one.first_paid,
        contracts=account.contracts,
        costs=_lines(account.costs, names, period),
        value_by=value_by,
        revenue_by=revenue_by,
        value_at=f"/api/v1/accounts/{quote(account.key, safe='')}/value?from={period.start}&to={period.end}",
        left_out=bool(one.missing),
    )


def _lines(costs: Iterable[Cost], kinds: set[str], period: Period) -> list[CostLine]:
    chosen = [one for one in costs if one.kind.value in kinds and month_of(one.month).intersect(period)]
    return [CostLine(one.cost_id, one.kind, one.month, one.amount, one.currency) for one in chosen]


def _rates(stand: Stand) -> list[ExchangeRate]:
    """Every rate that an amount of the window may be converted by."""
    ground = stand.ground
    currencies = {one.currency for each in ground.accounts for one in each.contracts}
    currencies |= {one.currency for each in ground.accounts for one in each.costs}
    currencies |= {one.unit for each in stand.positions for one in each.account.values}
    currencies |= {one.currency for one in ground.shared}
    first_month = Period(month_of(ground.period.start).start, ground.period.end)
    return ground.rates.used(currencies, first_month)


async def proved(tx: Transaction, stand: Stand) -> Recomputed:
    """The totals of the stand, recomputed from the rows."""
    ids = [one.account.account_id for one in stand.told]
    bounds = (stand.ground.period.start, stand.ground.period.end)
    return await recompute(tx, ids, bounds, stand.ground.currency, with_shared=stand.shared is not None)


def differences(stand: Stand, again: Recomputed) -> list[Discrepancy]:
    """Every part of an account, shared part, provider's value and measure that is stated otherwise than recomputed."""
    found = []
    for one in stand.told:
        for name, amount in one.parts.items():
            other = again.accounts[one.account.account_id][name]
            if amount != other:
                found.append(Discrepancy(name, one.account.key, str(amount), str(other)))
    for name, amount in (stand.shared or {}).items():
        if not stand.missing and amount != again.shared[name]:
            found.append(Discrepancy(name, EVERYWHERE, str(amount), str(again.shared[name])))
    brought = by_provider(stand.told)
    for name in sorted({*brought, *again.providers}):
        own, other = brought.get(name, Decimal(0)), again.providers.get(name, Decimal(0))
        if own != other:
            found.append(Discrepancy(f"value of {name}", EVERYWHERE, str(own), str(other)))
    for metric in Metric if not stand.missing else ():
        stated, recomputed = stand.figure(metric).value, again.measures[metric]
        if stated != recomputed:
            found.append(Discrepancy(metric.value, EVERYWHERE, str(stated), str(recomputed)))
    return found


def by_provider(positions: Iterable[Position]) -> dict[str, Decimal]:
    """Counted value by who brought it; joint drivers by party, as agreed."""
    found: dict[str, Decimal] = {}
    for each in (each for one in positions for each in one.contributions):
        found[each.provider] = found.get(each.provider, Decimal(0)) + each.value
    return found


async def verify_finance(tx: Transaction, now: datetime) -> tuple[int, list[Discrepancy]]:
    """How many numbers of the last twelve months were recomputed, and those that differ."""
    stand = await stand_of(tx, Question(), now)
    again = await proved(tx, stand)
    count = sum(len(one.parts) for one in stand.told) + len(stand.shared or ()) + len(Metric)
    count += len(by_provider(stand.told))
    return count, differences(stand, again)


def unit_of(unit: Unit, currency: str) -> str:
    """As amounts are written elsewhere."""
    return {Unit.MONEY: currency, Unit.RATIO: "ratio", Unit.SHARE: "share", Unit.MONTHS: "month"}.get(unit, "count")
