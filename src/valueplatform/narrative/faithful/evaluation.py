"""Derivations evaluated over a `Record` with fractions alone."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date
from fractions import Fraction
from math import isqrt
from statistics import median

from valueplatform.core.periods import next_month, years_later
from valueplatform.narrative.faithful.forecasting import forecast_anew
from valueplatform.narrative.faithful.record import Price, Record, Stretch
from valueplatform.value.derivation import (
    Adjusted,
    Benchmark,
    Bound,
    Closed,
    Committed,
    Constant,
    Days,
    Derivation,
    Difference,
    Effort,
    Forecast,
    Graded,
    Input,
    Metered,
    Paid,
    Part,
    Ratio,
    Realized,
    Sent,
    Statistic,
    Tally,
    Total,
)

PLACES = 4


class NotDerivableError(ArithmeticError):
    """The record does not hold what the derivation asks for."""


def evaluate(node: Derivation, record: Record) -> Fraction:
    """The number that the record gives. Raises NotDerivableError."""
    match node:
        case Difference():
            return evaluate(node.minuend, record) - evaluate(node.subtrahend, record)
        case Total():
            return sum((evaluate(part, record) for part in node.parts), Fraction(0))
        case Ratio():
            return _ratio(node, record)
        case Tally():
            return _tally(node, record)
        case Statistic():
            return _statistic(node, record)
    if node not in record.evaluated:
        found = _forecast(node, record) if isinstance(node, Forecast) else _leaf(node, record)
        record.evaluated[node] = found
    return record.evaluated[node]


def _leaf(node: Derivation, record: Record) -> Fraction:
    match node:
        case Realized():
            return _realized(node, record)
        case Committed():
            return _committed(node, record)
        case Paid() | Effort():
            return _put_in(node, record)
        case Metered():
            found = (m for m in record.metered if m.meter == node.meter and _inside(m.start, m.end, node))
            return sum((Fraction(metering.value) for metering in found), Fraction(0))
        case Sent():
            days = (events for day, events in record.sent.get(node.source, ()) if node.start <= day < node.end)
            return Fraction(sum(days))
        case Input():
            return _input(node, record)
        case Adjusted() | Closed():
            return _posted(node, record)
    return _given(node, record)


def _given(node: Derivation, record: Record) -> Fraction:
    """What is read as it stands, or follows from the node alone."""
    match node:
        case Constant():
            return Fraction(node.value)
        case Days():
            return Fraction(node.end.toordinal() - node.start.toordinal())
        case Benchmark() if node in record.compared:
            return record.compared[node]
        case Graded() if node in record.graded:
            return record.graded[node]
        case Part() if node in record.parts:
            return record.parts[node]
    raise NotDerivableError(f"There is no rule for {type(node).__name__}.")


def _inside(start: date, end: date, node: Realized | Metered) -> bool:
    """Whether a stretch lies in the node's period. Raises NotDerivableError where it crosses its edge."""
    if end <= node.start or node.end <= start:
        return False
    if start < node.start or node.end < end:
        raise NotDerivableError(f"The record was read from {start} to {end}, not by {node.start} and {node.end}.")
    return True


def _realized(node: Realized, record: Record) -> Fraction:
    return sum((Fraction(value.bound(node.bound)) for value in values_beneath(node, record)), Fraction(0))


def values_beneath(node: Realized, record: Record) -> Iterator[Stretch]:
    """The values that a realized amount sums."""
    for driver in node.drivers or record.values_of:
        for value in record.values_of.get(driver, ()):
            chosen = (node.drivers or not value.strategic) and value.unit == node.unit
            of_provider = not node.providers or value.provider in node.providers
            counts = value.counted or not node.counted
            if chosen and of_provider and counts and _inside(value.start, value.end, node):
                yield value


def _committed(node: Committed, record: Record) -> Fraction:
    total = Fraction(0)
    for (driver, bound), months in record.months_planned.items():
        if bound is node.bound and (not node.drivers or driver in node.drivers):
            for first, after, amount in months:
                if after <= node.start or node.end <= first:
                    continue
                total += _spread(amount, first, after, node.start, node.end)
    return total


def _spread(amount: Fraction, first: date, after: date, start: date, end: date) -> Fraction:
    """What falls on [start, end) of an amount spread evenly over [first, after): running totals, each rounded once."""
    if start <= first and after <= end:
        return amount if 10**PLACES % amount.denominator == 0 else round(amount, PLACES)
    whole = (after - first).days
    before_end = min(max((end - first).days, 0), whole)
    before_start = min(max((start - first).days, 0), whole)
    return round(amount * before_end / whole, PLACES) - round(amount * before_start / whole, PLACES)


def _paid(price: Price, start: date, end: date) -> Fraction:
    """By the day: a month's price over the calendar month, a year's over the contract year. Two running
    totals from the contract's start, each rounded once, and what lies between them."""
    first, last = max(start, price.start), end if price.end is None else min(end, price.end)
    if first >= last:
        return Fraction(0)
    periods = _months_elapsed if price.period == "month" else _years_elapsed
    amount = Fraction(price.amount)
    return round(amount * periods(price.start, last), PLACES) - round(amount * periods(price.start, first), PLACES)


def _put_in(node: Paid | Effort, record: Record) -> Fraction:
    """Of effort what lies between two places on the line of months; each kind is rounded once."""
    if isinstance(node, Paid):
        own = (price for price in record.prices if price.currency == record.currency)
        return sum((_paid(price, node.start, node.end) for price in own), Fraction(0))
    spent: defaultdict[str, Fraction] = defaultdict(Fraction)
    for one in record.efforts:
        first, last = max(node.start, one.month), min(node.end, next_month(one.month))
        if one.currency == record.currency and first < last:
            spent[one.kind] += Fraction(one.amount) * (_month_place(last) - _month_place(first))
    return sum((round(amount, PLACES) for amount in spent.values()), Fraction(0))


def _months_elapsed(start: date, day: date) -> Fraction:
    return _month_place(day) - _month_place(start)


def _month_place(day: date) -> Fraction:
    """Where a day stands on the line of months."""
    first = day.replace(day=1)
    return Fraction(day.year * 12 + day.month) + Fraction(day.day - 1, (next_month(first) - first).days)


def _years_elapsed(start: date, day: date) -> Fraction:
    whole = day.year - start.year - (years_later(start, day.year - start.year) > day)
    since, until = years_later(start, whole), years_later(start, whole + 1)
    return whole + Fraction((day - since).days, (until - since).days)


def _input(node: Input, record: Record) -> Fraction:
    held = record.inputs.get((node.slug, node.day))
    if held is None:
        raise NotDerivableError(f"{node.slug} had no value on {node.day}.")
    return {Bound.LOW: held.low, Bound.EXPECTED: held.expected, Bound.HIGH: held.high}[node.bound]


def _posted(node: Adjusted | Closed, record: Record) -> Fraction:
    total = Fraction(0)
    for posted in record.posted:
        if node.drivers and posted.driver not in node.drivers:
            continue
        if isinstance(node, Closed):
            wanted = posted.kind == "close" and posted.month == node.month
        else:
            of_month = node.month is None or posted.month == node.month
            wanted = posted.kind == "adjustment" and of_month and node.start <= posted.shown_day < node.end
        total += Fraction(posted.expected) if wanted else 0
    return total


def _ratio(node: Ratio, record: Record) -> Fraction:
    below = evaluate(node.denominator, record)
    if not below:
        raise NotDerivableError("A ratio has nothing to divide by.")
    return round(evaluate(node.numerator, record) / below, node.places)


def _tally(node: Tally, record: Record) -> Fraction:
    limit = evaluate(node.threshold, record) if node.threshold is not None else Fraction(0)
    values = [evaluate(item, record) for item in node.items]
    match node.comparison:
        case "above":
            return Fraction(sum(value > limit for value in values))
        case "below":
            return Fraction(sum(value < limit for value in values))
        case "nonzero":
            return Fraction(sum(value != 0 for value in values))
    raise NotDerivableError(f"Nothing is known of the comparison {node.comparison!r}.")


def _forecast(node: Forecast, record: Record) -> Fraction:
    try:
        ahead = forecast_anew([evaluate(week, record) for week in node.weeks], node.ahead, node.bound)
    except ValueError as error:
        raise NotDerivableError(str(error)) from error
    return round(ahead, node.places)


def _statistic(node: Statistic, record: Record) -> Fraction:
    values = [evaluate(value, record) for value in node.values]
    if node.method == "theil-sen-slope" and len(values) > 1:
        return round(_median_slope(values), node.places)
    if node.method == "median" and values:
        return round(Fraction(median(values)), node.places)
    if node.method == "mean" and values:
        return round(sum(values, Fraction(0)) / len(values), node.places)
    if node.method == "variation" and len(values) > 1 and sum(values, Fraction(0)):
        return _variation(values, node.places)
    if node.method == "same-direction" and len(values) > 3 and len(values) % 2 == 0:
        return Fraction(_same_direction(values[: len(values) // 2], values[len(values) // 2 :]))
    raise NotDerivableError(f"Nothing is known of the statistic {node.method!r} of {len(values)} values.")


def _variation(values: list[Fraction], places: int) -> Fraction:
    """The standard deviation of a sample over its mean, to twenty places by whole numbers before it is rounded."""
    mean = sum(values, Fraction(0)) / len(values)
    squared = sum(((value - mean) ** 2 for value in values), Fraction(0)) / (len(values) - 1) / mean**2
    return round(Fraction(isqrt(squared.numerator * 10**40 // squared.denominator), 10**20), places)


def _same_direction(first: list[Fraction], second: list[Fraction]) -> int:
    """Steps in which both went up, or both went down."""
    steps = range(1, len(first))
    up = sum(first[i] > first[i - 1] and second[i] > second[i - 1] for i in steps)
    return up + sum(first[i] < first[i - 1] and second[i] < second[i - 1] for i in steps)


def _median_slope(values: Iterable[Fraction]) -> Fraction:
    """Sen (1968): the median of the slopes of all pairs."""
    points = list(enumerate(values))
    slopes = sorted((b - a) / (j - i) for place, (i, a) in enumerate(points) for j, b in points[place + 1 :])
    middle = len(slopes) // 2
    return slopes[middle] if len(slopes) % 2 else (slopes[middle - 1] + slopes[middle]) / 2
