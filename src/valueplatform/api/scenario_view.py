"""Scenarios as the API takes and gives them: shapes, and what turns them into the rules' own values and back."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated

import msgspec
from msgspec import Meta

from valueplatform.api.given import day_of, range_of, text_of
from valueplatform.core.errors import InvalidInputError
from valueplatform.core.numbers import FRACTION_DIGITS, INTEGER_DIGITS, decimal_text, in_wire_range
from valueplatform.core.periods import next_month
from valueplatform.value.adopted import METHOD, Comparable
from valueplatform.value.answer import Amount
from valueplatform.value.levers import Adoption, Change, Input, Lever, Seats, SwitchOn, Usage
from valueplatform.value.scenario import Bounds, Outlook
from valueplatform.value.scenarios import (
    Draft,
    Saved,
)

MOST_CHANGES = 20


class ChangeIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is moved: exactly one of `meter`, `feature`, `seats` and `slug`.

    Usage of a meter, of a feature, or of everything (`seats`: true) is multiplied by `times`; 0 switches it off. A
    feature that is not in use yet is switched on by `switch_on` (true): it is then used as comparable accounts use it,
    `times` that (1 where it is left out). An assumption or baseline (`slug`) gets the value `expected`, with `low` and
    `high` or as one number. It begins with the month `since` (the first month where it is left out), and takes `over`
    months to get there, in equal steps.
    """

    meter: str | None = None
    feature: str | None = None
    seats: bool = False
    switch_on: bool = False
    slug: Annotated[str | None, Meta(examples=["hourly_cost"])] = None
    times: Annotated[Decimal | None, Meta(examples=["1.2"])] = None
    expected: Annotated[Decimal | None, Meta(examples=["43.50"])] = None
    low: Decimal | None = None
    high: Decimal | None = None
    since: date | None = None
    over: int = 1


class ScenarioIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is asked. Without a start it begins with the next month of the account's zone."""

    changes: Annotated[list[ChangeIn], Meta(examples=[[{"feature": "auto-dispatch", "times": "1.2"}]])]
    name: Annotated[str, Meta(examples=["All depots dispatch by app"])] = "Scenario"
    start: date | None = None
    months: int = 12


class BoundsOut(msgspec.Struct, frozen=True):
    low: Amount
    expected: Amount
    high: Amount


class MonthOut(msgspec.Struct, frozen=True):
    month: date
    carried_on: BoundsOut
    changed: BoundsOut
    added: BoundsOut


class DriverOut(msgspec.Struct, frozen=True):
    driver: str
    unit: str
    benefit_class: str
    carried_on: BoundsOut
    changed: BoundsOut
    added: BoundsOut


class EffectOut(msgspec.Struct, frozen=True):
    """A change, and what it would add by itself."""

    change: ChangeIn
    alone: Amount


class ComparableOut(msgspec.Struct, frozen=True):
    """What a feature that is switched on is taken to be used: a meter's reading a month, the quartiles of `accounts`
    comparable accounts that use it, of the segment `cohort` ('' = all); per unit of `scale` where that is not null."""

    feature: str
    meter: str
    cohort: str
    accounts: int
    scale: Amount | None
    lower: Amount
    median: Amount
    upper: Amount
    method: str


class OutlookOut(msgspec.Struct, frozen=True):
    """All of it is a projection: nothing in it is realized, and no total of value counts it.

    Months and total are monetized value in `currency`; `drivers` have all. `together` is what the changes add beyond
    what each adds alone. `based_on_from` to `based_on_to` (exclusive) are the weeks of usage that are carried on.
    """

    projection: bool
    currency: str
    start: date
    end: date
    based_on_from: date
    based_on_to: date
    total: MonthOut
    months: list[MonthOut]
    drivers: list[DriverOut]
    changes: list[EffectOut]
    together: Amount
    comparable: list[ComparableOut] = []


class ScenarioOut(msgspec.Struct, frozen=True):
    scenario_id: int
    name: str
    start: date
    months: int
    changes: list[ChangeIn]
    author: str
    side: str
    shared: bool
    created_at: datetime


def draft_of(data: ScenarioIn, today: date) -> Draft:
    """What was sent as a draft. Raises InvalidInputError."""
    if len(data.changes) > MOST_CHANGES:
        raise InvalidInputError(f"Send at most {MOST_CHANGES} changes at a time, not {len(data.changes)}.")
    start = next_month(today) if data.start is None else day_of(data.start, "start").replace(day=1)
    changes = tuple(_change(one, start) for one in data.changes)
    return Draft(text_of(data.name, "name", empty="Scenario"), start, data.months, changes)


def _change(given: ChangeIn, start: date) -> Change:
    since = start if given.since is None else day_of(given.since, "since")
    return Change(_lever(given), since, given.over)


def _lever(given: ChangeIn) -> Lever:
    named = [name for name in ("meter", "feature", "slug") if getattr(given, name) is not None]
    named += ["seats"] if given.seats else []
    if len(named) != 1:
        raise InvalidInputError("A change names exactly one of `meter`, `feature`, `seats` and `slug`.")
    if given.slug is not None:
        if given.expected is None or given.times is not None:
            raise InvalidInputError(f"A change of {given.slug!r} needs `expected`, and no `times`.")
        return Input(given.slug, range_of(given.expected, given.low, given.high, given.slug))
    if given.switch_on:
        return _switched_on(given)
    if given.times is None or given.expected is not None:
        raise InvalidInputError(f"A change of `{named[0]}` needs `times`, such as 1.2, and no `expected`.")
    if not in_wire_range(given.times):
        raise InvalidInputError(
            f"`times` has more digits than can be kept: write at most {INTEGER_DIGITS} before the point, and "
            f"{FRACTION_DIGITS} after it."
        )
    if given.meter is not None:
        return Usage(given.meter, given.times)
    return Adoption(given.feature, given.times) if given.feature is not None else Seats(given.times)


def _switched_on(given: ChangeIn) -> Lever:
    times = Decimal(1) if given.times is None else given.times
    if given.feature is None or given.expected is not None or not in_wire_range(times) or times < 0:
        raise InvalidInputError("`switch_on` goes with a `feature`, and at most with `times` of 0 or more.")
    return SwitchOn(given.feature, times)


def scenario_out(saved: Saved) -> ScenarioOut:
    draft = saved.draft
    return ScenarioOut(
        scenario_id=saved.scenario_id,
        name=draft.name,
        start=draft.start,
        months=draft.months,
        changes=[_change_out(change) for change in draft.changes],
        author=saved.author,
        side=saved.side,
        shared=saved.shared,
        created_at=saved.created_at,
    )


def _change_out(change: Change) -> ChangeIn:
    match change.lever:
        case Usage(meter=meter, times=times):
            return ChangeIn(meter=meter, times=times, since=change.since, over=change.over)
        case Adoption(feature=feature, times=times):
            return ChangeIn(feature=feature, times=times, since=change.since, over=change.over)
        case SwitchOn(feature=feature, times=times):
            return ChangeIn(feature=feature, switch_on=True, times=times, since=change.since, over=change.over)
        case Seats(times=times):
            return ChangeIn(seats=True, times=times, since=change.since, over=change.over)
        case Input(slug=slug, value=value):
            low, expected, high = value.low, value.expected, value.high
            return ChangeIn(slug=slug, expected=expected, low=low, high=high, since=change.since, over=change.over)


def outlook_out(outlook: Outlook, draft: Draft) -> OutlookOut:
    return OutlookOut(
        projection=True,
        currency=outlook.currency,
        start=outlook.period.start,
        end=outlook.period.end,
        based_on_from=outlook.based_on.start,
        based_on_to=outlook.based_on.end,
        total=_month_out(outlook.total.month, outlook.total.carried_on, outlook.total.changed, outlook.total.added),
        months=[_month_out(one.month, one.carried_on, one.changed, one.added) for one in outlook.months],
        drivers=[
            DriverOut(
                each.driver, each.unit, each.benefit_class, *map(_bounds, (each.carried_on, each.changed, each.added))
            )
            for each in outlook.drivers
        ],
        changes=_effects(draft.changes, outlook.alone),
        together=decimal_text(outlook.together),
        comparable=[_comparable_out(one) for one in outlook.comparable],
    )


def _comparable_out(one: Comparable) -> ComparableOut:
    scale = None if one.scale is None else decimal_text(one.scale)
    lower, median, upper = map(decimal_text, (one.lower, one.median, one.upper))
    return ComparableOut(one.feature, one.meter, one.cohort, one.accounts, scale, lower, median, upper, METHOD)


def _effects(changes: Sequence[Change], alone: Sequence[Decimal]) -> list[EffectOut]:
    return [EffectOut(_change_out(one), decimal_text(added)) for one, added in zip(changes, alone, strict=True)]


def _month_out(month: date, *amounts: Bounds) -> MonthOut:
    return MonthOut(month, *map(_bounds, amounts))


def _bounds(amounts: Bounds) -> BoundsOut:
    return BoundsOut(*(decimal_text(amount) for amount in amounts))
