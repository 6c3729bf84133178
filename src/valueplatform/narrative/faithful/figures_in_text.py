"""A figure read back from text: magnitude, unit and rounding, by rules of its own."""

from decimal import Decimal
from typing import Final

from babel.numbers import get_currency_symbol, list_currencies

from valueplatform.narrative.faithful.lexicon import FIGURE, SCALES
from valueplatform.narrative.insight import Number

LOCALE: Final = "en_US"
CURRENCIES: Final = frozenset(list_currencies())
HALF: Final = Decimal("0.5")


def figure_problem(text: str, number: Number) -> str | None:
    """Why `text` is not a faithful figure of `number`; a missing sign is left to the words around it."""
    read = FIGURE.fullmatch(text)
    if read is None:
        return f"{text!r} is not a figure"
    if not _fits_unit(read["before"], read["after"].replace("\u00a0", " "), number):
        return f"{text!r} is not in {number.unit or 'no unit'}"
    shown = Decimal(read["digits"].replace(",", ""))
    exponent = SCALES[read["scale"]] - (2 if read["after"].startswith("%") else 0)
    magnitude = shown.scaleb(exponent)
    if abs(magnitude - abs(number.value)) > _tolerance(shown, exponent, number.value, share=number.unit[:5] == "share"):
        return f"{text!r} is not {number.value} rounded"
    if read["minus"] and number.value >= 0:
        return f"{text!r} has a sign that {number.value} has not"
    return None


def has_sign(text: str) -> bool:
    return text.startswith("\u2212")


def _tolerance(shown: Decimal, exponent: int, value: Decimal, *, share: bool) -> Decimal:
    """Half of the last place that is shown, and never more than half of the third figure (of a share: one decimal of a
    percent, none from 100 % on, two figures below 1 %)."""
    last = shown.as_tuple().exponent
    shown_step = Decimal(1).scaleb((last if isinstance(last, int) else 0) + exponent)
    if not value:
        return Decimal(0)
    magnitude = abs(value)
    if share:
        step = Decimal("0.01") if magnitude >= 1 else Decimal("0.001")
        step = step if magnitude >= Decimal("0.01") else min(step, Decimal(1).scaleb(magnitude.adjusted() - 1))
    else:
        step = Decimal(1).scaleb(magnitude.adjusted() - 2)
    return HALF * (min(step, shown_step) if _ends_in_digits(shown) else step)


def _ends_in_digits(shown: Decimal) -> bool:
    """Whether the last place was surely shown on purpose: trailing zeros may have been left out of a short figure."""
    return len(shown.as_tuple().digits) > 2


def _fits_unit(before: str, after: str, number: Number) -> bool:
    base, _, per = number.unit.partition("/")
    if per:
        for article in (" a ", " per "):
            if after.endswith(article + per):
                return _fits_base(before, after.removesuffix(article + per), base)
        return False
    return _fits_base(before, after, base)


def _fits_base(before: str, after: str, base: str) -> bool:
    if base in CURRENCIES:
        return not after and before in {get_currency_symbol(base, LOCALE), base}
    if before:
        return False
    if base == "share":
        return after == "%"
    if base in {"count", ""}:
        return not after
    if base == "ratio":
        return after == " times"
    return _singular(after.strip()) == _singular(base)


def _singular(noun: str) -> str:
    if noun.endswith("ies"):
        return noun[:-3] + "y"
    return noun.removesuffix("s")
