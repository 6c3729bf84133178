"""A forecast of weeks, a second time: `derivation.Forecast` as it is written there, in whole numbers of 10^-40 with
the weeks' values as what is known one week ahead. Shares only the definition with `judgment.pace`."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import accumulate
from typing import Final

from valueplatform.value.derivation import DAMPED_TRENDS, Bound

_ONE: Final = 10**40
_SCALE: Final = 10**4
"""Steps and dampings have at most four decimal places."""


def forecast_anew(values: Sequence[Fraction], ahead: int, bound: Bound) -> Fraction:
    """The sum of the next `ahead` weeks, or the end of its interval, unrounded. Raises ValueError for too few weeks."""
    if ahead < 1 or len(values) < ahead + 9:
        raise ValueError(f"{len(values)} weeks are too few to forecast {ahead} from.")
    units = [round(value * _ONE) for value in values]
    states, damping = _fitting(units)
    made = [_ahead(state, damping, ahead) for state in states]
    if min(units) >= 0:
        made = [max(0, one) for one in made]
    if bound is Bound.EXPECTED:
        return Fraction(made[-1], _ONE)
    missed = _missed(units, made, ahead)
    end = made[-1] + (missed if bound is Bound.HIGH else -missed)
    return Fraction(max(0, end) if min(units) >= 0 else end, _ONE)


def _fitting(units: Sequence[int]) -> tuple[list[tuple[int, int]], int]:
    """Level and trend after each week by the steps that err least, and their damping."""
    tried = []
    for place, texts in enumerate(DAMPED_TRENDS):
        level_step, trend_step, damping = (round(Fraction(text) * _SCALE) for text in texts)
        states = list(_states(units, level_step, trend_step, damping))
        error = sum((units[week] - _next(states[week - 1], damping)) ** 2 for week in range(8, len(units)))
        tried.append((error, place, states, damping))
    _, _, states, damping = min(tried, key=lambda one: one[:2])
    return states, damping


def _missed(units: Sequence[int], made: Sequence[int], ahead: int) -> int:
    """By how much a sum is missed, of the present forecast where parts of forecasts can be told."""
    before = [0, *accumulate(units)]
    tried = [(made[known - 1], before[known + ahead] - before[known]) for known in range(8, len(units) - ahead + 1)]
    in_parts = min(units) >= 0 and made[-1] > 0 and all(forecast > 0 for forecast, _ in tried)
    scale = made[-1] if in_parts else 1
    sizes = sorted(abs(came - forecast) * scale // (forecast if in_parts else 1) for forecast, came in tried)
    return sizes[min(-(-95 * (len(sizes) + 1) // 100), len(sizes)) - 1]


def _states(units: Sequence[int], level_step: int, trend_step: int, damping: int) -> Iterator[tuple[int, int]]:
    """Level and trend after each week, in the form that averages: old and new level, old and new slope."""
    level, trend = units[0], 0
    yield level, trend
    for value in units[1:]:
        carried = damping * trend // _SCALE
        smoothed = (level_step * value + (_SCALE - level_step) * (level + carried)) // _SCALE
        trend = (trend_step * (smoothed - level) + (_SCALE - trend_step) * carried) // _SCALE
        level = smoothed
        yield level, trend


def _next(state: tuple[int, int], damping: int) -> int:
    return state[0] + damping * state[1] // _SCALE


def _ahead(state: tuple[int, int], damping: int, ahead: int) -> int:
    """Week by week: the trend fades, the level goes along."""
    (level, trend), total = state, 0
    for _ in range(ahead):
        trend = damping * trend // _SCALE
        level += trend
        total += level
    return total
