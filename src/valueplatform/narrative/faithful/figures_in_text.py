"""A figure read back from text: magnitude, unit and rounding, by rules of its own."""

from decimal import Decimal
from typing import Final

from babel.numbers import get_currency_symbol, list_currencies

from valueplatform.narrative.faithful.english import ENGLISH
from valueplatform.narrative.faithful.lexicon import Lexicon
from valueplatform.narrative.insight import Number

CURRENCIES: Final = frozenset(list_currencies())
HALF: Final = Decimal("0.5")


def figure_problem(text: str, number: Number, lexicon: Lexicon = ENGLISH) -> str | None:
    """Why `text` is not a faithful figure of `number`; a missing sign is left to the words around it."""
    read = lexicon.figure.fullmatch(text)
    if read is None:
        return f"{text!r} is not a figure"
    after = read["after"].replace("\u00a0", " ")
    if not _fits_unit(read["before"], after, number, lexicon):
        return f"{text!r} is not in {number.unit or 'no unit'}"
    shown = Decimal(read["digits"].replace(lexicon.group, "").replace(lexicon.point, "."))
    if _is_rounded(shown, read["scale"], number.unit, lexicon):
        shown = shown.normalize()
    exponent = lexicon.scales[read["scale"]] - (2 if after.startswith(lexicon.percent) else 0)
    magnitude = shown.scaleb(exponent)
    if abs(magnitude - abs(number.value)) > _tolerance(shown, exponent, number.value, share=number.unit[:5] == "share"):
        return f"{text!r} is not {number.value} rounded"
    if read["minus"] and number.value >= 0:
        return f"{text!r} has a sign that {number.value} has not"
    return None


def _is_rounded(shown: Decimal, scale: str | None, unit: str, lexicon: Lexicon) -> bool:
    """Whether the zeros that it ends in stand for digits that were left out: money where no scale takes their place."""
    is_money = unit.partition("/")[0] in CURRENCIES
    return is_money and scale is None and lexicon.rounded_from is not None and shown >= lexicon.rounded_from


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


def _fits_unit(before: str, after: str, number: Number, lexicon: Lexicon) -> bool:
    base, _, per = number.unit.partition("/")
    if not per:
        return _fits_base(before, after, base, lexicon)
    for joined in lexicon.per:
        of, found, each = after.rpartition(joined)
        if found and lexicon.noun(each) == lexicon.unit(per):
            return _fits_base(before, of, base, lexicon)
    return False


def _fits_base(before: str, after: str, base: str, lexicon: Lexicon) -> bool:
    if base in CURRENCIES:
        sign, other = (before, after) if lexicon.money_leads else (after.removeprefix(" "), before)
        return not other and sign in {get_currency_symbol(base, lexicon.locale), base}
    if before:
        return False
    if base == "share":
        return after == lexicon.percent
    if base in {"count", ""}:
        return not after
    if base == "ratio":
        return after == lexicon.ratio
    return lexicon.noun(after.strip()) == lexicon.unit(base)
