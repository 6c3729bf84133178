"""An account's usage carried on: a usual day of each weekday, and how far it swings.

90 % of an account's four-week sums lie within 1.645 standard deviations of their mean if they scatter normally, and a
month is about four weeks.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from decimal import Context, Decimal
from fractions import Fraction
from math import isqrt
from typing import Final

from valueplatform.core.numbers import FRACTION_DIGITS, round_half_even
from valueplatform.core.periods import Period
from valueplatform.telemetry.meters import Meter
from valueplatform.value.levers import GROWS
from valueplatform.value.meter_days import MeterDay

WEEK: Final = 7
_NORMAL_90: Final = Fraction(1645, 1000)
_FOUR_WEEKS: Final = 28
_FEWEST_SUMS: Final = 3
_EXACT: Final = Context(prec=60)


def carried_on(
    days: Iterable[MeterDay], stretch: Period, meters: Mapping[str, Meter]
) -> Mapping[int, Sequence[MeterDay]]:
    """A usual day of each weekday (0 = Monday): the mean over the weeks of the stretch where a meter adds up, so that a
    day without counts as none; else the mean of the days that have a value."""
    weeks = stretch.days // WEEK
    found: defaultdict[tuple[str, str, int], list[MeterDay]] = defaultdict(list)
    for day in days:
        found[day.meter, day.provider, day.day.weekday()].append(day)
    usual: defaultdict[int, list[MeterDay]] = defaultdict(list)
    for (slug, provider, weekday), own in sorted(found.items()):
        over = weeks if slug in meters and meters[slug].aggregation in GROWS else len(own)
        usual[weekday].append(MeterDay(slug, provider, stretch.start, 1, metered_decimal(_sum(own) / over)))
    return usual


def swing(days: Iterable[MeterDay], slug: str, today: date) -> Fraction:
    """How far a meter's four-week sums lie from their mean, as a share of it: 1.645 sample standard deviations, at most
    1; 0 where there are fewer than three, or their mean is not above zero."""
    sums: defaultdict[int, list[MeterDay]] = defaultdict(list)
    own = [day for day in days if day.meter == slug and not day.provider]
    first = min((day.day for day in own), default=today)
    whole = (today - first).days // _FOUR_WEEKS
    for day in own:
        back = (today - day.day).days - 1
        if 0 <= back < whole * _FOUR_WEEKS:
            sums[back // _FOUR_WEEKS].append(day)
    values = [_sum(sums[number]) for number in range(whole)]
    mean = sum(values, Fraction(0)) / whole if whole else Fraction(0)
    if whole < _FEWEST_SUMS or mean <= 0:
        return Fraction(0)
    variance = sum(((value - mean) ** 2 for value in values), Fraction(0)) / (whole - 1)
    return min(_NORMAL_90 * _root(variance / mean**2), Fraction(1))


def _sum(days: Iterable[MeterDay]) -> Fraction:
    """Decimals are added as such, which is faster than fractions and as exact."""
    whole, parts = Decimal(0), Fraction(0)
    for day in days:
        if day.over == 1:
            whole = _EXACT.add(whole, day.value)
        else:
            parts += Fraction(day.value) / day.over
    return Fraction(whole) + parts


def _root(value: Fraction) -> Fraction:
    """The square root, to six places, downwards."""
    return Fraction(isqrt(value.numerator * 10**12 // value.denominator), 10**6)


def metered_decimal(value: Fraction) -> Decimal:
    """Half to even, as many places as meters have."""
    units = round(value * 10**FRACTION_DIGITS)
    return Decimal(units).scaleb(-FRACTION_DIGITS, _EXACT)


def multiplied(value: Decimal, times: Fraction) -> Decimal:
    """Like `metered_decimal` of the product."""
    numerator, denominator = value.as_integer_ratio()
    return round_half_even(numerator * times.numerator, denominator * times.denominator, FRACTION_DIGITS)
