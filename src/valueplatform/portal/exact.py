"""Numbers, days and moments as pages write them where a sentence's three figures are not enough."""

from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Final

from babel import Locale
from babel.dates import format_date, format_datetime
from babel.numbers import format_currency, format_decimal, get_currency_name, get_currency_precision

from valueplatform.core.periods import zone
from valueplatform.narrative.wording import english
from valueplatform.narrative.wording.numbers import MINUS, SPACE, number_text, plural
from valueplatform.value.model import CURRENCIES

LOCALE: Final[Locale] = english().locale
PLACES: Final = 9
"""Digits after the point that are shown where there are any; amounts have four, inputs up to nine."""
MONEY_PLACES: Final = 4
_COUNTS: Final = (
    "no",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
)
_PERIODS: Final = frozenset({"day", "week", "month", "year"})
_PLAIN_WORDS: Final = {"share": "parts of 1 (0.25 is 25%)", "ratio": "parts of 1 (0.25 is 25%)"}
_AGES: Final = ((86_400, "day"), (3_600, "h"), (60, "min"), (1, "s"))


@lru_cache(maxsize=16_384)
def short_text(value: Decimal, unit: str) -> str:
    """As sentences have it: three figures and the unit. Pages write the same amounts again and again."""
    return number_text(value, unit, LOCALE)


def count_text(count: int) -> str:
    """How many, inside a sentence: words up to twelve."""
    return _COUNTS[count] if count < len(_COUNTS) else f"{count:,}"


def exact_text(value: Decimal, unit: str) -> str:
    """Every digit, with the unit: $486,080.00, 8.95%, 1,568 visits, $45.50 per hour."""
    sign = MINUS if value < 0 else ""
    base, _, per = unit.partition("/")
    shown = f"{sign}{_unsigned(abs(value), base)}"
    return f"{shown} {_article(per)}{SPACE}{per}" if per else shown


def cents_text(value: Decimal, unit: str) -> str:
    """Money to its smallest coin, everything else with every digit: for what stands beside an exact number."""
    if unit in CURRENCIES:
        return exact_text(round(value, get_currency_precision(unit)), unit)
    return exact_text(value, unit)


def bare_text(value: Decimal) -> str:
    """The digits alone, as a form takes them back."""
    return format(value.normalize(), "f") if value else "0"


def unit_words(unit: str) -> str:
    """A unit as it reads after "in": US dollars per visit."""
    base, _, per = unit.partition("/")
    named = _currency_words(base) if base in CURRENCIES else _PLAIN_WORDS.get(base, plural(base))
    return f"{named} {_article(per)} {per}" if per else named


def _currency_words(code: str) -> str:
    return str(get_currency_name(code, count=2, locale=LOCALE))


def range_text(low: Decimal, high: Decimal, unit: str) -> str:
    """'$412,000.00 to $560,000.00'; '' where both are one."""
    return "" if low == high else f"{cents_text(low, unit)} to {cents_text(high, unit)}"


def _unsigned(amount: Decimal, base: str) -> str:
    if base in CURRENCIES:
        places = get_currency_precision(base)
        pattern = "¤#,##0" + ("." if places else "") + "0" * places
        if amount != round(amount, places):
            pattern = "¤#,##0." + "0" * MONEY_PLACES
        text = format_currency(amount, base, pattern, locale=LOCALE, currency_digits=False)
        # a code such as CHF keeps its distance from the digits
        return text.replace(base, f"{base}{SPACE}") if text.startswith(base) else str(text)
    if base == "share":
        return f"{_digits(amount * 100)}%"
    text = _digits(amount)
    if base in {"", "count"}:
        return text
    if base == "ratio":
        return f"{text}{SPACE}times"
    return f"{text}{SPACE}{base if amount == 1 else plural(base)}"


def _digits(amount: Decimal) -> str:
    return str(format_decimal(amount, "#,##0." + "#" * PLACES, locale=LOCALE, decimal_quantization=False))


def _article(noun: str) -> str:
    """As sentences of the engine have it: a year, per visit."""
    return "a" if noun in _PERIODS else "per"


def day_text(day: date) -> str:
    """21 Aug 2026."""
    return str(format_date(day, "d MMM y", locale=LOCALE))


def short_day(day: date, today: date) -> str:
    """21 Aug, with the year where it is another."""
    return str(format_date(day, "d MMM" if day.year == today.year else "d MMM y", locale=LOCALE))


def moment_text(moment: datetime, timezone: str) -> str:
    """21 Aug 2026, 10:12, in the zone."""
    return str(format_datetime(moment.astimezone(zone(timezone)), "d MMM y, HH:mm", locale=LOCALE))


def short_moment(moment: datetime, today: date, timezone: str) -> str:
    local = moment.astimezone(zone(timezone))
    return f"{short_day(local.date(), today)}, {local:%H:%M}"


def machine_time(moment: datetime) -> str:
    """RFC 3339, in UTC."""
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def ago_text(moment: datetime, now: datetime) -> str:
    """40 s ago, 12 min ago, 3 h ago, 2 days ago."""
    seconds = max(1, int((now - moment).total_seconds()))
    size, name = next(age for age in _AGES if seconds >= age[0])
    count = seconds // size
    return f"{count} {name}{'s' if name == 'day' and count != 1 else ''} ago"
