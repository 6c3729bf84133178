"""The independent path: a forecast of weeks as `derivation.Forecast` writes it, in decimals of seventy digits with
powers of the damping in closed form. Shares only the definition with what stated it and with what checked it."""

from collections.abc import Sequence
from decimal import Context, Decimal, localcontext
from fractions import Fraction
from math import ceil

from valueplatform.value.derivation import DAMPED_TRENDS, Bound

_DIGITS = Context(prec=70)


def forecast(values: Sequence[Fraction], ahead: int, bound: Bound) -> Fraction:
    """The sum of the next `ahead` weeks or an end of its interval, unrounded. Raises ValueError for too few weeks."""
    origins = len(values) - ahead - 7
    if ahead < 1 or origins < 2:
        raise ValueError(f"{len(values)} weeks are too few to forecast {ahead} from.")
    with localcontext(_DIGITS):
        known = [Decimal(one.numerator) / Decimal(one.denominator) for one in values]
        fits = [_fit(known, [Decimal(text) for text in given]) for given in DAMPED_TRENDS]
        _, place = min((fit[0], place) for place, fit in enumerate(fits))
        damping, paths = Decimal(DAMPED_TRENDS[place][2]), fits[place][1]
        # p + (p + p^2) + ... = p * (ahead - p * (1 - p^ahead) / (1 - p)) / (1 - p)
        fading = damping * (ahead - damping * (1 - damping**ahead) / (1 - damping)) / (1 - damping)
        floor = Decimal(0) if min(known) >= 0 else Decimal("-Infinity")
        sums = [max(level * ahead + trend * fading, floor) for level, trend in paths]
        tried = range(7, 7 + origins)
        shares = floor == 0 and sums[-1] > 0 and all(sums[week] > 0 for week in tried)
        against = [sums[week] / sums[-1] if shares else Decimal(1) for week in tried]
        errors = [abs(sum(known[week + 1 : week + 1 + ahead]) - sums[week]) / against[week - 7] for week in tried]
        reach = sorted(errors)[min(ceil(Fraction(95, 100) * (origins + 1)), origins) - 1]
        ends = {Bound.LOW: sums[-1] - reach, Bound.EXPECTED: sums[-1], Bound.HIGH: sums[-1] + reach}
        return Fraction(max(ends[bound], floor))


def _fit(known: Sequence[Decimal], given: Sequence[Decimal]) -> tuple[Decimal, list[tuple[Decimal, Decimal]]]:
    """The squared errors from the ninth week on, and level and trend after each week."""
    level_step, trend_step, damping = given
    squares = Decimal(0)
    paths = [(known[0], Decimal(0))]
    for week in range(1, len(known)):
        level, trend = paths[-1]
        expected = level + damping * trend
        missed = known[week] - expected
        squares += missed * missed if week > 7 else 0
        paths.append((expected + level_step * missed, damping * trend + level_step * trend_step * missed))
    return squares, paths
