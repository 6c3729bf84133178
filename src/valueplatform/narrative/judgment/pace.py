"""What the weeks ahead will bring, by the one written definition of `derivation.Forecast`, in decimals of fifty
digits.

`judgment.forecast` combines ten ways and is more exact; this one can be worked out again by code that shares nothing
with it, so its figures may be told. Damped trend was chosen among simple ways by figures (`python -m
benchmarks.forecast`): on the weekly series of the M4 competition it beats the usual damped trend, fitted to the whole
series.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Context, Decimal, localcontext
from fractions import Fraction
from typing import Final

from valueplatform.value.derivation import DAMPED_TRENDS

LEAST_WEEKS: Final = 36
MOST_WEEKS: Final = 104
"""Weeks further back are not read: what holds no longer must not weigh."""
PAST_FOR_AHEAD: Final = 3
"""So many times as many weeks are known as are forecast."""
_BURN: Final = 8
_LEVEL: Final = Decimal("0.95")
"""Above nine in ten: sums overlap, and their errors say less than as many that do not."""
_EXACT: Final = Context(prec=50)
_ZERO: Final = Decimal(0)


@dataclass(frozen=True, slots=True)
class Pace:
    """The sum of the weeks ahead, and the interval that nine of ten such sums fall into."""

    low: Decimal
    expected: Decimal
    high: Decimal


@dataclass(frozen=True, slots=True)
class _Smoothed:
    """Level and trend after each week, by one choice of steps and damping; `error` is the sum of squares."""

    levels: Sequence[Decimal]
    trends: Sequence[Decimal]
    damping: Decimal
    error: Decimal


def may_forecast(weeks: int, ahead: int) -> bool:
    """Whether so many known weeks are enough to forecast so many from."""
    return ahead > 0 and weeks >= max(LEAST_WEEKS, PAST_FOR_AHEAD * ahead)


def pace(values: Sequence[Fraction], ahead: int) -> Pace:
    """The next `ahead` weeks from those that are known, oldest first, unrounded. Raises ValueError where they are too
    few (`may_forecast`)."""
    if not may_forecast(len(values), ahead):
        raise ValueError(f"{len(values)} weeks are too few to forecast {ahead} from.")
    with localcontext(_EXACT):
        weeks = [Decimal(value.numerator) / value.denominator for value in values]
        best = min((_smoothed(weeks, *map(Decimal, given)) for given in DAMPED_TRENDS), key=lambda one: one.error)
        sums = _sums(best, ahead, floor=_ZERO if min(weeks) >= 0 else None)
        reach, expected = _reach(weeks, sums, ahead), sums[-1]
        low = expected - reach
        return Pace(max(low, _ZERO) if min(weeks) >= 0 else low, expected, expected + reach)


def _reach(weeks: Sequence[Decimal], sums: Sequence[Decimal], ahead: int) -> Decimal:
    """How far a sum lies from its forecast nine times in ten; in proportion to it where that can be."""
    origins = range(_BURN, len(weeks) - ahead + 1)
    made = [sums[known - 1] for known in origins]
    errors = [abs(sum(weeks[known : known + ahead], _ZERO) - one) for known, one in zip(origins, made, strict=True)]
    is_relative = min(weeks) >= 0 and min(*made, sums[-1]) > 0
    if is_relative:
        errors = [error / one for error, one in zip(errors, made, strict=True)]
    rank = int((_LEVEL * (len(errors) + 1)).to_integral_value(ROUND_CEILING))
    reach = sorted(errors)[min(rank, len(errors)) - 1]
    return reach * sums[-1] if is_relative else reach


def _smoothed(weeks: Sequence[Decimal], level_step: Decimal, trend_step: Decimal, damping: Decimal) -> _Smoothed:
    level, trend, error = weeks[0], _ZERO, _ZERO
    levels, trends = [level], [trend]
    both = level_step * trend_step
    for number, value in enumerate(weeks[1:], start=1):
        carried = damping * trend
        surprise = value - level - carried
        if number >= _BURN:
            error += surprise * surprise
        level, trend = level + carried + level_step * surprise, carried + both * surprise
        levels.append(level)
        trends.append(trend)
    return _Smoothed(levels, trends, damping, error)


def _sums(given: _Smoothed, ahead: int, floor: Decimal | None) -> list[Decimal]:
    """What was forecast of the `ahead` weeks after each."""
    power, growth, grown = Decimal(1), _ZERO, _ZERO
    for _ in range(ahead):
        power *= given.damping
        growth += power
        grown += growth
    found = [ahead * level + grown * trend for level, trend in zip(given.levels, given.trends, strict=True)]
    return found if floor is None else [max(one, floor) for one in found]
