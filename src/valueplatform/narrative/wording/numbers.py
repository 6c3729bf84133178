"""Numbers and days as a reader sees them: three significant figures in sentences, the unit always with the number.

Amounts are rounded once, half to even, from the exact value. The minus sign is U+2212. Money is compact ($1.84M, $486K,
€1.84M, ¥120M; in German 1,84 Mio. €, 486.000 €); shares have one decimal below 100 % ('share': 0.089 = 8.9 %); a
'ratio' of 2.31 is "2.31 times". Signs, places and days are those of the locale.
"""

import re
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache
from typing import Final

from babel import Locale
from babel.dates import format_date
from babel.numbers import format_currency, format_decimal, format_percent, get_currency_precision, list_currencies

from valueplatform.narrative.wording.units import SPACE, per_text, plural, ratio_unit, unit_text

__all__ = ["MINUS", "SPACE", "day_text", "month_text", "number_text", "plural", "significant"]

FIGURES: Final = 3
MINUS: Final = "\N{MINUS SIGN}"
COMPACT_FROM: Final = 1000
_COMPACT_COUNT_FROM: Final = 1_000_000
_CURRENCIES: Final = frozenset(list_currencies())
_DAYS: Final = {"de": "d. MMMM yyyy"}
"""How a day is written where it is not '1 Aug 2026'."""


def number_text(value: Decimal, unit: str, locale: Locale, *, signed: bool = True) -> str:
    """The number with its unit; without its sign where words carry the sign."""
    amount = abs(value)
    text = _known(amount, amount.as_tuple().exponent, unit, locale)
    return f"{MINUS}{text}" if signed and value < 0 else text


@lru_cache(maxsize=4096)
def _known(amount: Decimal, _exponent: object, unit: str, locale: Locale) -> str:
    """A story says a number several times. The exponent tells equal decimals of several lengths apart."""
    return _unsigned(amount, unit, locale)


@lru_cache(maxsize=4096)
def day_text(day: date, locale: Locale) -> str:
    return format_date(day, _DAYS.get(locale.language, "d MMM yyyy"), locale=locale)


@lru_cache(maxsize=1024)
def month_text(day: date, locale: Locale) -> str:
    return format_date(day, "MMMM yyyy", locale=locale)


def _unsigned(amount: Decimal, unit: str, locale: Locale) -> str:
    base, _, per = unit.partition("/")
    if per:
        return f"{_unsigned(amount, base, locale)} {per_text(per, locale)}"
    if base in _CURRENCIES:
        return money_text(amount, base, locale)
    if base == "share":
        return share_text(amount, locale)
    if base == "ratio":
        return f"{ratio_text(amount, locale)}{ratio_unit(locale)}"
    count = count_text(amount, locale)
    if base in {"count", ""}:
        return count
    return f"{count}{SPACE}{unit_text(base, amount, locale)}"


def significant(amount: Decimal, figures: int = FIGURES) -> Decimal:
    """Rounded once to so many significant figures."""
    if not amount:
        return Decimal(0)
    return amount.quantize(Decimal(1).scaleb(amount.adjusted() - figures + 1), rounding=ROUND_HALF_EVEN)


def money_text(amount: Decimal, currency: str, locale: Locale) -> str:
    rounded = significant(amount)
    if rounded >= COMPACT_FROM and (compact := _compact(rounded, currency, locale)):
        return compact
    if rounded >= 100 or amount == amount.to_integral_value():
        return _spaced(_patterned(rounded, _money_pattern(locale, 0), currency, locale))
    places = max(get_currency_precision(currency), _places(rounded.normalize()))
    shown = amount.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_EVEN)
    return _spaced(_patterned(shown, _money_pattern(locale, places), currency, locale))


def share_text(amount: Decimal, locale: Locale) -> str:
    percent = amount * 100
    places = 0 if percent >= 100 else 1
    if percent < 1:
        places = max(1, _places(significant(percent, 2)))
    rounded = percent.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_EVEN).normalize()
    pattern = _with_places(locale.percent_formats[None].pattern, _places(rounded))
    return str(format_percent(rounded / 100, pattern, locale=locale))


def ratio_text(amount: Decimal, locale: Locale) -> str:
    """Three figures, also where the last ones are zero."""
    if amount >= 100:
        return count_text(amount, locale)
    rounded = significant(amount)
    return str(format_decimal(rounded, "#,##0" + _decimals(_places(rounded)), locale=locale))


def count_text(amount: Decimal, locale: Locale) -> str:
    """Whole numbers stay whole below a million; others keep three figures, and never lose whole digits."""
    if amount >= _COMPACT_COUNT_FROM:
        return _compact(significant(amount), None, locale) or format_decimal(significant(amount), locale=locale)
    if amount == amount.to_integral_value():
        return str(format_decimal(amount, "#,##0", locale=locale))
    places = max(0, FIGURES - 1 - amount.adjusted())
    rounded = amount.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_EVEN).normalize()
    return str(format_decimal(rounded, "#,##0" + _decimals(_places(rounded)), locale=locale))


def _compact(rounded: Decimal, currency: str | None, locale: Locale) -> str | None:
    """With K, M, B or what the locale has for them; None where it has nothing."""
    digits, pattern = _compact_pattern(locale, rounded.adjusted(), currency is not None)
    if pattern is None:
        return None
    mantissa = rounded.scaleb(-(rounded.adjusted() - digits + 1))
    places = max(0, FIGURES - digits)
    sample = re.sub("0+", "0" + _decimals(places), pattern, count=1)
    if currency is None:
        return str(format_decimal(mantissa, sample, locale=locale))
    return _spaced(_patterned(mantissa, sample, currency, locale))


@lru_cache(maxsize=256)
def _compact_pattern(locale: Locale, exponent: int, money: bool) -> tuple[int, str | None]:  # noqa: FBT001 - a cache key
    """How many digits stand before the point, and the CLDR pattern, for numbers of 10**exponent and more."""
    formats = locale.compact_currency_formats if money else locale.compact_decimal_formats
    short = formats["short"]["other"]
    pattern = short.get(str(10**exponent))
    if pattern is None or pattern.pattern == "0":
        return 0, None
    return pattern.pattern.count("0"), str(pattern.pattern)


@lru_cache(maxsize=64)
def _money_pattern(locale: Locale, places: int) -> str:
    """Where the locale puts the currency: '¤#,##0.00', '#,##0.00 ¤'."""
    return _with_places(locale.currency_formats["standard"].pattern, places)


def _with_places(pattern: str, places: int) -> str:
    return re.sub(r"[#,0.]+", "#,##0" + _decimals(places), pattern, count=1)


def _patterned(amount: Decimal, pattern: str, currency: str, locale: Locale) -> str:
    return str(format_currency(amount, currency, pattern, locale=locale, currency_digits=False))


def _places(rounded: Decimal) -> int:
    exponent = rounded.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _decimals(places: int) -> str:
    return "." + "0" * places if places else ""


def _spaced(text: str) -> str:
    """A code such as CHF keeps its distance from the digits."""
    return re.sub(r"(?<=[A-Z])(?=\d)", SPACE, text)
