"""Benefit pools with a cap: what their drivers come to in a month never exceeds it (value rule 5).

Drivers that draw on the same benefit, say the hours of the dispatchers, cannot save more of it than there is. A
month's amounts count as they come, until the cap is used up; on the day on which that happens, the drivers share what
is left in proportion. No expected amount moves because of a later day. An amount that takes away gives room back.

Amounts are integers, in units of the last place. All of it is exact: shares are rounded down cumulatively, so that
they add up to what is shared.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple


class Draw(NamedTuple):
    """What one driver would take on one day; low <= expected <= high."""

    low: int
    expected: int
    high: int


class PoolDay(NamedTuple):
    """A day of a month: the month's cap as it stands on that day, and what is drawn, in a fixed order."""

    cap: int
    draws: Sequence[Draw]


def within_cap(days: Sequence[PoolDay]) -> list[list[Draw]]:
    """What of each draw counts; `days` are those of one month that have any, in order.

    The expected amounts up to a day never exceed its cap, unless the cap has fallen since: then nothing more is taken.
    What lies between expected and high is scaled down until the month's high keeps to its last cap as well. A low is
    never above what counts as expected. Order of each draw's three amounts is kept.
    """
    counted = _expected(days)
    extras = [
        [draw.high - draw.expected if own == draw.expected else 0 for draw, own in zip(day.draws, each, strict=True)]
        for day, each in zip(days, counted, strict=True)
    ]
    room = max(days[-1].cap - sum(map(sum, counted)), 0) if days else 0
    granted = iter(_shared([extra for each in extras for extra in each], room))
    return [
        [Draw(min(draw.low, own), own, own + next(granted)) for draw, own in zip(day.draws, each, strict=True)]
        for day, each in zip(days, counted, strict=True)
    ]


def all_fit(draws: Iterable[tuple[Draw, int]], cap: int) -> bool:
    """Whether a month leaves every draw as it is, whatever the order of days: all that is taken keeps to the cap before
    anything gives room back, and so do the highs. Each draw comes with how often it is drawn; the cap is the least."""
    taken = high = 0
    for draw, times in draws:
        taken += times * max(draw.expected, 0)
        high += times * draw.high
    return max(taken, high) <= cap


def _expected(days: Sequence[PoolDay]) -> list[list[int]]:
    used = 0
    counted = []
    for day in days:
        amounts = [draw.expected for draw in day.draws]
        positive = [max(amount, 0) for amount in amounts]
        excess = max(sum(amounts) - max(day.cap - used, 0), 0)
        shares = _shared(positive, max(sum(positive) - excess, 0))
        counted.append([share or min(amount, 0) for share, amount in zip(shares, amounts, strict=True)])
        used += sum(counted[-1])
    return counted


def _shared(amounts: Sequence[int], room: int) -> list[int]:
    """The amounts, none of them negative, where they fit into `room`; else `room` in proportion to them."""
    whole = sum(amounts)
    if whole <= room:
        return list(amounts)
    shares, before, given = [], 0, 0
    for amount in amounts:
        before += amount
        upto = room * before // whole
        shares.append(upto - given)
        given = upto
    return shares
