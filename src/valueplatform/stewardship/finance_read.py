"""The read of finance: every measure of a window, its trend, segments, and revenue by contribution."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Final

import msgspec

from valueplatform.core.database import Transaction
from valueplatform.core.errors import InvalidInputError
from valueplatform.core.periods import Period, Window, next_month, window_start, years_later
from valueplatform.stewardship.finance import Figure, figure, segments_of, shared_or_nothing, totals
from valueplatform.stewardship.finance_definitions import LEAST_COHORT, Metric, parts_of
from valueplatform.stewardship.finance_ground import TRAILING_YEARS, Ground, Question, ground_of, with_values
from valueplatform.stewardship.finance_positions import (
    ZERO,
    FinanceAccount,
    MissingRate,
    Position,
    distributed,
    position,
    shared_parts,
)
from valueplatform.value.across import CountedValue, counted_by_driver, counted_by_month
from valueplatform.value.model import ValueModel

STEPS: Final = (Window.MONTH, Window.QUARTER)
TREND: Final = (Metric.VALUE_PER_DOLLAR, Metric.OWN_VALUE_PER_DOLLAR, Metric.NRR, Metric.GRR, Metric.LTV_CAC)
OF_STEP: Final = frozenset({Metric.VALUE_PER_DOLLAR, Metric.OWN_VALUE_PER_DOLLAR})
"""Measures that the trend shows of the step itself; the others are of the year that ends with it."""
BY_SEGMENT: Final = (
    Metric.VALUE_PER_DOLLAR,
    Metric.OWN_VALUE_PER_DOLLAR,
    Metric.NRR,
    Metric.GRR,
    Metric.LOGO_CHURN,
    Metric.RECURRING,
)
CUTS: Final = ("driver", "feature", "product", "provider")
JOINT: Final = " + "
"""Between names that a driver serves together: its revenue is not split further."""


class TrendPoint(msgspec.Struct, frozen=True):
    """One step, [start, end). `left_out`: accounts without a rate that one of its figures would need."""

    start: date
    end: date
    figures: Sequence[Figure]
    left_out: int


class SegmentRow(msgspec.Struct, frozen=True):
    """A segment by the costs of its own accounts: what is shared belongs to none. '' = accounts without one."""

    segment: str
    title: str
    accounts: int
    figures: Sequence[Figure]


class ContributionRow(msgspec.Struct, frozen=True):
    """Revenue that rests on one driver, feature, product or provider. `name` '' = tied to none; `attributed` false =
    paid by accounts without counted value."""

    name: str
    title: str
    revenue: Decimal
    value: Decimal
    attributed: bool


class NextDollar(msgspec.Struct, frozen=True):
    """A segment in the order of counted value by dollar that we put into it in the window. `rank` None: too few
    accounts, or nothing spent, to say."""

    rank: int | None
    segment: str
    title: str
    accounts: int
    value_per_dollar: Decimal | None


class LeftOut(msgspec.Struct, frozen=True):
    """An account that is in no total, because no rate of the currency is in force on the day; '' = shared costs."""

    account: str
    name: str
    currency: str
    day: date


class Finance(msgspec.Struct, frozen=True):
    """`classes` is counted value by benefit class (value rule 4). `segment_title` is '' for all accounts."""

    currency: str
    start: date
    end: date
    segment: str | None
    segment_title: str
    accounts: int
    figures: Sequence[Figure]
    classes: Mapping[str, Decimal]
    trend: Sequence[TrendPoint]
    segments: Sequence[SegmentRow]
    revenue: Mapping[str, Sequence[ContributionRow]]
    next_dollar: Sequence[NextDollar]
    left_out: Sequence[LeftOut]

    def figure(self, metric: Metric) -> Figure:
        return next(one for one in self.figures if one.metric is metric)


class Stand(msgspec.Struct, frozen=True):
    """The positions of a window, and the shared parts (None for a segment)."""

    ground: Ground
    positions: Sequence[Position]
    shared: Mapping[str, Decimal] | None
    missing: Sequence[MissingRate]

    @property
    def told(self) -> list[Position]:
        return [one for one in self.positions if not one.missing]

    def figure(self, metric: Metric) -> Figure:
        names = [part.name for part in parts_of(metric)]
        whole = totals(self.positions, shared_or_nothing(self.shared), self.ground.period)
        return figure(metric, whole, names)


async def stand_of(tx: Transaction, question: Question, now: datetime) -> Stand:
    """Where every account stands in the window. Raises as `ground_of` does."""
    if question.steps not in STEPS:
        raise InvalidInputError(f"`by` is {question.steps}; use MONTH or QUARTER.")
    ground = await ground_of(tx, question, now)
    values = await counted_by_driver(tx, ground.period, ground.rates)
    accounts = with_values(ground.accounts, values)
    # Exact arithmetic over many accounts takes its time; whoever else the process serves goes on meanwhile.
    return await asyncio.to_thread(_stand, ground, accounts, with_shared=question.segment is None)


def _stand(ground: Ground, accounts: Sequence[FinanceAccount], *, with_shared: bool) -> Stand:
    positions = [position(one, ground.period, ground.rates) for one in accounts]
    if not with_shared:
        return Stand(ground, positions, None, ())
    shared, missing = shared_parts(ground.shared, ground.period, ground.rates)
    return Stand(ground, positions, shared, missing)


async def read_finance(tx: Transaction, question: Question, now: datetime) -> Finance:
    """Every measure of the window. Raises as `stand_of` does."""
    stand = await stand_of(tx, question, now)
    ground, period = stand.ground, stand.ground.period
    titles = {one.slug: one.label for one in ground.model.segments}
    rows = [] if question.segment is not None else _segments(stand, titles)
    return Finance(
        currency=ground.currency,
        start=period.start,
        end=period.end,
        segment=question.segment,
        segment_title=segment_title(question.segment, titles),
        accounts=len(stand.positions),
        figures=[stand.figure(metric) for metric in Metric],
        classes=_classes(stand.told),
        trend=await _trend(tx, stand, question),
        segments=rows,
        revenue=contributions(stand.told, ground.model),
        next_dollar=next_dollar(rows),
        left_out=left_out(stand),
    )


def left_out(stand: Stand) -> list[LeftOut]:
    """Every account and shared cost that lacks a rate, with the first day that does."""
    found = [
        LeftOut(one.account.key, one.account.name, missing.currency, missing.day)
        for one in stand.positions
        for missing in _first_each(one.missing)
    ]
    return [*found, *(LeftOut("", "Shared costs", one.currency, one.day) for one in _first_each(stand.missing))]


def _first_each(missing: Sequence[MissingRate]) -> list[MissingRate]:
    return list({one.currency: one for one in reversed(missing)}.values())[::-1]


def _classes(positions: Iterable[Position]) -> dict[str, Decimal]:
    sums: defaultdict[str, Decimal] = defaultdict(lambda: ZERO)
    for one in positions:
        for each in one.contributions:
            sums[each.benefit_class] += each.value
    return dict(sorted(sums.items()))


def _segments(stand: Stand, titles: Mapping[str, str]) -> list[SegmentRow]:
    found = []
    for segment, positions in segments_of(stand.positions).items():
        own = Stand(stand.ground, positions, None, ())
        found.append(
            SegmentRow(
                segment, segment_title(segment, titles), len(positions), [own.figure(metric) for metric in BY_SEGMENT]
            )
        )
    return found


def segment_title(segment: str | None, titles: Mapping[str, str]) -> str:
    return "" if segment is None else titles.get(segment, segment) or "No segment"


def next_dollar(rows: Iterable[SegmentRow]) -> list[NextDollar]:
    """By what a dollar of ours delivered in the window, the most first; no promise of what the next one will."""
    told: list[tuple[SegmentRow, Decimal | None]] = []
    untold: list[tuple[SegmentRow, Decimal | None]] = []
    for row in rows:
        value = next(one.value for one in row.figures if one.metric is Metric.OWN_VALUE_PER_DOLLAR)
        few = row.accounts < LEAST_COHORT
        (untold if few or value is None else told).append((row, value))
    ranked = sorted(told, key=lambda pair: (-(pair[1] or 0), pair[0].segment))
    numbered = [(number, *pair) for number, pair in enumerate(ranked, 1)] + [(None, *pair) for pair in untold]
    return [NextDollar(rank, row.segment, row.title, row.accounts, value) for rank, row, value in numbered]


def allocation(one: Position) -> dict[str, Decimal]:
    """What an account paid us by its drivers and providers; empty where nothing is counted."""
    weights: defaultdict[str, Decimal] = defaultdict(lambda: ZERO)
    for each in one.contributions:
        weights[source_key(each.driver, each.provider)] += each.value
    return distributed(one.parts["revenue"], weights)


def source_key(driver: str, provider: str) -> str:
    return f"{driver}\n{provider}"


def contributions(positions: Iterable[Position], model: ValueModel) -> dict[str, list[ContributionRow]]:
    """Revenue by each cut, the most first; the sums of all cuts are one."""
    revenue: defaultdict[str, Decimal] = defaultdict(lambda: ZERO)
    value: defaultdict[str, Decimal] = defaultdict(lambda: ZERO)
    unattributed = ZERO
    for one in positions:
        given = allocation(one)
        if not given:
            unattributed += one.parts["revenue"]
        for key, amount in given.items():
            revenue[key] += amount
        for each in one.contributions:
            value[source_key(each.driver, each.provider)] += each.value
    return {cut: _rows(_named(cut, model), revenue, value, unattributed) for cut in CUTS}


_Name = Callable[[str], tuple[str, str]]
"""From a driver and provider to the name and the title that a cut gives it."""


def _rows(
    name: _Name, revenue: Mapping[str, Decimal], value: Mapping[str, Decimal], unattributed: Decimal
) -> list[ContributionRow]:
    sums: defaultdict[tuple[str, str], tuple[Decimal, Decimal]] = defaultdict(lambda: (ZERO, ZERO))
    for key in {*revenue, *value}:
        paid, worth = sums[name(key)]
        sums[name(key)] = paid + revenue.get(key, ZERO), worth + value.get(key, ZERO)
    ordered = sorted(sums.items(), key=lambda item: (-item[1][0], -item[1][1], item[0]))
    found = [ContributionRow(slug, title, paid, worth, True) for (slug, title), (paid, worth) in ordered]
    if unattributed:
        found.append(ContributionRow("", "Not attributed: no counted value", unattributed, ZERO, False))
    return found


def _named(cut: str, model: ValueModel) -> _Name:
    drivers = {one.slug: one for one in model.drivers}
    features = {one.slug: one for one in model.features}
    products = {one.slug: one.label for one in model.products}

    def name(key: str) -> tuple[str, str]:
        slug, provider = key.split("\n")
        driver = drivers.get(slug)
        if cut == "provider":
            return provider, provider
        if cut == "driver":
            return slug, driver.label if driver else slug
        served = [features[each] for each in (driver.features if driver else ()) if each in features]
        if cut == "feature":
            pairs = {one.slug: one.label for one in served}
        else:
            pairs = {one.product: products.get(one.product, one.product) for one in served if one.product}
        return JOINT.join(pairs), JOINT.join(pairs.values()) or f"No {cut}"

    return name


async def _trend(tx: Transaction, stand: Stand, question: Question) -> list[TrendPoint]:
    steps = steps_of(stand.ground.period, question.steps)
    values = await counted_by_month(tx, stand.ground.period, stand.ground.rates)
    return await asyncio.to_thread(lambda: [_point(stand, step, values) for step in steps])


def _point(stand: Stand, step: Period, values: Iterable[CountedValue]) -> TrendPoint:
    inside = [one for one in values if one.month is not None and one.month in step]
    year = Period(years_later(step.end, -TRAILING_YEARS), step.end)
    of_step = _window(stand, with_values(stand.ground.accounts, inside), step)
    of_year = _window(stand, stand.ground.accounts, year)
    figures = [(of_step if metric in OF_STEP else of_year).figure(metric) for metric in TREND]
    gone = {one.account.account_id for each in (of_step, of_year) for one in each.positions if one.missing}
    return TrendPoint(step.start, step.end, figures, len(gone))


def _window(stand: Stand, accounts: Sequence[FinanceAccount], period: Period) -> Stand:
    """Where these accounts stand in another window."""
    ground = msgspec.structs.replace(stand.ground, period=period)
    return _stand(ground, accounts, with_shared=stand.shared is not None)


def steps_of(period: Period, window: Window) -> list[Period]:
    """The whole steps of the period; those that it cuts are not among them."""
    months = 3 if window is Window.QUARTER else 1
    found = []
    start = window_start(period.start, window)
    while start < period.end:
        end = start
        for _ in range(months):
            end = next_month(end)
        if period.start <= start and end <= period.end:
            found.append(Period(start, end))
        start = end
    return found
