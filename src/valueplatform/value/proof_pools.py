"""Caps of benefit pools for the independent path, with fractions; `value.pools` says what they mean.

Here a month is gone through amount by amount, and what is left of the cap is handed out one after the other.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from fractions import Fraction
from itertools import groupby
from math import floor

LAST = 10_000
"""Amounts end with their fourth place."""

Amount = tuple[date, Fraction, Fraction, Fraction]
"""Day, low, expected, high."""


def whole_months(start: date, end: date) -> tuple[date, date]:
    """The months of [start, end), from their first day to the first day of the next."""
    if end <= start:
        return start, end
    last = end - timedelta(days=1)
    following = (
        (last.replace(day=28) + timedelta(days=4)).replace(day=1) if (last.year, last.month) < (9999, 12) else end
    )
    return start.replace(day=1), following


def keep_to_caps(amounts: Sequence[Amount], caps: Mapping[date, Fraction]) -> list[tuple[Fraction, Fraction, Fraction]]:
    """Low, expected and high that count, of one pool in one month.

    `amounts` stand in the order in which they share, `caps` are by day.
    """
    expected: list[Fraction] = []
    for day, group in groupby(amounts, key=lambda amount: amount[0]):
        wanted = [amount[2] for amount in group]
        left = max(caps[day] - sum(expected), Fraction(0))
        gains = sum(value for value in wanted if value > 0)
        granted = min(gains, left + gains - sum(wanted))  # what takes away makes room for as much
        handed = hand_out([max(value, Fraction(0)) for value in wanted], granted)
        expected += [own if value > 0 else value for value, own in zip(wanted, handed, strict=True)]
    spread = [
        amount[3] - amount[2] if own == amount[2] else Fraction(0)
        for amount, own in zip(amounts, expected, strict=True)
    ]
    above = max(caps[amounts[-1][0]] - sum(expected), Fraction(0)) if amounts else Fraction(0)
    extra = hand_out(spread, min(sum(spread), above))
    return [(min(amount[1], own), own, own + more) for amount, own, more in zip(amounts, expected, extra, strict=True)]


def hand_out(wanted: Iterable[Fraction], granted: Fraction | int) -> list[Fraction]:
    """`granted` over what is wanted, in proportion; each running total is cut off after the fourth place."""
    wishes = list(wanted)
    whole = sum(wishes)
    if granted >= whole:
        return wishes
    totals = [Fraction(floor(granted * LAST * part / whole), LAST) for part in _running(wishes)]
    return [after - before for before, after in zip([Fraction(0), *totals], totals, strict=False)]


def _running(values: Iterable[Fraction]) -> Iterator[Fraction]:
    total = Fraction(0)
    for value in values:
        total += value
        yield total
