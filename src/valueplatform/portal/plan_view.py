"""The page of scenarios, as pure values: levers from what an account uses, an outlook as a chart, words and a table."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Final

from babel.dates import format_date

from valueplatform.core.errors import InvalidInputError
from valueplatform.core.numbers import FRACTION_DIGITS, exact_decimal, round_half_even
from valueplatform.core.periods import ONE_DAY, next_month
from valueplatform.portal.chart import SCALES, currency_prefix
from valueplatform.portal.exact import LOCALE, bare_text, cents_text, day_text, exact_text, short_text, unit_words
from valueplatform.portal.switch_view import SWITCH, switched_words, switches_of
from valueplatform.portal.view import plan as view
from valueplatform.portal.view.drawings import ChartView, Column, TableView
from valueplatform.portal.view.words import NumberView, Span
from valueplatform.value.accruals import input_names
from valueplatform.value.assumptions import holding
from valueplatform.value.formula import Formula
from valueplatform.value.levers import Adoption, Change, Input, Lever, Seats, SwitchOn, moved_drivers, moved_meters
from valueplatform.value.ranges import Range
from valueplatform.value.scenario import Bounds, DriverEffect, Ground, Month, Outlook
from valueplatform.value.scenario_check import MOST_MONTHS

SEATS: Final = "seats"
FEATURE: Final = "f."
INPUT: Final = "a."
LEAST, MOST = 0, 200
MOST_FEATURES: Final = 4
MOST_INPUTS: Final = 6
MONTHS: Final = 12
HOW: Final = "#how"
"""Where the page itself says how its numbers come about."""


@dataclass(frozen=True, slots=True)
class Stand:
    """How the levers stand: percent of today by lever, other values of inputs as typed, and the time."""

    percents: Mapping[str, int]
    values: Mapping[str, str]
    start: date
    months: int
    over: int


def stand_of(query: Mapping[str, str], today: date) -> Stand:
    """What the address says; what cannot be read stands as it does today, but inputs, which the page then names."""
    return Stand(
        percents={
            name: _percent(value, name)
            for name, value in query.items()
            if name == SEATS or name.startswith((FEATURE, SWITCH))
        },
        values={name.removeprefix(INPUT): value for name, value in query.items() if name.startswith(INPUT)},
        start=_month(query.get("since", ""), next_month(today)),
        months=_whole(query.get("months", ""), MONTHS, 1, MOST_MONTHS),
        over=_whole(query.get("over", ""), 1, 1, MOST_MONTHS),
    )


def _percent(text: str, name: str) -> int:
    return _whole(text, _today(name), LEAST, MOST)


def _today(name: str) -> int:
    """Where a lever stands today: a feature that is not in use yet at nothing."""
    return 0 if name.startswith(SWITCH) else 100


def _whole(text: str, fallback: int, least: int, most: int) -> int:
    return min(max(int(text), least), most) if text.isascii() and text.isdigit() and len(text) < 6 else fallback


def _month(text: str, fallback: date) -> date:
    try:
        return max(date.fromisoformat(f"{text}-01"), fallback)
    except ValueError:
        return fallback


def changes_of(ground: Ground, stand: Stand) -> list[Change]:
    """The levers that do not stand as today. Raises InvalidInputError naming an input that cannot be read."""
    levers: list[Lever] = []
    for name, percent in stand.percents.items():
        if percent != _today(name):
            levers.append(_lever(name, Decimal(percent) / 100))
    for slug, typed in stand.values.items():
        held = current(ground, slug)
        rate = ground.record.model.rate(slug)
        if rate is None or not typed.strip():
            continue
        try:
            value = exact_decimal(typed.strip())
        except InvalidInputError as error:
            raise InvalidInputError(f"{rate.label}: {error.message}") from error
        if held is None or value != held.value.expected:
            levers.append(Input(slug, _around(value, held)))
    return [Change(lever, stand.start, 1 if isinstance(lever, Input) else stand.over) for lever in levers]


def _lever(name: str, times: Decimal) -> Lever:
    if name == SEATS:
        return Seats(times)
    if name.startswith(SWITCH):
        return SwitchOn(name.removeprefix(SWITCH), times)
    return Adoption(name.removeprefix(FEATURE), times)


def _around(value: Decimal, held: "Current | None") -> Range:
    """Known as well as what holds today is: its bounds lie as far away, as shares of it."""
    if held is None or not held.value.expected:
        return Range.point(value)
    factor = Fraction(value) / Fraction(held.value.expected)
    low, high = sorted(
        round_half_even(bound.numerator, bound.denominator, FRACTION_DIGITS)
        for bound in (factor * Fraction(held.value.low), factor * Fraction(held.value.high))
    )
    return Range(min(low, value), value, max(high, value))


@dataclass(frozen=True, slots=True)
class Current:
    """What holds of an input today."""

    value: Range
    unit: str


def current(ground: Ground, slug: str) -> Current | None:
    record = ground.record
    held = holding(record.entries.get(slug, ()), record.defaults().get(slug), ground.today)
    return None if held is None else Current(held.value, held.unit)


def levers_of(ground: Ground, stand: Stand, added: Mapping[Lever, Decimal], currency: str) -> Iterator[view.Lever]:
    """Everything at once, the features in use that most drivers rest on, those not in use that could be, and the inputs
    that most drivers read."""
    adds = {_name(lever): _number(amount, currency, "alone") for lever, amount in added.items()}
    yield _range(SEATS, "People and sites at work", stand, adds)
    for slug in _features(ground):
        feature = ground.record.model.feature(slug)
        yield _range(f"{FEATURE}{slug}", feature.label if feature else slug, stand, adds)
    yield from switches_of(ground, stand.percents, adds)
    for slug in _inputs(ground):
        rate, held = ground.record.model.rate(slug), current(ground, slug)
        if rate is not None and held is not None:
            now = held.value.expected
            yield view.Lever(
                name=f"{INPUT}{slug}",
                label=rate.label,
                kind="number",
                value=stand.values.get(slug) or bare_text(now),
                shown=unit_words(held.unit),
                now=f"Now {exact_text(now, held.unit)}",
                adds=adds.get(f"{INPUT}{slug}"),
            )


def _range(name: str, label: str, stand: Stand, adds: Mapping[str, NumberView]) -> view.Lever:
    percent = stand.percents.get(name, 100)
    return view.Lever(name, label, "range", str(percent), f"{percent}%", "Now 100%", LEAST, MOST, adds.get(name))


def _name(lever: Lever) -> str:
    match lever:
        case Adoption(feature=feature):
            return f"{FEATURE}{feature}"
        case SwitchOn(feature=feature):
            return f"{SWITCH}{feature}"
        case Input(slug=slug):
            return f"{INPUT}{slug}"
        case _:
            return SEATS


def _features(ground: Ground) -> list[str]:
    model, used = ground.record.model, {day.meter for day in ground.days}
    weights = {}
    for feature in model.features:
        lever = Adoption(feature.slug, Decimal(0))
        if moved_meters(model, lever) & used:
            weights[feature.slug] = len(moved_drivers(model, [Change(lever, ground.today)]))
    own = sorted((slug for slug, count in weights.items() if count), key=lambda slug: (-weights[slug], slug))
    return own[:MOST_FEATURES]


def _inputs(ground: Ground) -> list[str]:
    model, used = ground.record.model, {day.meter for day in ground.days}
    counts: dict[str, int] = {}
    for driver in model.drivers:
        names = input_names(model, driver)
        if driver.monetized and Formula.parse(driver.formula).names & used:
            for name in names:
                counts[name] = counts.get(name, 0) + 1
    return sorted(counts, key=lambda slug: (-counts[slug], slug))[:MOST_INPUTS]


def result_of(ground: Ground, outlook: Outlook, changes: Sequence[Change]) -> view.Result:
    until = format_date(outlook.months[-1].month, "MMMM y", locale=LOCALE)
    added, currency = outlook.total.added, outlook.currency
    stretch = outlook.based_on
    based_on = f"Usage from {day_text(stretch.start)} to {day_text(stretch.end - ONE_DAY)}, carried on by weekday."
    if not changes:
        about = _span(outlook.total.carried_on.expected, currency, "carried on")
        return view.Result(
            headline=(Span("Carried on as today, this is worth about "), about, Span(f" by the end of {until}.")),
            lead=(Span("Move a lever to see what it adds."),),
            drivers=_drivers(ground, outlook),
            formulas=_formulas(ground, outlook),
            based_on=based_on,
        )
    verb = "adds" if added.expected >= 0 else "takes away"
    headline = (
        Span(f"This {verb} about "),
        _span(abs(added.expected), currency, "added"),
        Span(f" by the end of {until}."),
    )
    lead = (Span("Likely between "), *_likely(added, currency), Span("."))
    return view.Result(
        headline=headline,
        lead=lead,
        chart=_chart(outlook, until),
        drivers=_drivers(ground, outlook),
        formulas=_formulas(ground, outlook),
        based_on=based_on,
        switched=switched_words(ground, outlook),
    )


def _likely(added: Bounds, currency: str) -> Iterator[Span]:
    """What is taken away is told as an amount, like what is added, unless it may be either."""
    one_sided = added.low >= 0 or added.high <= 0
    low, high = sorted(map(abs, (added.low, added.high))) if one_sided else (added.low, added.high)
    yield _span(low, currency, "low")
    yield Span(" and ")
    yield _span(high, currency, "high")


def _span(amount: Decimal, currency: str, name: str) -> Span:
    number = _number(amount, currency, name)
    return Span(number.text, number)


def _number(amount: Decimal, unit: str, name: str) -> NumberView:
    return NumberView(name, short_text(amount, unit), format(amount, "f"), unit, "predicted", HOW)


def _chart(outlook: Outlook, until: str) -> ChartView:
    drawn = [abs(bound) for month in outlook.running for bound in month.added]
    size, suffix = next(((size, suffix) for size, suffix in SCALES if max(drawn) >= size), (Decimal(1), ""))
    begin = Month(outlook.period.start, *(Bounds(Decimal(0), Decimal(0), Decimal(0)),) * 3)
    points = [(outlook.period.start, begin), *((next_month(one.month), one) for one in outlook.running)]
    rows = [
        {
            "end": end.isoformat(),
            "low": float(month.added.low / size),
            "added": float(month.added.expected / size),
            "high": float(month.added.high / size),
            "last": month is outlook.running[-1],
            "month": day_text(end - ONE_DAY),
            "added_text": short_text(month.added.expected, outlook.currency),
            "range_text": _between(month.added, outlook.currency),
        }
        for end, month in points
    ]
    total = outlook.total.added
    return ChartView(
        id="fig-scenario",
        name="scenario",
        description=f"Added by the end of {until}: {short_text(total.expected, outlook.currency)}, "
        f"{_between(total, outlook.currency)}.",
        datasets={"rows": rows},
        params={"prefix": currency_prefix(outlook.currency), "suffix": suffix},
        keys=(("predicted", "This scenario, with its bounds"),),
        tables=(_months(outlook),),
        subtitle="Added to what you would get anyway, cumulative",
    )


def _between(bounds: Bounds, unit: str) -> str:
    return f"{short_text(bounds.low, unit)} to {short_text(bounds.high, unit)}"


_AMOUNTS: Final = (
    Column("As today", numeric=True),
    Column("Changed", numeric=True),
    Column("Added", numeric=True),
    Column("Likely between", numeric=True),
)


def _cells(row: Month | DriverEffect, unit: str) -> Iterator[Span]:
    for bounds in (row.carried_on, row.changed, row.added):
        yield Span(cents_text(bounds.expected, unit))
    yield Span(_between(row.added, unit))


def _months(outlook: Outlook) -> TableView:
    rows = tuple(
        (Span(str(format_date(month.month, "MMM y", locale=LOCALE))), *_cells(month, outlook.currency))
        for month in outlook.months
    )
    return TableView("By month", (Column("Month"), *_AMOUNTS), rows)


def _drivers(ground: Ground, outlook: Outlook) -> TableView:
    labels = {driver.slug: driver.label for driver in ground.record.model.drivers}
    rows = tuple((Span(labels.get(each.driver, each.driver)), *_cells(each, each.unit)) for each in outlook.drivers)
    return TableView("By driver", (Column("Driver"), *_AMOUNTS), rows)


def _formulas(ground: Ground, outlook: Outlook) -> tuple[tuple[str, str], ...]:
    shown = {each.driver for each in outlook.drivers}
    return tuple((driver.label, driver.formula) for driver in ground.record.model.drivers if driver.slug in shown)


def compared_of(outlooks: Sequence[tuple[str, Outlook]]) -> TableView:
    columns = (
        Column("Scenario"),
        Column("Until"),
        Column("Added", numeric=True),
        Column("Likely between", numeric=True),
    )
    rows = tuple(
        (
            Span(name),
            Span(day_text(outlook.period.end - ONE_DAY)),
            Span(cents_text(outlook.total.added.expected, outlook.currency)),
            Span(_between(outlook.total.added, outlook.currency)),
        )
        for name, outlook in outlooks
    )
    return TableView("Compared", columns, rows)


def query_of(changes: Sequence[Change], start: date, months: int) -> dict[str, str]:
    """The address under which the levers stand as the changes say; usage of a single meter has no lever."""
    query = {"since": f"{start:%Y-%m}", "months": str(months)}
    for change in changes:
        lever = change.lever
        if isinstance(lever, Input):
            query[f"{INPUT}{lever.slug}"] = bare_text(lever.value.expected)
        elif isinstance(lever, Seats | Adoption | SwitchOn):
            query[_name(lever)] = str(round(lever.times * 100))
            query["over"] = str(change.over)
    return query
