"""The value read of one account, as the API, the report and the command give it."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Final

import msgspec
from sqlalchemy import text

from valueplatform.accounts.accounts import Account
from valueplatform.accounts.contracts import contracts_of, first_start, paid
from valueplatform.accounts.costs import effort_in, known_effort
from valueplatform.core.database import Transaction
from valueplatform.core.errors import InvalidInputError, UnprocessableError
from valueplatform.core.periods import ONE_DAY, Period, Window, day_start, local_day
from valueplatform.value.contribution_record import standings_of
from valueplatform.value.contributions import ReportedSum, as_partners_see, reported_sums
from valueplatform.value.model import BY_EVENT, JOINT, ValueModel
from valueplatform.value.models import newest_model
from valueplatform.value.plans import Target, targets_in_force
from valueplatform.value.projection import Projection, read_projection
from valueplatform.value.sharing import Combined, Offering, combined, offering, rows_of_partner
from valueplatform.value.shown import ShownValue, shown_values
from valueplatform.value.slice_read import named_dimensions, plan_of, slices_of
from valueplatform.value.split_record import cut_values, read_splits
from valueplatform.value.splits import Split, days_shared
from valueplatform.value.values import (
    FIRST_DAY,
    LAST_DAY,
    Cut,
    Totals,
    ValueRow,
    pledges,
    rows,
    totals,
    whole_period,
)

FISCAL_MONTH: Final = "fiscal_month"
"""The attribute of an account that says in which month, 1 to 12, its fiscal year begins; without it, in January."""

_UNITS: Final = text("""
    SELECT DISTINCT ON (a.driver) a.driver, b.unit
    FROM accrual a JOIN basis b ON b.account_id = a.account_id AND b.basis_id = a.basis_id
    WHERE a.account_id = :account AND a.expected IS NOT NULL
    ORDER BY a.driver, a.day DESC
""")
_FIRST: Final = text("""
    SELECT least((SELECT min(day) FROM accrual
                  WHERE account_id = :account AND (CAST(:provider AS text) IS NULL OR provider = :provider)),
                 (SELECT min(shown_day) FROM posting
                  WHERE account_id = :account AND (CAST(:provider AS text) IS NULL OR provider = :provider)))
""")


class Question(msgspec.Struct, frozen=True):
    """What is asked. `start` and `end` (exclusive) None = from the first value to the end of today; `as_of` None =
    as it stands now, else as posted and planned by the end of that local day. `provider` keeps a partner to what it
    may see (value rule 19); `shows_paid` tells what the contracts cost. `drivers` empty = all; else rows and totals are
    of these alone."""

    start: date | None = None
    end: date | None = None
    as_of: date | None = None
    window: Window = Window.TOTAL
    group_by: tuple[str, ...] = ("driver",)
    provider: str | None = None
    shows_paid: bool = True
    drivers: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name, day in (("from", self.start), ("to", self.end), ("as_of", self.as_of)):
            if day is not None and not FIRST_DAY <= day <= LAST_DAY:
                raise InvalidInputError(f"`{name}` ({day}) is out of reach; ask for days from {FIRST_DAY} on.")
        if self.start is not None and self.end is not None and self.end <= self.start:
            raise InvalidInputError(
                f"`to` ({self.end}) must be after `from` ({self.start}); it is the day after the last one."
            )
        if self.provider is not None and self.window is Window.CONTRACT_YEAR:
            raise UnprocessableError("A partner is not shown contracts, so not contract years; choose another window.")


class ValueRead(msgspec.Struct, frozen=True):
    """`paid` None = not shown, or in several currencies; `effort` beside it is what the customer is known to have put
    in itself, in the account's currency. `combined` None = not asked for, or suppressed. `projection` is what an
    account without any value may expect; it is in no row and no total. `contributions` is what partners reported
    beside all this, `splits` what holds of joint drivers in the period, and `offering` the joint drivers that a partner
    shares in."""

    account: str
    currency: str
    period: Period
    question: Question
    rows: Sequence[ValueRow]
    totals: Totals
    paid: Decimal | None
    combined: Combined | None
    projection: Projection | None = None
    contributions: Sequence[ReportedSum] = ()
    splits: Sequence[Split] = ()
    offering: Offering | None = None
    effort: Decimal | None = None


class _Ground(msgspec.Struct, frozen=True):
    """What a read starts from, before any value is summed."""

    period: Period
    targets: Sequence[Target]
    contract_start: date | None
    paid: Decimal | None
    effort: Decimal | None


async def read_value(tx: Transaction, account: Account, question: Question, now: datetime) -> ValueRead:
    """Answer the question. Raises NoModelError, UnprocessableError for a cut that value does not allow."""
    model = await newest_model(tx)
    _check_drivers(question, model)
    moment = _end_of(question.as_of, account.timezone) if question.as_of else None
    splits = await read_splits(tx, account.account_id, moment)
    ground = await _ground(tx, account, question, model, local_day(now, account.timezone), moment, splits)
    shown = await shown_values(tx, account.account_id, ground.period, moment)
    shown = [one for one in shown if not question.drivers or one.driver in question.drivers]
    lines = [one for one in splits if not question.drivers or one.driver in question.drivers]
    cut_up = await cut_values(tx, account.account_id, ground.period, shown, lines, moment)
    values: Sequence[ShownValue] = cut_up.all
    units = await _shown_units(tx, account.account_id)
    together, jointly = None, None
    if question.provider is not None:
        # Two reads as of different days, or of other drivers, could be subtracted down to a single posting.
        if moment is None and not question.drivers:
            hiding = cut_up.hiding(question.provider)
            together = combined(values, question.provider, ground.period, account.currency, hiding)
            jointly = offering(
                cut_up.parts,
                pledges(await targets_in_force(tx, account.account_id), model, units, account.currency),
                days_shared(splits, question.provider, ground.period),
                question.provider,
                account.currency,
            )
        values = rows_of_partner(values, question.provider)
    targets = [one for one in ground.targets if not question.drivers or one.driver in question.drivers]
    pledged = pledges(targets, model, units, account.currency)
    cut = Cut(
        period=ground.period,
        window=question.window,
        group_by=question.group_by,
        fiscal_month=_fiscal_month(account),
        contract_start=ground.contract_start,
        features={driver.slug: driver.features for driver in model.drivers},
        dimensions=named_dimensions(model),
    )
    values = await _divided(tx, account, question, cut, model, values, lines)
    projected = None
    if not (values or moment or question.drivers):
        projected = await read_projection(tx, account, model, provider=question.provider)
    return ValueRead(
        account=account.key,
        currency=account.currency,
        period=ground.period,
        question=question,
        rows=rows(values, pledged, cut),
        totals=totals(values, pledged, ground.period, account.currency),
        paid=ground.paid,
        combined=together,
        projection=projected,
        contributions=await _reported(tx, account, question.provider, ground.period, moment),
        splits=[one for one in splits if _shows(one, question.provider, ground.period)],
        offering=jointly,
        effort=ground.effort,
    )


def _check_drivers(question: Question, model: ValueModel) -> None:
    known = [one.slug for one in model.drivers if question.provider in {None, one.provider} or one.provider == BY_EVENT]
    unknown = sorted(set(question.drivers) - set(known))
    if unknown:
        raise UnprocessableError(f"There is no driver {unknown[0]!r}; there are {', '.join(known)}.")


async def _divided(
    tx: Transaction,
    account: Account,
    question: Question,
    cut: Cut,
    model: ValueModel,
    values: Sequence[ShownValue],
    splits: Sequence[Split],
) -> list[ShownValue]:
    """The values, divided where the cut is by dimensions. Raises UnprocessableError for what cannot be."""
    plan = plan_of(question.group_by, model, {value.driver for value in values})
    if not plan:
        return list(values)
    by = ", ".join(sorted({path for own in plan.values() for path in own}))
    if question.as_of is not None:
        raise UnprocessableError(
            f"Value cannot be cut by {by} as of a day: meters are kept as they are known now. Leave out `as_of`."
        )
    joint = sorted(one.slug for one in model.drivers if one.slug in plan and one.provider == JOINT)
    if joint and question.provider is not None:
        raise UnprocessableError(
            f"Value cannot be cut by {by} for driver {joint[0]!r}: it is joint, and what it is made of is others' too."
        )
    found: list[ShownValue] = [*await slices_of(tx, account.account_id, cut.period, plan, model, splits)]
    if question.provider is not None:
        found = rows_of_partner(found, question.provider)
    return [*(one for one in values if one.driver not in plan), *found]


def _shows(split: Split, provider: str | None, period: Period) -> bool:
    """Whether it held in the period, and is the reader's to see."""
    if split.since is None or provider not in {None, split.provider}:
        return False
    return split.since < period.end and (split.until is None or max(split.since, period.start) < split.until)


async def _reported(
    tx: Transaction, account: Account, provider: str | None, period: Period, moment: datetime | None
) -> Sequence[ReportedSum]:
    found = await standings_of(tx, account.account_id, moment)
    return reported_sums(found if provider is None else as_partners_see(found, provider), period)


async def _ground(
    tx: Transaction,
    account: Account,
    question: Question,
    model: ValueModel,
    today: date,
    moment: datetime | None,
    splits: Sequence[Split],
) -> _Ground:
    """For a partner, from its own values and commitments alone: neither contracts nor others show in the dates."""
    targets = await targets_in_force(tx, account.account_id, moment)
    contracts = await contracts_of(tx, account.account_id) if question.provider is None else []
    if question.provider is not None:
        targets = targets_of_provider(targets, model, question.provider)
    begun = first_start(contracts)
    first = await tx.scalar(_FIRST, {"account": account.account_id, "provider": question.provider})
    shared = [one.since for one in splits if one.since is not None and one.provider == question.provider and one.share]
    whole = whole_period(min([*([first] if first else []), *shared], default=None), targets, begun, today)
    start = question.start or min(whole.start, question.end - ONE_DAY if question.end else whole.start)
    period = Period(start, question.end or max(whole.end, start + ONE_DAY))
    paid_for = [contract for contract in contracts if paid([contract], period)]
    one_currency = all(contract.currency == account.currency for contract in paid_for)
    shown = question.shows_paid and question.provider is None
    own = paid(paid_for, period) if shown and one_currency else None
    effort = None
    if shown:
        effort = effort_in(await known_effort(tx, account.account_id), period, account.currency)
    return _Ground(period, targets, begun, own, effort)


def targets_of_provider(targets: Sequence[Target], model: ValueModel, provider: str) -> list[Target]:
    """Commitments for drivers that are the provider's alone; those of drivers shared by several are joint."""
    own = {driver.slug for driver in model.drivers if driver.provider == provider}
    return [target for target in targets if target.driver in own]


async def _shown_units(tx: Transaction, account_id: int) -> Mapping[str, str]:
    """The unit that each driver's newest amount carries."""
    return {row.driver: row.unit for row in await tx.rows(_UNITS, {"account": account_id})}


def _fiscal_month(account: Account) -> int:
    given = str(account.attributes.get(FISCAL_MONTH, ""))
    return int(given) if given.isdecimal() and 1 <= int(given) <= 12 else 1


def _end_of(day: date, timezone: str) -> datetime:
    """The last moment of a day in the account's zone: what was known by then."""
    return (day_start(day + ONE_DAY, timezone) - timedelta(microseconds=1)).astimezone(UTC)
