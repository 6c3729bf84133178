"""The value read in the form of the contract: amounts are decimal strings, `to` is exclusive."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, cast

import msgspec
from msgspec import UNSET, Meta, UnsetType

from valueplatform.core.errors import UnprocessableError
from valueplatform.core.numbers import decimal_text
from valueplatform.value.contributions import ReportedSum
from valueplatform.value.projection import Projection
from valueplatform.value.reading import ValueRead
from valueplatform.value.sharing import Combined, Offering
from valueplatform.value.splits import Split
from valueplatform.value.values import GROUPS, ValueRow

Amount = Annotated[str, Meta(description="An exact decimal, as text.", examples=["10342.5000"])]


class ValueRowAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """One window and group, in one unit and benefit class. The groups are those that were asked for: dimensions of
    meters stand beside these under their own names, null for what carries no value of them. `counted` is the part of
    `realized` that value rule 10 counts. Committed is null where nothing was, or the cut cannot show it; low and high
    where a driver is divided, since ranges of parts do not add up to that of the whole."""

    window_start: date
    driver: str | UnsetType = UNSET
    objective: str | UnsetType | None = UNSET
    feature: str | UnsetType | None = UNSET
    provider: str | UnsetType = UNSET
    unit: str
    benefit_class: str
    evidence: str | None
    state: str | None
    realized: Amount
    realized_low: Amount | None
    realized_high: Amount | None
    counted: Amount
    committed_low: Amount | None
    committed_expected: Amount | None
    committed_high: Amount | None


class CombinedAnswer(msgspec.Struct, frozen=True):
    """All providers together. `share`: the caller's part of `realized`, 0.25 = 25 %."""

    realized: Amount
    counted: Amount
    share: Amount | None


class OfferingAnswer(msgspec.Struct, frozen=True):
    """The joint drivers that the caller has an agreed share in, whole, on the days on which it has it, beside what was
    committed to together. `attainment`: `counted` by `committed`, 0.9 = 90 %."""

    drivers: tuple[str, ...]
    realized: Amount
    counted: Amount
    committed: Amount
    attainment: Amount | None


class TotalsAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """In the account's currency; `excluded` lists other currencies that rows are in. `counted` is what headline and
    return take. `paid`: what the contracts cost in the period; null where it is not shown or in other currencies.
    `effort`, beside it, is what the customer is known to have put in itself, implementation and its own work; absent
    where contracts are not shown.

    `combined` is there for partners alone; null where it would tell what another partner brought. `offering` is there
    for partners with a share in joint drivers."""

    realized: Amount
    realized_low: Amount
    realized_high: Amount
    counted: Amount
    realized_by_class: Mapping[str, Amount]
    realized_by_state: Mapping[str, Amount]
    committed_low: Amount
    committed_expected: Amount
    committed_high: Amount
    excluded: tuple[str, ...]
    paid: Amount | None
    effort: Amount | UnsetType = UNSET
    combined: CombinedAnswer | UnsetType | None = UNSET
    offering: OfferingAnswer | UnsetType = UNSET


class SplitAnswer(msgspec.Struct, frozen=True):
    """A share that all three parties agreed on, from `since` until the day before `until`; who agreed and when is in
    `splits`. What is left of the driver stays `joint`."""

    split_id: int
    driver: str
    provider: str
    share: Amount
    supplier_share: Amount
    since: date | None
    until: date | None


class ReportedAnswer(msgspec.Struct, frozen=True):
    """What a partner reported of its own, in one unit and state: all that touches the period."""

    provider: str
    unit: str
    state: str
    count: int
    amount: Amount


class ValueAnswer(msgspec.Struct, frozen=True):
    """Realized value beside committed value. `projection` is there only while an account has no value at all: what it
    may expect a month by comparable accounts. `contributions` is what partners reported. Neither is in a row or total.
    """

    account: str
    currency: str
    start: Annotated[date, Meta(description="First day.")] = msgspec.field(name="from")
    end: Annotated[date, Meta(description="The day after the last.")] = msgspec.field(name="to")
    as_of: date | None
    rows: tuple[ValueRowAnswer, ...]
    totals: TotalsAnswer
    projection: Projection | UnsetType = UNSET
    contributions: tuple[ReportedAnswer, ...] = ()
    splits: tuple[SplitAnswer, ...] = ()


def value_answer(read: ValueRead) -> ValueAnswer:
    return ValueAnswer(
        account=read.account,
        currency=read.currency,
        start=read.period.start,
        end=read.period.end,
        as_of=read.question.as_of,
        rows=tuple(_row(row) for row in read.rows),
        totals=_totals(read),
        projection=UNSET if read.projection is None else read.projection,
        contributions=tuple(_reported(one) for one in read.contributions),
        splits=tuple(_split(one) for one in read.splits),
    )


def _split(one: Split) -> SplitAnswer:
    share, ours = decimal_text(one.share), decimal_text(one.supplier_share)
    return SplitAnswer(one.split_id, one.driver, one.provider, share, ours, one.since, one.until)


def _offering(one: Offering) -> OfferingAnswer:
    return OfferingAnswer(
        drivers=one.drivers,
        realized=decimal_text(one.realized),
        counted=decimal_text(one.counted),
        committed=decimal_text(one.committed),
        attainment=_text(one.attainment),
    )


def _reported(one: ReportedSum) -> ReportedAnswer:
    return ReportedAnswer(one.provider, one.unit, one.standing.value, one.count, decimal_text(one.amount))


@lru_cache(maxsize=256)
def _row_with(dimensions: tuple[str, ...]) -> type[ValueRowAnswer]:
    """A row that has dimensions of meters beside its own fields."""
    taken = {*ValueRowAnswer.__struct_fields__} & {*dimensions}
    if taken:
        raise UnprocessableError(
            f"Value cannot be cut by {min(taken)!r}: a row says something else by that name. "
            "Name the dimension otherwise in the events."
        )
    names = {f"dimension_{number}": path for number, path in enumerate(dimensions)}
    fields = [(name, str | None) for name in names]
    made = msgspec.defstruct("ValueRowAnswer", fields, bases=(ValueRowAnswer,), frozen=True, kw_only=True, rename=names)
    return cast("type[ValueRowAnswer]", made)


def _row(row: ValueRow) -> ValueRowAnswer:
    groups = row.groups
    paths = tuple(name for name in groups if name not in GROUPS)
    own = {f"dimension_{number}": groups[path] or None for number, path in enumerate(paths)}
    return (_row_with(paths) if paths else ValueRowAnswer)(
        **own,
        window_start=row.window_start,
        driver=groups.get("driver", UNSET),
        objective=groups["objective"] or None if "objective" in groups else UNSET,
        feature=groups["feature"] or None if "feature" in groups else UNSET,
        provider=groups.get("provider", UNSET),
        unit=row.unit,
        benefit_class=row.benefit_class,
        evidence=row.evidence,
        state=row.state,
        realized=decimal_text(row.realized),
        realized_low=_text(row.realized_low),
        realized_high=_text(row.realized_high),
        counted=decimal_text(row.counted),
        committed_low=_text(row.committed_low),
        committed_expected=_text(row.committed_expected),
        committed_high=_text(row.committed_high),
    )


def _totals(read: ValueRead) -> TotalsAnswer:
    sums = read.totals
    return TotalsAnswer(
        realized=decimal_text(sums.realized),
        realized_low=decimal_text(sums.realized_low),
        realized_high=decimal_text(sums.realized_high),
        counted=decimal_text(sums.counted),
        realized_by_class={name: decimal_text(amount) for name, amount in sums.realized_by_class.items()},
        realized_by_state={name: decimal_text(amount) for name, amount in sums.realized_by_state.items()},
        committed_low=decimal_text(sums.committed_low),
        committed_expected=decimal_text(sums.committed_expected),
        committed_high=decimal_text(sums.committed_high),
        excluded=tuple(sums.excluded),
        paid=_text(read.paid),
        effort=UNSET if read.effort is None else decimal_text(read.effort),
        combined=UNSET if read.question.provider is None else _combined(read.combined),
        offering=UNSET if read.offering is None else _offering(read.offering),
    )


def _combined(found: Combined | None) -> CombinedAnswer | None:
    if found is None:
        return None
    return CombinedAnswer(decimal_text(found.realized), decimal_text(found.counted), _text(found.share))


def _text(value: Decimal | None) -> str | None:
    return None if value is None else decimal_text(value)
