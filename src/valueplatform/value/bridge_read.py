"""The value bridge of one account, read: what each day rests on, put together for `value.bridge`.

Both ends are what the value read shows of the same days. Where amounts wait for the worker, meters may be ahead of
them; `waits` says so.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Final, NamedTuple
from uuid import UUID

import msgspec
from sqlalchemy import text

from valueplatform.accounts.accounts import Account
from valueplatform.core.database import Transaction
from valueplatform.core.errors import InvalidInputError, UnprocessableError
from valueplatform.core.periods import Period, month_of, months_between
from valueplatform.telemetry.meters import ZERO_WHEN_ABSENT
from valueplatform.value.basis import BasisInput
from valueplatform.value.bridge import bridge
from valueplatform.value.bridge_cells import Cell, Day, Line, Member, Side, added
from valueplatform.value.bridge_joint import (
    SHARE_READ,
    days_of_parties,
    divided,
    is_nothing,
    shared_formula,
    told_as_share,
)
from valueplatform.value.cuts import names_of, versions_of, why_uncut
from valueplatform.value.formula import Formula
from valueplatform.value.member_readings import Readings, readings_of
from valueplatform.value.meter_days import ALL_PROVIDERS
from valueplatform.value.model import BY_EVENT, JOINT, Evidence, ValueModel, weakest
from valueplatform.value.models import newest_model
from valueplatform.value.sharing import rows_of_partner
from valueplatform.value.shown import ShownValue, shown_values
from valueplatform.value.split_record import cut_values, read_splits
from valueplatform.value.splits import Split
from valueplatform.value.states import State, weakest_state
from valueplatform.value.values import FIRST_DAY, LAST_DAY

GROUPS: Final = ("driver", "provider", "benefit_class")
"""What a bridge is cut by beside the dimensions of meters."""
_UNCUT: Final = frozenset({"objective", "state", "evidence"})
ZERO: Final = Decimal("0.0000")

_DAYS: Final = text("""
    SELECT a.driver, a.provider, a.day, a.expected, coalesce(a.uncapped, a.expected) AS uncapped, b.counted, b.basis_id,
           b.unit, b.benefit_class, b.formula,
           b.inputs::text AS inputs
    FROM accrual a JOIN basis b ON b.account_id = a.account_id AND b.basis_id = a.basis_id
    WHERE a.account_id = :account AND a.day >= :start AND a.day < :end AND a.expected IS NOT NULL
    ORDER BY a.driver, a.provider, a.day
""")
_GAPS: Final = text("""
    SELECT driver, provider, reason, min(day) AS first, max(day) AS last, count(*) AS days FROM accrual
    WHERE account_id = :account AND day >= :start AND day < :end AND expected IS NULL
    GROUP BY driver, provider, reason ORDER BY driver, provider, reason
""")
_WAITS: Final = text("""
    SELECT EXISTS (SELECT FROM changed_day WHERE account_id = :account AND day < :end AND through >= :start)
""")


class BridgeQuestion(msgspec.Struct, frozen=True):
    """What is asked: how `after` differs from `before`. `drivers` empty = all. `counted`: only what value rule 10
    counts; days that do not count are as without value. `provider` keeps a partner to its own rows (value rule 19):
    its bridge is worked out from these alone."""

    before: Period
    after: Period
    by: tuple[str, ...] = ("driver",)
    drivers: tuple[str, ...] = ()
    provider: str | None = None
    counted: bool = False

    @property
    def divides(self) -> bool:
        """Whether joint drivers are told by party: by provider, and to a partner."""
        return self.provider is not None or "provider" in self.by

    @property
    def dimensions(self) -> tuple[str, ...]:
        return tuple(group for group in self.by if group not in GROUPS)


class Gap(msgspec.Struct, frozen=True):
    """Days without a value in one of the periods, and why."""

    driver: str
    provider: str
    reason: str
    first: date
    last: date
    days: int
    is_before: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """What the value of one driver and provider rests on, over both periods; `counted` is what value rule 10 counts."""

    state: State
    evidence: Evidence
    counted_before: Decimal
    counted_after: Decimal


@dataclass(frozen=True, slots=True)
class BridgeRead:
    """`standings` by driver, provider and unit; `units` are those of inputs, as they held last. `waits`: there are
    changes that the worker has yet to work off."""

    account: str
    currency: str
    question: BridgeQuestion
    model: ValueModel
    lines: Sequence[Line]
    standings: Mapping[tuple[str, str, str], Standing]
    units: Mapping[str, str]
    gaps: Sequence[Gap]
    waits: bool


def periods_asked(
    start: date | None, end: date | None, against_start: date | None, against_end: date | None, today: date
) -> tuple[Period, Period]:
    """Before and after. Without days: the last whole month against the one before it; without those to compare with:
    as many months, or days, as there are, right before.

    Raises InvalidInputError for half a period, one that does not end after its start, or one out of reach.
    """
    after = _given("from", "to", start, end) or month_of(_day_before(month_of(today).start))
    before = _given("against_from", "against_to", against_start, against_end) or _just_before(after)
    return before, after


def _given(first: str, last: str, start: date | None, end: date | None) -> Period | None:
    if start is None and end is None:
        return None
    if start is None or end is None:
        raise InvalidInputError(f"`{first}` and `{last}` belong together: send both, or neither.")
    for name, day in ((first, start), (last, end)):
        if not FIRST_DAY <= day <= LAST_DAY:
            raise InvalidInputError(f"`{name}` ({day}) is out of reach; ask for days from {FIRST_DAY} on.")
    if end <= start:
        raise InvalidInputError(
            f"`{last}` ({end}) must be after `{first}` ({start}); it is the day after the last one."
        )
    return Period(start, end)


def _just_before(after: Period) -> Period:
    months = list(months_between(after.start, after.end))
    start = after.start
    if months[0].start == after.start and months[-1].end == after.end:
        for _ in months:
            start = month_of(_day_before(start)).start
        return Period(start, after.start)
    return Period(date.fromordinal(max(after.start.toordinal() - after.days, 1)), after.start)


def _day_before(day: date) -> date:
    return date.fromordinal(day.toordinal() - 1)


async def read_bridge(tx: Transaction, account: Account, question: BridgeQuestion) -> BridgeRead:
    """Answer the question; the transaction should be steady, so that both ends are of one moment.

    Raises NoModelError, UnprocessableError for a driver that is not there or cannot be cut as asked.
    """
    model = await newest_model(tx)
    account_id = account.account_id
    splits = await read_splits(tx, account_id) if question.divides else []
    lines = divided(splits)
    _check_drivers(question, model, {one.driver for one in splits if one.provider == question.provider})
    shown: list[dict[_Key, list[ShownValue]]] = []
    earned: list[dict[_Key, _Earned]] = []
    for period in (question.before, question.after):
        values: Sequence[ShownValue] = await shown_values(tx, account_id, period)
        if lines:
            values = (await cut_values(tx, account_id, period, values, splits)).all
        shown.append(_by_key(values, question))
        earned.append(await _earned(tx, account_id, period, question, lines))
    keys = {key for found in shown for key in found} | {key for found in earned for key in found}
    _check_cuts(question, model, {key.driver for key in keys})
    sides = [
        await _sides(tx, account_id, period, question, model, shown[at], earned[at])
        for at, period in enumerate((question.before, question.after))
    ]
    cells = [Cell(*key, before=sides[0].get(key, Side()), after=sides[1].get(key, Side())) for key in sorted(keys)]
    volumes = {meter.slug for meter in model.meters if meter.aggregation in ZERO_WHEN_ABSENT}
    return BridgeRead(
        account=account.key,
        currency=account.currency,
        question=question,
        model=model,
        lines=[
            told_as_share(line) for line in bridge(cells, volumes) if line.driver not in lines or not is_nothing(line)
        ],
        standings=_standings(*shown),
        units={slug: unit for found in earned for own in found.values() for slug, unit in own.units.items()},
        gaps=await _gaps(tx, account_id, question),
        waits=await _waits(tx, account_id, question),
    )


class _Key(NamedTuple):
    driver: str
    provider: str
    unit: str
    benefit_class: str


@dataclass(slots=True)
class _Earned:
    """A driver and provider's days with value, and what they add up to."""

    amounts: list[Decimal] = field(default_factory=list)
    uncapped: list[Decimal] = field(default_factory=list)
    days: dict[date, tuple[str, Mapping[str, Fraction]]] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)

    def add(
        self,
        day: date,
        amounts: tuple[Decimal, Decimal],
        read: tuple[str, Mapping[str, Fraction]],
        units: Mapping[str, str],
    ) -> None:
        """A day with what it is worth, capped and uncapped, the formula in force and its inputs."""
        self.amounts.append(amounts[0])
        self.uncapped.append(amounts[1])
        self.days[day] = read
        self.units |= units


def _wanted(question: BridgeQuestion, driver: str, provider: str) -> bool:
    return (not question.drivers or driver in question.drivers) and question.provider in {None, provider}


def _by_key(values: Iterable[ShownValue], question: BridgeQuestion) -> dict[_Key, list[ShownValue]]:
    kept = rows_of_partner(values, question.provider) if question.provider is not None else values
    found: defaultdict[_Key, list[ShownValue]] = defaultdict(list)
    for value in kept:
        if _wanted(question, value.driver, value.provider) and (value.counted or not question.counted):
            found[_Key(value.driver, value.provider, value.unit, value.benefit_class)].append(value)
    return dict(found)


async def _earned(
    tx: Transaction,
    account_id: int,
    period: Period,
    question: BridgeQuestion,
    lines: Mapping[str, Sequence[Split]],
) -> dict[_Key, _Earned]:
    found: defaultdict[_Key, _Earned] = defaultdict(_Earned)
    inputs: dict[UUID, Mapping[str, Fraction]] = {}
    units: dict[UUID, Mapping[str, str]] = {}
    for row in await tx.rows(_DAYS, {"account": account_id, "start": period.start, "end": period.end}):
        parties = lines.get(row.driver) if row.provider == JOINT else None
        if question.counted and not row.counted:
            continue
        if row.basis_id not in inputs:
            given = msgspec.json.decode(row.inputs, type=tuple[BasisInput, ...])
            read = Formula.parse(row.formula).names  # a basis holds what the cap of a pool rests on as well
            inputs[row.basis_id] = {one.slug: Fraction(one.value.expected) for one in given if one.slug in read}
            units[row.basis_id] = {one.slug: one.unit for one in given}
        if parties is None and _wanted(question, row.driver, row.provider):
            own = found[_Key(row.driver, row.provider, row.unit, row.benefit_class)]
            own.add(row.day, (row.expected, row.uncapped), (row.formula, inputs[row.basis_id]), units[row.basis_id])
        for one in days_of_parties(row.expected, row.uncapped, row.day, parties) if parties is not None else ():
            if _wanted(question, row.driver, one.party):
                own = found[_Key(row.driver, one.party, row.unit, row.benefit_class)]
                read_as = shared_formula(row.formula), {**inputs[row.basis_id], SHARE_READ: one.share}
                own.add(row.day, (one.expected, one.uncapped), read_as, units[row.basis_id])
    return dict(found)


async def _sides(
    tx: Transaction,
    account_id: int,
    period: Period,
    question: BridgeQuestion,
    model: ValueModel,
    shown: Mapping[_Key, Sequence[ShownValue]],
    earned: Mapping[_Key, _Earned],
) -> dict[_Key, Side]:
    names = {name for key in earned for name in names_of(model, key.driver)}
    meters = [meter for meter in model.meters if meter.slug in names]
    readings = await readings_of(tx, account_id, period, meters, question.dimensions)
    sides = {}
    for key in {*shown, *earned}:
        worth = added(earned[key].amounts) if key in earned else ZERO
        stands = added(value.expected for value in shown.get(key, ()))
        members = _members(key, earned[key], model, readings, question.dimensions) if key in earned else {}
        uncapped = added(earned[key].uncapped) if key in earned else ZERO
        sides[key] = Side(worth, added([stands, worth.copy_negate()]), members, None if uncapped == worth else uncapped)
    return sides


def _members(
    key: _Key, earned: _Earned, model: ValueModel, readings: Readings, dimensions: Sequence[str]
) -> dict[Member, list[Day]]:
    by_event = [driver for driver in versions_of(model, key.driver) if driver.provider == BY_EVENT]
    nothing: Member = tuple(None for _ in dimensions)
    names = names_of(model, key.driver)
    zeros = {m.slug: Fraction(0) for m in model.meters if m.slug in names and m.aggregation in ZERO_WHEN_ABSENT}
    found: defaultdict[Member, list[Day]] = defaultdict(list)
    for day, (formula, inputs) in earned.days.items():
        provider = key.provider if any(driver.in_force(day) for driver in by_event) else ALL_PROVIDERS
        held = {
            member: own
            for member, read in readings.get((provider, day), {}).items()
            if (own := {name: value for name, value in read.items() if name in names})
        }
        for member, own in (held or {nothing: {}}).items():
            found[member].append(Day(day, formula, inputs, {**zeros, **own}))
    return dict(found)


def _check_drivers(question: BridgeQuestion, model: ValueModel, shared: Collection[str]) -> None:
    """`shared`: the joint drivers in which the partner who asks has a line."""
    own = {question.provider, BY_EVENT}
    known = [d.slug for d in model.drivers if question.provider is None or d.provider in own or d.slug in shared]
    unknown = sorted(set(question.drivers) - set(known))
    if unknown:
        raise UnprocessableError(f"There is no driver {unknown[0]!r}; there are {', '.join(known)}.")


def _check_cuts(question: BridgeQuestion, model: ValueModel, drivers: Iterable[str]) -> None:
    """Raises UnprocessableError naming the drivers that cannot be cut, with the reasons, and those that can."""
    for path in question.dimensions:
        named = sorted({path for meter in model.meters for path in meter.dimensions})
        if path in _UNCUT or path not in named:
            raise UnprocessableError(
                f"A bridge cannot be cut by {path!r}: use {', '.join(GROUPS)}, or a dimension of the meters "
                f"({', '.join(named) or 'there are none'})."
            )
    refused, taken = [], []
    for slug in sorted(drivers):
        driver = model.driver(slug)
        reason = why_uncut(driver, model, question.dimensions) if driver is not None else "it is no longer in the model"
        if reason and question.dimensions:
            refused.append(f"driver {slug!r}, since {reason}")
        else:
            taken.append(slug)
    if refused:
        cure = f" Ask for those that can: driver={','.join(taken)}." if taken else ""
        by = ", ".join(question.dimensions)
        raise UnprocessableError(f"Value cannot be cut by {by} for {'; '.join(refused)}.{cure}")


def _standings(
    before: Mapping[_Key, Sequence[ShownValue]], after: Mapping[_Key, Sequence[ShownValue]]
) -> dict[tuple[str, str, str], Standing]:
    values: defaultdict[tuple[str, str, str], tuple[list[ShownValue], list[ShownValue]]] = defaultdict(lambda: ([], []))
    for at, found in enumerate((before, after)):
        for key, own in found.items():
            values[key.driver, key.provider, key.unit][at].extend(own)
    return {
        key: Standing(
            weakest_state([value.state for value in (*one, *other)]),
            weakest([value.evidence for value in (*one, *other)]),
            added(value.expected for value in one if value.counted),
            added(value.expected for value in other if value.counted),
        )
        for key, (one, other) in values.items()
    }


async def _gaps(tx: Transaction, account_id: int, question: BridgeQuestion) -> list[Gap]:
    found = []
    for is_before, period in ((True, question.before), (False, question.after)):
        where = {"account": account_id, "start": period.start, "end": period.end}
        found += [
            Gap(**row._mapping, is_before=is_before)  # noqa: SLF001 - public in SQLAlchemy
            for row in await tx.rows(_GAPS, where)
            if _wanted(question, row.driver, row.provider)
        ]
    return found


async def _waits(tx: Transaction, account_id: int, question: BridgeQuestion) -> bool:
    spans = (question.before, question.after)
    return any(
        [bool(await tx.scalar(_WAITS, {"account": account_id, "start": one.start, "end": one.end})) for one in spans]
    )
