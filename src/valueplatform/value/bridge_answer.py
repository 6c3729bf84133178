"""The value bridge as the API gives it: lines put together as asked for, every amount an exact decimal text."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from valueplatform.core.numbers import decimal_text, round_half_even
from valueplatform.value.bridge_cells import SHARE, Kind, Line, added, by_name
from valueplatform.value.bridge_read import BridgeRead, Standing
from valueplatform.value.model import weakest
from valueplatform.value.states import weakest_state
from valueplatform.value.values import is_money

PLACES = 9
Amount = Annotated[str, Meta(description="An exact decimal, as text.", examples=["-1200.5000"])]
Reading = Annotated[str, Meta(description="A meter's or an input's number, to 9 places.", examples=["2.25"])]


class PartsAnswer(msgspec.Struct, frozen=True):
    """How the two periods differ; the seven add up to `change`, to the last digit."""

    volume: Annotated[str, Meta(description="More or less was metered, at the mix, rates and inputs of before.")]
    mix: Annotated[str, Meta(description="It is divided otherwise over members and providers, or over days.")]
    rate: Annotated[str, Meta(description="What is metered beside the volume, per unit of it, has changed.")]
    assumption: Annotated[str, Meta(description="Assumptions, baselines or the formula changed: see `assumptions`.")]
    new: Annotated[str, Meta(description="Whole value of what had none before.")]
    lost: Annotated[str, Meta(description="Whole value of what has none now, taken away.")]
    adjusted: Annotated[str, Meta(description="Adjustments of days outside the periods that are shown in them.")]


class AssumptionPart(msgspec.Struct, frozen=True):
    """What one input changed; `slug` is `@formula` for another version of the formula, `@cap` for what the cap of a
    benefit pool takes, `@share` for another agreed share of a joint driver. Its values are those of the last day
    with value in each period; null where there is none, or where the row is about several drivers' inputs of
    different values."""

    slug: str
    amount: Amount
    before: Reading | None
    after: Reading | None


class VolumeAnswer(msgspec.Struct, frozen=True):
    """What volume is told in: the meter that the formula reads first, or days with value where `meter` is null."""

    meter: str | None
    before: Reading
    after: Reading
    days_before: int
    days_after: int


class BridgeRow(msgspec.Struct, frozen=True, kw_only=True):
    """One group in one unit and benefit class. `members` are the values of the dimensions asked for; null: events that
    carry none, and adjustments, which are kept by driver alone. `volume` is there where the row is of one driver."""

    driver: str | UnsetType = UNSET
    provider: str | UnsetType = UNSET
    members: Mapping[str, str | None] | UnsetType = UNSET
    unit: str
    benefit_class: str
    state: str | None
    evidence: str | None
    before: Amount
    after: Amount
    change: Amount
    parts: PartsAnswer
    assumptions: tuple[AssumptionPart, ...]
    volume: VolumeAnswer | None


class BridgeTotals(msgspec.Struct, frozen=True):
    """Monetized value in the account's currency; `excluded` lists other currencies that rows are in. `counted` is what
    value rule 10 counts of each end."""

    before: Amount
    after: Amount
    change: Amount
    counted_before: Amount
    counted_after: Amount
    parts: PartsAnswer
    excluded: tuple[str, ...]


class GapAnswer(msgspec.Struct, frozen=True):
    """Days of a driver that have no amount, in the period `before` or `after`, and why."""

    driver: str
    period: str
    reason: str
    first: date
    last: date
    days: int


class BridgeAnswer(msgspec.Struct, frozen=True):
    """Why value of one period differs from that of another."""

    account: str
    currency: str
    start: Annotated[date, Meta(description="First day of the period explained.")] = msgspec.field(name="from")
    end: Annotated[date, Meta(description="The day after its last.")] = msgspec.field(name="to")
    against_from: date
    against_to: date
    by: tuple[str, ...]
    counted: Annotated[bool, Meta(description="Whether it is of what counts alone, or of all that was realized.")]
    rows: tuple[BridgeRow, ...]
    totals: BridgeTotals
    without_value: tuple[GapAnswer, ...]
    waits: Annotated[bool, Meta(description="Changes of these days have yet to be worked off.")]


def bridge_answer(read: BridgeRead) -> BridgeAnswer:
    question = read.question
    return BridgeAnswer(
        account=read.account,
        currency=read.currency,
        start=question.after.start,
        end=question.after.end,
        against_from=question.before.start,
        against_to=question.before.end,
        by=question.by,
        counted=question.counted,
        rows=tuple(_row(read, key, lines) for key, lines in _grouped(read)),
        totals=_totals(read),
        without_value=tuple(
            GapAnswer(gap.driver, "before" if gap.is_before else "after", gap.reason, gap.first, gap.last, gap.days)
            for gap in read.gaps
        ),
        waits=read.waits,
    )


def money_lines(read: BridgeRead) -> list[Line]:
    """Those that may be in a total, in the account's currency."""
    return [x for x in read.lines if x.unit == read.currency and is_money(x.unit, x.benefit_class)]


_GroupKey = tuple[str | None, str | None, tuple[str | None, ...], str, str]


def _grouped(read: BridgeRead) -> list[tuple[_GroupKey, list[Line]]]:
    by = read.question.by
    found: dict[_GroupKey, list[Line]] = {}
    for line in read.lines:
        driver = line.driver if "driver" in by else None
        provider = line.provider if "provider" in by else None
        found.setdefault((driver, provider, line.member, line.unit, line.benefit_class), []).append(line)
    return sorted(
        found.items(), key=lambda item: (item[0][0] or "", item[0][1] or "", by_name(item[0][2]), item[0][3:])
    )


def _row(read: BridgeRead, key: _GroupKey, lines: Sequence[Line]) -> BridgeRow:
    driver, provider, member, unit, benefit_class = key
    standings = _standings(read, lines)
    dimensions = read.question.dimensions
    return BridgeRow(
        driver=UNSET if driver is None else driver,
        provider=UNSET if provider is None else provider,
        members=dict(zip(dimensions, member, strict=True)) if dimensions else UNSET,
        unit=unit,
        benefit_class=benefit_class,
        state=weakest_state([one.state for one in standings]) if standings else None,
        evidence=weakest([one.evidence for one in standings]) if standings else None,
        before=_sum(line.before for line in lines),
        after=_sum(line.after for line in lines),
        change=_sum(line.change for line in lines),
        parts=parts_of(lines),
        assumptions=_assumptions(read, lines),
        volume=_volume(lines),
    )


def _standings(read: BridgeRead, lines: Iterable[Line]) -> list[Standing]:
    keys = dict.fromkeys((line.driver, line.provider, line.unit) for line in lines)
    return [read.standings[key] for key in keys if key in read.standings]


def parts_of(lines: Sequence[Line]) -> PartsAnswer:
    return PartsAnswer(**{kind.value: _sum(line.amount(kind) for line in lines) for kind in Kind})


def _assumptions(read: BridgeRead, lines: Sequence[Line]) -> tuple[AssumptionPart, ...]:
    """By input. A partner is told of those that its own drivers rest on; of others the sum alone."""
    own = {d.slug for d in read.model.drivers if read.question.provider in {None, d.provider}}
    told = [line for line in lines if line.driver in own or line.amount(Kind.ASSUMPTION, SHARE)]
    slugs = sorted(
        {
            part.subject
            for line in told
            for part in line.parts
            if part.kind is Kind.ASSUMPTION and (line.driver in own or part.subject == SHARE)
        }
    )
    parts = []
    for slug in slugs:
        found = {(line.inputs or {}).get(slug) for line in told if line.amount(Kind.ASSUMPTION, slug)}
        values = found.pop() if len(found) == 1 else None
        before, after = (reading_text(values[0]), reading_text(values[1])) if values else (None, None)
        parts.append(AssumptionPart(slug, _sum(line.amount(Kind.ASSUMPTION, slug) for line in told), before, after))
    return tuple(parts)


def _volume(lines: Sequence[Line]) -> VolumeAnswer | None:
    if len({(line.driver, line.volume) for line in lines}) != 1:
        return None
    return VolumeAnswer(
        meter=lines[0].volume,
        before=reading_text(sum((line.volume_before for line in lines), Fraction(0))),
        after=reading_text(sum((line.volume_after for line in lines), Fraction(0))),
        days_before=max(line.days_before for line in lines),
        days_after=max(line.days_after for line in lines),
    )


def _totals(read: BridgeRead) -> BridgeTotals:
    own = money_lines(read)
    money = {line.unit for line in read.lines if is_money(line.unit, line.benefit_class)}
    standings = _standings(read, own)
    return BridgeTotals(
        before=_sum(line.before for line in own),
        after=_sum(line.after for line in own),
        change=_sum(line.change for line in own),
        counted_before=_sum(one.counted_before for one in standings),
        counted_after=_sum(one.counted_after for one in standings),
        parts=parts_of(own),
        excluded=tuple(sorted(money - {read.currency})),
    )


def _sum(amounts: Iterable[Decimal]) -> str:
    return decimal_text(added(amounts))


def reading_text(value: Fraction) -> str:
    """To 9 places, without trailing zeros."""
    text = decimal_text(round_half_even(value.numerator, value.denominator, PLACES))
    return text.rstrip("0").rstrip(".") if "." in text else text
